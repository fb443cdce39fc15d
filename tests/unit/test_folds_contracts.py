"""Does the register of one contract say all that happened, what it adds up to, and what does not add up?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from audit_service.catalogue.types import EVENT_TYPES
from projections.folds.all import fold_all
from projections.folds.answers import answer_as_of
from tests.support.contract_events import (
    LAMP_MAKERS,
    accepted,
    advance_paid,
    amended,
    awarded,
    bid,
    bids_opened,
    claim,
    completed,
    contract_corrected,
    damages,
    evaluated,
    good_work,
    inspected,
    instalment_closed,
    prior_step,
    resumed,
    started,
    subcontract,
    subcontract_paid,
    suspended,
    tender,
    tender_amended,
    tender_cancelled,
    tender_failed,
    terminated,
    warranty,
)
from tests.support.events import CONTRACT, ROADS, contract_paid, instalment, planned, signed

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

Tables = dict[str, dict[str, dict[str, Any]]]
LONG = {"contract_type": "LONG_TERM_CONTINUING", "total_noted_won": 150, "amount_won": 60, "provenance": "printed"}
SIGNED = (planned(), signed())
WHOLE = (
    planned(data={"prior_steps": ["SECURITY_REVIEW"]}),
    prior_step(),
    tender({"method": "NEGOTIATED"}),
    tender_amended({"closes_on": "2021-07-05"}),
    bids_opened(bid("b1", 90, bidder=LAMP_MAKERS), bid("b2", 80)),
    evaluated({"b1": (700_000, 100_000), "b2": (600_000, 150_000)}),
    awarded("b1", 90),
    signed({"amount_won": 90, "award_id": "w1"}),
    started(),
    advance_paid(30, {"payment_id": "p0"}, id="cp0"),
    amended(10, {"new_end": "2022-02"}),
    suspended(),
    resumed(),
    subcontract(50),
    *good_work(70),
    contract_paid(60, {"advance_offset_won": 10}),
    subcontract_paid(20),
    *good_work(30, "n2", kind="FINAL"),
    damages(5),
    instalment_closed(100),
    contract_paid(5, {"payment_id": "p2"}, id="cp2"),
    completed(100),
    warranty(),
    claim(),
)


def tables(*events: Event, size: int | None = None, legal_date: str | None = None) -> Tables:
    numbered = list(enumerate(events))
    answer = answer_as_of(
        numbered,
        "contract-register",
        "lamps",
        tree_size=len(numbered) if size is None else size,
        legal_date=legal_date,
    )
    assert answer is not None
    return {table: {row["id"]: row for row in rows} for table, rows in answer["tables"].items()}


def checks(shown: Tables) -> dict[str, bool | None]:
    return {name: row["agrees"] for name, row in shown["checks"].items()}


def test_every_type_of_the_stream_is_folded() -> None:
    folded = set(fold_all().handlers)
    assert {name for name in EVENT_TYPES if name.startswith("contract.")} <= folded


def test_a_whole_contract_stands_in_its_tables() -> None:
    shown = tables(*WHOLE)
    assert shown["status"]["status"]["status"] == "COMPLETED"
    assert shown["status"]["status"]["owner"] == ROADS
    assert shown["prior_steps"]["SECURITY_REVIEW"]["result"] == "PASSED"
    assert shown["tenders"]["t1"]["closes_on"] == "2021-06-30"
    assert [row["closes_on"] for row in shown["tender_changes"].values()] == ["2021-07-05"]
    assert shown["bids"]["t1/b1"]["bidder"]["organisation_id"] == "lamp-makers"
    assert shown["evaluations"]["t1/b1"]["points"] == 800_000
    assert shown["awards"]["w1"]["amount_won"] == 90
    one = shown["instalments"]["1"]
    amounts = ("signed_won", "amount_won", "accepted_won", "advance_won", "advance_offset_won", "paid_won", "kept_won")
    assert [one[name] for name in amounts] == [90, 100, 100, 30, 10, 65, 5]
    assert (one["final_won"], one["unpaid_won"], one["status"]) == (100, 0, "CLOSED")
    assert (one["signed_end"], one["end"], one["amendments"]) == ("2021-12", "2022-02", 1)
    assert [row["what"] for row in shown["periods"].values()] == ["started", "suspended", "resumed"]
    assert shown["warranty_claims"]["x1"]["reason_ko"] == "균열"
    (sums,) = shown["sums"].values()
    assert (sums["contracted_won"], sums["paid_won"], sums["advance_won"], sums["final_won"]) == (100, 65, 30, 100)
    assert (sums["subcontracts_won"], sums["subcontract_paid_won"]) == (50, 20)
    assert set(checks(shown).values()) == {True}
    assert shown["flags"] == {}


def test_each_amount_names_the_entries_behind_it() -> None:
    figures = tables(*WHOLE)["instalments"]["1"]["figures"]
    assert figures["amount_won"]["entries"] == [7, 10]
    assert figures["paid_won"]["entries"] == [16, 22]
    assert figures["unpaid_won"]["computed_from"] == ["amount_won", "paid_won", "advance_won", "kept_won"]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((planned(),), "PLANNED"),
        ((planned(), tender()), "TENDERED"),
        ((planned(), tender(), tender_cancelled()), "TENDER_CANCELLED"),
        ((planned(), tender(), tender_failed()), "TENDER_FAILED"),
        ((planned(), tender(), tender_failed(), tender({"tender_id": "t2"})), "TENDERED"),
        ((planned(), tender(), bids_opened(), awarded()), "AWARDED"),
        (SIGNED, "SIGNED"),
        ((*SIGNED, started()), "UNDER_WAY"),
        ((*SIGNED, started(), suspended()), "SUSPENDED"),
        ((*SIGNED, started(), suspended(), resumed()), "UNDER_WAY"),
        ((*SIGNED, terminated(0)), "TERMINATED"),
    ],
)
def test_where_a_procurement_stands(events: tuple[Event, ...], status: str) -> None:
    assert tables(*events)["status"]["status"]["status"] == status


def test_what_a_rescinded_contract_was_paid_too_much_is_to_be_given_back() -> None:
    shown = tables(*SIGNED, advance_paid(70), terminated(20, kind="RESCINDED"))
    assert shown["status"]["status"]["recoverable_won"] == 50


def test_instalments_have_their_own_amounts_and_the_total_is_the_last_one_noted() -> None:
    changes = (amended(-10, {"new_total_noted_won": 170}), instalment(data={"amount_won": 90}))
    shown = tables(planned(), signed(LONG), *changes, amended(5, {"instalment": 2}))
    assert [row["amount_won"] for row in shown["instalments"].values()] == [50, 95]
    assert shown["sums"]["sums"]["total_noted_won"] == 170
    assert shown["instalments"]["1"]["provenance"] == ["actual", "printed"]
    assert checks(shown)["contract/instalments-within-total"] is True


def test_both_sides_of_a_correction_stay_and_only_one_counts() -> None:
    wrong = accepted(60, id="wrong")
    history = (*SIGNED, inspected(), wrong, contract_paid(40))
    fixed = (*history, contract_corrected(wrong, accepted(50), id="fix"))
    before, after = tables(*fixed, size=len(history)), tables(*fixed)
    assert before["instalments"]["1"]["accepted_won"] == 60
    assert after["instalments"]["1"]["accepted_won"] == 50
    new, old = after["acceptances"]["n1"], after["acceptances"]["n1@3"]
    assert (new["accepted_won"], new["status"], new["corrected_by"], new["entries"]) == (50, "in force", None, [5])
    assert (old["accepted_won"], old["status"], old["corrected_by"], old["entries"]) == (60, "corrected", 5, [3, 5])
    (correction,) = after["corrections"].values()
    assert (correction["target_event_id"], correction["target_index"], correction["counted"]) == ("wrong", 3, True)
    assert correction["replacement"]["accepted_won"] == 50
    back = tables(*fixed, contract_corrected("fix"))
    assert back["instalments"]["1"]["accepted_won"] == 0
    assert [row["status"] for row in back["acceptances"].values()] == ["corrected", "reversed"]


def test_a_correction_of_what_does_not_count_yet_moves_nothing() -> None:
    late = accepted(60, id="late", legal_date="2021-09-01")
    fix = contract_corrected(late, accepted(50), legal_date="2021-08-01")
    shown = tables(*SIGNED, inspected(), late, fix, legal_date="2021-08-31")
    assert shown["instalments"]["1"]["accepted_won"] == 0
    assert [row["counted"] for row in shown["corrections"].values()] == [False]


def test_a_corrected_amendment_keeps_its_place_in_their_order() -> None:
    first = amended(0, {"new_total_noted_won": 160}, id="first")
    later = amended(0, {"new_total_noted_won": 170}, id="later")
    fix = contract_corrected(first, amended(0, {"new_total_noted_won": 165}), id="fix")
    again = contract_corrected("fix", amended(0, {"new_total_noted_won": 166}), id="again")
    history = (planned(), signed(LONG), first, later, fix, again)
    assert tables(*history)["sums"]["sums"]["total_noted_won"] == 170
    assert tables(*history, contract_corrected("later"))["sums"]["sums"]["total_noted_won"] == 166


@pytest.mark.parametrize(
    ("check", "events"),
    [
        ("instalment/1/accepted-within-instalment", (inspected(), accepted(101))),
        ("instalment/1/cash-within-instalment", (inspected(), accepted(100), contract_paid(101))),
        ("instalment/1/settled-within-accepted", (inspected(), accepted(50), contract_paid(51))),
        ("instalment/1/settled-within-accepted", (contract_paid(1),)),
        ("instalment/1/offset-within-advances", (advance_paid(5), contract_paid(1, {"advance_offset_won": 6}))),
        ("instalment/1/cash-within-final", (inspected(), accepted(9), instalment_closed(9), contract_paid(10))),
        ("contract/instalments-within-total", (amended(51, {"new_total_noted_won": 150}),)),
        ("contract/subcontracts-within-contract", (subcontract(101),)),
        ("contract/subcontractors-paid-within-subcontracts", (subcontract(9), subcontract_paid(10))),
        ("contract/cash-within-settlement", (advance_paid(9), terminated(8))),
        ("contract/final-amount-paid", (instalment_closed(9), completed(9))),
    ],
)
def test_what_the_rules_would_have_refused_is_shown(check: str, events: tuple[Event, ...]) -> None:
    """The folds know no rules: a log that was written around them is exposed by its own figures."""
    assert checks(tables(*SIGNED, *events))[check] is False


def test_imports_without_acceptances_are_compared_with_nothing() -> None:
    shown = checks(tables(*SIGNED, contract_paid(60, {"provenance": "printed"})))
    assert shown["instalment/1/settled-within-accepted"] is None


def test_what_is_late_or_cheap_is_flagged() -> None:
    late = inspected(data={"notified_on": "2021-05-31"})
    in_time = inspected("n2", {"notified_on": "2021-06-01"})
    cheap = subcontract(9, "s2")
    assert tables(*SIGNED, late, in_time, cheap)["flags"].keys() == {"inspection-late/n1"}
    low = msgspec.structs.replace(cheap.data, rate_bp=8_199)
    shown = tables(*SIGNED, msgspec.structs.replace(cheap, data=low))["flags"]["subcontract-rate-low/s2"]
    assert (shown["found"], shown["at_least"]) == (8_199, 8_200)
    smaller = tables(*SIGNED, advance_paid(70), damages(30, {"days": 6}), amended(-1))["flags"]
    assert smaller.keys() == {"advances-above-limit/1", "damages-above-limit/1"}


def test_one_payment_id_of_two_budgets_has_two_rows() -> None:
    other = contract_paid(7, {"budget_subject": "budget/roads/2022"}, id="cp9")
    assert list(tables(*SIGNED, contract_paid(5), other)["payments"]) == ["p1", "p1/cp9"]


def test_as_of_a_legal_date_what_came_before_is_shown_without_what_it_rests_on() -> None:
    early = contract_paid(5, legal_date="2021-01-05")
    shown = tables(planned(legal_date="2021-01-01"), signed(), early, legal_date="2021-01-31")
    assert shown["instalments"] == {}
    assert shown["payments"]["p1"]["amount_won"] == 5
    assert shown["sums"]["sums"]["paid_won"] == 5
    alone = tables(early, legal_date="2021-01-31")
    assert alone["plan"] == {}
    assert alone["status"]["status"]["status"] == "PLANNED"


def test_a_stored_part_goes_on_where_it_was() -> None:
    folds, again = fold_all(), fold_all()
    for index, event in enumerate(WHOLE[:15]):
        folds.apply(index, event)
    again.load_part("contracts", "lamps", folds.part_to_bytes("contracts", "lamps"))
    for index, event in enumerate(WHOLE[15:], start=15):
        folds.apply(index, event)
        again.apply(index, event)
    assert CONTRACT == "contract/lamps"
    assert again.compute_rows("contract-register", "lamps") == folds.compute_rows("contract-register", "lamps")
