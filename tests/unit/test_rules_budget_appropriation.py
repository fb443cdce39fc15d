"""Which budgets does a year refuse? Lists of codes, provisional, original and supplementary budgets, early uses.

Each row of `REFUSALS` breaks exactly one rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.rules.world import Replica, read_budget
from tests.support.events import (
    BASIS,
    BY_HEAD,
    allotted,
    appropriated,
    budget,
    closed,
    codes,
    corrected,
    line,
    obligated,
    obligation_adjusted,
    opened,
    paid,
    provisional,
    substituted,
    supplemented,
    used_early,
)
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import BudgetState

YEAR = (opened(), line("a"), line("b"), line("grant", fund="NATIONAL"))
FUNDED = (*YEAR, appropriated({"a": 1000, "b": 500, "grant": 100}))
EARLY = (*FUNDED, used_early(40))
OVER = (*YEAR, provisional({"a": 100}, {"until_on": "2021-06-30"}), allotted(10))
PROVISIONAL = (*YEAR, provisional({"a": 100, "b": 50}))
USED = (*PROVISIONAL, allotted(60))
LISTED = (opened(), codes("object_code", "201-01"), codes("object_code", "201-02"), codes("policy", "roads"))
NO_BASIS: dict[str, Any] = {"basis": None}
SUBSTITUTED = (*FUNDED, substituted(30, excess=50))

REFUSALS = (
    # Lists of codes, and the lines that use them.
    Refusal("budget.code-list-late", "a line is there", YEAR, codes("policy", "roads")),
    Refusal("budget.code-repeated", "twice in one part", (opened(),), codes("policy", "roads", "roads")),
    Refusal("budget.code-repeated", "in an earlier part", LISTED, codes("object_code", "201-02")),
    Refusal("budget.year-not-opened", "a list comes first", (), codes("policy", "roads")),
    Refusal("budget.code-unknown", "an unlisted object", LISTED, line(levels={"object_code": "201-03"})),
    Refusal("budget.code-unknown", "an unlisted policy", LISTED, line(levels={"policy": "parks"})),
    # The provisional budget.
    Refusal("budget.provisional-late", "the original is there", FUNDED, provisional({"a": 1})),
    Refusal("budget.line-unknown", "no such line", YEAR, provisional({"z": 1})),
    Refusal("budget.totals-differ", "one won too many", YEAR, provisional({"a": 1}, {"total_won": 2}), 1),
    Refusal("budget.basis-missing", "no document", YEAR, provisional({"a": 1}, NO_BASIS)),
    Refusal("budget.provisional-until", "next year", YEAR, provisional({"a": 1}, {"until_on": "2022-01-01"})),
    Refusal("budget.provisional-over", "allotted too late", OVER, allotted(1, legal_date="2021-07-01"), "2021-06-30"),
    Refusal("budget.provisional-over", "obligated too late", OVER, obligated(1, legal_date="2021-07-01"), "2021-06-30"),
    Refusal(
        "budget.provisional-over",
        "made larger too late",
        (*OVER, obligated(5)),
        obligation_adjusted(1, legal_date="2021-07-01"),
        "2021-06-30",
    ),
    Refusal("budget.provisional-until", "over already", YEAR, provisional({"a": 1}, {"until_on": "2021-06-14"})),
    Refusal("budget.provisional-until", "no such day", YEAR, provisional({"a": 1}, {"until_on": "2021-11-31"})),
    Refusal("budget.amount-too-large", "out of range", PROVISIONAL, provisional({"a": MAX_SAFE_INTEGER})),
    Refusal("budget.provisional-spent", "less than is allotted", USED, appropriated({"a": 59, "b": 50}), 60),
    Refusal("budget.provisional-spent", "nothing at all", USED, appropriated({"b": 50}), 60),
    # The original budget.
    Refusal("budget.basis-missing", "no document", YEAR, appropriated({"a": 1}, NO_BASIS)),
    Refusal("budget.approver", "the mayor", YEAR, appropriated({"a": 1}, {"actor_role": "시장"}), "의회"),
    # Supplementary budgets.
    Refusal("budget.not-appropriated", "nothing to supplement", YEAR, supplemented({"a": 1})),
    Refusal("budget.round-number", "a gap", FUNDED, supplemented({"a": 1}, number=2), 1),
    Refusal("budget.round-number", "again", (*FUNDED, supplemented({"a": 1})), supplemented({"a": 1}), 2),
    Refusal("budget.line-unknown", "no such line", FUNDED, supplemented({"z": 1})),
    Refusal("budget.amount-zero", "a row of nothing", FUNDED, supplemented({"a": 0})),
    Refusal("budget.totals-differ", "one won more", FUNDED, supplemented({"a": 1, "b": -1}, {"total_delta_won": 1}), 0),
    Refusal("budget.basis-missing", "no document", FUNDED, supplemented({"a": 1}, NO_BASIS)),
    Refusal("budget.approver", "nobody is named", FUNDED, supplemented({"a": 1}, {"actor_role": None}), "의회"),
    Refusal("budget.approver", "the mayor", FUNDED, supplemented({"a": 1}, BY_HEAD), "의회"),
    Refusal("budget.appropriation-negative", "below nothing", FUNDED, supplemented({"a": -1001}), -1000),
    Refusal("budget.line-overspent", "it is allotted", (*FUNDED, allotted(900)), supplemented({"a": -101}), 100),
    Refusal("budget.amount-too-large", "out of range", FUNDED, supplemented({"a": MAX_SAFE_INTEGER})),
    Refusal("budget.year-closed", "the year is over", (*FUNDED, closed()), supplemented({"a": 1})),
    # Uses before appropriation.
    Refusal("budget.pre-appropriation-fund", "the city's money", FUNDED, used_early(1, line_id="a")),
    Refusal("budget.pre-appropriation-duplicate", "the id is taken", EARLY, used_early(1)),
    Refusal("budget.basis-missing", "no grant's document", FUNDED, used_early(1, basis=False)),
    Refusal("budget.line-unknown", "no such line", FUNDED, used_early(1, line_id="z")),
    Refusal("budget.pre-appropriation-unknown", "no such use", EARLY, supplemented({"grant": 40}, uses=["z"])),
    Refusal("budget.pre-appropriation-taken", "named twice", EARLY, supplemented({"grant": 80}, uses=["u1", "u1"])),
    Refusal(
        "budget.pre-appropriation-taken",
        "the first round took it",
        (*EARLY, supplemented({"grant": 40}, uses=["u1"])),
        supplemented({"grant": 40}, number=2, uses=["u1"]),
    ),
    Refusal(
        "budget.pre-appropriation-not-covered", "one won less", EARLY, supplemented({"grant": 39}, uses=["u1"]), 40
    ),
    Refusal("budget.pre-appropriation-not-covered", "no row", EARLY, supplemented({"a": 40}, uses=["u1"]), 40),
    Refusal("budget.pre-appropriation-open", "nobody took it in", EARLY, closed()),
    # Substituted revenue.
    Refusal("budget.revenue-exceeded", "more than came in", FUNDED, substituted(51, excess=50), 50),
    Refusal("budget.revenue-exceeded", "together", SUBSTITUTED, substituted(21, excess=50), 20),
    Refusal("budget.revenue-differs", "another excess", SUBSTITUTED, substituted(1, excess=51), 50),
    Refusal("budget.line-unknown", "no such line", FUNDED, substituted(1, excess=1, line_id="z")),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def lines(world: Replica) -> BudgetState:
    state = read_budget(world, budget())
    assert state is not None
    return state


def test_listed_codes_and_levels_without_a_list_pass() -> None:
    levels = {"object_code": "201-02", "policy": "roads", "unit": "any", "field": "any"}
    given(*LISTED, line("a", levels=levels), line("b"))


def test_the_original_budget_replaces_the_provisional_one() -> None:
    world = given(*USED, obligated(60), appropriated({"a": 60, "b": 7}))
    state = lines(world)
    assert [(line.provisional_won, line.final_won) for line in state.lines.values()] == [(0, 60), (0, 7), (0, 0)]
    assert state.year["only"].current_won == 67


def test_an_early_use_is_spent_then_appropriated() -> None:
    """40 won of a grant are used at once; the supplement brings 60, so 20 are new."""
    world = given(*EARLY, allotted(140, line_id="grant"), supplemented({"grant": 60, "a": -5}, uses=["u1"]), closed())
    line = lines(world).lines["grant"]
    assert (line.final_won, line.pre_appropriated_won, line.current_won) == (160, 0, 160)


def test_two_revenues_have_two_excesses() -> None:
    world = given(*SUBSTITUTED, substituted(20, excess=50), substituted(9, excess=9, revenue="r2", line_id="b"))
    assert lines(world).lines["a"].change_won == 50


def test_a_printed_appropriation_needs_no_document_and_an_illustrative_one_does() -> None:
    given(*YEAR, appropriated({"a": 1}, {**NO_BASIS, "provenance": "printed"}))
    invented = appropriated({"a": 1}, {**NO_BASIS, "provenance": "illustrative"})
    refuses(Refusal("budget.basis-missing", "invented", YEAR, invented, "basis"))


def test_a_supplement_may_be_imported_without_a_role() -> None:
    given(*FUNDED, supplemented({"a": 1}, {"basis": None, "actor_role": None, "provenance": "derived"}))


def test_the_basis_of_a_builder_is_what_the_rules_ask_for() -> None:
    assert BASIS == {"basis": {"title": "의결"}}


LATE_BUDGETS: dict[str, tuple[Event, ...]] = {
    "what is obligated is paid": (obligated(5), paid(5, legal_date="2021-07-01")),
    "what was too much is taken back": (allotted(-5, legal_date="2021-07-01"),),
    "a second one follows": (provisional({"a": 1}), allotted(1, legal_date="2021-07-01")),
    "the original one follows": (
        appropriated({"a": 100}, legal_date="2021-07-01"),
        allotted(1, legal_date="2021-07-01"),
    ),
}


@pytest.mark.parametrize("events", LATE_BUDGETS.values(), ids=LATE_BUDGETS.keys())
def test_after_a_provisional_budget_debts_are_paid_and_the_next_budget_counts(events: tuple[Event, ...]) -> None:
    given(*OVER, *events)


def test_a_mistake_in_a_provisional_budget_may_be_put_right_after_its_end() -> None:
    wrong = obligated(5, id="wrong")
    given(*OVER, wrong, corrected(wrong, obligated(6), legal_date="2021-07-01"))
