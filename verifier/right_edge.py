"""How does a log grow without remembering its leaves?

The *right edge* of a tree holds its complete subtrees that have no neighbour yet, one for each binary digit
1 of the size: at size 6 = 0b110 one of four leaves and one of two. It is all that is needed to append the
next leaf and to tell the root, so it is what is stored with the head of the log.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.errors import MalformedInput
from verifier.hashing import EMPTY_ROOT, HASH_BYTES, NODE_PREFIX, node_hash, require_hash

if TYPE_CHECKING:
    from collections.abc import Iterable


class RightEdge:
    """The complete subtrees along the right edge of a log of `size` leaves."""

    __slots__ = ("_nodes", "_size")

    def __init__(self) -> None:
        # _nodes[level] is the hash of the edge's subtree of 2**level leaves; None where the digit is 0.
        self._nodes: list[bytes | None] = []
        self._size = 0

    @property
    def size(self) -> int:
        """How many leaves does the log have?"""
        return self._size

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf: as in adding one to a binary number, full digits carry upwards.

        Raises:
            MalformedInput: the leaf hash is not 32 bytes.
        """
        require_hash(leaf_hash, name="leaf hash")
        carried, nodes = leaf_hash, self._nodes
        for level, left in enumerate(nodes):
            if left is None:
                nodes[level] = carried
                break
            carried = node_hash(left, carried)
            nodes[level] = None
        else:
            nodes.append(carried)
        self._size += 1

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add many leaves, level by level: more than a million a second.

        On each level the edge's own subtree comes first, neighbours are hashed together, and an odd last
        one becomes the edge's subtree there.

        Raises:
            MalformedInput: a leaf hash is not 32 bytes; nothing was added then.
        """
        row = list(leaf_hashes)
        if set(map(len, row)) - {HASH_BYTES}:
            raise MalformedInput(f"leaf hashes: expected {HASH_BYTES} bytes each")
        digest, prefix, nodes = sha256, NODE_PREFIX, self._nodes
        self._size += len(row)
        level = 0
        while row:
            if level == len(nodes):
                nodes.append(None)
            waiting = nodes[level]
            if waiting is not None:
                row.insert(0, waiting)
            nodes[level] = row[-1] if len(row) % 2 else None
            pairs = zip(row[::2], row[1::2], strict=False)  # not strict: an odd last one stays on the edge
            row = [digest(prefix + left + right).digest() for left, right in pairs]
            level += 1

    def root(self) -> bytes:
        """What is the root (RFC 6962 section 2.1) of the log so far?"""
        root: bytes | None = None
        for node in self._nodes:
            if node is not None:
                root = node if root is None else node_hash(node, root)
        return EMPTY_ROOT if root is None else root

    def copy(self) -> RightEdge:
        """Another edge that grows on its own."""
        edge = RightEdge()
        edge._nodes = self._nodes.copy()
        edge._size = self._size
        return edge

    def to_bytes(self) -> bytes:
        """The hashes one after another, from the largest subtree to the smallest."""
        return b"".join(node for node in reversed(self._nodes) if node is not None)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> RightEdge:
        """Read back what `to_bytes` wrote for a log of `size` leaves.

        Raises:
            MalformedInput: the size is negative, or another number of hashes belongs to it.
        """
        if size < 0:
            raise MalformedInput(f"tree size: expected 0 or more, found {size}")
        expected = size.bit_count() * HASH_BYTES
        if len(data) != expected:
            raise MalformedInput(f"right edge of size {size}: expected {expected} bytes, found {len(data)}")
        edge = cls()
        edge._size = size
        position = len(data)
        for level in range(size.bit_length()):
            if size >> level & 1:
                edge._nodes.append(data[position - HASH_BYTES : position])
                position -= HASH_BYTES
            else:
                edge._nodes.append(None)
        return edge
