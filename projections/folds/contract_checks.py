"""Do the tables of one procurement agree with each other, and was it done in time?

Added up from the facts, without the rules. `agrees` is None where a side is not stated. What is worth a look and no
error is a flag: an inspection more than 14 days after it was asked for, a subcontract below 82 % of its part of the
contract [K: 지방계약법 시행령, 하도급 적정성 심사], advances or damages above their share of an amount that was made
smaller.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from projections.folds.contract_instalments import Instalment, returns_of, total_noted_won
from projections.folds.contract_state import Contract, Fact, sum_won
from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from collections.abc import Iterator


CHECK_TABLES = ("checks", "flags")
# [K] 지방계약법 시행령 제64조: inspected within 14 days of the notice that the work is done.
INSPECTION_DAYS = 14
SUBCONTRACT_FLOOR_BP = 8_200
ADVANCE_LIMIT_BP = 7_000
DAMAGES_LIMIT_BP = 3_000
WHOLE_BP = 10_000

# What a check compares: its name, the smaller side, the larger side; None where a side is not stated.
Comparison = tuple[str, int | None, int | None]


def compute_checks(state: Contract, instalments: list[Instalment]) -> list[Row]:
    """Compute the rows of both tables."""
    rows = []
    for one in instalments:
        trace = merged([one.signed.trace, *one.traces.values()])
        for name, small_won, large_won in _of_instalment(state, one):
            rows.append(_row(trace, f"instalment/{one.number}/{name}", name, one.number, small_won, large_won))
    whole = merged(fact.trace for facts in state.facts.values() for fact in facts)
    for name, small_won, large_won in _of_contract(state, instalments):
        rows.append(_row(whole, f"contract/{name}", name, None, small_won, large_won))
    rows += [row for one in instalments for row in _above_limits(state, one)]
    return [*rows, *_late_inspections(state), *_cheap_subcontracts(state)]


def _row(
    trace: Trace, row_id: str, name: str, instalment: int | None, small_won: int | None, large_won: int | None
) -> Row:
    known = small_won is not None and large_won is not None
    body: dict[str, Any] = {
        "check": name,
        "instalment": instalment,
        "left_won": small_won,
        "at_most_won": large_won,
        "agrees": small_won <= large_won if small_won is not None and large_won is not None else None,
        "open_won": large_won - small_won if known and large_won is not None and small_won is not None else None,
    }
    return trace.row("checks", row_id, body)


def _of_instalment(state: Contract, one: Instalment) -> Iterator[Comparison]:
    signed = state.last("signings", instalment=None)
    kind = None if signed is None else signed.cells["contract_type"]
    # A unit-price contract states an estimate: nothing is compared with it.
    amount_won = None if kind == "UNIT_PRICE" else one.amount_won
    accepted = any(True for _ in state.standing("acceptances", instalment=one.number))
    imported = [fact for fact in state.standing("payments", instalment=one.number) if _is_import(fact)]
    imported_won = sum_won(imported, "amount_won") + sum_won(imported, "advance_offset_won")
    imported_won -= sum_won(returns_of(state, imported), "amount_won")
    settled_won = one.paid_won + one.offset_won - imported_won
    yield "accepted-within-instalment", one.accepted_won, amount_won
    yield "cash-within-instalment", one.cash_won + one.kept_won, amount_won
    # What was imported without acceptances cannot be compared with any.
    yield "settled-within-accepted", settled_won, one.accepted_won if accepted or not imported else None
    yield "offset-within-advances", one.offset_won, one.advance_won
    if one.final_won is not None:
        yield "cash-within-final", one.cash_won + one.kept_won, one.final_won


def _is_import(fact: Fact) -> bool:
    return fact.provenance in ("printed", "derived")


def _of_contract(state: Contract, instalments: list[Instalment]) -> Iterator[Comparison]:
    if not instalments:
        return
    stated = all(one.amount_won is not None for one in instalments)
    contracted_won = sum(one.amount_won or 0 for one in instalments)
    noted_won = total_noted_won(state)
    if noted_won is not None:
        yield "instalments-within-total", contracted_won, noted_won
    subcontracts_won = sum_won(state.standing("subcontracts"), "amount_won")
    unit_price = any(fact.cells.get("contract_type") == "UNIT_PRICE" for fact in state.standing("signings"))
    whole_won = noted_won if noted_won is not None else contracted_won if stated and not unit_price else None
    yield "subcontracts-within-contract", subcontracts_won, whole_won
    paid_won = sum_won(state.standing("subcontract_payments"), "amount_won")
    yield "subcontractors-paid-within-subcontracts", paid_won, subcontracts_won
    end = state.last("ends")
    cash_won = sum(one.cash_won for one in instalments)
    if end is not None and end.cells["what"] == "terminated":
        yield "cash-within-settlement", cash_won, end.cells["settled_won"]
    elif end is not None:
        kept_won = sum(one.kept_won for one in instalments)
        yield "final-amount-paid", end.cells["final_won"], cash_won + kept_won


def _above_limits(state: Contract, one: Instalment) -> Iterator[Row]:
    signed = state.last("signings", instalment=None)
    stated_bp = None if signed is None else signed.cells["advance_limit_bp"]
    limits = (
        ("advances-above-limit", one.advance_won, ADVANCE_LIMIT_BP if stated_bp is None else stated_bp, "advances"),
        ("damages-above-limit", one.damages_won, DAMAGES_LIMIT_BP, "damages"),
    )
    for flag, found_won, limit_bp, table in limits:
        at_most_won = None if one.amount_won is None else one.amount_won * limit_bp // WHOLE_BP
        if at_most_won is not None and found_won > at_most_won:
            body = {"flag": flag, "of": str(one.number), "found": found_won, "at_most": at_most_won, "at_least": None}
            trace = merged([one.signed.trace, one.traces["amendments"], one.traces[table]])
            yield trace.row("flags", f"{flag}/{one.number}", body)


def _late_inspections(state: Contract) -> Iterator[Row]:
    for fact in state.standing("inspections"):
        notified_on, day = fact.cells["notified_on"], fact.legal_date
        if notified_on is None or day is None:
            continue
        days = (date.fromisoformat(day) - date.fromisoformat(notified_on)).days
        if days > INSPECTION_DAYS:
            body = {"flag": "inspection-late", "of": fact.cells["inspection_id"], "found": days}
            yield _flag(fact, {**body, "at_most": INSPECTION_DAYS, "at_least": None})


def _cheap_subcontracts(state: Contract) -> Iterator[Row]:
    for fact in state.standing("subcontracts"):
        rate_bp = fact.cells["rate_bp"]
        if rate_bp < SUBCONTRACT_FLOOR_BP:
            body = {"flag": "subcontract-rate-low", "of": fact.cells["subcontract_id"], "found": rate_bp}
            yield _flag(fact, {**body, "at_most": None, "at_least": SUBCONTRACT_FLOOR_BP})


def _flag(fact: Fact, body: dict[str, Any]) -> Row:
    return fact.trace.row("flags", f"{body['flag']}/{fact.row_id}", body)
