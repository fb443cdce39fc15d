"""Which complete subtrees does a log have, when all of them are kept in memory?

One `bytearray` per level, 64 bytes per leaf in all. `read` is a `SubtreeReader`: roots and proofs of any
size up to the present one are made from it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.errors import MalformedInput
from verifier.hashing import HASH_BYTES, NODE_PREFIX
from verifier.tree import compute_root

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAIR_BYTES = 2 * HASH_BYTES


class SubtreeHashes:
    """The hashes of all complete subtrees of a log, level by level."""

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaf_hashes)

    @property
    def size(self) -> int:
        """How many leaves does the log have?"""
        return len(self._levels[0]) // HASH_BYTES

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves, and every subtree that they complete.

        Raises:
            MalformedInput: a leaf hash is not 32 bytes; nothing was added then.
        """
        added = list(leaf_hashes)
        if set(map(len, added)) - {HASH_BYTES}:
            raise MalformedInput(f"leaf hashes: expected {HASH_BYTES} bytes each")
        digest, prefix = sha256, NODE_PREFIX
        self._levels[0] += b"".join(added)
        level = 0
        while len(self._levels[level]) >= _PAIR_BYTES:
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())
            below, above = self._levels[level], self._levels[level + 1]
            # Two hashes below make one above: what stands above already is done.
            new = bytes(below[2 * len(above) : len(below) // _PAIR_BYTES * _PAIR_BYTES])
            above += b"".join(
                [digest(prefix + new[i : i + _PAIR_BYTES]).digest() for i in range(0, len(new), _PAIR_BYTES)]
            )
            level += 1

    def read(self, level: int, index: int) -> bytes:
        """The hash of complete subtree number `index` of 2**level leaves (a `SubtreeReader`).

        Raises:
            LookupError: the log is not that long; whoever asks computed wrongly.
        """
        if level >= 0 and index >= 0 and (index + 1) << level <= self.size:
            start = index * HASH_BYTES
            return bytes(self._levels[level][start : start + HASH_BYTES])
        raise LookupError(f"no complete subtree {index} on level {level} at size {self.size}")

    def read_row(self, level: int, first: int, count: int) -> bytes:
        """The hashes of `count` neighbouring complete subtrees of 2**level leaves, one after another.

        Raises:
            LookupError: the log is not that long; whoever asks computed wrongly.
        """
        if level >= 0 and first >= 0 and count > 0 and (first + count) << level <= self.size:
            return bytes(self._levels[level][first * HASH_BYTES : (first + count) * HASH_BYTES])
        raise LookupError(f"no {count} complete subtrees from {first} on level {level} at size {self.size}")

    def root(self, size: int | None = None) -> bytes:
        """What is the root of the first `size` entries (all, if not given)?

        Raises:
            LookupError: the log is not that long.
        """
        return compute_root(self.size if size is None else size, self.read)

    def truncate(self, size: int) -> None:
        """Forget every leaf from number `size` on, and the subtrees over them.

        Raises:
            ValueError: the log is shorter than that.
        """
        if not 0 <= size <= self.size:
            raise ValueError(f"truncate: expected 0 to {self.size}, found {size}")
        for level, hashes in enumerate(self._levels):
            del hashes[(size >> level) * HASH_BYTES :]
