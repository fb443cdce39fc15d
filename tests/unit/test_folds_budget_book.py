"""Do entries rebuild the page's budget table, its line items and its schedule, to the won?"""

from __future__ import annotations

from typing import Any

import pytest

from audit_service.catalogue.types import EVENT_TYPES
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import DEFINITIONS, fold_answer
from tests.support.seed_city import (
    AGENCY,
    ITEM_IDS,
    PROJECT,
    SEED,
    MemoryLog,
    add_budget_2020,
    add_budget_2021,
    appropriate,
    budget,
    define_line,
    open_year,
    seed_log,
    spend,
    won,
)

BOOK = SEED["budget_by_object"]


def fold(log: MemoryLog) -> FoldSet:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    return folds


def book(log: MemoryLog, fiscal_year: int) -> dict[str, dict[str, dict[str, Any]]]:
    """The tables of one book, each as id -> row."""
    answer = fold_answer(fold(log), "budget-book", f"{AGENCY}/{fiscal_year}", tree_size=log.head_size())
    assert answer is not None
    return {table: {row["id"]: row for row in rows} for table, rows in answer["tables"].items()}


@pytest.fixture(scope="module")
def book_2021() -> dict[str, dict[str, dict[str, Any]]]:
    return book(seed_log(), 2021)


def compared(row: dict[str, Any]) -> tuple[int, int, int, int]:
    return (
        row["previous_original_won"],
        row["original_won"],
        row["change_won"],
        row["change_percent"],
    )


def printed(row: dict[str, Any]) -> tuple[int, int, int, int]:
    return (
        won(row["fy2020_thousand"]),
        won(row["fy2021_thousand"]),
        won(row["change_thousand"]),
        row["change_pct"],
    )


def test_every_type_of_the_catalogue_has_a_fold() -> None:
    assert set(fold_all().handlers) == set(EVENT_TYPES)
    assert set(fold_all().kinds) == set(DEFINITIONS)


@pytest.mark.parametrize("row", BOOK["rows"], ids=lambda row: row["object_code"])
def test_lines_are_those_of_the_page(book_2021: dict[str, Any], row: dict[str, Any]) -> None:
    line = book_2021["lines"][row["object_code"]]
    assert line["name_ko"] == row["object_ko"]
    assert compared(line) == printed(row)


def test_no_line_is_missing_or_added(book_2021: dict[str, Any]) -> None:
    assert list(book_2021["lines"]) == sorted(row["object_code"] for row in BOOK["rows"])


@pytest.mark.parametrize("row_id", ["total", f"project/{PROJECT}"])
def test_totals_are_those_of_the_page(book_2021: dict[str, Any], row_id: str) -> None:
    assert compared(book_2021["totals"][row_id]) == printed(BOOK["total"])


def test_line_items_are_those_of_the_page(book_2021: dict[str, Any]) -> None:
    assert [
        (row["item_ko"], row["basis_printed"], row["factors"], row["amount_won"]) for row in book_2021["items"].values()
    ] == [
        (item["item_ko"], item["basis_printed"], item["factors"], won(item["amount_thousand_printed"]))
        for item in SEED["line_items_2021"]
    ]
    assert all(row["product_agrees"] for row in book_2021["items"].values())


def test_schedule_is_that_of_the_page(book_2021: dict[str, Any]) -> None:
    assert [
        (row["name_ko"], row["start"], row["end"], row["amount_won"], row["detail_ko"])
        for row in book_2021["steps"].values()
    ] == [
        (step["step_ko"], step["start"], step["end"], won(step["amount_thousand"]), step["detail_ko"])
        for step in SEED["schedule_2021"]["steps"]
    ]


