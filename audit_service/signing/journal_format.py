"""Which bytes is a record of the sign-state journal, and where does a journal end?

A record that is torn at the very end was never acknowledged. Anything whole behind a broken one means damage.
"""

from __future__ import annotations

import hashlib
import struct

import msgspec

from audit_service.errors import Quarantined

_MAGIC = b"SSJ1"
_HEADER = struct.Struct(">4sI32s")


class SignState(msgspec.Struct, frozen=True, array_like=True):
    """One record: what was signed, and the entries from the record before it up to `tree_size`.

    A record without entries and without growth begins an epoch. Size 0 with an empty note: nothing was signed yet.
    """

    epoch: int
    tree_size: int
    root_hash: bytes
    note: bytes
    entries: list[bytes]


def encode_record(record: SignState) -> bytes:
    """The bytes of one record."""
    payload = msgspec.msgpack.encode(record)
    return _HEADER.pack(_MAGIC, len(payload), hashlib.sha256(payload).digest()) + payload


def parse_records(data: bytes) -> list[SignState]:
    """All records of a journal; a torn one at the very end is passed over.

    Raises:
        Quarantined: damage in the middle, or records that go back.
    """
    records: list[SignState] = []
    offset = 0
    while offset < len(data):
        record, end = _parse_record(data, offset)
        if record is None:
            _require_torn_end(data, offset)
            break
        if records:
            _require_order(records[-1], record)
        records.append(record)
        offset = end
    return records


def readable_end(data: bytes) -> int:
    """Up to which byte do whole records stand one behind the other?"""
    offset = 0
    while offset < len(data):
        record, end = _parse_record(data, offset)
        if record is None:
            return offset
        offset = end
    return offset


def _require_order(before: SignState, record: SignState) -> None:
    grows = record.tree_size > before.tree_size and record.epoch == before.epoch
    takes_over = (record.tree_size, record.root_hash) == (before.tree_size, before.root_hash)
    if not grows and not (takes_over and record.epoch > before.epoch):
        raise Quarantined(
            f"the journal goes from epoch {before.epoch}, size {before.tree_size} "
            f"to epoch {record.epoch}, size {record.tree_size}"
        )
    if grows and len(record.entries) != record.tree_size - before.tree_size:
        raise Quarantined(f"the journal's record of size {record.tree_size} does not hold the entries up to it")


def _parse_record(data: bytes, offset: int) -> tuple[SignState | None, int]:
    start = offset + _HEADER.size
    if start > len(data):
        return None, offset
    magic, length, digest = _HEADER.unpack_from(data, offset)
    payload = data[start : start + length]
    if magic != _MAGIC or len(payload) != length or hashlib.sha256(payload).digest() != digest:
        return None, offset
    return msgspec.msgpack.decode(payload, type=SignState), start + length


def _require_torn_end(data: bytes, offset: int) -> None:
    """A torn end is the last thing in the file. Only whole records count: an entry may hold any letters."""
    later = data.find(_MAGIC, offset + 1)
    while later != -1:
        if _parse_record(data, later)[0] is not None:
            raise Quarantined(f"the journal is damaged at byte {offset}: whole records stand behind it")
        later = data.find(_MAGIC, later + 1)
