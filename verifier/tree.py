r"""Is this entry in the log, and is this log a continuation of that one?

The log is a Merkle tree over all entries in their order (RFC 6962 section 2.1; RFC 9162 section 2.1, whose
algorithms are followed here line by line). A tree of n leaves splits at k, the largest power of two
smaller than n:

                   root of 7
                 /           \
            (2,0)             .
           /     \           / \
       (1,0)     (1,1)   (1,2)  \
       /   \     /   \   /   \   \
       0   1     2   3   4   5   (0,6)

A *complete subtree* holds 2**level leaves and starts at a multiple of that: number `index` of its level,
written (level, index) above. Once its leaves are written it never changes. Therefore complete subtrees
are all that is ever stored, and every root and every proof is made of them: the root of 7 of (2,0), (1,2)
and (0,6).

Three questions, each with its builder and its check side by side:

    what is the root?               root_of_leaf_hashes, compute_root
    is leaf `index` in it?          inclusion_proof, verify_inclusion
    does it continue the older?     consistency_proof, verify_consistency

The checks are bound to index and tree size; both come from the caller, never out of the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import EMPTY_ROOT, NODE_PREFIX, node_hash, require_hash

# read(level, index): the hash of complete subtree number `index` of 2**level leaves.
SubtreeReader: TypeAlias = Callable[[int, int], bytes]


# --- the root -------------------------------------------------------------------------------------------


def root_of_leaf_hashes(hashes: Sequence[bytes]) -> bytes:
    """What is the root over these leaf hashes (RFC 6962 section 2.1, MTH)?

    Level by level: neighbours are hashed together, and an odd last one moves up as it is. That is the same
    tree as the recursive definition, at a million leaf hashes in about half a second.
    """
    if not hashes:
        return EMPTY_ROOT
    digest, prefix = sha256, NODE_PREFIX
    level = hashes
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)  # not strict: an odd last one has no neighbour
        above = [digest(prefix + left + right).digest() for left, right in pairs]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def compute_root(tree_size: int, read: SubtreeReader) -> bytes:
    """What is the root of the first `tree_size` entries, from stored complete subtrees?

    Raises:
        MalformedInput: the size is negative.
    """
    if tree_size < 0:
        raise MalformedInput(f"tree size: expected 0 or more, found {tree_size}")
    return _range_root(0, tree_size, read) if tree_size else EMPTY_ROOT


def _range_root(start: int, end: int, read: SubtreeReader) -> bytes:
    """MTH(D[start:end]) for a range that the recursive definition visits: aligned at its start.

    The range is a run of complete subtrees from large to small, one for each binary digit of its length;
    they are hashed together from the right.
    """
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(read(level, start >> level))
        start += 1 << level
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (RFC 6962 section 2.1, k)."""
    return 1 << ((size - 1).bit_length() - 1)


# --- is leaf `index` in it? -----------------------------------------------------------------------------


def inclusion_proof(index: int, *, tree_size: int, read: SubtreeReader) -> list[bytes]:
    """Which hashes lead from the leaf hash at `index` to the root (RFC 9162 section 2.1.3.1, PATH)?

    Going down from the root to the leaf, at each fork the side not taken is noted; the proof lists them from
    the leaf up.

    Raises:
        MalformedInput: the log of this size has no such index.
    """
    _require_index(index, tree_size)
    start, end = 0, tree_size
    proof = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_root(middle, end, read))
            end = middle
        else:
            proof.append(_range_root(start, middle, read))
            start = middle
    proof.reverse()
    return proof


