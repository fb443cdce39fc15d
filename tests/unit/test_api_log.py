"""What does anybody read of the log over HTTP, and does it hold under our own verifier?"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

import pytest

from audit_service.catalogue.types import EVENT_TYPES
from verifier.bundles import decode_bundle
from verifier.checkpoints import verify_checkpoint
from verifier.hashing import leaf_hash
from verifier.notes import VerifierKey
from verifier.proofs import verify_log_proof
from verifier.tree import root_of_leaf_hashes, verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.types import Message, Scope

    from tests.support.api_city import ApiCity

IMMUTABLE = "public, max-age=31536000, immutable"


def read(city: ApiCity, path: str, **headers: str) -> Response:
    return city.client.get(path, headers=headers)


def test_an_entry_is_answered_as_it_was_hashed_and_its_proof_holds(api_city: ApiCity) -> None:
    key = VerifierKey.parse(api_city.vkey)
    for index in (0, 1, 56, 122):
        entry = read(api_city, f"/v1/events/{index}")
        assert entry.headers["content-type"] == "application/cloudevents+json"
        assert entry.headers["cache-control"] == IMMUTABLE
        assert entry.headers["entry-status"] == "published"
        proof = read(api_city, f"/v1/events/{index}/proof")
        assert proof.headers["content-type"] == "text/plain; charset=utf-8"
        assert verify_log_proof(proof.content, entry=entry.content, vkey=key).index == index


def test_a_proof_as_json_says_the_same(api_city: ApiCity) -> None:
    document = read(api_city, "/v1/events/5/proof", Accept="application/json").json()
    checkpoint = verify_checkpoint(document["checkpoint"].encode(), vkey=VerifierKey.parse(api_city.vkey))
    verify_inclusion(
        leaf_hash(read(api_city, "/v1/events/5").content),
        index=5,
        tree_size=checkpoint.tree_size,
        proof=[base64.b64decode(value) for value in document["hashes"]],
        root=checkpoint.root_hash,
    )
    assert document["tree_size"] == checkpoint.tree_size


def test_a_proof_under_any_kept_checkpoint(api_city: ApiCity) -> None:
    for kept in api_city.json("/v1/checkpoints")["checkpoints"]:
        size = kept["tree_size"]
        proof = read(api_city, f"/v1/events/0/proof?tree_size={size}")
        entry = read(api_city, "/v1/events/0").content
        verified = verify_log_proof(proof.content, entry=entry, vkey=VerifierKey.parse(api_city.vkey))
        assert verified.checkpoint.tree_size == size
        note = read(api_city, kept["checkpoint_url"])
        assert proof.content.endswith(note.content)
        assert (proof.headers["cache-control"], note.headers["cache-control"]) == (IMMUTABLE, IMMUTABLE)


def test_consistency_from_every_kept_checkpoint(api_city: ApiCity) -> None:
    log = api_city.json("/v1/log")
    for kept in api_city.json("/v1/checkpoints")["checkpoints"]:
        document = api_city.json(f"/v1/consistency?from={kept['tree_size']}")
        verify_consistency(
            old_size=kept["tree_size"],
            new_size=document["to"],
            old_root=base64.b64decode(kept["root_hash"]),
            new_root=base64.b64decode(log["root_hash"]),
            proof=[base64.b64decode(value) for value in document["hashes"]],
        )


def test_the_root_of_the_day_is_a_checkpoint_of_this_log(api_city: ApiCity) -> None:
    newest = api_city.json("/v1/log")["root_of_the_day"]
    note = read(api_city, f"/v1/checkpoints/of-the-day/{newest['day']}").content
    checkpoint = verify_checkpoint(note, vkey=VerifierKey.parse(api_city.vkey))
    assert checkpoint.tree_size == newest["tree_size"]
    assert read(api_city, "/v1/checkpoints/of-the-day/1999-01-01").status_code == 404
    assert read(api_city, "/v1/checkpoints/of-the-day/2021-02-30").status_code == 400


def test_the_static_log_rebuilds_the_published_root(api_city: ApiCity) -> None:
    response = read(api_city, "/log/checkpoint")
    checkpoint = verify_checkpoint(response.content, vkey=VerifierKey.parse(api_city.vkey))
    full, rest = divmod(checkpoint.tree_size, 256)
    paths = [(f"entries/{number:03}", 256) for number in range(full)]
    if rest:
        paths.append((f"entries/{full:03}.p/{rest}", rest))
    hashes = []
    for path, width in paths:
        bundle = read(api_city, f"/log/tile/{path}")
        assert bundle.headers["cache-control"] == IMMUTABLE
        assert bundle.headers["access-control-allow-origin"] == "*"
        assert bundle.headers["content-type"] == "application/octet-stream"
        hashes += [leaf_hash(entry) for entry in decode_bundle(bundle.content, expected=width)]
    assert root_of_leaf_hashes(hashes) == checkpoint.root_hash
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_checkpoint_is_not_sent_twice(api_city: ApiCity) -> None:
    etag = read(api_city, "/log/checkpoint").headers["etag"]
    again = read(api_city, "/log/checkpoint", **{"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content) == (304, b"")


def test_partials_of_any_signed_size_equal_the_beginning_of_the_wider_ones(api_city: ApiCity) -> None:
    full = read(api_city, "/log/tile/0/000").content
    entries = decode_bundle(read(api_city, "/log/tile/entries/000").content, expected=256)
    for width in (1, 2, 100, 255):
        assert not api_city.public.joinpath("log", "tile", "0", "000.p", str(width)).exists()
        partial = read(api_city, f"/log/tile/0/000.p/{width}")
        assert partial.content == full[: width * 32]
        bundle = read(api_city, f"/log/tile/entries/000.p/{width}")
        assert decode_bundle(bundle.content, expected=width) == entries[:width]


@pytest.mark.parametrize(
    "path",
    [
        "0/999",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/01",
        "00/000",
        "64/000",
        "0/0",
        "0/0000",
        "0/x000/001",
        "0/٠٠٠",
        "0/+01",
        "0/000/",
        "0//000",
        "-1/000",
        "entries",
        "entries/999",
        "data/000",
        "",
        "%2e%2e/%2e%2e/keys/log.key",
        "..%2f..%2f..%2fkeys%2flog.key",
        "0/000%00",
        "0/000%0a",
        "/etc/passwd",
        "%c0%ae%c0%ae/checkpoint",
    ],
)
def test_paths_that_name_no_tile_find_nothing(api_city: ApiCity, path: str) -> None:
    response = api_city.client.get(f"/log/tile/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["../checkpoint", "0/../../checkpoint", "0/000/../000", "../../../keys/log.key", "0/000\n", "0/000\x00"]
)
def test_paths_that_no_client_library_would_send_find_nothing(api_city: ApiCity, path: str) -> None:
    """Sent without the client's own tidying up: this is what the router would see."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    full = f"/log/tile/{path}"
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": full,
        "raw_path": full.encode(),
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(api_city.client.app(scope, receive, send))
    assert sent[0]["status"] == 404


