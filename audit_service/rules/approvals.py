"""Does this event need a second person, and is the approval it carries by one?

The policy in force is an entry of the log (`registry.approval-policy-set.v1`); without one nothing is asked for.
It names an amount, a number of days, or both. An event that reaches either carries an `approval` by a key that
the registry gives to the same agency as an approver's, and that is another than the signer's. Called at entry and in
replay alike; whether the signature itself holds is the verifier's matter.

Governance of the registry stands outside: it always takes two root keys. So do sealed transactions, whose manifest
is signed, and approved, for all of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from audit_service.catalogue.registry import ROOT_SIGNED
from audit_service.rules.errors import RuleBroken
from audit_service.rules.registry import AGENCY_URN
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import ApprovalPolicy

APPROVER = "APPROVER"
_EXEMPT = ROOT_SIGNED | {"service.transaction-recorded.v1"}


def require_approval(world: World, event: Event, *, kid: str | None, approval_kid: str | None) -> None:
    """Refuse an event that needs an approval and has none, or one by somebody who may not give it.

    `kid` and `approval_kid` name the keys of `signature` and `approval`; `recorded_time` of the event is set.

    Raises:
        RuleBroken: `registry.approval-missing`, `registry.approval-same-key` or `registry.approval-role`.
    """
    if event.type in _EXEMPT:
        return
    log = read_log(world)
    policy = log.approval.get(ONLY)
    need = None if policy is None else _need(policy, event)
    if need is None:
        return
    if approval_kid is None:
        raise need
    if approval_kid == kid:
        raise RuleBroken("registry.approval-same-key", "the approval is by the key that signed", stream=event.subject)
    key = log.keys.get(approval_kid)
    if key is None or key.role != APPROVER or AGENCY_URN + key.agency != event.source:
        raise RuleBroken(
            "registry.approval-role",
            "the approval is not by an approver of the event's source",
            stream=event.subject,
            allowed=APPROVER,
        )


def _need(policy: ApprovalPolicy, event: Event) -> RuleBroken | None:
    """Why does this event need an approval? As the refusal of one that has none; None where it needs none."""
    if policy.amount_won is not None:
        amount_won = largest_amount_won(event.data)
        if amount_won is not None and amount_won >= policy.amount_won:
            return RuleBroken(
                "registry.approval-missing",
                f"from {policy.amount_won} won on, an approver signs too",
                stream=event.subject,
                columns={"amount_won": amount_won, "approval_from_won": policy.amount_won},
                allowed=policy.amount_won - 1,
            )
    if policy.late_days is not None and _age(event) > timedelta(days=policy.late_days):
        return RuleBroken(
            "registry.approval-missing",
            f"more than {policy.late_days} days after it happened, an approver signs too",
            stream=event.subject,
            columns={"late_days": policy.late_days, "days": _age(event).days},
            allowed=policy.late_days,
        )
    return None


def largest_amount_won(value: Any) -> int | None:
    """The largest amount that a payload states, whatever its sign: any member whose name ends in `_won`.

    A member that a later type brings is found without being named here.
    """
    found: list[int] = []
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending.extend(one)
            continue
        for name in getattr(one, "__struct_fields__", ()):
            member = getattr(one, name)
            if type(member) is int:
                if name.endswith("_won"):
                    found.append(abs(member))
            else:
                pending.append(member)
    return max(found, default=None)


def _age(event: Event) -> timedelta:
    return datetime.fromisoformat(event.recorded_time) - datetime.fromisoformat(event.time)
