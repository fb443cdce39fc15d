"""Does a correction move what it must, from its index on, and leave both versions to be seen?"""

from __future__ import annotations

from typing import Any

import pytest

from audit_service.catalogue.budget import Replacement
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import answer_as_of
from projections.folds.budget_columns import COLUMNS
from projections.folds.budget_postings import POSTINGS
from tests.support.budget_steps import correct, give_back, move, oblige, payment, post, supplement, use_grant
from tests.support.seed_city import AGENCY, PROJECT, MemoryLog, appropriate, budget, define_line, open_year

BUDGET = budget(2021)
BOOK = f"{AGENCY}/2021"
Tables = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    open_year(log, 2021)
    for line_id in ("total", "from"):
        define_line(log, 2021, line_id, line_id)
    appropriate(log, 2021, {"total": 1000, "from": 1000})
    return log


def book(log: MemoryLog, *, size: int | None = None, legal_date: str | None = None) -> Tables:
    tree_size = log.head_size() if size is None else size
    answer = answer_as_of(log.events(), "budget-book", BOOK, tree_size=tree_size, legal_date=legal_date)
    assert answer is not None
    return {table: {row["id"]: row for row in rows} for table, rows in answer["tables"].items()}


def columns(log: MemoryLog, line_id: str = "total", **as_of: Any) -> dict[str, int]:
    line = book(log, **as_of)["lines"][line_id]
    return {name: line[name] for name in COLUMNS}


def test_everything_that_may_be_replaced_has_a_fold() -> None:
    assert set(Replacement.__struct_fields__) <= set(POSTINGS)


def test_a_payment_on_the_wrong_amount_is_reversed_and_replaced(log: MemoryLog) -> None:
    oblige(log, "o", 500)
    wrong = post(log, "paid", payment("p", "o", 90))
    size = log.head_size()
    correction = correct(log, BUDGET, wrong, {"paid": payment("p", "o", 60)})
    tables = book(log)
    assert columns(log)["executed_won"] == 60
    assert tables["lines"]["total"]["figures"]["executed_won"]["entries"] == [5, 6]
    new, old = tables["payments"]["p"], tables["payments"]["p@5"]
    assert (new["amount_won"], new["status"], new["corrected_by"], new["entries"]) == (60, "in force", None, [5, 6])
    assert (old["amount_won"], old["status"], old["corrected_by"], old["entries"]) == (90, "corrected", 6, [5])
    obligation = tables["obligations"]["o"]
    assert (obligation["paid_won"], obligation["unpaid_won"], obligation["entries"]) == (60, 440, [4, 5, 6])
    row = tables["corrections"][correction]
    assert (row["target_event_id"], row["target_index"], row["target_type"]) == (wrong, 5, "paid")
    assert row["entries"] == [5, 6]
    assert row["reversed"] == [{"line_id": "total", "column": "executed_won", "amount_won": -90}]
    assert row["posted"] == [{"line_id": "total", "column": "executed_won", "amount_won": 60}]
    assert (row["reason"], row["counted"], row["replacement"]["amount_won"]) == ("TYPO", True, 60)
    # Before its index a correction does not count.
    assert columns(log, size=size)["executed_won"] == 90
    assert list(book(log, size=size)["payments"]) == ["p"]


def test_a_duplicate_is_reversed_by_nothing(log: MemoryLog) -> None:
    before = columns(log), columns(log, "from")
    twice = move(log, 2021, "adjusted", 30)
    correction = correct(log, BUDGET, twice, None)
    assert (columns(log), columns(log, "from")) == before
    tables = book(log)
    assert list(tables["moves"]) == [f"{twice}@4"]
    assert (tables["moves"][f"{twice}@4"]["status"], tables["corrections"][correction]["posted"]) == ("reversed", [])


def test_a_move_from_the_wrong_line_moves_to_the_right_one(log: MemoryLog) -> None:
    wrong = post(log, "paid", {**payment("p", "o", 90), "line_id": "from"})
    correct(log, BUDGET, wrong, {"paid": payment("p", "o", 90)})
    assert (columns(log, "from")["executed_won"], columns(log)["executed_won"]) == (0, 90)