def test_schedule_and_items_reconcile_group_by_group(book_2021: dict[str, Any]) -> None:
    groups = [
        (row["step_ids"], row["item_ids"], row["steps_won"], row["agrees"])
        for row in book_2021["step_item_checks"].values()
    ]
    # Workshop 5,000 and training 2,000 together spend one item of 7,000; maintenance spends two items.
    assert (["step-2", "step-3"], [ITEM_IDS[0]], won(7_000), True) in groups
    assert (["step-0"], [ITEM_IDS[3], ITEM_IDS[4]], won(282_451), True) in groups
    assert all(agrees for *_, agrees in groups)
    assert sum(steps_won for _, _, steps_won, _ in groups) == won(SEED["schedule_2021"]["total_thousand"])


def test_items_add_up_to_their_lines_and_the_schedule_to_the_project(book_2021: dict[str, Any]) -> None:
    assert all(row["agrees"] for row in book_2021["line_item_checks"].values())
    assert {row_id: row["items_won"] for row_id, row in book_2021["line_item_checks"].items()} == {
        row["object_code"]: won(row["fy2021_thousand"]) for row in BOOK["rows"]
    }
    check = book_2021["schedule_checks"][PROJECT]
    assert (check["steps_won"], check["original_won"], check["agrees"]) == (
        won(BOOK["total"]["fy2021_thousand"]),
        won(BOOK["total"]["fy2021_thousand"]),
        True,
    )


def test_one_won_more_in_an_item_shows_in_three_places() -> None:
    log = seed_log()
    item = {"line_id": "201-03", "item_id": ITEM_IDS[5], "item_ko": "x", "factors": [{"won": won(10_000)}]}
    data = {**item, "amount_won": won(10_000) + 1}
    log.add("budget.cost-basis-recorded.v1", budget(2021), data, legal_date="2021-01-02")
    tables = book(log, 2021)
    assert not tables["items"][ITEM_IDS[5]]["product_agrees"]
    check = tables["step_item_checks"][f"item/{ITEM_IDS[5]}"]
    assert (check["agrees"], check["difference_won"]) == (False, -1)
    assert not tables["line_item_checks"]["201-03"]["agrees"]


def test_items_above_a_budget_that_a_supplement_made_smaller_are_shown() -> None:
    """The items explain the book as printed; the rules let the council take away what they explain."""
    log = seed_log()
    rows = [{"line_id": "201-03", "delta_won": -1}]
    data = {"round": 1, "rows": rows, "total_delta_won": -1, "basis": {"title": "추경"}, "actor_role": "의회"}
    before = book(log, 2021)["line_item_checks"]["201-03"]
    log.add("budget.supplemented.v1", budget(2021), data, legal_date="2021-05-01")
    after = book(log, 2021)["line_item_checks"]["201-03"]
    assert (before["agrees"], before["within_appropriated"]) == (True, True)
    assert (after["agrees"], after["within_appropriated"]) == (True, False)
    assert after["items_won"] - after["appropriated_won"] == 1


def test_a_step_that_names_items_of_two_groups_joins_them() -> None:
    log = MemoryLog()
    open_year(log, 2021)
    steps = [
        {"step_id": step_id, "name_ko": step_id, "start": "2021-01", "end": "2021-12", "item_ids": items}
        for step_id, items in (("a", ["x"]), ("b", ["y"]), ("c", ["y", "x"]), ("d", ["unknown"]))
    ]
    steps = [{**step, "amount_won": 10} for step in steps]
    for item_id in ("x", "y", "z"):
        item = {"line_id": "1", "item_id": item_id, "item_ko": item_id, "factors": [{"won": 15}]}
        log.add("budget.cost-basis-recorded.v1", budget(2021), {**item, "amount_won": 15})
    log.add("budget.schedule-set.v1", budget(2021), {"project_id": "p", "steps": steps, "total_won": 40})
    groups = [
        (row["step_ids"], row["item_ids"], row["agrees"], row["items_not_recorded"])
        for row in book(log, 2021)["step_item_checks"].values()
    ]
    assert groups == [
        (["a", "b", "c"], ["x", "y"], True, []),
        (["d"], ["unknown"], None, ["unknown"]),
        ([], ["z"], None, []),
    ]


