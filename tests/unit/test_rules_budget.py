"""Which events does a budget year refuse, and what do its columns say after those that it allows?

Opening, lines, appropriation, adjustments, allotments, obligations, payments. Each row of `REFUSALS` breaks exactly
one rule.
"""

from __future__ import annotations

import pytest

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.rules.budget_states import Line, Place
from audit_service.rules.budget_year_end import Totals, compute_totals
from audit_service.rules.world import read_budget
from tests.support.events import (
    PARKS,
    adjusted,
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
    opening,
    paid,
    planned,
    settlement,
    settlement_row,
)
from tests.support.given import Refusal, given, name_of, refused, refuses

YEAR = (opened(), line("a"), line("b"), line("park", project="parks"), line("grant", fund="NATIONAL"))
FUNDED = (*YEAR, appropriated({"a": 1000, "b": 500, "park": 100, "grant": 100}))
ALLOTTED = (*FUNDED, allotted(800))
OBLIGED = (*ALLOTTED, obligated(600))
PAID = (*OBLIGED, paid(400))
CLOSED = (*PAID, closed())
SETTLED = (
    opened(),
    line("a"),
    closed(),
    settlement([settlement_row()]),
)
WITH_CONTRACT = (*ALLOTTED, planned(), obligated(600, contract="lamps"))
CORPORATION = {"kind": "CORPORATION", "organisation_id": "110111-0000001"}

