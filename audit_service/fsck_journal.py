"""Is every byte of the sign-state journal as it was written?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.errors import Quarantined
from audit_service.fsck_places import Finding
from audit_service.signing.journal_format import parse_records, readable_end
from verifier.checkpoints import verify_checkpoint
from verifier.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_service.signing.journal_format import SignState
    from audit_service.signing.stores import Journal
    from verifier.notes import VerifierKey

    JournalReader = Callable[[VerifierKey, list[Finding]], list[SignState]]


def check_journal(path: Path, vkey: VerifierKey, findings: list[Finding]) -> list[SignState]:
    """Look at every file of the journal; returns the records of the newest file that holds any."""
    newest: list[SignState] = []
    if not path.parent.is_dir():
        findings.append(Finding(place="journal", index=None, offset=None, what="the folder is missing"))
        return newest
    for file in sorted(path.parent.glob(f"{path.name}*")):
        data = file.read_bytes()
        end = readable_end(data)
        if end != len(data):
            what = "a record that is torn by a crash, or damaged"
            findings.append(Finding(place=f"journal/{file.name}", index=None, offset=end, what=what))
        try:
            records = parse_records(data[:end])
        except Quarantined as error:
            findings.append(Finding(place=f"journal/{file.name}", index=None, offset=None, what=str(error)))
            continue
        for record in records:
            _check_note(file.name, record, vkey, findings)
        newest = records or newest
    if not newest:
        findings.append(Finding(place="journal", index=None, offset=None, what="no whole record is left"))
    return newest


def check_shared_journal(journal: Journal, vkey: VerifierKey, findings: list[Finding]) -> list[SignState]:
    """Look at a journal that stands in a database; its records carry the same digests."""
    if journal.damage is not None:
        findings.append(Finding(place="journal", index=None, offset=None, what=str(journal.damage)))
    for record in journal.records:
        _check_note("records", record, vkey, findings)
    return journal.records


def _check_note(name: str, record: SignState, vkey: VerifierKey, findings: list[Finding]) -> None:
    if record.tree_size == 0:
        return
    try:
        checkpoint = verify_checkpoint(record.note, vkey=vkey)
        holds = (checkpoint.tree_size, checkpoint.root_hash) == (record.tree_size, record.root_hash)
    except VerificationError:
        holds = False
    if not holds:
        what = f"the note of the record of size {record.tree_size} is not the log's checkpoint"
        findings.append(Finding(place=f"journal/{name}", index=None, offset=None, what=what))
