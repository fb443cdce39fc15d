"""What is kept of one agency's fiscal year?

Amounts are won. `current_won` and `unspent_won` are running balances of their own: the identities compare them with
the columns, so they can fail. What every event moved is kept beside the tables, so that a correction can take it back.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from projections.folds.budget_columns import FUNDING, SPENDING
from projections.folds.rows import Row, Trace, traced

IN_FORCE = "in force"
CORRECTED = "corrected"
REVERSED = "reversed"
REPEATED = "repeated"


class Place(Struct, frozen=True, gc=False):
    """Where an effect stands in the log: the entry's index, the event's id and legal date, its provenance and role."""

    index: int
    event_id: str
    legal_date: str | None
    provenance: str
    actor_role: str | None


class Move(Struct, array_like=True, gc=False):
    """Won that an event put into one column of one line."""

    line_id: str
    column: str
    amount_won: int


class Link(Struct, array_like=True, gc=False):
    """What an event added to a cell of another event's row: a payment, to its obligation's `paid_won`."""

    table: str
    key: str
    cell: str
    amount: int


class Posting(Struct, array_like=True, gc=False):
    """All that one event moved: what its correction takes back. A corrected one is empty and says by which entry."""

    member: str
    index: int
    keys: tuple[str, ...]
    moves: tuple[Move, ...]
    links: tuple[Link, ...] = ()
    corrected_by: int | None = None


class Record(Struct, array_like=True, gc=False):
    """One row of a table of events, with cells that later events may move; one of them says whether it counts.

    `index` is the entry that made it; `trace` has all that it rests on. There are as many of these as events of a
    year, so the collector of cycles, which they cannot form, is spared walking them.
    """

    table: str
    key: str
    index: int
    cells: dict[str, Any]
    trace: Trace

    @property
    def in_force(self) -> bool:
        """Does the row count, or did a correction take it back?"""
        return self.cells["corrected_by"] is None

    def retire(self, status: str, by: int) -> None:
        """Say that the row does not count any more, because of the entry `by`."""
        self.cells["status"], self.cells["corrected_by"] = status, by


class Line(Struct, kw_only=True):
    """One budget line (예산 과목) of one year: its amounts by column, and by column which entries moved it."""

    definition: dict[str, Any] | None = None
    project_id: str | None = None
    won: dict[str, int] = {}
    current_won: int = 0
    unspent_won: int = 0
    traces: dict[str, Trace] = {}

    def post(self, column: str, amount_won: int, place: Place) -> None:
        """Put an amount into a column and into the balances that count it."""
        self.won[column] = self.won.get(column, 0) + amount_won
        if column in FUNDING:
            self.current_won += amount_won
            self.unspent_won += amount_won
        elif column in SPENDING:
            self.unspent_won -= amount_won
        self.note(column, place)

    def note(self, column: str, place: Place) -> None:
        """An entry moved a column."""
        trace = self.traces.get(column)
        if trace is None:
            self.traces[column] = traced(place.index, place.provenance)
        else:
            trace.add(place.index, place.provenance)


class PublishedSettlement(Struct, kw_only=True):
    """The city's own settlement of one project, as published."""

    cells: dict[str, Any]
    trace: Trace


class BudgetYear(Struct, kw_only=True):
    """One agency's fiscal year.

    `records` are the rows in force by table and id, `history` those that are not any more; `postings` are kept by event
    id. `rows` are rows that nothing moves later.
    """

    agency: str
    fiscal_year: int
    opening: dict[str, Any] | None = None
    closed_on: str | None = None
    closed_to_transfers: list[str] | None = None
    trace: Trace
    lines: dict[str, Line] = {}
    records: dict[str, dict[str, Record]] = {}
    history: list[Record] = []
    postings: dict[str, Posting] = {}
    rows: list[Row] = []
    published: dict[str, PublishedSettlement] = {}
    published_by: Trace
    audits: list[Row] = []
    findings: list[Row] = []
    approvals: list[Row] = []

    def line(self, line_id: str) -> Line:
        """The line's state; a line that is only mentioned (as of an early legal date) has no definition."""
        line = self.lines.get(line_id)
        if line is None:
            line = self.lines[line_id] = Line()
        return line

    def put(self, table: str, key: str, cells: dict[str, Any], place: Place) -> Record:
        """Add a row in force; one that stands there already (no rule lets it) becomes history, never lost."""
        records = self.records.setdefault(table, {})
        before = records.pop(key, None)
        if before is not None:
            self.retire(before, REPEATED, place.index)
        cells["status"], cells["corrected_by"] = IN_FORCE, None
        record = records[key] = Record(table, key, place.index, cells, traced(place.index, place.provenance))
        return record

    def find(self, table: str, key: str) -> Record | None:
        """The row in force under this id, if there is one."""
        return self.records.get(table, {}).get(key)

    def in_force(self, table: str) -> dict[str, Record]:
        """All rows in force of a table, by id, in log order."""
        return self.records.get(table, {})

    def retire(self, record: Record, status: str, by: int) -> None:
        """A row does not count any more because of the entry `by`; it stays visible."""
        record.retire(status, by)
        self.history.append(record)
