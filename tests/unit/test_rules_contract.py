"""Which signings does a contract refuse? Promises stay within award, total, budget lines and obligations."""

from __future__ import annotations

from typing import Any

import pytest

from audit_service.rules.contract_states import Contract, Instalment
from audit_service.rules.states import ONLY
from audit_service.rules.world import read_contract
from tests.support.contract_events import (
    accepted,
    amended,
    good_work,
    inspected,
    instalment_closed,
    obligated_for,
    payment_pair,
    subcontract,
    terminated,
)
from tests.support.events import (
    PARKS,
    ROADS,
    allotted,
    appropriated,
    budget,
    contract_paid,
    instalment,
    line,
    obligation_adjusted,
    opened,
    plan,
    planned,
    signed,
)
from tests.support.given import Refusal, given, name_of, refused, refuses
from tests.unit import test_rules_contract_corrections as corrections
from tests.unit import test_rules_contract_returns as returns
from tests.unit import test_rules_contract_tender as tender
from tests.unit import test_rules_contract_work as work

FUNDED = (
    opened(),
    line("a"),
    line("c", project="parks"),
    appropriated({"a": 100, "c": 50}),
    allotted(100),
    opened(2022),
    line("a", year=2022),
    line("b", year=2022),
    appropriated({"a": 100, "b": 20}, year=2022),
    allotted(100, year=2022),
)
PLANNED = (*FUNDED, planned())
LONG = {"contract_type": "LONG_TERM_CONTINUING", "total_noted_won": 150}
TUNNEL = {"contract_type": "CONTINUING_EXPENDITURE", "plan_subject": budget(), "plan_id": "tunnel", "amount_won": 60}
UNIT_PRICE = {"contract_type": "UNIT_PRICE"}
LINE_A = {"subject": budget(), "line_id": "a"}
LINE_A_2022 = {"subject": budget(2022), "line_id": "a"}
LINE_B_2022 = {"subject": budget(2022), "line_id": "b"}
BOUND = (*PLANNED, obligated_for(60), obligated_for(40, obligation="more"))
SINGLE = (*BOUND, signed())
LONG_TERM = (*BOUND, signed({**LONG, "amount_won": 60}), obligated_for(90, instalment=2, year=2022))
WITH_PLAN = (*BOUND, plan({2021: 60, 2022: 70}), obligated_for(90, instalment=2, year=2022))
CONTINUING = (*WITH_PLAN, signed(TUNNEL))
SMALL = (*PLANNED, obligated_for(60), signed({"amount_won": 60}))
SETTLED = (*SMALL, *good_work(50), *payment_pair(30))


def lines(*refs: dict[str, Any]) -> dict[str, Any]:
    return {"budget_lines": list(refs)}