REFUSALS = (
    Refusal("budget.not-owner", "another agency opens the year", (), opened(source=PARKS), "urn:kr:agency:roads"),
    Refusal("budget.not-owner", "another agency allots", FUNDED, allotted(1, source=PARKS)),
    Refusal("budget.year-opened-twice", "the year is open", YEAR, opened()),
    Refusal("budget.year-dates", "it opens in January", (), opened(data={"opens_on": "2021-02-01"})),
    Refusal("budget.year-dates", "it closes in December", (), opened(data={"closes_on": "2022-01-31"})),
    Refusal("budget.year-dates", "it is the subject's year", (), opened(data={"fiscal_year": 2022})),
    Refusal("budget.legal-date-outside-year", "opened before it begins", (), opened(legal_date="2020-12-31")),
    Refusal("budget.year-not-opened", "a line comes first", (), line()),
    Refusal("budget.legal-date-outside-year", "the day after", FUNDED, allotted(1, legal_date="2022-01-01")),
    Refusal("budget.legal-date-outside-year", "the day before", FUNDED, allotted(1, legal_date="2020-12-31")),
    Refusal("envelope.legal-date-missing", "no legal date", FUNDED, allotted(1, legal_date=None)),
    Refusal("budget.line-duplicate", "the line exists", YEAR, line("a")),
    Refusal("budget.line-unknown", "an unknown line is allotted", FUNDED, allotted(1, line_id="z")),
    Refusal("budget.line-unknown", "an unknown line is appropriated", YEAR, appropriated({"z": 1})),
    Refusal("budget.line-unknown", "an unknown line's balance", YEAR, opening({"z": 1})),
    Refusal("budget.line-unknown", "money from nowhere", FUNDED, adjusted("z", "a", 1)),
    Refusal("budget.line-unknown", "money to nowhere", FUNDED, adjusted("a", "z", 1)),
    Refusal("budget.line-unknown", "an obligation on nothing", FUNDED, obligated(1, line_id="z")),
    Refusal("budget.line-unknown", "a payment from nothing", OBLIGED, paid(1, line_id="z")),
    # Opening balances.
    Refusal("budget.opening-twice", "imported once", (*YEAR, opening({"a": 1})), opening({"b": 1})),
    Refusal("budget.opening-late", "the line has its appropriation", FUNDED, opening({"a": 1})),
    Refusal(
        "budget.opening-late",
        "the line was moved and moved back",
        (*YEAR[:3], appropriated({"a": 9}), adjusted("a", "b", 4), adjusted("b", "a", 4)),
        opening({"b": 1}),
    ),
    Refusal("budget.opening-known", "the year before is here", (opened(2020), *YEAR), opening({"a": 1})),
    Refusal("budget.carry-over-kind", "the kind is left open", YEAR, opening({"a": 1}, kind="NOT_STATED")),
    Refusal(
        "budget.carry-over-kind",
        "an invented balance states its kind",
        YEAR,
        opening({"a": 1}, kind="NOT_STATED", provenance="illustrative"),
    ),
    # Appropriation.
    Refusal("budget.appropriated-twice", "one original budget", FUNDED, appropriated({"a": 1})),
    Refusal("budget.line-repeated", "a line stands twice", YEAR, appropriated([("a", 1), ("a", 2)])),
    Refusal("budget.totals-differ", "one won too many", YEAR, appropriated({"a": 1, "b": 2}, total=4), 3),
    Refusal(
        "budget.amount-too-large",
        "the year outgrows the integers",
        (*YEAR, opening({"a": 1})),
        appropriated({"a": MAX_SAFE_INTEGER}),
        MAX_SAFE_INTEGER - 1,
    ),
    # Adjustment.
    Refusal("budget.same-line", "from a line to itself", FUNDED, adjusted("a", "a", 1)),
    Refusal("budget.project-differs", "to another project", FUNDED, adjusted("a", "park", 1)),
    Refusal("budget.fund-differs", "to another fund", FUNDED, adjusted("a", "grant", 1)),
    Refusal("budget.line-overspent", "more than the line has", FUNDED, adjusted("a", "b", 1001), 1000),
    Refusal("budget.line-overspent", "what is allotted stays", ALLOTTED, adjusted("a", "b", 201), 200),
    Refusal(
        "budget.line-overspent",
        "what is carried over has left",
        (*FUNDED, declared(900), carried_over(900)),
        adjusted("a", "b", 101),
        100,
    ),
    # Allotment.
    Refusal("budget.amount-zero", "an allotment of nothing", FUNDED, allotted(0)),
    Refusal("budget.line-overspent", "allotted beyond the budget", ALLOTTED, allotted(201), 200),
    Refusal("budget.allotment-obligated", "what is obligated stays", OBLIGED, allotted(-201), -200),
    Refusal("budget.allotment-obligated", "below zero", FUNDED, allotted(-1), 0),
    # Obligation.
    Refusal("budget.line-overspent", "obligated beyond the allotment", OBLIGED, obligated(201, obligation="o2"), 200),
    Refusal("budget.obligation-duplicate", "the id is taken", OBLIGED, obligated(1)),
    Refusal("budget.contract-unknown", "nothing is planned", ALLOTTED, obligated(1, contract="lamps")),
    Refusal("budget.contract-unknown", "no contract has that name", ALLOTTED, obligated(1, contract="x/y:z")),
    Refusal(
        "budget.contract-not-own",
        "another agency's contract",
        (*ALLOTTED, planned(source=PARKS)),
        obligated(1, contract="lamps"),
        PARKS,
    ),
    # Payment.
    Refusal("budget.obligation-unknown", "nothing is obligated", ALLOTTED, paid(1)),
    Refusal("budget.line-differs", "another line pays", OBLIGED, paid(1, line_id="b"), "a"),
    Refusal("budget.obligation-overpaid", "beyond the obligation", PAID, paid(201, payment="p2"), 200),
    Refusal("budget.payment-duplicate", "the id is taken", PAID, paid(1)),
    Refusal(
        "budget.line-overspent",
        "the obligation's rest is carried over",
        (*PAID, declared(500), carried_over(500)),
        paid(101, payment="p2"),
        100,
    ),
    Refusal("budget.contract-half-missing", "the contract would not show it", WITH_CONTRACT, paid(1)),
    Refusal("budget.contract-half-missing", "no contract to show it on", OBLIGED, paid(1, contract_paid_id="cp1")),
    Refusal(
        "budget.payee-form", "a person by an open code", OBLIGED, paid(1, payee={**CORPORATION, "kind": "COMMITTED"})
    ),
    Refusal("budget.payee-form", "a company without its code", OBLIGED, paid(1, payee={"kind": "CORPORATION"})),
    Refusal(
        "budget.payee-form", "not stated, but stated", OBLIGED, paid(1, payee={**CORPORATION, "kind": "NOT_STATED"})
    ),
    # After the closing, and after the settlement.
    Refusal("budget.year-closed", "no new line", CLOSED, line("z")),
    Refusal("budget.year-closed", "no adjustment", CLOSED, adjusted("a", "b", 1)),
    Refusal("budget.year-closed", "no allotment", CLOSED, allotted(1)),
    Refusal("budget.year-closed", "no obligation", CLOSED, obligated(1, obligation="o2")),
    Refusal("budget.year-closed", "no payment", CLOSED, paid(1, payment="p2")),
    Refusal("budget.year-settled", "nothing at all", SETTLED, line("z")),
    Refusal("budget.year-settled", "no carry-over", SETTLED, carried_over(1)),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_columns_follow_the_events() -> None:
    world = given(
        *YEAR,
        opening({"a": 50}),
        appropriated({"a": 1000, "b": 500}),
        adjusted("b", "a", 30),
        allotted(800),
        allotted(-100),
        obligated(600),
        paid(400),
    )
    state = read_budget(world, budget())
    assert state is not None
    assert state.lines["a"] == Line(
        place=Place("lights", "CITY", "roads"),
        final_won=1000,
        carried_in_explicit_won=50,
        adjusted_won=30,
        allotted_won=700,
        obligated_won=600,
        executed_won=400,
        moved=True,
    )
    assert state.lines["a"].current_won == 1080
    assert state.lines["a"].unspent_won == 680
    assert compute_totals(state)["lights"] == Totals(1500, 50, 0, 1550, 400, 0, 1150)


def test_everything_may_be_used_to_the_last_won() -> None:
    given(*FUNDED, allotted(1000), obligated(1000), paid(1000), adjusted("b", "a", 500), allotted(500))


def test_an_imported_opening_shuts_out_a_carry_in() -> None:
    """The year before arrives in the ledger after its balance was imported: the money would come in twice."""
    world = given(
        opened(2022),
        line("a", year=2022),
        opening({"a": 7}, year=2022),
        opened(2021),
        line("a"),
        appropriated({"a": 7}),
        declared(7),
        carried_over(7),
    )
    assert refused(world, carry_in(7)).rule_id == "budget.opening-known"


def test_a_printed_opening_may_leave_its_kind_open() -> None:
    given(*YEAR, opening({"a": 1}, kind="NOT_STATED", provenance="printed"))


def test_payees_by_code_or_by_commitment() -> None:
    committed = {"kind": "COMMITTED", "commitment": "0" * 64}
    given(*OBLIGED, paid(1, payee=CORPORATION), paid(1, payment="p2", payee=committed))
