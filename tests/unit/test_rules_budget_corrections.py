"""What may a correction take back, and what must still stand afterwards?

Each row of `REFUSALS` breaks exactly one rule; `refuses` also holds that trying left no trace. Then: each type that
can be corrected is reversed and replaced, and the columns say what they would have said without the mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from audit_service.catalogue import budget as catalogue
from audit_service.rules.budget_corrections import CORRECTABLE, member_of
from audit_service.rules.budget_states import BudgetState, Correction
from audit_service.rules.decide import reads
from audit_service.rules.world import Replica, read_budget
from tests.support.events import (
    CONTRACT,
    adjusted,
    allotted,
    appropriated,
    budget,
    carried_over,
    closed,
    corrected,
    cost_basis,
    crossed,
    declared,
    line,
    obligated,
    obligation_adjusted,
    opened,
    paid,
    planned,
    reallotted,
    reassigned,
    refunded,
    released,
    returned,
    schedule,
    settlement,
    settlement_row,
    signed,
    step,
    substituted,
    supplemented,
    transferred,
    used_early,
)
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event


def _levels(policy: str, object_code: str) -> dict[str, str]:
    return {"policy": policy, "object_code": object_code}


YEAR = (
    opened(),
    line("a", levels=_levels("roads", "201-01")),
    line("b", levels=_levels("roads", "207-02")),
    line("reserve", levels=_levels("reserve", "801-01")),
    line("park", levels=_levels("parks", "201-01"), project="parks"),
    line("moved", levels=_levels("roads", "201-01"), division="new-roads"),
    line("grant", fund="NATIONAL", project="grants"),
)
ROWS = {"a": 1000, "b": 500, "reserve": 100, "park": 100, "grant": 100}
ORIGINAL = appropriated(ROWS, id="original")
FUNDED = (*YEAR, ORIGINAL)
ALLOT = allotted(800, id="allot")
OBLIGE = obligated(600, id="oblige")
PAY = paid(400, id="pay")
RETURN = returned(100, id="return")
PAID = (*FUNDED, ALLOT, OBLIGE, PAY)
RETURNED = (*PAID, RETURN)
CLOSED = (*PAID, closed())
FIRST = supplemented({"a": 10}, id="first")
SECOND = supplemented({"a": 20}, number=2, id="second")
ROUNDS = (*FUNDED, FIRST, SECOND)
EARLY = used_early(40, id="early")
TAKEN_IN = (*FUNDED, EARLY, supplemented({"grant": 40}, uses=["u1"], id="taking"))
ITEM = cost_basis([{"won": 500}], 500, id="item")
STEPS = [step(1600, item_ids=["i1"])]
SCHEDULED = (*FUNDED, ITEM, schedule(STEPS, id="schedule"))
BEHIND = (*FUNDED, ALLOT, planned(), obligated(600, contract="lamps", id="oblige"))
ON_CONTRACT = (*BEHIND, paid(400, contract_paid_id="cp1", id="pay"))
BY_AUDIT: dict[str, Any] = {"basis": {"title": "결산검사"}}
HALF: dict[str, Any] = {"contract_corrected_id": "cc1"}
LATE: dict[str, Any] = {"legal_date": "2022-06-01"}


def fix(
    target: Event | str, replacement: Event | None = None, data: dict[str, Any] | None = None, **rest: Any
) -> Event:
    return corrected(target, replacement, data, **{"id": "fix", **rest})


REFUSALS = (
    # What can be corrected.
    Refusal("budget.correction-target", "no such event", PAID, fix("z")),
    Refusal("budget.correction-target", "nothing is named", PAID, fix(PAY, None, {"corrects": None})),
    Refusal("budget.correction-target", "a line stays a line", PAID, fix(YEAR[1])),
    Refusal("budget.correction-target", "another budget's event", (*PAID, opened(2022)), fix(PAY, year=2022)),
    Refusal("budget.corrected-twice", "taken back", (*RETURNED, fix(RETURN)), fix(RETURN, id="fix-2"), "fix"),
    Refusal("budget.correction-replacement", "another type", PAID, fix(PAY, allotted(1)), "paid"),
    Refusal("budget.correction-replacement", "an empty one", PAID, fix(PAY, None, {"replacement": {}}), "paid"),
    Refusal("budget.not-owner", "another agency", PAID, fix(PAY, source="urn:kr:agency:parks")),
    # When.
    Refusal("budget.legal-date-outside-year", "after the open year", PAID, fix(PAY, **LATE)),
    Refusal("budget.correction-basis", "no audit", CLOSED, fix(PAY, **LATE)),
    Refusal("budget.legal-date-outside-year", "in the closed year", CLOSED, fix(PAY, None, BY_AUDIT)),
    # The replacement passes its own rule.
    Refusal("budget.obligation-overpaid", "more than is obligated", PAID, fix(PAY, paid(601)), 600),
    Refusal("budget.line-overspent", "more than is allotted", PAID, fix(OBLIGE, obligated(801)), 800),
    Refusal("budget.totals-differ", "rows and total", FUNDED, fix(ORIGINAL, appropriated(ROWS, total=1))),
    Refusal("budget.basis-missing", "no document", FUNDED, fix(ORIGINAL, appropriated(ROWS, {"basis": None}))),
    Refusal("budget.round-number", "another round", ROUNDS, fix(FIRST, supplemented({"a": 1}, number=3)), 1),
    # What stands on it still stands.
    Refusal("budget.correction-breaks", "it is allotted", PAID, fix(ORIGINAL)),
    Refusal("budget.correction-breaks", "less than is allotted", PAID, fix(ORIGINAL, appropriated({**ROWS, "a": 799}))),
    Refusal("budget.allotment-obligated", "it is obligated", PAID, fix(ALLOT, allotted(599))),
    Refusal("budget.correction-breaks", "it is obligated", PAID, fix(ALLOT)),
    Refusal("budget.correction-breaks", "it is paid", PAID, fix(OBLIGE)),
    Refusal("budget.correction-breaks", "more is paid", PAID, fix(OBLIGE, obligated(399))),
    Refusal(
        "budget.correction-breaks",
        "paid on another line",
        (*PAID, allotted(500, line_id="b")),
        fix(OBLIGE, obligated(500, line_id="b")),
    ),
    Refusal("budget.correction-breaks", "it came back in part", RETURNED, fix(PAY)),
    Refusal("budget.correction-breaks", "more came back", RETURNED, fix(PAY, paid(99))),
    Refusal("budget.correction-breaks", "paid again since", (*RETURNED, paid(300, payment="p2")), fix(RETURN)),
    Refusal(
        "budget.correction-breaks",
        "the larger obligation is paid",
        (*PAID, obligation_adjusted(100, id="more"), paid(300, payment="p2")),
        fix("more"),
    ),
    Refusal(
        "budget.correction-breaks",
        "paid from what it added, beside another obligation",
        (*PAID, obligated(100, obligation="o2"), obligation_adjusted(100, id="more"), paid(300, payment="p2")),
        fix("more"),
    ),
    Refusal(
        "budget.correction-breaks",
        "paid again since, beside another obligation",
        (*RETURNED, obligated(200, obligation="o2"), paid(300, payment="p2")),
        fix(RETURN),
    ),
    Refusal(
        "budget.correction-breaks",
        "the next year pays its rest",
        (*PAID, carried_over(200, {"kind": "ACCIDENTAL"})),
        fix(OBLIGE, obligated(500)),
    ),
    Refusal("budget.correction-breaks", "a later round follows", ROUNDS, fix(FIRST)),
    Refusal(
        "budget.correction-breaks",
        "a use before appropriation would be open in a closed year",
        (*TAKEN_IN, closed()),
        fix("taking", supplemented({"grant": 40}), BY_AUDIT, **LATE),
    ),
    Refusal(
        "budget.correction-breaks",
        "the office has given it back",
        (*PAID, reallotted(300, id="office"), reallotted(-200), reallotted(300, office="west")),
        fix("office"),
    ),
    Refusal(
        "budget.correction-breaks",
        "the contract is signed for less",
        (
            *BEHIND,
            obligation_adjusted(-100, id="less"),
            obligated(100, obligation="o2", contract="lamps"),
            signed({"amount_won": 600}),
        ),
        fix("less"),
    ),
    Refusal(
        "budget.obligation-backs-contract",
        "the contract is signed for more",
        (*BEHIND, obligation_adjusted(100, id="more"), signed({"amount_won": 700})),
        fix("more"),
        700,
    ),
    Refusal("budget.correction-breaks", "a round stands on it", ROUNDS, fix(ORIGINAL)),
    Refusal("budget.correction-breaks", "a round took it in", TAKEN_IN, fix(EARLY)),
    Refusal("budget.correction-breaks", "a step spends it", SCHEDULED, fix(ITEM)),
    Refusal(
        "budget.correction-breaks",
        "the item moves to another line",
        SCHEDULED,
        fix(ITEM, cost_basis([{"won": 500}], 500, line_id="b")),
    ),
    Refusal(
        "budget.correction-breaks",
        "it is carried over",
        (*FUNDED, declared(50, id="declared"), carried_over(50)),
        fix("declared"),
    ),
    Refusal(
        "budget.correction-breaks",
        "the target's money is in use",
        (*FUNDED, adjusted("b", "a", 100, id="move"), allotted(1050)),
        fix("move"),
    ),
    Refusal("budget.correction-breaks", "refunded since", (*CLOSED, refunded(1)), fix(PAY, None, BY_AUDIT, **LATE)),
    # A payment on a contract.
    Refusal("budget.contract-half-missing", "the contract is not told", ON_CONTRACT, fix("pay")),
    Refusal("budget.contract-half-missing", "no contract to tell", PAID, fix(PAY, None, HALF)),
    Refusal("budget.contract-half-missing", "no payment at all", PAID, fix(ALLOT, allotted(700), HALF)),
    Refusal(
        "budget.contract-half-missing",
        "its new half is the correction",
        ON_CONTRACT,
        fix("pay", paid(300, contract_paid_id="cp1"), HALF),
        "cc1",
    ),
    Refusal(
        "budget.correction-contract",
        "to another contract",
        (*ON_CONTRACT, planned("contract/poles"), obligated(9, obligation="o2", contract="poles")),
        fix("pay", paid(9, obligation="o2", contract_paid_id="cc1"), HALF),
        "lamps",
    ),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def state_of(world: Replica) -> BudgetState:
    state = read_budget(world, budget())
    assert state is not None
    return state


def figures(world: Replica) -> dict[str, Any]:
    """Everything that the state says, apart from which event said it, what was moved once, and what was taken back."""
    state = state_of(world)
    return {
        "year": state.year["only"],
        "lines": {name: one._replace(moved=True) for name, one in state.lines.items()},
        "obligations": {name: one for name, one in state.obligations.items() if one.standing},
        "payments": {name: one._replace(event_id="") for name, one in state.payments.items() if one.standing},
        "items": {name: one for name, one in state.items.items() if one.standing},
        "schedules": {name: one for name, one in state.schedules.items() if one.standing},
        "returns": {name: one._replace(event_id="") for name, one in state.returns.items() if one.standing},
        "early": {name: one for name, one in state.pre_appropriations.items() if one.standing},
        "rounds": {number: ids for number, ids in state.rounds.items() if ids is not None},
        "revenues": {name: one for name, one in state.revenues.items() if one.uses},
        "offices": {name: won for name, won in state.offices.items() if won},
        "bound": {name: won for name, won in state.bound.items() if won},
    }


# What happened before, the wrong event, and what should have happened instead.
MISTAKES: dict[str, tuple[tuple[Event, ...], Event, Event]] = {
    "appropriated": (YEAR, appropriated({"a": 1}), appropriated({"b": 2})),
    "supplemented": ((*FUNDED, EARLY), supplemented({"grant": 50}, uses=["u1"]), supplemented({"a": 9})),
    "pre_appropriation_used": (FUNDED, used_early(1), used_early(2, use="u2")),
    "revenue_substituted": (FUNDED, substituted(1, excess=2), substituted(3, excess=4, line_id="b")),
    "reserve_released": (FUNDED, released("reserve", "a", 1), released("reserve", "b", 2)),
    "cross_transferred": (FUNDED, crossed("a", "park", 1), crossed("park", "a", 2)),
    "transferred": (FUNDED, transferred("a", "b", 1), transferred("b", "a", 2)),
    "reassigned": (FUNDED, reassigned(("a", "moved", 1), ("a", "moved", 2)), reassigned(("a", "moved", 5))),
    "adjusted": (FUNDED, adjusted("a", "b", 1), adjusted("b", "a", 2)),
    "allotted": (FUNDED, allotted(1), allotted(2, line_id="b")),
    "reallotted": ((*FUNDED, ALLOT), reallotted(1), reallotted(2, office="west")),
    "obligation_incurred": ((*FUNDED, ALLOT, planned()), obligated(1, contract="lamps"), obligated(2)),
    "obligation_adjusted": ((*FUNDED, ALLOT, OBLIGE), obligation_adjusted(1), obligation_adjusted(-2)),
    "paid": ((*FUNDED, ALLOT, OBLIGE), paid(1), paid(2, payment="p2")),
    "returned": (PAID, returned(1), returned(2, name="t2")),
    "carryover_declared": (FUNDED, declared(1), declared(2, line_id="b")),
    "cost_basis_recorded": (FUNDED, cost_basis([{"won": 1}], 1), cost_basis([{"won": 2}], 2, line_id="b")),
    "schedule_set": ((*FUNDED, ITEM), schedule(STEPS), schedule([step(1600)])),
}


def test_every_member_of_a_replacement_has_a_mistake_and_a_rule() -> None:
    members = set(get_type_hints(catalogue.Replacement))
    assert set(MISTAKES) == members == {member_of(name) for name in CORRECTABLE}
    assert members <= set(catalogue.Replacement.__struct_fields__)


@pytest.mark.parametrize("member", MISTAKES)
def test_a_correction_leads_to_where_the_right_event_would_have_led(member: str) -> None:
    before, wrong, right = MISTAKES[member]
    assert figures(given(*before, wrong, fix(wrong, right))) == figures(given(*before, right))


@pytest.mark.parametrize("member", MISTAKES)
def test_a_correction_without_replacement_leads_back(member: str) -> None:
    before, wrong, _ = MISTAKES[member]
    assert figures(given(*before, wrong, fix(wrong))) == figures(given(*before))


@pytest.mark.parametrize("member", MISTAKES)
def test_a_correction_is_corrected_in_its_turn(member: str) -> None:
    before, wrong, right = MISTAKES[member]
    taken_back, again = fix(wrong), corrected("fix", right, id="fix-2")
    replaced, undone = fix(wrong, right), corrected("fix", id="fix-2")
    assert figures(given(*before, wrong, taken_back, again)) == figures(given(*before, right))
    assert figures(given(*before, wrong, replaced, undone)) == figures(given(*before))
    state = state_of(given(*before, wrong, taken_back, again))
    assert state.corrected == {wrong.id: "fix", "fix": "fix-2"}


def test_payments_find_a_larger_obligation_again() -> None:
    """While something is paid on an obligation, its amount is all that a correction changes."""
    state = state_of(given(*PAID, fix(OBLIGE, obligated(700))))
    assert (state.obligations["o1"].amount_won, state.obligations["o1"].paid_won) == (700, 400)


def test_a_round_in_the_middle_is_replaced_in_its_place() -> None:
    state = state_of(given(*ROUNDS, fix(FIRST, supplemented({"a": 11}))))
    assert state.lines["a"].final_won == 1031
    assert state.year["only"].rounds == 2


def test_a_closed_and_settled_year_is_corrected_on_an_audit_s_document() -> None:
    rows = [
        settlement_row(final_budget_won=1600, executed_won=400),
        settlement_row("parks", final_budget_won=100),
        settlement_row("grants", final_budget_won=100),
    ]
    world = given(*CLOSED, settlement(rows), fix(PAY, paid(399), BY_AUDIT, **LATE))
    state = state_of(world)
    assert state.lines["a"].executed_won == 399
    assert (state.year["only"].closed, state.year["only"].settled) == (True, True)


def test_the_contract_s_half_finds_the_old_and_the_new_amount() -> None:
    state = state_of(given(*ON_CONTRACT, fix("pay", paid(300, contract_paid_id="cc1"), HALF)))
    assert state.corrections["fix"] == Correction("pay", "p1", 400, 300, "lamps", "cc1", "2021-06-15")
    assert (state.payments["p1"].event_id, state.payments["p1"].contract_paid_id) == ("fix", "cc1")
    taken_back = state_of(given(*ON_CONTRACT, fix("pay", None, HALF)))
    assert taken_back.corrections["fix"] == Correction("pay", "p1", 400, 0, "lamps", "cc1", "2021-06-15")
    assert not taken_back.payments["p1"].standing


def test_a_payment_may_leave_its_contract() -> None:
    elsewhere = (*ON_CONTRACT, obligated(100, obligation="o2"))
    state = state_of(given(*elsewhere, fix("pay", paid(100, obligation="o2"), HALF)))
    assert state.corrections["fix"].new_won == 100
    assert state.payments["p1"].contract_paid_id is None


def test_a_correction_reads_the_contract_of_the_obligation_that_it_posts() -> None:
    assert reads(fix(OBLIGE, obligated(1, contract="lamps"))) == (CONTRACT,)
    assert reads(fix(PAY, paid(1))) == reads(fix(PAY)) == ()
