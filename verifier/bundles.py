"""How do 256 entries travel in one file?

An *entry bundle* holds the entries of one level-0 tile, each after its length as two bytes, big-endian
(https://c2sp.org/tlog-tiles v0.1.0, "Log Entries"). An empty entry is legal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ENTRY_BYTES = 65_535


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Write entries as a bundle.

    Raises:
        MalformedInput: an entry is longer than 65,535 bytes.
    """
    rows = list(entries)
    longest = max(map(len, rows), default=0)
    if longest > MAX_ENTRY_BYTES:
        raise MalformedInput(f"entry: expected at most {MAX_ENTRY_BYTES} bytes, found {longest}")
    return b"".join([part for entry in rows for part in (len(entry).to_bytes(2, "big"), entry)])


def decode_bundle(data: bytes, *, expected: int) -> list[bytes]:
    """Read the `expected` entries of a bundle, and not one byte beside them.

    Raises:
        MalformedInput: the bundle ends early, or goes on after the last entry.
    """
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        if len(entries) == expected:
            raise MalformedInput(f"bundle: {end - position} bytes after its {expected} entries")
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if start > end or position > end:
            raise MalformedInput(f"bundle: ends inside entry {len(entries)} of {expected}")
        entries.append(data[start:position])
    if len(entries) != expected:
        raise MalformedInput(f"bundle: expected {expected} entries, found {len(entries)}")
    return entries
