"""What does the door for agencies let in, and what does it answer? `POST /v1/events`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from api.ports import Limits
from audit_cli.demo_city import CITY
from tests.support.api_city import NDJSON, ONE_EVENT, SOURCE
from verifier.hashing import leaf_hash
from verifier.notes import VerifierKey
from verifier.proofs import verify_log_proof

if TYPE_CHECKING:
    from tests.support.api_city import ApiCity

ARRAY = "application/cloudevents-batch+json"
LIMITS = Limits()


def test_one_event_gets_a_receipt_that_proves_it(own_api_city: ApiCity) -> None:
    response = own_api_city.post(own_api_city.effect(1))
    assert response.status_code == 201
    receipt = response.json()
    assert response.headers["location"] == receipt["entry_url"] == f"/v1/events/{receipt['index']}"
    assert receipt["status"] in {"signed", "published"}
    entry = own_api_city.client.get(receipt["entry_url"]).content
    verified = verify_log_proof(receipt["proof"].encode(), entry=entry, vkey=VerifierKey.parse(own_api_city.vkey))
    assert verified.index == receipt["index"]
    assert receipt["proof"].endswith(receipt["checkpoint"])


def test_a_repeat_gets_the_same_index_and_200(own_api_city: ApiCity) -> None:
    first = own_api_city.post(own_api_city.effect(1)).json()
    size = own_api_city.json("/v1/log")["tree_size"]
    again = own_api_city.post(own_api_city.effect(1))
    assert (again.status_code, again.json()["index"]) == (200, first["index"])
    assert again.json()["repeated"] is True
    assert own_api_city.json("/v1/log")["tree_size"] == size


def test_the_receipt_is_a_proof_file_for_who_accepts_text(own_api_city: ApiCity) -> None:
    response = own_api_city.post(own_api_city.effect(1), Accept="text/plain")
    assert response.status_code == 201
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    entry = own_api_city.client.get(response.headers["location"]).content
    verify_log_proof(response.content, entry=entry, vkey=VerifierKey.parse(own_api_city.vkey))


def test_a_dry_run_decides_and_records_nothing(api_city: ApiCity) -> None:
    size = api_city.json("/v1/log")["tree_size"]
    response = api_city.post(api_city.effect(1), query="?dry_run=true")
    assert (response.status_code, response.json()["status"]) == (200, "checked")
    assert api_city.json("/v1/log")["tree_size"] == size


@pytest.mark.parametrize("media_type", [NDJSON, ARRAY])
def test_a_batch_answers_in_input_order_with_ranges_and_one_checkpoint(own_api_city: ApiCity, media_type: str) -> None:
    size = own_api_city.json("/v1/log")["tree_size"]
    broken = own_api_city.effect(3).replace(b"park/effect-3", b"park/effect-9")
    items = [own_api_city.effect(1), own_api_city.effect(2), broken, own_api_city.effect(4)]
    body = b"\n".join(items) if media_type == NDJSON else b"[" + b",".join(items) + b"]"
    answer = own_api_city.post(body, media_type).json()
    assert (answer["items"], answer["accepted"], answer["refused"]) == (4, 3, 1)
    assert answer["ranges"] == [
        {"item": 0, "count": 2, "status": "signed", "index": size},
        {"item": 3, "count": 1, "status": "signed", "index": size + 2},
    ]
    assert [row["item"] for row in answer["results"]] == [2]
    assert answer["results"][0]["type"] == "/docs/problems/signature-invalid"
    assert f"\n{size + 3}\n" in answer["checkpoint"]


def test_full_results_name_every_item(own_api_city: ApiCity) -> None:
    body = b"\n".join(own_api_city.effect(number) for number in range(3))
    answer = own_api_city.post(body, NDJSON, query="?results=full").json()
    assert [row["id"] for row in answer["results"]] == [f"park/effect-{number}" for number in range(3)]


def test_an_atomic_batch_is_recorded_whole_or_not_at_all(own_api_city: ApiCity) -> None:
    size = own_api_city.json("/v1/log")["tree_size"]
    broken = own_api_city.effect(2).replace(b"park/effect-2", b"park/effect-9")
    body = b"\n".join([own_api_city.effect(1), broken])
    response = own_api_city.post(body, NDJSON, query="?atomic=true")
    assert response.status_code == 422
    assert response.json()["item"] == 1
    assert own_api_city.json("/v1/log")["tree_size"] == size


def test_a_broken_rule_is_named(own_api_city: ApiCity) -> None:
    unknown_project = own_api_city.effect(1, subject="project/nowhere")
    response = own_api_city.post(unknown_project)
    problem = response.json()
    assert response.status_code == 409
    assert problem["type"] == "/docs/problems/rule-broken"
    assert problem["rule_id"].startswith("project.")
    assert problem["stream"] == "project/nowhere"


def test_who_may_not_is_told_so(api_city: ApiCity) -> None:
    event = api_city.effect(1)
    anonymous = api_city.client.post("/v1/events", content=event, headers={"Content-Type": ONE_EVENT})
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")
    for authorization in ("Bearer", "Bearer x", "Basic eDp5", "Bearer 0123456789abcdef." + "A" * 43):
        headers = {"Content-Type": ONE_EVENT, "Authorization": authorization}
        assert api_city.client.post("/v1/events", content=event, headers=headers).status_code == 401
    other = api_city.post(event, agency=CITY)
    assert (other.status_code, other.json()["type"]) == (403, "/docs/problems/not-authorised")


def test_another_agencys_item_is_refused_in_its_place(own_api_city: ApiCity) -> None:
    answer = own_api_city.post(own_api_city.effect(1) + b"\n", NDJSON, agency=CITY).json()
    assert answer["accepted"] == 0
    assert answer["results"][0]["type"] == "/docs/problems/not-authorised"
    whole = own_api_city.post(own_api_city.effect(1), NDJSON, query="?atomic=true", agency=CITY)
    assert whole.status_code == 403


def _changed(event: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(event), **changes}).encode()


def malformed(event: bytes) -> dict[str, tuple[bytes, int]]:
    """Bodies that are no submission, and the status of each."""
    return {
        "empty": (b"", 400),
        "no object": (b"[]", 422),
        "cut": (event[:-1], 400),
        "trailing": (event + b"x", 400),
        "BOM": (b"\xef\xbb\xbf" + event, 400),
        "UTF-16": (event.decode().encode("utf-16"), 400),
        "not UTF-8": (event.replace(b"park", b"p\xffrk", 1), 400),
        "overlong surrogate": (event.replace(b"park", b"\xed\xa0\x80", 1), 400),
        "lone surrogate": (event.replace(b"park", rb"\ud800", 1), 400),
        "duplicate key": (event.replace(b'{"data"', b'{"id":"x","data"', 1), 400),
        "float": (event.replace(b'"text_ko"', b'"n":1.0,"text_ko"', 1), 400),
        "NaN": (event.replace(b'"text_ko"', b'"n":NaN,"text_ko"', 1), 400),
        "huge integer": (event.replace(b'"text_ko"', b'"n":' + b"9" * 5000 + b',"text_ko"', 1), 400),
        "deep": (b'{"data":' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400),
        "not NFC": (_changed(event, id="e\u0301"), 400),
        "unknown attribute": (_changed(event, colour="red"), 422),
        "missing attribute": (event.replace(b'"specversion":"1.0",', b"", 1), 422),
        "unknown type": (_changed(event, type="project.demolished.v1"), 422),
        "unknown field": (event.replace(b'"text_ko"', b'"colour":"red","text_ko"', 1), 422),
        "wrong type of a field": (_changed(event, data={"text_ko": 5}), 422),
        "changed after signing": (event.replace(b"2021-01-04", b"2021-01-05", 1), 422),
        "no signature": (_changed(event, signature="x..y"), 422),
    }


@pytest.mark.parametrize("name", malformed(b'{"data":{"text_ko":"x"},"id":"park"}'))
def test_malformed_bodies_are_refused_without_an_echo(api_city: ApiCity, name: str) -> None:
    size = api_city.json("/v1/log")["tree_size"]
    body, status = malformed(api_city.effect(7, text="비밀"))[name]
    for media_type, query in ((ONE_EVENT, ""), (ONE_EVENT, "?dry_run=true")):
        response = api_city.post(body, media_type, query=query)
        problem = response.json()
        assert (response.status_code, problem["status"]) == (status, status), problem
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["rule_id"]
        assert "비밀" not in response.text
        assert "colour" not in response.text
    assert api_city.json("/v1/log")["tree_size"] == size


@pytest.mark.parametrize(
    ("body", "media_type", "status", "slug"),
    [
        (b"{}", "text/plain", 415, "unsupported-media-type"),
        (b"{}", "", 415, "unsupported-media-type"),
        (b"{}", "application/json; charset=utf-16", 415, "unsupported-media-type"),
        (b"x" * (LIMITS.event_bytes + 1), ONE_EVENT, 413, "body-too-large"),
        (b"", NDJSON, 400, "malformed-submission"),
        (b"[]", ARRAY, 400, "malformed-submission"),
        (b"{}", ARRAY, 400, "malformed-submission"),
        (b"[" * 100_000, ARRAY, 400, "malformed-submission"),
        (b"\xff", ARRAY, 400, "malformed-submission"),
        (b"{}\n" * (LIMITS.batch_items + 1), NDJSON, 413, "too-many-items"),
        (b"x" * (LIMITS.event_bytes + 1), NDJSON, 413, "too-large"),
    ],
)
def test_bodies_that_are_no_batch(api_city: ApiCity, body: bytes, media_type: str, status: int, slug: str) -> None:
    response = api_city.post(body, media_type)
    assert (response.status_code, response.json()["type"]) == (status, f"/docs/problems/{slug}")


def test_blank_and_broken_lines_are_items_of_their_own(api_city: ApiCity) -> None:
    answer = api_city.post(b"\n{\n[]\n", NDJSON).json()
    assert (answer["items"], answer["refused"]) == (3, 3)
    slugs = [row["type"].removeprefix("/docs/problems/") for row in answer["results"]]
    assert slugs == ["malformed-submission", "malformed-submission", "schema-invalid"]


def test_a_compressed_body_is_refused(api_city: ApiCity) -> None:
    response = api_city.post(api_city.effect(1), **{"Content-Encoding": "gzip"})
    assert response.status_code == 415


@pytest.mark.parametrize("query", ["?atomic=1", "?atomic=True", "?dry_run=", "?x=1", "?atomic=true&atomic=true"])
def test_parameters_are_read_strictly(api_city: ApiCity, query: str) -> None:
    response = api_city.post(api_city.effect(1), query=query)
    assert (response.status_code, response.json()["type"]) == (400, "/docs/problems/invalid-parameter")


def test_options_states_the_limits(api_city: ApiCity) -> None:
    response = api_city.client.options("/v1/events")
    assert response.json()["batch_items"] == LIMITS.batch_items
    assert NDJSON in response.headers["accept-post"]


def test_the_leaf_hash_of_a_receipt_is_that_of_the_entry(own_api_city: ApiCity) -> None:
    receipt = own_api_city.post(own_api_city.effect(1)).json()
    entry = own_api_city.client.get(receipt["entry_url"]).content
    proof = own_api_city.client.get(receipt["proof_url"], headers={"Accept": "application/json"}).json()
    assert receipt["leaf_hash"] == proof["leaf_hash"]
    assert len(leaf_hash(entry)) == 32


def test_after_a_cut_one_can_ask_what_was_recorded(own_api_city: ApiCity) -> None:
    body = own_api_city.effect(1)
    asked = f"/v1/submissions/park/effect-1?source={SOURCE}"
    unknown = own_api_city.client.get(asked)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/docs/problems/not-in-log")
    index = own_api_city.post(body).json()["index"]
    found = own_api_city.json(asked)
    assert (found["first_index"], found["count"]) == (index, 1)
    assert own_api_city.client.get("/v1/submissions/park/effect-1").status_code == 400


def test_a_sealed_batch_is_asked_for_by_its_batch_id(api_city: ApiCity) -> None:
    listed = api_city.json("/v1/events?type=service.batch-sealed.v1")["entries"][0]
    manifest = listed["entry"]
    found = api_city.json(f"/v1/submissions/{manifest['data']['batch_id']}?source={SOURCE}")
    assert found["first_index"] == listed["index"]
    assert found["count"] == manifest["data"]["count"] + 1
