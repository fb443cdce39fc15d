"""What may bind and spend an allotment? Re-allotment, obligations, payments, and money that comes back.

Each row of `REFUSALS` breaks exactly one rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.rules.budget_spending import obligated_for
from audit_service.rules.budget_states import BudgetState, Obligation
from audit_service.rules.world import Replica, read_budget
from tests.support.contract_events import amended, damages, good_work, instalment_closed, terminated
from tests.support.events import (
    allotted,
    appropriated,
    budget,
    carried_over,
    closed,
    corrected,
    line,
    obligated,
    obligation_adjusted,
    opened,
    paid,
    planned,
    reallotted,
    refunded,
    returned,
    settlement,
    settlement_row,
    signed,
)
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

ALLOTTED = (opened(), line("a"), line("b"), appropriated({"a": 1000, "b": 500}), allotted(800))
REALLOTTED = (*ALLOTTED, reallotted(300), reallotted(200, office="west"))
OBLIGED = (*ALLOTTED, obligated(600, role="재무관"))
PAID = (*OBLIGED, paid(400, role="지출원"))
RETURNED = (*PAID, returned(100))
CLOSED = (*PAID, closed())
BEHIND = (*ALLOTTED, planned(), obligated(100, contract="lamps"))
SIGNED = (*BEHIND, signed({"amount_won": 100}))
ACCIDENTAL = (*PAID, carried_over(200, {"kind": "ACCIDENTAL"}))

REFUSALS = (
    # Re-allotment.
    Refusal("budget.line-overspent", "more than is allotted", REALLOTTED, reallotted(301), 300),
    Refusal("budget.reallotment-exceeded", "another office's", REALLOTTED, reallotted(-201, office="west"), -200),
    Refusal("budget.amount-zero", "nothing", REALLOTTED, reallotted(0)),
    Refusal("budget.line-unknown", "no such line", ALLOTTED, reallotted(1, line_id="z")),
    Refusal("budget.allotment-reallotted", "offices have it", REALLOTTED, allotted(-301), -300),
    # Obligations behind a contract.
    Refusal(
        "budget.contract-exceeded", "it is signed for 100", SIGNED, obligated(1, obligation="o2", contract="lamps")
    ),
    Refusal("budget.contract-exceeded", "made larger", SIGNED, obligation_adjusted(1), 0),
    Refusal("budget.obligation-backs-contract", "made smaller", SIGNED, obligation_adjusted(-1), 0),
    Refusal(
        "budget.obligation-backs-contract",
        "below what it was closed at",
        (*SIGNED, *good_work(60, kind="FINAL"), instalment_closed(60)),
        obligation_adjusted(-41),
        -40,
    ),
    Refusal(
        "budget.obligation-backs-contract",
        "amended to less",
        (*SIGNED, amended(-30), obligation_adjusted(-20)),
        obligation_adjusted(-11),
        -10,
    ),
    Refusal("budget.instalment-alone", "of no contract", ALLOTTED, obligated(1, instalment=2)),
    # Adjusted obligations.
    Refusal("budget.obligation-unknown", "nothing is obligated", ALLOTTED, obligation_adjusted(1)),
    Refusal("budget.amount-zero", "by nothing", PAID, obligation_adjusted(0)),
    Refusal("budget.line-overspent", "beyond the allotment", PAID, obligation_adjusted(201), 200),
    Refusal("budget.obligation-paid", "below what is paid", PAID, obligation_adjusted(-201), -200),
    Refusal("budget.obligation-carried-over", "its rest is carried over", ACCIDENTAL, obligation_adjusted(-1), 0),
    # Payments.
    Refusal("budget.same-role", "who obliged pays", OBLIGED, paid(1, role="재무관")),
    Refusal("budget.line-overspent", "the next year pays the rest", ACCIDENTAL, paid(1, payment="p2"), 0),
    Refusal(
        "budget.legal-date-order", "before its obligation", OBLIGED, paid(1, legal_date="2021-06-14"), "2021-06-15"
    ),
    # Returns.
    Refusal("budget.legal-date-order", "before its payment", PAID, returned(1, legal_date="2021-06-14"), "2021-06-15"),
    Refusal("budget.payment-unknown", "nothing is paid", OBLIGED, returned(1)),
    Refusal("budget.return-exceeded", "more than was paid", PAID, returned(401), 400),
    Refusal("budget.return-exceeded", "together", RETURNED, returned(301, name="t2"), 300),
    Refusal("budget.return-duplicate", "the id is taken", RETURNED, returned(1)),
    Refusal("budget.year-closed", "after the closing it is a refund", CLOSED, returned(1)),
    # Refunds.
    Refusal("budget.year-not-closed", "in the year it is a return", PAID, refunded(1)),
    Refusal("budget.legal-date-outside-year", "still in the year", CLOSED, refunded(1, legal_date="2021-12-31")),
    Refusal("budget.payment-unknown", "no such payment", CLOSED, refunded(1, payment="z")),
    Refusal("budget.return-exceeded", "with the return", (*RETURNED, closed()), refunded(301), 300),
    Refusal("budget.refund-duplicate", "the id is taken", (*CLOSED, refunded(1)), refunded(1)),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def state_of(world: Replica) -> BudgetState:
    state = read_budget(world, budget())
    assert state is not None
    return state


def test_obligations_are_added_up_by_instalment() -> None:
    """What the contract's rules ask for before it is signed."""
    second = obligated(7, obligation="o2", contract="lamps", instalment=2)
    state = state_of(given(*BEHIND, second, obligation_adjusted(-30), obligated(9, obligation="o3", contract="lamps")))
    assert obligated_for(state, "lamps", 1) == 79
    assert obligated_for(state, "lamps", 2) == 7
    assert obligated_for(state, "poles", 1) == 0


