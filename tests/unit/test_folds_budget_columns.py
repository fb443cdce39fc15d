"""Does every type of a budget's stream move exactly the official columns that it should?"""

from __future__ import annotations

from typing import Any

import pytest

from projections.folds.all import fold_all
from projections.folds.answers import fold_answer
from projections.folds.budget_columns import CHANGES, COLUMNS, ZERO_SUM
from projections.folds.budget_exposures import BREACHES, NOTES
from tests.support.budget_steps import authorise, give_back, move, oblige, payment, post, supplement, use_grant
from tests.support.seed_city import AGENCY, PROJECT, MemoryLog, appropriate, budget, carry_over, define_line, open_year

Tables = dict[str, dict[str, dict[str, Any]]]


def answer(log: MemoryLog, kind: str, key: str) -> Tables:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    found = fold_answer(folds, kind, key, tree_size=log.head_size())
    assert found is not None
    return {table: {row["id"]: row for row in rows} for table, rows in found["tables"].items()}


def book(log: MemoryLog, fiscal_year: int = 2021) -> Tables:
    return answer(log, "budget-book", f"{AGENCY}/{fiscal_year}")


def moved(log: MemoryLog, line_id: str = "total") -> dict[str, int]:
    """The columns of a line that are not zero."""
    line = book(log)["lines"][line_id]
    return {name: line[name] for name in COLUMNS if line[name]}


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    open_year(log, 2021)
    for line_id in ("total", "from"):
        define_line(log, 2021, line_id, line_id)
    return log


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("reserve-released", "reserve_won"),
        ("cross-transferred", "cross_transferred_won"),
        ("transferred", "transferred_won"),
        ("reassigned", "reassigned_won"),
        ("adjusted", "adjusted_won"),
    ],
)
def test_each_kind_of_move_has_its_column_and_adds_up_to_nothing(log: MemoryLog, kind: str, column: str) -> None:
    event_id = move(log, 2021, kind, 30, role="기관장")
    both_sums = {"budget_change_won": 30, "current_won": 30, "unspent_won": 30}
    assert moved(log) == {column: 30, **both_sums}
    assert moved(log, "from") == {column: -30, **dict.fromkeys(both_sums, -30)}
    tables = book(log)
    (row,) = tables["moves"].values()
    assert row["id"].startswith(event_id)
    assert (row["from_line_id"], row["to_line_id"], row["amount_won"]) == ("from", "total", 30)
    assert (row["approver_role"], row["basis"]["title"], row["status"]) == ("기관장", "결재", "in force")
    assert tables["documents"]["3/1"]["document_number"] == "12"
    check = tables["zero_sum_checks"][column]
    assert (check["in_won"], check["out_won"], check["sum_won"], check["holds"]) == (30, 30, 0, True)
    assert tables["totals"]["total"]["budget_change_won"] == 0


def test_a_move_between_two_funds_is_seen_though_it_adds_up_to_nothing(log: MemoryLog) -> None:
    define_line(log, 2021, "grant", "grant", fund="NATIONAL")
    data = {"from_line_id": "grant", "to_line_id": "total", "amount_won": 5}
    post(log, "transferred", data)
    check = book(log)["zero_sum_checks"]["transferred_won"]
    assert (check["sum_won"], check["holds"]) == (0, False)
    assert check["sums_by_fund"] == [{"fund": "CITY", "sum_won": 5}, {"fund": "NATIONAL", "sum_won": -5}]


def test_revenue_that_pays_for_its_expense_comes_from_outside_the_budget(log: MemoryLog) -> None:
    data = {"line_id": "total", "amount_won": 7, "revenue_id": "fees", "excess_revenue_won": 9}
    post(log, "revenue-substituted", data)
    expected = {"revenue_substituted_won": 7, "budget_change_won": 7, "current_won": 7, "unspent_won": 7}
    assert moved(log) == expected
    (row,) = book(log)["moves"].values()
    assert (row["kind"], row["from_line_id"], row["to_line_id"]) == ("REVENUE_SUBSTITUTION", None, "total")
    assert (row["revenue_id"], row["excess_revenue_won"]) == ("fees", 9)


