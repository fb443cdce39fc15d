"""What is the tree by its definition, word for word? Slow, recursive, and independent of `verifier.tree`.

RFC 6962 sections 2.1, 2.1.1 and 2.1.2, on lists of leaf hashes.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256

Hashes = tuple[bytes, ...]


def leaf_hashes(count: int) -> Hashes:
    """The leaf hashes of `count` entries: b"entry 0", b"entry 1" and so on."""
    return tuple(sha256(b"\x00entry %d" % i).digest() for i in range(count))


@cache
def root(leaves: Hashes) -> bytes:
    """MTH(D[n])."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(m: int, leaves: Hashes) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def consistency(m: int, leaves: Hashes) -> list[bytes]:
    """PROOF(m, D[n])."""
    return _subproof(m, leaves, known=True)


def _subproof(m: int, leaves: Hashes, *, known: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], known=known), root(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], known=False), root(leaves[:k])]


def _split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k
