"""What may leave for the next year? Declarations, continuing plans, and what each kind of carry-over asks for.

Each row of `REFUSALS` breaks exactly one rule. What the two halves of a pair ask of each other is in
`test_rules_budget_year_end`.
"""

from __future__ import annotations

from typing import Any

import pytest

from audit_service.rules.decide import reads
from audit_service.rules.world import read_budget
from tests.support.events import (
    BY_HEAD,
    PARKS,
    allotted,
    appropriated,
    budget,
    carried_over,
    carry_in,
    closed,
    declared,
    line,
    obligated,
    opened,
    paid,
    plan,
    when,
)
from tests.support.given import Refusal, given, name_of, refuses

YEAR = (opened(), line("a"), line("b"), line("park", project="parks"))
SPENT = (
    *YEAR,
    appropriated({"a": 1000, "b": 500, "park": 100}),
    allotted(600),
    obligated(500),
    paid(400),
)
DECLARED = (*SPENT, declared(300))
ACCIDENTAL: dict[str, Any] = {"kind": "ACCIDENTAL"}
ANCILLARY: dict[str, Any] = {"kind": "ACCIDENTAL", "ancillary": True}
PLANNED: dict[str, Any] = {"kind": "CONTINUING", "plan_subject": budget(), "plan_id": "tunnel"}
PLAN = (*SPENT, plan({2021: 300, 2022: 400, 2023: 500}))
# 2022 begins with 100 won that were carried over accidentally, and 50 of its own.
AGAIN = (
    *SPENT,
    carried_over(100, ACCIDENTAL),
    opened(2022),
    line("a", year=2022),
    carry_in(100, ACCIDENTAL),
    appropriated({"a": 50}, year=2022),
    allotted(150, year=2022),
    obligated(150, year=2022),
)
# A plan of 2021 and 2022, and money that 2022 would carry on.
ENDED = (
    *SPENT,
    plan({2021: 300, 2022: 400}),
    opened(2022),
    line("a", year=2022),
    appropriated({"a": 50}, year=2022),
)


def continuing(won: int, data: dict[str, Any] | None = None, **attributes: Any) -> Any:
    return carried_over(won, {**PLANNED, **(data or {})}, **attributes)


