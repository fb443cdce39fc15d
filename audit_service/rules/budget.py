"""What is the frame of one agency's budget in one fiscal year? Its opening, its lists of codes, its lines.

Every line holds `executed ≤ obligated ≤ allotted ≤ current` and `executed + carried out ≤ current` at every
moment (지방재정법; the identities of a settlement table). The rules of the stream by what they are about:

`budget_appropriation` where money comes from · `budget_moves` how it moves between lines · `budget_allotment` when
and where it may be used · `budget_spending` what binds it · `budget_payment` what spends it · `budget_book` what
explains it · `budget_carry_over` what goes to the next year · `budget_year_end` closing and settlement ·
`budget_corrections` how a mistake is taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.budget_checks import (
    parse_subject,
    require_legal_date,
    require_open_year,
    require_owner,
    stated,
)
from audit_service.rules.budget_states import BudgetState, Line, Place, Year
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.budget import CodeListPublished, FiscalYearOpened, LineDefined
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


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


def decide_codes(_: World, state: BudgetState, event: Event) -> None:
    """May this list of codes be published? Before the first line; a code stands in it once."""
    require_open_year(state, event)
    data: CodeListPublished = event.data
    if state.lines:
        raise RuleBroken("budget.code-list-late", "lines are defined already", stream=event.subject)
    seen = set(state.codes.get(data.level, ()))
    for entry in data.entries:
        if entry.code in seen:
            raise RuleBroken("budget.code-repeated", f"code {entry.code} is listed twice", stream=event.subject)
        seen.add(entry.code)


def evolve_codes(state: BudgetState, event: Event, undo: Changes) -> None:
    """Remember the codes; a list may come in several parts."""
    data: CodeListPublished = event.data
    known = state.codes.get(data.level, frozenset())
    undo.put(state.codes, data.level, known.union(entry.code for entry in data.entries))


def decide_line(_: World, state: BudgetState, event: Event) -> None:
    """May this line be defined? Once, in the open year, by codes that the published lists hold."""
    require_open_year(state, event)
    data: LineDefined = event.data
    if data.line_id in state.lines:
        raise RuleBroken("budget.line-duplicate", f"line {data.line_id} is already defined", stream=event.subject)
    columns: dict[str, object] = {
        level: {"stated": code}
        for level, codes in state.codes.items()
        if (code := stated(getattr(data, level))) is not None and code not in codes
    }
    if columns:
        raise RuleBroken(
            "budget.code-unknown",
            "a code of the line does not stand in the year's published list",
            stream=event.subject,
            columns=columns,
            allowed="a code of the published list",
        )


def evolve_line(state: BudgetState, event: Event, undo: Changes) -> None:
    """Add the line, with nothing on it."""
    data: LineDefined = event.data
    place = Place(
        data.project_id,
        data.fund,
        data.division,
        stated(data.object_code),
        stated(data.field),
        stated(data.sector),
        stated(data.policy),
        stated(data.unit),
    )
    undo.put(state.lines, data.line_id, Line(place))
