"""What does the register remember of one procurement? Each thing that was said, by table, and who corrected it.

Nothing is added up here: sums are computed from what is written down when they are asked for, so that a correction
has nothing to take back. This is the second bookkeeping beside the rules and shares nothing with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from projections.folds.rows import Row, Trace, traced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


IN_FORCE, CORRECTED, REVERSED = "in force", "corrected", "reversed"


class Fact(Struct, kw_only=True):
    """One thing that an entry said: its id in its table, its cells, and the entry that corrected it, if one did.

    `corrects` is the event id of the fact that it replaces.
    """

    row_id: str
    event_id: str
    cells: dict[str, Any]
    index: int
    provenance: str
    legal_date: str | None
    corrects: str | None = None
    status: str = IN_FORCE
    corrected_by: int | None = None

    @property
    def counts(self) -> bool:
        """Does it still stand?"""
        return self.corrected_by is None

    @property
    def trace(self) -> Trace:
        """The entry that said it, and the one that took it back."""
        trace = traced(self.index, self.provenance)
        if self.corrected_by is not None:
            trace.add(self.corrected_by, self.provenance)
        return trace

    def row(self, table: str) -> Row:
        """The fact as a row: both versions of what was corrected are shown."""
        body = {
            **self.cells,
            "event_id": self.event_id,
            "legal_date": self.legal_date,
            "status": self.status,
            "corrected_by": self.corrected_by,
        }
        return self.trace.row(table, self.row_id, body)


class Contract(Struct, kw_only=True):
    """One procurement: the source of its first entry, and its facts by table, in the order of the log.

    `used` are the rows' ids that are taken, under their tables: looking through the facts would cost their number.
    What is in force has its plain id, what was corrected `<id>@<index of its entry>`.
    """

    owner: str = ""
    facts: dict[str, list[Fact]] = {}
    used: dict[str, None] = {}

    def retire(self, table: str, fact: Fact, *, status: str, by: int) -> None:
        """Take a fact out of what counts; its id is free for what replaces it."""
        self.used.pop(f"{table} {fact.row_id}", None)
        fact.row_id = f"{fact.row_id}@{fact.index}"
        self.used[f"{table} {fact.row_id}"] = None
        fact.status, fact.corrected_by = status, by

    def all(self, table: str) -> list[Fact]:
        """Every fact of a table, corrected ones too."""
        return self.facts.get(table, [])

    def standing(self, table: str, **cells: Any) -> Iterator[Fact]:
        """The facts of a table that count and have these cells."""
        for fact in self.all(table):
            if fact.counts and all(fact.cells.get(name) == value for name, value in cells.items()):
                yield fact

    def last(self, table: str, **cells: Any) -> Fact | None:
        """The newest fact that counts and has these cells."""
        found = None
        for found in self.standing(table, **cells):  # noqa: B007 - the last one is what is wanted
            pass
        return found


def sum_won(facts: Iterable[Fact], cell: str) -> int:
    """Add up one cell in won; a cell that is not stated adds nothing."""
    return sum(fact.cells[cell] or 0 for fact in facts)
