"""What does each event of a budget move? Columns of lines, and rows of the tables of events.

One function for each type of event, the same for the event itself and for a correction's replacement of it. An
effect is only described here; `post` carries it out and remembers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET, UnsetType

from projections.folds.budget_columns import REALLOTTED
from projections.folds.budget_state import BudgetYear, Link, Move, Place, Posting
from projections.folds.rows import cells_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audit_service.catalogue import budget
    from audit_service.catalogue.common import Payload


class Effect(NamedTuple):
    """What an event moves: its rows (by id, in the table of its type), columns of lines, cells of other rows."""

    rows: dict[str, dict[str, Any]]
    moves: Iterable[Move] = ()
    links: Iterable[Link] = ()


def post(year: BudgetYear, place: Place, member: str, data: Payload) -> Posting:
    """Carry out what an event moves, and remember it under the event's id."""
    table, describe = POSTINGS[member]
    rows, moves, links = describe(year, place, data)
    for key, cells in rows.items():
        cells["legal_date"] = place.legal_date
        year.put(table, key, cells, place)
    kept = tuple(moves)
    for move in kept:
        year.line(move.line_id).post(move.column, move.amount_won, place)
    # As of an early legal date the row that a link leads to may not be there: then nothing is linked.
    linked = tuple([link for link in links if follow(year, link, link.amount, place)])
    posting = year.postings[place.event_id] = Posting(member, place.index, tuple(rows), kept, linked)
    return posting


def follow(year: BudgetYear, link: Link, amount: int, place: Place) -> bool:
    """Add an amount to the cell that a link leads to; False where that row is not in force."""
    record = year.find(link.table, link.key)
    if record is None:
        return False
    record.cells[link.cell] += amount
    record.trace.add(place.index, place.provenance)
    return True


def _resolution(data: Payload, kind: str, **more: Any) -> dict[str, Any]:
    cells = {"kind": kind, "round": None, "until_on": None, "pre_appropriation_ids": None, "ended": 0}
    return {**cells, **cells_of(data), **more}


def _appropriated(year: BudgetYear, _: Place, data: budget.Appropriated) -> Effect:
    moves = [Move(row.line_id, "original_won", row.amount_won) for row in data.rows]
    # The original budget replaces a provisional one, line by line.
    for line_id, line in year.lines.items():
        if provisional_won := line.won.get("provisional_won", 0):
            moves.append(Move(line_id, "provisional_won", -provisional_won))
    links = [Link("resolutions", key, "ended", 1) for key in _provisional_keys(year)]
    return Effect({"original": _resolution(data, "ORIGINAL")}, moves, links)


def _provisional_keys(year: BudgetYear) -> list[str]:
    return [key for key in year.in_force("resolutions") if key.startswith("provisional/")]


def _provisional(year: BudgetYear, _: Place, data: budget.ProvisionalAuthorised) -> Effect:
    moves = [Move(row.line_id, "provisional_won", row.amount_won) for row in data.rows]
    return Effect({f"provisional/{len(_provisional_keys(year)) + 1}": _resolution(data, "PROVISIONAL")}, moves)


def _supplemented(year: BudgetYear, _: Place, data: budget.Supplemented) -> Effect:
    moves = [Move(row.line_id, "supplementary_won", row.delta_won) for row in data.rows]
    links = []
    taken = () if isinstance(data.pre_appropriation_ids, UnsetType) else data.pre_appropriation_ids
    for name in taken:
        used = year.find("pre_appropriations", name)
        if used is not None and not used.cells["taken_in_by_round"]:
            moves.append(Move(used.cells["line_id"], "pre_appropriated_won", -used.cells["amount_won"]))
            links.append(Link("pre_appropriations", name, "taken_in_by_round", data.round))
    cells = _resolution(data, "SUPPLEMENTARY", total_won=data.total_delta_won)
    del cells["total_delta_won"]
    cells["rows"] = [{"line_id": row.line_id, "amount_won": row.delta_won} for row in data.rows]
    return Effect({f"supplement/{data.round}": cells}, moves, links)


def _pre_appropriated(_: BudgetYear, __: Place, data: budget.PreAppropriationUsed) -> Effect:
    cells = {**cells_of(data, without=("pre_appropriation_id",)), "taken_in_by_round": 0}
    moves = (Move(data.line_id, "pre_appropriated_won", data.amount_won),)
    return Effect({data.pre_appropriation_id: cells}, moves)


_BOTH_WAYS = {
    "RESERVE": "reserve_won",
    "CROSS_TRANSFER": "cross_transferred_won",
    "TRANSFER": "transferred_won",
    "ADJUSTMENT": "adjusted_won",
}


