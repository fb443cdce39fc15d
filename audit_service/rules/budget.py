"""May this happen in the budget of one agency in one fiscal year? Opening, lines, money, moves, allotments.

Every line holds `executed ≤ obligated ≤ allotted ≤ current` and `executed + carried out ≤ current` at every
moment (지방재정법; the identities of a settlement table). What binds and spends a line is in
`budget_spending`, what explains its amounts in `budget_book`, what ends the year in `budget_year_end`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.common import MAX_SAFE_INTEGER, Payload
from audit_service.catalogue.types import BUDGET_SUBJECT
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, BudgetState, Line, Year
from audit_service.rules.world import read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.budget import (
        Adjusted,
        Allotted,
        Appropriated,
        FiscalYearOpened,
        LineDefined,
        OpeningImported,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def parse_subject(subject: str) -> tuple[str, int]:
    """Whose budget is this, and of which fiscal year?

    Raises:
        RuleBroken: `envelope.subject-form`.
    """
    match = BUDGET_SUBJECT.fullmatch(subject)
    if match is None:
        raise RuleBroken("envelope.subject-form", "the subject of a budget is budget/<agency>/<year>", stream="")
    return match[1], int(match[2])


def require_owner(event: Event) -> None:
    """Does the event come from the agency whose budget it moves? A budget's owner stands in its subject.

    Raises:
        RuleBroken: `budget.not-owner`.
    """
    agency, _ = parse_subject(event.subject)
    expected = f"urn:kr:agency:{agency}"
    if event.source != expected:
        raise RuleBroken(
            "budget.not-owner",
            "only the agency named in the subject may write to its budget",
            stream=event.subject,
            allowed=expected,
        )


def require_year(state: BudgetState, event: Event) -> Year:
    """Is there a fiscal year, and is it not settled yet?

    Raises:
        RuleBroken: `budget.not-owner`, `budget.year-not-opened` or `budget.year-settled`.
    """
    require_owner(event)
    year = state.year.get(ONLY)
    if year is None:
        raise RuleBroken("budget.year-not-opened", "the fiscal year is not opened", stream=event.subject)
    if year.settled:
        raise RuleBroken("budget.year-settled", "the settlement is published", stream=event.subject)
    return year


def require_open_year(state: BudgetState, event: Event) -> Year:
    """Is the fiscal year open, and does the legal date fall in it?

    Raises:
        RuleBroken: as `require_year`, `budget.year-closed` or `budget.legal-date-outside-year`.
    """
    year = require_year(state, event)
    if year.closed:
        raise RuleBroken("budget.year-closed", "the fiscal year is closed", stream=event.subject)
    require_legal_date(event, first=year.opens_on, last=year.closes_on)
    return year


def require_legal_date(event: Event, *, first: str, last: str | None) -> None:
    """Does the legal date (KST) fall between two days? Days are `YYYY-MM-DD`, so text order is time order.

    Raises:
        RuleBroken: `envelope.legal-date-missing` or `budget.legal-date-outside-year`.
    """
    day = event.legal_date
    if day is None:
        raise RuleBroken("envelope.legal-date-missing", "a legal date is required", stream=event.subject)
    if day < first or (last is not None and day > last):
        raise RuleBroken(
            "budget.legal-date-outside-year",
            "the legal date does not fall where this type's must",
            stream=event.subject,
            columns={"legal_date": {"stated": day, "first": first, "last": last}},
            allowed=f"{first}/{last or '..'}",
        )


def require_line(state: BudgetState, event: Event, line_id: str) -> Line:
    """Which line of this budget is meant?

    Raises:
        RuleBroken: `budget.line-unknown`.
    """
    line = state.lines.get(line_id)
    if line is None:
        raise RuleBroken("budget.line-unknown", f"line {line_id} is not defined", stream=event.subject)
    return line


def require_distinct(rule_id: str, ids: list[str], event: Event) -> None:
    """Does every id stand in a list only once?

    Raises:
        RuleBroken: `rule_id`.
    """
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise RuleBroken(rule_id, f"{name} stands in the list twice", stream=event.subject)
        seen.add(name)


def require_kind(kind: str, data: Payload, event: Event) -> None:
    """Is the kind of a carry-over stated? Only imports of a printed page may leave it open.

    Raises:
        RuleBroken: `budget.carry-over-kind`.
    """
    if kind == "NOT_STATED" and data.provenance not in ("printed", "derived"):
        raise RuleBroken(
            "budget.carry-over-kind",
            "the kind of a carry-over is left open only where a printed source does",
            stream=event.subject,
            allowed="EXPLICIT, ACCIDENTAL or CONTINUING",
        )


def year_before(subject: str) -> str:
    """Which budget closed when this one opened?

    Raises:
        RuleBroken: `envelope.subject-form`.
    """
    agency, fiscal_year = parse_subject(subject)
    return f"budget/{agency}/{fiscal_year - 1:04d}"


def opening_known(event: Event) -> RuleBroken:
    """Build the refusal of money that would come in twice: from outside and from the year before."""
    return RuleBroken(
        "budget.opening-known",
        "the year before is in the ledger, so its carry-overs are the opening",
        stream=event.subject,
    )


def require_room(year: Year, event: Event, *, new_won: int) -> None:
    """Can the year's total still be written as an integer of the entry format (±(2^53-1))?

    Raises:
        RuleBroken: `budget.amount-too-large`.
    """
    if year.current_won + new_won > MAX_SAFE_INTEGER:
        raise RuleBroken(
            "budget.amount-too-large",
            "the year's total would leave the range of integers",
            stream=event.subject,
            allowed=MAX_SAFE_INTEGER - year.current_won,
        )


def overspent(event: Event, message: str, *, asked_won: int, available_won: int) -> RuleBroken:
    """Build the refusal of an amount that a line does not have."""
    return RuleBroken(
        "budget.line-overspent",
        f"{message}: {asked_won} won asked, {available_won} won available",
        stream=event.subject,
        columns={"asked_won": asked_won, "available_won": available_won},
        allowed=available_won,
    )


def decide_opened(_: World, state: BudgetState, event: Event) -> None:
    """May the fiscal year be opened? Once, as the first event, for the calendar year of the subject."""
    require_owner(event)
    data: FiscalYearOpened = event.data
    if state.year:
        raise RuleBroken("budget.year-opened-twice", "the year is already opened", stream=event.subject)
    fiscal_year = parse_subject(event.subject)[1]
    expected = {
        "fiscal_year": fiscal_year,
        "opens_on": f"{fiscal_year}-01-01",
        "closes_on": f"{fiscal_year}-12-31",
    }
    columns: dict[str, object] = {
        name: {"stated": getattr(data, name), "expected": value}
        for name, value in expected.items()
        if getattr(data, name) != value
    }
    if columns:
        raise RuleBroken(
            "budget.year-dates",
            "the fiscal year is the calendar year of the subject",
            stream=event.subject,
            columns=columns,
        )
    require_legal_date(event, first=data.opens_on, last=data.closes_on)


def evolve_opened(state: BudgetState, event: Event, undo: Changes) -> None:
    """Begin the year."""
    data: FiscalYearOpened = event.data
    undo.put(state.year, ONLY, Year(data.fiscal_year, data.opens_on, data.closes_on))


def decide_line(_: World, state: BudgetState, event: Event) -> None:
    """May this line be defined? Once, in the open year."""
    require_open_year(state, event)
    data: LineDefined = event.data
    if data.line_id in state.lines:
        raise RuleBroken("budget.line-duplicate", f"line {data.line_id} is already defined", stream=event.subject)


def evolve_line(state: BudgetState, event: Event, undo: Changes) -> None:
    """Add the line, with nothing on it."""
    data: LineDefined = event.data
    undo.put(state.lines, data.line_id, Line(data.project_id, data.fund))


def decide_opening(world: World, state: BudgetState, event: Event) -> None:
    """May balances be taken over from outside? Once, before the lines move, where no earlier year is known."""
    year = require_open_year(state, event)
    data: OpeningImported = event.data
    if year.opening_imported:
        raise RuleBroken("budget.opening-twice", "an opening is already imported", stream=event.subject)
    earlier = read_budget(world, year_before(event.subject))
    if earlier is not None and earlier.year:
        raise opening_known(event)
    require_distinct("budget.line-repeated", [row.line_id for row in data.rows], event)
    for row in data.rows:
        if require_line(state, event, row.line_id).moved:
            raise RuleBroken("budget.opening-late", f"line {row.line_id} has moved already", stream=event.subject)
        require_kind(row.kind, data, event)
    require_room(year, event, new_won=sum(row.carried_in_won for row in data.rows))


def evolve_opening(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the carry-in that was taken over from outside."""
    data: OpeningImported = event.data
    for row in data.rows:
        line = state.lines[row.line_id]
        undo.put(state.lines, row.line_id, line._replace(carried_in_won=row.carried_in_won, moved=True))
    year = state.year[ONLY]
    new_won = sum(row.carried_in_won for row in data.rows)
    undo.put(state.year, ONLY, year._replace(opening_imported=True, current_won=year.current_won + new_won))


