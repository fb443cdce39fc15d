"""Does what a project says about its money fit the budget that pays for it? Shown, never mended.

The project's registration names a division and a fiscal year: the budget is `budget/<division>/<fiscal year>`. Its
funding is compared with the original appropriation of its lines there, its activities with the factors of the line
items that they name. What cannot be compared is *open*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_service.catalogue.event import Event

CHECKS = ("funding_checks", "activity_checks")
# Which factor of a calculation basis says the same as which figure of an activity.
_UNITS = (("times", ("회",)), ("headcount", ("인", "명")))


class Appropriation(Struct, kw_only=True):
    """What one event appropriates to the lines of the project, in won."""

    amount_won: int
    trace: Trace


class Item(Struct, kw_only=True):
    """A line item of the project: the numbers among its factors by their unit, and its amount in won."""

    item_id: str
    counts: dict[str, int]
    amount_won: int
    trace: Trace


class BudgetSeen(Struct, kw_only=True):
    """What is known of the project's budgets: lines by subject and line id, the rest by subject and event id."""

    lines: dict[tuple[str, str], int] = {}
    appropriations: dict[tuple[str, str], Appropriation] = {}
    items: dict[tuple[str, str], Item] = {}


def compute_checks(tables: dict[str, dict[str, Row]], budget: BudgetSeen) -> list[Row]:
    """The check rows of a project, about what is in force; none before it is registered."""
    registrations = [row for row in tables.get("registration", {}).values() if row.body["corrected_by"] is None]
    if not registrations:
        return []
    registration = registrations[-1]
    subject = budget_subject(registration.body["division"], registration.body["fiscal_year"])
    funding = [
        row
        for row in tables.get("funding", {}).values()
        if row.id.partition("~")[0] == "total" and row.body["corrected_by"] is None
    ]
    return [
        *(_funding_check(row, subject, budget) for row in funding),
        *_activity_checks(tables, subject, budget),
    ]


def _trace_of(row: Row) -> Trace:
    return Trace(entries=[one for one in row.entries if isinstance(one, int)], provenance=list(row.provenance))


def _funding_check(row: Row, subject: str, budget: BudgetSeen) -> Row:
    """Funding (사업비) against what is appropriated in its year."""
    found = [one for (where, _), one in budget.appropriations.items() if where == subject]
    appropriated_won = sum(one.amount_won for one in found) if found else None
    stated_won = row.body["amount_won"]
    body = {
        "budget_subject": subject,
        "fiscal_year": row.body["fiscal_year"],
        "funding_won": stated_won,
        "appropriated_won": appropriated_won,
        "difference_won": None if appropriated_won is None else stated_won - appropriated_won,
        "status": "open" if appropriated_won is None else "agrees" if appropriated_won == stated_won else "differs",
    }
    return merged([_trace_of(row), *(one.trace for one in found)]).row("funding_checks", row.id, body)


def _activity_checks(tables: dict[str, dict[str, Row]], subject: str, budget: BudgetSeen) -> Iterator[Row]:
    items = {one.item_id: one for (where, _), one in budget.items.items() if where == subject}
    for row in tables.get("activities", {}).values():
        if row.body["corrected_by"] is None:
            yield _activity_check(row, items.get(row.body["item_id"]))


def _activity_check(row: Row, item: Item | None) -> Row:
    """Times and persons of an activity against the factors of the line item that pays for it."""
    body: dict[str, Any] = {"item_id": row.body["item_id"], "item_won": None if item is None else item.amount_won}
    counts = {} if item is None else item.counts
    found = []
    for name, units in _UNITS:
        stated = row.body[name]
        factor = next((counts[unit] for unit in units if unit in counts), None)
        body |= {name: stated, f"item_{name}": factor}
        if stated is not None and factor is not None:
            found.append(stated == factor)
    body["status"] = "open" if not found else "agrees" if all(found) else "differs"
    traces = [_trace_of(row)] if item is None else [_trace_of(row), item.trace]
    return merged(traces).row("activity_checks", row.id, body)


def budgets_named(event: Event) -> tuple[str, ...]:
    """Which budget do the checks of a project rest on, once this event is in? None for most events."""
    if event.type != "project.registered.v1":
        return ()
    return (budget_subject(event.data.division, event.data.fiscal_year),)


def budget_subject(division: str, fiscal_year: int) -> str:
    """The stream of the budget that a registration names."""
    return f"budget/{division}/{fiscal_year}"
