"""What explains a year's amounts? The calculation basis of each line item, and the schedule.

Both (산출기초, 추진일정) explain appropriations, so they come after the original budget. A line's items may
add up to less than its appropriation: that shows as an open difference in the reconciliation and is no
reason to refuse; more is refused, for then something is explained that was never appropriated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.rules.budget_checks import (
    require_distinct,
    require_line,
    require_open_year,
    require_total,
)
from audit_service.rules.budget_postings import post
from audit_service.rules.budget_states import BudgetState, Item, Schedule, Year
from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from audit_service.catalogue.budget import CostBasisRecorded, Factor, ScheduleSet, ScheduleStep
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import Posting
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def _require_appropriated(state: BudgetState, event: Event) -> Year:
    year = require_open_year(state, event)
    if not year.appropriated:
        raise RuleBroken("budget.not-appropriated", "the year has no original budget to explain", stream=event.subject)
    return year


def decide_cost_basis(_: World, state: BudgetState, event: Event) -> None:
    """Is this basis sound? Price times numbers makes the amount, within the appropriation."""
    _require_appropriated(state, event)
    data: CostBasisRecorded = event.data
    line = require_line(state, event, data.line_id)
    known = state.items.get(data.item_id)
    if known is not None and known.standing:
        raise RuleBroken("budget.item-duplicate", f"item {data.item_id} is already recorded", stream=event.subject)
    _require_product(event, _values(event, data.factors), amount_won=data.amount_won)
    if line.items_won + data.amount_won > line.final_won:
        raise RuleBroken(
            "budget.items-exceed-appropriation",
            f"items would add up to {line.items_won + data.amount_won} won of {line.final_won} won",
            stream=event.subject,
            columns={"items_won": line.items_won + data.amount_won, "final_won": line.final_won},
            allowed=line.final_won - line.items_won,
        )


def _values(event: Event, factors: list[Factor]) -> list[int]:
    values = []
    prices = 0
    for factor in factors:
        price, number, unit = factor.won, factor.n, factor.unit
        if isinstance(price, int) and not isinstance(number, int) and not isinstance(unit, str):
            prices += 1
            values.append(price)
        elif isinstance(number, int) and not isinstance(price, int) and isinstance(unit, str):
            values.append(number)
        else:
            raise RuleBroken(
                "budget.factor-form",
                "a factor is either a price in won, or a number with its unit",
                stream=event.subject,
            )
    if prices != 1:
        raise RuleBroken(
            "budget.factor-form",
            f"{prices} factors are prices; won times won is no amount",
            stream=event.subject,
            allowed=1,
        )
    return values


def _require_product(event: Event, values: list[int], *, amount_won: int) -> None:
    product_won = 1
    for value in values:
        product_won *= value
        if product_won > MAX_SAFE_INTEGER:
            # Thousands of large factors fit into one entry: their product is never computed or printed.
            raise RuleBroken(
                "budget.basis-product-differs",
                "the factors make more than any amount can be",
                stream=event.subject,
                columns={"amount_won": {"stated": amount_won, "computed": None}},
            )
    if product_won != amount_won:
        raise RuleBroken(
            "budget.basis-product-differs",
            f"the factors make {product_won} won, the amount says {amount_won} won",
            stream=event.subject,
            columns={"amount_won": {"stated": amount_won, "computed": product_won}},
            allowed=product_won,
        )


def evolve_cost_basis(state: BudgetState, event: Event, undo: Changes) -> None:
    """Remember the item and add it to its line's items."""
    data: CostBasisRecorded = event.data
    known = state.items.get(data.item_id)
    undo.put(state.items, data.item_id, Item(data.line_id, data.amount_won, 0 if known is None else known.uses))
    post(state, event, undo, (data.line_id, "items_won", data.amount_won), named=data.item_id)


def reverse_cost_basis(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the item back; schedules that spend it wait for the replacement."""
    undo.put(state.items, posting.named, state.items[posting.named]._replace(standing=False))


def decide_schedule(_: World, state: BudgetState, event: Event) -> None:
    """Is this the project's schedule? Set once; its steps add up to the project's appropriation."""
    year = _require_appropriated(state, event)
    data: ScheduleSet = event.data
    known = state.schedules.get(data.project_id)
    if known is not None and known.standing:
        raise RuleBroken("budget.schedule-twice", "the project has its schedule", stream=event.subject)
    lines = [line for line in state.lines.values() if line.project_id == data.project_id]
    if not lines:
        raise RuleBroken("budget.project-unknown", "no line is of this project", stream=event.subject)
    require_distinct("budget.step-duplicate", [step.step_id for step in data.steps], event)
    for step in data.steps:
        _require_step(state, event, step, year)
    require_total(event, stated_won=data.total_won, computed_won=sum(step.amount_won for step in data.steps))
    require_total(event, stated_won=data.total_won, computed_won=sum(line.final_won for line in lines))


def _require_step(state: BudgetState, event: Event, step: ScheduleStep, year: Year) -> None:
    first, last = year.opens_on[:7], year.closes_on[:7]
    if not first <= step.start <= step.end <= last:
        raise RuleBroken(
            "budget.step-dates",
            f"step {step.step_id} does not run from start to end inside the fiscal year",
            stream=event.subject,
            columns={"start": step.start, "end": step.end},
            allowed=f"{first}/{last}",
        )
    for item_id in step.item_ids:
        item = state.items.get(item_id)
        if item is None or not item.standing:
            raise RuleBroken(
                "budget.item-unknown",
                f"step {step.step_id} spends an item that is not recorded",
                stream=event.subject,
            )
        if state.lines[item.line_id].project_id != event.data.project_id:
            raise RuleBroken(
                "budget.project-differs",
                f"step {step.step_id} spends another project's item",
                stream=event.subject,
            )


def evolve_schedule(state: BudgetState, event: Event, undo: Changes) -> None:
    """Remember that the project has its schedule, and which items its steps spend."""
    data: ScheduleSet = event.data
    item_ids = tuple(item_id for step in data.steps for item_id in step.item_ids)
    undo.put(state.schedules, data.project_id, Schedule(data.total_won, item_ids))
    _use(state, undo, item_ids, uses=1)
    post(state, event, undo, (), named=data.project_id)


def reverse_schedule(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the schedule back; the project may have another."""
    schedule = state.schedules[posting.named]
    undo.put(state.schedules, posting.named, schedule._replace(standing=False))
    _use(state, undo, schedule.item_ids, uses=-1)


def _use(state: BudgetState, undo: Changes, item_ids: tuple[str, ...], *, uses: int) -> None:
    for item_id in item_ids:
        item = state.items[item_id]
        undo.put(state.items, item_id, item._replace(uses=item.uses + uses))
