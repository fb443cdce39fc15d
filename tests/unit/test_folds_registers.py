"""Do entries rebuild the registers of contracts, projects and organisations, with what the source leaves open?"""

from __future__ import annotations

from typing import Any

import pytest

from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import fold_answer
from tests.support.seed_city import AGENCY, MAINTENANCE, PROJECT, SEED, MemoryLog, seed_log, won


def fold(log: MemoryLog) -> FoldSet:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    return folds


def tables(log: MemoryLog, kind: str, key: str) -> dict[str, list[dict[str, Any]]]:
    answer = fold_answer(fold(log), kind, key, tree_size=log.head_size())
    assert answer is not None
    found: dict[str, list[dict[str, Any]]] = answer["tables"]
    return found


@pytest.fixture
def log() -> MemoryLog:
    return seed_log()


def pay(log: MemoryLog, number: int, amount_won: int) -> None:
    data = {
        "instalment": 2,
        "payment_id": f"payment-{number}",
        "amount_won": amount_won,
        "budget_paid_id": f"budget-paid-{number}",
        "budget_subject": f"budget/{AGENCY}/2021",
        "provenance": "illustrative",
    }
    log.add("contract.paid.v1", MAINTENANCE, data, legal_date="2021-03-31")


def test_the_second_instalment_has_the_price_of_the_page_and_the_first_has_none(log: MemoryLog) -> None:
    first, second = tables(log, "contract-register", "maintenance-2020-2021")["instalments"]
    assert (first["instalment"], first["amount_won"], first["amount_stated"]) == (1, None, False)
    assert (second["instalment"], second["amount_won"], second["amount_stated"]) == (2, won(282_451), True)
    assert first["unpaid_won"] is None


def test_sums_say_that_a_price_is_missing(log: MemoryLog) -> None:
    pay(log, 1, 1000)
    pay(log, 2, 500)
    register = tables(log, "contract-register", "maintenance-2020-2021")
    (sums,) = register["sums"]
    assert (sums["instalments"], sums["instalments_without_amount"]) == (2, 1)
    assert (sums["contracted_won"], sums["paid_won"], sums["unpaid_won"]) == (won(282_451), 1500, None)
    assert register["instalments"][1]["unpaid_won"] == won(282_451) - 1500
    assert [row["id"] for row in register["payments"]] == ["payment-1", "payment-2"]
    assert sums["provenance"] == ["derived", "illustrative", "printed"]


def test_a_contract_that_is_only_planned_has_no_sums_to_compare() -> None:
    log = MemoryLog()
    plan = {"title_ko": "계획", "category": "SERVICES", "project_id": PROJECT, "budget_lines": []}
    log.add("contract.planned.v1", "contract/c", plan, legal_date="2021-01-01")
    register = tables(log, "contract-register", "c")
    assert register["plan"][0]["budget_won"] is None
    assert register["sums"][0]["contracted_won"] is None


def test_the_project_is_that_of_the_page(log: MemoryLog) -> None:
    register = tables(log, "project-register", PROJECT)
    project = SEED["project"]
    assert register["registration"][0]["name_ko"] == SEED["_meta"]["title_ko"]
    assert [row["text_ko"] for row in register["purposes"]] == project["purpose_ko"]
    assert [row["text_ko"] for row in register["contents"]] == project["content_ko"]
    assert [(row["title_ko"], row["date"]) for row in register["bases"]] == [
        (basis["title_ko"], basis["date"]) for basis in SEED["legal_basis"]
    ]
    assert [(row["role_ko"], row["count"]) for row in register["roles"]] == [
        (role["role_ko"], role["count"]) for role in SEED["organisation"]["roles"]
    ]


def test_blank_cells_of_the_funding_stay_blank(log: MemoryLog) -> None:
    funding = {row["label_ko"]: row["amount_won"] for row in tables(log, "project-register", PROJECT)["funding"]}
    printed = SEED["project"]["funding_fy2021_thousand"]
    assert funding["계"] == won(printed["total"])
    assert funding["시비"] == won(printed["시비"])
    for blank in ("국비", "구비", "기타"):
        assert funding[blank] is None
        assert printed[blank] is None


