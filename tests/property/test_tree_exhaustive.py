"""Does every proof of every small log equal the RFC's definition, and does it verify?"""

from __future__ import annotations

import pytest

from tests.support import trees
from verifier.errors import MalformedInput
from verifier.hashing import EMPTY_ROOT
from verifier.subtrees import SubtreeHashes
from verifier.tree import (
    compute_root,
    consistency_proof,
    inclusion_proof,
    root_from_inclusion_proof,
    root_of_leaf_hashes,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 130
LEAVES = trees.leaf_hashes(LARGEST)
READ = SubtreeHashes(LEAVES).read
ROOTS = [trees.root(LEAVES[:size]) for size in range(LARGEST + 1)]


def test_the_root_of_every_size_is_the_definitions() -> None:
    assert ROOTS[0] == EMPTY_ROOT
    for size in range(LARGEST + 1):
        assert root_of_leaf_hashes(LEAVES[:size]) == ROOTS[size], size
        assert compute_root(size, READ) == ROOTS[size], size


def test_every_inclusion_proof_is_the_definitions_and_verifies() -> None:
    for size in range(1, LARGEST + 1):
        leaves = LEAVES[:size]
        for index in range(size):
            proof = inclusion_proof(index, tree_size=size, read=READ)
            assert proof == trees.path(index, leaves), (size, index)
            verify_inclusion(LEAVES[index], index=index, tree_size=size, proof=proof, root=ROOTS[size])
            computed = root_from_inclusion_proof(LEAVES[index], index=index, tree_size=size, proof=proof)
            assert computed == ROOTS[size]


def test_every_consistency_proof_is_the_definitions_and_verifies() -> None:
    for new in range(1, LARGEST + 1):
        leaves = LEAVES[:new]
        for old in range(1, new + 1):
            proof = consistency_proof(old_size=old, new_size=new, read=READ)
            assert proof == trees.consistency(old, leaves), (old, new)
            verify_consistency(old_size=old, new_size=new, old_root=ROOTS[old], new_root=ROOTS[new], proof=proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (6, 5), (0, 0), (0, -1)])
def test_no_proof_is_made_for_an_index_that_the_log_has_not(index: int, size: int) -> None:
    with pytest.raises(MalformedInput, match="index"):
        inclusion_proof(index, tree_size=size, read=READ)
    with pytest.raises(MalformedInput, match="index"):
        root_from_inclusion_proof(LEAVES[0], index=index, tree_size=size, proof=[])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5), (1, 0)])
def test_no_consistency_from_nothing_or_backwards(old: int, new: int) -> None:
    with pytest.raises(MalformedInput, match="sizes"):
        consistency_proof(old_size=old, new_size=new, read=READ)
    with pytest.raises(MalformedInput, match="sizes"):
        verify_consistency(old_size=old, new_size=new, old_root=ROOTS[5], new_root=ROOTS[5], proof=[])


def test_a_negative_size_has_no_root() -> None:
    with pytest.raises(MalformedInput, match="tree size"):
        compute_root(-1, READ)


def test_equal_leaves_keep_their_places() -> None:
    """Two equal entries are two leaves (merklelib would collapse them)."""
    leaves = (LEAVES[0],) * 5
    read = SubtreeHashes(leaves).read
    for index in range(5):
        proof = inclusion_proof(index, tree_size=5, read=read)
        verify_inclusion(leaves[0], index=index, tree_size=5, proof=proof, root=trees.root(leaves))
    assert trees.root(leaves) == root_of_leaf_hashes(leaves) != root_of_leaf_hashes(leaves[:4])
