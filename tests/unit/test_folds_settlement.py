"""Do entries rebuild the settlement table, with identities that could fail and a chain of carry-overs?"""

from __future__ import annotations

from typing import Any

import pytest

from projections.folds.all import fold_all
from projections.folds.answers import fold_answer
from tests.support.seed_city import (
    AGENCY,
    PROJECT,
    SEED,
    MemoryLog,
    appropriate,
    budget,
    carry_over,
    close_and_settle,
    define_line,
    open_year,
    seed_log,
    won,
)

ROWS = SEED["settlement"]["rows"]


def settlement(log: MemoryLog) -> dict[str, dict[str, dict[str, Any]]]:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    answer = fold_answer(folds, "settlement", AGENCY, tree_size=log.head_size())
    assert answer is not None
    return {table: {row["id"]: row for row in rows} for table, rows in answer["tables"].items()}


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, dict[str, Any]]]:
    return settlement(seed_log())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["fiscal_year"]))
def test_the_seven_columns_are_those_of_the_page(tables: dict[str, Any], row: dict[str, int]) -> None:
    rebuilt = tables["settlements"][f"{row['fiscal_year']}/{PROJECT}"]
    assert {name: rebuilt[f"{name}_won"] for name in row if name != "fiscal_year"} == {
        name: won(value) for name, value in row.items() if name != "fiscal_year"
    }
    assert (rebuilt["status"], rebuilt["published_agrees"]) == ("settled", True)


def test_both_identities_hold_for_both_years(tables: dict[str, Any]) -> None:
    for row in ROWS:
        for name, column in (("current_budget", "current_budget"), ("unspent", "unspent")):
            identity = tables["identities"][f"{row['fiscal_year']}/{PROJECT}/{name}"]
            assert identity["left_won"] == identity["right_won"] == won(row[column])
            assert (identity["holds"], identity["published_holds"]) == (True, True)


def test_2020_starts_with_what_2019_carried_over(tables: dict[str, Any]) -> None:
    year_2020 = tables["settlements"][f"2020/{PROJECT}"]
    assert year_2020["carried_in_won"] == won(229_105) == won(ROWS[1]["carried_out"])
    assert (year_2020["status"], year_2020["published"]) == ("open", None)


def test_the_chain_of_carry_overs(tables: dict[str, Any]) -> None:
    chain = {
        (row["from_year"], row["to_year"]): (row["carried_out_won"], row["carried_in_won"], row["status"])
        for row in tables["carry_over_chain"].values()
    }
    assert chain == {
        # What 2017 carried over is not in the log: imported, not derived from entries.
        (2017, 2018): (None, won(ROWS[0]["carried_in"]), "open"),
        (2018, 2019): (won(298_090), won(298_090), "holds"),
        (2019, 2020): (won(229_105), won(229_105), "holds"),
        (2020, 2021): (0, 0, "open"),
    }


def test_a_settlement_that_differs_by_one_won_is_shown() -> None:
    log = seed_log()
    wrong = {f"{name}_won": won(value) for name, value in ROWS[0].items() if name != "fiscal_year"}
    data = {"rows": [{"project_id": PROJECT, **wrong, "executed_won": won(ROWS[0]["executed"]) + 1}]}
    log.add("budget.settlement-published.v1", budget(2018), data, legal_date="2021-01-02")
    tables = settlement(log)
    row = tables["settlements"][f"2018/{PROJECT}"]
    assert row["published_agrees"] is False
    assert row["executed_won"] == won(ROWS[0]["executed"])
    identities = tables["identities"]
    assert identities[f"2018/{PROJECT}/unspent"]["published_holds"] is False
    assert identities[f"2018/{PROJECT}/current_budget"]["published_holds"] is True


def test_a_carry_over_that_arrives_short_breaks_the_chain() -> None:
    log = MemoryLog()
    for fiscal_year in (2020, 2021):
        open_year(log, fiscal_year)
        define_line(log, fiscal_year, "total", "계")
        appropriate(log, fiscal_year, {"total": 100})
    log.add(
        "budget.carried-over.v1",
        budget(2020),
        {
            "line_id": "total",
            "to_subject": budget(2021),
            "to_line_id": "total",
            "kind": "EXPLICIT",
            "amount_won": 30,
            "carry_in_id": "x",
        },
    )
    link = f"2020-2021/{PROJECT}"
    assert settlement(log)["carry_over_chain"][link]["status"] == "open"
    log.add("budget.fiscal-year-closed.v1", budget(2020), {"closes_on": "2020-12-31"})
    tables = settlement(log)
    assert tables["carry_over_chain"][link]["status"] == "broken"
    assert tables["settlements"][f"2020/{PROJECT}"]["status"] == "closed"
    assert tables["settlements"][f"2020/{PROJECT}"]["carried_out_explicit_won"] == 30


def test_the_columns_say_which_entries_and_provenances_they_rest_on(tables: dict[str, Any]) -> None:
    figures = tables["settlements"][f"2018/{PROJECT}"]["figures"]
    assert figures["final_budget_won"]["provenance"] == ["printed"]
    assert figures["executed_won"]["provenance"] == ["derived"]  # the page gives one sum, not the payment
    assert len(figures["executed_won"]["entries"]) == 1
    assert figures["unspent_won"]["computed_from"] == [
        "current_budget_won",
        "executed_won",
        "carried_out_won",
    ]


def test_agencies_are_told_apart() -> None:
    log = seed_log()
    data = {"fiscal_year": 2021, "account": "general", "account_ko": "일반회계"}
    data |= {"opens_on": "2021-01-01", "closes_on": "2021-12-31"}
    log.add("budget.fiscal-year-opened.v1", "budget/other/2021", data)
    assert {row["project_id"] for row in settlement(log)["settlements"].values()} == {PROJECT}


def test_a_pair_of_carry_over_names_each_other() -> None:
    log = MemoryLog()
    for fiscal_year in (2020, 2021):
        open_year(log, fiscal_year)
        define_line(log, fiscal_year, "total", "계")
    carry_over(log, 2020, 5)
    close_and_settle(log, {**dict.fromkeys(ROWS[0], 0), "fiscal_year": 2020})
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    (out,) = [row for row in folds.compute_rows("budget-book", f"{AGENCY}/2020") if row.table == "carry_overs"]
    (received,) = [row for row in folds.compute_rows("budget-book", f"{AGENCY}/2021") if row.table == "carry_overs"]
    assert out.body["other_event_id"] == received.id
    assert received.body["other_event_id"] == out.id
