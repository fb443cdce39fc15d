"""What did one agency settle, year by year and project by project?

The seven columns of a settlement table (결산), in won, computed from the entries; both identities; and the
chain of carry-overs: what leaves one year must arrive in the next. Years that are not closed yet
are shown as open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.budget_book import by_kind
from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from projections.folds.budget_state import BudgetYear, Line

TABLES = ("settlements", "identities", "carry_over_chain")
COLUMNS = (
    "final_budget_won",
    "carried_in_won",
    "budget_change_won",
    "current_budget_won",
    "executed_won",
    "carried_out_won",
    "unspent_won",
)
# Each identity: its name, the column on its left side, and the right side computed from the other columns.
IDENTITIES: tuple[tuple[str, str, str, Callable[[dict[str, Any]], int]], ...] = (
    (
        "current_budget",
        "current_budget_won",
        "current_budget = final_budget + carried_in + budget_change",
        lambda row: row["final_budget_won"] + row["carried_in_won"] + row["budget_change_won"],
    ),
    (
        "unspent",
        "unspent_won",
        "unspent = current_budget - executed - carried_out",
        lambda row: row["current_budget_won"] - row["executed_won"] - row["carried_out_won"],
    ),
)
# Which figures of a line stand behind which column.
_BEHIND = {
    "final_budget_won": ("appropriated_won",),
    "carried_in_won": ("carried_in_won",),
    "budget_change_won": ("budget_change_won",),
    "executed_won": ("executed_won",),
    "carried_out_won": ("carried_out_won",),
}
_COMPUTED_FROM = {
    "current_budget_won": ("final_budget_won", "carried_in_won", "budget_change_won"),
    "unspent_won": ("current_budget_won", "executed_won", "carried_out_won"),
}


def compute_settlement(years: list[BudgetYear]) -> list[Row]:
    """Compute the tables for one agency from its years in order; empty without years."""
    settlements = [row for year in years for row in _settlement_rows(year)]
    identities = [row for settlement in settlements for row in _identity_rows(settlement)]
    return [*settlements, *identities, *_chain_rows(years)]


def _projects(year: BudgetYear) -> list[str]:
    return sorted({line.project_id for line in year.lines.values() if line.project_id is not None})


def _lines(year: BudgetYear | None, project_id: str) -> list[Line]:
    return [] if year is None else [line for line in year.lines.values() if line.project_id == project_id]


def _settlement_rows(year: BudgetYear) -> list[Row]:
    return [_settlement_row(year, project_id) for project_id in _projects(year)]


def _settlement_row(year: BudgetYear, project_id: str) -> Row:
    lines = _lines(year, project_id)
    columns = {
        "final_budget_won": sum(line.appropriated_won for line in lines),
        "carried_in_won": sum(sum(line.carried_in_won.values()) for line in lines),
        "budget_change_won": sum(line.budget_change_won for line in lines),
        "current_budget_won": sum(line.current_won for line in lines),
        "executed_won": sum(line.executed_won for line in lines),
        "carried_out_won": sum(sum(line.carried_out_won.values()) for line in lines),
        "unspent_won": sum(line.unspent_won for line in lines),
    }
    traces = {
        column: merged(line.traces[name] for line in lines for name in names if name in line.traces)
        for column, names in _BEHIND.items()
    }
    published = year.published.get(project_id)
    published_cells = {column: None if published is None else published.cells[column] for column in COLUMNS}
    definitions = [line.traces["defined"] for line in lines if "defined" in line.traces]
    everything = [year.trace, *definitions, *traces.values()]
    if published is not None:
        everything.append(published.trace)
    body = {
        "fiscal_year": year.fiscal_year,
        "project_id": project_id,
        "status": _status(year, project_id),
        **columns,
        **by_kind("carried_in", _sum_kinds(line.carried_in_won for line in lines)),
        **by_kind("carried_out", _sum_kinds(line.carried_out_won for line in lines)),
        "carried_in_imported_won": sum(line.imported_won for line in lines),
        "published": None if published is None else published_cells,
        "published_agrees": None if published is None else published_cells == columns,
        "figures": _figures(traces),
    }
    return merged(everything).row("settlements", f"{year.fiscal_year}/{project_id}", body)


def _status(year: BudgetYear, project_id: str) -> str:
    if year.closed_on is None:
        return "open"
    return "settled" if project_id in year.published else "closed"


def _sum_kinds(amounts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for amount in amounts:
        for kind, amount_won in amount.items():
            total[kind] = total.get(kind, 0) + amount_won
    return total


def _figures(traces: dict[str, Trace]) -> dict[str, Any]:
    figures: dict[str, Any] = {
        column: {"provenance": trace.provenance, "entries": trace.entries}
        for column, trace in traces.items()
        if trace.entries
    }
    for column, parts in _COMPUTED_FROM.items():
        present = [part for part in parts if part in figures]
        if present:
            provenance = sorted({value for part in present for value in figures[part]["provenance"]})
            figures[column] = {"provenance": provenance, "computed_from": present}
    return figures


def _identity_rows(settlement: Row) -> list[Row]:
    rows = []
    cells = settlement.body
    published = cells["published"]
    for name, column, text, right_side in IDENTITIES:
        right_won = right_side(cells)
        body = {
            "fiscal_year": cells["fiscal_year"],
            "project_id": cells["project_id"],
            "identity": text,
            "left_won": cells[column],
            "right_won": right_won,
            "holds": cells[column] == right_won,
            "published_left_won": None if published is None else published[column],
            "published_right_won": None if published is None else right_side(published),
            "published_holds": None if published is None else published[column] == right_side(published),
        }
        rows.append(
            Row(
                table="identities",
                id=f"{settlement.id}/{name}",
                body=body,
                provenance=settlement.provenance,
                entries=settlement.entries,
            )
        )
    return rows


def _chain_rows(years: list[BudgetYear]) -> list[Row]:
    """One link for each pair of neighbouring years of a project, the first and the last one open-ended."""
    by_year = {year.fiscal_year: year for year in years}
    projects = sorted({project_id for year in years for project_id in _projects(year)})
    rows = []
    for project_id in projects:
        own = [year.fiscal_year for year in years if _lines(year, project_id)]
        for closing in sorted({*own, *(fiscal_year - 1 for fiscal_year in own)}):
            row = _link(by_year.get(closing), by_year.get(closing + 1), closing, project_id)
            if row is not None:
                rows.append(row)
    return rows


def _link(year: BudgetYear | None, following: BudgetYear | None, closing: int, project_id: str) -> Row | None:
    lines, next_lines = _lines(year, project_id), _lines(following, project_id)
    carried_out_won = sum(sum(line.carried_out_won.values()) for line in lines) if lines else None
    carried_in_won = sum(sum(line.carried_in_won.values()) for line in next_lines) if next_lines else None
    if not carried_out_won and not carried_in_won and (carried_out_won is None or carried_in_won is None):
        return None
    traces = [line.traces["carried_out_won"] for line in lines if "carried_out_won" in line.traces]
    traces += [line.traces["carried_in_won"] for line in next_lines if "carried_in_won" in line.traces]
    # Without any carry-over the link rests on the fact that both years were opened and one was closed.
    traces += [neighbour.trace for neighbour in (year, following) if neighbour is not None and not traces]
    body = {
        "project_id": project_id,
        "from_year": closing,
        "to_year": closing + 1,
        "carried_out_won": carried_out_won,
        "carried_in_won": carried_in_won,
        "carried_in_imported_won": sum(line.imported_won for line in next_lines),
        "from_year_status": None if year is None else _status(year, project_id),
        "to_year_status": None if following is None else _status(following, project_id),
        "status": _link_status(year, carried_out_won, carried_in_won),
    }
    return merged(traces).row("carry_over_chain", f"{closing}-{closing + 1}/{project_id}", body)


def _link_status(year: BudgetYear | None, carried_out_won: int | None, carried_in_won: int | None) -> str:
    """`holds`: equal and final; `open`: a side is not in the log or the year is not closed; else `broken`."""
    if year is None or carried_out_won is None or carried_in_won is None or year.closed_on is None:
        return "open"
    return "holds" if carried_out_won == carried_in_won else "broken"
