"""How may a year end? Carry-over pairs, closing, settlement; and what each half of a pair refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.rules.decide import decide
from audit_service.rules.world import read_budget
from tests.support.events import (
    allotted,
    appropriated,
    approved,
    audited,
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
    settlement,
    settlement_row,
)
from tests.support.given import Refusal, given, name_of, refused, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

SPENT = (opened(), line("a"), line("b"), appropriated({"a": 1000, "b": 5}), allotted(600), obligated(600), paid(400))
NEXT = (
    opened(2022),
    line("a", year=2022),
    line("b", year=2022),
    line("park", project="parks", year=2022),
    line("grant", fund="NATIONAL", year=2022),
)
BOTH = (*SPENT, *NEXT)
HALFWAY = (*BOTH, declared(600), carried_over(600))
CLOSED = (*SPENT, closed())
PRINTED: dict[str, Any] = {"kind": "NOT_STATED", "provenance": "printed"}
ROW = settlement_row(final_budget_won=1005, executed_won=400)


SETTLED = (*CLOSED, settlement([ROW]))
APPROVED = (*SETTLED, audited(), approved())


def other_target(line_id: str) -> tuple[Event, ...]:
    return (*BOTH, declared(600), carried_over(600, {"to_line_id": line_id}))


def stated(**columns: int) -> Event:
    """A settlement whose identities hold, with some columns of its own."""
    return settlement([settlement_row("lights", **{"final_budget_won": 1005, "executed_won": 400, **columns})])


REFUSALS = (
    # The closing year's half.
    Refusal("budget.line-unknown", "no such line", SPENT, carried_over(1, {"line_id": "z"})),
    Refusal("budget.line-overspent", "what is spent is gone", SPENT, carried_over(601), 600),
    Refusal("budget.line-overspent", "carried over before", HALFWAY, carried_over(1, id="out-2"), 0),
    Refusal("budget.carry-over-duplicate", "the id is taken", (*SPENT, declared(2), carried_over(1)), carried_over(1)),
    Refusal("budget.carry-over-subject", "a year between", SPENT, carried_over(1, {"to_subject": budget(2023)})),
    Refusal(
        "budget.carry-over-subject",
        "another agency",
        SPENT,
        carried_over(1, {"to_subject": "budget/parks/2022"}),
        "budget/roads/2022",
    ),
    Refusal("budget.carry-over-subject", "no budget", SPENT, carried_over(1, {"to_subject": "내년"})),
    Refusal("budget.carry-over-kind", "the kind is left open", SPENT, carried_over(1, {"kind": "NOT_STATED"})),
    Refusal("budget.legal-date-outside-year", "too early", SPENT, carried_over(1, legal_date="2020-12-31")),
    Refusal("budget.legal-date-outside-year", "too late", SPENT, carried_over(1, legal_date="2023-01-01")),
    # The opening year's half.
    Refusal(
        "budget.year-not-opened", "there is no next year", (*SPENT, declared(600), carried_over(600)), carry_in(600)
    ),
    Refusal("budget.carry-over-unknown", "nothing was carried over", BOTH, carry_in(600)),
    Refusal("budget.carry-over-unknown", "another id", HALFWAY, carry_in(600, {"carried_over_id": "z"})),
    Refusal("budget.carry-over-unknown", "there is no year before", NEXT, carry_in(600)),
    Refusal("budget.carry-over-subject", "two years before", HALFWAY, carry_in(600, {"from_subject": budget(2020)})),
    Refusal("budget.carry-over-duplicate", "received twice", (*HALFWAY, carry_in(600)), carry_in(600)),
    Refusal("budget.carry-over-differs", "one won less", HALFWAY, carry_in(599)),
    Refusal("budget.carry-over-differs", "another kind", HALFWAY, carry_in(600, {"kind": "ACCIDENTAL"})),
    Refusal("budget.carry-over-differs", "to another line", HALFWAY, carry_in(600, {"line_id": "b"})),
    Refusal("budget.carry-over-differs", "from another line", HALFWAY, carry_in(600, {"from_line_id": "b"})),
    Refusal("budget.carry-over-differs", "under another id", HALFWAY, carry_in(600, id="in-2")),
    Refusal("budget.carry-over-kind", "the kind is left open", HALFWAY, carry_in(600, {"kind": "NOT_STATED"})),
    Refusal("budget.line-unknown", "no such line", HALFWAY, carry_in(600, {"line_id": "z"})),
    Refusal("budget.project-differs", "to another project", other_target("park"), carry_in(600, {"line_id": "park"})),
    Refusal("budget.fund-differs", "to another fund", other_target("grant"), carry_in(600, {"line_id": "grant"})),
    Refusal("budget.year-closed", "the next year is over", (*HALFWAY, closed(year=2022)), carry_in(600)),
    Refusal("budget.legal-date-outside-year", "in the old year", HALFWAY, carry_in(600, legal_date="2021-12-31")),
    Refusal(
        "budget.amount-too-large",
        "the next year outgrows the integers",
        (*HALFWAY, appropriated({"a": MAX_SAFE_INTEGER}, year=2022)),
        carry_in(600),
        0,
    ),
    # Closing.
    Refusal("budget.year-closed", "closed twice", CLOSED, closed()),
    Refusal("budget.year-dates", "on another day", SPENT, closed(closes_on="2021-12-30"), "2021-12-31"),
    Refusal("budget.legal-date-outside-year", "before its last day", SPENT, closed(legal_date="2021-12-30")),
    # Settlement.
    Refusal("budget.year-not-closed", "the year is open", SPENT, settlement([ROW])),
    Refusal("budget.year-settled", "settled twice", (*CLOSED, settlement([ROW])), settlement([ROW])),
    Refusal("budget.legal-date-outside-year", "too early", CLOSED, settlement([ROW], legal_date="2021-12-30")),
    Refusal("budget.project-repeated", "a project twice", CLOSED, settlement([ROW, ROW])),
    Refusal("budget.settlement-identity", "current", CLOSED, stated(current_budget_won=1006, unspent_won=606)),
    Refusal("budget.settlement-identity", "unspent", CLOSED, stated(unspent_won=604)),
    Refusal("budget.settlement-mismatch", "one won less budget", CLOSED, stated(final_budget_won=1004)),
    Refusal("budget.settlement-mismatch", "one won more spent", CLOSED, stated(executed_won=401)),
    Refusal("budget.settlement-mismatch", "one won carried in", CLOSED, stated(carried_in_won=1)),
    Refusal("budget.settlement-mismatch", "one won carried out", CLOSED, stated(carried_out_won=1)),
    Refusal("budget.settlement-mismatch", "one won of change", CLOSED, stated(budget_change_won=1)),
    Refusal("budget.settlement-mismatch", "a project too many", CLOSED, settlement([ROW, settlement_row("z")])),
    Refusal("budget.settlement-mismatch", "a project is missing", CLOSED, settlement([settlement_row("z")])),
    # Its audit and its approval.
    Refusal("budget.settlement-not-published", "nothing to audit", CLOSED, audited()),
    Refusal("budget.settlement-not-published", "nothing to approve", CLOSED, approved()),
    Refusal("budget.year-not-closed", "the year is open", SPENT, audited()),
    Refusal("budget.settlement-audited-twice", "audited once", (*SETTLED, audited()), audited()),
    Refusal("budget.settlement-not-audited", "no audit", SETTLED, approved(), None),
    Refusal("budget.settlement-approved-twice", "approved once", APPROVED, approved()),
    Refusal("budget.basis-missing", "no resolution", (*SETTLED, audited()), approved({"basis": None})),
    Refusal("budget.approver", "the mayor", (*SETTLED, audited()), approved({"actor_role": "시장"}), "의회"),
    Refusal("budget.approval-date", "another day", (*SETTLED, audited()), approved({"approved_on": "2022-07-01"})),
    Refusal("budget.legal-date-outside-year", "too early", SETTLED, audited(legal_date="2021-12-30")),
    Refusal("budget.year-settled", "nothing is carried over", APPROVED, carried_over(1)),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_a_settlement_is_published_audited_and_approved() -> None:
    state = read_budget(given(*APPROVED), budget())
    assert state is not None
    year = state.year["only"]
    assert (year.settled, year.audited, year.approved) == (True, True, True)


def test_a_carry_over_keeps_the_money() -> None:
    world = given(*HALFWAY, carry_in(600))
    closing, following = read_budget(world, budget(2021)), read_budget(world, budget(2022))
    assert closing is not None
    assert following is not None
    assert closing.lines["a"].unspent_won == 0
    assert closing.lines["a"].carried_out_won == following.lines["a"].carried_in_won == 600


def test_a_carry_over_may_be_decided_after_the_closing() -> None:
    given(*HALFWAY[:-1], closed(), carried_over(600, legal_date="2022-01-10"), carry_in(600))


def test_printed_pairs_may_leave_their_kind_open() -> None:
    given(*BOTH, carried_over(600, PRINTED), carry_in(600, PRINTED))


def test_a_mismatch_shows_stated_and_computed() -> None:
    broken = refused(given(*CLOSED), stated(executed_won=401))
    assert broken.columns == {
        "executed_won": {"stated": 401, "computed": 400},
        "unspent_won": {"stated": 604, "computed": 605},
    }


def test_the_printed_settlement_of_two_years() -> None:
    """The two rows of the real page: 2019 begins with the 298,090 thousand won that 2018 carried over."""
    thousand = 1000
    figures = {
        2018: {"final": 1_149_800, "executed": 853_332, "carried_out": 298_090, "unspent": 133_369},
        2019: {"final": 2_350_831, "executed": 1_877_985, "carried_out": 229_105, "unspent": 541_831},
    }
    events = [opened(2018), line(year=2018), opening({"a": 134_991 * thousand}, year=2018)]
    for year, columns in figures.items():
        spent = columns["executed"] * thousand
        events += [
            appropriated({"a": columns["final"] * thousand}, year=year),
            allotted(spent, year=year),
            obligated(spent, year=year),
            paid(spent, year=year),
            opened(year + 1),
            line(year=year + 1),
            carried_over(columns["carried_out"] * thousand, PRINTED, year=year),
            carry_in(columns["carried_out"] * thousand, PRINTED, year=year + 1),
            closed(year=year),
        ]
    world = given(*events)
    for year, carried_in in ((2018, 134_991), (2019, 298_090)):
        row = {
            "project_id": "lights",
            "final_budget_won": figures[year]["final"] * thousand,
            "carried_in_won": carried_in * thousand,
            "budget_change_won": 0,
            "current_budget_won": (figures[year]["final"] + carried_in) * thousand,
            "executed_won": figures[year]["executed"] * thousand,
            "carried_out_won": figures[year]["carried_out"] * thousand,
            "unspent_won": figures[year]["unspent"] * thousand,
        }
        tampered = settlement([{**row, "unspent_won": figures[year]["unspent"] * thousand + 1}], year=year)
        assert refused(world, tampered).rule_id == "budget.settlement-identity"
        decide(world, settlement([row], year=year))
