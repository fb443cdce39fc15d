"""How does a fiscal year end? Closing, carry-over into the next year, and the settlement (결산).

A carry-over is a pair of entries, one on each year, naming each other (groups.py). Where legal dates may
fall: closing and settlement on the year's last day or later; the closing year's half of a carry-over from
the year's first day (명시이월 is decided before the year ends) to the end of the next year; the opening
year's half inside its own year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.rules import states
from audit_service.rules.budget import (
    opening_known,
    overspent,
    parse_subject,
    require_distinct,
    require_kind,
    require_legal_date,
    require_line,
    require_open_year,
    require_room,
    require_same_purse,
    require_year,
)
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, BudgetState
from audit_service.rules.world import World, read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.budget import (
        CarriedOver,
        CarryInReceived,
        FiscalYearClosed,
        SettlementPublished,
        SettlementRow,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes


class Totals(NamedTuple):
    """The seven columns of a settlement table for one project, in won, in the order of the printed table."""

    final_budget_won: int
    carried_in_won: int
    budget_change_won: int
    current_budget_won: int
    executed_won: int
    carried_out_won: int
    unspent_won: int


def compute_totals(state: BudgetState) -> dict[str, Totals]:
    """What do the events of the year add up to, project by project?"""
    sums: dict[str, list[int]] = {}
    for line in state.lines.values():
        columns = sums.setdefault(line.project_id, [0] * 7)
        for place, won in enumerate(
            (
                line.final_won,
                line.carried_in_won,
                line.change_won,
                line.current_won,
                line.executed_won,
                line.carried_out_won,
                line.unspent_won,
            )
        ):
            columns[place] += won
    return {project_id: Totals(*columns) for project_id, columns in sums.items()}


def decide_carried_over(_: World, state: BudgetState, event: Event) -> None:
    """May this be carried over? From what is left, to the same agency's next year."""
    year = require_year(state, event)
    data: CarriedOver = event.data
    require_legal_date(event, first=year.opens_on, last=f"{year.fiscal_year + 1}-12-31")
    line = require_line(state, event, data.line_id)
    _require_neighbour(event, data.to_subject, years=1)
    require_kind(data.kind, data, event)
    if event.id in state.carried_over:
        raise RuleBroken("budget.carry-over-duplicate", "this id has carried over already", stream=event.subject)
    if data.amount_won > line.unspent_won:
        raise overspent(
            event,
            "only what is not spent is carried over",
            asked_won=data.amount_won,
            available_won=line.unspent_won,
        )


def _require_neighbour(event: Event, subject: str, *, years: int) -> None:
    agency, fiscal_year = parse_subject(event.subject)
    expected = f"budget/{agency}/{fiscal_year + years}"
    if subject != expected:
        raise RuleBroken(
            "budget.carry-over-subject",
            "a carry-over leads from one fiscal year of an agency to its next",
            stream=event.subject,
            allowed=expected,
        )


