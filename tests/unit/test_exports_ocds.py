"""Is every release and record that a contract's stream makes valid OCDS 1.1.5, and do they add up?

The standard's schemas lie outside the repository, beside it (`../shared/vectors/ocds`); where they do not, the
structure is still checked against what the ledger says, and the test says that no schema was there.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from audit_service.catalogue.contract import TYPES
from projections.exports.ocds import Process, export_records, record_package
from projections.exports.ocds_merge import compile_release
from projections.exports.ocds_words import TAGS
from tests.support import contract_events as c
from tests.support.events import contract_paid, instalment, planned, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_service.catalogue.event import Event

SCHEMAS = Path(__file__).parents[3] / "shared" / "vectors" / "ocds" / "1.1.5"
BASIS = {"title": "발주 계획서"}
PLAN = {"budget_won": 100, "basis": BASIS, "budget_lines": [{"subject": "budget/roads/2021", "line_id": "a"}]}
LONG = {"contract_type": "LONG_TERM_CONTINUING", "total_noted_won": 150, "amount_won": 60, "award_id": "w2"}
WHOLE = (
    planned(data=PLAN),
    c.prior_step(result="REJECTED"),
    c.prior_step(number=2),
    c.tender(),
    c.tender_failed(1),
    c.tender({"tender_id": "t2", "method": "NEGOTIATED"}),
    c.tender_amended({"tender_id": "t2", "closes_on": "2021-07-05", "estimate_won": 110}),
    c.bids_opened(c.bid("b1", 90, bidder=c.LAMP_MAKERS), c.bid("b2", 80, bidder=c.SOLE_PROPRIETOR)),
    c.evaluated({"b1": (700_000, 100_000), "b2": (600_000, 150_000)}),
    c.awarded("b1", 90, {"award_id": "w2", "tender_id": "t2"}),
    signed({**LONG, "supplier": c.LAMP_MAKERS}),
    c.started(),
    c.suspended(),
    c.resumed(),
    c.advance_paid(20, {"payment_id": "p0"}, id="cp0"),
    c.return_pair(5, data={"payment_id": "p0"})[1],
    c.amended(10, {"new_end": "2022-02"}, id="amendment"),
    c.subcontract(50),
    c.inspected("n0", {"result": "FAIL"}),
    *c.good_work(70, kind="FINAL"),
    contract_paid(45),
    c.subcontract_paid(20),
    c.damages(5),
    c.instalment_closed(70),
    instalment(data={"amount_won": 80}),
    c.warranty(),
    c.claim(),
    c.contract_corrected("cp1", contract_paid(40, {"budget_paid_id": "fix-b"}), id="fix-c"),
    c.contract_corrected("amendment", c.amended(5), id="fix-a"),
    c.completed(150),
)


def validator(name: str) -> Callable[[dict[str, Any]], None]:
    """Check against the standard's own schema; where it is not there, say so and check nothing."""
    path = SCHEMAS / name
    if not path.is_file():
        message = f"the OCDS schema {name} is not beside the repository: only the structure was checked"
        return lambda _: print(message)  # noqa: T201 - whoever runs the tests should know
    schema = json.loads(path.read_text(encoding="utf-8"))
    formats = jsonschema.FormatChecker(())
    formats.checks("date-time", raises=ValueError)(lambda text: text is None or bool(datetime.fromisoformat(text)))
    return jsonschema.Draft4Validator(schema, format_checker=formats).validate


def released(*events: Event) -> list[dict[str, Any]]:
    process = Process("lamps", names={"roads": "도로과"})
    return [process.take(event) for event in events]


def compiled(*events: Event) -> dict[str, Any]:
    (record,) = export_records(events, names={"roads": "도로과"})
    found: dict[str, Any] = record["compiledRelease"]
    return found


def test_every_type_has_its_tag() -> None:
    assert set(TAGS) == set(TYPES)
    folded = {event.type for event in (*WHOLE, c.tender_cancelled(), c.terminated(0))}
    assert set(TYPES) == folded | {"contract.inspected.v1"}


@pytest.mark.parametrize("events", [WHOLE, (*WHOLE[:6], c.tender_cancelled("t2")), (*WHOLE[:11], c.terminated(0))])
def test_every_release_and_the_compiled_one_are_valid(events: tuple[Event, ...]) -> None:
    validate = validator("dereferenced-release-schema.json")
    releases = released(*events)
    for release in releases:
        validate(release)
    validate(compile_release(releases))
    assert len({release["id"] for release in releases}) == len(releases) == len(events)


def test_the_schemas_refuse_what_is_no_release() -> None:
    """The negative control of the test above, where the schemas are there to be asked."""
    validate = validator("dereferenced-release-schema.json")
    (release,) = released(WHOLE[0])
    if not SCHEMAS.is_dir():
        validate(release)
        return
    for broken in ({**release, "tag": ["finished"]}, {**release, "date": "yesterday"}, {**release, "ocid": ""}):
        with pytest.raises(jsonschema.ValidationError):
            validate(broken)


