"""Does every changed proof, leaf, root, index and size fail?

Most rows here must fail: a checker that accepts too much passes every test of good proofs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import trees
from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import HASH_BYTES
from verifier.subtrees import SubtreeHashes
from verifier.tree import (
    consistency_proof,
    inclusion_proof,
    root_from_inclusion_proof,
    verify_consistency,
    verify_inclusion,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 33
LEAVES = trees.leaf_hashes(LARGEST)
TREE = SubtreeHashes(LEAVES)
ROOTS = [trees.root(LEAVES[:size]) for size in range(LARGEST + 1)]
STRANGER = b"\x5a" * HASH_BYTES


def _inclusion(index: int, size: int) -> list[bytes]:
    return inclusion_proof(index, tree_size=size, read=TREE.read)


def _consistency(old: int, new: int) -> list[bytes]:
    return consistency_proof(old_size=old, new_size=new, read=TREE.read)


def _flipped(value: bytes) -> Iterator[bytes]:
    """Every value that differs in one bit."""
    number = int.from_bytes(value, "big")
    for bit in range(8 * len(value)):
        yield (number ^ 1 << bit).to_bytes(len(value), "big")


def _other_lengths(proof: list[bytes], *more: bytes) -> Iterator[list[bytes]]:
    """The proof with one hash less, one more, one twice, or two exchanged."""
    for i in range(len(proof)):
        yield proof[:i] + proof[i + 1 :]
        yield [*proof[: i + 1], *proof[i:]]
    for i in range(len(proof) - 1):
        yield [*proof[:i], proof[i + 1], proof[i], *proof[i + 2 :]]
    for value in (STRANGER, *more):
        for i in range(len(proof) + 1):
            yield [*proof[:i], value, *proof[i:]]


def _refuses_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofDoesNotHold):
        verify_inclusion(leaf, index=index, tree_size=size, proof=proof, root=root)


def _refuses_consistency(
    old: int, new: int, proof: list[bytes], *, old_root: bytes | None = None, new_root: bytes | None = None
) -> None:
    with pytest.raises(ProofDoesNotHold):
        verify_consistency(
            old_size=old,
            new_size=new,
            old_root=ROOTS[old] if old_root is None else old_root,
            new_root=ROOTS[new] if new_root is None else new_root,
            proof=proof,
        )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 11])
def test_every_flipped_bit_of_an_inclusion_fails(size: int) -> None:
    for index in range(size):
        proof = _inclusion(index, size)
        for leaf in _flipped(LEAVES[index]):
            _refuses_inclusion(leaf, index, size, proof, ROOTS[size])
        for root in _flipped(ROOTS[size]):
            _refuses_inclusion(LEAVES[index], index, size, proof, root)
        for i, value in enumerate(proof):
            for other in _flipped(value):
                _refuses_inclusion(LEAVES[index], index, size, [*proof[:i], other, *proof[i + 1 :]], ROOTS[size])


@pytest.mark.parametrize("new", [2, 3, 5, 7, 8])
def test_every_flipped_bit_of_a_consistency_fails(new: int) -> None:
    for old in range(1, new + 1):
        proof = _consistency(old, new)
        for root in _flipped(ROOTS[old]):
            _refuses_consistency(old, new, proof, old_root=root)
        for root in _flipped(ROOTS[new]):
            _refuses_consistency(old, new, proof, new_root=root)
        for i, value in enumerate(proof):
            for other in _flipped(value):
                _refuses_consistency(old, new, [*proof[:i], other, *proof[i + 1 :]])


def test_an_inclusion_holds_at_no_other_index() -> None:
    for size in range(2, LARGEST + 1):
        for index in range(size):
            proof = _inclusion(index, size)
            for other in set(range(size)) - {index}:
                _refuses_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
            with pytest.raises(MalformedInput):
                verify_inclusion(LEAVES[index], index=size, tree_size=size, proof=proof, root=ROOTS[size])


def test_an_inclusion_holds_under_no_other_checkpoint() -> None:
    """A size belongs to its root; both come from one checkpoint."""
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = _inclusion(index, size)
            for other in range(index + 1, LARGEST + 1):
                if other != size:
                    _refuses_inclusion(LEAVES[index], index, other, proof, ROOTS[other])


def test_an_inclusion_of_another_length_fails() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            for proof in _other_lengths(_inclusion(index, size), LEAVES[index], ROOTS[size]):
                _refuses_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


def test_no_inner_node_is_a_leaf() -> None:
    """Each complete subtree above a leaf, with the rest of the leaf's proof, at every index."""
    for size in range(2, LARGEST + 1):
        for index in range(size):
            proof = _inclusion(index, size)
            level = 1
            while (index >> level) + 1 << level <= size:
                node = TREE.read(level, index >> level)
                for claimed in range(size):
                    _refuses_inclusion(node, claimed, size, proof[level:], ROOTS[size])
                level += 1
            _refuses_inclusion(ROOTS[size], index, size, [], ROOTS[size])


