"""Provers of closed trees that are wrong on purpose: in their root, or in their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.closed_trees import MerklelibTree

if TYPE_CHECKING:
    from collections.abc import Sequence


class WrongRoot(MerklelibTree):
    @property
    def root(self) -> bytes:
        return bytes([super().root[0] ^ 1]) + super().root[1:]


class RootOfOtherOrder(MerklelibTree):
    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        super().__init__([*leaf_hashes[1:], leaf_hashes[0]])


class LeavesOneOut(MerklelibTree):
    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        super().__init__(leaf_hashes[:-1])


class AddsOneTwice(MerklelibTree):
    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        super().__init__([*leaf_hashes, leaf_hashes[0]])


class NeighboursPath(MerklelibTree):
    def path(self, index: int) -> list[bytes]:
        return super().path(index ^ 1)


class InnerNodesPath(MerklelibTree):
    """The path of the leaf's parent: what makes an inner node pass for a leaf where nobody counts hashes."""

    def path(self, index: int) -> list[bytes]:
        return super().path(index)[1:]


class LongerPath(MerklelibTree):
    def path(self, index: int) -> list[bytes]:
        return [*super().path(index), b"\0" * 32]


class ShortHashes(MerklelibTree):
    def path(self, index: int) -> list[bytes]:
        return [value[:31] for value in super().path(index)]


WRONG_ROOTS: tuple[type[MerklelibTree], ...] = (WrongRoot, RootOfOtherOrder, LeavesOneOut, AddsOneTwice)
WRONG_PATHS: tuple[type[MerklelibTree], ...] = (NeighboursPath, InnerNodesPath, LongerPath, ShortHashes)
