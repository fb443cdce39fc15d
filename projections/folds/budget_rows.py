"""Which event of the year is which row? The tables of a budget book that list what happened.

Rows in force stand under their own id. A row that a correction took back stays, under `<id>@<index of its entry>`, with
its `status` and the index of the correcting entry. Every table is in log order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.folds.budget_state import BudgetYear, Record
    from projections.folds.rows import Row


def event_rows(year: BudgetYear) -> list[Row]:
    """Compute the rows of every table of events."""
    rows = []
    for record in _in_log_order(year):
        if record.table == "schedules":
            rows += _step_rows(record)
        else:
            shape = _SHAPES.get(record.table)
            cells = record.cells if shape is None else shape(record.cells)
            rows.append(record.trace.row(record.table, _row_id(record, record.key), cells))
    return rows + year.rows


def _in_log_order(year: BudgetYear) -> list[Record]:
    records = [record for table in year.records.values() for record in table.values()]
    records += year.history
    return sorted(records, key=lambda record: (record.trace.entries[0], record.index))


def _row_id(record: Record, row_id: str) -> str:
    # What a correction of the table of corrections touches stays where it is.
    in_place = record.in_force or record.table == "corrections"
    return row_id if in_place else f"{row_id}@{record.index}"


def _step_rows(record: Record) -> list[Row]:
    """One row for each step of a schedule."""
    rows = []
    shared = {name: record.cells[name] for name in ("legal_date", "status", "corrected_by")}
    for step in record.cells["steps"]:
        cells = {name: value for name, value in step.items() if name != "step_id"}
        body = {"detail_ko": None, **cells, "project_id": record.key, **shared}
        rows.append(record.trace.row("steps", _row_id(record, step["step_id"]), body))
    return rows


def _obligation(cells: dict[str, Any]) -> dict[str, Any]:
    obligated_won = cells["amount_won"] + cells["adjusted_won"]
    unpaid_won = obligated_won - cells["paid_won"] + cells["returned_won"]
    return {**cells, "obligated_won": obligated_won, "unpaid_won": unpaid_won}


def _pre_appropriation(cells: dict[str, Any]) -> dict[str, Any]:
    round_number = cells["taken_in_by_round"] or None
    return {**cells, "taken_in_by_round": round_number, "open": round_number is None}


def _resolution(cells: dict[str, Any]) -> dict[str, Any]:
    # Only a provisional budget ends: with the original one.
    return {**cells, "ended": bool(cells["ended"])}


_SHAPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "obligations": _obligation,
    "pre_appropriations": _pre_appropriation,
    "resolutions": _resolution,
}
