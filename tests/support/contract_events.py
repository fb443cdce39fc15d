"""How does a test say what happened to one contract? One short builder for each type, as in tests/support/events.py.

Planning, signing and payment themselves (`planned`, `signed`, `instalment`, `contract_paid`) stand there. Here a field
given as None is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tests.support.events import CONTRACT, budget, contract_paid, obligated, paid, returned, stated, when

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

LAMP_MAKERS = {"kind": "CORPORATION", "organisation_id": "lamp-makers"}
POLE_MAKERS = {"kind": "CORPORATION", "organisation_id": "pole-makers"}
SOLE_PROPRIETOR = {"kind": "COMMITTED", "commitment": "c" * 64}
BASIS = {"title": "협상결과서"}


def happened(name: str, fields: dict[str, Any], attributes: dict[str, Any]) -> Event:
    subject = attributes.pop("subject", CONTRACT)
    return when(f"contract.{name}.v1", subject, stated(fields, None), **attributes)


def obligated_for(won: int, *, instalment: int = 1, **rest: Any) -> Event:
    """Oblige the budget for an instalment of the contract `lamps`."""
    return obligated(won, **{"obligation": f"for-{instalment}", "contract": "lamps", "instalment": instalment, **rest})


def prior_step(step: str = "SECURITY_REVIEW", result: str = "PASSED", *, number: int = 1, **attributes: Any) -> Event:
    return happened("prior-step-completed", {"step": step, "round": number, "result": result}, attributes)


def tender(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "tender_id": "t1",
        "method": "OPEN",
        "estimate_won": 100,
        "opens_on": "2021-06-15",
        "closes_on": "2021-06-30",
        **(data or {}),
    }
    return happened("tender-published", fields, attributes)


def tender_amended(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"tender_id": "t1", "changes_ko": "수량 변경", **(data or {})}
    return happened("tender-amended", fields, attributes)


def tender_cancelled(tender_id: str = "t1", **attributes: Any) -> Event:
    return happened("tender-cancelled", {"tender_id": tender_id, "reason_ko": "계획 변경"}, attributes)


def tender_failed(count: int = 1, *, tender_id: str = "t1", **attributes: Any) -> Event:
    fields = {"tender_id": tender_id, "reason_ko": "유찰", "bidder_count": count}
    return happened("tender-failed", fields, {"legal_date": "2021-06-30", **attributes})


def bid(bidder_id: str, won: int, *, bidder: dict[str, Any] | None = None, valid: bool = True) -> dict[str, Any]:
    party = bidder or {"kind": "CORPORATION", "organisation_id": f"org-{bidder_id}"}
    return {"bidder_id": bidder_id, "bidder": party, "amount_won": won, "valid": valid}


TWO_BIDS = (bid("b1", 90, bidder=LAMP_MAKERS), bid("b2", 80, bidder=POLE_MAKERS))


def bids_opened(
    *bids: dict[str, Any], tender_id: str = "t1", opened_on: str = "2021-06-30", **attributes: Any
) -> Event:
    fields = {"tender_id": tender_id, "bids": list(bids or TWO_BIDS), "opened_on": opened_on}
    return happened("bids-opened", fields, {"legal_date": "2021-06-30", **attributes})


def evaluated(
    points: dict[str, tuple[int, int]], *, weights: tuple[int, int] = (800_000, 200_000), **attributes: Any
) -> Event:
    scores = [
        {"bidder_id": name, "technical_points": technical, "price_points": price}
        for name, (technical, price) in points.items()
    ]
    fields = {
        "tender_id": "t1",
        "technical_weight": weights[0],
        "price_weight": weights[1],
        "scores": scores,
        "panel_size": 7,
        "panel_commitment": "d" * 64,
    }
    return happened("proposals-evaluated", fields, {"legal_date": "2021-07-01", **attributes})


def awarded(bidder_id: str = "b2", won: int = 80, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"award_id": "w1", "tender_id": "t1", "bidder_id": bidder_id, "amount_won": won, **(data or {})}
    return happened("awarded", fields, {"legal_date": "2021-07-02", **attributes})


def amended(delta: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"instalment": 1, "delta_won": delta, "cause": "SCOPE", **(data or {})}
    return happened("amended", fields, attributes)


def started(instalment: int = 1, **attributes: Any) -> Event:
    return happened("started", {"instalment": instalment}, attributes)


def suspended(**attributes: Any) -> Event:
    return happened("suspended", {"reason_ko": "폭우"}, attributes)


def resumed(**attributes: Any) -> Event:
    return happened("resumed", {"reason_ko": "폭우 끝"}, attributes)


def subcontract(won: int, subcontract_id: str = "s1", **attributes: Any) -> Event:
    fields = {
        "subcontract_id": subcontract_id,
        "supplier": attributes.pop("supplier", POLE_MAKERS),
        "amount_won": won,
        "rate_bp": 9_000,
        "scope_ko": "기둥",
    }
    return happened("subcontract-approved", fields, attributes)


def inspected(inspection: str = "n1", data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"inspection_id": inspection, "instalment": 1, "kind": "PROGRESS", "result": "PASS", **(data or {})}
    return happened("inspected", fields, attributes)


def accepted(won: int, inspection: str = "n1", *, instalment: int = 1, **attributes: Any) -> Event:
    fields = {"inspection_id": inspection, "instalment": instalment, "accepted_won": won}
    return happened("accepted", fields, attributes)


def good_work(won: int, inspection: str = "n1", *, instalment: int = 1, kind: str = "PROGRESS") -> tuple[Event, Event]:
    """Inspected, found good, and accepted for an amount."""
    return (
        inspected(inspection, {"instalment": instalment, "kind": kind}),
        accepted(won, inspection, instalment=instalment),
    )


def instalment_closed(won: int, *, instalment: int = 1, provenance: str | None = None, **attributes: Any) -> Event:
    fields = {"instalment": instalment, "final_won": won, "provenance": provenance}
    return happened("instalment-closed", fields, attributes)


def advance_paid(won: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "instalment": 1,
        "payment_id": "p1",
        "amount_won": won,
        "budget_paid_id": "bp1",
        "budget_subject": budget(),
        **(data or {}),
    }
    return happened("advance-paid", fields, {"id": "cp1", **attributes})


def payment_pair(
    won: int,
    number: int = 1,
    data: dict[str, Any] | None = None,
    *,
    instalment: int = 1,
    advance: bool = False,
    **budget_fields: Any,
) -> tuple[Event, Event]:
    """Both halves of a payment, each naming the other."""
    year = budget_fields.get("year", 2021)
    first = paid(
        won,
        payment=f"p{number}",
        contract_paid_id=f"cp{number}",
        id=f"bp{number}",
        **{"obligation": f"for-{instalment}", **budget_fields},
    )
    fields = {
        "instalment": instalment,
        "payment_id": f"p{number}",
        "budget_paid_id": f"bp{number}",
        "budget_subject": budget(year),
        **(data or {}),
    }
    second = advance_paid if advance else contract_paid
    return first, second(won, fields, id=f"cp{number}", legal_date=first.legal_date)


def return_pair(
    won: int,
    number: int = 1,
    payment: int = 1,
    data: dict[str, Any] | None = None,
    *,
    year: int = 2021,
    **attributes: Any,
) -> tuple[Event, Event]:
    """Both halves of a return of a payment, each naming the other."""
    named: dict[str, Any] = {"name": f"t{number}", "payment": f"p{payment}", "contract_returned_id": f"ct{number}"}
    first = returned(won, **named, year=year, id=f"bt{number}")
    fields = {
        "instalment": 1,
        "return_id": f"t{number}",
        "payment_id": f"p{payment}",
        "amount_won": won,
        "budget_returned_id": f"bt{number}",
        "budget_subject": budget(year),
        **(data or {}),
    }
    return first, happened("returned", fields, {"id": f"ct{number}", "legal_date": first.legal_date, **attributes})


def subcontract_paid(won: int, payment: str = "sp1", data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"subcontract_id": "s1", "payment_id": payment, "amount_won": won, "direct": True, **(data or {})}
    return happened("subcontract-paid", fields, attributes)


def damages(won: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    """Damages on a base of 100 won at 5 % a day, for a day."""
    fields = {
        "assessment_id": "d1",
        "instalment": 1,
        "days": 1,
        "base_won": 100,
        "rate_ppm": 50_000,
        "amount_won": won,
        "settled_by": "OFFSET",
        **(data or {}),
    }
    return happened("delay-damages-assessed", fields, attributes)


def terminated(settled: int, *, kind: str = "CANCELLED", **attributes: Any) -> Event:
    return happened("terminated", {"kind": kind, "reason_ko": "불이행", "settled_won": settled}, attributes)


def warranty(until: str = "2023-06-15", *, instalment: int = 1, **attributes: Any) -> Event:
    return happened("warranty-set", {"instalment": instalment, "until": until, "bond_won": 5}, attributes)


def claim(claim_id: str = "x1", *, instalment: int = 1, **attributes: Any) -> Event:
    fields = {"claim_id": claim_id, "instalment": instalment, "reason_ko": "균열"}
    return happened("warranty-claimed", fields, attributes)


def completed(won: int, *, provenance: str | None = None, **attributes: Any) -> Event:
    return happened("completed", {"final_won": won, "provenance": provenance}, attributes)


def contract_corrected(
    target: Event | str | None, replacement: Event | None = None, data: dict[str, Any] | None = None, **rest: Any
) -> Event:
    """Take back an event of the contract; `replacement` is the event that should have been posted."""
    fields: dict[str, Any] = {
        "reason": "TYPO",
        "reason_ko": "오기",
        "corrects": target if target is None or isinstance(target, str) else target.id,
    }
    if replacement is not None:
        fields["replacement"] = replacing(replacement)
    return happened("corrected", {**fields, **(data or {})}, rest)


def replacing(event: Event) -> dict[str, Any]:
    """The member of a correction's `replacement` that this event is."""
    return {event.type.split(".")[1].replace("-", "_"): msgspec.to_builtins(event.data)}
