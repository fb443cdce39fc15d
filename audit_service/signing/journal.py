"""What has this log signed last, and which entries would a signature have no other witness for?

The sign-state journal is append-only, durable and not part of the database's backups. A record holds epoch,
size, root hash, note and the entries since the last record, and is written by compare-and-swap on
(epoch, size). So what was acknowledged stands in two places until its tiles are published, and a database
that was restored from an old backup cannot make the log sign another history.

On disk, per record: `SSJ1`, length (uint32 big-endian), SHA-256 of the payload, payload (MessagePack).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import threading
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from audit_service.errors import Quarantined
from audit_service.files import fsync_folder, make_folder, write_durably

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"SSJ1"
_HEADER = struct.Struct(">4sI32s")
# Below this size a journal is not worth rewriting.
_COMPACT_ABOVE_BYTES = 4 * 1024 * 1024


class SignState(msgspec.Struct, frozen=True, array_like=True):
    """One record: what was signed, and the entries from the record before it up to `tree_size`."""

    epoch: int
    tree_size: int
    root_hash: bytes
    note: bytes
    entries: list[bytes]


class _Position(NamedTuple):
    epoch: int
    tree_size: int


class SignStateJournal:
    """The journal of one log on one host; holds a file lock, so a second process cannot sign."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._path = path
        self._lock_descriptor = os.open(path.with_name("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_descriptor)
            raise Quarantined("another process is signing for this log") from error
        if not path.exists():
            write_durably(path, b"", mode=0o600)
        # The writer appends while the publisher forgets.
        self._changing = threading.Lock()
        self.records = _read_records(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)

    @property
    def last(self) -> SignState | None:
        """The newest signed state, or None before the first signature."""
        return self.records[-1] if self.records else None

    def append(self, record: SignState, *, expected_epoch: int, expected_size: int) -> None:
        """Make a signed state durable, if the journal still stands where the signer thinks it does.

        A crash before the fsync leaves the old state (a torn record at the end is cut off at the next start;
        nothing was acknowledged); a crash after it leaves a signed state that the next start publishes.

        Raises:
            Quarantined: the journal stands elsewhere; nothing was written.
            OSError: the disk failed; the process must stop, the state of the file is unknown.
        """
        with self._changing:
            self._append(record, expected=(expected_epoch, expected_size))

    def _append(self, record: SignState, *, expected: tuple[int, int]) -> None:
        last = self.last
        found = _Position(last.epoch, last.tree_size) if last else _Position(expected[0], 0)
        if found != expected:
            raise Quarantined(
                f"the journal stands at epoch {found.epoch}, size {found.tree_size}; the signer expected "
                f"epoch {expected[0]}, size {expected[1]}"
            )
        data = memoryview(_encode_record(record))
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fdatasync(self._descriptor)
        self.records.append(record)

    def forget_published(self, published_size: int) -> None:
        """Drop what is published from memory, and from the file once the file is worth it.

        The newest record always stays: it is the memory of what was signed last. Its entries go too when they
        are published.
        """
        with self._changing:
            kept = [record for record in self.records if record.tree_size > published_size]
            if not kept and self.records:
                newest = self.records[-1]
                kept = [SignState(newest.epoch, newest.tree_size, newest.root_hash, newest.note, [])]
            self.records = kept
            if os.fstat(self._descriptor).st_size > _COMPACT_ABOVE_BYTES:
                self._rewrite()

    def _rewrite(self) -> None:
        write_durably(self._path, b"".join(map(_encode_record, self.records)), mode=0o600)
        os.close(self._descriptor)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    def close(self) -> None:
        """Release the file and the lock."""
        os.close(self._descriptor)
        os.close(self._lock_descriptor)


def _encode_record(record: SignState) -> bytes:
    payload = msgspec.msgpack.encode(record)
    return _HEADER.pack(_MAGIC, len(payload), hashlib.sha256(payload).digest()) + payload


def _read_records(path: Path) -> list[SignState]:
    """Read all records; a torn one at the very end was never acknowledged and is cut off."""
    data = path.read_bytes()
    records: list[SignState] = []
    offset = 0
    while offset < len(data):
        record, end = _read_record(data, offset)
        if record is None:
            _cut_torn_end(path, data, offset)
            break
        if records and record.tree_size <= records[-1].tree_size:
            raise Quarantined(f"the journal goes back from size {records[-1].tree_size} to {record.tree_size}")
        records.append(record)
        offset = end
    return records


def _read_record(data: bytes, offset: int) -> tuple[SignState | None, int]:
    start = offset + _HEADER.size
    if start > len(data):
        return None, offset
    magic, length, digest = _HEADER.unpack_from(data, offset)
    payload = data[start : start + length]
    if magic != _MAGIC or len(payload) != length or hashlib.sha256(payload).digest() != digest:
        return None, offset
    return msgspec.msgpack.decode(payload, type=SignState), start + length


def _cut_torn_end(path: Path, data: bytes, offset: int) -> None:
    """A torn end is the last thing in the file; anything readable behind it means damage in the middle."""
    if data.find(_MAGIC, offset + 1) != -1:
        raise Quarantined(f"the journal is damaged at byte {offset}: whole records may stand behind it")
    with path.open("r+b") as file:
        file.truncate(offset)
        os.fsync(file.fileno())
    fsync_folder(path.parent)
