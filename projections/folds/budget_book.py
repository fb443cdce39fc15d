"""What does one agency's budget book of one fiscal year say?

The tables of the printed sheet (예산 총괄, 산출근거, 추진일정), rebuilt from entries, with the previous
year's appropriation beside this year's. All amounts are won. `figures` says for each amount which entries and
provenances it rests on, or from which other amounts it is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.book_style import percent_change
from projections.folds.budget_checks import compute_checks
from projections.folds.budget_state import CARRY_OVER_KINDS, BudgetYear, Line
from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Amounts that entries move directly, and amounts computed from them.
ENTERED = (
    "appropriated_won",
    "previous_appropriated_won",
    "carried_in_won",
    "budget_change_won",
    "allotted_won",
    "obligated_won",
    "executed_won",
    "carried_out_won",
)
COMPUTED: Mapping[str, tuple[str, ...]] = {
    "change_won": ("appropriated_won", "previous_appropriated_won"),
    "change_percent": ("appropriated_won", "previous_appropriated_won"),
    "current_won": ("appropriated_won", "carried_in_won", "budget_change_won"),
    "unspent_won": (
        "appropriated_won",
        "carried_in_won",
        "budget_change_won",
        "executed_won",
        "carried_out_won",
    ),
}
TABLES = (
    "year",
    "lines",
    "totals",
    "items",
    "steps",
    "step_item_checks",
    "line_item_checks",
    "schedule_checks",
    "obligations",
    "payments",
    "carry_overs",
)
_NO_DEFINITION: Mapping[str, Any] = {
    "name_ko": None,
    "name_en": None,
    "division": None,
    "fund": None,
    "object_code": None,
    "field": None,
    "sector": None,
    "policy": None,
    "unit": None,
    "basis": None,
    "documents": None,
    "note_ko": None,
    "note_en": None,
}


def compute_budget_book(year: BudgetYear, previous: BudgetYear | None) -> list[Row]:
    """Compute every table of the book; `previous` is the same agency's year before, if the log has it."""
    rows = [_year_row(year)]
    lines = _line_rows(year, previous)
    rows += [row for row, _ in lines]
    rows += _total_rows(lines)
    rows += _item_rows(year)
    rows += _step_rows(year)
    rows += compute_checks(year)
    rows += _obligation_rows(year)
    rows += year.payments.values()
    rows += year.carry_overs
    return rows


def _year_row(year: BudgetYear) -> Row:
    opening = year.opening or {}
    status = "open" if year.closed_on is None else "closed"
    return year.trace.row(
        "year",
        str(year.fiscal_year),
        {
            "agency": year.agency,
            "fiscal_year": year.fiscal_year,
            "account": opening.get("account"),
            "account_ko": opening.get("account_ko"),
            "opens_on": opening.get("opens_on"),
            "closes_on": opening.get("closes_on"),
            "status": status if year.opening is not None else "not opened",
            "closed_on": year.closed_on,
        },
    )


Figures = dict[str, Trace]


def _line_rows(year: BudgetYear, previous: BudgetYear | None) -> list[tuple[Row, Figures]]:
    # A year without any appropriation in the log says nothing about its lines: unknown, not zero.
    known = previous is not None and bool(previous.appropriation.entries)
    before: dict[str, Line] = {}
    if previous is not None:
        before = {name: line for name, line in previous.lines.items() if "appropriated_won" in line.traces}
    blank = Line()
    rows = []
    for line_id in sorted({*year.lines, *before}):
        line = year.lines.get(line_id, blank)
        line_before = before.get(line_id, blank)
        defined_by = line if line.definition is not None else line_before
        amounts = _amounts(line, line_before.appropriated_won if known else None)
        traces = {name: line.traces[name] for name in ENTERED if name in line.traces}
        if "appropriated_won" in line_before.traces:
            traces["previous_appropriated_won"] = line_before.traces["appropriated_won"]
        everything = [*traces.values()]
        if "defined" in defined_by.traces:
            everything.append(defined_by.traces["defined"])
        definition = _NO_DEFINITION if defined_by.definition is None else defined_by.definition
        body = {**definition, "project_id": defined_by.project_id, **amounts, "figures": _figures(traces)}
        rows.append((merged(everything).row("lines", line_id, body), traces))
    return rows


