"""Does what came back prove that our event is in the pinned log, and where is that proof kept?

A receipt is three things: the submission, the entry that it became, and the proof that this entry is in the log.
None of them is believed: the entry must be our submission with the service's two attributes, and the proof must
lead from its bytes to a checkpoint that the pinned key signed.

    <folder>/<agency code>/<id>.submission.json     kept before it is sent: after a crash the same bytes go again
    <folder>/<agency code>/<id>.entry.json          the entry as it was hashed
    <folder>/<agency code>/<id>.tlog-proof          `audit verify` reads these two, offline
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from audit_client.errors import EvidenceDoesNotHold, NotUsable
from verifier.envelope import parse_entry, parse_submission, submission_payload
from verifier.errors import VerificationError
from verifier.proofs import parse_log_proof, verify_log_proof

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from verifier.notes import VerifierKey

AGENCY_URN = "urn:kr:agency:"
_LONGEST_NAME = 180


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A checked receipt: our event is entry `index` of the log at the checkpoint in `proof`."""

    id: str
    source: str
    index: int
    tree_size: int
    repeated: bool
    entry: bytes
    proof: bytes


def check_receipt(
    submission: Mapping[str, Any], *, entry: bytes, proof: bytes, vkey: VerifierKey, repeated: bool = False
) -> Receipt:
    """Check a receipt against the pinned key.

    1. The proof leads from the entry's bytes to a checkpoint signed by the pinned key.
    2. The entry is well-formed, and without what the service adds it says what we submitted.

    Raises:
        EvidenceDoesNotHold: one of them does not hold.
    """
    try:
        # 1.
        verified = verify_log_proof(proof, entry=entry, vkey=vkey)
        # 2.
        attributes = parse_entry(entry)
    except VerificationError as error:
        raise EvidenceDoesNotHold(f"the receipt does not hold: {error}") from error
    if submission_payload(attributes) != submission_payload(submission):
        raise EvidenceDoesNotHold(f"entry {verified.index} is in the log, but it is not what was submitted")
    return Receipt(
        id=submission["id"],
        source=submission["source"],
        index=verified.index,
        tree_size=verified.checkpoint.tree_size,
        repeated=repeated,
        entry=entry,
        proof=proof,
    )


class ReceiptFolder:
    """Where receipts are kept. Nothing in it is ever overwritten by something else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, submission: Mapping[str, Any], encoded: bytes) -> None:
        """Keep a submission before it is sent.

        Raises:
            NotUsable: another one with the same id was sent from here.
        """
        path = self._file(submission, ".submission.json")
        kept = _read(path)
        if kept is None:
            _write(path, encoded)
        elif submission_payload(_parse(kept, path)) != submission_payload(submission):
            raise NotUsable(f"another event with this id was sent before: {path}; an id is used once")

    def give_up(self, submission: Mapping[str, Any]) -> None:
        """Forget a submission that a rule refused: corrected, it may come again under the same id."""
        if not self._file(submission, ".entry.json").exists():
            self._file(submission, ".submission.json").unlink(missing_ok=True)

    def resume(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """The submission that was sent for this event before, if it says all that the event says.

        An event that is signed already is sent as it is: its approval may be new.
        """
        if "signature" in event or not all(isinstance(event.get(name), str) for name in ("id", "source")):
            return None
        path = self._file(event, ".submission.json")
        kept = _read(path)
        if kept is None:
            return None
        found = _parse(kept, path)
        left_out = {"signature", "approval"}
        said = {name: value for name, value in event.items() if name not in left_out}
        before = {name: value for name, value in found.items() if name not in left_out}
        return found if {**before, **said} == before else None

    def keep(self, receipt: Receipt) -> Path:
        """Keep a checked receipt; the first one stays.

        Raises:
            EvidenceDoesNotHold: an earlier receipt says another place or other bytes: the log contradicts itself.
        """
        entry_path = self._file({"id": receipt.id, "source": receipt.source}, ".entry.json")
        proof_path = entry_path.with_name(entry_path.name.removesuffix(".entry.json") + ".tlog-proof")
        kept_entry, kept_proof = _read(entry_path), _read(proof_path)
        if kept_entry is not None and kept_proof is not None:
            kept_index = parse_log_proof(kept_proof).index
            if (kept_entry, kept_index) != (receipt.entry, receipt.index):
                raise EvidenceDoesNotHold(
                    f"an earlier receipt, {proof_path}, says index {kept_index}; now it is {receipt.index}: keep both"
                )
            return proof_path
        _write(entry_path, receipt.entry)
        _write(proof_path, receipt.proof)
        return proof_path

    def begin_batch(self, manifest: Mapping[str, Any], lines: bytes) -> None:
        """Keep a sealed batch before it is sent."""
        _write(self._file(_batch_of(manifest), ".batch.ndjson"), lines)

    def keep_batch(self, manifest: Mapping[str, Any], document: bytes) -> None:
        """Keep the receipt of a whole batch."""
        _write(self._file(_batch_of(manifest), ".batch.json"), document)

    def unfinished_batches(self, source: str) -> list[Path]:
        """Batches that were begun and have no receipt: sealing their transactions again would count them twice."""
        folder = self._folder(source)
        return [
            path
            for path in sorted(folder.glob("*.batch.ndjson"))
            if not path.with_name(path.name.removesuffix(".ndjson") + ".json").exists()
        ]

    def batch(self, source: str, batch_id: str) -> tuple[list[bytes], dict[str, Any]]:
        """The submissions of a batch, the manifest first, and its receipt.

        Raises:
            NotUsable: no such batch was submitted from here.
        """
        name = {"id": batch_id, "source": source}
        lines, document = _read(self._file(name, ".batch.ndjson")), _read(self._file(name, ".batch.json"))
        if lines is None or document is None:
            raise NotUsable(f"{self.path} holds no receipt of the batch {batch_id} of {source}")
        try:
            receipt: dict[str, Any] = json.loads(document)
        except ValueError:
            raise NotUsable(f"{self.path}: the receipt of the batch {batch_id} is not what was kept there") from None
        return lines.rstrip(b"\n").split(b"\n"), receipt

    def _folder(self, source: str) -> Path:
        return self.path / file_name(source.removeprefix(AGENCY_URN))

    def _file(self, submission: Mapping[str, Any], suffix: str) -> Path:
        return self._folder(submission["source"]) / (file_name(submission["id"]) + suffix)


def _batch_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": manifest["data"]["batch_id"], "source": manifest["source"]}


def file_name(text: str) -> str:
    """A name that no file system reads as a path, one for each text.

    >>> file_name("2021/b:1")
    '2021%2Fb%3A1'
    """
    name = quote(text, safe="")
    if name.startswith("."):
        name = "%2E" + name[1:]
    return name if len(name) <= _LONGEST_NAME else name[:100] + "-" + sha256(text.encode()).hexdigest()


def _parse(kept: bytes, path: Path) -> dict[str, Any]:
    try:
        return parse_submission(kept)
    except VerificationError as error:
        raise NotUsable(f"{path} is not what was kept there: {error}") from None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a torn receipt would be found when it is needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