def decide_appropriated(_: World, state: BudgetState, event: Event) -> None:
    """May the original budget be resolved? Once a year; distinct rows add up to its total."""
    year = require_open_year(state, event)
    data: Appropriated = event.data
    if year.appropriated:
        raise RuleBroken("budget.appropriated-twice", "the year has its original budget", stream=event.subject)
    require_distinct("budget.line-repeated", [row.line_id for row in data.rows], event)
    for row in data.rows:
        require_line(state, event, row.line_id)
    require_total(event, stated_won=data.total_won, computed_won=sum(row.amount_won for row in data.rows))
    require_room(year, event, new_won=data.total_won)


def require_total(event: Event, *, stated_won: int, computed_won: int) -> None:
    """Do the rows add up to the stated total?

    Raises:
        RuleBroken: `budget.totals-differ`.
    """
    if stated_won != computed_won:
        raise RuleBroken(
            "budget.totals-differ",
            f"the total says {stated_won} won, the rows add up to {computed_won} won",
            stream=event.subject,
            columns={"total_won": {"stated": stated_won, "computed": computed_won}},
            allowed=computed_won,
        )


def evolve_appropriated(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the appropriation of each line."""
    data: Appropriated = event.data
    for row in data.rows:
        line = state.lines[row.line_id]
        undo.put(state.lines, row.line_id, line._replace(final_won=row.amount_won, moved=True))
    year = state.year[ONLY]
    undo.put(state.year, ONLY, year._replace(appropriated=True, current_won=year.current_won + data.total_won))


def decide_adjusted(_: World, state: BudgetState, event: Event) -> None:
    """May money move between two lines? Inside one project and one fund, and only what the line can spare."""
    require_open_year(state, event)
    data: Adjusted = event.data
    source = require_line(state, event, data.from_line_id)
    target = require_line(state, event, data.to_line_id)
    if data.from_line_id == data.to_line_id:
        raise RuleBroken("budget.same-line", "both lines are the same", stream=event.subject)
    require_same_purse(event, source, target)
    if data.amount_won > source.movable_won:
        raise overspent(
            event,
            "the line cannot spare it",
            asked_won=data.amount_won,
            available_won=source.movable_won,
        )


def require_same_purse(event: Event, source: Line, target: Line) -> None:
    """Are both lines of one project and one fund? Money does not change its purpose or its source by moving.

    Raises:
        RuleBroken: `budget.project-differs` or `budget.fund-differs`.
    """
    if source.project_id != target.project_id:
        raise RuleBroken("budget.project-differs", "the lines are of two projects", stream=event.subject)
    if source.fund != target.fund:
        raise RuleBroken(
            "budget.fund-differs",
            f"the lines are of two funds, {source.fund} and {target.fund}",
            stream=event.subject,
        )


def evolve_adjusted(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the change on both lines, zero-sum."""
    data: Adjusted = event.data
    for line_id, won in ((data.from_line_id, -data.amount_won), (data.to_line_id, data.amount_won)):
        line = state.lines[line_id]
        undo.put(state.lines, line_id, line._replace(change_won=line.change_won + won, moved=True))


def decide_allotted(_: World, state: BudgetState, event: Event) -> None:
    """May this be allotted, or taken back? obligated ≤ allotted ≤ current."""
    require_open_year(state, event)
    data: Allotted = event.data
    line = require_line(state, event, data.line_id)
    if data.amount_won == 0:
        raise RuleBroken("budget.amount-zero", "an allotment of nothing", stream=event.subject)
    allotted_won = line.allotted_won + data.amount_won
    if allotted_won > line.current_won:
        raise overspent(
            event,
            "allotments may not exceed the current budget",
            asked_won=data.amount_won,
            available_won=line.current_won - line.allotted_won,
        )
    if allotted_won < line.obligated_won:
        raise RuleBroken(
            "budget.allotment-obligated",
            f"{line.obligated_won} won of {line.allotted_won} won allotted are obligated",
            stream=event.subject,
            columns={"allotted_won": line.allotted_won, "obligated_won": line.obligated_won},
            allowed=line.obligated_won - line.allotted_won,
        )


def evolve_allotted(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the allotment."""
    data: Allotted = event.data
    line = state.lines[data.line_id]
    undo.put(state.lines, data.line_id, line._replace(allotted_won=line.allotted_won + data.amount_won, moved=True))
