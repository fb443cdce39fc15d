"""Which corrections does a contract refuse? What is reversed and replaced must leave every identity whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from audit_service.rules.decide import decide, evolve
from audit_service.rules.states import ONLY
from audit_service.rules.undo import Undo
from audit_service.rules.world import read_contract
from tests.support.contract_events import (
    BASIS,
    accepted,
    amended,
    completed,
    contract_corrected,
    damages,
    good_work,
    inspected,
    instalment_closed,
    obligated_for,
    payment_pair,
    prior_step,
    replacing,
    started,
    subcontract,
    subcontract_paid,
    tender,
    tender_cancelled,
    terminated,
)
from tests.support.events import (
    PARKS,
    allotted,
    appropriated,
    budget,
    contract_paid,
    corrected,
    line,
    obligated,
    obligation_adjusted,
    opened,
    paid,
    planned,
    signed,
)
from tests.support.given import Refusal, given, name_of, refuses, snapshot

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import ContractState

FUNDED = (opened(), line("a"), appropriated({"a": 100}), allotted(100))
PLANNED = (*FUNDED, planned(data={"prior_steps": ["SECURITY_REVIEW"]}))
STEP = (*PLANNED, prior_step(id="step"))
SIGNED = (*PLANNED, obligated_for(100), signed({"amount_won": 90}))
INSPECTED = (*SIGNED, inspected(id="inspection"))
WORKED = (*INSPECTED, accepted(60, id="acceptance"))
PAID = (*WORKED, *payment_pair(50))
AMENDED = (*SIGNED, amended(10, {"new_total_noted_won": 100}, id="amendment"))
SUBCONTRACTED = (*SIGNED, subcontract(60, id="sub"), subcontract_paid(40, id="sub-payment"))
DAMAGED = (*SIGNED, damages(4, {"base_won": 90}, id="assessment"))


def assessed(won: int, **fields: Any) -> Event:
    return damages(won, {"base_won": 90, **fields})


def corrected_pair(old: Event, won: int | None, data: dict[str, Any] | None = None) -> tuple[Event, Event]:
    """Both halves of a payment's correction; without an amount the payment is only taken back."""
    new_paid, new_half = None, None
    if won is not None:
        new_paid = paid(won, obligation="for-1", contract_paid_id="fix-c")
        new_half = contract_paid(won, {"budget_paid_id": "fix-b"})
    first = corrected(old, new_paid, {"contract_corrected_id": "fix-c"}, id="fix-b")
    pair = {"budget_corrected_id": "fix-b", "budget_subject": budget(), **(data or {})}
    return first, contract_corrected(f"c{old.id[1:]}", new_half, pair, id="fix-c")


OLD = payment_pair(50)[0]
TWO_AT_ONCE = {"replacement": replacing(prior_step()) | replacing(accepted(1))}
FAILED = inspected(data={"result": "FAIL"})
FIRST_40, SECOND_40 = corrected_pair(OLD, 40)
NEXT_DAY = replace(SECOND_40, legal_date="2021-06-16")

