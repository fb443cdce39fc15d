"""Which events need a second person, exactly from which amount and from which day on, and who may that be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from audit_service.rules.approvals import largest_amount_won, require_approval
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, ApprovalPolicy, Key
from audit_service.rules.world import read_log
from tests.support.events import adjusted, appropriated, batch, log_created, opened, transaction, when
from tests.support.given import given

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.world import Replica

LIMIT_WON = 1_000_000
LATE_DAYS = 30
HAPPENED = "2021-01-01T00:00:00.000Z"
AT_THE_LIMIT = "2021-01-31T00:00:00.000Z"
A_MOMENT_LATER = "2021-01-31T00:00:00.001Z"
LARGE = adjusted("a", "b", LIMIT_WON)
SMALL = adjusted("a", "b", LIMIT_WON - 1)

# Rule id, why, the event, who signs, who approves.
REFUSALS: tuple[tuple[str, str, Event, str, str | None], ...] = (
    ("registry.approval-missing", "exactly the amount", LARGE, "clerk", None),
    ("registry.approval-missing", "a sum of rows", appropriated({"a": 600_000, "b": 400_000}), "clerk", None),
    (
        "registry.approval-missing",
        "a millisecond too late",
        opened(time=HAPPENED, recorded_time=A_MOMENT_LATER),
        "clerk",
        None,
    ),
    (
        "registry.approval-missing",
        "a late manifest, for all behind it",
        batch({"loan": 5}, time=HAPPENED, recorded_time=A_MOMENT_LATER),
        "clerk",
        None,
    ),
    ("registry.approval-same-key", "the clerk approves himself", LARGE, "clerk", "clerk"),
    ("registry.approval-same-key", "so does the head", LARGE, "head", "head"),
    ("registry.approval-role", "another clerk", LARGE, "clerk", "colleague"),
    ("registry.approval-role", "an approver of another agency", LARGE, "clerk", "stranger"),
    ("registry.approval-role", "nobody", LARGE, "clerk", "nobody"),
)


class Correction(Struct):
    change_won: int
    lines: int = 99


def city(*, amount_won: int | None = LIMIT_WON, late_days: int | None = LATE_DAYS) -> Replica:
    world = given(log_created())
    log = read_log(world)
    log.approval[ONLY] = ApprovalPolicy(amount_won, late_days)
    for kid, agency, role in (
        ("clerk", "roads", "SUBMITTER"),
        ("colleague", "roads", "SUBMITTER"),
        ("head", "roads", "APPROVER"),
        ("stranger", "parks", "APPROVER"),
    ):
        log.keys[kid] = Key(agency, frozenset({"budget.*", "service.*"}), kid, role)
    return world


def _in_time(event: Event) -> Event:
    event.recorded_time = event.recorded_time or event.time
    return event


@pytest.mark.parametrize(("rule_id", "why", "event", "kid", "approval_kid"), REFUSALS)
def test_refusal(rule_id: str, why: str, event: Event, kid: str, approval_kid: str | None) -> None:
    with pytest.raises(RuleBroken) as caught:
        require_approval(city(), _in_time(event), kid=kid, approval_kid=approval_kid)
    assert caught.value.rule_id == rule_id, why
    assert caught.value.stream == event.subject


@pytest.mark.parametrize(
    ("event", "approval_kid"),
    [
        (SMALL, None),
        (appropriated({"a": 500_000, "b": 499_999}), None),
        (opened(time=HAPPENED, recorded_time=AT_THE_LIMIT), None),
        (opened(time=HAPPENED, recorded_time=A_MOMENT_LATER), "head"),
        (LARGE, "head"),
        (SMALL, "colleague"),
        (transaction(1, time=HAPPENED, recorded_time=A_MOMENT_LATER), None),
    ],
    ids=["below", "a sum below", "on the day", "late, approved", "approved", "of free will", "in a batch"],
)
def test_what_passes(event: Event, approval_kid: str | None) -> None:
    require_approval(city(), _in_time(event), kid="clerk", approval_kid=approval_kid)


def test_a_refusal_says_what_would_pass() -> None:
    with pytest.raises(RuleBroken) as caught:
        require_approval(city(), _in_time(LARGE), kid="clerk", approval_kid=None)
    assert caught.value.allowed == LIMIT_WON - 1
    assert caught.value.columns == {"amount_won": LIMIT_WON, "approval_from_won": LIMIT_WON}


def test_without_a_policy_or_without_its_half_nothing_is_asked() -> None:
    late = opened(time=HAPPENED, recorded_time=A_MOMENT_LATER)
    require_approval(given(log_created()), _in_time(LARGE), kid="clerk", approval_kid=None)
    require_approval(city(amount_won=None), _in_time(LARGE), kid="clerk", approval_kid=None)
    require_approval(city(late_days=None), late, kid="clerk", approval_kid=None)


def test_root_keys_are_two_anyway() -> None:
    policy = when("registry.approval-policy-set.v1", "registry/log", {"amount_won": 2 * LIMIT_WON})
    require_approval(city(), _in_time(policy), kid="root1", approval_kid="root2")


def test_an_amount_is_found_wherever_it_stands() -> None:
    assert largest_amount_won(appropriated({"a": 3, "b": 7}, total=5).data) == 7
    assert largest_amount_won([Correction(change_won=-9), Correction(change_won=2)]) == 9
    assert largest_amount_won(opened().data) is None
