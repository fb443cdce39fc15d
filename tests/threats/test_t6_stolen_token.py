"""Threat T6: what can somebody do who has stolen an agency's token, but not its key?

Nothing gets in: the evidence is the signature. And a token that is revoked, by whatever process, is refused on the next
request.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from audit_service.keys import SigningKey
from tests.support.running_server import ROOT, running_server
from tests.support.small_city import budget_year, make_small_city, sealed_batch, service, small_city
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running_server import RunningServer

THIEF = SigningKey.from_seed(bytes(range(32)))
NDJSON = "application/x-ndjson"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("stolen") / "city"
    make_small_city(data_dir)
    return data_dir


@pytest.fixture(scope="module")
def written(data_dir: Path) -> dict[str, list[bytes]]:
    """What the agency signs itself: the thief sees it in the log, or never."""
    with small_city(data_dir) as city:
        first, second, third, _ = budget_year()
        recorded = [city.sign(first), city.sign(second)]
        city.send(*recorded)
        city.post(service())
        return {
            "recorded": recorded,
            "unpublished": [city.sign(third)],
            "batch": sealed_batch(city, "night-1", count=20),
        }


@pytest.fixture(scope="module")
def server(data_dir: Path, written: dict[str, list[bytes]]) -> Iterator[RunningServer]:
    assert written
    with running_server(data_dir) as server:
        yield server


def _forgeries(written: dict[str, list[bytes]]) -> dict[str, bytes]:
    """Everything that a thief may try without the key; each would be accepted with the agency's signature."""
    wanted = budget_year()[2]
    other = json.loads(written["recorded"][1])
    by_thief: dict[str, Any] = sign_submission(wanted, THIEF.private)
    header, _, signature = by_thief["signature"].partition("..")
    agency_header = other["signature"].partition("..")[0]
    manifest, *transactions = written["batch"]
    unsigned_manifest = {name: value for name, value in json.loads(manifest).items() if name != "signature"}
    return {
        "no signature": encode_canonical(wanted),
        "an empty signature": encode_canonical({**wanted, "signature": ""}),
        "the thief's own key": encode_canonical(by_thief),
        "the thief's signature under the agency's name": encode_canonical(
            {**wanted, "signature": f"{agency_header}..{signature}"}
        ),
        "a signature that stands in the log": encode_canonical({**wanted, "signature": other["signature"]}),
        "a changed event of the log": encode_canonical({**other, "id": "another", "data": wanted["data"]}),
        "an approval instead of a signature": encode_canonical({**wanted, "approval": by_thief["signature"]}),
        "no algorithm": encode_canonical({**wanted, "signature": f"eyJhbGciOiJub25lIn0..{header}"}),
        "an array": b"[" + encode_canonical(wanted) + b"," + encode_canonical(by_thief) + b"]",
        "lines": encode_canonical(wanted) + b"\n" + encode_canonical(by_thief) + b"\n",
        "transactions without a manifest": b"\n".join(transactions),
        "an unsigned manifest": b"\n".join([encode_canonical(unsigned_manifest), *transactions]),
        "a manifest by the thief": b"\n".join(
            [encode_canonical(sign_submission(unsigned_manifest, THIEF.private)), *transactions]
        ),
        "the manifest of other transactions": b"\n".join([manifest, *reversed(transactions)]),
        "what was recorded, once more": written["recorded"][0],
    }


def _media_type(body: bytes) -> str:
    if body.startswith(b"["):
        return "application/cloudevents-batch+json"
    return NDJSON if b"\n" in body else "application/cloudevents+json"


def _events_of_the_agency(server: RunningServer) -> int:
    """How many entries are the agency's? That it was refused something is said by the city."""
    size: int = server.get_json("/v1/log")["tree_size"]
    sources = [server.get_json(f"/v1/events/{index}")["source"] for index in range(size)]
    return sources.count("urn:kr:agency:roads")


def test_t6_a_stolen_token_without_the_key_brings_nothing_in(
    server: RunningServer, written: dict[str, list[bytes]]
) -> None:
    before = _events_of_the_agency(server)
    for name, body in _forgeries(written).items():
        for query in ("", "?atomic=true"):
            answer = server.post(body, agency="roads", media_type=_media_type(body), query=query)
            assert answer.status < 500, name
            assert answer.status != 201, name
            assert _events_of_the_agency(server) == before, name


def test_t6_the_same_requests_with_the_key_are_accepted(server: RunningServer, written: dict[str, list[bytes]]) -> None:
    before = _events_of_the_agency(server)
    assert server.post(written["unpublished"][0], agency="roads").status == 201
    batch = b"\n".join(written["batch"])
    assert server.post(batch, agency="roads", media_type=NDJSON, query="?atomic=true").status == 200
    assert _events_of_the_agency(server) == before + 1 + 21


def _audit(*arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "audit_cli.main", "tokens", *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_t6_a_token_that_another_process_revokes_is_refused_on_the_next_request(
    server: RunningServer, written: dict[str, list[bytes]]
) -> None:
    data = ("--data", str(server.data_dir))
    issued = _audit("issue", "--agency", "roads", "--role", "submitter", "--days", "1", *data)
    headers = {"Authorization": f"Bearer {issued['token']}", "Content-Type": "application/cloudevents+json"}
    body = written["recorded"][0]
    assert server.request("POST", "/v1/events", body=body, headers=headers).status == 200
    revoked = _audit("revoke", "--token-id", issued["token_id"], *data)
    assert server.request("POST", "/v1/events", body=body, headers=headers).status == 401
    for index, kind in ((issued["index"], "issued"), (revoked["index"], "revoked")):
        entry = server.get_json(f"/v1/events/{index}")
        assert (entry["type"], entry["data"]["token_id"]) == (f"registry.token-{kind}.v1", issued["token_id"])
        assert entry["source"] == "urn:kr:agency:city"
    states = {row["token_id"]: row["state"] for row in _audit("list", *data)["tokens"]}
    assert states[issued["token_id"]] == "revoked"
    assert sorted(states.values()) == ["revoked", "valid", "valid"]


@pytest.mark.parametrize("role", ["auditor", "privacy-officer", "administrator"])
def test_t6_a_stolen_token_of_another_role_does_not_even_reach_the_rules(
    server: RunningServer, written: dict[str, list[bytes]], role: str
) -> None:
    issued = _audit("issue", "--agency", "roads", "--role", role, "--data", str(server.data_dir))
    headers = {"Authorization": f"Bearer {issued['token']}", "Content-Type": "application/cloudevents+json"}
    answer = server.request("POST", "/v1/events", body=written["recorded"][0], headers=headers)
    assert (answer.status, answer.json()["type"]) == (403, "/docs/problems/not-authorised")
