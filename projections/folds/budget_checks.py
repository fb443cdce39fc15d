"""Do the tables of one budget book agree with each other?

Three reconciliations: schedule steps with the line items that they spend, line items with the line's
appropriation, schedule with the project's appropriation. A step may spend part of an item and an item may pay
for several steps, so amounts are compared for each connected group of steps and items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.folds.rows import Row, merged

if TYPE_CHECKING:
    from projections.folds.budget_state import BudgetYear, Item, Step


def compute_checks(year: BudgetYear) -> list[Row]:
    """Compute the rows of the three tables of checks; `agrees` is None where a side is not recorded."""
    return [*_step_item_checks(year), *_line_item_checks(year), *_schedule_checks(year)]


def connected_groups(steps: list[Step], items: dict[str, Item]) -> list[tuple[list[Step], list[str]]]:
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


def _step_item_checks(year: BudgetYear) -> list[Row]:
    steps = [step for schedule in year.schedules.values() for step in schedule.steps]
    rows = []
    for group_steps, item_ids in connected_groups(steps, year.items):
        items = [year.items[item_id] for item_id in item_ids if item_id in year.items]
        steps_won = sum(step.amount_won for step in group_steps)
        items_won = sum(item.amount_won for item in items)
        traces = [item.trace for item in items]
        traces += [year.schedules[step.project_id].trace for step in group_steps]
        if not traces:
            continue
        body = {
            "step_ids": [step.step_id for step in group_steps],
            "item_ids": item_ids,
            "items_not_recorded": [item_id for item_id in item_ids if item_id not in year.items],
            "steps_won": steps_won,
            "items_won": items_won,
            "difference_won": steps_won - items_won,
            "agrees": steps_won == items_won if group_steps and items else None,
        }
        first = f"item/{item_ids[0]}" if item_ids else f"step/{group_steps[0].step_id}"
        rows.append(merged(traces).row("step_item_checks", first, body))
    return rows


def _line_item_checks(year: BudgetYear) -> list[Row]:
    rows = []
    for line_id in sorted({*year.lines, *(item.line_id for item in year.items.values())}):
        items = {item_id: item for item_id, item in year.items.items() if item.line_id == line_id}
        line = year.lines.get(line_id)
        appropriated = line is not None and "appropriated_won" in line.traces
        appropriated_won = line.appropriated_won if line is not None and appropriated else None
        items_won = sum(item.amount_won for item in items.values()) if items else None
        known = appropriated_won is not None and items_won is not None
        traces = [item.trace for item in items.values()]
        if line is not None and appropriated:
            traces.append(line.traces["appropriated_won"])
        elif line is not None:
            traces.extend(line.traces.values())
        body = {
            "item_ids": list(items),
            "items_won": items_won,
            "appropriated_won": appropriated_won,
            "agrees": items_won == appropriated_won if known else None,
        }
        rows.append(merged(traces).row("line_item_checks", line_id, body))
    return rows


def _schedule_checks(year: BudgetYear) -> list[Row]:
    rows = []
    for project_id, schedule in year.schedules.items():
        lines = [line for line in year.lines.values() if line.project_id == project_id]
        appropriations = [line.traces[name] for line in lines for name in line.traces if name == "appropriated_won"]
        appropriated_won = sum(line.appropriated_won for line in lines) if appropriations else None
        steps_won = sum(step.amount_won for step in schedule.steps)
        agrees = steps_won == schedule.total_won
        body = {
            "steps_won": steps_won,
            "total_won": schedule.total_won,
            "appropriated_won": appropriated_won,
            "agrees": None if appropriated_won is None else agrees and steps_won == appropriated_won,
        }
        rows.append(merged([schedule.trace, *appropriations]).row("schedule_checks", project_id, body))
    return rows
