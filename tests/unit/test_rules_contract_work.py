"""Which work and which payments does a contract refuse? Accepted before paid, paid within everything, until its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.rules.world import read_contract
from tests.support.contract_events import (
    accepted,
    advance_paid,
    amended,
    claim,
    completed,
    damages,
    good_work,
    inspected,
    instalment_closed,
    obligated_for,
    payment_pair,
    resumed,
    started,
    subcontract,
    subcontract_paid,
    suspended,
    terminated,
    warranty,
)
from tests.support.events import (
    allotted,
    appropriated,
    carried_over,
    carry_in,
    contract_paid,
    declared,
    line,
    opened,
    paid,
    planned,
    signed,
)
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import Instalment

PLANNED = (opened(), line("a"), line("b"), appropriated({"a": 100, "b": 100}), allotted(100), planned())
BOUND = (*PLANNED, obligated_for(100))
SIGNED = (*BOUND, signed())
UNDER_WAY = (*SIGNED, started())
WORKED = (*SIGNED, *good_work(60))
CLOSED = (*SIGNED, *good_work(60, kind="FINAL"), instalment_closed(60))
PAID = (*CLOSED, *payment_pair(60))
COMPLETED = (*PAID, completed(60))
ADVANCED = (*SIGNED, *payment_pair(70, advance=True))
HALF = paid(60, obligation="for-1", id="bp1", contract_paid_id="cp1")
LAST_HALF = payment_pair(21, 2)[0]
HALF_PAID = (*WORKED, HALF)
CANCELLED = (*WORKED, terminated(50))
IMPORT = {"amount_won": None, "provenance": "derived"}


def state_of(*events: Event) -> Instalment:
    state = read_contract(given(*events), "lamps")
    assert state is not None
    return state.instalments[1]


WORK = (
    Refusal("contract.not-signed", "work on a plan", PLANNED, started()),
    Refusal("contract.work-state", "begun twice", UNDER_WAY, started()),
    Refusal("contract.work-state", "suspended before it began", SIGNED, suspended()),
    Refusal("contract.work-state", "suspended twice", (*UNDER_WAY, suspended()), suspended()),
    Refusal("contract.work-state", "resumed without a pause", UNDER_WAY, resumed()),
    Refusal("contract.work-state", "resumed twice", (*UNDER_WAY, suspended(), resumed()), resumed()),
    Refusal("contract.instalment-unknown", "no such instalment", SIGNED, started(2)),
    Refusal("contract.instalment-closed", "it is done", CLOSED, started()),
    Refusal("contract.ended", "it is terminated", CANCELLED, started()),
    Refusal("contract.subcontract-duplicate", "the id is used", (*SIGNED, subcontract(9)), subcontract(9)),
    Refusal("contract.exceeds-contract", "more than all", SIGNED, subcontract(101), 100),
    Refusal("contract.exceeds-contract", "more than the rest", (*SIGNED, subcontract(60)), subcontract(41, "s2"), 40),
    Refusal("contract.party-form", "nobody's", SIGNED, subcontract(9, supplier={"kind": "NOT_STATED"})),
    Refusal("contract.subcontract-unknown", "not approved", SIGNED, subcontract_paid(9)),
    Refusal("contract.subcontract-overpaid", "more than agreed", (*SIGNED, subcontract(9)), subcontract_paid(10), 9),
    Refusal(
        "contract.payment-duplicate",
        "paid twice",
        (*SIGNED, subcontract(9), subcontract_paid(3)),
        subcontract_paid(3),
    ),
    Refusal("contract.inspection-duplicate", "the id is used", (*SIGNED, inspected()), inspected()),
    Refusal("contract.date-invalid", "notified tomorrow", SIGNED, inspected(data={"notified_on": "2021-06-16"})),
    Refusal("contract.date-invalid", "an invented day", SIGNED, inspected(data={"notified_on": "2021-02-30"})),
    Refusal("contract.ended", "nothing is accepted after the end", (*CANCELLED, warranty()), accepted(1)),
    Refusal("contract.inspection-unknown", "not inspected", SIGNED, accepted(9)),
    Refusal("contract.inspection-failed", "it failed", (*SIGNED, inspected(data={"result": "FAIL"})), accepted(9)),
    Refusal("contract.acceptance-duplicate", "accepted twice", WORKED, accepted(1)),
    Refusal("contract.accepted-exceeds-instalment", "more than all", (*SIGNED, inspected()), accepted(101), 100),
    Refusal(
        "contract.accepted-exceeds-instalment", "more than the rest", (*WORKED, inspected("n2")), accepted(41, "n2"), 40
    ),
    Refusal("contract.final-inspection-missing", "only a progress one", WORKED, instalment_closed(60)),
    Refusal(
        "contract.final-inspection-missing",
        "the final one found faults",
        (*SIGNED, inspected(data={"kind": "FINAL", "result": "PARTIAL"}), accepted(60)),
        instalment_closed(60),
    ),
    Refusal(
        "contract.final-differs",
        "less than accepted",
        (*SIGNED, *good_work(60, kind="FINAL")),
        instalment_closed(59),
        60,
    ),
    Refusal(
        "contract.final-differs",
        "less than was advanced",
        (*ADVANCED, *good_work(60, kind="FINAL")),
        instalment_closed(60),
        70,
    ),
    Refusal(
        "contract.final-differs",
        "an import forgets a payment",
        (*WORKED, *payment_pair(60)),
        instalment_closed(59, provenance="printed"),
        60,
    ),
    Refusal("contract.instalment-closed", "closed twice", CLOSED, instalment_closed(60)),
    Refusal("contract.warranty-over", "over before it began", CLOSED, warranty("2021-06-14"), "2021-06-15"),
    Refusal("contract.date-invalid", "an invented day", CLOSED, warranty("2023-02-29")),
    Refusal("contract.warranty-over", "none was set", CLOSED, claim()),
    Refusal("contract.warranty-over", "late", (*CLOSED, warranty()), claim(legal_date="2023-06-16"), "2023-06-15"),
    Refusal("contract.claim-duplicate", "the id is used", (*CLOSED, warranty(), claim()), claim()),
)

TWO_LINES = (
    *PLANNED,
    allotted(20, line_id="b"),
    obligated_for(90),
    obligated_for(9, obligation="o2", line_id="b"),
    signed({"amount_won": 90}),
    *good_work(60),
)
FROM_B = paid(9, obligation="o2", line_id="b", id="bp1", contract_paid_id="cp1")

PAYMENTS = (
    Refusal("contract.not-signed", "paid on a plan", PLANNED, contract_paid(1)),
    Refusal("contract.instalment-unknown", "no such instalment", HALF_PAID, contract_paid(60, {"instalment": 2})),
    Refusal("contract.payment-unknown", "nothing was paid", WORKED, contract_paid(60)),
    Refusal("contract.payment-unknown", "another payment", HALF_PAID, contract_paid(60, {"payment_id": "p2"})),
    Refusal("contract.payment-unknown", "no budget's name", HALF_PAID, contract_paid(60, {"budget_subject": "예산"})),
    Refusal("contract.payment-differs", "one won less", HALF_PAID, contract_paid(59)),
    Refusal("contract.payment-differs", "another id than announced", HALF_PAID, contract_paid(60, id="cp2")),
    Refusal("contract.payment-differs", "another day", HALF_PAID, contract_paid(60, legal_date="2021-06-16")),
    Refusal("contract.payment-differs", "another event", HALF_PAID, contract_paid(60, {"budget_paid_id": "z"})),
    Refusal(
        "contract.payment-differs",
        "another contract's payment",
        (*HALF_PAID, planned("contract/poles"), signed({"provenance": "printed"}, subject="contract/poles")),
        contract_paid(60, subject="contract/poles"),
    ),
    Refusal(
        "contract.payment-differs",
        "obligated for another instalment",
        (
            *PLANNED,
            obligated_for(90),
            signed({"amount_won": 90}),
            *good_work(60),
            obligated_for(10, instalment=2),
            paid(10, obligation="for-2", id="bp1", contract_paid_id="cp1"),
        ),
        contract_paid(10),
    ),
    Refusal("contract.payment-duplicate", "shown twice", (*WORKED, *payment_pair(60)), contract_paid(60)),
    Refusal("contract.payment-line", "a line that the contract does not name", (*TWO_LINES, FROM_B), contract_paid(9)),
    Refusal("contract.exceeds-accepted", "nothing is accepted", (*SIGNED, HALF), contract_paid(60), 0),
    Refusal("contract.exceeds-accepted", "more than accepted", (*SIGNED, *good_work(59), HALF), contract_paid(60), 59),
    Refusal(
        "contract.exceeds-accepted",
        "the advance had paid for it",
        (*ADVANCED, *good_work(60), *payment_pair(20, 2, {"advance_offset_won": 40})[:1]),
        payment_pair(20, 2, {"advance_offset_won": 41})[1],
        19,
    ),
    Refusal(
        "contract.offset-exceeds-advance",
        "no advance is open",
        HALF_PAID,
        contract_paid(60, {"advance_offset_won": 1}),
        0,
    ),
    Refusal(
        "contract.exceeds-accepted",
        "damages are kept back",
        (*WORKED, damages(5), HALF),
        contract_paid(60),
        55,
    ),
    Refusal("contract.inspection-unknown", "no such inspection", HALF_PAID, contract_paid(60, {"inspection_id": "n9"})),
    Refusal(
        "contract.inspection-failed",
        "it failed",
        (*WORKED, inspected("n2", {"result": "FAIL"}), HALF),
        contract_paid(60, {"inspection_id": "n2"}),
    ),
    Refusal(
        "contract.instalment-overpaid",
        "beyond the instalment",
        (*BOUND, signed({"amount_won": 50}), *good_work(50), HALF),
        contract_paid(60),
        50,
    ),
    Refusal(
        "contract.instalment-overpaid",
        "the advance leaves less of the final amount",
        (*SIGNED, *payment_pair(40, advance=True), *good_work(60, kind="FINAL"), instalment_closed(60), LAST_HALF),
        contract_paid(21, {"payment_id": "p2", "budget_paid_id": "bp2"}, id="cp2"),
        20,
    ),
    Refusal(
        "contract.instalment-overpaid",
        "the advance and the damages leave less",
        (*ADVANCED, damages(5), *good_work(100), payment_pair(26, 2)[0]),
        payment_pair(26, 2)[1],
        25,
    ),
    Refusal(
        "contract.advance-limit", "more than 70 %", (*SIGNED, payment_pair(71, advance=True)[0]), advance_paid(71), 70
    ),
    Refusal(
        "contract.advance-limit",
        "more than the contract says",
        (*BOUND, signed({"advance_limit_bp": 3_000}), payment_pair(31, advance=True)[0]),
        advance_paid(31),
        30,
    ),
    Refusal(
        "contract.advance-limit",
        "together more",
        (*SIGNED, *payment_pair(70, advance=True), payment_pair(1, 2, advance=True)[0]),
        payment_pair(1, 2, advance=True)[1],
        0,
    ),
    Refusal("contract.instalment-closed", "too late", (*CLOSED, payment_pair(1, advance=True)[0]), advance_paid(1)),
    Refusal("contract.ended", "an advance after the end", (*CANCELLED, HALF), advance_paid(60)),
    Refusal("contract.exceeds-settled", "beyond the settlement", (*CANCELLED, HALF), contract_paid(60), 50),
    Refusal(
        "contract.exceeds-settled",
        "all is to be given back",
        (*ADVANCED, *good_work(20), terminated(0, kind="RESCINDED"), payment_pair(1, 2)[0]),
        payment_pair(1, 2)[1],
        0,
    ),
    Refusal("contract.ended", "paid after the completion", (*COMPLETED, payment_pair(1, 2)[0]), payment_pair(1, 2)[1]),
    # Damages.
    Refusal("contract.assessment-duplicate", "the id is used", (*SIGNED, damages(5)), damages(5)),
    Refusal("contract.damages-base", "more than the instalment", SIGNED, damages(5, {"base_won": 101}), 100),
    Refusal("contract.damages-differ", "one won less", SIGNED, damages(4), 5),
    Refusal("contract.damages-differ", "fractions are cut off", SIGNED, damages(5, {"base_won": 99}), 4),
    Refusal("contract.damages-limit", "seven days at 5 %", SIGNED, damages(35, {"days": 7}), 30),
    Refusal(
        "contract.damages-limit",
        "together more",
        (*SIGNED, damages(30, {"days": 6})),
        damages(5, {"assessment_id": "d2"}),
        0,
    ),
    Refusal(
        "contract.damages-limit",
        "as long as a number can be",
        SIGNED,
        damages(MAX_SAFE_INTEGER, {"days": MAX_SAFE_INTEGER, "rate_ppm": 1_000_000}),
        30,
    ),
    Refusal("contract.damages-not-kept", "all is paid", PAID, damages(5), 0),
    Refusal("contract.damages-not-kept", "after the end too", COMPLETED, damages(5), 0),
    # The end.
    Refusal("contract.not-signed", "a plan cannot be terminated", PLANNED, terminated(0)),
    Refusal("contract.settled-below-paid", "less than paid", (*WORKED, *payment_pair(60)), terminated(59), 60),
    Refusal("contract.settled-exceeds-contract", "more than the contract", WORKED, terminated(101), 100),
    Refusal("contract.ended", "terminated twice", CANCELLED, terminated(50)),
    Refusal("contract.instalment-open", "not closed", WORKED, completed(60)),
    Refusal("contract.final-differs", "another final amount", PAID, completed(61), 60),
    Refusal("contract.completed-unpaid", "not paid", CLOSED, completed(60)),
    Refusal("contract.ended", "completed twice", COMPLETED, completed(60)),
    Refusal("contract.ended", "no amendment after the end", COMPLETED, amended(1)),
)


REFUSALS = (*WORK, *PAYMENTS)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def next_year(*, target: str, obliged: str) -> tuple[Event, ...]:
    """Money of the contract's line is carried over into `target` of 2022; `obliged` is bound for the contract there."""
    return (
        *PLANNED,
        obligated_for(50),
        signed({"amount_won": 50}),
        *good_work(50),
        declared(30),
        carried_over(30, {"to_line_id": target}),
        opened(2022),
        line("a", year=2022),
        line("b", year=2022),
        carry_in(30, {"line_id": target}),
        appropriated({"a": 30, "b": 30}, year=2022),
        allotted(30, line_id=obliged, year=2022),
        obligated_for(30, year=2022, line_id=obliged),
    )


