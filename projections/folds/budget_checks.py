"""Do the tables of one budget book agree with each other?

Three reconciliations: schedule steps with the line items that they spend, line items with the line's
appropriation, schedule with the project's appropriation. A step may spend part of an item and an item may pay
for several steps, so amounts are compared for each connected group of steps and items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from projections.folds.budget_state import BudgetYear, Line, Record


class Step(NamedTuple):
    """One step of a schedule (추진일정), and what its schedule rests on."""

    step_id: str
    name_ko: str
    amount_won: int
    item_ids: list[str]
    trace: Trace


def compute_checks(year: BudgetYear) -> list[Row]:
    """Compute the rows of the three tables of checks; `agrees` is None where a side is not recorded."""
    return [*_step_item_checks(year), *_line_item_checks(year), *_schedule_checks(year)]


def connected_groups(steps: list[Step], items: dict[str, Record]) -> list[tuple[list[Step], list[str]]]:
    """Which steps and items hang together? In the order of the steps, then items that no step names."""
    group_of_item: dict[str, int] = {}
    groups: dict[int, tuple[list[Step], list[str]]] = {}
    for number, step in enumerate(steps):
        members: tuple[list[Step], list[str]] = ([], [])
        # A step that names items of several groups joins them into the earliest.
        for old in sorted({group_of_item[item] for item in step.item_ids if item in group_of_item}):
            old_steps, old_items = groups.pop(old)
            members[0].extend(old_steps)
            members[1].extend(old_items)
        members[0].append(step)
        members[1].extend(item for item in dict.fromkeys(step.item_ids) if item not in group_of_item)
        for item in members[1]:
            group_of_item[item] = number
        groups[number] = members
    spent = list(groups.values())
    return spent + [([], [item]) for item in items if item not in group_of_item]


def _steps(year: BudgetYear) -> list[Step]:
    return [
        Step(step["step_id"], step["name_ko"], step["amount_won"], step["item_ids"], schedule.trace)
        for schedule in year.in_force("schedules").values()
        for step in schedule.cells["steps"]
    ]


def _step_item_checks(year: BudgetYear) -> list[Row]:
    recorded = year.in_force("items")
    rows = []
    for steps, item_ids in connected_groups(_steps(year), recorded):
        items = [recorded[item_id] for item_id in item_ids if item_id in recorded]
        steps_won = sum(step.amount_won for step in steps)
        items_won = sum(item.cells["amount_won"] for item in items)
        traces = [item.trace for item in items] + [step.trace for step in steps]
        body = {
            "step_ids": [step.step_id for step in steps],
            "step_names_ko": [step.name_ko for step in steps],
            "item_ids": item_ids,
            "item_names_ko": [item.cells["item_ko"] for item in items],
            "items_not_recorded": [item_id for item_id in item_ids if item_id not in recorded],
            "steps_won": steps_won,
            "items_won": items_won,
            "difference_won": steps_won - items_won,
            "agrees": steps_won == items_won if steps and items else None,
            # Money of one item that several steps spend may change its purpose on the way: compare the names.
            "one_to_one": len(steps) == len(items) == 1 if steps and items else None,
        }
        first = f"item/{item_ids[0]}" if item_ids else f"step/{steps[0].step_id}"
        rows.append(merged(traces).row("step_item_checks", first, body))
    return rows


def _original(line: Line | None) -> tuple[int, list[Trace]] | None:
    """A line's original budget in won and what it rests on; None where none said anything about it.

    Items and schedules explain the book as it is printed, before the year begins: supplementary budgets come later.
    """
    if line is None or "original_won" not in line.traces:
        return None
    return line.won.get("original_won", 0), [line.traces["original_won"]]


def _line_item_checks(year: BudgetYear) -> list[Row]:
    by_line: dict[str, dict[str, Record]] = {line_id: {} for line_id in year.lines}
    for item_id, item in year.in_force("items").items():
        by_line.setdefault(item.cells["line_id"], {})[item_id] = item
    rows = []
    for line_id, items in sorted(by_line.items()):
        line = year.lines.get(line_id)
        original = _original(line)
        items_won = sum(item.cells["amount_won"] for item in items.values()) if items else None
        traces = [item.trace for item in items.values()]
        if original is not None:
            traces += original[1]
        elif line is not None:
            traces += line.traces.values()
        original_won = None if original is None else original[0]
        known = original_won is not None and items_won is not None
        body = {
            "item_ids": list(items),
            "items_won": items_won,
            "original_won": original_won,
            "agrees": items_won == original_won if known else None,
            **_within_appropriated(line, items_won),
        }
        if line is not None and "supplementary_won" in line.traces:
            traces.append(line.traces["supplementary_won"])
        rows.append(merged(traces).row("line_item_checks", line_id, body))
    return rows


def _within_appropriated(line: Line | None, items_won: int | None) -> dict[str, Any]:
    """Does a line still hold what its items explain? A supplementary budget may have made it smaller since."""
    known = line is not None and "original_won" in line.traces
    won = line.won.get("original_won", 0) + line.won.get("supplementary_won", 0) if line is not None and known else None
    within = items_won <= won if items_won is not None and won is not None else None
    return {"appropriated_won": won, "within_appropriated": within}


def _schedule_checks(year: BudgetYear) -> list[Row]:
    of_project: dict[str | None, list[Line]] = {}
    for line in year.lines.values():
        of_project.setdefault(line.project_id, []).append(line)
    rows = []
    for project_id, schedule in year.in_force("schedules").items():
        originals = [found for line in of_project.get(project_id, ()) if (found := _original(line))]
        original_won = sum(amount_won for amount_won, _ in originals) if originals else None
        steps_won = sum(step["amount_won"] for step in schedule.cells["steps"])
        total_won = schedule.cells["total_won"]
        agrees = None if original_won is None else steps_won == total_won == original_won
        body: dict[str, Any] = {
            "steps_won": steps_won,
            "total_won": total_won,
            "original_won": original_won,
            "agrees": agrees,
        }
        traces = [schedule.trace, *(trace for _, found in originals for trace in found)]
        rows.append(merged(traces).row("schedule_checks", project_id, body))
    return rows