def test_where_the_year_before_is_not_in_the_log_nothing_is_compared() -> None:
    log = MemoryLog()
    add_budget_2021(log)
    tables = book(log, 2021)
    for row in (*tables["lines"].values(), *tables["totals"].values()):
        assert row["previous_original_won"] is None
        assert row["change_won"] is None
        assert row["change_percent"] is None


def test_years_that_are_split_differently_compare_only_in_total() -> None:
    tables = book(seed_log(), 2020)  # 2019 is known as one total, 2020 by object
    assert tables["lines"]["201-01"]["previous_original_won"] is None
    assert tables["lines"]["total"]["change_percent"] is None
    final_2019 = won(SEED["settlement"]["rows"][1]["final_budget"])
    total = tables["totals"]["total"]
    assert total["previous_original_won"] == final_2019
    assert total["change_won"] == won(BOOK["total"]["fy2020_thousand"]) - final_2019


def test_a_line_that_ended_is_shown_with_what_it_had() -> None:
    log = MemoryLog()
    for fiscal_year, line_id in ((2020, "201-01"), (2021, "201-02")):
        open_year(log, fiscal_year)
        define_line(log, fiscal_year, line_id, line_id, object_code=line_id)
        appropriate(log, fiscal_year, {line_id: 500})
    lines = book(log, 2021)["lines"]
    assert compared(lines["201-01"]) == (500, 0, -500, -100)
    assert compared(lines["201-02"]) == (0, 500, 500, 100)


def test_a_line_shows_its_year_from_appropriation_to_payment() -> None:
    log = MemoryLog()
    open_year(log, 2021)
    define_line(log, 2021, "total", "계")
    appropriate(log, 2021, {"total": 1000})
    move = {"from_line_id": "other", "to_line_id": "total", "amount_won": 50}
    log.add("budget.adjusted.v1", budget(2021), move)
    spend(log, 2021, 700, provenance="illustrative")
    tables = book(log, 2021)
    line = tables["lines"]["total"]
    assert {name: line[f"{name}_won"] for name in ("budget_change", "current", "allotted", "allotted_q4")} == {
        "budget_change": 50,
        "current": 1050,
        "allotted": 700,
        "allotted_q4": 700,
    }
    assert (line["obligated_won"], line["executed_won"], line["unspent_won"]) == (700, 700, 350)
    assert tables["lines"]["other"]["current_won"] == -50
    assert tables["obligations"]["obligation-2021"]["unpaid_won"] == 0
    assert tables["payments"]["payment-2021"]["payee_kind"] == "NOT_STATED"
    # Each figure says what it rests on: the money that was invented does not colour the one that was printed.
    assert line["figures"]["appropriated_won"] == {"provenance": ["printed"], "entries": [2]}
    assert line["figures"]["executed_won"] == {"provenance": ["illustrative"], "entries": [6]}
    assert line["figures"]["current_won"]["computed_from"] == ["appropriated_won", "budget_change_won"]
    assert line["provenance"] == ["actual", "derived", "illustrative", "printed"]
    assert line["entries"] == [1, 2, 3, 4, 5, 6]


def test_the_year_before_changes_the_book_of_the_year_after() -> None:
    log = MemoryLog()
    add_budget_2021(log)
    folds = fold(log)
    folds.take_changes()
    size = log.head_size()
    add_budget_2020(log)
    for index, event in log.events()[size:]:
        folds.apply(index, event)
    assert ("budget-book", f"{AGENCY}/2021") in folds.take_changes().tables


def test_every_figure_of_the_page_rests_on_entries(book_2021: dict[str, Any]) -> None:
    for table, rows in book_2021.items():
        for row in rows.values():
            assert row["entries"], (table, row["id"])
            assert row["provenance"], (table, row["id"])
            assert row["entries"] == sorted(set(row["entries"]))
