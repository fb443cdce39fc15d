"""How does merklelib build a closed tree for us? The one place that knows it.

merklelib 1.0 is an untrusted prover: what it says goes through `verifier.closed_trees.CheckedTree` before a root is
committed or a path served, and its own verifier is never called (docs/adr/0003). It names `collections.Iterable`, which
Python 3.10 removed; its module gets a namespace of its own that has it, and nobody else sees that.
"""

from __future__ import annotations

import collections
import collections.abc
import types
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import merklelib.merkle

from verifier.closed_trees import CheckedTree
from verifier.hashing import NODE_PREFIX, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

merklelib.merkle.collections = types.SimpleNamespace(
    Iterable=collections.abc.Iterable, OrderedDict=collections.OrderedDict
)


def _sha256_hex(data: bytes) -> str:
    return sha256(data).hexdigest()


class _Hasher(merklelib.merkle.Hasher):  # type: ignore[misc]  # merklelib has no types
    """Hashes as merklelib does, without its way through hexadecimal text; it is given leaves that are hashed."""

    def hash_leaf(self, data: bytes) -> bytes:
        return data

    def hash_children(self, left: bytes, right: bytes) -> bytes:
        return sha256(NODE_PREFIX + left + right).digest()


class MerklelibTree:
    """A tree that merklelib built; `verifier.closed_trees.ProvedTree`. The leaves must differ from each other."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self._leaves = leaf_hashes
        self._tree: Any = merklelib.merkle.MerkleTree(leaf_hashes, _Hasher(_sha256_hex))

    @property
    def root(self) -> bytes:
        """The root hash, as merklelib says."""
        return bytes.fromhex(self._tree.merkle_root)

    def path(self, index: int) -> list[bytes]:
        """The audit path, as merklelib says: it finds a leaf by its bytes and knows no index."""
        return [bytes.fromhex(node) for node in self._tree.get_proof(self._leaves[index]).hex_nodes]


def build_closed_tree(leaves: Iterable[bytes]) -> CheckedTree:
    """Have merklelib build a tree, and check it.

    Raises:
        MalformedInput: two leaves are equal.
        ProofDoesNotHold: merklelib's root is not that of the leaves.
    """
    return CheckedTree([leaf_hash(leaf) for leaf in leaves], MerklelibTree)