REFUSALS = (
    Refusal("contract.not-planned", "nothing to correct", (), contract_corrected("step")),
    Refusal("contract.not-owner", "another agency", STEP, contract_corrected("step", source=PARKS)),
    Refusal("contract.correction-unknown", "it names nothing", STEP, contract_corrected(None)),
    Refusal("contract.correction-unknown", "no such event", STEP, contract_corrected("other")),
    Refusal(
        "contract.correction-unknown",
        "a signing stays",
        (*PLANNED, obligated_for(90), signed({"amount_won": 90}, id="signing")),
        contract_corrected("signing"),
    ),
    Refusal(
        "contract.corrected-twice", "it is reversed", (*STEP, contract_corrected("step")), contract_corrected("step")
    ),
    Refusal("contract.replacement-type", "another type", STEP, contract_corrected("step", accepted(1))),
    Refusal(
        "contract.replacement-type",
        "two at once",
        STEP,
        contract_corrected("step", None, TWO_AT_ONCE),
    ),
    Refusal("contract.replacement-type", "none at all", STEP, contract_corrected("step", None, {"replacement": {}})),
    Refusal("contract.replacement-type", "another round", STEP, contract_corrected("step", prior_step(number=2)), 1),
    Refusal(
        "contract.correction-basis",
        "it has ended",
        (*WORKED, terminated(60)),
        contract_corrected("acceptance", accepted(59)),
    ),
    # The replacement keeps the rule of its own type.
    Refusal(
        "contract.inspection-unknown", "not inspected", WORKED, contract_corrected("acceptance", accepted(9, "n9"))
    ),
    Refusal("contract.accepted-exceeds-instalment", "more", WORKED, contract_corrected("acceptance", accepted(91)), 90),
    Refusal("contract.exceeds-budget-lines", "more", AMENDED, contract_corrected("amendment", amended(11)), 100),
    Refusal("contract.damages-differ", "another sum", DAMAGED, contract_corrected("assessment", assessed(5)), 4),
    Refusal(
        "contract.exceeds-contract", "more than all", SUBCONTRACTED, contract_corrected("sub", subcontract(91)), 90
    ),
    # Everything else still holds.
    Refusal(
        "contract.correction-breaks",
        "the tender stood on it",
        (*STEP, tender()),
        contract_corrected("step", prior_step(result="REJECTED")),
    ),
    Refusal(
        "contract.correction-breaks",
        "a second round followed the rejection",
        (*PLANNED, prior_step(result="REJECTED", id="step"), prior_step(number=2)),
        contract_corrected("step", prior_step()),
    ),
    Refusal(
        "contract.correction-breaks",
        "a round is missing",
        (*PLANNED, prior_step(result="REJECTED", id="step"), prior_step(number=2)),
        contract_corrected("step"),
    ),
    Refusal("contract.correction-breaks", "it was accepted", WORKED, contract_corrected("inspection")),
    Refusal(
        "contract.correction-breaks",
        "it was accepted",
        WORKED,
        contract_corrected("inspection", FAILED),
    ),
    Refusal("contract.correction-breaks", "50 won are paid", PAID, contract_corrected("acceptance", accepted(49))),
    Refusal("contract.correction-breaks", "50 won are paid", PAID, contract_corrected("acceptance")),
    Refusal(
        "contract.correction-breaks",
        "it closed at 60 won",
        (*SIGNED, inspected(data={"kind": "FINAL"}), accepted(60, id="acceptance"), instalment_closed(60)),
        contract_corrected("acceptance", accepted(59)),
    ),
    Refusal("contract.correction-breaks", "40 won are paid on it", SUBCONTRACTED, contract_corrected("sub")),
    Refusal("contract.correction-breaks", "40 won are paid", SUBCONTRACTED, contract_corrected("sub", subcontract(39))),
    Refusal(
        "contract.correction-breaks",
        "95 won are accepted",
        (*AMENDED, *good_work(95)),
        contract_corrected("amendment"),
    ),
    Refusal(
        "contract.correction-breaks",
        "subcontracts of 95 won",
        (*AMENDED, subcontract(95)),
        contract_corrected("amendment"),
    ),
    Refusal(
        "contract.correction-breaks",
        "no inspection would stand behind the payment",
        (*WORKED, inspected("n2", id="second"), *payment_pair(50, data={"inspection_id": "n2"})),
        contract_corrected("second"),
    ),
    Refusal(
        "contract.obligation-missing",
        "a reduction taken back needs its obligation again",
        (
            *SIGNED,
            amended(-40, id="amendment"),
            obligation_adjusted(-50, obligation="for-1"),
            obligated(50),
        ),
        contract_corrected("amendment"),
        50,
    ),
    # A payment is corrected on both streams.
    Refusal("contract.correction-pair", "the budget does not know", PAID, contract_corrected("cp1")),
    Refusal("contract.correction-pair", "no correction of a payment", PAID, SECOND_40),
    Refusal(
        "contract.correction-pair",
        "an acceptance has no half on the budget",
        PAID,
        contract_corrected("acceptance", accepted(55), {"budget_corrected_id": "fix-b", "budget_subject": budget()}),
    ),
    Refusal(
        "contract.correction-pair",
        "another budget",
        (*PAID, FIRST_40),
        corrected_pair(OLD, 40, {"budget_subject": budget(2022)})[1],
    ),
    Refusal("contract.correction-differs", "another amount", (*PAID, FIRST_40), corrected_pair(OLD, 39)[1]),
    Refusal("contract.correction-differs", "another day", (*PAID, FIRST_40), NEXT_DAY),
    Refusal("contract.correction-differs", "only reversed here", (*PAID, FIRST_40), corrected_pair(OLD, None)[1]),
    Refusal(
        "contract.correction-differs",
        "only reversed there",
        (*PAID, corrected_pair(OLD, None)[0]),
        corrected_pair(OLD, 40)[1],
    ),
    Refusal(
        "contract.correction-differs",
        "another payment's correction",
        (*PAID, *payment_pair(10, 2), FIRST_40),
        contract_corrected("cp2", None, {"budget_corrected_id": "fix-b", "budget_subject": budget()}, id="fix-c"),
    ),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def state_of(*events: Event) -> ContractState:
    state = read_contract(given(*events), "lamps")
    assert state is not None
    return state


def test_a_wrong_acceptance_is_replaced_and_its_correction_may_be_corrected_too() -> None:
    first = contract_corrected("acceptance", accepted(50), id="fix-1")
    assert state_of(*PAID, first).instalments[1].accepted_won == 50
    second = contract_corrected("fix-1", accepted(55), id="fix-2")
    assert state_of(*PAID, first, second).instalments[1].accepted_won == 55


def test_what_only_happened_twice_is_taken_back() -> None:
    twice = (*WORKED, inspected("n2", id="second"), accepted(30, "n2", id="again"))
    state = state_of(*twice, contract_corrected("again"), contract_corrected("second"))
    assert state.instalments[1].accepted_won == 60
    assert state.inspections["n2"] is None


def test_an_id_that_a_correction_took_back_is_free_again() -> None:
    again = (contract_corrected("acceptance"), contract_corrected("inspection"), *good_work(70))
    assert state_of(*WORKED, *again).instalments[1].accepted_won == 70


def test_an_inspection_keeps_its_acceptance_and_a_subcontract_its_payments() -> None:
    state = state_of(*WORKED, contract_corrected("inspection", inspected(data={"result": "PARTIAL"})))
    assert state.inspections["n1"] is not None
    assert (state.inspections["n1"].result, state.inspections["n1"].accepted_won) == ("PARTIAL", 60)
    fixes = (contract_corrected("sub", subcontract(50)), contract_corrected("sub-payment"))
    approved = state_of(*SUBCONTRACTED, *fixes).subcontracts["s1"]
    assert approved is not None
    assert (approved.amount_won, approved.paid_won) == (50, 0)


def test_a_corrected_amendment_keeps_its_place_among_the_amendments() -> None:
    """The later amendment still states the total; taken back, the corrected one does."""
    both = (*AMENDED, amended(0, {"new_total_noted_won": 120}, id="later"))
    fix = contract_corrected("amendment", amended(5, {"new_total_noted_won": 110}), id="fix")
    state = state_of(*both, fix)
    assert (state.contract[ONLY].total_noted_won, state.contract[ONLY].instalments_won) == (120, 95)
    assert state_of(*both, fix, contract_corrected("later")).contract[ONLY].total_noted_won == 110


def test_damages_and_steps_are_corrected() -> None:
    state = state_of(*DAMAGED, contract_corrected("assessment", assessed(9, days=2)))
    assert (state.instalments[1].kept_won, state.instalments[1].damages_won) == (9, 9)
    rejected = contract_corrected("step", prior_step(result="REJECTED"), id="fix")
    assert state_of(*STEP, rejected, prior_step(number=2)).prior_steps["SECURITY_REVIEW"] == ("REJECTED", "PASSED")
    assert state_of(*STEP, contract_corrected("step"), prior_step()).prior_steps["SECURITY_REVIEW"] == ("PASSED",)
    over = (*STEP, tender(), tender_cancelled(), contract_corrected("step", prior_step(result="REJECTED")))
    assert state_of(*over).prior_steps["SECURITY_REVIEW"] == ("REJECTED",)


def test_a_payment_is_corrected_on_both_streams() -> None:
    world = given(*PAID, FIRST_40, SECOND_40)
    state = read_contract(world, "lamps")
    assert state is not None
    assert state.instalments[1].paid_won == 40
    back = given(*PAID, *corrected_pair(OLD, None))
    state = read_contract(back, "lamps")
    assert state is not None
    assert (state.instalments[1].paid_won, set(state.payments.values())) == (0, {None})


def test_a_payment_that_was_never_the_contracts_leaves_it() -> None:
    smaller = (*PLANNED, obligated_for(90), signed({"amount_won": 90}), *good_work(60), obligated(10))
    first = corrected("bp1", paid(9), {"contract_corrected_id": "fix-c"}, id="fix-b")
    second = corrected_pair(OLD, None)[1]
    history = (*smaller, *payment_pair(9))
    assert state_of(*history, first, second).instalments[1].paid_won == 0


def test_after_the_end_a_correction_names_its_basis() -> None:
    ended = (
        *SIGNED,
        started(),
        *good_work(50, kind="FINAL"),
        subcontract(30, id="sub"),
        instalment_closed(50),
        *payment_pair(50),
        completed(50),
    )
    state = state_of(*ended, contract_corrected("sub", subcontract(20), {"basis": BASIS}))
    assert state.contract[ONLY].subcontracts_won == 20
    assert state.contract[ONLY].ended == "COMPLETED"


@pytest.mark.parametrize("case", REFUSALS[5:], ids=name_of)
def test_a_refused_correction_leaves_no_trace_even_in_the_order_of_a_dictionary(case: Refusal) -> None:
    world = given(*case.given)
    before = {subject: [list(part.items()) for part in state] for subject, state in world.streams.items()}
    refuses(case)
    with pytest.raises(Exception, match=case.rule_id):
        decide(world, case.when)
    assert {name: [list(part.items()) for part in state] for name, state in world.streams.items() if any(state)} == {
        name: parts for name, parts in before.items() if any(parts)
    }


def test_undo_brings_back_what_a_correction_changed() -> None:
    world, undo = given(*PAID), Undo()
    before = snapshot(world)
    for event in (contract_corrected("acceptance", accepted(50)), FIRST_40, SECOND_40):
        decide(world, event)
        evolve(world, event, undo)
    assert snapshot(world) != before
    undo.rollback(to=0)
    assert snapshot(world) == before
