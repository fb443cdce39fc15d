"""When and where may a line's money be used? Allotment to a quarter (배정), re-allotment to an office (재배정).

Both may be taken back, down to what they already carry: obligated and re-allotted ≤ allotted ≤ current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.budget_checks import overspent, require_in_force, require_line, require_open_year
from audit_service.rules.budget_postings import post
from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from audit_service.catalogue.budget import Allotted, Reallotted
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import BudgetState, Posting
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def require_nonzero(event: Event, won: int) -> None:
    """Does the event move anything?

    Raises:
        RuleBroken: `budget.amount-zero`.
    """
    if won == 0:
        raise RuleBroken("budget.amount-zero", "nothing would be moved", stream=event.subject)


def decide_allotted(_: World, state: BudgetState, event: Event) -> None:
    """May this be allotted, or taken back? obligated ≤ allotted ≤ current."""
    year = require_open_year(state, event)
    data: Allotted = event.data
    line = require_line(state, event, data.line_id)
    require_nonzero(event, data.amount_won)
    if data.amount_won > 0:
        require_in_force(year, event, line)
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
    if allotted_won < line.reallotted_won:
        raise RuleBroken(
            "budget.allotment-reallotted",
            f"{line.reallotted_won} won of {line.allotted_won} won allotted are re-allotted",
            stream=event.subject,
            columns={"allotted_won": line.allotted_won, "reallotted_won": line.reallotted_won},
            allowed=line.reallotted_won - line.allotted_won,
        )


def evolve_allotted(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the allotment."""
    data: Allotted = event.data
    post(state, event, undo, (data.line_id, "allotted_won", data.amount_won))


def _office_key(data: Reallotted) -> str:
    return f"{data.line_id} {data.office}"


def decide_reallotted(_: World, state: BudgetState, event: Event) -> None:
    """May this be re-allotted, or taken back? Σ ≤ allotted, and no office gives back what it does not have."""
    require_open_year(state, event)
    data: Reallotted = event.data
    line = require_line(state, event, data.line_id)
    require_nonzero(event, data.amount_won)
    if line.reallotted_won + data.amount_won > line.allotted_won:
        raise overspent(
            event,
            "re-allotments may not exceed allotments",
            asked_won=data.amount_won,
            available_won=line.allotted_won - line.reallotted_won,
        )
    office_won = state.offices.get(_office_key(data), 0)
    if office_won + data.amount_won < 0:
        raise RuleBroken(
            "budget.reallotment-exceeded",
            f"the office has {office_won} won of this line",
            stream=event.subject,
            columns={"asked_won": -data.amount_won, "available_won": office_won},
            allowed=-office_won,
        )


def evolve_reallotted(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the re-allotment on the line and for the office."""
    data: Reallotted = event.data
    key = _office_key(data)
    undo.put(state.offices, key, state.offices.get(key, 0) + data.amount_won)
    post(state, event, undo, (data.line_id, "reallotted_won", data.amount_won), named=key)


def reverse_reallotted(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the amount back from the office."""
    won = int(posting.moves[2])
    undo.put(state.offices, posting.named, state.offices[posting.named] - won)
