"""What does merklelib 1.0, written by somebody else, say about a tree?

Only for comparing: distinct entries, built once in bulk, its own verifier never called. It names
`collections.Iterable`, which Python 3.10 removed; its module gets a namespace of its own that has it, and
nobody else sees that.
"""

from __future__ import annotations

import collections
import collections.abc
import types
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import merklelib.merkle

if TYPE_CHECKING:
    from collections.abc import Sequence

merklelib.merkle.collections = types.SimpleNamespace(
    Iterable=collections.abc.Iterable, OrderedDict=collections.OrderedDict
)


def _sha256_hex(data: bytes) -> str:
    return sha256(data).hexdigest()


class Oracle:
    """A tree over entries, which must differ from each other (merklelib collapses duplicates)."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        assert len(set(entries)) == len(entries)
        self._tree: Any = merklelib.merkle.MerkleTree(list(entries), _sha256_hex)

    def root(self) -> bytes:
        """The root hash."""
        return bytes.fromhex(self._tree.merkle_root)

    def path(self, entry: bytes) -> list[bytes]:
        """The audit path of an entry, the leaf's sibling first."""
        return [bytes.fromhex(node) for node in self._tree.get_proof(entry).hex_nodes]
