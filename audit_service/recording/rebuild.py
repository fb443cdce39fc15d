"""How does a database that is behind get its entries back, from the bytes that were signed?

Everything that a commit writes beside the entries follows from them: subject, position, type, leaf hash, idempotency
key, head. So a database can be made anew from tiles and journal, in parts, each one transaction; a crash between two
parts is gone on from at the next start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing.persistence import StoredEvent

from audit_service.catalogue.event import decode_event
from audit_service.failpoints import reach
from audit_service.recording.recorder import Commit, IdempotencyKey
from audit_service.submission import MANIFEST, TRANSACTION
from verifier.envelope import parse_entry, submission_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_service.recording.recorder import LedgerRecorder

_PART = 5_000


def append_signed(recorder: LedgerRecorder, entries: Iterable[Sequence[bytes]], *, start: int, epoch: int) -> int:
    """Record entries that were signed before, from index `start` on; returns the new tree size.

    Raises:
        eventsourcing.persistence.IntegrityError: the entries do not continue their streams.
        Fenced: another process has taken over.
    """
    waiting: list[bytes] = []
    for part in entries:
        waiting.extend(part)
        while len(waiting) >= _PART:
            start = _append(recorder, waiting[:_PART], start=start, epoch=epoch)
            del waiting[:_PART]
    return _append(recorder, waiting, start=start, epoch=epoch) if waiting else start


def _append(recorder: LedgerRecorder, entries: Sequence[bytes], *, start: int, epoch: int) -> int:
    stored, keys, recorded_time = [], [], ""
    for index, entry in enumerate(entries, start):
        attributes = parse_entry(entry)
        recorded_time = attributes["recordedtime"]
        stored.append(StoredEvent(attributes["subject"], attributes["position"], attributes["type"], entry))
        key = idempotency_key(entry, index)
        if key is not None:
            keys.append(key)
    commit = Commit(recorded_time=recorded_time, keys=keys, epoch=epoch, tree_size=start)
    if not reach("recover.before-rebuild"):
        recorder.insert_events(stored, commit=commit)
    reach("recover.after-rebuild")
    return start + len(stored)


def idempotency_key(entry: bytes, index: int) -> IdempotencyKey | None:
    """The key under which this entry's submission is known; None for a transaction, whose manifest speaks for it."""
    attributes = parse_entry(entry)
    if attributes["type"] == TRANSACTION:
        return None
    count = 1 + (decode_event(entry).data.count if attributes["type"] == MANIFEST else 0)
    return IdempotencyKey(attributes["source"], attributes["id"], submission_digest(attributes), index, count)