def test_the_original_budget_replaces_the_provisional_one(log: MemoryLog) -> None:
    authorise(log, 2021, 40)
    provisional = {"provisional_won": 40, "final_budget_won": 40, "current_won": 40, "unspent_won": 40}
    assert moved(log) == provisional
    assert book(log)["line_checks"]["total"]["notes"] == ["PROVISIONAL_IN_FORCE"]
    assert not book(log)["resolutions"]["provisional/1"]["ended"]
    appropriate(log, 2021, {"total": 100})
    original = {"original_won": 100, "appropriated_won": 100, "final_budget_won": 100}
    assert moved(log) == {**original, "current_won": 100, "unspent_won": 100}
    assert book(log)["resolutions"]["provisional/1"]["ended"]
    assert book(log)["resolutions"]["original"]["total_won"] == 100


def test_a_supplementary_budget_takes_in_what_was_used_before_it(log: MemoryLog) -> None:
    appropriate(log, 2021, {"total": 100})
    use_grant(log, 2021, "subsidy", 20)
    before = moved(log)
    assert (before["pre_appropriated_won"], before["final_budget_won"], before["current_won"]) == (20, 120, 120)
    assert before["appropriated_won"] == 100
    assert book(log)["pre_appropriations"]["subsidy"]["open"]
    assert book(log)["line_checks"]["total"]["notes"] == ["PRE_APPROPRIATION_OPEN"]
    supplement(log, 2021, 1, 25, taking_in=["subsidy"])
    after = moved(log)
    assert "pre_appropriated_won" not in after
    assert (after["supplementary_won"], after["appropriated_won"], after["current_won"]) == (25, 125, 125)
    taken = book(log)["pre_appropriations"]["subsidy"]
    assert (taken["open"], taken["taken_in_by_round"]) == (False, 1)
    assert book(log)["resolutions"]["supplement/1"]["rows"] == [{"line_id": "total", "amount_won": 25}]


def test_from_allotment_to_return(log: MemoryLog) -> None:
    appropriate(log, 2021, {"total": 100})
    for quarter, amount in ((1, 60), (2, 30), (1, -10)):
        post(log, "allotted", {"line_id": "total", "quarter": quarter, "amount_won": amount})
    for office, amount in (("east", 20), ("west", 10), ("east", -5)):
        post(log, "reallotted", {"line_id": "total", "office": office, "amount_won": amount})
    oblige(log, "o", 70)
    adjusted = post(log, "obligation-adjusted", {"obligation_id": "o", "delta_won": -20, "reason_ko": "감액"})
    post(log, "paid", payment("p", "o", 40))
    give_back(log, 2021, "r", "p", 15)
    columns = moved(log)
    expected = {
        "allotted_won": 80,
        "allotted_q1_won": 50,
        "allotted_q2_won": 30,
        "reallotted_won": 25,
        "obligated_won": 50,
        "executed_won": 25,
        "returned_won": 15,
        "unspent_won": 75,
    }
    assert {name: columns[name] for name in expected} == expected
    tables = book(log)
    line, obligation = tables["lines"]["total"], tables["obligations"]["o"]
    assert (line["execution_rate_bp"], line["unspent_rate_bp"]) == (2500, 7500)
    assert (obligation["amount_won"], obligation["adjusted_won"], obligation["obligated_won"]) == (70, -20, 50)
    assert (obligation["paid_won"], obligation["returned_won"], obligation["unpaid_won"]) == (40, 15, 25)
    assert tables["obligation_adjustments"][adjusted]["line_id"] == "total"
    assert tables["payments"]["p"]["returned_won"] == 15
    assert tables["returns"]["r"]["payment_id"] == "p"
    offices = {row_id: row["amount_won"] for row_id, row in tables["reallotments"].items()}
    assert offices == {"total/east": 15, "total/west": 10}
    assert line["figures"]["executed_won"]["entries"] == [12, 13]
    assert line["figures"]["allotted_won"]["entries"] == [4, 5, 6]
    assert tables["line_checks"]["total"]["holds"]