def test_what_happened_to_the_old_version_stays_with_the_new_one(log: MemoryLog) -> None:
    first = oblige(log, "o", 500)
    post(log, "obligation-adjusted", {"obligation_id": "o", "delta_won": -50, "reason_ko": "감액"})
    paid = post(log, "paid", payment("p", "o", 90))
    give_back(log, 2021, "r", "p", 10)
    new = {"obligation_id": "o", "line_id": "total", "amount_won": 400}
    correct(log, BUDGET, first, {"obligation_incurred": new})
    correct(log, BUDGET, paid, {"paid": payment("p", "o", 80)})
    obligation = book(log)["obligations"]["o"]
    assert (obligation["amount_won"], obligation["adjusted_won"], obligation["obligated_won"]) == (400, -50, 350)
    assert (obligation["paid_won"], obligation["returned_won"], obligation["unpaid_won"]) == (80, 10, 280)
    assert book(log)["payments"]["p"]["returned_won"] == 10
    assert (columns(log)["obligated_won"], columns(log)["executed_won"], columns(log)["returned_won"]) == (350, 70, 10)


def test_an_adjustment_of_an_obligation_is_taken_back_from_it(log: MemoryLog) -> None:
    oblige(log, "o", 500)
    less = post(log, "obligation-adjusted", {"obligation_id": "o", "delta_won": -50, "reason_ko": "감액"})
    correct(log, BUDGET, less, None)
    assert book(log)["obligations"]["o"]["obligated_won"] == columns(log)["obligated_won"] == 500


def test_a_corrected_supplement_takes_in_the_same_uses_again(log: MemoryLog) -> None:
    use_grant(log, 2021, "subsidy", 20)
    wrong = supplement(log, 2021, 1, 200, taking_in=["subsidy"])
    row = {"line_id": "total", "delta_won": 20}
    right = {"round": 1, "rows": [row], "total_delta_won": 20, "pre_appropriation_ids": ["subsidy"]}
    correct(log, BUDGET, wrong, {"supplemented": right})
    now = columns(log)
    assert (now["supplementary_won"], now["pre_appropriated_won"], now["current_won"]) == (20, 0, 1020)
    tables = book(log)
    assert tables["pre_appropriations"]["subsidy"]["taken_in_by_round"] == 1
    assert set(tables["resolutions"]) == {"original", "supplement/1", "supplement/1@5"}
    correct(log, BUDGET, "event-6", None)
    now = columns(log)
    assert (now["supplementary_won"], now["pre_appropriated_won"], now["current_won"]) == (0, 20, 1020)
    assert book(log)["pre_appropriations"]["subsidy"]["open"]


def test_a_corrected_original_budget(log: MemoryLog) -> None:
    rows = [{"line_id": "total", "amount_won": 900}, {"line_id": "from", "amount_won": 1100}]
    correct(log, BUDGET, "event-3", {"appropriated": {"rows": rows, "total_won": 2000}})
    assert (columns(log)["original_won"], columns(log, "from")["original_won"]) == (900, 1100)
    assert book(log)["totals"]["total"]["current_won"] == 2000


def test_items_and_schedules_are_replaced_in_their_place(log: MemoryLog) -> None:
    for name, won in (("a", 10), ("b", 20)):
        item = {"line_id": "total", "item_id": name, "item_ko": name, "factors": [{"won": won}], "amount_won": won}
        post(log, "cost-basis-recorded", item)
    step = {"step_id": "s", "name_ko": "단계", "start": "2021-01", "end": "2021-12", "item_ids": ["a"]}
    schedule = {"project_id": PROJECT, "steps": [{**step, "amount_won": 10}], "total_won": 10}
    post(log, "schedule-set", schedule)
    item = {"line_id": "total", "item_id": "a", "item_ko": "a", "factors": [{"won": 15}], "amount_won": 15}
    correct(log, BUDGET, "event-4", {"cost_basis_recorded": item})
    new_schedule = {**schedule, "steps": [{**step, "amount_won": 15}], "total_won": 15}
    correct(log, BUDGET, "event-6", {"schedule_set": new_schedule})
    tables = book(log)
    assert [(name, row["status"]) for name, row in tables["items"].items()] == [
        ("a@4", "corrected"),
        ("a", "in force"),
        ("b", "in force"),
    ]
    assert {name: row["amount_won"] for name, row in tables["steps"].items()} == {"s@6": 10, "s": 15}
    assert tables["step_item_checks"]["item/a"]["agrees"]
    assert tables["line_item_checks"]["total"]["items_won"] == 35


