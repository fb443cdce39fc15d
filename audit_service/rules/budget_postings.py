"""How do amounts get onto a line's columns, and off again? The one writer of lines.

`moves` is a flat tuple (line id, column, won, line id, column, won, …): one object for an event, however many
lines it moves. What an event posted is kept under its id, so that a correction takes back exactly that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from audit_service.rules.budget_states import (
    COLUMNS,
    FIRST_OF_CURRENT,
    LAST_OF_CURRENT,
    BudgetState,
    Line,
    Posting,
)
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes

Moves = tuple[str | int, ...]


def post(state: BudgetState, event: Event, undo: Changes, moves: Moves, *, named: str = "") -> None:
    """Book the moves, and keep them for a correction. `named` is the id that the event is about."""
    book(state, undo, moves)
    keep(state, event.id, undo, Posting(event.type, named, moves))


def keep(state: BudgetState, event_id: str, undo: Changes, posting: Posting) -> None:
    """Remember what an event posted."""
    undo.put(state.postings, event_id, posting.to_text())


def posting_of(state: BudgetState, event_id: str) -> Posting | None:
    """What did this event post? None where no event of the stream that can be corrected has the id."""
    text = state.postings.get(event_id)
    return None if text is None else Posting.from_text(text)


def known_posting(state: BudgetState, event_id: str) -> Posting:
    """What did this event post, which is known to have?"""
    return Posting.from_text(state.postings[event_id])


def book(state: BudgetState, undo: Changes, moves: Moves, *, sign: int = 1) -> None:
    """Add the moves to their columns (with `sign=-1`, take them off); new money moves the year's total too."""
    lines = state.lines
    new_won = 0
    parts: Iterator[Any] = iter(moves)
    for line_id, column, won in zip(parts, parts, parts, strict=True):
        index = COLUMNS[column]
        values: list[Any] = list(lines[line_id])
        values[index] += won * sign
        values[-1] = True
        undo.put(lines, line_id, Line._make(values))
        if FIRST_OF_CURRENT <= index <= LAST_OF_CURRENT:
            new_won += won * sign
    if new_won:
        year = state.year[ONLY]
        undo.put(state.year, ONLY, year._replace(current_won=year.current_won + new_won))


def lines_of(moves: Moves) -> tuple[str, ...]:
    """Which lines do the moves touch? Each once, in their order."""
    return tuple(dict.fromkeys(cast("tuple[str, ...]", moves[::3])))


def find_broken(line: Line) -> dict[str, object]:
    """Which columns of a line do not stand as they must at every moment? Empty if all do.

    executed ≤ obligated ≤ allotted ≤ current; executed + carried out ≤ current; re-allotted ≤ allotted; what
    obligations bind of an accidental carry-over is not paid; an explicit one was declared; no column but a move is
    below zero.
    """
    bounds = (
        ("final_won", 0, line.final_won, None),
        ("provisional_won", 0, line.provisional_won, None),
        ("pre_appropriated_won", 0, line.pre_appropriated_won, None),
        ("revenue_substituted_won", 0, line.revenue_substituted_won, None),
        ("executed_won", 0, line.executed_won, line.obligated_won - line.bound_out_won),
        ("obligated_won", 0, line.obligated_won, line.allotted_won),
        ("reallotted_won", 0, line.reallotted_won, line.allotted_won),
        ("allotted_won", 0, line.allotted_won, line.current_won),
        ("carried_out_won", 0, line.carried_out_won, line.current_won - line.executed_won),
        ("declared_won", line.carried_out_explicit_won, line.declared_won, None),
        ("items_won", 0, line.items_won, None),
    )
    return {
        name: {"computed": won, "least": least, "most": most}
        for name, least, won, most in bounds
        if won < least or (most is not None and won > most)
    }
