"""Do `audit verify`, `audit mirror` and `audit replay` report what they found, to people and to programs?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli import service_answers
from audit_cli.main import main
from audit_cli.service_answers import service_of
from projections.replay_verdict import CHECKS
from tests.support.log_builder import LogBuilder, small_log, write_answers, write_file, write_log
from tests.support.static_server import StaticServer, serve_files
from verifier.hashing import leaf_hash
from verifier.proofs import LogProof, encode_log_proof
from verifier.subtrees import SubtreeHashes
from verifier.tree import inclusion_proof

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INDEX = 12


@pytest.fixture(scope="module")
def log() -> LogBuilder:
    return small_log(transactions=300)


@pytest.fixture
def receipt(log: LogBuilder, tmp_path: Path) -> Path:
    """What a citizen keeps: the entry, its proof, and the key that was printed in the newspaper."""
    log.publish(tmp_path)
    tree = SubtreeHashes(map(leaf_hash, log.entries))
    hashes = tuple(inclusion_proof(INDEX, tree_size=tree.size, read=tree.read))
    proof = LogProof(INDEX, hashes, (tmp_path / "log/checkpoint").read_bytes())
    (tmp_path / "receipt.tlog-proof").write_bytes(encode_log_proof(proof))
    (tmp_path / "entry.json").write_bytes(log.entries[INDEX])
    (tmp_path / "log.vkey").write_text(f"# the newspaper of 1 April\n\n{log.vkey}\n")
    return tmp_path


def verify(receipt: Path, *options: str) -> int:
    entry, vkey = receipt / "entry.json", receipt / "log.vkey"
    return main(["verify", f"{receipt}/receipt.tlog-proof", "--entry", str(entry), "--vkey", f"@{vkey}", *options])


# --- verify ---------------------------------------------------------------------------------------------


def test_a_receipt_holds_step_by_step(receipt: Path, log: LogBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(receipt) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3.", "4.", "5.", "HO"]
    assert (
        lines[-1] == f"HOLDS: entry {INDEX} of {log.signer.vkey.name}, under the checkpoint of size {len(log.entries)}"
    )


def test_a_receipt_as_json(receipt: Path, log: LogBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(receipt, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["holds"] is True
    assert report["index"] == INDEX
    assert report["tree_size"] == len(log.entries)
    assert report["leaf_hash"] == leaf_hash(log.entries[INDEX]).hex()
    assert report["event"]["subject"] == json.loads(log.entries[INDEX])["subject"]


def test_the_key_may_stand_on_the_command_line(receipt: Path, log: LogBuilder) -> None:
    entry = str(receipt / "entry.json")
    assert main(["verify", f"{receipt}/receipt.tlog-proof", "--entry", entry, "--vkey", log.vkey, "--quiet"]) == 0


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("receipt.tlog-proof", lambda data: data[1:], "1. DOES NOT HOLD: proof"),
        ("receipt.tlog-proof", lambda data: data[:-9] + b"A" + data[-8:], "2. DOES NOT HOLD"),
        ("receipt.tlog-proof", lambda data: data.replace(b"index 12", b"index 13"), "4. DOES NOT HOLD: inclusion"),
        ("entry.json", lambda data: data.replace(b"lamps", b"lamp5", 1), "4. DOES NOT HOLD: inclusion"),
        ("entry.json", lambda data: data + b"\n", "(it ends with a newline, which no entry does)"),
        ("entry.json", lambda _data: b"", "4. DOES NOT HOLD: inclusion"),
    ],
)
def test_a_changed_receipt_fails_at_its_step(
    receipt: Path, name: str, change: Any, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = receipt / name
    path.write_bytes(change(path.read_bytes()))
    assert verify(receipt) == 1
    assert says in capsys.readouterr().out
    assert verify(receipt, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["holds"] is False
    assert report["problem"]


def test_an_entry_that_is_no_event_does_not_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = LogBuilder()
    log.entries.append(b'{"any": "bytes"}')
    write_log(tmp_path / "log", log.entries, log.signer)
    proof = LogProof(1, (leaf_hash(log.entries[0]),), (tmp_path / "log/checkpoint").read_bytes())
    (tmp_path / "receipt.tlog-proof").write_bytes(encode_log_proof(proof))
    (tmp_path / "entry.json").write_bytes(log.entries[1])
    (tmp_path / "log.vkey").write_text(log.vkey)
    assert verify(tmp_path) == 1
    assert "5. DOES NOT HOLD: JSON" in capsys.readouterr().out


# --- replay ---------------------------------------------------------------------------------------------


def test_a_replay_prints_a_table_of_all_checks(
    receipt: Path, log: LogBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(receipt), "--vkey", log.vkey]) == 0
    out = capsys.readouterr().out
    for name, means in CHECKS.items():
        word = " nothing to check " if name == "reports" else " holds "
        assert any(line.startswith(name) and means in line and word in line for line in out.splitlines())
    assert out.splitlines()[-1] == f"HOLDS: {log.signer.vkey.name} at size {len(log.entries)}"


def test_a_replay_as_json(receipt: Path, log: LogBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(receipt / "log"), "--vkey", log.vkey, "--json", "--answers", f"{receipt}/answers"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["holds"] is True
    assert verdict["entries"] == verdict["tree_size"] == len(log.entries)
    # This log publishes no report.
    statuses = [check["status"] for check in verdict["checks"]]
    assert statuses == ["holds"] * (len(CHECKS) - 1) + ["nothing to check"]


def test_checks_that_were_left_out_are_not_said_to_hold(
    receipt: Path, log: LogBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(receipt), "--vkey", log.vkey, "--json", "--no-rules", "--no-answers"]) == 0
    statuses = {check["check"]: check["status"] for check in json.loads(capsys.readouterr().out)["checks"]}
    assert {name for name, status in statuses.items() if status == "holds"} == {"checkpoint", "tree", "folds"}
    assert main(["replay", str(receipt), "--vkey", log.vkey, "--json", "--no-signatures"]) == 0
    statuses = {check["check"]: check["status"] for check in json.loads(capsys.readouterr().out)["checks"]}
    assert {name for name, status in statuses.items() if status != "holds"} == {"signatures", "reports"}


def test_a_replay_that_finds_something_names_it_and_ends_with_1(
    receipt: Path, log: LogBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    path = receipt / "answers/settlement/roads.json"
    path.write_bytes(path.read_bytes().replace(b"300000", b"300001", 1))
    assert main(["replay", str(receipt), "--vkey", log.vkey, "--quiet"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("violation 1: answers: answers/settlement/roads.json: /tables/")
    assert "expected 300,000, found 300,001" in lines[0]
    assert lines[-1].startswith("DOES NOT HOLD: ")


# --- mirror, and replay from an address -----------------------------------------------------------------


@pytest.fixture
def service(log: LogBuilder, tmp_path: Path) -> Iterator[StaticServer]:
    """What a running service serves: its log, its answers, and the list of them."""
    root = tmp_path / "served"
    write_log(root / "log", log.entries, log.signer)
    write_answers(tmp_path / "made", log.entries)
    listed = []
    for path in sorted((tmp_path / "made").glob("*/*.json")):
        answer = json.loads(path.read_bytes())
        href = f"/v1/{answer['kind']}/{answer['key']}"
        listed.append({"kind": answer["kind"], "key": answer["key"], "href": href})
        write_file(root / href.lstrip("/"), path.read_bytes())
    with serve_files(root) as served:
        document = json.dumps({"tree_size": len(log.entries), "answers": listed}).encode()
        served.answers["/v1/answers"] = lambda: (200, {}, document)
        yield served


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_mirror_holds_the_log_and_the_answers_and_replays_elsewhere(
    service: StaticServer, log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, saved = tmp_path / "copy", len(files(tmp_path / "made"))
    assert main(["mirror", f"{service.address}/log/", str(copy), "--vkey", log.vkey, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["tree_size"], report["answers_saved"], report["signature_checked"]) == (
        len(log.entries),
        saved,
        True,
    )
    assert files(copy / "log") == files(tmp_path / "served/log")
    assert files(copy / "answers") == files(tmp_path / "made")
    assert [path.name for path in copy.iterdir()] in (["log", "answers"], ["answers", "log"])  # no temporary files

    elsewhere = tmp_path / "elsewhere"
    shutil.move(copy, elsewhere)
    assert main(["replay", str(elsewhere), "--vkey", log.vkey, "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["checks"][-2]["examined"] == saved


def test_a_log_is_replayed_from_its_address_with_the_services_answers(
    service: StaticServer, log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, saved = f"{service.address}/log", len(files(tmp_path / "made"))
    assert main(["replay", place, "--vkey", log.vkey, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checks"][-2]["examined"] == saved
    answer = tmp_path / "served/v1/settlement/roads"
    answer.write_bytes(answer.read_bytes().replace(b"300000", b"300001", 1))
    assert main(["replay", place, "--vkey", log.vkey, "--quiet"]) == 1
    assert main(["replay", place, "--vkey", log.vkey, "--quiet", "--no-answers"]) == 0


def test_a_log_without_a_service_is_mirrored_without_answers(
    service: StaticServer, log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del service.answers["/v1/answers"]
    assert main(["mirror", f"{service.address}/log", str(tmp_path / "copy"), "--vkey", log.vkey]) == 0
    out, err = capsys.readouterr()
    assert "lists no answers" in err
    assert out.splitlines()[-1].startswith("HOLDS: ")
    assert not (tmp_path / "copy/answers").exists()


def test_a_mirror_that_does_not_hold_names_what_and_keeps_nothing(
    service: StaticServer, log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "served/log/tile/entries/000"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"2021-04-01", b"2021-04-02", 1))
    assert main(["mirror", f"{service.address}/log", str(tmp_path / "copy"), "--vkey", log.vkey]) == 1
    assert "DOES NOT HOLD: tile/entries/000: entry 0 does not hash" in capsys.readouterr().out
    assert not (tmp_path / "copy/log/checkpoint").exists()
    assert not (tmp_path / "copy/answers").exists()


def test_answers_ahead_of_the_checkpoint_are_waited_for(
    service: StaticServer, log: LogBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_answers, "_PAUSE_S", 0.001)
    new = (tmp_path / "served/log/checkpoint").read_bytes()
    write_log(tmp_path / "old", log.entries[:200], log.signer)
    old = (tmp_path / "old/checkpoint").read_bytes()
    shown = iter([old, old, old])
    service.answers["/log/checkpoint"] = lambda: (200, {}, next(shown, new))
    assert main(["mirror", f"{service.address}/log", str(tmp_path / "copy"), "--vkey", log.vkey, "--quiet"]) == 0
    assert (tmp_path / "copy/log/checkpoint").read_bytes() == new


def test_answers_that_the_checkpoint_never_covers_do_not_hold(
    service: StaticServer,
    log: LogBuilder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(service_answers, "_PAUSE_S", 0.001)
    monkeypatch.setattr(service_answers, "_WAIT_S", 0.02)
    write_log(tmp_path / "served/log", log.entries[:200], log.signer)
    for command in (["mirror", f"{service.address}/log", str(tmp_path / "copy")], ["replay", f"{service.address}/log"]):
        assert main([*command, "--vkey", log.vkey]) == 1
        shown = capsys.readouterr()
        assert f"rest on {len(log.entries)} entries" in shown.out + shown.err
        assert "covers 200" in shown.out + shown.err


def test_a_log_that_goes_back_is_named(log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_log(tmp_path / "long", log.entries, log.signer)
    write_log(tmp_path / "short", log.entries[:100], log.signer)
    copy = str(tmp_path / "copy")
    assert main(["mirror", str(tmp_path / "long"), copy, "--vkey", log.vkey]) == 0
    capsys.readouterr()
    assert main(["mirror", str(tmp_path / "short"), copy, "--vkey", log.vkey, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert "the log went back or forked" in report["problem"]


@pytest.mark.parametrize(
    ("place", "service"),
    [
        ("http://127.0.0.1:8000/log", "http://127.0.0.1:8000"),
        ("https://host/prefix/log/", "https://host/prefix"),
        ("https://host/other", None),
        ("./copy/log", None),
    ],
)
def test_a_service_is_beside_its_log(place: str, service: str | None) -> None:
    assert service_of(place) == service