def test_a_correction_may_be_corrected(log: MemoryLog) -> None:
    target = oblige(log, "o", 500)
    again = {"obligation_id": "o", "line_id": "total"}
    first = correct(log, BUDGET, target, {"obligation_incurred": {**again, "amount_won": 400}})
    second = correct(log, BUDGET, first, {"obligation_incurred": {**again, "amount_won": 300}})
    assert columns(log)["obligated_won"] == 300
    tables = book(log)
    assert {name: row["amount_won"] for name, row in tables["obligations"].items()} == {
        "o@4": 500,
        "o@5": 400,
        "o": 300,
    }
    assert (tables["corrections"][first]["status"], tables["corrections"][first]["corrected_by"]) == ("corrected", 6)
    assert tables["corrections"][second]["status"] == "in force"


def test_what_was_taken_back_by_mistake_is_posted_again(log: MemoryLog) -> None:
    target = oblige(log, "o", 500)
    mistake = correct(log, BUDGET, target, None)
    again = {"obligation_id": "o", "line_id": "total", "amount_won": 500}
    correct(log, BUDGET, mistake, {"obligation_incurred": again})
    assert columns(log)["obligated_won"] == 500
    assert [(name, row["status"]) for name, row in book(log)["obligations"].items()] == [
        ("o@4", "reversed"),
        ("o", "in force"),
    ]


@pytest.mark.parametrize("target", ["event-2", "unknown"])
def test_a_correction_of_what_moves_nothing_moves_nothing(log: MemoryLog, target: str) -> None:
    before = columns(log)
    correction = correct(log, BUDGET, target, {"allotted": {"line_id": "total", "quarter": 1, "amount_won": 5}})
    assert columns(log) == before
    row = book(log)["corrections"][correction]
    assert (row["counted"], row["target_index"], row["posted"]) == (False, None, [])


def test_what_was_taken_back_once_is_not_taken_back_twice(log: MemoryLog) -> None:
    target = oblige(log, "o", 500)
    correct(log, BUDGET, target, None)
    second = correct(log, BUDGET, target, None)
    assert columns(log)["obligated_won"] == 0
    row = book(log)["corrections"][second]
    assert (row["counted"], row["target_index"]) == (False, 4)


def test_as_of_a_day_before_its_target_a_correction_moves_nothing(log: MemoryLog) -> None:
    """Neither what was posted by mistake nor what replaces it has happened then."""
    target = post(log, "allotted", {"line_id": "total", "quarter": 3, "amount_won": 50}, day="08-01")
    right = {"allotted": {"line_id": "total", "quarter": 3, "amount_won": 40}}
    correction = correct(log, BUDGET, target, right, legal_date="2021-07-01")
    early = book(log, legal_date="2021-07-15")
    assert early["lines"]["total"]["allotted_won"] == 0
    assert not early["corrections"][correction]["counted"]
    assert columns(log, legal_date="2021-08-01")["allotted_won"] == 40


def test_as_of_a_day_before_the_correction_its_target_stands(log: MemoryLog) -> None:
    target = post(log, "allotted", {"line_id": "total", "quarter": 3, "amount_won": 50}, day="08-01")
    correct(log, BUDGET, target, None, legal_date="2021-09-01")
    assert columns(log, legal_date="2021-08-31")["allotted_won"] == 50
    assert columns(log, legal_date="2021-09-01")["allotted_won"] == 0


def test_memory_of_what_was_moved_survives_storing(log: MemoryLog) -> None:
    target = oblige(log, "o", 500)
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    folds = FoldSet.from_bytes(folds.state_to_bytes())
    correct(log, BUDGET, target, None)
    folds.apply(*log.events()[-1])
    rows = {(row.table, row.id): row for row in folds.compute_rows("budget-book", BOOK)}
    assert rows["lines", "total"].body["obligated_won"] == 0
    assert ("obligations", "o@4") in rows
