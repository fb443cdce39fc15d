"""What does merklelib 1.0, written by somebody else, say about a tree?

Only for comparing: distinct entries, built once in bulk, its own verifier never called.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from merklelib.merkle import Hasher

from audit_service.closed_trees import MerklelibTree

if TYPE_CHECKING:
    from collections.abc import Sequence


class Oracle:
    """A tree over entries, which must differ from each other (merklelib collapses duplicates)."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        assert len(set(entries)) == len(entries)
        self._entries = entries
        hasher = Hasher(lambda data: sha256(data).hexdigest())
        self._tree = MerklelibTree([hasher.hash_leaf(entry) for entry in entries])

    def root(self) -> bytes:
        """The root hash."""
        return self._tree.root

    def path(self, entry: bytes) -> list[bytes]:
        """The audit path of an entry, the leaf's sibling first."""
        return self._tree.path(self._entries.index(entry))
