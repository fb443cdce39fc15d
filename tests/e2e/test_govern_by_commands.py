"""Can a city run the whole life of its keys by commands, against a real service, and an auditor follow it?"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli.main import main
from audit_service.ledger import Ledger
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.key_history import KeyHistory, key_data, new_key, public, unsigned
from tests.support.running_server import running_server
from tests.support.small_city import ORIGIN, budget_year, make_small_city
from verifier.canonical import encode_canonical, parse_strict
from verifier.envelope import sign_submission
from verifier.notes import NoteSigner, VerifierKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running_server import RunningServer

WITNESS = str(NoteSigner.from_seed("witness.example/council", hashlib.sha256(b"council").digest()).vkey)
SUCCESSOR = str(NoteSigner.from_seed("ledger.example/next", hashlib.sha256(b"next").digest()).vkey)


class CityHall:
    """The city's desk beside a running service: its root keys, and the commands."""

    def __init__(self, server: RunningServer, desk: Path) -> None:
        self.server, self.desk = server, desk
        self.keys = server.data_dir / "keys"
        self.vkey = (server.data_dir / "log.vkey").read_text().strip()
        self.roots = [self.keys / f"root-{number}.key" for number in (1, 2, 3)]

    def audit(self, *arguments: object) -> tuple[int, str, str]:
        """Run a command; its exit code and what it printed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
        return code, out.getvalue(), err.getvalue()

    def signed_by(self, *roots: Path) -> list[object]:
        options: list[object] = ["--city", "city", "--root-key", roots[0]]
        return options + (["--second-root-key", roots[1]] if len(roots) > 1 else [])

    def sending(self) -> list[object]:
        token = f"@{self.keys / 'city.token'}"
        return [
            *("--url", self.server.url, "--token", token, "--vkey", self.vkey, "--keep", self.desk / "receipts"),
            "--json",
        ]

    def act(self, *arguments: object, roots: tuple[int, ...] = (0, 1)) -> int:
        """An act that is sent; its index in the log."""
        signers = self.signed_by(*(self.roots[number] for number in roots))
        code, printed, complaint = self.audit(*arguments, *signers, *self.sending())
        assert code == 0, complaint
        index: int = json.loads(printed)["index"]
        return index

    def new_key(self, name: str) -> Path:
        path = self.desk / f"{name}.key"
        path.write_bytes(base64.b64encode(hashlib.sha256(name.encode()).digest()) + b"\n")
        return path

    def proof(self, name: str, agency: str, *scopes: str) -> Path:
        """What an agency hands over."""
        options = [text for scope in scopes for text in ("--scope", scope)]
        code, printed, complaint = self.audit(
            "keys", "prove", "--key", self.new_key(name), "--origin", ORIGIN, "--agency", agency, *options
        )
        assert code == 0, complaint
        path = self.desk / f"{name}.proof"
        path.write_text(printed)
        return path

    def listed(self) -> list[dict[str, Any]]:
        """`audit keys list`, from the published files alone."""
        code, printed, complaint = self.audit(
            "keys", "list", self.server.data_dir / "public", "--vkey", self.vkey, "--json"
        )
        assert code == 0, complaint + printed
        rows: list[dict[str, Any]] = json.loads(printed)["keys"]
        return rows

    def holds(self) -> bool:
        return replay(DirectoryLog(self.server.data_dir / "public"), vkey=VerifierKey.parse(self.vkey)).holds


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[CityHall]:
    make_small_city(tmp_path / "ledger")
    with running_server(tmp_path / "ledger") as server:
        yield CityHall(server, tmp_path)


def test_the_life_of_keys_and_log_by_commands(hall: CityHall) -> None:
    assert hall.act("keys", "register-agency", "parks", "--name-ko", "공원과", "--name-en", "Parks") == 1
    proof = hall.proof("parks", "parks", "project.*", "budget.*")
    assert hall.act("keys", "register", "--proof", proof, "--subject", "project/park") == 2
    kid = json.loads(proof.read_text())["kid"]
    assert hall.act("keys", "revoke", kid, "--reason", "replaced", "--from-index", "5") == 3
    policy = hall.desk / "policy.txt"
    policy.write_text("quorum none\n")
    assert hall.act("log", "policy", policy) == 4
    assert hall.act("log", "enrol-witness", "council", "--witness-key", WITNESS, roots=(2, 1)) == 5
    assert hall.act("log", "approvals", "--amount-won", "1000000000", "--late-days", "30") == 6
    assert hall.act("log", "retire-witness", "council") == 7

    new = [hall.new_key(name) for name in ("r4", "r5", "r6")]
    assert (
        hall.act("keys", "rotate-roots", "--origin", ORIGIN, *[text for key in new for text in ("--new-root", key)])
        == 8
    )
    code, _, complaint = hall.audit("log", "policy", policy, *hall.signed_by(*hall.roots[:2]), *hall.sending())
    assert (code, "registry.root-signatures" in complaint) == (1, True)
    hall.roots = new
    hall.server.wait_for("published_size", 9)
    rows = {row["kid"]: row for row in hall.listed()}
    assert (rows[kid]["holder"], rows[kid]["from"], rows[kid]["until"]) == ("parks", "2", "5")
    assert rows[kid]["streams"] == "project/park"
    assert [row["until"] for row in rows.values() if row["role"] == "ROOT"] == ["retired"] * 3 + [""] * 3

    end = hall.act("log", "succeed", "--origin", "ledger.example/next", "--log-key", SUCCESSOR)
    refused = hall.audit("log", "policy", policy, *hall.signed_by(*new[:2]), *hall.sending())
    assert (refused[0], "registry.log-succeeded" in refused[2]) == (1, True)
    hall.server.wait_for("published_size", end + 1)
    assert hall.holds()


def test_an_act_made_in_three_places(hall: CityHall) -> None:
    """The first root key signs into a file, the second approves there, a third place sends: no two keys meet."""
    draft, act = hall.desk / "draft.json", hall.desk / "act.json"
    policy = hall.desk / "policy.txt"
    policy.write_text("quorum none\n")
    code, printed, _ = hall.audit("log", "policy", policy, *hall.signed_by(hall.roots[0]), "--out", draft)
    assert (code, "second root key" in printed) == (0, True)
    lonely = draft.read_bytes().strip()
    refused = hall.server.post(lonely, agency="city")
    assert (refused.status, json.loads(refused.data)["rule_id"]) == (403, "registry.root-signatures")

    code, approved, complaint = hall.audit("submit", draft, "--approve-with", hall.roots[2], "--sign-only")
    assert code == 0, complaint
    act.write_text(approved)
    answer = hall.server.post(act.read_bytes().strip(), agency="city")
    assert answer.status == 201, answer.data
    assert parse_strict(lonely)["id"] == parse_strict(act.read_bytes().strip())["id"]


def test_listing_names_what_does_not_hold(tmp_path: Path) -> None:
    """The negative control: a registration that nobody entitled signed is named, and its key is not listed."""
    city = KeyHistory(tmp_path / "ledger")
    forged = city.insert_behind(city.signed(unsigned("key-registered", key_data(new_key("x"))), "city", "roads"))
    city.send_bytes(encode_canonical(sign_submission(budget_year()[0], city.keys["roads"])))
    with Ledger(city.settings):
        pass
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["keys", "list", str(city.settings.public), "--vkey", str(city.vkey), "--json"])
    listed = json.loads(out.getvalue())
    assert code == 1
    assert [violation["index"] for violation in listed["violations"]] == [forged]
    assert public(new_key("x"))["kid"] not in {row["kid"] for row in listed["keys"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "prove", "--origin", "o", "--agency", "roads", "--scope", "everything", "--key", "KEY"],
        ["keys", "prove", "--origin", "o", "--agency", "Roads", "--scope", "budget.*", "--key", "KEY"],
        ["keys", "revoke", "short", "--reason", "x", "--city", "city", "--root-key", "KEY"],
        ["keys", "rotate-roots", "--origin", "o", "--new-root", "KEY", "--city", "city", "--root-key", "KEY"],
        ["keys", "rotate-roots", "--origin", "o", *("--new-root", "KEY") * 3, "--city", "city", "--root-key", "KEY"],
        ["keys", "register", "--proof", "KEY", "--city", "city", "--root-key", "KEY"],
        ["log", "policy", "KEY", "--city", "City", "--root-key", "KEY"],
        ["log", "policy", "KEY", "--city", "city", "--root-key", "KEY", "--second-root-key", "KEY"],
        ["log", "policy", "KEY", "--city", "city", "--root-key", "KEY", "--url", "http://127.0.0.1:1"],
        ["log", "enrol-witness", "a b", "--witness-key", WITNESS, "--city", "city", "--root-key", "KEY"],
        ["log", "enrol-witness", "a", "--witness-key", "key", "--city", "city", "--root-key", "KEY"],
        ["log", "approvals", "--late-days", "-1", "--city", "city", "--root-key", "KEY"],
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "a.key"
    key.write_bytes(base64.b64encode(bytes(32)) + b"\n")
    code = main([str(key) if argument == "KEY" else argument for argument in arguments])
    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert len(printed.err.splitlines()) == 1