def test_a_refund_of_a_closed_year_moves_none_of_its_columns(log: MemoryLog) -> None:
    appropriate(log, 2021, {"total": 100})
    oblige(log, "o", 70)
    post(log, "paid", payment("p", "o", 40))
    before = moved(log)
    refund = {"refund_id": "f", "payment_id": "p", "amount_won": 5, "reason_ko": "정산"}
    post(log, "prior-year-refunded", refund, day="12-31")
    assert moved(log) == before
    tables = book(log)
    assert tables["payments"]["p"]["refunded_later_won"] == 5
    assert tables["refunds"]["f"]["amount_won"] == 5


def test_declared_and_planned_carry_overs_are_shown_and_move_no_money(log: MemoryLog) -> None:
    event_id = post(log, "carryover-declared", {"line_id": "total", "amount_won": 9})
    years = [{"fiscal_year": 2021, "amount_won": 5}, {"fiscal_year": 2022, "amount_won": 5}]
    plan = {"plan_id": "bridge", "project_id": PROJECT, "years": years, "total_won": 10}
    post(log, "continuing-plan-set", plan)
    assert moved(log) == {"carryover_declared_won": 9}
    assert book(log)["declarations"][event_id]["amount_won"] == 9
    assert book(log)["continuing_plans"]["bridge"]["years"] == years


def test_carry_overs_stand_in_the_column_of_their_kind(log: MemoryLog) -> None:
    open_year(log, 2022)
    define_line(log, 2022, "total", "total")
    for number, kind in enumerate(("EXPLICIT", "ACCIDENTAL", "CONTINUING"), start=1):
        carry_over(log, 2021, number, kind=kind)
    closing, opening = (book(log, year)["lines"]["total"] for year in (2021, 2022))
    for number, kind in enumerate(("explicit", "accidental", "continuing"), start=1):
        assert closing[f"carried_out_{kind}_won"] == opening[f"carried_in_{kind}_won"] == number
    assert (closing["carried_out_won"], closing["unspent_won"], opening["current_won"]) == (6, -6, 6)
    checks = book(log, 2022)["carry_in_checks"]
    assert {kind: row["holds"] for kind, row in checks.items()} == dict.fromkeys(
        ("EXPLICIT", "ACCIDENTAL", "CONTINUING"), True
    )


def test_a_carry_in_of_another_kind_or_amount_is_exposed(log: MemoryLog) -> None:
    open_year(log, 2022)
    carry_over(log, 2021, 10, kind="EXPLICIT")
    received = {"line_id": "total", "from_subject": budget(2021), "from_line_id": "total", "kind": "ACCIDENTAL"}
    post(log, "carry-in-received", {**received, "amount_won": 3, "carried_over_id": "x"}, fiscal_year=2022)
    checks = book(log, 2022)["carry_in_checks"]
    assert (checks["EXPLICIT"]["holds"], checks["EXPLICIT"]["difference_won"]) == (True, 0)
    assert (checks["ACCIDENTAL"]["holds"], checks["ACCIDENTAL"]["difference_won"]) == (False, 3)


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([("obligation", 10), ("payment", 11)], "EXECUTED_ABOVE_OBLIGATED"),
        ([("obligation", 201)], "OBLIGATED_ABOVE_ALLOTTED"),
        ([("allotment", 1)], "ALLOTTED_ABOVE_CURRENT"),
        ([("carry-over", 101)], "UNSPENT_BELOW_ZERO"),
        ([("obligation", 10), ("payment", 10), ("return", 11)], "EXECUTED_BELOW_ZERO"),
        ([("take", 60)], "CURRENT_BELOW_ORIGINAL"),
        # 550 % of the current budget, as once printed by a national portal.
        ([("obligation", 550), ("payment", 550)], "EXECUTED_ABOVE_CURRENT"),
        ([("carry-over", 1)], "CARRY_OUT_ABOVE_DECLARED"),
    ],
)
def test_what_no_rule_would_let_pass_is_named(log: MemoryLog, steps: list[tuple[str, int]], named: str) -> None:
    appropriate(log, 2021, {"total": 100})
    post(log, "allotted", {"line_id": "total", "quarter": 1, "amount_won": 100})
    for step, amount in steps:
        match step:
            case "allotment":
                post(log, "allotted", {"line_id": "total", "quarter": 1, "amount_won": amount})
            case "obligation":
                oblige(log, "o", amount)
            case "payment":
                post(log, "paid", payment("p", "o", amount))
            case "return":
                give_back(log, 2021, "r", "p", amount)
            case "take":
                post(log, "adjusted", {"from_line_id": "total", "to_line_id": "from", "amount_won": amount})
            case "carry-over":
                carry_over(log, 2021, amount, kind="EXPLICIT")
    check = book(log)["line_checks"]["total"]
    assert named in check["breaches"] + check["notes"]
    assert check["holds"] == (not check["breaches"])
    assert named in BREACHES or named in NOTES


