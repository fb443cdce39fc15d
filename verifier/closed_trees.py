"""Is the tree that somebody else built over these leaves the tree that we mean, and each of its paths a path?

A *closed tree* is built once over a list that never grows: rows of a report, transactions of a batch, ballots of a
box. Whoever builds it, a *prover*, is not trusted. Its root must be the one that we compute from the leaves, and no
path leaves `CheckedTree` before it has led from its leaf, at its index, to that root. So a prover that collapses equal
leaves, offers an inner node as a leaf, or is simply wrong, costs an error and nothing else. The empty tree needs no
prover.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import EMPTY_ROOT
from verifier.tree import root_of_leaf_hashes, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Sequence


class ProvedTree(Protocol):
    """What a prover says about a tree; nothing of it holds before it is checked."""

    @property
    def root(self) -> bytes:
        """The root hash."""
        ...

    def path(self, index: int) -> Sequence[bytes]:
        """The hashes from the leaf at `index` to the root, the leaf's sibling first."""
        ...


class Prover(Protocol):
    """Builds closed trees."""

    def __call__(self, leaf_hashes: Sequence[bytes]) -> ProvedTree:
        """Build the RFC 6962 tree over leaves of these hashes, of which there is at least one."""
        ...


class CheckedTree:
    """A closed tree whose root is checked, and whose paths are checked as they are asked for."""

    def __init__(self, leaf_hashes: Sequence[bytes], prover: Prover) -> None:
        """Have the tree built, and compare its root with our own.

        Raises:
            MalformedInput: two leaves are equal: a prover could tell them apart by nothing.
            ProofDoesNotHold: the prover's root is not that of these leaves.
        """
        self._hashes = leaf_hashes
        if len(set(leaf_hashes)) != len(leaf_hashes):
            raise MalformedInput("closed tree: two leaves are equal")
        self.size = len(leaf_hashes)
        self.root = root_of_leaf_hashes(leaf_hashes) if leaf_hashes else EMPTY_ROOT
        self._proved = prover(leaf_hashes) if leaf_hashes else None
        if self._proved is not None and self._proved.root != self.root:
            raise ProofDoesNotHold("closed tree: the prover's root is not that of the leaves")

    def path(self, index: int) -> tuple[bytes, ...]:
        """The path of the leaf at `index`, checked.

        Raises:
            MalformedInput: the tree has no such index, or the prover gave something else than hashes.
            ProofDoesNotHold: the prover's path does not lead from this leaf, at this index, to the root.
        """
        if self._proved is None or not 0 <= index < self.size:
            raise MalformedInput(f"closed tree: expected an index below {self.size}, found {index}")
        path = tuple(self._proved.path(index))
        verify_inclusion(self._hashes[index], index=index, tree_size=self.size, proof=path, root=self.root)
        return path
