"""What does one agency's budget book of one fiscal year say?

The tables of the printed sheet (예산 총괄, 산출근거, 추진일정), rebuilt from entries, with the previous
year's original budget beside this year's, and every event of the year in a table of its kind. All amounts are won.
`figures` says for each amount which entries and provenances it rests on, or from which other amounts it is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.book_style import percent_change
from projections.folds.budget_checks import compute_checks
from projections.folds.budget_columns import (
    COMPUTED,
    GROUPS,
    REALLOTTED,
    add_up_amounts,
    collect_traces,
    compute_amounts,
    compute_figures,
    compute_rates,
)
from projections.folds.budget_exposures import compute_exposures
from projections.folds.budget_rows import event_rows
from projections.folds.budget_state import BudgetYear, Line
from projections.folds.rows import Row, Trace, merged, merged_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPUTED = {
    **COMPUTED,
    "change_won": ("original_won", "previous_original_won"),
    "change_percent": ("original_won", "previous_original_won"),
}
TABLES = (
    "year",
    "codes",
    "lines",
    "totals",
    "reallotments",
    "items",
    "steps",
    "step_item_checks",
    "line_item_checks",
    "schedule_checks",
    "line_checks",
    "zero_sum_checks",
    "carry_in_checks",
    "resolutions",
    "pre_appropriations",
    "moves",
    "obligations",
    "obligation_adjustments",
    "payments",
    "returns",
    "refunds",
    "declarations",
    "continuing_plans",
    "carry_overs",
    "corrections",
    "documents",
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
    rows += [row for row, _, _ in lines]
    rows += _total_rows(lines, year_before_known=bool(_appropriated(previous)))
    rows += _reallotment_rows(year)
    rows += compute_checks(year)
    rows += compute_exposures(year, previous)
    rows += event_rows(year)
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
            "closed_to_transfers": year.closed_to_transfers,
        },
    )


Figures = dict[str, Trace]
# The row of a line, what its amounts rest on, and what it was made of.
LineRow = tuple[Row, Figures, Line]


def _line_rows(year: BudgetYear, previous: BudgetYear | None) -> list[LineRow]:
    before = _appropriated(previous)
    torn = _split_differently(_appropriated(year), before)
    blank = Line()
    rows = []
    for line_id in sorted({*year.lines, *before}):
        line = year.lines.get(line_id, blank)
        line_before = before.get(line_id, blank)
        defined_by = line if line.definition is not None else line_before
        comparable = bool(before) and defined_by.project_id not in torn
        amounts = line_amounts(line)
        amounts |= _comparison(amounts["original_won"], before.get(line_id), comparable=comparable)
        traces = collect_traces([line.traces])
        defined = traces.pop("defined", None) or line_before.traces.get("defined")
        if line_id in before and "original_won" in line_before.traces:
            traces["previous_original_won"] = line_before.traces["original_won"]
        # Groups rest on what their parts rest on: for the row they add nothing.
        everything = [trace for name, trace in traces.items() if name not in GROUPS]
        everything += [] if defined is None else [defined]
        definition = _NO_DEFINITION if defined_by.definition is None else defined_by.definition
        figures = compute_figures(traces, amounts, computed=_COMPUTED)
        body = {**definition, "project_id": defined_by.project_id, **amounts, "figures": figures}
        rows.append((merged(everything).row("lines", line_id, body), traces, line))
    return rows


def line_amounts(line: Line) -> dict[str, Any]:
    """All amounts of one line in the official columns, with its rates."""
    amounts: dict[str, Any] = {
        **compute_amounts(line.won, current_won=line.current_won, unspent_won=line.unspent_won),
    }
    return amounts | compute_rates(amounts)


def _appropriated(year: BudgetYear | None) -> dict[str, Line]:
    """Lines that have an appropriation; a year without any says nothing about its lines: unknown, not zero."""
    if year is None:
        return {}
    return {line_id: line for line_id, line in year.lines.items() if is_appropriated(line)}


def is_appropriated(line: Line) -> bool:
    """Has an original or supplementary budget said anything about the line?"""
    return "original_won" in line.traces or "supplementary_won" in line.traces


def _split_differently(now: dict[str, Line], before: dict[str, Line]) -> set[str | None]:
    """Which projects are appropriated by object (통계목) in one year and only as a whole in the other?"""
    splits = []
    for lines in (now, before):
        split: dict[str | None, set[bool]] = {}
        for line in lines.values():
            by_object = line.definition is not None and line.definition["object_code"] is not None
            split.setdefault(line.project_id, set()).add(by_object)
        splits.append(split)
    ours, theirs = splits
    return {project_id for project_id in ours if project_id in theirs and ours[project_id] != theirs[project_id]}


def _comparison(now_won: int, before: Line | None, *, comparable: bool) -> dict[str, int | None]:
    """What was the line's original budget the year before, and how did it change?

    A line that the year before does not have was zero then: so the book prints a new line. Lines that cannot
    be compared keep what is known; their totals still can be compared.
    """
    previous_won = None if before is None else before.won.get("original_won", 0)
    if not comparable:
        return {"previous_original_won": previous_won, "change_won": None, "change_percent": None}
    return {"previous_original_won": previous_won or 0, **_changes(now_won, previous_won or 0)}


def _changes(new_won: int, previous_won: int | None) -> dict[str, int | None]:
    if previous_won is None:
        return {"change_won": None, "change_percent": None}
    # A rate of change is defined for appropriations, which no rule lets fall below nothing.
    defined = previous_won >= 0 and new_won >= 0
    percent = percent_change(previous_won=previous_won, new_won=new_won) if defined else None
    return {"change_won": new_won - previous_won, "change_percent": percent}


def _total_rows(lines: list[LineRow], *, year_before_known: bool) -> list[Row]:
    """The total over all lines, over each project's, and over each fund source's."""
    rows = [_total_row("total", {}, lines, year_before_known=year_before_known)] if lines else []
    for column, prefix in (("project_id", "project"), ("fund", "fund")):
        groups: dict[str, list[LineRow]] = {}
        for line in lines:
            if line[0].body[column] is not None:
                groups.setdefault(line[0].body[column], []).append(line)
        for name, own in sorted(groups.items()):
            rows.append(_total_row(f"{prefix}/{name}", {column: name}, own, year_before_known=year_before_known))
    return rows


def _total_row(row_id: str, of: dict[str, str], lines: list[LineRow], *, year_before_known: bool) -> Row:
    body: dict[str, Any] = {"project_id": None, "fund": None, **of, "lines": len(lines)}
    body |= add_up_amounts([line for _, _, line in lines])
    # None is left out: a line that the year before did not tell apart is part of another line there.
    body["previous_original_won"] = sum(row.body["previous_original_won"] or 0 for row, _, _ in lines)
    body |= compute_rates(body)
    if not year_before_known:
        body["previous_original_won"] = None
    body |= _changes(body["original_won"], body["previous_original_won"])
    traces: dict[str, list[Trace]] = {}
    for _, figures, _ in lines:
        for name, trace in figures.items():
            traces.setdefault(name, []).append(trace)
    together = {name: merged(found) for name, found in traces.items()}
    body["figures"] = compute_figures(together, body, computed=_COMPUTED)
    return merged_rows(row for row, _, _ in lines).row("totals", row_id, body)


def _reallotment_rows(year: BudgetYear) -> list[Row]:
    """What each subordinate office has of each line (재배정)."""
    return [
        line.traces[column].row(
            "reallotments",
            f"{line_id}/{column.removeprefix(REALLOTTED)}",
            {"line_id": line_id, "office": column.removeprefix(REALLOTTED), "amount_won": amount_won},
        )
        for line_id, line in sorted(year.lines.items())
        for column, amount_won in sorted(line.won.items())
        if column.startswith(REALLOTTED)
    ]
