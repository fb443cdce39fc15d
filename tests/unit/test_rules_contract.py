"""Which events does a contract refuse? Promises stay within budget lines, payments answer the budget's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_service.rules.states import ONLY, Contract, Instalment
from audit_service.rules.world import read_contract
from tests.support.events import (
    CONTRACT,
    PARKS,
    ROADS,
    allotted,
    appropriated,
    budget,
    contract_paid,
    instalment,
    line,
    obligated,
    opened,
    paid,
    planned,
    signed,
)
from tests.support.given import Refusal, given, name_of, refused, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

FUNDED = (
    opened(),
    line("a"),
    appropriated({"a": 100}),
    allotted(100),
    opened(2022),
    line("a", year=2022),
    line("b", year=2022),
    appropriated({"a": 100, "b": 20}, year=2022),
)
PLANNED = (*FUNDED, planned())
LONG = {"contract_type": "LONG_TERM_CONTINUING", "total_noted_won": 150}
LINE_A = {"subject": budget(), "line_id": "a"}
LINE_A_2022 = {"subject": budget(2022), "line_id": "a"}
LINE_B_2022 = {"subject": budget(2022), "line_id": "b"}
SINGLE = (*PLANNED, signed())
LONG_TERM = (*PLANNED, signed({**LONG, "amount_won": 60}))
OBLIGED = (*SINGLE, obligated(90, contract="lamps"))
PAID = (*OBLIGED, paid(80, id="bp1", contract_paid_id="cp1"))


def lines(*refs: dict[str, Any]) -> dict[str, Any]:
    return {"budget_lines": list(refs)}


def smaller_contract() -> tuple[Event, ...]:
    """A contract of 50 won, of which 80 won are paid from the budget."""
    return (
        *PLANNED,
        signed({"amount_won": 50}),
        obligated(90, contract="lamps"),
        paid(80, id="bp1", contract_paid_id="cp1"),
    )


REFUSALS = (
    Refusal("contract.not-planned", "signed out of nothing", FUNDED, signed()),
    Refusal("contract.not-planned", "paid out of nothing", FUNDED, contract_paid(1)),
    Refusal("contract.planned-twice", "it is planned", PLANNED, planned()),
    Refusal("contract.not-owner", "another agency plans it again", PLANNED, planned(source=PARKS), ROADS),
    Refusal("contract.not-owner", "another agency signs it", PLANNED, signed(source=PARKS), ROADS),
    Refusal(
        "contract.period-dates", "a plan that ends first", (), planned(data={"start": "2021-02", "end": "2021-01"})
    ),
    Refusal("contract.period-dates", "a contract that ends first", PLANNED, signed({"start": "2022-01"})),
    Refusal("contract.period-dates", "an instalment that ends first", LONG_TERM, instalment(data={"end": "2021-12"})),
    Refusal("contract.signed-twice", "it is signed", SINGLE, signed()),
    Refusal("contract.amount-missing", "no amount", PLANNED, signed({"amount_won": None})),
    Refusal(
        "contract.amount-missing",
        "an invented contract without amount",
        PLANNED,
        signed({"amount_won": None, "provenance": "illustrative"}),
    ),
    Refusal("contract.total-noted-missing", "no total", PLANNED, signed({**LONG, "total_noted_won": None})),
    Refusal("contract.exceeds-total-noted", "more than all", PLANNED, signed({**LONG, "total_noted_won": 99})),
    Refusal("contract.line-unknown", "no such line", PLANNED, signed(lines({**LINE_A, "line_id": "z"}))),
    Refusal("contract.line-unknown", "no such year", PLANNED, signed(lines({**LINE_A, "subject": budget(2019)}))),
    Refusal("contract.line-unknown", "no budget's name", PLANNED, signed(lines({**LINE_A, "subject": "예산"}))),
    Refusal("contract.line-repeated", "counted twice", PLANNED, signed(lines(LINE_A, LINE_A))),
    Refusal("contract.line-year-differs", "next year's money", PLANNED, signed(lines(LINE_A_2022)), 2021),
    Refusal("contract.exceeds-budget-lines", "one won too many", PLANNED, signed({"amount_won": 101}), 100),
    Refusal("contract.not-signed", "an instalment of a plan", PLANNED, instalment()),
    Refusal("contract.not-signed", "a payment on a plan", PLANNED, contract_paid(1)),
    Refusal("contract.not-long-term", "a single contract", SINGLE, instalment()),
    Refusal("contract.instalment-number", "a gap", LONG_TERM, instalment(3), 2),
    Refusal("contract.instalment-year", "the same year", LONG_TERM, instalment(data={"fiscal_year": 2021}), 2022),
    Refusal("contract.exceeds-total-noted", "beyond the total", LONG_TERM, instalment(data={"amount_won": 91})),
    Refusal(
        "contract.exceeds-budget-lines",
        "beyond the year's line",
        (*PLANNED, signed({**LONG, "total_noted_won": 999})),
        instalment(data={"amount_won": 101}),
        100,
    ),
    Refusal(
        "contract.line-year-differs",
        "last year's money",
        LONG_TERM,
        instalment(data={"amount_won": 9, **lines(LINE_A)}),
    ),
    # The contract's half of a payment.
    Refusal("contract.instalment-unknown", "no such instalment", PAID, contract_paid(80, {"instalment": 2})),
    Refusal("contract.payment-unknown", "nothing was paid", OBLIGED, contract_paid(80)),
    Refusal("contract.payment-unknown", "another payment", PAID, contract_paid(80, {"payment_id": "p2"})),
    Refusal("contract.payment-unknown", "no budget's name", PAID, contract_paid(80, {"budget_subject": "예산"})),
    Refusal("contract.payment-differs", "one won less", PAID, contract_paid(79)),
    Refusal("contract.payment-differs", "another id than announced", PAID, contract_paid(80, id="cp2")),
    Refusal("contract.payment-differs", "another budget event", PAID, contract_paid(80, {"budget_paid_id": "z"})),
    Refusal(
        "contract.payment-differs",
        "another contract's payment",
        (*PAID, planned("contract/poles"), signed(subject="contract/poles")),
        contract_paid(80, subject="contract/poles"),
    ),
    Refusal("contract.payment-duplicate", "shown twice", (*PAID, contract_paid(80)), contract_paid(80)),
    Refusal("contract.instalment-overpaid", "beyond the instalment", smaller_contract(), contract_paid(80), 50),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_a_contract_remembers_what_is_promised_and_paid() -> None:
    world = given(*PAID, contract_paid(80))
    state = read_contract(world, "lamps")
    assert state is not None
    assert state.contract[ONLY] == Contract(ROADS, "lights", "SINGLE", None, 1, 100)
    assert state.instalments == {1: Instalment(2021, 100, 80)}


def test_an_imported_contract_may_lack_what_its_source_lacks() -> None:
    """The first year of the real maintenance contract: its price is printed nowhere, the second year's is."""
    imported = signed({**LONG, "amount_won": None, "total_noted_won": None, "provenance": "derived"})
    world = given(*PLANNED, imported, instalment())
    state = read_contract(world, "lamps")
    assert state is not None
    assert state.instalments == {1: Instalment(2021, None), 2: Instalment(2022, 100)}


def test_an_instalment_may_draw_on_several_lines() -> None:
    whole = {"amount_won": 120, **lines(LINE_A_2022, LINE_B_2022)}
    given(*PLANNED, signed({**LONG, "total_noted_won": 999}), instalment(data=whole))
    beyond = instalment(data={**whole, "amount_won": 121})
    assert refused(given(*PLANNED, signed({**LONG, "total_noted_won": 999})), beyond).allowed == 120


def test_one_payment_id_may_stand_in_two_budgets() -> None:
    """A payment id is unique in one budget stream; a contract is paid from several."""
    second = {"instalment": 2, "budget_paid_id": "bp2", "budget_subject": budget(2022)}
    given(
        *LONG_TERM,
        instalment(data={"amount_won": 90}),
        obligated(10, contract="lamps"),
        paid(10, id="bp1", contract_paid_id="cp1"),
        contract_paid(10),
        allotted(10, year=2022),
        obligated(10, contract="lamps", year=2022),
        paid(10, id="bp2", contract_paid_id="cp2", year=2022),
        contract_paid(10, second, id="cp2", subject=CONTRACT),
    )
