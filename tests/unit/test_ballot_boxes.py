"""Does a path file show that a ballot is in the box, of any size, and can an agency build no box that is wrong?"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli import box_building
from audit_cli.errors import WrongUse
from audit_cli.main import main
from audit_service.closed_trees import build_closed_tree
from tests.support import trees
from tests.support.broken_provers import WRONG_PATHS, WRONG_ROOTS
from verifier.ballot_boxes import BoxPath, encode_box_path, parse_box_path, parse_commitment, verify_box_path
from verifier.canonical import encode_canonical
from verifier.closed_trees import CheckedTree
from verifier.errors import MalformedInput, ProofDoesNotHold, VerificationError
from verifier.hashing import EMPTY_ROOT, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_service.closed_trees import MerklelibTree


def commitments(count: int) -> list[bytes]:
    return sorted(hashlib.sha256(str(number).encode()).digest() for number in range(count))


def lines(values: Sequence[bytes]) -> bytes:
    return b"".join(value.hex().encode() + b"\n" for value in values)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


BOX = commitments(6)
TREE = build_closed_tree(BOX)
PROOF = encode_box_path(BoxPath(3, BOX[2], TREE.path(2)))


@pytest.mark.parametrize("count", range(1, 71))
def test_every_ballot_of_a_box_of_any_size_is_proven_and_at_no_other_number(count: int) -> None:
    box = commitments(count)
    tree = build_closed_tree(box)
    assert tree.root == trees.root(tuple(map(leaf_hash, box)))
    for number in {*range(1, min(count, 9) + 1), count // 2 + 1, count}:
        path = BoxPath(number, box[number - 1], tree.path(number - 1))
        assert verify_box_path(encode_box_path(path), box_root=tree.root, ballots_cast=count) == path
        other = encode_box_path(BoxPath(number % count + 1 if count > 1 else 2, path.commitment, path.path))
        with pytest.raises(VerificationError):
            verify_box_path(other, box_root=tree.root, ballots_cast=count)


@pytest.mark.parametrize("place", range(len(PROOF)))
def test_a_path_file_with_one_byte_changed_is_refused(place: int) -> None:
    verify_box_path(PROOF, box_root=TREE.root, ballots_cast=6)
    with pytest.raises(VerificationError):
        verify_box_path(
            PROOF[:place] + bytes([PROOF[place] ^ 1]) + PROOF[place + 1 :], box_root=TREE.root, ballots_cast=6
        )


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": True},
        {"number": 7},
        {"commitment": 1},
        {"commitment": BOX[2].hex().upper()},
        {"commitment": BOX[3].hex()},
        {"path": []},
        {"path": [1]},
        {"path": "x"},
        {"path": ["A"] * 64},
        {"choice": "yes"},
        {"format": "ledger-box-path/v2"},
    ],
)
def test_a_path_file_that_is_wrong_in_one_thing_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        verify_box_path(encode_canonical({**json.loads(PROOF), **change}), box_root=TREE.root, ballots_cast=6)


@pytest.mark.parametrize("data", [b"[]", b"", PROOF + b"\n", b" " * 9000])
def test_what_is_no_path_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse_box_path(data)


def test_a_path_holds_for_its_own_root_and_count() -> None:
    for root, count in ((TREE.root, 4), (TREE.root, 9), (commitments(1)[0], 6)):
        with pytest.raises(ProofDoesNotHold):
            verify_box_path(PROOF, box_root=root, ballots_cast=count)


def test_a_path_file_says_nothing_but_number_commitment_and_path() -> None:
    assert set(json.loads(PROOF)) == {"format", "number", "commitment", "path"}


# --- the command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 5, 70])
def test_the_command_builds_a_box_in_which_every_ballot_is_found(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "commitments.txt", tmp_path / "box"
    file.write_bytes(lines(commitments(count)))
    assert run("box", "build", file, "--out", folder, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ballots_cast"] == count == len(list(folder.iterdir()))
    if not count:
        assert said["box_root"] == EMPTY_ROOT.hex()
    for number in range(1, count + 1):
        path = folder / f"{number:08}.box-path.json"
        assert run("box", "verify", path, "--root", said["box_root"], "--count", count) == 0
    assert capsys.readouterr().out.count("is in the box") == count


def test_the_order_of_the_file_is_not_in_the_box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for name, values in (("a", BOX), ("b", BOX[::-1])):
        (tmp_path / name).write_bytes(lines(values))
        assert run("box", "build", tmp_path / name, "--out", tmp_path / f"{name}-box") == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] == f"box_root {TREE.root.hex()}\nballots_cast 6\n"
    for one in (tmp_path / "a-box").iterdir():
        assert one.read_bytes() == (tmp_path / "b-box" / one.name).read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        lines(BOX) + lines(BOX[:1]),
        lines(BOX)[:-1],
        lines(BOX) + b"\n",
        lines(BOX).replace(b"\n", b"\r\n"),
        lines(BOX).upper(),
        lines(BOX) + b"0" * 63 + b"\n",
        lines(BOX) + "é".encode() * 32 + b"\n",
        b" " + lines(BOX),
    ],
)
def test_a_file_that_is_not_one_commitment_a_line_makes_no_box(
    data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(data)
    assert run("box", "build", tmp_path / "file", "--out", tmp_path / "box") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "box").exists()


def test_paths_of_two_boxes_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(lines(BOX))
    assert run("box", "build", tmp_path / "file", "--out", tmp_path / "box") == 0
    assert run("box", "build", tmp_path / "file", "--out", tmp_path / "box") == 2


@pytest.mark.parametrize("prover", [*WRONG_ROOTS, *WRONG_PATHS])
def test_a_broken_prover_builds_no_box(
    prover: type[MerklelibTree], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        box_building, "build_closed_tree", lambda leaves: CheckedTree([*map(leaf_hash, leaves)], prover)
    )
    (tmp_path / "file").write_bytes(lines(commitments(8)))
    assert run("box", "build", tmp_path / "file", "--out", tmp_path / "box") == 1
    assert not (tmp_path / "box").exists()


def test_a_box_over_something_else_than_the_commitments_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_building, "build_closed_tree", lambda leaves: build_closed_tree(map(leaf_hash, leaves)))
    (tmp_path / "file").write_bytes(lines(commitments(8)))
    assert run("box", "build", tmp_path / "file", "--out", tmp_path / "box") == 1
    assert not (tmp_path / "box").exists()


def test_a_proof_that_does_not_hold_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "path").write_bytes(PROOF)
    assert run("box", "verify", tmp_path / "path", "--root", "0" * 64, "--count", 6) == 1
    assert "DOES NOT HOLD" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "file"),
        ("verify", "file"),
        ("verify", "file", "--root", "0" * 64),
        ("verify", "file", "--root", "0", "--count", "6"),
        ("verify", "file", "--root", "0" * 64, "--count", "0"),
        ("verify", "/nonexistent", "--root", "0" * 64, "--count", "6"),
        ("build", "/nonexistent", "--out", "box"),
        ("open", "file"),
    ],
)
def test_wrong_use_is_one_clear_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("box", *arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_commitment_has_one_spelling() -> None:
    assert parse_commitment(BOX[0].hex()) == BOX[0]
    for text in ("", BOX[0].hex().upper(), BOX[0].hex() + "\n", "٣" * 64):
        with pytest.raises(MalformedInput):
            parse_commitment(text)
    with pytest.raises(WrongUse):
        box_building.read_commitments(b"x")


def test_who_checks_a_ballot_needs_nothing_of_the_server(tmp_path: Path) -> None:
    """And who builds a box without it is told what to install."""
    (tmp_path / "path").write_bytes(PROOF)
    program = (
        "import sys\n"
        "for name in ('merklelib', 'fastapi', 'eventsourcing', 'sqlalchemy'): sys.modules[name] = None\n"
        "from audit_cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    checked = ("verify", str(tmp_path / "path"), "--root", TREE.root.hex(), "--count", "6")
    built = ("build", str(tmp_path / "path"), "--out", str(tmp_path / "box"))
    for arguments, code, says in ((checked, 0, "is in the box"), (built, 2, "audit-service[server]")):
        ended = subprocess.run(
            [sys.executable, "-c", program, "box", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, says in ended.stdout + ended.stderr) == (code, True), ended.stderr
