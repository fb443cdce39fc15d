"""Does a tree that a broken prover built ever lead to a root or a path that we would believe?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit_service.closed_trees import MerklelibTree, build_closed_tree
from tests.support import trees
from tests.support.broken_provers import WRONG_PATHS, WRONG_ROOTS
from verifier.closed_trees import CheckedTree
from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import EMPTY_ROOT, leaf_hash
from verifier.tree import verify_inclusion


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(row) for row in rows(count)]


def rows(count: int) -> list[bytes]:
    return [b'{"key":"%d"}' % number for number in range(count)]


@pytest.mark.parametrize("prover", WRONG_ROOTS)
@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_prover_with_another_root_is_refused(prover: type[MerklelibTree], count: int) -> None:
    with pytest.raises(ProofDoesNotHold):
        CheckedTree(hashes(count), prover)


@pytest.mark.parametrize("prover", WRONG_PATHS)
@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_prover_with_other_paths_is_refused(prover: type[MerklelibTree], count: int) -> None:
    tree = CheckedTree(hashes(count), prover)
    for index in range(count):
        with pytest.raises((ProofDoesNotHold, MalformedInput)):
            tree.path(index)


def test_equal_leaves_are_refused_before_a_prover_may_collapse_them() -> None:
    twice = [*rows(3), rows(1)[0]]
    with pytest.raises(MalformedInput):
        build_closed_tree(twice)
    # The control: merklelib itself takes them without a word, and proves the first copy at the place of the last.
    tree = MerklelibTree([leaf_hash(row) for row in twice])
    with pytest.raises(ProofDoesNotHold):
        verify_inclusion(leaf_hash(twice[0]), index=0, tree_size=4, proof=tree.path(0), root=tree.root)


def test_what_merklelibs_own_verifier_believes_ours_refuses() -> None:
    """The control for asking our verifier only: merklelib's accepts an inner node of the tree as a row."""
    from merklelib.merkle import verify_leaf_inclusion  # noqa: PLC0415 - only to show why it is not used

    leaves = hashes(4)
    tree = MerklelibTree(leaves)
    inner = trees.root(tuple(leaves[:2]))
    proof = tree._tree.get_proof(leaves[0])
    proof._nodes = proof._nodes[1:]
    assert verify_leaf_inclusion(inner, proof, tree._tree.hasher, tree._tree.merkle_root)
    path = tree.path(0)[1:]
    with pytest.raises(ProofDoesNotHold):
        verify_inclusion(inner, index=0, tree_size=4, proof=path, root=tree.root)


@pytest.mark.parametrize("count", range(1, 40))
def test_root_and_paths_are_those_of_the_definition(count: int) -> None:
    leaves = tuple(leaf_hash(row) for row in rows(count))
    tree = build_closed_tree(rows(count))
    assert tree.root == trees.root(leaves)
    assert [list(tree.path(index)) for index in range(count)] == [trees.path(index, leaves) for index in range(count)]


def test_the_empty_tree_needs_no_prover() -> None:
    tree = build_closed_tree([])
    assert (tree.root, tree.size) == (EMPTY_ROOT, 0)
    with pytest.raises(MalformedInput):
        tree.path(0)


def test_one_module_knows_merklelib() -> None:
    """Everybody else speaks of provers; `tests` may compare."""
    root = Path(__file__).parents[2]
    folders = ("verifier", "audit_client", "audit_service", "projections", "api", "audit_cli")
    knowing = [
        str(path.relative_to(root))
        for folder in folders
        for path in (root / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) merklelib", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert knowing == ["audit_service/closed_trees.py"]