def test_totals_stand_for_all_for_each_project_and_for_each_fund(log: MemoryLog) -> None:
    define_line(log, 2021, "grant", "grant", fund="NATIONAL")
    appropriate(log, 2021, {"total": 100, "grant": 50, "from": 1})
    totals = book(log)["totals"]
    amounts = {row_id: row["appropriated_won"] for row_id, row in totals.items()}
    assert amounts == {"total": 151, f"project/{PROJECT}": 151, "fund/CITY": 101, "fund/NATIONAL": 50}
    assert totals["fund/NATIONAL"]["figures"]["original_won"]["entries"] == [4]


def test_codes_and_limits_of_the_year_are_shown(log: MemoryLog) -> None:
    entries = [{"code": "201-01", "name_ko": "사무관리비"}]
    post(log, "code-list-published", {"level": "object_code", "entries": entries})
    post(log, "transfer-limits-set", {"closed_to_transfers": ["203", "307-02"]})
    tables = book(log)
    assert tables["codes"]["object_code/201-01"]["name_ko"] == "사무관리비"
    assert tables["year"]["2021"]["closed_to_transfers"] == ["203", "307-02"]


def test_a_settlement_has_the_official_columns_beside_the_printed_ones(log: MemoryLog) -> None:
    appropriate(log, 2021, {"total": 100, "from": 50})
    supplement(log, 2021, 1, 20)
    for kind in ("reserve-released", "transferred"):
        move(log, 2021, kind, 10)
    oblige(log, "o", 60)
    post(log, "paid", payment("p", "o", 60))
    give_back(log, 2021, "r", "p", 5)
    tables = answer(log, "settlement", AGENCY)
    row = tables["settlements"][f"2021/{PROJECT}"]
    assert (row["original_won"], row["supplementary_won"], row["final_budget_won"]) == (150, 20, 170)
    assert (row["obligated_won"], row["executed_won"], row["returned_won"]) == (60, 55, 5)
    assert (row["execution_rate_bp"], row["unspent_rate_bp"]) == (3235, 6765)
    assert {column: row[column] for column in CHANGES} == dict.fromkeys(CHANGES, 0)
    identities = {row_id.rpartition("/")[2]: found["holds"] for row_id, found in tables["identities"].items()}
    assert identities == dict.fromkeys(("current_budget", "unspent", "final_budget", "budget_change"), True)
    assert set(ZERO_SUM) < set(row)


def test_a_settlement_says_how_far_it_has_come(log: MemoryLog) -> None:
    def status() -> str:
        stage: str = answer(log, "settlement", AGENCY)["stages"]["2021"]["status"]
        return stage

    found = [status()]
    row = dict.fromkeys(
        (f"{name}_won" for name in ("final_budget", "carried_in", "budget_change", "current_budget", "executed")), 0
    )
    row |= {"carried_out_won": 0, "unspent_won": 0}
    for event_type, data in (
        ("fiscal-year-closed", {"closes_on": "2021-12-31"}),
        ("settlement-published", {"rows": [{"project_id": PROJECT, **row}]}),
        (
            "settlement-audited",
            {"committee_ko": "결산검사위원회", "findings": [{"title_ko": "지적", "sha256": "0" * 64}]},
        ),
        ("settlement-approved", {"approved_on": "2022-06-20"}),
    ):
        post(log, event_type, data, day="12-31")
        found.append(status())
    assert found == ["open", "closed", "published", "audited", "approved"]
    tables = answer(log, "settlement", AGENCY)
    assert [row["title_ko"] for row in tables["findings"].values()] == ["지적"]
    stage = tables["stages"]["2021"]
    assert (stage["findings"], stage["approved_on"], stage["published_in"]) == (1, "2022-06-20", [4])
    assert stage["entries"] == [0, 3, 4, 5, 6]
