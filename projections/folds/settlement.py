"""What did one agency settle, year by year and project by project?

The seven columns of a settlement table (결산), in won, computed from the entries, and beside them the official
columns that they sum up; the identities; the chain of carry-overs: what leaves one year must arrive in the next; and
how far the settlement of each year has come. Years that are not closed yet are shown as open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.budget_columns import (
    CHANGES,
    COMPUTED,
    GROUPS,
    add_up_amounts,
    collect_traces,
    compute_figures,
    compute_rates,
)
from projections.folds.rows import Row, Trace, merged, merged_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.folds.budget_state import BudgetYear, Line

TABLES = ("settlements", "identities", "carry_over_chain", "stages", "audits", "findings", "approvals")
# The columns of the printed table; the sheet calls the current budget by a name of its own.
PRINTED = (
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
# The same for columns that the printed table does not have: a published settlement says nothing about them.
OFFICIAL_IDENTITIES: tuple[tuple[str, str, str, Callable[[dict[str, Any]], int]], ...] = (
    (
        "final_budget",
        "final_budget_won",
        "final_budget = original + supplementary + provisional + pre_appropriated",
        lambda row: (
            row["original_won"] + row["supplementary_won"] + row["provisional_won"] + row["pre_appropriated_won"]
        ),
    ),
    (
        "budget_change",
        "budget_change_won",
        "budget_change = reserve + cross_transferred + transferred + reassigned + adjusted + revenue_substituted",
        lambda row: sum(row[column] for column in CHANGES),
    ),
)
_COMPUTED = {
    **{("current_budget_won" if name == "current_won" else name): parts for name, parts in COMPUTED.items()},
    "current_budget_won": ("final_budget_won", "carried_in_won", "budget_change_won"),
    "unspent_won": ("current_budget_won", "executed_won", "carried_out_won"),
    "execution_rate_bp": ("current_budget_won", "executed_won"),
    "unspent_rate_bp": ("current_budget_won", "unspent_won"),
}


def compute_settlement(years: list[BudgetYear]) -> list[Row]:
    """Compute the tables for one agency from its years in order; empty without years."""
    settlements = [row for year in years for row in _settlement_rows(year)]
    identities = [row for settlement in settlements for row in _identity_rows(settlement)]
    stages = [row for year in years for row in (_stage_row(year), *year.audits, *year.findings, *year.approvals)]
    return [*settlements, *identities, *_chain_rows(years), *stages]


def _by_project(year: BudgetYear) -> dict[str, list[Line]]:
    """The lines of each project, projects in order."""
    projects: dict[str, list[Line]] = {}
    for line in year.lines.values():
        if line.project_id is not None:
            projects.setdefault(line.project_id, []).append(line)
    return dict(sorted(projects.items()))


def _settlement_rows(year: BudgetYear) -> list[Row]:
    return [_settlement_row(year, project_id, lines) for project_id, lines in _by_project(year).items()]


def _settlement_row(year: BudgetYear, project_id: str, lines: list[Line]) -> Row:
    columns = _sums(lines)
    traces = collect_traces(line.traces for line in lines)
    published = year.published.get(project_id)
    printed = {column: columns[column] for column in PRINTED}
    published_cells = None if published is None else {column: published.cells[column] for column in PRINTED}
    everything = [year.trace, *traces.values()]
    if published is not None:
        everything.append(published.trace)
    body = {
        "fiscal_year": year.fiscal_year,
        "project_id": project_id,
        "status": _status(year, project_id),
        **columns,
        "published": published_cells,
        "published_agrees": None if published is None else published_cells == printed,
        "figures": compute_figures(traces, columns, computed=_COMPUTED),
    }
    return merged(everything).row("settlements", f"{year.fiscal_year}/{project_id}", body)


def _sums(lines: list[Line]) -> dict[str, Any]:
    """The printed columns, then the official ones, over all lines of a project."""
    sums: dict[str, Any] = {**add_up_amounts(lines)}
    rates = compute_rates(sums)
    sums["current_budget_won"] = sums.pop("current_won")
    return {**{column: sums[column] for column in PRINTED}, **sums, **rates}


def _status(year: BudgetYear, project_id: str) -> str:
    if year.closed_on is None:
        return "open"
    return "settled" if project_id in year.published else "closed"


def _stage_row(year: BudgetYear) -> Row:
    """How far has the settlement of a year come? Open, closed, published, audited, approved."""
    approved_on = year.approvals[-1].body["approved_on"] if year.approvals else None
    status = "open" if year.closed_on is None else "closed"
    for stage, reached in (("published", year.published), ("audited", year.audits), ("approved", year.approvals)):
        status = stage if reached else status
    body = {
        "fiscal_year": year.fiscal_year,
        "status": status,
        "closed_on": year.closed_on,
        "published_projects": len(year.published),
        "published_in": list(year.published_by.entries),
        "audits": len(year.audits),
        "findings": len(year.findings),
        "approved_on": approved_on,
    }
    acts = merged_rows([*year.audits, *year.approvals])
    return merged([year.trace, year.published_by, acts]).row("stages", str(year.fiscal_year), body)


def _identity_rows(settlement: Row) -> list[Row]:
    rows = []
    cells = settlement.body
    for name, column, text, right_side in (*IDENTITIES, *OFFICIAL_IDENTITIES):
        published = cells["published"] if column in PRINTED and name not in {"final_budget", "budget_change"} else None
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
    lines_by_year = {year.fiscal_year: _by_project(year) for year in years}
    projects = sorted({project_id for projects in lines_by_year.values() for project_id in projects})
    rows = []
    for project_id in projects:
        own = {fiscal_year: found[project_id] for fiscal_year, found in lines_by_year.items() if project_id in found}
        for closing in sorted({*own, *(fiscal_year - 1 for fiscal_year in own)}):
            years_at_hand = by_year.get(closing), by_year.get(closing + 1)
            row = _link(project_id, closing, years_at_hand, own.get(closing, []), own.get(closing + 1, []))
            if row is not None:
                rows.append(row)
    return rows


def _link(
    project_id: str,
    closing: int,
    years: tuple[BudgetYear | None, BudgetYear | None],
    lines: list[Line],
    next_lines: list[Line],
) -> Row | None:
    year, following = years
    out, received = (_sums(found) if found else None for found in (lines, next_lines))
    carried_out_won = None if out is None else out["carried_out_won"]
    carried_in_won = None if received is None else received["carried_in_won"]
    if not carried_out_won and not carried_in_won and (carried_out_won is None or carried_in_won is None):
        return None
    traces = _carried(lines, "carried_out_won") + _carried(next_lines, "carried_in_won")
    # Without any carry-over the link rests on the fact that both years were opened and one was closed.
    traces += [neighbour.trace for neighbour in years if neighbour is not None and not traces]
    body = {
        "project_id": project_id,
        "from_year": closing,
        "to_year": closing + 1,
        "carried_out_won": carried_out_won,
        "carried_in_won": carried_in_won,
        "carried_in_imported_won": 0 if received is None else received["carried_in_imported_won"],
        "from_year_status": None if year is None else _status(year, project_id),
        "to_year_status": None if following is None else _status(following, project_id),
        "status": _link_status(year, carried_out_won, carried_in_won),
    }
    return merged(traces).row("carry_over_chain", f"{closing}-{closing + 1}/{project_id}", body)


def _carried(lines: list[Line], column: str) -> list[Trace]:
    found = [line.traces[part] for line in lines for part in GROUPS[column] if part in line.traces]
    return [merged(found)] if found else []


def _link_status(year: BudgetYear | None, carried_out_won: int | None, carried_in_won: int | None) -> str:
    """`holds`: equal and final; `open`: a side is not in the log or the year is not closed; else `broken`."""
    if year is None or carried_out_won is None or carried_in_won is None or year.closed_on is None:
        return "open"
    return "holds" if carried_out_won == carried_in_won else "broken"