def test_entries_by_cursor_give_every_entry_once(api_city: ApiCity) -> None:
    path: str | None = "/v1/events?limit=200"
    seen = []
    while path:
        page = read(api_city, path)
        rows = page.json()["entries"]
        seen += [row["index"] for row in rows]
        path = page.json()["next"]
        if path:
            assert page.headers["link"] == f'<{path}>; rel="next"'
    assert seen == list(range(api_city.json("/v1/log")["tree_size"]))


def test_entries_by_attribute(api_city: ApiCity) -> None:
    page = api_city.json("/v1/events?subject=budget/seoul-smartcity/2021&type=budget.appropriated.v1")
    assert [row["entry"]["data"]["total_won"] for row in page["entries"]] == [516_451_000]
    one = api_city.json("/v1/events?source=urn:kr:agency:seoul-smartcity&id=budget-2021/appropriated")
    assert one["entries"] == page["entries"]
    assert api_city.json("/v1/events?subject=budget/nobody/2021")["entries"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events?limit=0",
        "/v1/events?limit=1001",
        "/v1/events?after=%2B1",
        "/v1/events?after=-1",
        "/v1/events?after=1.0",
        "/v1/events?after=%D9%A1",
        "/v1/events?after=01",
        "/v1/events?after=1_0",
        "/v1/events?after=99999999999999999999",
        "/v1/events?after=1&after=2",
        "/v1/events?unknown=1",
        "/v1/events?subject=%00",
        "/v1/events?subject=%ff",
        "/v1/events?type=",
        "/v1/events/0?x=1",
        "/v1/consistency",
        "/v1/consistency?from=0",
        "/v1/consistency?from=3&to=2",
        "/v1/events/0/proof?tree_size=0",
        "/v1/log?x",
        "/v1/budgets/seoul-smartcity/2021?legal_date=2021-13-01",
        "/v1/budgets/seoul-smartcity/2021?legal_date=2021-2-1",
        "/v1/budgets/seoul-smartcity/2021?legal_date=٢٠٢١-٠١-٠١",
        "/v1/budgets/seoul-smartcity/2021?tree_size=x",
    ],
)
def test_parameters_are_read_strictly(api_city: ApiCity, path: str) -> None:
    response = read(api_city, path)
    assert (response.status_code, response.json()["type"]) == (400, "/docs/problems/invalid-parameter")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events/99999999",
        "/v1/events/-1",
        "/v1/events/+1",
        "/v1/events/٣",
        "/v1/events/1_0",
        "/v1/events/01",
        "/v1/events/0x1",
        "/v1/events/99999999/proof",
        "/v1/events/0/proof?tree_size=2",
        "/v1/events/0/",
        "/v1/consistency?from=1&to=99999999",
        "/v1/checkpoints/2",
        "/v1/checkpoints/x",
        "/v1/budgets/seoul-smartcity/1999",
        "/v1/budgets/seoul-smartcity/99999",
        "/v1/budgets/seoul-smartcity/٢٠٢١",
        "/v1/budgets/seoul-smartcity/2021?tree_size=1",
        "/v1/budgets/seoul-smartcity/2021?tree_size=99999999",
        "/v1/contracts/none",
        "/v1/contracts/%00",
        "/v1/schemas/none.v1",
        "/docs/problems/none",
        "/static/0/portal.css",
        "/nowhere",
    ],
)
def test_what_does_not_exist_is_said_to_be_missing(api_city: ApiCity, path: str) -> None:
    response = read(api_city, path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 404


def test_what_is_not_acceptable_is_said_so(api_city: ApiCity) -> None:
    for accept in ("image/png", "text/html", "text/plain;q=0", "application/json;q=x"):
        assert read(api_city, "/v1/events/0/proof", Accept=accept).status_code == 406
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert read(api_city, "/v1/events/0/proof", Accept=browser).headers["content-type"].startswith("text/plain")
    both = "text/plain;q=0.5, application/json"
    assert read(api_city, "/v1/events/0/proof", Accept=both).json()["index"] == 0


def test_answers_list_every_kind_and_key_and_say_how_far_they_reach(api_city: ApiCity) -> None:
    listed = api_city.json("/v1/answers")
    assert {row["kind"] for row in listed["answers"]} >= {"budget-book", "settlement", "service-statistics"}
    for row in listed["answers"]:
        response = read(api_city, row["href"])
        answer = response.json()
        assert (answer["kind"], answer["key"], answer["tree_size"]) == (row["kind"], row["key"], listed["tree_size"])
        etag = response.headers["etag"]
        assert etag.startswith(f'"{listed["tree_size"]}-')
        assert read(api_city, row["href"], **{"If-None-Match": etag}).status_code == 304


def test_an_answer_as_of_an_earlier_size_knows_only_what_was_there(api_city: ApiCity) -> None:
    path = "/v1/budgets/seoul-smartcity/2021"
    entries = api_city.json("/v1/events?subject=budget/seoul-smartcity/2021&type=budget.adjusted.v1")["entries"]
    before = api_city.json(f"{path}?tree_size={entries[0]['index']}")
    now = api_city.json(path)
    changed = {row["id"]: row["budget_change_won"] for row in now["tables"]["lines"]}
    assert any(changed.values())
    assert not any(row["budget_change_won"] for row in before["tables"]["lines"])
    assert before["tree_size"] == entries[0]["index"]


def test_schemas_say_what_the_catalogue_says(api_city: ApiCity) -> None:
    listed = api_city.json("/v1/schemas")["types"]
    assert [row["type"] for row in listed] == sorted(EVENT_TYPES)
    for row in listed:
        schema = api_city.json(row["schema_url"])
        assert schema["$id"] == row["schema_url"]
        assert "$defs" in schema


def test_health(api_city: ApiCity) -> None:
    assert api_city.json("/healthz") == {"status": "live"}
    ready = api_city.json("/readyz")
    assert (ready["status"], ready["reasons"]) == ("ready", [])