REFUSALS = (
    Refusal("contract.not-planned", "signed out of nothing", FUNDED, signed()),
    Refusal("contract.not-planned", "paid out of nothing", FUNDED, contract_paid(1)),
    Refusal("contract.planned-twice", "it is planned", PLANNED, planned()),
    Refusal("contract.not-owner", "another agency plans it again", PLANNED, planned(source=PARKS), ROADS),
    Refusal("contract.not-owner", "another agency signs it", PLANNED, signed(source=PARKS), ROADS),
    Refusal(
        "contract.period-dates", "a plan that ends first", (), planned(data={"start": "2021-02", "end": "2021-01"})
    ),
    Refusal("contract.period-dates", "a contract that ends first", PLANNED, signed({"start": "2022-01"}), "2022-01"),
    Refusal("contract.period-dates", "an instalment that ends first", LONG_TERM, instalment(data={"end": "2021-12"})),
    Refusal("contract.period-dates", "an amendment that ends first", SINGLE, amended(0, {"new_end": "2020-12"})),
    Refusal("contract.signed-twice", "it is signed", SINGLE, signed()),
    Refusal("contract.amount-missing", "no amount", PLANNED, signed({"amount_won": None})),
    Refusal(
        "contract.amount-missing",
        "an invented contract without amount",
        PLANNED,
        signed({"amount_won": None, "provenance": "illustrative"}),
    ),
    Refusal("contract.total-noted-missing", "no total", PLANNED, signed({**LONG, "total_noted_won": None})),
    Refusal("contract.exceeds-total-noted", "more than all", PLANNED, signed({**LONG, "total_noted_won": 99}), 99),
    Refusal("contract.line-unknown", "no such line", PLANNED, signed(lines({**LINE_A, "line_id": "z"}))),
    Refusal("contract.line-unknown", "no such year", PLANNED, signed(lines({**LINE_A, "subject": budget(2019)}))),
    Refusal("contract.line-unknown", "no budget's name", PLANNED, signed(lines({**LINE_A, "subject": "예산"}))),
    Refusal("contract.line-repeated", "counted twice", PLANNED, signed(lines(LINE_A, LINE_A))),
    Refusal("contract.line-year-differs", "next year's money", PLANNED, signed(lines(LINE_A_2022)), 2021),
    Refusal("contract.exceeds-budget-lines", "one won too many", PLANNED, signed({"amount_won": 101}), 100),
    # Obligations come before the signing.
    Refusal("contract.obligation-missing", "nothing is obligated", PLANNED, signed(), 0),
    Refusal("contract.obligation-missing", "one won is not", SMALL[:-1], signed({"amount_won": 61}), 60),
    Refusal(
        "contract.obligation-missing",
        "another instalment's obligation",
        (*PLANNED, obligated_for(100, instalment=2)),
        signed(),
        0,
    ),
    Refusal(
        "contract.obligation-missing",
        "another line's obligation could not pay it",
        (*PLANNED, allotted(50, line_id="c"), obligated_for(50, line_id="c")),
        signed({"amount_won": 50}),
        0,
    ),
    Refusal(
        "contract.obligation-missing",
        "an invented contract is no import",
        PLANNED,
        signed({"provenance": "illustrative"}),
        0,
    ),
    Refusal(
        "contract.obligation-missing",
        "one won of the instalment is not obligated",
        (*BOUND, signed({**LONG, "amount_won": 60}), obligated_for(89, instalment=2, year=2022)),
        instalment(data={"amount_won": 90}),
        89,
    ),
    # Further instalments.
    Refusal("contract.not-signed", "an amendment of a plan", PLANNED, amended(1)),
    Refusal("contract.not-signed", "an instalment of a plan", PLANNED, instalment()),
    Refusal("contract.not-signed", "a payment on a plan", PLANNED, contract_paid(1)),
    Refusal("contract.ended", "an instalment of what has ended", (*LONG_TERM, terminated(60)), instalment()),
    Refusal("contract.not-long-term", "a single contract", SINGLE, instalment()),
    Refusal("contract.instalment-number", "a gap", LONG_TERM, instalment(3), 2),
    Refusal("contract.instalment-year", "the same year", LONG_TERM, instalment(data={"fiscal_year": 2021}), 2022),
    Refusal(
        "contract.instalment-open", "the first is not closed", LONG_TERM, instalment(data={"overlap_reason_ko": None})
    ),
    Refusal("contract.exceeds-total-noted", "beyond the total", LONG_TERM, instalment(data={"amount_won": 91}), 150),
    Refusal(
        "contract.exceeds-budget-lines",
        "beyond the year's line",
        (*BOUND, signed({**LONG, "total_noted_won": 999})),
        instalment(data={"amount_won": 101}),
        100,
    ),
    Refusal(
        "contract.line-year-differs",
        "last year's money",
        LONG_TERM,
        instalment(data={"amount_won": 9, **lines(LINE_A)}),
        2022,
    ),
    # A continuing expenditure keeps to its plan.
    Refusal("contract.plan-missing", "no plan is named", WITH_PLAN, signed({**TUNNEL, "plan_id": None})),
    Refusal("contract.plan-unknown", "no such plan", WITH_PLAN, signed({**TUNNEL, "plan_id": "bridge"})),
    Refusal("contract.plan-unknown", "no budget's name", WITH_PLAN, signed({**TUNNEL, "plan_subject": "예산"})),
    Refusal(
        "contract.plan-unknown",
        "another project's plan",
        (*BOUND, plan({2021: 60, 2022: 70}, project="parks")),
        signed(TUNNEL),
    ),
    Refusal("contract.exceeds-plan", "more than the first year", WITH_PLAN, signed({**TUNNEL, "amount_won": 61}), 60),
    Refusal("contract.exceeds-plan", "more than both years", CONTINUING, instalment(data={"amount_won": 71}), 130),
    Refusal("contract.exceeds-plan", "more by an amendment", CONTINUING, amended(1), 60),
    # Amendments.
    Refusal("contract.instalment-unknown", "no such instalment", SINGLE, amended(1, {"instalment": 2})),
    Refusal(
        "contract.instalment-closed",
        "what is closed stays",
        (*SMALL, *good_work(50, kind="FINAL"), instalment_closed(50)),
        amended(-1),
    ),
    Refusal("contract.amendment-empty", "nothing changes", SINGLE, amended(0)),
    Refusal("contract.amendment-below-settled", "less than accepted", SETTLED, amended(-11), -10),
    Refusal("contract.amendment-below-settled", "less than nothing", SMALL, amended(-61), -60),
    Refusal("contract.exceeds-budget-lines", "more than the line", SINGLE, amended(1), 100),
    Refusal("contract.obligation-missing", "more than can be obligated", (*SMALL, allotted(-10)), amended(31), 90),
    Refusal("contract.exceeds-total-noted", "beyond", LONG_TERM, amended(1, {"new_total_noted_won": 60}), 60),
    Refusal("contract.exceeds-contract", "less than subcontracts", (*SMALL, subcontract(55)), amended(-6), 55),
    Refusal(
        "contract.amount-missing",
        "no amount to change",
        (*PLANNED, signed({"amount_won": None, "provenance": "derived"})),
        amended(1),
    ),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_a_contract_remembers_what_is_promised_and_paid() -> None:
    state = read_contract(given(*SETTLED), "lamps")
    assert state is not None
    assert state.contract[ONLY] == Contract(
        ROADS, "lights", contract_type="SINGLE", last_instalment=1, instalments_won=60
    )
    line_a = ((budget(), "a"),)
    assert state.instalments == {1: Instalment(2021, 60, "2021-01", line_a, accepted_won=50, paid_won=30)}


def test_an_imported_contract_may_lack_what_its_source_lacks() -> None:
    """The first year of the real maintenance contract: its price is printed nowhere, the second year's is."""
    imported = signed({**LONG, "amount_won": None, "total_noted_won": None, "provenance": "derived"})
    world = given(*PLANNED, imported, instalment(data={"overlap_reason_ko": None, "provenance": "printed"}))
    state = read_contract(world, "lamps")
    assert state is not None
    assert [one.amount_won for one in state.instalments.values()] == [None, 100]


def test_an_instalment_may_draw_on_several_lines() -> None:
    both = (allotted(20, line_id="b", year=2022), obligated_for(20, instalment=2, year=2022, line_id="b"))
    whole = {"amount_won": 110, **lines(LINE_A_2022, LINE_B_2022)}
    large = {**LONG, "amount_won": 60, "total_noted_won": 999}
    first = (*BOUND, signed(large), obligated_for(90, instalment=2, year=2022, obligation="first"), *both)
    given(*first, instalment(data=whole))
    assert refused(given(*first), instalment(data={**whole, "amount_won": 111})).allowed == 110


def test_the_next_instalment_follows_the_closing_of_the_one_before() -> None:
    closing = (inspected(data={"kind": "FINAL"}), accepted(60), instalment_closed(60))
    given(*LONG_TERM, *closing, instalment(data={"amount_won": 90, "overlap_reason_ko": None}))


def test_a_unit_price_contract_signs_an_estimate_without_obligations() -> None:
    given(*PLANNED, signed(UNIT_PRICE), amended(-10))


def test_an_increase_comes_before_its_obligation() -> None:
    """The obligation stays within what is signed, so it follows; what it needs must be free before."""
    world = given(*SMALL, amended(40), obligation_adjusted(40, obligation="for-1"))
    state = read_contract(world, "lamps")
    assert state is not None
    assert state.instalments[1].amount_won == 100
    assert state.contract[ONLY].instalments_won == 100


def test_the_total_noted_is_the_last_one_that_an_amendment_states() -> None:
    world = given(
        *LONG_TERM, amended(0, {"new_total_noted_won": 170}), amended(-1), instalment(data={"amount_won": 90})
    )
    state = read_contract(world, "lamps")
    assert state is not None
    assert (state.contract[ONLY].total_noted_won, state.contract[ONLY].instalments_won) == (170, 149)


# What these say is only that an id is used, or that nothing has it: there is no figure to show, and ids are not echoed.
ABOUT_IDS = ("-duplicate", "-unknown", "-twice", "-repeated", ".not-planned", ".not-signed", ".correction-pair")


def test_refusals_say_which_figures_do_not_fit_or_what_would_pass() -> None:
    cases = [*REFUSALS, *corrections.REFUSALS, *returns.REFUSALS, *tender.REFUSALS, *work.REFUSALS]
    for case in cases:
        broken = refused(given(*case.given), case.when)
        says = broken.columns is not None or broken.allowed is not None
        assert says or broken.rule_id.endswith(ABOUT_IDS), broken.rule_id