def _amounts(line: Line, previous_won: int | None) -> dict[str, int | None]:
    amounts: dict[str, int | None] = {
        "appropriated_won": line.appropriated_won,
        "previous_appropriated_won": previous_won,
        **_changes(line.appropriated_won, previous_won),
    }
    amounts["carried_in_won"] = sum(line.carried_in_won.values())
    amounts |= by_kind("carried_in", line.carried_in_won)
    amounts["budget_change_won"] = line.budget_change_won
    amounts["current_won"] = line.current_won
    amounts["allotted_won"] = sum(line.allotted_won)
    for quarter, amount_won in enumerate(line.allotted_won, start=1):
        amounts[f"allotted_q{quarter}_won"] = amount_won
    amounts["obligated_won"] = line.obligated_won
    amounts["executed_won"] = line.executed_won
    amounts["carried_out_won"] = sum(line.carried_out_won.values())
    amounts |= by_kind("carried_out", line.carried_out_won)
    amounts["unspent_won"] = line.unspent_won
    return amounts


def by_kind(column: str, amounts_won: Mapping[str, int]) -> dict[str, int]:
    """Spread a carry-over over its four kinds (명시, 사고, 계속비, not stated): one column for each."""
    return {f"{column}_{kind.lower()}_won": amounts_won.get(kind, 0) for kind in CARRY_OVER_KINDS}


def _changes(new_won: int, previous_won: int | None) -> dict[str, int | None]:
    if previous_won is None:
        return {"change_won": None, "change_percent": None}
    return {
        "change_won": new_won - previous_won,
        "change_percent": percent_change(previous_won=previous_won, new_won=new_won),
    }


def _figures(traces: Figures) -> dict[str, Any]:
    figures: dict[str, Any] = {
        name: {"provenance": trace.provenance, "entries": trace.entries} for name, trace in traces.items()
    }
    for name, parts in COMPUTED.items():
        present = [part for part in parts if part in traces]
        if present:
            provenance = sorted({value for part in present for value in traces[part].provenance})
            figures[name] = {"provenance": provenance, "computed_from": present}
    return figures


def _total_rows(lines: list[tuple[Row, Figures]]) -> list[Row]:
    projects = sorted({row.body["project_id"] for row, _ in lines if row.body["project_id"] is not None})
    rows = [_total_row("total", None, lines)] if lines else []
    for project_id in projects:
        own = [(row, traces) for row, traces in lines if row.body["project_id"] == project_id]
        rows.append(_total_row(f"project/{project_id}", project_id, own))
    return rows


def _total_row(row_id: str, project_id: str | None, lines: list[tuple[Row, Figures]]) -> Row:
    body: dict[str, Any] = {"project_id": project_id, "lines": len(lines)}
    for name, value in lines[0][0].body.items():
        if name.endswith("_won") and name != "change_won":
            values = [row.body[name] for row, _ in lines]
            # A column that is unknown for the year (no year before) stays unknown in the total.
            body[name] = None if value is None else sum(values)
    body |= _changes(body["appropriated_won"], body["previous_appropriated_won"])
    traces = {
        name: merged(line[name] for _, line in lines if name in line)
        for name in ENTERED
        if any(name in line for _, line in lines)
    }
    body["figures"] = _figures(traces)
    return merged_rows(row for row, _ in lines).row("totals", row_id, body)


def merged_rows(rows: Iterable[Row]) -> Trace:
    """Which entries do several rows rest on together?"""
    entries: set[int] = set()
    provenance: set[str] = set()
    for row in rows:
        entries.update(index for index in row.entries if isinstance(index, int))
        provenance.update(row.provenance)
    return Trace(entries=sorted(entries), provenance=sorted(provenance))


def _item_rows(year: BudgetYear) -> list[Row]:
    return [
        item.trace.row(
            "items",
            item_id,
            {
                **item.cells,
                "product_won": item.product_won,
                "product_agrees": item.product_won == item.amount_won,
            },
        )
        for item_id, item in year.items.items()
    ]


def _step_rows(year: BudgetYear) -> list[Row]:
    return [
        schedule.trace.row("steps", step.step_id, {**step.cells, "project_id": step.project_id})
        for schedule in year.schedules.values()
        for step in schedule.steps
    ]


def _obligation_rows(year: BudgetYear) -> list[Row]:
    return [
        obligation.trace.row(
            "obligations",
            obligation_id,
            {
                **obligation.cells,
                "paid_won": obligation.paid_won,
                "unpaid_won": obligation.amount_won - obligation.paid_won,
            },
        )
        for obligation_id, obligation in year.obligations.items()
    ]
