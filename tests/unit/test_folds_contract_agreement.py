"""Is a contract seen that a budget pays for and whose stream or entry has vanished?

The rules refuse it at the entry; the folds, which know no rules, expose it in a log that was written around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import answer_as_of, fold_answer
from tests.support.contract_events import (
    amended,
    contract_corrected,
    good_work,
    instalment_closed,
    obligated_for,
    payment_pair,
    terminated,
)
from tests.support.events import (
    CONTRACT,
    allotted,
    appropriated,
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
from tests.support.given import given, refused

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

FUNDED = (opened(), line("a"), appropriated({"a": 100}), allotted(100))
BOUND = (*FUNDED, planned(), obligated_for(90))
WORKED = (*BOUND, signed({"amount_won": 90}), *good_work(60))
PAID = (*WORKED, *payment_pair(40), *payment_pair(10, 2, advance=True))


def folded(*events: Event) -> FoldSet:
    folds = fold_all()
    for index, event in enumerate(events):
        folds.apply(index, event)
    return folds


def shown(*events: Event) -> dict[str, list[dict[str, Any]]]:
    answer = fold_answer(folded(*events), "contract-checks", "roads", tree_size=len(events))
    assert answer is not None
    tables: dict[str, list[dict[str, Any]]] = answer["tables"]
    return tables


def found(*events: Event) -> list[str]:
    return [row["finding"] for row in shown(*events)["findings"]]


def without(*types: str) -> tuple[Event, ...]:
    return tuple(event for event in PAID if event.type not in types)


def test_a_vanished_contract_is_refused_at_the_entry() -> None:
    """No obligation for a contract that is not planned, no payment that its contract does not show."""
    assert refused(given(*FUNDED), obligated_for(1)).rule_id == "budget.contract-unknown"
    assert refused(given(*WORKED), paid(1, obligation="for-1")).rule_id == "budget.contract-half-missing"
    first, second = payment_pair(40)
    groups = Groups()
    groups.feed(first)
    for refuses in (groups.finish, lambda: groups.feed(second)):
        with pytest.raises(RuleBroken, match=r"contract\.payment-alone"):
            refuses()


def test_a_vanished_contract_is_exposed_by_the_folds() -> None:
    """The whole stream is gone; the budget that paid for it is not."""
    gone = tuple(event for event in PAID if event.subject != CONTRACT)
    vanished, differ = shown(*gone)["findings"]
    assert (vanished["finding"], vanished["contract"], vanished["planned"]) == ("VANISHED", "lamps", False)
    assert (vanished["obligated_won"], vanished["budget_paid_won"], vanished["contract_paid_won"]) == (90, 50, 0)
    assert vanished["entries"] == [4, 5, 6]
    assert (differ["finding"], differ["difference_won"]) == ("PAYMENTS_DIFFER", 50)
    (sums,) = shown(*gone)["sums"]
    assert (sums["contracts"], sums["errors"], sums["agrees"]) == (1, 2, False)


def test_an_obligation_alone_exposes_the_contract_too() -> None:
    assert found(*FUNDED, obligated_for(90)) == ["VANISHED"]


def test_a_vanished_row_of_a_contract_is_exposed() -> None:
    """One payment is not shown on the contract any more: by budget, payment and amount."""
    (row,) = shown(*without("contract.paid.v1"))["findings"]
    assert row["finding"] == "PAYMENTS_DIFFER"
    payment = {"budget_subject": "budget/roads/2021", "payment_id": "p1", "budget_won": 40, "contract_won": None}
    assert row["payments"] == [payment]
    assert found(*without("contract.advance-paid.v1")) == ["PAYMENTS_DIFFER"]
    assert found(*without("budget.paid.v1")) == ["PAYMENTS_DIFFER"]
    assert found(*without("contract.planned.v1")) == ["VANISHED"]
    (differs,) = shown(*PAID[:-4], payment_pair(40)[0], contract_paid(39))["findings"]
    assert [(one["budget_won"], one["contract_won"]) for one in differs["payments"]] == [(40, 39)]


def test_a_contract_without_its_obligation_is_exposed() -> None:
    gone = without("budget.obligation-incurred.v1", "budget.paid.v1", "contract.paid.v1", "contract.advance-paid.v1")
    (row,) = shown(*gone)["findings"]
    assert (row["finding"], row["signed_won"], row["bound_won"], row["error"]) == (
        "SIGNED_ABOVE_OBLIGATED",
        90,
        0,
        True,
    )
    assert found(*PAID, amended(10)) == ["SIGNED_ABOVE_OBLIGATED"]
    assert found(*PAID, amended(10), obligation_adjusted(10, obligation="for-1")) == []


LESS = (*BOUND, signed({"amount_won": 90}), *good_work(80, kind="FINAL"), *payment_pair(80), instalment_closed(80))


@pytest.mark.parametrize(
    "events",
    [
        (*PAID, terminated(50), obligation_adjusted(-40, obligation="for-1")),
        (*LESS, obligation_adjusted(-10, obligation="for-1")),
    ],
    ids=["ended", "closed at less"],
)
def test_what_is_set_free_lawfully_is_no_finding(events: tuple[Event, ...]) -> None:
    given(*events)
    assert found(*events) == []


def test_imports_and_unit_prices_have_no_obligation_to_compare() -> None:
    assert found(*FUNDED, planned(), signed({"provenance": "printed"})) == []
    assert found(*FUNDED, planned(), signed({"contract_type": "UNIT_PRICE"})) == []


def test_a_plan_above_its_lines_is_a_note() -> None:
    plan = {"budget_won": 101, "budget_lines": [{"subject": "budget/roads/2021", "line_id": "a"}]}
    tables = shown(*FUNDED, planned(data=plan))
    (row,) = tables["findings"]
    assert (row["finding"], row["error"], row["budget_won"], row["current_won"]) == (
        "PLAN_ABOVE_LINES",
        False,
        101,
        100,
    )
    assert tables["sums"][0]["agrees"] is True
    assert found(planned(data=plan)) == []


def test_nothing_is_found_where_both_sides_agree() -> None:
    first = corrected(
        "bp1", paid(30, obligation="for-1", contract_paid_id="fc"), {"contract_corrected_id": "fc"}, id="fb"
    )
    pair = {"budget_corrected_id": "fb", "budget_subject": "budget/roads/2021"}
    second = contract_corrected("cp1", contract_paid(30, {"budget_paid_id": "fb"}), pair, id="fc")
    for history in (PAID, (*PAID, first, second), (*PAID, obligated(10))):
        tables = shown(*history)
        assert tables["findings"] == []
        assert tables["sums"][0]["agrees"] is True
    (sums,) = shown(*PAID, first, second)["sums"]
    assert (sums["obligated_won"], sums["budget_paid_won"], sums["contract_paid_won"]) == (90, 40, 40)
    assert found(*PAID, first) == ["PAYMENTS_DIFFER"]


def test_the_comparison_follows_whichever_side_moves() -> None:
    """Kept up to date page by page, and the same as computed at once; read from stored parts too."""
    folds = fold_all()
    for index, event in enumerate(PAID):
        folds.apply(index, event)
        changed = folds.take_changes().tables
        if event.type.startswith(("budget.", "contract.")):
            assert ("contract-checks", "roads") in changed
        rows = folds.compute_rows("contract-checks", "roads")
        assert rows == folded(*PAID[: index + 1]).compute_rows("contract-checks", "roads")
        again = FoldSet.from_bytes(folds.state_to_bytes())
        assert again.compute_rows("contract-checks", "roads") == rows
    assert folds.keys("contract-checks") == ["roads"]
    assert folded(*FUNDED).keys("contract-checks") == []


def test_as_of_an_earlier_moment_it_compares_what_was_there() -> None:
    numbered = list(enumerate(PAID))
    then = answer_as_of(numbered, "contract-checks", "roads", tree_size=len(PAID) - 1, legal_date="2021-12-31")
    assert then is not None
    assert [row["finding"] for row in then["tables"]["findings"]] == ["PAYMENTS_DIFFER"]
    assert answer_as_of(numbered, "contract-checks", "parks", tree_size=len(PAID)) is None
    assert answer_as_of(numbered, "contract-checks", "roads", tree_size=len(PAID), legal_date="2020-12-31") is None
