"""Do the stores that were opened belong to this log, or to another city's?

A database or a journal of another log is whole in itself, so no comparison of bytes calls it damaged; yet going on with
it would sign another city's entries with this city's key. The genesis entry names origin and key, and every note of
the journal is signed by that key: both are held against the settings before anything else is compared.

What is damaged is not judged here: recovery and `audit fsck` say what is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.errors import ConfigurationError
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import GENESIS_SUBJECT, GENESIS_TYPE, parse_entry
from verifier.errors import VerificationError
from verifier.hashing import leaf_hash

if TYPE_CHECKING:
    from audit_service.reading import LogReader
    from audit_service.recording.recorder import LedgerRecorder
    from audit_service.signing.stores import Journal
    from verifier.notes import VerifierKey


def require_own_entries(reader: LogReader, recorder: LedgerRecorder, *, vkey: VerifierKey) -> None:
    """Is the recorded genesis entry, if there is one, that of the log with this key?

    Raises:
        ConfigurationError: it is another log's.
    """
    first = reader.entries(0, 1)
    if not first or leaf_hash(first[0]) != recorder.leaf_hash_at(GENESIS_SUBJECT, 1):
        return
    if _named_in(first[0]) != (vkey.name, str(vkey)):
        raise ConfigurationError(
            "the database belongs to another log: its genesis entry names another origin or log key than `origin` and "
            "`keys/log.key`. Correct `origin`, `database_url` or the key, or put back this log's own database; if that "
            "is lost, make an empty one with `audit db upgrade`: the start fills it from tiles and journal"
        )


def _named_in(genesis: bytes) -> tuple[object, object] | None:
    """The origin and the log key that an entry 0 names, None if it is no genesis entry."""
    try:
        attributes = parse_entry(genesis)
    except VerificationError:
        return None
    data = attributes["data"]
    return (data.get("origin"), data.get("log_key")) if attributes["type"] == GENESIS_TYPE else None


def require_own_journal(journal: Journal, *, vkey: VerifierKey) -> None:
    """Is the newest note of the journal, if there is one, signed by this log's key, over its origin?

    Raises:
        ConfigurationError: it is another log's.
    """
    last = journal.last
    if journal.damage is not None or last is None or not last.note:
        return
    try:
        verify_checkpoint(last.note, vkey=vkey)
    except VerificationError as error:
        raise ConfigurationError(
            "the sign-state journal belongs to another log: its newest note is not signed by `keys/log.key` for "
            "`origin`. Correct `origin`, `journal_url` or the key, or put back this log's own journal; without it this "
            "log cannot go on"
        ) from error
