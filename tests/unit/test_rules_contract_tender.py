"""Which tenders does a procurement refuse? Prior steps first, one tender at a time, the best valid bid or a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.contract_events import (
    BASIS,
    LAMP_MAKERS,
    POLE_MAKERS,
    SOLE_PROPRIETOR,
    awarded,
    bid,
    bids_opened,
    evaluated,
    obligated_for,
    prior_step,
    tender,
    tender_amended,
    tender_cancelled,
    tender_failed,
)
from tests.support.events import PARKS, allotted, appropriated, line, opened, planned, signed
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

FUNDED = (opened(), line("a"), appropriated({"a": 100}), allotted(100))
PLANNED = (*FUNDED, planned())
BOUND = (*PLANNED, obligated_for(100))
STEPS = (*FUNDED, planned(data={"prior_steps": ["SCOPE_REVIEW", "SECURITY_REVIEW", "SCOPE_REVIEW"]}))
TENDERED = (*PLANNED, tender())
OPENED = (*TENDERED, bids_opened())
NEGOTIATED = (*PLANNED, tender({"method": "NEGOTIATED"}), bids_opened())
EVALUATED = (*NEGOTIATED, evaluated({"b1": (700_000, 100_000), "b2": (600_000, 150_000)}))
AWARDED = (*OPENED, awarded(), obligated_for(100))
DIRECT = (*PLANNED, tender({"method": "DIRECT"}))
SIGNED = (*AWARDED, signed({"award_id": "w1", "amount_won": 80}))

REFUSALS = (
    # Steps before the tender.
    Refusal("contract.not-planned", "a step of nothing", (), prior_step()),
    Refusal("contract.not-owner", "another agency's step", PLANNED, prior_step(source=PARKS)),
    Refusal("contract.prior-step-round", "the second round first", PLANNED, prior_step(number=2), 1),
    Refusal("contract.prior-step-round", "it is passed", (*PLANNED, prior_step()), prior_step(number=2)),
    Refusal("contract.prior-step-round", "the same round", (*PLANNED, prior_step(result="REJECTED")), prior_step(), 2),
    Refusal("contract.prior-step-late", "the tender runs", TENDERED, prior_step()),
    Refusal("contract.signed-already", "the contract is signed", SIGNED, prior_step()),
    Refusal("contract.prior-step-open", "no step is done", STEPS, tender()),
    Refusal(
        "contract.prior-step-open",
        "a rejected step is open",
        (*STEPS, prior_step("SCOPE_REVIEW"), prior_step(result="REJECTED")),
        tender(),
    ),
    # The tender.
    Refusal("contract.tender-duplicate", "the id is used", (*TENDERED, tender_cancelled()), tender()),
    Refusal("contract.tender-running", "one runs", TENDERED, tender({"tender_id": "t2"})),
    Refusal("contract.tender-running", "one is awarded", AWARDED, tender({"tender_id": "t2"})),
    Refusal("contract.tender-dates", "it closes first", PLANNED, tender({"closes_on": "2021-06-14"})),
    Refusal("contract.tender-dates", "it closes at once", PLANNED, tender({"closes_on": "2021-06-15"})),
    Refusal("contract.tender-dates", "it is published late", PLANNED, tender(legal_date="2021-07-01")),
    Refusal("contract.date-invalid", "no day of the calendar", PLANNED, tender({"closes_on": "2021-06-31"})),
    Refusal("contract.tender-unknown", "no such tender", PLANNED, tender_amended()),
    Refusal("contract.tender-unknown", "no tender to award", PLANNED, awarded()),
    Refusal("contract.tender-dates", "it has closed", TENDERED, tender_amended(legal_date="2021-07-01")),
    Refusal("contract.tender-dates", "closed by its change", TENDERED, tender_amended({"closes_on": "2021-06-15"})),
    Refusal("contract.date-invalid", "an invented day", TENDERED, tender_amended({"closes_on": "2021-06-31"})),
    Refusal(
        "contract.tender-status", "it is cancelled", (*TENDERED, tender_cancelled()), tender_amended(), "PUBLISHED"
    ),
    Refusal("contract.tender-status", "bids are opened", OPENED, tender_amended(legal_date="2021-06-30")),
    Refusal("contract.tender-status", "it failed", (*TENDERED, tender_failed()), tender_cancelled()),
    Refusal("contract.signed-already", "the contract is signed", SIGNED, tender_cancelled()),
    Refusal("contract.bids-early", "it cannot have failed yet", TENDERED, tender_failed(legal_date="2021-06-29")),
    Refusal("contract.bidder-count", "two bids were opened", OPENED, tender_failed(1), 2),
    # Bids, evaluation, award.
    Refusal("contract.bids-early", "opened early", TENDERED, bids_opened(opened_on="2021-06-29"), "2021-06-30"),
    Refusal(
        "contract.bids-early",
        "opened before the new last day",
        (*TENDERED, tender_amended({"closes_on": "2021-07-05"})),
        bids_opened(),
        "2021-07-05",
    ),
    Refusal("contract.date-invalid", "opened tomorrow", TENDERED, bids_opened(opened_on="2021-07-01")),
    Refusal("contract.tender-status", "opened twice", OPENED, bids_opened()),
    Refusal("contract.bidder-duplicate", "one id", TENDERED, bids_opened(bid("b1", 9), bid("b1", 8))),
    Refusal(
        "contract.bidder-duplicate",
        "one company",
        TENDERED,
        bids_opened(bid("b1", 9, bidder=LAMP_MAKERS), bid("b2", 8, bidder=LAMP_MAKERS)),
    ),
    Refusal("contract.party-form", "nobody's bid", TENDERED, bids_opened(bid("b1", 9, bidder={"kind": "NOT_STATED"}))),
    Refusal(
        "contract.party-form",
        "a sole proprietor by a code",
        TENDERED,
        bids_opened(bid("b1", 9, bidder={"kind": "COMMITTED", "organisation_id": "shop"})),
    ),
    Refusal(
        "contract.evaluation-weights",
        "95 points",
        NEGOTIATED,
        evaluated({"b1": (1, 1), "b2": (1, 1)}, weights=(800_000, 150_000)),
        200_000,
    ),
    Refusal("contract.evaluation-bidders", "one is left out", NEGOTIATED, evaluated({"b1": (1, 1)})),
    Refusal("contract.evaluation-bidders", "a stranger", NEGOTIATED, evaluated({"b1": (1, 1), "b9": (1, 1)})),
    Refusal("contract.evaluation-points", "too many", NEGOTIATED, evaluated({"b1": (1, 1), "b2": (1, 200_001)})),
    Refusal("contract.tender-status", "nothing is opened", TENDERED, evaluated({"b1": (1, 1)})),
    Refusal("contract.tender-status", "awarded before the bids", TENDERED, awarded()),
    Refusal("contract.tender-status", "awarded twice", AWARDED, awarded("b1", 90, {"award_id": "w2"})),
    Refusal("contract.award-duplicate", "the id is used", AWARDED, awarded()),
    Refusal("contract.award-bidder", "a stranger wins", OPENED, awarded("b9")),
    Refusal(
        "contract.award-bidder",
        "an invalid bid wins",
        (*TENDERED, bids_opened(bid("b1", 90), bid("b2", 80, valid=False))),
        awarded(),
    ),
    Refusal("contract.award-exceeds-bid", "more than the bid", OPENED, awarded("b2", 81), 80),
    Refusal("contract.award-not-best", "the dearer bid", OPENED, awarded("b1", 90)),
    Refusal("contract.award-not-best", "fewer points", EVALUATED, awarded("b2", 80)),
    Refusal("contract.award-not-best", "nothing was evaluated", NEGOTIATED, awarded("b2", 80)),
    # The contract behind the award.
    Refusal("contract.award-missing", "no award is named", AWARDED, signed({"amount_won": 80})),
    Refusal("contract.award-missing", "nobody has won", (*OPENED, obligated_for(100)), signed()),
    Refusal("contract.award-unknown", "another award", AWARDED, signed({"amount_won": 80, "award_id": "w2"})),
    Refusal(
        "contract.award-unknown",
        "the award fell with its tender",
        (*AWARDED, tender_cancelled()),
        signed({"amount_won": 80, "award_id": "w1"}),
    ),
    Refusal("contract.exceeds-award", "more than awarded", AWARDED, signed({"amount_won": 81, "award_id": "w1"}), 80),
    Refusal(
        "contract.exceeds-award",
        "the total is what was awarded",
        AWARDED,
        signed(
            {"amount_won": 50, "total_noted_won": 81, "award_id": "w1", "contract_type": "LONG_TERM_CONTINUING"},
        ),
        80,
    ),
    Refusal(
        "contract.supplier-differs",
        "somebody else signs",
        AWARDED,
        signed({"amount_won": 80, "award_id": "w1", "supplier": LAMP_MAKERS}),
    ),
    Refusal(
        "contract.party-form",
        "nobody signs",
        (*PLANNED, obligated_for(100)),
        signed({"supplier": {"kind": "NOT_STATED"}}),
    ),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


ALLOWED: tuple[tuple[str, tuple[Event, ...]], ...] = (
    (
        "a rejected step comes back and passes, one is conditional",
        (
            *STEPS,
            prior_step(result="REJECTED"),
            prior_step(number=2),
            prior_step("SCOPE_REVIEW", "CONDITIONAL"),
            tender(),
        ),
    ),
    ("a waived step is no obstacle", (*STEPS, prior_step(result="WAIVED"), prior_step("SCOPE_REVIEW"), tender())),
    ("steps beside the plan are welcome", (*PLANNED, prior_step("CONTRACT_REVIEW"), tender())),
    ("a failed tender is followed by another", (*OPENED, tender_failed(2), tender({"tender_id": "t2"}))),
    ("between two tenders a step may be done", (*TENDERED, tender_cancelled(), prior_step())),
    ("a sole proprietor bids by a commitment", (*TENDERED, bids_opened(bid("b1", 9, bidder=SOLE_PROPRIETOR)))),
    ("the dearer bid wins with a reason", (*OPENED, awarded("b1", 90, {"reason_ko": "적격심사"}))),
    ("the most points win", (*EVALUATED, awarded("b1", 85))),
    ("a direct contract needs no bids", (*DIRECT, awarded("only", 100))),
    ("but if there were some, it keeps to them", (*DIRECT, bids_opened(), awarded("b2", 80))),
    ("the winner signs", (*AWARDED, signed({"amount_won": 80, "award_id": "w1", "supplier": POLE_MAKERS}))),
    ("a document explains a higher price", (*AWARDED, signed({"amount_won": 90, "award_id": "w1", "basis": BASIS}))),
    ("an import lacks the award", (*OPENED, signed({"amount_won": 80, "provenance": "printed"}))),
)


@pytest.mark.parametrize("events", [events for _, events in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_allowed(events: tuple[Event, ...]) -> None:
    given(*events)


def test_a_quotation_is_asked_for_and_given_on_one_day() -> None:
    given(*PLANNED, tender({"method": "DIRECT", "closes_on": "2021-06-15"}), bids_opened(opened_on="2021-06-15"))


def test_an_award_does_not_replace_money() -> None:
    """The budget's line holds 100 won, whatever was awarded or negotiated."""
    dear = signed({"amount_won": 101, "award_id": "w1", "basis": BASIS})
    refuses(Refusal("contract.exceeds-budget-lines", "more than the line", AWARDED, dear, 100))
