"""A small real ledger whose keys have a history: governance acts, what the server says, what an auditor says.

`insert_behind` puts an entry into the database as an operator could who has all of its machines: position, times,
hashes and the checkpoint's signature are right; only who signed the entry is not.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eventsourcing.persistence import StoredEvent

from audit_service.clock import format_time, now_utc
from audit_service.keys import SigningKey, read_seed
from audit_service.ledger import Ledger
from audit_service.recording.database import open_sqlite
from audit_service.recording.recorder import Commit, LedgerRecorder
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.small_city import ORIGIN, SmallCity, make_small_city, submission
from verifier.canonical import encode_canonical
from verifier.encoding import encode_base64url
from verifier.envelope import approve_submission, key_id, parse_entry, sign_submission
from verifier.notes import VerifierKey
from verifier.possession import prove_possession, prove_root_possession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_service.settings import Settings
    from audit_service.unit_of_work import Outcome
    from projections.replay_verdict import Verdict, Violation

LOG = "registry/log"
CITY = "urn:kr:agency:city"
ROOTS = ("root-1", "root-2", "root-3")
WITNESS = {"name": "council", "vkey": "witness.example/council+0123abcd+AAAA"}
SUCCESSOR = {"successor_origin": "ledger.example/next", "successor_log_key": "ledger.example/next+0123abcd+AAAA"}
_numbers = itertools.count(1)


def new_key(name: str) -> Ed25519PrivateKey:
    """The key of this name, always the same."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    return {"kid": key_id(raw), "public_key": encode_base64url(raw)}


def key_data(
    key: Ed25519PrivateKey, *, agency: str = "roads", scopes: Sequence[str] = ("budget.*",), **more: Any
) -> dict[str, Any]:
    """What registers a key, with its proof of possession."""
    possession = prove_possession(key, origin=ORIGIN, agency=agency, scopes=scopes)
    return {
        "agency": agency,
        **public(key),
        "scopes": list(scopes),
        "role": "SUBMITTER",
        "possession": possession,
        **more,
    }


def rotation_data(*keys: Ed25519PrivateKey, proven: int = 2) -> dict[str, Any]:
    """What makes these keys the root keys, proven by the first of them."""
    kids = [public(key)["kid"] for key in keys]
    proofs = [prove_root_possession(key, origin=ORIGIN, root_kids=kids) for key in keys[:proven]]
    return {"root_keys": [public(key) for key in keys], "possessions": proofs}


def unsigned(event_type: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """A governance act, not signed yet."""
    event_id = f"act-{next(_numbers)}"
    return submission(f"registry.{event_type}.v1", LOG, data, event_id=event_id, **{"source": CITY, **attributes})


def effect(number: int, *, source: str = "roads", subject: str = "budget/roads/2021", **changes: Any) -> dict[str, Any]:
    """An event that no budget rule refuses: a line."""
    line = {
        "line_id": f"line-{number}",
        "name_ko": "목",
        "project_id": "bridges",
        "division": "roads",
        "fund": "CITY",
    }
    made = submission("budget.line-defined.v1", subject, line, event_id=f"line-{number}-{next(_numbers)}")
    return {**made, "source": f"urn:kr:agency:{source}", **changes}


class KeyHistory:
    """One ledger in a directory, opened when it is needed."""

    def __init__(self, data_dir: Path) -> None:
        self.settings: Settings = make_small_city(data_dir)
        self.keys = {
            name: SigningKey.from_seed(read_seed(self.settings.keys / f"{name}.key")).private
            for name in (*ROOTS, "publisher", "city", "roads")
        }
        self.vkey = VerifierKey.parse((data_dir / "log.vkey").read_text().strip())

    # --- through the API --------------------------------------------------------------------------------

    def govern(self, event_type: str, data: dict[str, Any], *, by: Sequence[str] = ("root-1", "root-2")) -> Outcome:
        """Submit a governance act, signed and approved by these keys."""
        return self.send(self.signed(unsigned(event_type, data), *by))

    def signed(self, made: dict[str, Any], by: str, approver: str | None = None) -> dict[str, Any]:
        done = sign_submission(made, self.keys[by])
        return done if approver is None else approve_submission(done, self.keys[approver])

    def send(self, made: dict[str, Any]) -> Outcome:
        """What became of one submission: an outcome with an index, or with an error."""
        return self.send_bytes(encode_canonical(made))

    def send_bytes(self, *bodies: bytes, atomic: bool = False) -> Outcome:
        with Ledger(self.settings) as ledger:
            return SmallCity(self.settings, ledger).send(*bodies, atomic=atomic).outcomes[0]

    def entries(self) -> list[dict[str, Any]]:
        """All entries, but for the notes that a submission was refused."""
        with Ledger(self.settings) as ledger:
            entries = ledger.reader.entries(0, ledger.reader.tree_size)
        attributes = [parse_entry(entry) for entry in entries]
        return [each for each in attributes if each["type"] != "registry.submission-refused.v1"]

    @property
    def size(self) -> int:
        """How many entries there are."""
        with Ledger(self.settings) as ledger:
            return ledger.reader.tree_size

    # --- behind its back --------------------------------------------------------------------------------

    def insert_behind(self, made: dict[str, Any]) -> int:
        """Write an entry into the database, whoever signed it; returns its index."""
        writing = open_sqlite(self.settings.ledger_database)
        reading = open_sqlite(self.settings.ledger_database, read_only=True)
        try:
            recorder = LedgerRecorder(writing, reading)
            position = len(recorder.select_events(made["subject"])) + 1
            now = format_time(now_utc())
            entry = encode_canonical({**made, "position": position, "recordedtime": now})
            stored = StoredEvent(made["subject"], position, made["type"], entry)
            head = recorder.head()
            commit = Commit(recorded_time=now, keys=[], epoch=head.epoch, tree_size=head.tree_size)
            recorder.insert_events([stored], commit=commit)
            return recorder.head().tree_size - 1
        finally:
            writing.dispose()
            reading.dispose()

    # --- what an auditor says ---------------------------------------------------------------------------

    def audit(self) -> Verdict:
        """Sign and publish what is recorded, then replay the public files alone."""
        with Ledger(self.settings):
            pass
        return replay(DirectoryLog(self.settings.public), vkey=self.vkey)


def rule_of(outcome: Outcome) -> str | None:
    """Which rule refused it?"""
    return getattr(outcome.error, "rule_id", None)


def violations_at(verdict: Verdict, index: int) -> list[tuple[str, str | None]]:
    """What the auditor says about one entry: checks and rules. Equal findings on neighbours are one violation."""
    return [(each.check, each.details.get("rule_id")) for each in verdict.violations if index in _entries(each)]


def entries_named(verdict: Verdict) -> set[int]:
    """Every entry that the auditor says anything about."""
    return {index for each in verdict.violations for index in _entries(each)}


def _entries(violation: Violation) -> range:
    if violation.index is None:
        return range(0)
    last = violation.index if violation.last_index is None else violation.last_index
    return range(violation.index, last + 1)