def test_history_activities_assets_effects_and_anomalies_are_kept_in_order(log: MemoryLog) -> None:
    subject = f"project/{PROJECT}"
    isp = SEED["history"][0]
    counts = [{"name_ko": name, "count": count, "unit_ko": "개"} for name, count in isp["counts"].items()]
    milestone = {"milestone_id": "isp", "title_ko": isp["ko"], "start": isp["date"], "counts": counts}
    log.add("project.milestone-recorded.v1", subject, {**milestone, "sections": ["추진실적"]})
    activity = {"activity_id": "advice", "kind": "advice", "description_ko": "정책자문", "times": 5}
    log.add("project.activity-recorded.v1", subject, activity)
    software = SEED["work_content"]["maintenance"][0]
    asset = {"asset_id": "software", "kind": "commercial-software", "name_ko": software["ko"]}
    log.add(
        "project.asset-registered.v1",
        subject,
        {**asset, "count": software["count"], "unit_ko": "종", "named": ["제우스"]},
    )
    for effect in SEED["project"]["expected_effects_ko"]:
        log.add("project.effect-stated.v1", subject, {"text_ko": effect})
    anomaly = {"anomaly_id": "three-years", "text_ko": "두 줄뿐이다", "text_en": "two rows only"}
    log.add("project.anomaly-noted.v1", subject, anomaly)
    register = tables(log, "project-register", PROJECT)
    assert {row["name_ko"]: row["count"] for row in register["milestones"][0]["counts"]} == isp["counts"]
    assert register["milestones"][0]["end"] is None
    assert register["activities"][0]["times"] == 5
    assert register["assets"][0]["not_named"] == software["count"] - 1
    assert [row["text_ko"] for row in register["effects"]] == SEED["project"]["expected_effects_ko"]
    assert [row["id"] for row in register["anomalies"]] == ["three-years"]


def test_an_organisation_keeps_all_its_names(log: MemoryLog) -> None:
    new_name = {"code": AGENCY, "name_ko": "디지털도시국", "valid_from": "2023-01-01"}
    log.add("registry.organisation-named.v1", f"registry/agency/{AGENCY}", new_name)
    names = tables(log, "organisations", AGENCY)["names"]
    assert [row["name_ko"] for row in names] == [SEED["organisation"]["division_ko"], "디지털도시국"]
    assert names[0]["validity_ko"] == SEED["organisation"]["naming_rule_ko"]
    assert names[1]["valid_from"] == "2023-01-01"


def test_the_genesis_names_the_agencies_that_may_write() -> None:
    log = MemoryLog()
    key = {"kid": "k" * 43, "public_key": "p" * 43}
    agency = {"code": "seoul", "name_ko": "서울특별시", "name_en": "Seoul"}
    genesis = {
        "origin": "example",
        "log_key": "example",
        "root_keys": [key, key, key],
        "root_threshold": 2,
        "publisher_key": key,
        "policy": "none",
        "agencies": [{**agency, "keys": [{**key, "scopes": ["registry.*"]}]}],
    }
    log.add("registry.log-created.v1", "registry/log", genesis)
    (row,) = tables(log, "organisations", "seoul")["names"]
    assert (row["name_ko"], row["name_en"], row["entries"]) == ("서울특별시", "Seoul", [0])
    log.add("registry.organisation-named.v1", "registry/agency/seoul", {"code": "seoul", "name_ko": "서울특별시"})
    first, second = tables(log, "organisations", "seoul")["names"]
    assert set(first) == set(second)


def test_an_agency_that_joins_later_is_named_too_and_its_keys_name_nobody() -> None:
    log = MemoryLog()
    joined = {"code": "parks", "name_ko": "공원과", "name_en": "Parks"}
    log.add("registry.agency-registered.v1", "registry/log", joined)
    key = {"kid": "k" * 43, "public_key": "p" * 43, "possession": f"{'h' * 20}..{'s' * 86}"}
    registered = {**key, "agency": "parks", "scopes": ["budget.*"], "role": "SUBMITTER"}
    log.add("registry.key-registered.v1", "registry/log", registered)
    log.add("registry.organisation-named.v1", "registry/agency/parks", {"code": "parks", "name_ko": "공원녹지과"})
    first, second = tables(log, "organisations", "parks")["names"]
    assert (first["name_ko"], first["name_en"], first["entries"]) == ("공원과", "Parks", [0])
    assert (second["name_ko"], second["entries"]) == ("공원녹지과", [2])
    assert set(first) == set(second)


def test_an_unknown_key_has_no_answer_and_an_unknown_kind_is_an_error(log: MemoryLog) -> None:
    folds = fold(log)
    for kind in folds.kinds:
        assert fold_answer(folds, kind, "unknown/key", tree_size=1) is None
    with pytest.raises(KeyError):
        folds.compute_rows("unknown", "key")
