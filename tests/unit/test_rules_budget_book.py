"""Which calculation bases and schedules are refused? They explain the appropriation, to the won."""

from __future__ import annotations

from typing import Any

import pytest

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from tests.support.events import appropriated, closed, cost_basis, line, opened, schedule, step
from tests.support.given import Refusal, given, name_of, refuses

YEAR = (opened(), line("a"), line("b"), line("park", project="parks"))
FUNDED = (*YEAR, appropriated({"a": 6000, "b": 1000, "park": 500}))
ADVICE: list[dict[str, Any]] = [{"won": 150}, {"n": 8, "unit": "인"}, {"n": 5, "unit": "회"}]
BASED = (*FUNDED, cost_basis(ADVICE, 6000), cost_basis([{"won": 500}], 500, item="park", line_id="park"))

REFUSALS = (
    Refusal("budget.year-closed", "no basis after the closing", (*FUNDED, closed()), cost_basis(ADVICE, 6000)),
    Refusal("budget.not-appropriated", "nothing to explain yet", YEAR, cost_basis(ADVICE, 6000)),
    Refusal("budget.line-unknown", "no such line", FUNDED, cost_basis(ADVICE, 6000, line_id="z")),
    Refusal("budget.item-duplicate", "the id is taken", BASED, cost_basis([{"won": 1}], 1, line_id="b")),
    Refusal("budget.basis-product-differs", "one won off", FUNDED, cost_basis(ADVICE, 5999), 6000),
    Refusal(
        "budget.basis-product-differs",
        "a product of thousands of digits",
        FUNDED,
        cost_basis([{"won": 1}] + [{"n": MAX_SAFE_INTEGER, "unit": "회"}] * 1000, 6000),
    ),
    Refusal("budget.factor-form", "price and number in one", FUNDED, cost_basis([{"won": 1, "n": 1, "unit": "회"}], 1)),
    Refusal("budget.factor-form", "a number without unit", FUNDED, cost_basis([{"won": 1}, {"n": 1}], 1)),
    Refusal("budget.factor-form", "a price with a unit", FUNDED, cost_basis([{"won": 1, "unit": "회"}], 1)),
    Refusal("budget.factor-form", "neither", FUNDED, cost_basis([{"unit": "회"}], 1)),
    Refusal("budget.factor-form", "won times won", FUNDED, cost_basis([{"won": 2}, {"won": 3}], 6)),
    Refusal("budget.factor-form", "no price at all", FUNDED, cost_basis([{"n": 6, "unit": "회"}], 6)),
    Refusal(
        "budget.items-exceed-appropriation",
        "one won more than appropriated",
        BASED,
        cost_basis([{"won": 1}], 1, item="i2"),
        0,
    ),
    Refusal("budget.not-appropriated", "no budget to schedule", YEAR, schedule([step(7000)])),
    Refusal("budget.project-unknown", "no line is of it", FUNDED, schedule([step(7000)], project="z")),
    Refusal("budget.schedule-twice", "it is set", (*FUNDED, schedule([step(7000)])), schedule([step(7000)])),
    Refusal("budget.totals-differ", "steps and total", FUNDED, schedule([step(6999)], total=7000), 6999),
    Refusal("budget.totals-differ", "total and appropriation", FUNDED, schedule([step(6999)]), 7000),
    Refusal("budget.step-duplicate", "two steps of one id", FUNDED, schedule([step(3500), step(3500)])),
    Refusal("budget.step-dates", "it ends first", FUNDED, schedule([step(7000, start="2021-05", end="2021-04")])),
    Refusal("budget.step-dates", "before the year", FUNDED, schedule([step(7000, start="2020-12")])),
    Refusal("budget.step-dates", "after the year", FUNDED, schedule([step(7000, end="2022-01")])),
    Refusal("budget.item-unknown", "no such item", BASED, schedule([step(7000, item_ids=["i1", "z"])])),
    Refusal("budget.project-differs", "another project's item", BASED, schedule([step(7000, item_ids=["park"])])),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_two_steps_may_spend_one_item() -> None:
    """As the workshop (5,000) and the training (2,000) of the real page share an item of 7,000."""
    workshop = step(5000, item_ids=["i1"], start="2021-06")
    training = step(2000, step_id="s2", item_ids=["i1"], start="2021-09", end="2021-09")
    given(*BASED, schedule([workshop, training]))


def test_items_may_explain_less_than_the_appropriation() -> None:
    given(*FUNDED, cost_basis([{"won": 1}], 1), cost_basis([{"won": 5999}], 5999, item="i2"))