def verify_inclusion(leaf_hash: bytes, *, index: int, tree_size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Is the entry with this leaf hash number `index` of the log with this size and root?

    Size and root belong together: take both from one checkpoint. (A proof alone often fits several sizes: that
    of leaf 0 has the same form at 5 leaves as at 8.)

    Raises:
        MalformedInput: a hash is not 32 bytes, or the log of this size has no such index.
        ProofDoesNotHold: the proof leads to another root, or has not the length that index and size demand.
    """
    require_hash(root, name="root hash")
    computed = root_from_inclusion_proof(leaf_hash, index=index, tree_size=tree_size, proof=proof)
    if computed != root:
        raise ProofDoesNotHold(
            f"inclusion of index {index} in size {tree_size}: expected root {root.hex()}, found {computed.hex()}"
        )


def root_from_inclusion_proof(leaf_hash: bytes, *, index: int, tree_size: int, proof: Sequence[bytes]) -> bytes:
    """To which root does this proof lead (RFC 9162 section 2.1.3.2)?

    Walks from the leaf up with `fn`, the leaf's place on the level, and `sn`, the last place on it. The
    leaf's subtree is a right child if `fn` is odd, or if it is the odd last one (`fn == sn`), which then
    moves up until it has a neighbour on its left.

    Raises:
        MalformedInput: a hash is not 32 bytes, or the log of this size has no such index.
        ProofDoesNotHold: the proof has not the length that index and size demand.
    """
    _require_index(index, tree_size)
    require_hash(leaf_hash, name="leaf hash")
    fn, sn = index, tree_size - 1
    computed = leaf_hash
    for sibling in proof:
        require_hash(sibling, name="hash of the inclusion proof")
        if sn == 0:
            raise ProofDoesNotHold(f"inclusion of index {index} in size {tree_size}: the proof is too long")
        if fn % 2 or fn == sn:
            computed = node_hash(sibling, computed)
            while fn % 2 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofDoesNotHold(f"inclusion of index {index} in size {tree_size}: the proof is too short")
    return computed


def _require_index(index: int, tree_size: int) -> None:
    if not 0 <= index < tree_size:
        raise MalformedInput(f"index: expected 0 to {tree_size - 1} at tree size {tree_size}, found {index}")


# --- does it continue the older one? --------------------------------------------------------------------


def consistency_proof(*, old_size: int, new_size: int, read: SubtreeReader) -> list[bytes]:
    """Which hashes show that the log of `new_size` begins with the log of `old_size`?

    RFC 9162 section 2.1.4.1 (PROOF, SUBPROOF): going down towards the end of the old tree, at each fork the
    side not taken is noted. Where the walk ends, the old tree's last complete subtree is noted too, unless
    it is the whole old tree (then the checker has it: it is the old root). Equal sizes need no hashes.

    Raises:
        MalformedInput: the sizes are not 0 < old <= new. Everything continues the empty log; there is
            nothing to prove.
    """
    _require_sizes(old_size, new_size)
    start, end = 0, new_size
    proof = []
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            proof.append(_range_root(middle, end, read))
            end = middle
        else:
            proof.append(_range_root(start, middle, read))
            start = middle
    if start:
        proof.append(_range_root(start, end, read))
    proof.reverse()
    return proof


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Does the log with `new_root` begin with all entries of the log with `old_root`?

    RFC 9162 section 2.1.4.2: both roots are computed from the same hashes, the old one only from those on
    the left. Nothing was then changed, removed or inserted before `old_size`.

    Raises:
        MalformedInput: a hash is not 32 bytes, or the sizes are not 0 < old <= new.
        ProofDoesNotHold: the hashes lead to another old or new root, or the proof has another length.
    """
    _require_sizes(old_size, new_size)
    require_hash(old_root, name="old root hash")
    require_hash(new_root, name="new root hash")
    for value in proof:
        require_hash(value, name="hash of the consistency proof")
    what = f"consistency of size {old_size} with size {new_size}"
    if old_size == new_size:
        if proof:
            raise ProofDoesNotHold(f"{what}: expected no hashes, found {len(proof)}")
        computed_old, computed_new = new_root, old_root
    else:
        computed_old, computed_new = _roots_from_consistency_proof(
            old_size=old_size, new_size=new_size, old_root=old_root, proof=proof
        )
    if computed_old != old_root:
        raise ProofDoesNotHold(f"{what}: expected old root {old_root.hex()}, found {computed_old.hex()}")
    if computed_new != new_root:
        raise ProofDoesNotHold(f"{what}: expected new root {new_root.hex()}, found {computed_new.hex()}")


def _roots_from_consistency_proof(
    *, old_size: int, new_size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """To which old and new root does this proof lead? Steps 1 to 6 of RFC 9162 section 2.1.4.2."""
    what = f"consistency of size {old_size} with size {new_size}"
    if not proof:
        raise ProofDoesNotHold(f"{what}: the proof is empty")
    # A power of two: the old tree is one complete subtree, and the proof starts from its root.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    fn, sn = old_size - 1, new_size - 1
    while fn % 2:
        fn, sn = fn >> 1, sn >> 1
    computed_old = computed_new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise ProofDoesNotHold(f"{what}: the proof is too long")
        if fn % 2 or fn == sn:
            computed_old = node_hash(sibling, computed_old)
            computed_new = node_hash(sibling, computed_new)
            while fn % 2 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed_new = node_hash(computed_new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofDoesNotHold(f"{what}: the proof is too short")
    return computed_old, computed_new


def _require_sizes(old_size: int, new_size: int) -> None:
    if not 0 < old_size <= new_size:
        raise MalformedInput(f"tree sizes: expected 0 < old <= new, found old {old_size} and new {new_size}")
