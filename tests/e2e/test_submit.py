"""Does an agency get from a file to a checked receipt with `audit submit`, against a real service?"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_client.errors import EvidenceDoesNotHold, NoAnswer, NotUsable, Refused
from audit_client.receipts import Receipt, ReceiptFolder, check_receipt
from audit_client.sealing import Transaction, seal
from audit_client.service import Service
from audit_client.signing import encode, read_private_key, sign
from audit_client.submitting import Submitter
from audit_service.writer import REFUSALS_LINGER_S
from tests.support.running_server import RunningServer, running_server
from tests.support.small_city import ORIGIN, budget_year, make_small_city, obligation, service
from verifier.notes import VerifierKey
from verifier.proofs import parse_log_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3

    from tests.support.installed import Installation

ROOT = Path(__file__).resolve().parents[2]
PERIOD = "service/permits/2021-03"


class Agency:
    """An agency's desk: its key and token, a folder of its own, and the command."""

    def __init__(self, server: RunningServer, desk: Path) -> None:
        self.server = server
        self.desk = desk
        self.keys = server.data_dir / "keys"
        self.vkey = (server.data_dir / "log.vkey").read_text().strip()

    def audit(self, *arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "audit_cli.main", *map(str, arguments)],
            cwd=self.desk,
            env={"PYTHONPATH": str(ROOT)},
            input=stdin.decode(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def submit(self, *arguments: str | Path, events: Any = None, **options: str) -> subprocess.CompletedProcess[str]:
        """Run `audit submit`, with the events on standard input where no file is named."""
        named = {
            "url": self.server.url,
            "key": str(self.keys / "roads.key"),
            "token": f"@{self.keys / 'roads.token'}",
            "vkey": self.vkey,
            **options,
        }
        pairs = [text for name, value in named.items() if value for text in (f"--{name}", value)]
        files = [] if events is None else ["-"]
        return self.audit("submit", *files, *arguments, *pairs, stdin=json.dumps(events).encode())

    def done(self, *arguments: str | Path, events: Any = None) -> dict[str, Any]:
        """The same, and it must end well; gives its JSON document."""
        ended = self.submit(*arguments, "--json", events=events)
        assert ended.returncode == 0, ended.stderr + ended.stdout
        document: dict[str, Any] = json.loads(ended.stdout)
        return document

    def settled_size(self) -> int:
        """The tree size, once the entries about refusals that came before have been recorded too."""
        time.sleep(2 * REFUSALS_LINGER_S)
        size: int = self.server.get_json("/v1/log")["tree_size"]
        return size

    @property
    def receipts(self) -> Path:
        return self.desk / "receipts" / "roads"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data_dir = tmp_path_factory.mktemp("submit") / "city"
    make_small_city(data_dir)
    with running_server(data_dir) as started:
        yield started


@pytest.fixture(scope="module")
def agency(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Agency:
    """An agency whose fiscal year is open, with one service."""
    made = Agency(server, tmp_path_factory.mktemp("desk"))
    rows = made.done("--atomic", events=[*budget_year(), service()])["events"]
    assert [row["repeated"] for row in rows] == [False] * 5
    return made


def undated(event: dict[str, Any]) -> dict[str, Any]:
    """An event as people write it: without what the command fills in."""
    return {name: value for name, value in event.items() if name not in {"specversion", "time"}}


def test_one_event_becomes_a_receipt_that_audit_verify_accepts_offline(agency: Agency) -> None:
    (row,) = agency.done(events=undated(obligation(1, amount_won=1000)))["events"]
    name = agency.receipts / "obligation-1"
    proof = parse_log_proof(name.with_name("obligation-1.tlog-proof").read_bytes())
    assert (row["id"], row["index"], row["repeated"]) == ("obligation-1", proof.index, False)
    files = (f"{name}.tlog-proof", "--entry", f"{name}.entry.json", "--vkey", agency.vkey)
    assert agency.audit("verify", *files).returncode == 0
    another = agency.receipts / "year-2021.entry.json"
    assert agency.audit("verify", files[0], "--entry", another, *files[3:]).returncode == 1


def test_the_same_command_again_records_nothing_twice_though_the_time_was_filled_in(agency: Agency) -> None:
    event = undated(obligation(2, amount_won=1000))
    (first,) = agency.done(events=event)["events"]
    (again,) = agency.done(events=event)["events"]
    assert (again["index"], again["repeated"]) == (first["index"], True)


def test_another_event_under_a_used_id_is_refused_at_the_desk_already(agency: Agency) -> None:
    agency.done(events=undated(obligation(3, amount_won=1000)))
    ended = agency.submit(events=undated(obligation(3, amount_won=1001)))
    assert ended.returncode == 2
    assert "an id is used once" in ended.stderr


def test_a_refused_event_may_come_again_corrected(agency: Agency) -> None:
    ended = agency.submit(events=obligation(4, amount_won=10_000_000))
    assert ended.returncode == 1
    assert "budget." in ended.stderr
    agency.done(events=obligation(4, amount_won=1000))


def test_explain_names_rule_columns_and_what_would_pass_and_records_nothing(agency: Agency) -> None:
    before = agency.settled_size()
    ended = agency.submit("--explain", events=[obligation(5, amount_won=10_000_000), obligation(6, amount_won=1)])
    assert ended.returncode == 1
    assert "obligation-5: would be refused: budget." in ended.stdout
    assert "  rule: budget." in ended.stdout
    assert "  columns: {" in ended.stdout
    assert "  would pass: " in ended.stdout
    assert "obligation-6: would be recorded" in ended.stdout
    assert agency.server.get_json("/v1/log")["tree_size"] == before
    assert not (agency.receipts / "obligation-6.submission.json").exists()


def test_a_receipt_of_another_log_is_not_believed(agency: Agency, tmp_path: Path) -> None:
    other = make_small_city(tmp_path / "other")
    ended = agency.submit(events=obligation(7, amount_won=1), vkey=(other.data_dir / "log.vkey").read_text().strip())
    assert ended.returncode == 1
    assert "the receipt does not hold" in ended.stderr
    assert not (agency.receipts / "obligation-7.tlog-proof").exists()


def test_without_signature_token_or_service_nothing_goes(agency: Agency) -> None:
    event = obligation(8, amount_won=1)
    unsigned = agency.submit(events=event, key="")
    assert (unsigned.returncode, "--key is missing" in unsigned.stderr) == (2, True)
    stranger = agency.submit(events=event, token="0123456789abcdef." + "A" * 43)
    assert (stranger.returncode, "bearer token" in stranger.stderr.lower()) == (1, True)
    elsewhere = agency.submit(events=event, url="http://ledger.example")
    assert (elsewhere.returncode, "unencrypted" in elsewhere.stderr) == (2, True)


def test_two_people_sign_one_after_the_other(agency: Agency) -> None:
    signed = agency.submit("--sign-only", events=obligation(9, amount_won=1), url="", token="", vkey="")
    assert signed.returncode == 0, signed.stderr
    event = json.loads(signed.stdout)
    assert "signature" in event
    assert "approval" not in event
    same = agency.submit("--approve-with", agency.keys / "roads.key", events=event, key="")
    assert (same.returncode, "another key" in same.stderr) == (2, True)


def test_a_sealed_batch_goes_in_one_call_and_each_item_has_its_proof_later(agency: Agency) -> None:
    rows = b"".join(b'{"kind":"permit","record":{"place":%d}}\n' % number for number in range(300))
    (agency.desk / "march.ndjson").write_bytes(rows)
    openings = agency.desk / "march.openings"
    batch = agency.done("march.ndjson", "--seal", PERIOD, "--openings", openings)
    assert batch["count"] == 300
    assert openings.stat().st_mode & 0o777 == 0o600
    kept = agency.receipts / f"{batch['batch_id']}.batch.json"
    receipt = json.loads(kept.read_bytes())
    assert receipt["first_index"] == batch["first_index"]
    # The same batch again is the same entries; the same transactions in a new one would count twice.
    repeated = agency.done(kept.with_suffix(".ndjson"))
    assert repeated == batch
    # A single one is proved when somebody asks, and audit verify agrees, offline.
    (proved,) = agency.done(kept.with_suffix(".ndjson"), "--prove", "17")["events"]
    assert proved == {"id": f"{batch['batch_id']}/17", "index": batch["first_index"] + 17}
    name = agency.receipts / f"{batch['batch_id']}%2F17"
    files = (f"{name}.tlog-proof", "--entry", f"{name}.entry.json", "--vkey", agency.vkey)
    assert agency.audit("verify", *files).returncode == 0
    assert agency.submit(kept.with_suffix(".ndjson"), "--prove", "301").returncode == 2
    assert b'"place"' not in kept.with_suffix(".ndjson").read_bytes()


def test_a_batch_without_a_receipt_is_finished_before_another_is_sealed(agency: Agency) -> None:
    begun = agency.receipts / "0123.batch.ndjson"
    begun.write_bytes(b"{}\n")
    ended = agency.submit("march.ndjson", "--seal", PERIOD, "--openings", agency.desk / "again.openings")
    begun.unlink()
    assert (ended.returncode, "count twice" in ended.stderr) == (2, True)
    assert not (agency.desk / "again.openings").exists()


def test_the_base_installation_submits(agency: Agency, auditor: Installation) -> None:
    event = auditor.elsewhere / "event.json"
    event.write_text(json.dumps(obligation(10, amount_won=1)))
    named = ("--url", agency.server.url, "--vkey", agency.vkey, "--token", f"@{agency.keys / 'roads.token'}")
    ended = auditor.audit("submit", event, *named, "--key", agency.keys / "roads.key")
    assert ended.returncode == 0, ended.stderr
    assert (auditor.elsewhere / "receipts" / "roads" / "obligation-10.tlog-proof").exists()
    assert not auditor.imports("fastapi")


# --- as a program uses the client -----------------------------------------------------------------------


class CutService(Service):
    """A service behind a bad line: what is posted arrives, the first answers are lost."""

    cuts = 1

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        answer = super()._once(method, path, body, headers)
        if method == "POST" and self.cuts:
            self.cuts -= 1
            raise NoAnswer("cut")
        return answer


def submitter(agency: Agency, folder: Path) -> Submitter:
    token = (agency.keys / "roads.token").read_text().strip()
    return Submitter(
        CutService(agency.server.url, token=token, sleep=lambda _: None),
        vkey=VerifierKey.parse(agency.vkey),
        folder=ReceiptFolder(folder),
    )


def signing_key(agency: Agency) -> Ed25519PrivateKey:
    return read_private_key((agency.keys / "roads.key").read_bytes())


def test_an_answer_that_was_lost_is_asked_for_and_nothing_is_recorded_twice(agency: Agency, tmp_path: Path) -> None:
    before = agency.settled_size()
    receipt = submitter(agency, tmp_path).submit(sign(obligation(20, amount_won=1), signing_key(agency)))
    assert receipt.repeated
    assert receipt.index == before
    assert agency.server.get_json("/v1/log")["tree_size"] == before + 1


def test_an_id_of_another_event_is_not_taken_for_ours_after_a_cut(agency: Agency, tmp_path: Path) -> None:
    submitter(agency, tmp_path / "first").submit(sign(obligation(21, amount_won=1), signing_key(agency)))
    with pytest.raises(Refused) as caught:
        submitter(agency, tmp_path / "second").submit(sign(obligation(21, amount_won=2), signing_key(agency)))
    assert caught.value.rule_id == "envelope.id-taken"


def test_twenty_thousand_records_go_in_one_call_and_every_one_has_its_proof(agency: Agency, tmp_path: Path) -> None:
    desk = submitter(agency, tmp_path)
    before = agency.settled_size()
    batch = seal(
        (Transaction(kind="permit", record={"number": number}) for number in range(20_000)),
        rules=desk.fetch_rules("permits"),
        period="2021-02",
        key=signing_key(agency),
    )
    receipt = desk.submit_sealed(batch)
    assert (receipt.first_index, receipt.count) == (before, 20_000)
    assert agency.server.get_json("/v1/log")["tree_size"] == before + 20_001
    for number in (1, 9_999, 20_000):
        proved = desk.prove_item(receipt.source, batch.batch_id, number)
        assert proved.index == receipt.first_index + number
        assert batch.openings[number - 1].commitment.encode() in proved.entry
    with pytest.raises(NotUsable):
        desk.prove_item(receipt.source, batch.batch_id, 20_001)


def test_a_registration_without_a_proof_is_not_believed(agency: Agency, tmp_path: Path) -> None:
    other = VerifierKey.parse((make_small_city(tmp_path / "other").data_dir / "log.vkey").read_text().strip())
    honest = submitter(agency, tmp_path / "desk")
    assert honest.fetch_rules("permits").minimum_cell == 5
    with pytest.raises(NotUsable):
        honest.fetch_rules("parking")
    with pytest.raises(EvidenceDoesNotHold):
        Submitter(honest.service, vkey=other, folder=honest.folder).fetch_rules("permits")


def test_an_approval_that_came_later_is_sent_though_the_event_was_kept_without(tmp_path: Path) -> None:
    folder = ReceiptFolder(tmp_path)
    signed = sign(obligation(40, amount_won=1), Ed25519PrivateKey.from_private_bytes(bytes(32)))
    folder.begin(signed, encode(signed))
    assert folder.resume({**signed, "approval": "by somebody"}) is None
    unsigned = {name: value for name, value in signed.items() if name not in {"signature", "time"}}
    assert folder.resume(unsigned) == signed
    assert folder.resume({**unsigned, "subject": "budget/parks/2021"}) is None


def test_a_proof_of_a_neighbour_is_not_taken_for_ours(agency: Agency, tmp_path: Path) -> None:
    desk = submitter(agency, tmp_path)
    signed = [sign(obligation(number, amount_won=1), signing_key(agency)) for number in (31, 32)]
    first, second = desk.submit_many(signed, atomic=True)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    vkey = VerifierKey.parse(agency.vkey)
    check_receipt(signed[0], entry=first.entry, proof=first.proof, vkey=vkey)
    for entry, proof in ((second.entry, second.proof), (second.entry, first.proof), (first.entry, second.proof)):
        with pytest.raises(EvidenceDoesNotHold):
            check_receipt(signed[0], entry=entry, proof=proof, vkey=vkey)


def test_two_receipts_for_one_event_at_two_places_are_kept_and_shown(agency: Agency, tmp_path: Path) -> None:
    desk = submitter(agency, tmp_path)
    receipt = desk.submit(sign(obligation(33, amount_won=1), signing_key(agency)))
    desk.folder.keep(receipt)
    with pytest.raises(EvidenceDoesNotHold, match="keep both"):
        desk.folder.keep(replace(receipt, index=receipt.index + 1))


# --- last, because they change what the city asks for ----------------------------------------------------


def test_an_approver_is_enrolled_asked_for_and_signs_and_a_replay_agrees(agency: Agency) -> None:
    city = ("--city", "city", "--root-key", agency.keys / "root-1.key", "--second-root-key", agency.keys / "root-2.key")
    sent = ("--url", agency.server.url, "--vkey", agency.vkey, "--token", f"@{agency.keys / 'city.token'}")
    head = agency.desk / "head.key"
    head.write_bytes(b64encode(bytes(range(32))))
    proved = agency.audit(
        *("keys", "prove", "--key", head, "--origin", ORIGIN, "--agency", "roads", "--scope", "budget.*")
    )
    (agency.desk / "head.proof").write_text(proved.stdout)
    for act in (("keys", "register", "--proof", "head.proof", "--role", "APPROVER"), ("log", "approvals")):
        policy = ("--amount-won", "5000") if act[0] == "log" else ()
        ended = agency.audit(*act, *policy, *city, *sent)
        assert ended.returncode == 0, ended.stderr

    event = obligation(50, amount_won=5000)
    refused = agency.submit("--explain", events=event)
    assert refused.returncode == 1
    assert "rule: registry.approval-missing: " in refused.stdout
    assert "would pass: 4999" in refused.stdout
    assert "registry.approval-missing" in agency.submit(events=event).stderr
    agency.done(events=obligation(51, amount_won=4999))
    agency.done("--approve-with", head, events=event)

    agency.server.wait_for("published_size", agency.server.get_json("/v1/log")["tree_size"])
    replayed = agency.audit("replay", f"{agency.server.url}/log", "--vkey", agency.vkey, "--no-answers")
    assert replayed.returncode == 0, replayed.stdout
