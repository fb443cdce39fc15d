"""What do the rules of a budget ask again and again? Owner, year, legal date, line, basis, approver, totals.

Every function raises the refusal and returns what the caller goes on with.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from audit_service.catalogue.common import MAX_SAFE_INTEGER, Basis, Payload
from audit_service.catalogue.types import BUDGET_SUBJECT
from audit_service.rules.dates import day_number, day_text
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import BudgetState, Line, Year

# Facts of a printed page, and what is computed from them: the page states what it states, and no more.
IMPORTED = ("printed", "derived")


def stated(value: object) -> str | None:
    """Return an optional text of a payload, None where it is left out."""
    return value if isinstance(value, str) else None


def is_imported(data: Payload) -> bool:
    """Does the payload repeat a printed source, which may be silent about what the law asks for?"""
    return data.provenance in IMPORTED


def parse_subject(subject: str) -> tuple[str, int]:
    """Whose budget is this, and of which fiscal year?

    Raises:
        RuleBroken: `envelope.subject-form`.
    """
    match = BUDGET_SUBJECT.fullmatch(subject)
    if match is None:
        raise RuleBroken("envelope.subject-form", "the subject of a budget is budget/<agency>/<year>", stream="")
    return match[1], int(match[2])


@lru_cache(maxsize=1024)
def _owner_of(subject: str) -> str:
    return f"urn:kr:agency:{parse_subject(subject)[0]}"


def require_owner(event: Event) -> None:
    """Does the event come from the agency whose budget it moves? A budget's owner stands in its subject.

    Raises:
        RuleBroken: `budget.not-owner`.
    """
    expected = _owner_of(event.subject)
    if event.source != expected:
        raise RuleBroken(
            "budget.not-owner",
            "only the agency named in the subject may write to its budget",
            stream=event.subject,
            allowed=expected,
        )


def require_opened_year(state: BudgetState, event: Event) -> Year:
    """Is there a fiscal year, whatever became of it since?

    Raises:
        RuleBroken: `budget.not-owner` or `budget.year-not-opened`.
    """
    require_owner(event)
    year = state.year.get(ONLY)
    if year is None:
        raise RuleBroken("budget.year-not-opened", "the fiscal year is not opened", stream=event.subject)
    return year


def require_year(state: BudgetState, event: Event) -> Year:
    """Is there a fiscal year, and is it not settled yet?

    Raises:
        RuleBroken: as `require_opened_year`, or `budget.year-settled`.
    """
    year = require_opened_year(state, event)
    if year.settled:
        raise RuleBroken("budget.year-settled", "the settlement is published", stream=event.subject)
    return year


def require_closed_year(state: BudgetState, event: Event) -> Year:
    """Is the fiscal year closed, and does the legal date fall on its last day or later?

    Raises:
        RuleBroken: as `require_opened_year`, `budget.year-not-closed` or `budget.legal-date-outside-year`.
    """
    year = require_opened_year(state, event)
    if not year.closed:
        raise RuleBroken("budget.year-not-closed", "the fiscal year is still open", stream=event.subject)
    require_legal_date(event, first=year.closes_on, last=None)
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


def require_in_force(year: Year, event: Event, line: Line) -> None:
    """Is the budget behind a line in force? A provisional one (준예산) only until its last day.

    Afterwards nothing new is allotted or obligated until another provisional budget or the original one is there; what
    is obligated falls due and is paid all the same.

    Raises:
        RuleBroken: `budget.provisional-over`.
    """
    if line.provisional_won and (event.legal_date or "") > year.provisional_until:
        raise RuleBroken(
            "budget.provisional-over",
            "the provisional budget is over, and no other has followed",
            stream=event.subject,
            columns={"legal_date": {"stated": event.legal_date, "last": year.provisional_until}},
            allowed=year.provisional_until,
        )


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


def require_after(event: Event, day: int) -> None:
    """Does the event fall on the day (YYYYMMDD) of what it rests on, or later? Answers as of a day between rely on it.

    Raises:
        RuleBroken: `budget.legal-date-order`.
    """
    if day_number(event.legal_date) < day:
        raise RuleBroken(
            "budget.legal-date-order",
            "the legal date is before that of what the event rests on",
            stream=event.subject,
            columns={"legal_date": {"stated": event.legal_date, "first": day_text(day)}},
            allowed=day_text(day),
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


def require_same_fund(event: Event, source: Line, target: Line) -> None:
    """Are both lines of one fund? Money does not change its source by moving.

    Raises:
        RuleBroken: `budget.fund-differs`.
    """
    if source.place.fund != target.place.fund:
        raise RuleBroken(
            "budget.fund-differs",
            f"the lines are of two funds, {source.place.fund} and {target.place.fund}",
            stream=event.subject,
            columns={"fund": {"stated": target.place.fund, "expected": source.place.fund}},
            allowed=source.place.fund,
        )


def require_same_purse(event: Event, source: Line, target: Line) -> None:
    """Are both lines of one project and one fund?

    Raises:
        RuleBroken: `budget.project-differs` or `budget.fund-differs`.
    """
    if source.place.project_id != target.place.project_id:
        raise RuleBroken(
            "budget.project-differs",
            "the lines are of two projects",
            stream=event.subject,
            allowed=source.place.project_id,
        )
    require_same_fund(event, source, target)


def require_basis(event: Event) -> None:
    """Does the event name the document that it rests on? Only imports of a printed page may be silent.

    Raises:
        RuleBroken: `budget.basis-missing`.
    """
    if not isinstance(event.data.basis, Basis) and not is_imported(event.data):
        raise RuleBroken(
            "budget.basis-missing",
            "a decision of this kind names the document that it rests on",
            stream=event.subject,
            allowed="basis",
        )


def require_approver(event: Event, roles: tuple[str, ...], *, named: bool = True) -> None:
    """Is the role that the event states one that may decide this? With `named`, it must be stated at all.

    Imports of a printed page may be silent. `docs/adr/0009` says why a role is text, and which roles count.

    Raises:
        RuleBroken: `budget.approver`.
    """
    role = stated(event.data.actor_role)
    if role is None and (not named or is_imported(event.data)):
        return
    if role not in roles:
        raise RuleBroken(
            "budget.approver",
            "the role that decides this is not named, or may not decide it",
            stream=event.subject,
            allowed=" / ".join(roles),
        )
