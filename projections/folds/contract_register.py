"""Which rows does one procurement's register have? Its facts as they were said, and what they add up to.

An instalment's row carries every amount with the entries behind it (`figures`): as signed, as amended, accepted, paid
in advance, paid, set off, kept back.
"""

from __future__ import annotations

from projections.folds.contract_checks import compute_checks
from projections.folds.contract_instalments import Instalment, returns_of, total_noted_won
from projections.folds.contract_state import Contract, Fact, sum_won
from projections.folds.rows import Row, Trace, merged

# Tables whose rows are the facts themselves.
FACT_TABLES = (
    "prior_steps",
    "tenders",
    "tender_changes",
    "bids",
    "evaluations",
    "awards",
    "amendments",
    "periods",
    "subcontracts",
    "inspections",
    "acceptances",
    "advances",
    "payments",
    "returns",
    "subcontract_payments",
    "damages",
    "closings",
    "warranty",
    "warranty_claims",
    "ends",
    "corrections",
)
REGISTER_TABLES = ("plan", "status", "instalments", *FACT_TABLES, "sums")


def compute_register(state: Contract) -> list[Row]:
    """Compute every row of one procurement, table by table."""
    instalments = [Instalment(state, fact) for fact in state.standing("signings")]
    instalments.sort(key=lambda one: one.number)
    rows = [_plan_row(fact) for fact in state.all("plan")]
    rows.append(_status_row(state, instalments))
    rows += [one.row() for one in instalments]
    for table in FACT_TABLES:
        rows += [fact.row(table) for fact in state.all(table)]
    rows.append(_sums_row(state, instalments))
    return rows + compute_checks(state, instalments)


def _plan_row(fact: Fact) -> Row:
    # A plan cannot be corrected: its row says no more than it did.
    return fact.trace.row("plan", "plan", {**fact.cells, "legal_date": fact.legal_date})


def _status_row(state: Contract, instalments: list[Instalment]) -> Row:
    """Where does the procurement stand? As its newest facts say, whatever the rules would make of them."""
    end = state.last("ends")
    pause = state.last("periods")
    tender = state.last("tenders")
    award = state.last("awards")
    traces = [fact.trace for fact in (*state.all("plan"), end, pause, tender, award) if fact is not None]
    status = "PLANNED"
    if end is not None:
        status = "COMPLETED" if end.cells["what"] == "completed" else "TERMINATED"
    elif pause is not None and pause.cells["what"] == "suspended":
        status = "SUSPENDED"
    elif any(one.status == "STARTED" for one in instalments):
        status = "UNDER_WAY"
    elif instalments:
        status = "SIGNED"
    elif tender is not None:
        status, tender_traces = _tender_status(state, tender)
        traces += tender_traces
    traces += [one.signed.trace for one in instalments]
    cash_won = sum(one.cash_won for one in instalments)
    settled_won = None if end is None else end.cells.get("settled_won")
    body = {
        "status": status,
        "owner": state.owner,
        "since": None if end is None else end.legal_date,
        "settled_won": settled_won,
        # What was paid beyond the settlement of a rescinded contract is to be given back.
        "recoverable_won": None if settled_won is None else max(cash_won - settled_won, 0),
    }
    return merged(traces).row("status", "status", body)


def _tender_status(state: Contract, tender: Fact) -> tuple[str, list[Trace]]:
    tender_id = tender.cells["tender_id"]
    changes = list(state.standing("tender_changes", tender_id=tender_id))
    over = [one for one in changes if one.cells["what"] in ("tender-cancelled", "tender-failed")]
    traces = [one.trace for one in changes]
    if over:
        return over[-1].cells["what"].upper().replace("-", "_"), traces
    if any(True for _ in state.standing("awards", tender_id=tender_id)):
        return "AWARDED", traces
    return "TENDERED", traces


def _sums_row(state: Contract, instalments: list[Instalment]) -> Row:
    stated_won = [one.amount_won for one in instalments if one.amount_won is not None]
    missing = len(instalments) - len(stated_won)
    contracted_won = sum(stated_won)
    payments, advances = list(state.standing("payments")), list(state.standing("advances"))
    returned_won = sum_won(returns_of(state, payments), "amount_won")
    paid_won = sum_won(payments, "amount_won") - returned_won
    advance_returned_won = sum_won(returns_of(state, advances), "amount_won")
    advance_won = sum_won(advances, "amount_won") - advance_returned_won
    kept_won = sum(one.kept_won for one in instalments)
    signed = state.last("signings", instalment=None)
    tables = ("plan", "signings", "amendments", "payments", "advances", "returns", "damages", "acceptances", "closings")
    traces = [fact.trace for table in (*tables, "subcontracts", "subcontract_payments") for fact in state.all(table)]
    finals = [one.final_won for one in instalments if one.final_won is not None]
    body = {
        "contract_type": None if signed is None else signed.cells["contract_type"],
        "total_noted_won": total_noted_won(state),
        "instalments": len(instalments),
        "instalments_without_amount": missing,
        "contracted_won": contracted_won if stated_won else None,
        "accepted_won": sum_won(state.standing("acceptances"), "accepted_won"),
        "payments": len(payments),
        "paid_won": paid_won,
        "advances": len(advances),
        "advance_won": advance_won,
        "advance_offset_won": sum_won(payments, "advance_offset_won"),
        "returned_won": returned_won + advance_returned_won,
        "damages_won": sum_won(state.standing("damages"), "amount_won"),
        "kept_won": kept_won,
        "final_won": sum(finals) if instalments and len(finals) == len(instalments) else None,
        "subcontracts_won": sum_won(state.standing("subcontracts"), "amount_won"),
        "subcontract_paid_won": sum_won(state.standing("subcontract_payments"), "amount_won"),
        # What is left to pay is unknown as long as one instalment's amount is.
        "unpaid_won": None if missing or not stated_won else contracted_won - paid_won - advance_won - kept_won,
    }
    return merged(traces).row("sums", "sums", body)