def test_a_consistency_of_another_length_fails() -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            for proof in _other_lengths(_consistency(old, new), ROOTS[old], ROOTS[new]):
                _refuses_consistency(old, new, proof)


def test_a_consistency_holds_between_no_other_checkpoints() -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = _consistency(old, new)
            for other in set(range(1, new + 1)) - {old}:
                _refuses_consistency(other, new, proof)
                _refuses_consistency(old, new, proof, old_root=ROOTS[other])
            for other in set(range(old, LARGEST + 1)) - {new}:
                _refuses_consistency(old, other, proof)
                _refuses_consistency(old, new, proof, new_root=ROOTS[other])


def test_two_logs_that_differ_in_one_old_entry_are_never_consistent() -> None:
    """The operator rewrites an entry and proves consistency from its new tree."""
    size = 13
    for changed in range(size):
        rewritten = SubtreeHashes([*LEAVES[:changed], STRANGER, *LEAVES[changed + 1 : size]])
        for old in range(changed + 1, size + 1):
            proof = consistency_proof(old_size=old, new_size=size, read=rewritten.read)
            _refuses_consistency(old, size, proof, new_root=rewritten.root())


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_has_32_bytes_everywhere(length: int) -> None:
    """In a log of one entry too, where nothing is hashed and two strings are compared."""
    short = b"\x01" * length
    with pytest.raises(MalformedInput, match="32 bytes"):
        verify_inclusion(short, index=0, tree_size=1, proof=[], root=short)
    with pytest.raises(MalformedInput, match="32 bytes"):
        verify_inclusion(LEAVES[0], index=0, tree_size=1, proof=[], root=short)
    with pytest.raises(MalformedInput, match="32 bytes"):
        verify_inclusion(LEAVES[0], index=0, tree_size=2, proof=[short], root=ROOTS[2])
    with pytest.raises(MalformedInput, match="32 bytes"):
        verify_consistency(old_size=1, new_size=1, old_root=short, new_root=short, proof=[])
    with pytest.raises(MalformedInput, match="32 bytes"):
        verify_consistency(old_size=1, new_size=2, old_root=ROOTS[1], new_root=short, proof=[LEAVES[1]])
    with pytest.raises(MalformedInput, match="32 bytes"):
        verify_consistency(old_size=1, new_size=2, old_root=ROOTS[1], new_root=ROOTS[2], proof=[short])


def test_a_proof_too_long_or_too_short_is_named_before_any_root_is_compared() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = _inclusion(index, size)
            with pytest.raises(ProofDoesNotHold, match="too long"):
                root_from_inclusion_proof(LEAVES[index], index=index, tree_size=size, proof=[*proof, STRANGER])
            if proof:
                with pytest.raises(ProofDoesNotHold, match="too short"):
                    root_from_inclusion_proof(LEAVES[index], index=index, tree_size=size, proof=proof[:-1])
    with pytest.raises(MalformedInput, match="leaf hash: expected 32 bytes"):
        root_from_inclusion_proof(b"short", index=0, tree_size=1, proof=[])
    for old, new in ((1, 2), (3, 5), (4, 7), (6, 8)):
        proof = _consistency(old, new)
        for length, changed in (("long", [*proof, STRANGER]), ("short", proof[:-1] or [])):
            with pytest.raises(ProofDoesNotHold, match=f"too {length}|empty"):
                verify_consistency(old_size=old, new_size=new, old_root=ROOTS[old], new_root=ROOTS[new], proof=changed)
    with pytest.raises(MalformedInput, match="old root hash: expected 32 bytes"):
        verify_consistency(old_size=1, new_size=2, old_root=b"short", new_root=ROOTS[2], proof=[LEAVES[1]])


def test_messages_name_expected_and_found() -> None:
    with pytest.raises(MalformedInput, match="expected 0 to 6 at tree size 7, found 7"):
        verify_inclusion(LEAVES[0], index=7, tree_size=7, proof=[], root=ROOTS[7])
    with pytest.raises(ProofDoesNotHold) as caught:
        verify_inclusion(LEAVES[0], index=0, tree_size=1, proof=[], root=ROOTS[2])
    assert ROOTS[2].hex() in str(caught.value)
    assert ROOTS[1].hex() in str(caught.value)