def evolve_carried_over(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book what leaves the year, and remember it for the other half."""
    data: CarriedOver = event.data
    line = state.lines[data.line_id]
    undo.put(
        state.lines,
        data.line_id,
        line._replace(carried_out_won=line.carried_out_won + data.amount_won, moved=True),
    )
    half = states.CarriedOver(
        data.line_id, data.to_subject, data.to_line_id, data.kind, data.amount_won, data.carry_in_id
    )
    undo.put(state.carried_over, event.id, half)


def decide_carry_in(world: World, state: BudgetState, event: Event) -> None:
    """Does this carry-in answer a carry-over of the year before? Once, and in every figure."""
    year = require_open_year(state, event)
    data: CarryInReceived = event.data
    line = require_line(state, event, data.line_id)
    _require_neighbour(event, data.from_subject, years=-1)
    require_kind(data.kind, data, event)
    closing = read_budget(world, data.from_subject)
    half = None if closing is None else closing.carried_over.get(data.carried_over_id)
    if closing is None or half is None:
        raise RuleBroken(
            "budget.carry-over-unknown",
            "the year before has carried over nothing under this id",
            stream=event.subject,
        )
    if data.carried_over_id in state.carried_in:
        raise RuleBroken("budget.carry-over-duplicate", "this carry-over is already received", stream=event.subject)
    here = states.CarriedOver(data.from_line_id, event.subject, data.line_id, data.kind, data.amount_won, event.id)
    columns = {
        name: {"stated": found, "expected": expected}
        for name, found, expected in zip(half._fields, here, half, strict=True)
        if found != expected
    }
    if columns:
        raise RuleBroken(
            "budget.carry-over-differs",
            "the two halves of the carry-over do not say the same",
            stream=event.subject,
            columns=columns,
        )
    if year.opening_imported:
        raise opening_known(event)
    require_same_purse(event, closing.lines[half.line_id], line)
    require_room(year, event, new_won=data.amount_won)


def evolve_carry_in(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book what enters the year, and that this carry-over is received."""
    data: CarryInReceived = event.data
    line = state.lines[data.line_id]
    year = state.year[ONLY]
    undo.put(
        state.lines,
        data.line_id,
        line._replace(carried_in_won=line.carried_in_won + data.amount_won, moved=True),
    )
    undo.put(state.carried_in, data.carried_over_id, data.amount_won)
    undo.put(state.year, ONLY, year._replace(current_won=year.current_won + data.amount_won))


def decide_closed(_: World, state: BudgetState, event: Event) -> None:
    """May the year be closed? Once, on its last day or later."""
    year = require_year(state, event)
    data: FiscalYearClosed = event.data
    if year.closed:
        raise RuleBroken("budget.year-closed", "the fiscal year is closed already", stream=event.subject)
    if data.closes_on != year.closes_on:
        raise RuleBroken(
            "budget.year-dates",
            "the year closes on the day that its opening said",
            stream=event.subject,
            columns={"closes_on": {"stated": data.closes_on, "expected": year.closes_on}},
            allowed=year.closes_on,
        )
    require_legal_date(event, first=year.closes_on, last=None)


def evolve_closed(state: BudgetState, _: Event, undo: Changes) -> None:
    """Close the year."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(closed=True))


def decide_settlement(_: World, state: BudgetState, event: Event) -> None:
    """Is this the settlement of the closed year? Its identities hold, and it equals the events' totals."""
    year = require_year(state, event)
    data: SettlementPublished = event.data
    if not year.closed:
        raise RuleBroken("budget.year-not-closed", "the fiscal year is still open", stream=event.subject)
    require_legal_date(event, first=year.closes_on, last=None)
    require_distinct("budget.project-repeated", [row.project_id for row in data.rows], event)
    for row in data.rows:
        _require_identities(event, row)
    computed = compute_totals(state)
    stated = {row.project_id: _totals_of(row) for row in data.rows}
    for project_id in sorted(computed.keys() | stated.keys()):
        _require_equal(event, project_id, stated.get(project_id), computed.get(project_id))


def _totals_of(row: SettlementRow) -> Totals:
    return Totals(*(getattr(row, name) for name in Totals._fields))


def _require_identities(event: Event, row: SettlementRow) -> None:
    current_won = row.final_budget_won + row.carried_in_won + row.budget_change_won
    unspent_won = row.current_budget_won - row.executed_won - row.carried_out_won
    columns: dict[str, Any] = {}
    if row.current_budget_won != current_won:
        columns["current_budget_won"] = {"stated": row.current_budget_won, "computed": current_won}
    if row.unspent_won != unspent_won:
        columns["unspent_won"] = {"stated": row.unspent_won, "computed": unspent_won}
    if columns:
        raise RuleBroken(
            "budget.settlement-identity",
            f"the row of project {row.project_id} does not add up in itself",
            stream=event.subject,
            columns=columns,
        )


def _require_equal(event: Event, project_id: str, stated: Totals | None, computed: Totals | None) -> None:
    if stated == computed:
        return
    nothing = (None,) * len(Totals._fields)
    columns = {
        name: {"stated": found, "computed": expected}
        for name, found, expected in zip(Totals._fields, stated or nothing, computed or nothing, strict=True)
        if found != expected
    }
    raise RuleBroken(
        "budget.settlement-mismatch",
        f"the row of project {project_id} is not what the events add up to",
        stream=event.subject,
        columns=columns,
    )


def evolve_settlement(state: BudgetState, _: Event, undo: Changes) -> None:
    """Settle the year."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(settled=True))
