"""May money come back on a contract (여입)? Only on both streams at once, and no further than it was paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.rules.world import read_budget, read_contract
from projections.folds.all import fold_all
from projections.folds.answers import fold_answer
from tests.support.contract_events import (
    completed,
    contract_corrected,
    good_work,
    instalment_closed,
    obligated_for,
    payment_pair,
    return_pair,
    terminated,
)
from tests.support.events import (
    allotted,
    appropriated,
    budget,
    corrected,
    line,
    obligated,
    opened,
    paid,
    planned,
    returned,
    signed,
)
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

PLANNED = (opened(), line("a"), line("b"), appropriated({"a": 150, "b": 100}), allotted(150), planned())
SIGNED = (*PLANNED, obligated_for(100), signed())
PAID = (*SIGNED, *good_work(60), *payment_pair(60))
BACK, SHOWN = return_pair(10)
RETURNED = (*PAID, BACK, SHOWN)
ALONE = (*SIGNED, obligated(50), paid(40, payment="alone"))
ADVANCED = (*SIGNED, *payment_pair(70, advance=True))
SET_OFF = (*ADVANCED, *good_work(60), *payment_pair(20, 2, {"advance_offset_won": 40}))
DONE = (*SIGNED, *good_work(60, kind="FINAL"), *payment_pair(60), instalment_closed(60), completed(60))
NOT_ON_IT = returned(9, payment="alone", contract_returned_id="x")
TOO_FAR = return_pair(31)
ANOTHER = return_pair(10, data={"budget_returned_id": "z"})[1]
PAIR = {"budget_corrected_id": "fix", "budget_subject": budget()}

REFUSALS = (
    Refusal("budget.return-on-contract", "the contract would not hear of it", PAID, returned(10)),
    Refusal("budget.return-on-contract", "no contract is behind it", ALONE, NOT_ON_IT),
    Refusal("budget.return-on-contract", "it is paid again instead", RETURNED, corrected(BACK), "budget.paid.v1"),
    Refusal(
        "budget.return-on-contract",
        "a correction does not bring a contract's return into being",
        (*PAID, obligated(50), paid(40, payment="alone"), returned(9, payment="alone", id="wrong")),
        corrected("wrong", BACK),
        "budget.paid.v1",
    ),
    Refusal("contract.not-signed", "on a plan", PLANNED, SHOWN),
    Refusal("contract.payment-unknown", "nothing was paid", SIGNED, SHOWN),
    Refusal("contract.payment-unknown", "another payment", (*PAID, BACK), return_pair(10, payment=2)[1]),
    Refusal("contract.return-differs", "no budget says so", PAID, SHOWN),
    Refusal("contract.return-differs", "one won less", (*PAID, BACK), return_pair(9)[1]),
    Refusal("contract.return-differs", "another id than announced", (*PAID, BACK), return_pair(10, id="ct2")[1]),
    Refusal("contract.return-differs", "another event", (*PAID, BACK), ANOTHER),
    Refusal("contract.return-differs", "another day", (*PAID, BACK), return_pair(10, legal_date="2021-06-16")[1]),
    Refusal("contract.return-differs", "another instalment", (*PAID, BACK), return_pair(10, data={"instalment": 2})[1]),
    Refusal("contract.return-duplicate", "shown twice", RETURNED, SHOWN),
    Refusal("contract.return-set-off", "40 of 70 won have paid for work", (*SET_OFF, TOO_FAR[0]), TOO_FAR[1], 30),
    Refusal("contract.ended", "the completed contract is paid", (*DONE, BACK), SHOWN),
    Refusal("contract.payment-returned", "money came back of it", RETURNED, contract_corrected("cp1", None, PAIR)),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refused(case: Refusal) -> None:
    refuses(case)


def cash(*events: Event) -> tuple[int, int]:
    """What the contract and what the budget count as paid, in won."""
    world = given(*events)
    contract, state = read_contract(world, "lamps"), read_budget(world, budget())
    assert contract is not None
    assert state is not None
    return contract.instalments[1].cash_won, state.lines["a"].executed_won


ALLOWED: dict[str, tuple[tuple[Event, ...], int]] = {
    "a part comes back": (RETURNED, 50),
    "and then the rest": ((*RETURNED, *return_pair(50, 2)), 0),
    "what came back is paid again": ((*RETURNED, *payment_pair(10, 2)), 60),
    "an advance that nothing was set off against": ((*ADVANCED, *return_pair(70)), 0),
    "an advance as far as it is open": ((*SET_OFF, *return_pair(30)), 60),
    "an import's payment": ((*SIGNED, *payment_pair(60, data={"provenance": "derived"}), *return_pair(60)), 0),
    "a terminated contract gives back": ((*PAID, terminated(0, kind="RESCINDED"), *return_pair(60)), 0),
}


@pytest.mark.parametrize(("events", "left_won"), ALLOWED.values(), ids=ALLOWED.keys())
def test_both_streams_count_the_same_cash(events: tuple[Event, ...], left_won: int) -> None:
    assert cash(*events) == (left_won, left_won)
    folds = fold_all()
    for index, event in enumerate(events):
        folds.apply(index, event)
    register = fold_answer(folds, "contract-register", "lamps", tree_size=len(events))
    agreement = fold_answer(folds, "contract-checks", "roads", tree_size=len(events))
    assert register is not None
    assert agreement is not None
    (sums,) = register["tables"]["sums"]
    (one,) = register["tables"]["instalments"]
    assert sums["paid_won"] + sums["advance_won"] == one["paid_won"] + one["advance_won"] == left_won
    assert (
        one["returned_won"] == sums["returned_won"] == sum(row["amount_won"] for row in register["tables"]["returns"])
    )
    (agreed,) = agreement["tables"]["sums"]
    assert (agreed["budget_paid_won"], agreed["contract_paid_won"]) == (left_won, left_won)
    assert [row["check"] for row in register["tables"]["checks"] if row["agrees"] is False] == []


def test_a_return_that_the_contract_does_not_show_is_exposed() -> None:
    """The negative control of the comparison: the rules refuse it, the folds name it in a log written around them."""
    folds = fold_all()
    for index, event in enumerate((*PAID, BACK)):
        folds.apply(index, event)
    answer = fold_answer(folds, "contract-checks", "roads", tree_size=len(PAID) + 1)
    assert answer is not None
    (row,) = answer["tables"]["findings"]
    assert (row["finding"], row["difference_won"]) == ("PAYMENTS_DIFFER", -10)
