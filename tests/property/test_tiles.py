"""Are published tiles the whole tree, at every size that was published?"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import trees
from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import HASH_BYTES
from verifier.subtrees import SubtreeHashes
from verifier.tiles import (
    MAX_LEVEL,
    TILE_WIDTH,
    BundleCoordinates,
    Tile,
    bundle_path,
    bundles_for_size,
    parse_path,
    subtree_reader_from_tiles,
    tile_bytes,
    tile_path,
    tiles_for_size,
)
from verifier.tree import (
    compute_root,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)

LARGE = 70_000
TREE = SubtreeHashes(trees.leaf_hashes(LARGE))


def _publish(sizes: list[int]) -> dict[str, bytes]:
    """The files of a log that published these sizes one after another."""
    files: dict[str, bytes] = {}
    published = 0
    for size in sizes:
        for tile in tiles_for_size(published, size):
            path = tile_path(tile)
            assert path not in files, "a tile is written once"
            files[path] = tile_bytes(tile, TREE.read)
        published = size
    return files


def test_size_256_is_one_full_tile_and_its_hash() -> None:
    assert list(tiles_for_size(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert [tile_path(tile) for tile in tiles_for_size(0, 256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(bundles_for_size(0, 256)) == [BundleCoordinates(0)]


def test_size_70000() -> None:
    tiles = list(tiles_for_size(0, 70_000))
    assert tiles[:273] == [Tile(0, index) for index in range(273)]
    assert [tile_path(tile) for tile in tiles[273:]] == [
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [bundle_path(bundle.index, bundle.width) for bundle in bundles_for_size(69_700, 70_000)] == [
        "tile/entries/272",
        "tile/entries/273.p/112",
    ]


def test_what_moves_from_one_published_size_to_the_next() -> None:
    assert list(tiles_for_size(0, 0)) == list(tiles_for_size(300, 300)) == []
    assert list(tiles_for_size(255, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_for_size(256, 257)) == [Tile(0, 1, 1)]
    assert list(tiles_for_size(257, 300)) == [Tile(0, 1, 44)]
    assert list(tiles_for_size(300, 512)) == [Tile(0, 1), Tile(1, 0, 2)]
    assert list(tiles_for_size(65_535, 65_536)) == [Tile(0, 255), Tile(1, 0), Tile(2, 0, 1)]


def test_every_hash_of_a_tile_is_the_root_of_its_entries() -> None:
    leaves = trees.leaf_hashes(600)
    for tile in tiles_for_size(0, 600):
        data = tile_bytes(tile, TREE.read)
        assert len(data) == HASH_BYTES * tile.width
        for i in range(tile.width):
            start, stop = ((tile.index * 256 + j) * 256**tile.level for j in (i, i + 1))
            assert data[32 * i : 32 * i + 32] == trees.root(leaves[start:stop])


def test_every_published_size_of_a_growing_log_stays_readable() -> None:
    """Roots, inclusion and consistency from the files alone, also of older sizes."""
    chance = random.Random(7)
    sizes = sorted(chance.sample(range(1, 1500), 40))
    files = _publish(sizes)
    older = sizes[0]
    for size in sizes:
        read = subtree_reader_from_tiles(lambda tile: files[tile_path(tile)], size)
        root = compute_root(size, read)
        assert root == TREE.root(size)
        for index in {0, size - 1, *(chance.randrange(size) for _ in range(5))}:
            proof = inclusion_proof(index, tree_size=size, read=read)
            assert proof == inclusion_proof(index, tree_size=size, read=TREE.read)
            verify_inclusion(TREE.read(0, index), index=index, tree_size=size, proof=proof, root=root)
        proof = consistency_proof(old_size=older, new_size=size, read=read)
        verify_consistency(old_size=older, new_size=size, old_root=TREE.root(older), new_root=root, proof=proof)
        older = size


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 70_000])
def test_the_reader_of_tiles_gives_every_subtree(size: int) -> None:
    chance = random.Random(size)
    read = subtree_reader_from_tiles(lambda tile: tile_bytes(tile, TREE.read), size)
    for level in range(size.bit_length()):
        count = size >> level
        for index in {0, count - 1, *(chance.randrange(count) for _ in range(20))}:
            assert read(level, index) == TREE.read(level, index), (level, index)
        with pytest.raises(LookupError):
            read(level, count)


def test_the_reader_asks_for_no_tile_that_the_size_has_not() -> None:
    """A partial tile has the width of this size; each is fetched once."""
    for size in (1, 255, 256, 257, 700, 70_000):
        allowed = set(tiles_for_size(0, size))
        asked: list[Tile] = []

        def fetch(tile: Tile, asked: list[Tile] = asked) -> bytes:
            asked.append(tile)
            return tile_bytes(tile, TREE.read)

        read = subtree_reader_from_tiles(fetch, size)
        compute_root(size, read)
        for index in {0, size // 2, size - 1}:
            inclusion_proof(index, tree_size=size, read=read)
        assert set(asked) <= allowed
        assert len(asked) == len(set(asked))


@pytest.mark.parametrize("change", [-32, -1, 1, 32])
def test_a_tile_of_another_length_is_refused(change: int) -> None:
    def fetch(tile: Tile) -> bytes:
        data = tile_bytes(tile, TREE.read)
        return data[:change] if change < 0 else data + b"\x00" * change

    with pytest.raises(MalformedInput, match=r"tile/0/000\.p/200"):
        compute_root(200, subtree_reader_from_tiles(fetch, 200))


def test_a_changed_hash_in_any_tile_of_a_proof_fails() -> None:
    """The reader trusts no tile; the proof does not hold."""
    size, index = 700, 300
    root = TREE.root(size)
    used: list[Tile] = []

    def fetch_and_note(tile: Tile) -> bytes:
        used.append(tile)
        return tile_bytes(tile, TREE.read)

    inclusion_proof(index, tree_size=size, read=subtree_reader_from_tiles(fetch_and_note, size))
    for changed in used:

        def fetch(tile: Tile, changed: Tile = changed) -> bytes:
            data = tile_bytes(tile, TREE.read)
            return bytes(byte ^ 1 for byte in data) if tile == changed else data

        read = subtree_reader_from_tiles(fetch, size)
        proof = inclusion_proof(index, tree_size=size, read=read)
        with pytest.raises(ProofDoesNotHold):
            verify_inclusion(TREE.read(0, index), index=index, tree_size=size, proof=proof, root=root)


@given(
    st.integers(0, MAX_LEVEL),
    st.integers(0, 2**55 - 1) | st.integers(0, 2000),
    st.integers(1, TILE_WIDTH),
)
def test_every_path_is_read_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile_path(tile)) == tile
    assert parse_path(bundle_path(index, width)) == BundleCoordinates(index, width)


@settings(max_examples=300)
@given(st.from_regex(r"tile/(entries|[0-9]{1,3})/(x[0-9]{3}/){0,8}[0-9]{3}(\.p/[0-9]{1,4})?", fullmatch=True))
def test_a_path_has_one_spelling(path: str) -> None:
    try:
        named = parse_path(path)
    except MalformedInput:
        return
    again = tile_path(named) if isinstance(named, Tile) else bundle_path(named.index, named.width)
    assert again == path