REFUSALS = (
    # Declaration.
    Refusal("budget.line-overspent", "what is spent is gone", SPENT, declared(601), 600),
    Refusal("budget.line-overspent", "declared before", DECLARED, declared(301), 300),
    Refusal("budget.basis-missing", "no resolution", SPENT, declared(1, {"basis": None})),
    Refusal("budget.approver", "the mayor", SPENT, declared(1, BY_HEAD), "의회"),
    Refusal("budget.year-closed", "after the year", (*SPENT, closed()), declared(1)),
    # Explicit carry-over.
    Refusal("budget.carry-over-undeclared", "nothing is declared", SPENT, carried_over(1), 0),
    Refusal("budget.carry-over-undeclared", "more than is declared", DECLARED, carried_over(301), 300),
    Refusal(
        "budget.carry-over-undeclared", "together", (*DECLARED, carried_over(200)), carried_over(101, id="out-2"), 100
    ),
    # Accidental carry-over.
    Refusal("budget.carry-over-not-obligated", "100 are open", SPENT, carried_over(101, ACCIDENTAL), 100),
    Refusal(
        "budget.carry-over-not-obligated",
        "together",
        (*SPENT, carried_over(60, ACCIDENTAL)),
        carried_over(41, ACCIDENTAL, id="out-2"),
        40,
    ),
    Refusal("budget.carry-over-twice", "50 are its own", AGAIN, carried_over(51, ACCIDENTAL, year=2022), 50),
    Refusal("budget.carry-over-twice", "nor as ancillary", AGAIN, carried_over(51, ANCILLARY, year=2022), 50),
    Refusal("budget.carry-over-form", "explicit and ancillary", DECLARED, carried_over(1, {"ancillary": True})),
    # Continuing carry-over.
    Refusal("budget.carry-over-form", "no plan is named", PLAN, carried_over(1, {"kind": "CONTINUING"})),
    Refusal("budget.carry-over-form", "half a plan", PLAN, continuing(1, {"plan_id": None})),
    Refusal("budget.carry-over-form", "a plan for another kind", PLAN, continuing(1, ACCIDENTAL)),
    Refusal("budget.plan-unknown", "no such plan", PLAN, continuing(1, {"plan_id": "z"})),
    Refusal("budget.plan-unknown", "no budget", PLAN, continuing(1, {"plan_subject": "계획"})),
    Refusal("budget.plan-unknown", "a year without it", PLAN, continuing(1, {"plan_subject": budget(2020)})),
    Refusal("budget.project-differs", "another project's", PLAN, continuing(1, {"line_id": "park"}), "lights"),
    Refusal("budget.plan-exceeded", "300 this year", PLAN, continuing(301), 300),
    Refusal("budget.plan-exceeded", "together", (*PLAN, continuing(200)), continuing(101, id="out-2"), 100),
    Refusal("budget.plan-ended", "its last year's rest lapses", ENDED, continuing(1, year=2022), "2021/2021"),
    # The plan itself.
    Refusal("budget.plan-duplicate", "the id is taken", PLAN, plan({2021: 1, 2022: 1})),
    Refusal("budget.plan-years", "a gap", SPENT, plan({2021: 1, 2023: 1}), "2021/2022"),
    Refusal(
        "budget.plan-years",
        "it begins later",
        SPENT,
        plan({2021: 1, 2022: 1}, {"years": [{"fiscal_year": year, "amount_won": 1} for year in (2022, 2023)]}),
    ),
    Refusal("budget.totals-differ", "one won more", SPENT, plan({2021: 1, 2022: 1}, {"total_won": 3}), 2),
    Refusal("budget.basis-missing", "no resolution", SPENT, plan({2021: 1, 2022: 1}, {"basis": None})),
    Refusal("budget.approver", "the mayor", SPENT, plan({2021: 1, 2022: 1}, BY_HEAD), "의회"),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_another_agency_s_plan_is_no_plan() -> None:
    year = opened()
    theirs = (
        when("budget.fiscal-year-opened.v1", "budget/parks/2021", _fields(year), source=PARKS),
        when("budget.continuing-plan-set.v1", "budget/parks/2021", _fields(plan({2021: 9, 2022: 9})), source=PARKS),
    )
    stolen = continuing(1, {"plan_subject": "budget/parks/2021"})
    refuses(Refusal("budget.plan-unknown", "another agency's", (*SPENT, *theirs), stolen))
    assert reads(stolen) == ("budget/parks/2021",)
    assert reads(continuing(1)) == ()


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event.data, name) for name in event.data.__struct_fields__ if getattr(event.data, name)}


def test_accidental_money_is_carried_out_of_the_year_s_own() -> None:
    """100 came in accidentally; 120 are paid, so 20 of the year's own 50: the other 30 may go on."""
    given(*AGAIN, paid(120, year=2022), carried_over(30, ACCIDENTAL, year=2022))
    case = Refusal(
        "budget.line-overspent", "no more", (*AGAIN, paid(120, year=2022)), carried_over(31, ANCILLARY, year=2022)
    )
    refuses(case)


def test_ancillary_expense_needs_no_obligation() -> None:
    world = given(*SPENT, carried_over(200, ANCILLARY), carried_over(100, ACCIDENTAL, id="out-2"))
    state = read_budget(world, budget())
    assert state is not None
    assert (state.lines["a"].unbound_won, state.lines["a"].bound_out_won) == (200, 100)
    assert state.lines["a"].payable_won == 0


def test_a_plan_is_used_by_all_years_before_its_last() -> None:
    next_year = (opened(2022), line("a", year=2022), appropriated({"a": 900}, year=2022))
    second = continuing(700, {"plan_subject": budget(2021)}, year=2022)
    given(*PLAN, continuing(300), *next_year, second)
    refuses(Refusal("budget.plan-exceeded", "700 up to 2022", (*PLAN, *next_year), continuing(701, year=2022), 700))


def test_printed_carry_overs_need_neither_declaration_nor_plan_nor_obligation() -> None:
    printed = {"provenance": "printed"}
    kinds = ("EXPLICIT", "CONTINUING", "ACCIDENTAL", "NOT_STATED")
    carried = [carried_over(150, {"kind": kind, **printed}, id=f"out-{kind}") for kind in kinds]
    world = given(*SPENT, *carried)
    state = read_budget(world, budget())
    assert state is not None
    assert state.lines["a"].unspent_won == 0
    # The printed explicit carry-over used up none of what the council declares for the others.
    assert state.lines["a"].declared_won == 150
