"""Does merklelib, written by somebody else, see the same trees as we do?"""

from __future__ import annotations

import collections

import pytest

from tests.support.merklelib_oracle import Oracle
from verifier.hashing import leaf_hash
from verifier.subtrees import SubtreeHashes
from verifier.tree import inclusion_proof, root_of_leaf_hashes, verify_inclusion

ENTRIES = [b"entry %d" % number for number in range(300)]


def test_the_roots_of_every_small_tree_agree() -> None:
    for size in range(1, 131):
        hashes = [leaf_hash(entry) for entry in ENTRIES[:size]]
        assert root_of_leaf_hashes(hashes) == Oracle(ENTRIES[:size]).root(), size


@pytest.mark.parametrize("size", [*range(1, 66), 127, 128, 129, 200, 255, 256, 257, 300])
def test_every_audit_path_agrees_and_verifies(size: int) -> None:
    oracle = Oracle(ENTRIES[:size])
    hashes = [leaf_hash(entry) for entry in ENTRIES[:size]]
    tree = SubtreeHashes(hashes)
    for index in range(size):
        path = oracle.path(ENTRIES[index])
        assert path == inclusion_proof(index, tree_size=size, read=tree.read)
        verify_inclusion(hashes[index], index=index, tree_size=size, proof=path, root=oracle.root())


def test_the_shim_is_merklelibs_own() -> None:
    """Nobody else sees a `collections.Iterable` that Python no longer has."""
    assert not hasattr(collections, "Iterable")