@pytest.mark.parametrize("target", ["a", "b"])
def test_a_payment_follows_the_carry_over_of_its_line(target: str) -> None:
    """An instalment stays inside its year's lines; a carry-over is how they reach into the next year."""
    one = state_of(*next_year(target=target, obliged=target), *payment_pair(30, year=2022, line_id=target))
    assert one.paid_won == 30


def test_a_payment_does_not_leave_a_line_of_the_next_year_that_nothing_was_carried_into() -> None:
    first, second = payment_pair(30, year=2022, line_id="a")
    refuses(Refusal("contract.payment-line", "no carry-over", (*next_year(target="b", obliged="a"), first), second))


ALLOWED: tuple[tuple[str, tuple[Event, ...]], ...] = (
    ("work is suspended and goes on", (*UNDER_WAY, suspended(), resumed(), suspended(), resumed())),
    ("subcontracts fill the contract", (*SIGNED, subcontract(60), subcontract(40, "s2"), subcontract_paid(60))),
    ("a partial inspection is enough to accept", (*SIGNED, inspected(data={"result": "PARTIAL"}), accepted(10))),
    ("a failed inspection is repeated", (*SIGNED, inspected(data={"result": "FAIL"}), *good_work(10, "n2"))),
    ("nothing accepted, nothing final", (*SIGNED, inspected(data={"kind": "FINAL"}), instalment_closed(0))),
    ("an import closes without inspections", (*SIGNED, instalment_closed(60, provenance="printed"))),
    ("an import is paid without acceptances", (*SIGNED, *payment_pair(60, data={"provenance": "derived"}))),
    ("an import completes unpaid", (*CLOSED, completed(60, provenance="printed"))),
    ("an import's instalment has no bound", (*BOUND, signed(IMPORT), *good_work(60), *payment_pair(60))),
    ("damages are kept back", (*CLOSED, damages(5), *payment_pair(55), completed(60))),
    ("damages of a paid contract are revenue", (*COMPLETED, damages(5, {"settled_by": "REVENUE"}))),
    ("damages stop at the limit", (*SIGNED, damages(30, {"days": 7}))),
    ("an advance is set off", (*ADVANCED, *good_work(60), *payment_pair(20, 2, {"advance_offset_won": 40}))),
    ("a terminated contract is paid up to its settlement", (*CANCELLED, *payment_pair(50))),
    ("a rescinded contract may be settled below what was paid", (*ADVANCED, terminated(0, kind="RESCINDED"))),
    ("a warranty outlives the contract", (*COMPLETED, warranty(), claim(legal_date="2023-06-15"))),
)


