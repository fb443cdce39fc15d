"""Do the right edge and the subtree hashes stay the same tree, however it grows?"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import trees
from verifier.errors import MalformedInput
from verifier.right_edge import RightEdge
from verifier.subtrees import SubtreeHashes

LARGEST = 130
LEAVES = trees.leaf_hashes(LARGEST)
ROOTS = [trees.root(LEAVES[:size]) for size in range(LARGEST + 1)]

chunks = st.lists(st.integers(0, 70), max_size=12)


def test_appending_one_by_one_gives_every_root() -> None:
    edge = RightEdge()
    for size, leaf in enumerate(LEAVES):
        assert (edge.size, edge.root()) == (size, ROOTS[size])
        edge.append(leaf)
    assert (edge.size, edge.root()) == (LARGEST, ROOTS[LARGEST])


def test_extending_at_every_place_gives_the_same_edge_and_subtrees() -> None:
    for size in range(66):
        whole = RightEdge()
        whole.extend(LEAVES[:size])
        for first in range(size + 1):
            edge, subtrees = RightEdge(), SubtreeHashes()
            for part in (LEAVES[:first], LEAVES[first:size]):
                edge.extend(part)
                subtrees.extend(part)
            assert edge.to_bytes() == whole.to_bytes(), (first, size)
            assert (edge.size, edge.root(), subtrees.root()) == (size, ROOTS[size], ROOTS[size])


def test_an_edge_read_back_goes_on_as_before() -> None:
    for size in range(LARGEST):
        edge = RightEdge()
        edge.extend(LEAVES[:size])
        data = edge.to_bytes()
        assert len(data) == 32 * size.bit_count()
        again = RightEdge.from_bytes(size, data)
        assert (again.size, again.root(), again.to_bytes()) == (size, ROOTS[size], data)
        again.append(LEAVES[size])
        assert again.root() == ROOTS[size + 1]
        again.extend(LEAVES[size + 1 :])
        assert again.root() == ROOTS[LARGEST]
        assert edge.root() == ROOTS[size]


@pytest.mark.parametrize(
    ("size", "length"), [(0, 32), (1, 0), (1, 31), (1, 33), (3, 32), (3, 96), (4, 64), (-1, 0), (-3, 64)]
)
def test_an_edge_of_another_length_is_refused(size: int, length: int) -> None:
    with pytest.raises(MalformedInput):
        RightEdge.from_bytes(size, b"\x00" * length)


def test_a_copy_grows_on_its_own() -> None:
    edge = RightEdge()
    edge.extend(LEAVES[:7])
    copied = edge.copy()
    copied.append(LEAVES[7])
    assert (edge.size, edge.root()) == (7, ROOTS[7])
    assert (copied.size, copied.root()) == (8, ROOTS[8])


@pytest.mark.parametrize("bad", [b"", b"\x00" * 31, b"\x00" * 33])
def test_what_is_no_hash_is_refused_and_nothing_changes(bad: bytes) -> None:
    edge, subtrees = RightEdge(), SubtreeHashes(LEAVES[:3])
    edge.extend(LEAVES[:3])
    with pytest.raises(MalformedInput):
        edge.append(bad)
    with pytest.raises(MalformedInput):
        edge.extend([LEAVES[3], bad])
    with pytest.raises(MalformedInput):
        subtrees.extend([LEAVES[3], bad])
    assert (edge.size, edge.root()) == (subtrees.size, subtrees.root()) == (3, ROOTS[3])


@settings(deadline=None)
@given(chunks)
def test_growing_in_any_chunks_gives_the_same_tree(sizes: list[int]) -> None:
    leaves = trees.leaf_hashes(sum(sizes))
    edge, subtrees, done = RightEdge(), SubtreeHashes(), 0
    for size in sizes:
        edge.extend(iter(leaves[done : done + size]))
        subtrees.extend(iter(leaves[done : done + size]))
        done += size
    assert edge.size == subtrees.size == len(leaves)
    assert edge.root() == subtrees.root() == trees.root(leaves)


@settings(deadline=None)
@given(st.integers(0, LARGEST), st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_truncating_and_growing_again_gives_the_same_tree(size: int, kept: int, regrown: int) -> None:
    kept, regrown = min(kept, size), max(min(kept, size), regrown)
    subtrees = SubtreeHashes(LEAVES[:size])
    subtrees.truncate(kept)
    assert (subtrees.size, subtrees.root()) == (kept, ROOTS[kept])
    subtrees.extend(LEAVES[kept:regrown])
    assert (subtrees.size, subtrees.root()) == (regrown, ROOTS[regrown])
    for older in range(regrown + 1):
        assert subtrees.root(older) == ROOTS[older]


@pytest.mark.parametrize("size", [-1, 8])
def test_a_size_that_the_log_has_not_cannot_be_truncated_to(size: int) -> None:
    with pytest.raises(ValueError, match="truncate"):
        SubtreeHashes(LEAVES[:7]).truncate(size)


@pytest.mark.parametrize(("level", "index"), [(0, 7), (1, 3), (2, 1), (3, 0), (9, 0), (-1, 0), (0, -1)])
def test_a_subtree_that_is_not_complete_cannot_be_read(level: int, index: int) -> None:
    with pytest.raises(LookupError):
        SubtreeHashes(LEAVES[:7]).read(level, index)
