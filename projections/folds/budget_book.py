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
    rows += _total_rows(lines, year_before_known=bool(_appropriated(previous)))
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
    before = _appropriated(previous)
    torn = _split_differently(_appropriated(year), before)
    blank = Line()
    rows = []
    for line_id in sorted({*year.lines, *before}):
        line = year.lines.get(line_id, blank)
        line_before = before.get(line_id, blank)
        defined_by = line if line.definition is not None else line_before
        amounts = _amounts(line)
        amounts |= _comparison(
            line.appropriated_won,
            before.get(line_id),
            comparable=bool(before) and defined_by.project_id not in torn,
        )
        traces = {name: line.traces[name] for name in ENTERED if name in line.traces}
        if line_id in before:
            traces["previous_appropriated_won"] = line_before.traces["appropriated_won"]
        everything = [*traces.values()]
        if "defined" in defined_by.traces:
            everything.append(defined_by.traces["defined"])
        definition = _NO_DEFINITION if defined_by.definition is None else defined_by.definition
        body = {**definition, "project_id": defined_by.project_id, **amounts, "figures": _figures(traces, amounts)}
        rows.append((merged(everything).row("lines", line_id, body), traces))
    return rows


def _appropriated(year: BudgetYear | None) -> dict[str, Line]:
    """Lines that have an appropriation; a year without any says nothing about its lines: unknown, not zero."""
    if year is None:
        return {}
    return {line_id: line for line_id, line in year.lines.items() if "appropriated_won" in line.traces}


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


def _comparison(appropriated_won: int, before: Line | None, *, comparable: bool) -> dict[str, int | None]:
    """What was the line's appropriation the year before, and how did it change?

    A line that the year before does not have was zero then: so the book prints a new line. Lines that cannot
    be compared keep what is known; their totals still can be compared.
    """
    if not comparable:
        previous_won = None if before is None else before.appropriated_won
        return {"previous_appropriated_won": previous_won, "change_won": None, "change_percent": None}
    previous_won = 0 if before is None else before.appropriated_won
    return {"previous_appropriated_won": previous_won, **_changes(appropriated_won, previous_won)}


def _amounts(line: Line) -> dict[str, int | None]:
    amounts: dict[str, int | None] = {"appropriated_won": line.appropriated_won}
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


def _figures(traces: Figures, amounts: Mapping[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {
        name: {"provenance": trace.provenance, "entries": trace.entries} for name, trace in traces.items()
    }
    for name, parts in COMPUTED.items():
        present = [part for part in parts if part in traces]
        if present and amounts[name] is not None:
            provenance = sorted({value for part in present for value in traces[part].provenance})
            figures[name] = {"provenance": provenance, "computed_from": present}
    return figures


def _total_rows(lines: list[tuple[Row, Figures]], *, year_before_known: bool) -> list[Row]:
    projects = sorted({row.body["project_id"] for row, _ in lines if row.body["project_id"] is not None})
    rows = [_total_row("total", None, lines, year_before_known=year_before_known)] if lines else []
    for project_id in projects:
        own = [(row, traces) for row, traces in lines if row.body["project_id"] == project_id]
        rows.append(_total_row(f"project/{project_id}", project_id, own, year_before_known=year_before_known))
    return rows


def _total_row(
    row_id: str, project_id: str | None, lines: list[tuple[Row, Figures]], *, year_before_known: bool
) -> Row:
    body: dict[str, Any] = {"project_id": project_id, "lines": len(lines)}
    for name in lines[0][0].body:
        if name.endswith("_won") and name != "change_won":
            # None is left out: a line that the year before did not tell apart is part of another line there.
            body[name] = sum(row.body[name] or 0 for row, _ in lines)
    if not year_before_known:
        body["previous_appropriated_won"] = None
    body |= _changes(body["appropriated_won"], body["previous_appropriated_won"])
    traces = {
        name: merged(line[name] for _, line in lines if name in line)
        for name in ENTERED
        if any(name in line for _, line in lines)
    }
    body["figures"] = _figures(traces, body)
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
