"""Do the demo city's events rebuild the page: under every rule, from the events alone, to the last won?

The events pass the same checks as at the service (envelope, types, signatures, groups, rules), then the folds
add them up. Expected figures come from the page's data in `tests/support/seed`, never from our own files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_cli import demo_city
from audit_cli.demo_transactions import TOTAL
from audit_service.rules.states import ONLY
from audit_service.rules.world import read_budget, read_contract
from tests.support.simulated_city import SimulatedCity
from verifier.canonical import encode_canonical

if TYPE_CHECKING:
    from projections.folds.all import FoldSet

SEED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "support" / "seed" / "budget-book-2021.json").read_text()
)
EVENTS = [event for _, events in demo_city.load_event_files() for event in events]
THOUSAND = 1000


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    city = SimulatedCity()
    city.take_everything()
    return city


@pytest.fixture(scope="module")
def folds(city: SimulatedCity) -> FoldSet:
    return city.folds


def table(folds: FoldSet, kind: str, key: str, name: str) -> dict[str, dict[str, Any]]:
    return {row.id: row.body for row in folds.compute_rows(kind, key) if row.table == name}


def book(folds: FoldSet, fiscal_year: int, name: str) -> dict[str, dict[str, Any]]:
    return table(folds, "budget-book", f"{demo_city.DIVISION}/{fiscal_year}", name)


def project(folds: FoldSet, name: str) -> dict[str, dict[str, Any]]:
    return table(folds, "project-register", demo_city.PROJECT, name)


def test_budget_by_object(folds: FoldSet) -> None:
    lines = {body["name_ko"]: body for body in book(folds, 2021, "lines").values()}
    for printed in SEED["budget_by_object"]["rows"]:
        body = lines[printed["object_ko"]]
        assert body["object_code"] == printed["object_code"]
        assert body["previous_original_won"] == printed["fy2020_thousand"] * THOUSAND
        assert body["original_won"] == printed["fy2021_thousand"] * THOUSAND
        assert body["change_won"] == printed["change_thousand"] * THOUSAND
        assert body["change_percent"] == printed["change_pct"]
    total, printed = book(folds, 2021, "totals")["total"], SEED["budget_by_object"]["total"]
    assert total["previous_original_won"] == printed["fy2020_thousand"] * THOUSAND
    assert total["original_won"] == printed["fy2021_thousand"] * THOUSAND
    assert total["change_won"] == printed["change_thousand"] * THOUSAND
    assert total["change_percent"] == printed["change_pct"]


def test_line_items(folds: FoldSet) -> None:
    names = {line_id: body["name_ko"] for line_id, body in book(folds, 2021, "lines").items()}
    assert [
        [names[item["line_id"]], item["item_ko"], item["basis_printed"], item["product_won"]]
        for item in book(folds, 2021, "items").values()
    ] == [
        [
            item["object_ko"],
            item["item_ko"],
            item["basis_printed"],
            item["amount_thousand_printed"] * THOUSAND,
        ]
        for item in SEED["line_items_2021"]
    ]


def test_schedule_and_what_each_step_spends(folds: FoldSet) -> None:
    item_ids = list(book(folds, 2021, "items"))
    steps = list(book(folds, 2021, "steps").values())
    names = ("name_ko", "start", "end", "amount_won", "detail_ko", "item_ids")
    assert [[step[name] for name in names] for step in steps] == [
        [
            step["step_ko"],
            step["start"],
            step["end"],
            step["amount_thousand"] * THOUSAND,
            step["detail_ko"],
            [item_ids[number] for number in step["maps_to_items"]],
        ]
        for step in SEED["schedule_2021"]["steps"]
    ]
    assert sum(step["amount_won"] for step in steps) == SEED["schedule_2021"]["total_thousand"] * THOUSAND


COLUMNS = {
    "final_budget": "final_budget_won",
    "carried_in": "carried_in_won",
    "budget_change": "budget_change_won",
    "current_budget": "current_budget_won",
    "executed": "executed_won",
    "carried_out": "carried_out_won",
    "unspent": "unspent_won",
}


@pytest.mark.parametrize("printed", SEED["settlement"]["rows"], ids=lambda row: str(row["fiscal_year"]))
def test_settlement(folds: FoldSet, printed: dict[str, int]) -> None:
    settlements = table(folds, "settlement", demo_city.DIVISION, "settlements")
    row = settlements[f"{printed['fiscal_year']}/{demo_city.PROJECT}"]
    for name, column in COLUMNS.items():
        assert row[column] == printed[name] * THOUSAND, name
    assert row["published_agrees"] is True
    assert row["status"] == "settled"


def test_fiscal_year_2020_starts_with_what_2019_carried_over(folds: FoldSet) -> None:
    total = book(folds, 2020, "totals")["total"]
    assert total["carried_in_won"] == SEED["settlement"]["rows"][-1]["carried_out"] * THOUSAND == 229_105_000
    assert book(folds, 2020, "year")["2020"]["status"] == "open"


def test_project_sheet(folds: FoldSet) -> None:
    printed = SEED["project"]
    registration = project(folds, "registration")["registration"]
    assert registration["name_ko"] == SEED["_meta"]["title_ko"]
    assert registration["account_ko"] == printed["account_ko"]
    assert registration["recurrence_ko"] == printed["period_type_ko"]
    assert [row["text_ko"] for row in project(folds, "purposes").values()] == printed["purpose_ko"]
    assert [row["text_ko"] for row in project(folds, "contents").values()][:4] == printed["content_ko"]
    assert [row["text_ko"] for row in project(folds, "effects").values()] == printed["expected_effects_ko"]
    assert [(row["role_ko"], row["count"]) for row in project(folds, "roles").values()] == [
        (role["role_ko"], role["count"]) for role in SEED["organisation"]["roles"]
    ]
    assert [(row["title_ko"], row["date"]) for row in project(folds, "bases").values()] == [
        (basis["title_ko"], basis["date"]) for basis in SEED["legal_basis"]
    ]
    funding = {row["label_ko"]: row["amount_won"] for row in project(folds, "funding").values()}
    assert funding["계"] == funding["시비"] == printed["funding_fy2021_thousand"]["total"] * THOUSAND
    assert funding["국비"] is funding["구비"] is funding["기타"] is funding["기타 (예산 외)"] is None


def test_history_with_dates_counts_and_aliases(folds: FoldSet) -> None:
    milestones = list(project(folds, "milestones").values())
    by_name = {
        name: milestone
        for milestone in milestones
        for name in [milestone["title_ko"], *(milestone["aliases_ko"] or [])]
    }
    for step in SEED["history"]:
        milestone = by_name[step["ko"]]
        assert milestone["year_heading"] == step["year"]
        assert milestone["start"] == step.get("start", step.get("date"))
        assert milestone["end"] == step.get("end")
        assert "추진실적" in milestone["sections"]
    counts = {count["name_ko"]: count["count"] for count in by_name["블록체인 정보전략계획(ISP) 수립"]["counts"]}
    assert counts == SEED["history"][0]["counts"]
    for build in SEED["contracts_and_projects"][:5]:
        assert by_name[build["name_ko"]]["start"] == build["start"]
        assert by_name[build["name_ko"]]["end"] == build["end"]
        assert "추진경위" in by_name[build["name_ko"]]["sections"]
    national = SEED["contracts_and_projects"][1]
    assert by_name[national["name_ko"]] is by_name[national["alias_ko"]]
    assert by_name["디지털 ID 기반 비대면 서비스 구축"]["sections"] == ["추진실적"]


def test_activities_repeat_as_often_as_their_items_pay_for(folds: FoldSet) -> None:
    activities = project(folds, "activities")
    items = {item["item_ko"]: item["factors"] for item in SEED["line_items_2021"]}
    governance = items["블록체인 거버넌스 운영"]
    advice = items["블록체인 기반 공유행정 제안서평가위원회 및 자문회의"]
    assert activities["governance-meetings"]["times"] == governance[1]["n"]
    assert [activities["advice"]["headcount"], activities["advice"]["times"]] == [factor["n"] for factor in advice[1:]]
    assert Counter(row["kind"] for row in activities.values()) == {
        "governance-meeting": 1,
        "advice": 1,
        "proposal-evaluation": 1,
        "workshop": 1,
        "training": 1,
        "conference": 1,
        "liaison": 1,
        "maintenance": 2,
        "development": 2,
    }
    assert {row["item_id"] for row in activities.values()} == set(book(folds, 2021, "items"))


def test_contracts(folds: FoldSet) -> None:
    *_, maintenance, expansion = SEED["contracts_and_projects"]
    plan = table(folds, "contract-register", "maintenance-2020-2021", "plan")
    assert [row["title_ko"] for row in plan.values()] == [maintenance["name_ko"]]
    rows = list(table(folds, "contract-register", "maintenance-2020-2021", "instalments").values())
    assert [row["fiscal_year"] for row in rows] == maintenance["plan_years"]
    assert [row["amount_won"] for row in rows] == [
        None,
        maintenance["installment_budget_thousand"] * THOUSAND,
    ]
    (planned,) = table(folds, "contract-register", "expansion-2021", "plan").values()
    assert planned["title_ko"] == expansion["name_ko"]
    assert planned["budget_won"] == expansion["budget_thousand"] * THOUSAND
    assert [planned["start"], planned["end"]] == [expansion["start"], expansion["end"]]
    assert planned["stage_ko"] == expansion["stage_ko"]


def test_assets(folds: FoldSet) -> None:
    assets = project(folds, "assets")
    commercial, applications = (item["count"] for item in SEED["work_content"]["maintenance"])
    assert assets["commercial-software"]["count"] == commercial
    assert assets["commercial-software"]["named"] == ["제우스"]
    assert assets["applications"]["count"] == applications
    assert assets["applications"]["named"] == ["엠보팅"]
    assert "platform" in assets


def test_published_counts_stay_unreconciled_each_in_its_own_unit(folds: FoldSet) -> None:
    expected = Counter(
        (count["service"].replace("_", "-"), count["count"], count["unit_ko"]) for count in SEED["service_counts"]
    )
    services = folds.keys("service-statistics")
    published = [
        (service, row)
        for service in services
        for row in table(folds, "service-statistics", service, "published_counts").values()
    ]
    assert Counter((service, row["count"], row["unit_ko"]) for service, row in published) == expected
    assert {row["status"] for _, row in published} == {"unreconciled"}
    assert {"digital-id", "private-authentication", "contact-free"} == set(services) - {
        service for service, *_ in expected
    }


def test_synthetic_transactions_are_as_many_as_the_page_counts(folds: FoldSet) -> None:
    expected: Counter[str] = Counter()
    for count in SEED["service_counts"]:
        expected[count["service"].replace("_", "-")] += count["count"]
    counted = {
        service: table(folds, "service-statistics", service, "transaction_totals")
        for service in folds.keys("service-statistics")
    }
    assert {service: totals["synthetic"]["count"] for service, totals in counted.items() if totals} == expected
    assert all(totals.keys() <= {"synthetic"} for totals in counted.values())
    assert expected.total() == TOTAL == 71_062


def test_every_anomaly_of_the_page_is_shown(folds: FoldSet) -> None:
    anomalies = project(folds, "anomalies")
    assert {
        "three-years-two-rows",
        "page-two-missing",
        "staff-training-purpose",
        "conference-host-or-join",
        "evaluation-committee-not-scheduled",
        "one-programme-two-names",
        "spellings-differ",
        "digital-id-not-in-history",
        "counts-filed-under-2019",
        "ten-applications-fewer-named",
        "budget-2020-ambiguous",
    } <= anomalies.keys()


def test_the_invented_year_keeps_to_its_budget_and_is_settled_and_approved(city: SimulatedCity) -> None:
    year = read_budget(city.world, f"budget/{demo_city.DIVISION}/2021")
    maintenance = read_contract(city.world, "maintenance-2020-2021")
    expansion = read_contract(city.world, "expansion-2021")
    assert year is not None
    assert maintenance is not None
    assert expansion is not None
    assert year.lines["201-02"].executed_won == maintenance.instalments[2].paid_won == 282_451 * THOUSAND
    development = expansion.instalments[1]
    assert development.paid_won + development.advance_won == year.lines["207-02"].executed_won == 202_000 * THOUSAND
    assert development.offset_won == development.advance_won > 0
    assert expansion.contract[ONLY].ended == "COMPLETED"
    assert sum(line.change_won for line in year.lines.values()) == 0
    printed = SEED["budget_by_object"]["total"]["fy2021_thousand"] * THOUSAND
    supplemented = 22_000 * THOUSAND
    assert year.year[ONLY].current_won == printed + supplemented
    executed = sum(line.executed_won for line in year.lines.values())
    carried = sum(line.carried_out_won for line in year.lines.values())
    assert sum(line.unspent_won for line in year.lines.values()) == printed + supplemented - executed - carried
    assert (year.year[ONLY].settled, year.year[ONLY].audited, year.year[ONLY].approved) == (True, True, True)
    following = read_budget(city.world, f"budget/{demo_city.DIVISION}/2022")
    assert following is not None
    assert following.lines["207-02"].carried_in_won == carried == 12_000 * THOUSAND


def test_the_invented_year_goes_through_the_whole_life_cycle() -> None:
    invented = {event["type"] for event in EVENTS if event["data"]["provenance"] == "illustrative"}
    assert invented >= {
        "budget.allotted.v1",
        "budget.supplemented.v1",
        "budget.transferred.v1",
        "budget.adjusted.v1",
        "budget.obligation-incurred.v1",
        "budget.obligation-adjusted.v1",
        "budget.paid.v1",
        "budget.returned.v1",
        "budget.corrected.v1",
        "budget.carryover-declared.v1",
        "budget.carried-over.v1",
        "budget.carry-in-received.v1",
        "budget.fiscal-year-closed.v1",
        "budget.settlement-published.v1",
        "budget.settlement-audited.v1",
        "budget.settlement-approved.v1",
        "contract.prior-step-completed.v1",
        "contract.tender-published.v1",
        "contract.awarded.v1",
        "contract.signed.v1",
        "contract.advance-paid.v1",
        "contract.amended.v1",
        "contract.accepted.v1",
        "contract.paid.v1",
        "contract.instalment-closed.v1",
        "contract.completed.v1",
        "contract.warranty-set.v1",
    }


def test_every_event_says_where_its_facts_come_from() -> None:
    """What is invented stands in files of its own, save for three services that the page only names."""
    assert {event["data"].get("provenance") for event in EVENTS} == {"printed", "derived", "illustrative"}
    for name, events in demo_city.load_event_files():
        invented = [event["id"] for event in events if event["data"]["provenance"] == "illustrative"]
        if int(name[:2]) >= 10:
            assert len(invented) == len(events), name
        elif name == "08-services":
            assert invented == [
                "service/digital-id/registered",
                "service/private-authentication/registered",
                "service/contact-free/registered",
            ]
        else:
            assert invented == [], name


def test_printed_texts_stand_on_the_page() -> None:
    text = (Path(__file__).parents[1] / "support" / "seed" / "budget-book-2021.txt").read_text()
    spaceless = re.sub(r"\s", "", text)
    names = {"item_ko", "basis_printed", "text_printed", "date_printed", "stage_ko", "detail_ko"}
    for event in EVENTS:
        data = event["data"]
        if data["provenance"] == "printed":
            steps = data.get("steps", [])
            printed = [value for part in [data, *steps] for name, value in part.items() if name in names]
            for value in [*printed, *data.get("details_ko", []), *data.get("purpose_ko", [])]:
                assert re.sub(r"\s", "", value) in spaceless, value


def test_time_is_midnight_in_seoul_of_the_legal_date() -> None:
    for event in EVENTS:
        assert event["time"].endswith("T15:00:00.000Z")
        if "legaldate" in event:
            utc_day = date.fromisoformat(event["time"][:10])
            assert (utc_day + timedelta(days=1)).isoformat() == event["legaldate"]


def test_signing_changes_nothing_but_the_signature() -> None:
    key = Ed25519PrivateKey.generate()
    credentials = {agency.code: demo_city.Credentials(key, "token") for agency in demo_city.AGENCIES}
    signed = [json.loads(line) for batch in demo_city.event_batches(credentials) for line in batch.lines]
    assert [
        {name: value for name, value in event.items() if name not in {"signature", "specversion"}} for event in signed
    ] == [json.loads(encode_canonical(event)) for event in EVENTS]
