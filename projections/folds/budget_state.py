"""What is kept of one agency's fiscal year?

Amounts are won. `current_won` and `unspent_won` are running balances of their own: the identities of the
settlement compare them with the columns, so they can fail.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from projections.folds.rows import Row, Trace, traced

CARRY_OVER_KINDS = ("EXPLICIT", "ACCIDENTAL", "CONTINUING", "NOT_STATED")


class Line(Struct, kw_only=True):
    """One budget line (예산 과목) of one year; `traces` says by figure which entries moved it."""

    definition: dict[str, Any] | None = None
    project_id: str | None = None
    appropriated_won: int = 0
    carried_in_won: dict[str, int] = {}
    imported_won: int = 0
    budget_change_won: int = 0
    current_won: int = 0
    allotted_won: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    obligated_won: int = 0
    executed_won: int = 0
    carried_out_won: dict[str, int] = {}
    unspent_won: int = 0
    traces: dict[str, Trace] = {}

    def note(self, figure: str, index: int, provenance: str) -> None:
        """An entry moved a figure."""
        trace = self.traces.get(figure)
        if trace is None:
            self.traces[figure] = traced(index, provenance)
        else:
            trace.add(index, provenance)

    def fund(self, amount_won: int) -> None:
        """More (or less) may be spent."""
        self.current_won += amount_won
        self.unspent_won += amount_won


class Item(Struct, kw_only=True):
    """One line item with its calculation basis (산출기초)."""

    line_id: str
    amount_won: int
    product_won: int
    cells: dict[str, Any]
    trace: Trace


class Step(Struct, kw_only=True):
    """One step of a schedule (추진일정)."""

    step_id: str
    project_id: str
    amount_won: int
    item_ids: list[str]
    cells: dict[str, Any]


class Schedule(Struct, kw_only=True):
    """A project's schedule for the year."""

    steps: list[Step]
    total_won: int
    trace: Trace


class Obligation(Struct, kw_only=True):
    """An obligation (지출원인행위) and what was paid on it."""

    cells: dict[str, Any]
    amount_won: int
    paid_won: int
    trace: Trace


class PublishedSettlement(Struct, kw_only=True):
    """The city's own settlement of one project, as published."""

    cells: dict[str, Any]
    trace: Trace


class BudgetYear(Struct, kw_only=True):
    """One agency's fiscal year."""

    agency: str
    fiscal_year: int
    opening: dict[str, Any] | None = None
    closed_on: str | None = None
    trace: Trace
    appropriation: Trace
    lines: dict[str, Line] = {}
    items: dict[str, Item] = {}
    schedules: dict[str, Schedule] = {}
    obligations: dict[str, Obligation] = {}
    payments: dict[str, Row] = {}
    carry_overs: list[Row] = []
    published: dict[str, PublishedSettlement] = {}

    def line(self, line_id: str) -> Line:
        """The line's state; a line that is only mentioned (as of an early legal date) has no definition."""
        line = self.lines.get(line_id)
        if line is None:
            line = self.lines[line_id] = Line()
        return line
