"""Does one transaction of the demo's sealed batches prove itself over HTTP, and is it checked offline from files?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli.main import main
from verifier.batch_proofs import verify_batch_proof

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api_city import ApiCity

IMMUTABLE = "public, max-age=31536000, immutable"


def manifest_of(city: ApiCity) -> tuple[int, int]:
    """Index and count of the smallest sealed batch."""
    entries = city.json("/v1/events?type=service.batch-sealed.v1")["entries"]
    count, index = min((each["entry"]["data"]["count"], each["index"]) for each in entries)
    return index, count


def read(city: ApiCity, path: str) -> bytes:
    response = city.client.get(path)
    assert response.status_code == 200, response.text
    return response.content


def test_the_first_the_last_and_one_between_are_proven(api_city: ApiCity) -> None:
    index, count = manifest_of(api_city)
    manifest = read(api_city, f"/v1/events/{index}")
    for number in (1, count // 2, count):
        response = api_city.client.get(f"/v1/events/{index + number}/batch-proof")
        assert (response.status_code, response.headers["cache-control"]) == (200, IMMUTABLE)
        assert response.headers["content-type"] == "application/json"
        assert len(response.content) < 2048
        proven = verify_batch_proof(response.content, manifest_entry=manifest, manifest_index=index)
        entry = api_city.json(f"/v1/events/{index + number}")
        assert (proven.number, proven.batch.count) == (number, count)
        assert proven.submission.items() <= entry.items()


@pytest.mark.parametrize("place", ["genesis", "manifest", "beyond"])
def test_other_entries_are_answered_with_a_clear_problem(api_city: ApiCity, place: str) -> None:
    size = api_city.json("/v1/log")["tree_size"]
    index = {"genesis": 0, "manifest": manifest_of(api_city)[0], "beyond": size}[place]
    response = api_city.client.get(f"/v1/events/{index}/batch-proof")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json()["type"] == "/docs/problems/not-in-log"
    assert ("no transaction of a sealed batch" in response.json()["detail"]) == (place != "beyond")


@pytest.mark.parametrize(
    "path", ["/v1/events/x/batch-proof", "/v1/events/-1/batch-proof", "/v1/events/1/batch-proof?a=1"]
)
def test_bad_input_is_refused(api_city: ApiCity, path: str) -> None:
    assert 400 <= api_city.client.get(path).status_code < 500


def test_the_route_is_described(api_city: ApiCity) -> None:
    described = api_city.json("/openapi.json")["components"]["schemas"]["BatchProof"]["properties"]
    index, _ = manifest_of(api_city)
    assert described.keys() == api_city.json(f"/v1/events/{index + 1}/batch-proof").keys()


def verify(folder: Path, *, vkey: str, **files: str) -> int:
    options = {"entry": "manifest.json", "manifest-proof": "manifest.tlog-proof", **files}
    arguments = [text for name, file in options.items() if file for text in (f"--{name}", str(folder / file))]
    return main(["verify", str(folder / "batch-proof.json"), "--vkey", vkey, *arguments])


@pytest.fixture
def folder(api_city: ApiCity, tmp_path: Path) -> Path:
    index, _ = manifest_of(api_city)
    for name, path in {
        "batch-proof.json": f"/v1/events/{index + 2}/batch-proof",
        "manifest.json": f"/v1/events/{index}",
        "manifest.tlog-proof": f"/v1/events/{index}/proof",
        "other.json": f"/v1/events/{index - 1}",
        "other.tlog-proof": f"/v1/events/{index - 1}/proof",
    }.items():
        (tmp_path / name).write_bytes(read(api_city, path))
    return tmp_path


def test_audit_verify_leads_from_the_transaction_to_the_signed_checkpoint(
    api_city: ApiCity, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(folder, vkey=api_city.vkey) == 0
    said = capsys.readouterr().out
    assert "HOLDS: transaction 2 of batch " in said
    assert "signed the checkpoint" in said


def changed(folder: Path, **members: Any) -> None:
    file = folder / "batch-proof.json"
    document = {**json.loads(file.read_bytes()), **members}
    file.write_text(json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")), encoding="utf-8")


@pytest.mark.parametrize("members", [{"number": 3}, {"index": 1}, {"count": 100_000}, {"path": []}, {"format": "x"}])
def test_audit_verify_refuses_a_changed_proof(api_city: ApiCity, folder: Path, members: dict[str, Any]) -> None:
    changed(folder)
    assert verify(folder, vkey=api_city.vkey) == 0
    changed(folder, **members)
    assert verify(folder, vkey=api_city.vkey) == 1


def test_audit_verify_refuses_a_manifest_that_is_another_or_not_in_the_log(api_city: ApiCity, folder: Path) -> None:
    assert verify(folder, vkey=api_city.vkey, entry="other.json") == 1
    assert verify(folder, vkey=api_city.vkey, **{"manifest-proof": "other.tlog-proof"}) == 1
    assert verify(folder, vkey=api_city.vkey, entry="other.json", **{"manifest-proof": "other.tlog-proof"}) == 1
    assert verify(folder, vkey=api_city.vkey, entry="") == 2
    assert verify(folder, vkey=api_city.vkey, **{"manifest-proof": ""}) == 2
