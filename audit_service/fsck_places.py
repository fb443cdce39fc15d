"""Where is something wrong, as exactly as can be said?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One wrong place.

    `place` is a file below the public folder or the journal, or table, row and column; `index` the entry that it
    belongs to, if it is one; `offset` the first wrong byte in it, counted from 0, if that can be said.
    """

    place: str
    index: int | None
    offset: int | None
    what: str

    def __str__(self) -> str:
        where = self.place if self.offset is None else f"{self.place}, byte {self.offset}"
        return f"{where}: {self.what}"


def first_difference(found: bytes, expected: bytes) -> int:
    """The first byte in which two texts differ; the length of the shorter if one continues the other."""
    for offset, (left, right) in enumerate(zip(found, expected, strict=False)):
        if left != right:
            return offset
    return min(len(found), len(expected))
