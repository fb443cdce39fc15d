"""How does work on a contract look in OCDS? Milestones of the implementation, and transactions for what was paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit_service.catalogue import contract
    from audit_service.catalogue.event import Event

Json = dict[str, Any]
# The title of each type's milestone, and the field that keeps its id ("" for the event's own).
MILESTONES = {
    "contract.started.v1": ("착수", ""),
    "contract.suspended.v1": ("중지", ""),
    "contract.resumed.v1": ("재개", ""),
    "contract.subcontract-approved.v1": ("하도급 승인", "subcontract_id"),
    "contract.inspected.v1": ("검사", "inspection_id"),
    "contract.accepted.v1": ("검수", "inspection_id"),
    "contract.subcontract-paid.v1": ("하도급 대금지급", "payment_id"),
    "contract.delay-damages-assessed.v1": ("지체상금", "assessment_id"),
    "contract.warranty-set.v1": ("하자담보", ""),
    "contract.warranty-claimed.v1": ("하자 청구", "claim_id"),
}
_RESULTS = {"PASS": "met", "PARTIAL": "partiallyMet", "FAIL": "notMet"}
_AMOUNTS = ("accepted_won", "amount_won")


def milestone_of(event_type: str, event: Event, data: Any) -> Json:
    """The milestone that an event of the work is."""
    title, id_field = MILESTONES[event_type]
    kind = event_type.split(".")[1]
    milestone_id = getattr(data, id_field) if id_field else event.id
    status = _RESULTS[data.result] if event_type == "contract.inspected.v1" else "met"
    won = next((getattr(data, name) for name in _AMOUNTS if isinstance(getattr(data, name, None), int)), None)
    milestone = {
        "id": f"{kind}/{milestone_id}",
        "title": title,
        "type": "delivery",
        "status": status,
        **({"dateMet": f"{event.legal_date}T00:00:00+09:00"} if status != "notMet" else {}),
    }
    return milestone if won is None else {**milestone, "description": f"{won:,}원"}


def transaction_of(
    event: Event,
    data: contract.AdvancePaid | contract.ContractPaid,
    *,
    amount_won: int,
    payer: Json,
    payee: Json | None,
) -> Json:
    """The transaction that a payment is; its source is the budget's half."""
    return {
        "id": f"{data.budget_subject}/{data.payment_id}",
        **_moved(event, amount_won),
        "payer": payer,
        **({"payee": payee} if payee else {}),
    }


def return_of(event: Event, data: contract.ContractReturned, *, payer: Json | None, payee: Json) -> Json:
    """The transaction that a return is, the other way round than its payment."""
    return {
        "id": f"{data.budget_subject}/{data.payment_id}/{data.return_id}",
        **_moved(event, data.amount_won),
        **({"payer": payer} if payer else {}),
        "payee": payee,
    }


def _moved(event: Event, amount_won: int) -> Json:
    return {"date": f"{event.legal_date}T00:00:00+09:00", "value": {"amount": amount_won, "currency": "KRW"}}