@pytest.mark.parametrize("events", [events for _, events in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_allowed(events: tuple[Event, ...]) -> None:
    given(*events)


def test_advances_and_what_they_paid_of_the_work_add_up() -> None:
    """70 won in advance; of 100 won accepted, 30 won are cash and 70 won set off."""
    done = (*ADVANCED, *good_work(100, kind="FINAL"), *payment_pair(30, 2, {"advance_offset_won": 70}))
    one = state_of(*done, instalment_closed(100), completed(100))
    assert (one.cash_won, one.offset_won, one.payable_won, one.final_won) == (100, 70, 0, 100)


def test_a_unit_price_contract_is_bounded_by_what_is_accepted() -> None:
    """단가계약: the signed 50 won are an estimate; lines, obligations and acceptances bound the payments."""
    estimate = (*BOUND, signed({"contract_type": "UNIT_PRICE", "amount_won": 50}), *good_work(60))
    assert state_of(*estimate, *payment_pair(60)).paid_won == 60
    case = Refusal("contract.exceeds-accepted", "more", (*estimate, payment_pair(61)[0]), payment_pair(61)[1], 60)
    refuses(case)


def test_an_amended_instalment_bounds_by_its_new_amount() -> None:
    refuses(
        Refusal("contract.accepted-exceeds-instalment", "less", (*SIGNED, amended(-50), inspected()), accepted(51), 50)
    )