def test_a_record_package_names_every_process_once() -> None:
    records = export_records((*WHOLE, planned("contract/poles"), *WHOLE[:1]), names={"roads": "도로과"})
    assert [record["ocid"] for record in records] == ["ocds-000000-lamps", "ocds-000000-poles"]
    package = record_package(records, uri="urn:x", publisher="서울", published="2021-12-31T00:00:00Z")
    schema = SCHEMAS / "record-package-schema.json"
    if schema.is_file():
        # The package refers to the release schema by its address: only its own level is checked here.
        own = json.loads(schema.read_text(encoding="utf-8"))
        assert set(own["required"]) <= set(package)
    assert package["records"] == records
    with pytest.raises(ValueError, match="at least one release"):
        compile_release([])


def test_a_long_term_contract_is_one_process_with_one_award_and_an_entry_for_each_instalment() -> None:
    whole = compiled(*WHOLE)
    assert [one["id"] for one in whole["awards"]] == ["w2"]
    assert whole["awards"][0]["value"]["amount"] == 150
    assert whole["awards"][0]["suppliers"] == [{"id": "lamp-makers", "name": "lamp-makers"}]
    first, second = whole["contracts"]
    assert (first["id"], first["awardID"], second["id"], second["awardID"]) == ("C1", "w2", "C2", "w2")
    assert [one["value"]["amount"] for one in whole["contracts"]] == [65, 80]
    assert first["period"] == {"startDate": "2021-01-01T00:00:00+09:00", "endDate": "2022-02-28T23:59:59+09:00"}
    assert [one["status"] for one in whole["contracts"]] == ["terminated", "terminated"]


def test_the_tender_is_the_last_one_and_names_no_person() -> None:
    whole = compiled(*WHOLE)
    assert whole["tender"]["id"] == "t2"
    assert whole["tender"]["status"] == "complete"
    assert whole["tender"]["tenderPeriod"]["endDate"] == "2021-07-05T00:00:00+09:00"
    assert whole["tender"]["value"]["amount"] == 110
    names = {party["name"] for party in whole["parties"]}
    assert names == {"도로과", "lamp-makers", "개인사업자 (비공개)"}
    assert {party["id"]: party["roles"] for party in whole["parties"]}["lamp-makers"] == [
        "tenderer",
        "supplier",
        "payee",
    ]


def test_payments_are_transactions_and_a_corrected_one_repeats_its_figure() -> None:
    transactions = compiled(*WHOLE)["contracts"][0]["implementation"]["transactions"]
    assert {one["id"]: one["value"]["amount"] for one in transactions} == {
        "budget/roads/2021/p0": 20,
        "budget/roads/2021/p0/t1": 5,
        "budget/roads/2021/p1": 40,
    }
    assert released(*WHOLE)[-3]["tag"] == ["implementationUpdate"]
    assert released(*WHOLE)[-2]["tag"] == ["contractUpdate"]


def test_work_is_milestones_and_what_was_taken_back_is_not_met() -> None:
    milestones = {one["id"]: one["status"] for one in compiled(*WHOLE)["contracts"][0]["implementation"]["milestones"]}
    assert milestones["inspected/n0"] == "notMet"
    assert milestones["accepted/n1"] == "met"
    wrong = c.accepted(70, id="wrong")
    back = compiled(planned(), signed(), c.inspected(), wrong, c.contract_corrected(wrong))
    found = {one["id"]: one for one in back["contracts"][0]["implementation"]["milestones"]}
    assert (found["accepted/n1"]["status"], "dateMet" in found["accepted/n1"]) == ("notMet", False)


def test_an_award_falls_with_its_tender() -> None:
    fallen = compiled(planned(), c.tender(), c.bids_opened(), c.awarded(), c.tender_cancelled())
    assert (fallen["awards"][0]["status"], fallen["tender"]["status"]) == ("cancelled", "cancelled")


def test_a_contract_without_a_tender_gets_its_award_with_the_signing() -> None:
    (_, release) = released(planned(), signed({"amount_won": None, "provenance": "printed"}))
    assert release["tag"] == ["award", "contract"]
    assert "value" not in release["contracts"][0]
    assert release["contracts"][0]["awardID"] == release["awards"][0]["id"] == "signed"


def test_a_correction_of_what_the_stream_does_not_hold_says_nothing_more() -> None:
    (release,) = released(c.contract_corrected("unknown"))
    assert release["tag"] == ["contractUpdate"]
    assert "contracts" not in release


def test_merging_follows_the_standard() -> None:
    """Members are merged, lists with ids by id, other lists as a whole, and null takes a member out."""
    first = {"ocid": "o", "id": "1", "date": "d1", "tag": ["tender"], "a": {"x": 1, "y": 2}, "l": [{"id": 1, "v": 1}]}
    second = {
        "ocid": "o",
        "id": "2",
        "date": "d2",
        "tag": ["award"],
        "a": {"x": None},
        "l": [{"id": 2}, {"id": 1, "v": 3}],
    }
    third = {"ocid": "o", "id": "3", "date": "d3", "tag": ["award"], "s": ["b"]}
    assert compile_release([first, {**second, "s": ["a"]}, third]) == {
        "ocid": "o",
        "id": "o-d3",
        "date": "d3",
        "tag": ["compiled"],
        "a": {"y": 2},
        "l": [{"id": 1, "v": 3}, {"id": 2}],
        "s": ["b"],
    }