def _moved(kind: str) -> Callable[[BudgetYear, Place, Any], Effect]:
    column = _BOTH_WAYS[kind]

    def describe(_: BudgetYear, place: Place, data: budget.Adjusted) -> Effect:
        rows = {place.event_id: _move_row(place, data, kind)}
        return Effect(rows, _both_ways(data.from_line_id, data.to_line_id, column, data.amount_won))

    return describe


def _move_row(place: Place, data: Payload, kind: str, **more: Any) -> dict[str, Any]:
    cells = {"kind": kind, "from_line_id": None, "revenue_id": None, "excess_revenue_won": None}
    return {**cells, **cells_of(data), "approver_role": place.actor_role, **more}


def _both_ways(from_line_id: str, to_line_id: str, column: str, amount_won: int) -> tuple[Move, Move]:
    return Move(from_line_id, column, -amount_won), Move(to_line_id, column, amount_won)


def _reassigned(_: BudgetYear, place: Place, data: budget.Reassigned) -> Effect:
    rows = {}
    moves: list[Move] = []
    for number, pair in enumerate(data.pairs, start=1):
        row = _move_row(place, data, "REASSIGNMENT", **cells_of(pair))
        del row["pairs"]
        rows[f"{place.event_id}/{number}"] = row
        moves += _both_ways(pair.from_line_id, pair.to_line_id, "reassigned_won", pair.amount_won)
    return Effect(rows, moves)


def _revenue_substituted(_: BudgetYear, place: Place, data: budget.RevenueSubstituted) -> Effect:
    row = _move_row(place, data, "REVENUE_SUBSTITUTION", to_line_id=data.line_id)
    del row["line_id"]
    return Effect({place.event_id: row}, (Move(data.line_id, "revenue_substituted_won", data.amount_won),))


def _opening_imported(_: BudgetYear, __: Place, data: budget.OpeningImported) -> Effect:
    moves = []
    for row in data.rows:
        moves.append(Move(row.line_id, f"carried_in_{row.kind.lower()}_won", row.carried_in_won))
        moves.append(Move(row.line_id, "carried_in_imported_won", row.carried_in_won))
    return Effect({}, moves)


def _allotted(_: BudgetYear, __: Place, data: budget.Allotted) -> Effect:
    return Effect({}, (Move(data.line_id, f"allotted_q{data.quarter}_won", data.amount_won),))


def _reallotted(_: BudgetYear, __: Place, data: budget.Reallotted) -> Effect:
    return Effect({}, (Move(data.line_id, REALLOTTED + data.office, data.amount_won),))


def _obligation_incurred(_: BudgetYear, __: Place, data: budget.ObligationIncurred) -> Effect:
    cells = {**cells_of(data, without=("obligation_id",)), "adjusted_won": 0, "paid_won": 0, "returned_won": 0}
    return Effect({data.obligation_id: cells}, (Move(data.line_id, "obligated_won", data.amount_won),))


def _obligation_adjusted(year: BudgetYear, place: Place, data: budget.ObligationAdjusted) -> Effect:
    obligation = year.find("obligations", data.obligation_id)
    line_id = None if obligation is None else obligation.cells["line_id"]
    rows = {place.event_id: {**cells_of(data), "line_id": line_id}}
    moves = () if line_id is None else (Move(line_id, "obligated_won", data.delta_won),)
    return Effect(rows, moves, (Link("obligations", data.obligation_id, "adjusted_won", data.delta_won),))


def _paid(_: BudgetYear, __: Place, data: budget.Paid) -> Effect:
    cells = cells_of(data, without=("payment_id", "payee"))
    organisation_id, commitment = data.payee.organisation_id, data.payee.commitment
    cells["payee_kind"] = data.payee.kind
    cells["payee_organisation_id"] = None if organisation_id is UNSET else organisation_id
    cells["payee_commitment"] = None if commitment is UNSET else commitment
    cells["returned_won"] = cells["refunded_later_won"] = 0
    moves = (Move(data.line_id, "executed_won", data.amount_won),)
    return Effect(
        {data.payment_id: cells}, moves, (Link("obligations", data.obligation_id, "paid_won", data.amount_won),)
    )


def _returned(year: BudgetYear, _: Place, data: budget.Returned) -> Effect:
    payment = year.find("payments", data.payment_id)
    cells = {**cells_of(data, without=("return_id",)), "line_id": None}
    if payment is None:
        return Effect({data.return_id: cells})
    line_id = cells["line_id"] = payment.cells["line_id"]
    moves = (Move(line_id, "executed_won", -data.amount_won), Move(line_id, "returned_won", data.amount_won))
    links = [
        Link("payments", data.payment_id, "returned_won", data.amount_won),
        Link("obligations", payment.cells["obligation_id"], "returned_won", data.amount_won),
    ]
    return Effect({data.return_id: cells}, moves, links)