def test_obligations_of_an_unsigned_instalment_are_bound_by_the_allotment_alone() -> None:
    given(*SIGNED, obligated(700, obligation="o2", contract="lamps", instalment=2))


FREED: dict[str, tuple[Event, ...]] = {
    "it is closed at less": (*SIGNED, *good_work(60, kind="FINAL"), instalment_closed(60), obligation_adjusted(-40)),
    "damages are kept back": (*SIGNED, damages(5), obligation_adjusted(-5)),
    "it ends early": (*SIGNED, terminated(0), obligation_adjusted(-100)),
    "its price is an estimate": (*BEHIND, signed({"contract_type": "UNIT_PRICE"}), obligation_adjusted(-100)),
    "an import may have none": (*BEHIND, signed({"provenance": "printed"}), obligation_adjusted(-100)),
}


@pytest.mark.parametrize("events", FREED.values(), ids=FREED.keys())
def test_an_obligation_is_set_free_as_far_as_nothing_is_owed_for_it(events: tuple[Event, ...]) -> None:
    given(*events)


def test_an_unstated_signed_amount_binds_nothing() -> None:
    printed = signed({"amount_won": None, "provenance": "printed"})
    given(*BEHIND, printed, obligated(700, obligation="o2", contract="lamps"))


def test_a_return_makes_room_on_line_and_obligation() -> None:
    state = state_of(given(*RETURNED, paid(300, payment="p2", role="지출원")))
    assert state.lines["a"].executed_won == 600
    expected = Obligation("a", 600, None, 1, "재무관", paid_won=600, uses=2, legal_day=20210615)
    assert state.obligations["o1"] == expected


def test_a_correction_leaves_the_day_of_what_is_paid_on_it() -> None:
    """The obligation is posted anew later than its payment: as of a day between, both versions stand in order."""
    late = corrected("obliged", obligated(700, role="재무관"), legal_date="2021-07-01")
    given(*ALLOTTED, obligated(600, role="재무관", id="obliged"), paid(400), late, paid(9, payment="p2"))


def test_a_refund_leaves_the_settlement_as_it_is() -> None:
    row = settlement_row(final_budget_won=1500, executed_won=400)
    state = state_of(given(*CLOSED, refunded(10), settlement([row]), refunded(390, name="f2")))
    assert state.lines["a"].executed_won == 400
    assert state.payments["p1"].returned_won == 400


def test_what_offices_give_back_may_leave_the_allotment() -> None:
    state = state_of(given(*REALLOTTED, reallotted(-300), allotted(-600)))
    assert (state.lines["a"].allotted_won, state.lines["a"].reallotted_won) == (200, 200)


def test_the_same_role_twice_is_looked_at_only_where_both_are_stated() -> None:
    given(*ALLOTTED, obligated(600), paid(1, role="재무관"))
    given(*OBLIGED, paid(1))
