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


def say(log: MemoryLog, fact: str, data: dict[str, Any]) -> int:
    return log.add(f"project.{fact}.v1", f"project/{PROJECT}", data)


def test_both_versions_of_what_is_corrected_remain(log: MemoryLog) -> None:
    milestone = {"milestone_id": "new", "title_ko": "시범", "sections": ["추진실적"]}
    first = say(log, "milestone-recorded", milestone)
    second = say(log, "milestone-recorded", {**milestone, "title_ko": "시범사업", "corrects": f"event-{first}"})
    say(log, "milestone-recorded", {**milestone, "title_ko": "시범 사업", "corrects": f"event-{second}"})
    rows = {row["id"]: row for row in tables(log, "project-register", PROJECT)["milestones"]}
    assert [(row_id, rows[row_id]["title_ko"]) for row_id in ("new", "new~2", "new~3")] == [
        ("new", "시범"),
        ("new~2", "시범사업"),
        ("new~3", "시범 사업"),
    ]
    assert [rows[row_id]["corrected_by"] for row_id in ("new", "new~2", "new~3")] == [
        f"event-{second}",
        f"event-{second + 1}",
        None,
    ]
    assert rows["new"]["entries"] == [first, second]


def test_a_corrected_effect_keeps_its_number_and_the_next_one_counts_on(log: MemoryLog) -> None:
    first = say(log, "effect-stated", {"text_ko": "효과"})
    say(log, "effect-stated", {"text_ko": "기대효과", "corrects": f"event-{first}"})
    say(log, "effect-stated", {"text_ko": "또 하나"})
    rows = tables(log, "project-register", PROJECT)["effects"]
    assert [(row["id"], row["text_ko"]) for row in rows[-3:]] == [("1", "효과"), ("1~2", "기대효과"), ("2", "또 하나")]


def test_funding_is_compared_with_the_appropriation_of_its_year(log: MemoryLog) -> None:
    (check,) = tables(log, "project-register", PROJECT)["funding_checks"]
    assert (check["funding_won"], check["appropriated_won"], check["status"]) == (won(516_451), won(516_451), "agrees")
    registered, appropriated = check["entries"]
    types = [log.events()[index][1].type for index in (registered, appropriated)]
    assert types == ["project.registered.v1", "budget.appropriated.v1"]


def register(log: MemoryLog, total_won: int, **fields: Any) -> int:
    lists: dict[str, Any] = {name: [] for name in ("roles", "purpose_ko", "contents_ko")}
    names = {"name_ko": "사업", "bureau": "b", "division": AGENCY, "account_ko": "회계", "recurrence_ko": "연례"}
    return say(
        log, "registered", {**lists, **names, "fiscal_year": 2021, "funding": {"total_won": total_won}, **fields}
    )


def funding_check(log: MemoryLog) -> tuple[Any, ...]:
    (check,) = tables(log, "project-register", PROJECT)["funding_checks"]
    return check["status"], check["appropriated_won"], check["difference_won"]


def test_funding_that_differs_is_shown_and_a_correction_is_compared_anew(log: MemoryLog) -> None:
    first = next(index for index, event in log.events() if event.type == "project.registered.v1")
    wrong = register(log, won(516_450), corrects=f"event-{first}")
    assert funding_check(log) == ("differs", won(516_451), -won(1))
    register(log, won(516_451), corrects=f"event-{wrong}")
    assert funding_check(log)[0] == "agrees"


def test_funding_without_a_budget_is_open() -> None:
    log = MemoryLog()
    register(log, won(1), fiscal_year=2030)
    assert funding_check(log) == ("open", None, None)


def test_a_reversed_appropriation_counts_no_more(log: MemoryLog) -> None:
    appropriated = next(
        number
        for number, event in log.events()
        if event.type == "budget.appropriated.v1" and event.subject.endswith("2021")
    )
    correction = {"corrects": f"event-{appropriated}", "reason": "TYPO", "reason_ko": "오기"}
    rows = {"rows": [{"line_id": "201-01", "amount_won": won(7)}], "total_won": won(7)}
    for replacement, outcome in (({"replacement": {"appropriated": rows}}, won(7)), ({}, None)):
        corrected = MemoryLog()
        corrected.stored = list(log.stored)
        correction_of_2021 = {**correction, **replacement}
        corrected.add("budget.corrected.v1", f"budget/{AGENCY}/2021", correction_of_2021, legal_date="2021-02-01")
        (check,) = tables(corrected, "project-register", PROJECT)["funding_checks"]
        assert check["appropriated_won"] == outcome


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"item_id": "item-1", "times": 5, "headcount": 8}, "agrees"),
        ({"item_id": "item-1", "times": 4, "headcount": 8}, "differs"),
        ({"item_id": "item-1", "times": 5}, "agrees"),
        ({"item_id": "item-1"}, "open"),
        ({"item_id": "no-such-item", "times": 5}, "open"),
        ({"times": 5}, "open"),
    ],
)
def test_activities_are_compared_with_the_factors_of_their_item(
    log: MemoryLog, said: dict[str, Any], status: str
) -> None:
    say(log, "activity-recorded", {"activity_id": "new", "kind": "advice", "description_ko": "자문", **said})
    check = tables(log, "project-register", PROJECT)["activity_checks"][-1]
    assert (check["id"], check["status"]) == ("new", status)
    if said.get("item_id") == "item-1":
        assert (check["item_times"], check["item_headcount"], check["item_won"]) == (5, 8, won(6000))


def test_checks_survive_a_stored_state_and_a_budget_alone_makes_no_register(log: MemoryLog) -> None:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
        folds = FoldSet.from_bytes(folds.state_to_bytes())
    whole = fold(log)
    assert folds.compute_rows("project-register", PROJECT) == whole.compute_rows("project-register", PROJECT)
    only_budget = fold_all()
    for index, event in log.events():
        if event.subject.startswith("budget/"):
            only_budget.apply(index, event)
    assert only_budget.keys("project-register") == []
    assert ("project-register", PROJECT) not in only_budget.take_changes().tables


def test_the_city_s_stream_shows_schemas_accesses_and_incidents() -> None:
    log = MemoryLog()
    city = "registry/agency/city"
    log.add("registry.schema-published.v1", city, {"event_type": "a.b.v1", "version": 1, "schema_sha256": "0" * 64})
    access = {"access_id": "a1", "institution_ko": "감사원", "sees": ["DOCUMENTS"]}
    log.add("registry.access-granted.v1", city, {**access, "valid_from": "2021-01-01", "valid_until": "2021-12-31"})
    texts = {"text_ko": "중단", "text_en": "Down"}
    for name in ("i1", "i2"):
        log.add("registry.incident-declared.v1", city, {"incident_id": name, "kind": "SERVICE_DOWN", **texts})
    log.add("registry.incident-closed.v1", city, {"incident_id": "i1", "text_ko": "복구", "text_en": "Up again"})
    log.add("registry.incident-closed.v1", city, {"incident_id": "never", "text_ko": "복구", "text_en": "Up again"})
    shown = tables(log, "organisations", "city")
    assert [row["id"] for row in shown["schemas"]] == ["a.b.v1/1"]
    assert shown["accesses"][0]["institution_ko"] == "감사원"
    closed, still_open = shown["incidents"]
    assert (closed["status"], closed["closing_en"], closed["entries"]) == ("closed", "Up again", [2, 4])
    assert (still_open["status"], still_open["closing_en"]) == ("open", None)