def _prior_year_refunded(_: BudgetYear, __: Place, data: budget.PriorYearRefunded) -> Effect:
    # Revenue of a later year: no column of this year moves.
    links = (Link("payments", data.payment_id, "refunded_later_won", data.amount_won),)
    return Effect({data.refund_id: cells_of(data, without=("refund_id",))}, links=links)


def _carryover_declared(_: BudgetYear, place: Place, data: budget.CarryoverDeclared) -> Effect:
    moves = (Move(data.line_id, "carryover_declared_won", data.amount_won),)
    return Effect({place.event_id: cells_of(data)}, moves)


def _carried_over(_: BudgetYear, place: Place, data: budget.CarriedOver) -> Effect:
    other = {"other_subject": data.to_subject, "other_line_id": data.to_line_id, "other_event_id": data.carry_in_id}
    row = _carry_over_row(place, data, direction="out", **other)
    for name in ("ancillary", "plan_subject", "plan_id"):
        row[name] = None if (value := getattr(data, name)) is UNSET else value
    return Effect({place.event_id: row}, (Move(data.line_id, f"carried_out_{data.kind.lower()}_won", data.amount_won),))


def _carry_in_received(_: BudgetYear, place: Place, data: budget.CarryInReceived) -> Effect:
    other = {"other_subject": data.from_subject, "other_line_id": data.from_line_id}
    row = _carry_over_row(place, data, direction="in", **other, other_event_id=data.carried_over_id)
    return Effect({place.event_id: row}, (Move(data.line_id, f"carried_in_{data.kind.lower()}_won", data.amount_won),))


def _carry_over_row(
    place: Place, data: budget.CarriedOver | budget.CarryInReceived, *, direction: str, **other: str
) -> dict[str, Any]:
    return {
        "direction": direction,
        "line_id": data.line_id,
        "kind": data.kind,
        "amount_won": data.amount_won,
        "event_id": place.event_id,
        "ancillary": None,
        "plan_subject": None,
        "plan_id": None,
        **other,
    }


def _cost_basis_recorded(_: BudgetYear, __: Place, data: budget.CostBasisRecorded) -> Effect:
    product_won = 1
    for factor in data.factors:
        value = factor.n if isinstance(factor.won, UnsetType) else factor.won
        product_won *= 1 if isinstance(value, UnsetType) else value
    cells = cells_of(data, without=("item_id",))
    cells |= {"product_won": product_won, "product_agrees": product_won == data.amount_won}
    return Effect({data.item_id: cells})


def _schedule_set(_: BudgetYear, __: Place, data: budget.ScheduleSet) -> Effect:
    return Effect({data.project_id: cells_of(data, without=("project_id",))})


def _continuing_plan_set(_: BudgetYear, __: Place, data: budget.ContinuingPlanSet) -> Effect:
    return Effect({data.plan_id: cells_of(data, without=("plan_id",))})


# By the name of the type's payload in a replacement: the table of its rows, and what it moves.
POSTINGS: dict[str, tuple[str, Callable[[BudgetYear, Place, Any], Effect]]] = {
    "opening_imported": ("", _opening_imported),
    "appropriated": ("resolutions", _appropriated),
    "provisional_authorised": ("resolutions", _provisional),
    "supplemented": ("resolutions", _supplemented),
    "pre_appropriation_used": ("pre_appropriations", _pre_appropriated),
    "reserve_released": ("moves", _moved("RESERVE")),
    "cross_transferred": ("moves", _moved("CROSS_TRANSFER")),
    "transferred": ("moves", _moved("TRANSFER")),
    "reassigned": ("moves", _reassigned),
    "adjusted": ("moves", _moved("ADJUSTMENT")),
    "revenue_substituted": ("moves", _revenue_substituted),
    "allotted": ("", _allotted),
    "reallotted": ("", _reallotted),
    "obligation_incurred": ("obligations", _obligation_incurred),
    "obligation_adjusted": ("obligation_adjustments", _obligation_adjusted),
    "paid": ("payments", _paid),
    "returned": ("returns", _returned),
    "prior_year_refunded": ("refunds", _prior_year_refunded),
    "carryover_declared": ("declarations", _carryover_declared),
    "continuing_plan_set": ("continuing_plans", _continuing_plan_set),
    "carried_over": ("carry_overs", _carried_over),
    "carry_in_received": ("carry_overs", _carry_in_received),
    "cost_basis_recorded": ("items", _cost_basis_recorded),
    "schedule_set": ("schedules", _schedule_set),
}
