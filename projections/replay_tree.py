"""Is every byte that a log serves below its checkpoint: entries, leaf hashes, tiles, root?

Bundle by bundle from the first entry on, with one open tile per level in memory. What is computed from the
entries is compared with what the log serves at every place where the two meet:

1. The leaf hashes of a bundle's entries are the hashes of its level-0 tile.
2. The root over a full tile is the hash that its parent holds; so level by level.
3. The root over everything is the checkpoint's.

Where two disagree, the hash above them says which one was changed; at the right edge, where no parent
vouches yet, the checkpoint's root does. The walk then goes on with the side that is vouched for, so that one
changed byte is one violation, at its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from projections.log_source import LogSource, LogSourceError, ResourceMissing, ResourceUnacceptable
from projections.read_ahead import read_ahead
from verifier.bundles import decode_bundle
from verifier.errors import MalformedInput
from verifier.hashing import EMPTY_ROOT, HASH_BYTES, LEAF_PREFIX
from verifier.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    BundleCoordinates,
    Tile,
    bundle_path,
    bundles_for_size,
    tile_path,
)
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.replay_verdict import Findings
    from verifier.checkpoints import Checkpoint

_Served = bytes | LogSourceError


@dataclass(frozen=True)
class _Doubt:
    """A partial tile at the right edge that disagrees with what was computed from below it."""

    tile: Tile
    computed: list[bytes]
    served: list[bytes]


class TreeWalk:
    """One walk over all entries of a log of a given checkpoint.

    Args:
        source: where bundles and tiles are read.
        checkpoint: the size to walk to and the root to arrive at.
        findings: where violations go.
        workers: how many threads read ahead; 0 for files.
    """

    def __init__(self, source: LogSource, checkpoint: Checkpoint, findings: Findings, *, workers: int = 0) -> None:
        self._source = source
        self._size = checkpoint.tree_size
        self._root = checkpoint.root_hash
        self._findings = findings
        self._workers = workers
        # _rows[l] holds the hashes of the tile of level l that is not complete yet.
        self._rows: list[list[bytes]] = []
        self._doubts: list[_Doubt] = []
        self._content_readable = True

    def bundles(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the entries of each bundle with the index of the first; all checks are made on the way.

        After a bundle that cannot be read no more entries are yielded, since what they mean depends on those
        before; their hashes are checked to the end nevertheless.

        Raises:
            SourceUnreachable: the source stops answering.
        """
        jobs = bundles_for_size(0, self._size)
        for bundle, (data, hashes) in read_ahead(jobs, self._fetch, workers=self._workers):
            first = bundle.index * TILE_WIDTH
            entries = self._decode(bundle, data)
            served = self._bytes_of(hashes)
            if entries is None and served is None:
                self._findings.content_ends_at = first
                self._findings.violate(
                    "tree", f"entry {first}", f"the log ends here; its checkpoint says {self._size}", index=first
                )
                return
            leaf_hashes = self._compare_bundle(bundle, entries, served)
            if bundle.width == TILE_WIDTH:
                self._push(1, bundle.index, root_of_leaf_hashes(leaf_hashes))
            else:
                self._row(0).extend(leaf_hashes)
            if entries is None and self._content_readable:
                self._content_readable = False
                self._findings.content_ends_at = first
            if entries is not None and self._content_readable:
                yield first, entries
        self._compare_right_edge()

    # --- reading ----------------------------------------------------------------------------------------

    def _fetch(self, bundle: BundleCoordinates) -> tuple[_Served, _Served]:
        data: _Served
        hashes: _Served
        try:
            data = self._source.fetch_bundle(bundle.index, bundle.width)
        except (ResourceMissing, ResourceUnacceptable) as error:
            data = error
        try:
            hashes = self._source.fetch_tile(Tile(0, bundle.index, bundle.width))
        except (ResourceMissing, ResourceUnacceptable) as error:
            hashes = error
        return data, hashes

    def _decode(self, bundle: BundleCoordinates, data: _Served) -> list[bytes] | None:
        if isinstance(data, LogSourceError):
            self._violate_resource(data)
            return None
        try:
            return decode_bundle(data, expected=bundle.width)
        except MalformedInput as error:
            self._findings.violate("tree", bundle_path(bundle.index, bundle.width), str(error))
            return None

    def _bytes_of(self, hashes: _Served) -> bytes | None:
        if isinstance(hashes, LogSourceError):
            self._violate_resource(hashes)
            return None
        return hashes

    def _fetch_tile(self, tile: Tile) -> list[bytes] | None:
        try:
            return _hashes_of(self._source.fetch_tile(tile))
        except (ResourceMissing, ResourceUnacceptable) as error:
            self._violate_resource(error)
            return None

    def _violate_resource(self, error: LogSourceError) -> None:
        message = str(error).removeprefix(f"{error.resource}: ")
        self._findings.violate("tree", error.resource, message)

    # --- comparing --------------------------------------------------------------------------------------

    def _compare_bundle(
        self, bundle: BundleCoordinates, entries: list[bytes] | None, served: bytes | None
    ) -> list[bytes]:
        """The leaf hashes to go on with: step 1."""
        self._findings.examine("tree", bundle.width)
        if entries is None:
            return _hashes_of(served or b"")
        digest, prefix = sha256, LEAF_PREFIX
        computed = [digest(prefix + entry).digest() for entry in entries]
        if served is None or b"".join(computed) == served:
            return computed
        return self._judge(Tile(0, bundle.index, bundle.width), computed, _hashes_of(served))

    def _push(self, level: int, index: int, subtree: bytes) -> None:
        """Add the hash of a full tile to the row above it; a row that is full is compared and pushed: step 2."""
        row = self._row(level)
        row.append(subtree)
        if len(row) < TILE_WIDTH:
            return
        tile = Tile(level, index // TILE_WIDTH)
        served = self._fetch_tile(tile)
        chosen = row if served is None or served == row else self._judge(tile, row, served)
        self._rows[level] = []
        self._push(level + 1, tile.index, root_of_leaf_hashes(chosen))

    def _row(self, level: int) -> list[bytes]:
        while len(self._rows) <= level:
            self._rows.append([])
        return self._rows[level]

    def _judge(self, tile: Tile, computed: list[bytes], served: list[bytes]) -> list[bytes]:
        """Which of two disagreeing rows was changed? Violations name it; the other one is returned."""
        if tile.width < TILE_WIDTH:
            self._doubts.append(_Doubt(tile, computed, served))
            return computed
        parent = self._hash_above(tile)
        if parent == root_of_leaf_hashes(served):
            self._violate_below(tile, computed, served)
            return served
        self._violate_tile(tile, computed, served)
        if parent is not None and parent != root_of_leaf_hashes(computed):
            self._violate_below(tile, computed, served)
        return computed

    def _hash_above(self, tile: Tile) -> bytes | None:
        level = tile.level + 1
        index, number = divmod(tile.index, TILE_WIDTH)
        width = min(TILE_WIDTH, (self._size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH)
        try:
            hashes = self._source.fetch_tile(Tile(level, index, width))
        except (ResourceMissing, ResourceUnacceptable):
            return None  # reported when its own turn comes
        return hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES]

    def _violate_tile(self, tile: Tile, computed: list[bytes], served: list[bytes]) -> None:
        number = _first_difference(computed, served)
        self._findings.violate(
            "tree",
            tile_path(tile),
            f"its hash of {_span(tile, number)} is not what the entries give: "
            f"expected {computed[number].hex()}, found {served[number].hex()}",
        )

    def _violate_below(self, tile: Tile, computed: list[bytes], served: list[bytes]) -> None:
        for number, (found, expected) in enumerate(zip(computed, served, strict=True)):
            if found == expected:
                continue
            index = tile.index * TILE_WIDTH + number
            if tile.level == 0:
                self._findings.violate(
                    "tree",
                    f"entry {index} in {bundle_path(tile.index, tile.width)}",
                    f"is not what the log committed to: expected leaf hash {expected.hex()}, found {found.hex()}",
                    index=index,
                )
            else:
                self._findings.violate(
                    "tree",
                    tile_path(Tile(tile.level - 1, index)),
                    f"it and what is below it are not what the log committed to: {tile_path(tile)} says "
                    f"{expected.hex()} for {_span(tile, number)}, found {found.hex()}",
                )

    def _compare_right_edge(self) -> None:
        """Step 3, and the partial tiles, for which only the root can vouch."""
        for level, row in enumerate(self._rows):
            if level and row:
                tile = Tile(level, self._size >> (TILE_HEIGHT * (level + 1)), len(row))
                served = self._fetch_tile(tile)
                if served is not None and served != row:
                    self._doubts.append(_Doubt(tile, row, served))
        if not self._size:
            self._findings.examine("tree")  # the root of nothing
        computed = self._root_with({})
        with_served = self._root_with({doubt.tile.level: doubt.served for doubt in self._doubts})
        for doubt in self._doubts:
            if self._root != with_served:
                self._violate_tile(doubt.tile, doubt.computed, doubt.served)
            if self._root != computed:
                self._violate_below(doubt.tile, doubt.computed, doubt.served)
        if self._root not in (computed, with_served):
            self._findings.violate(
                "tree",
                "checkpoint",
                f"root of size {self._size}: the checkpoint says {self._root.hex()}, the entries give {computed.hex()}",
            )

    def _root_with(self, instead: dict[int, list[bytes]]) -> bytes:
        """The root over the open rows; `instead` replaces rows by level.

        From the lowest level up: what is right of the last complete subtree of a level is one more node
        behind that level's complete ones (RFC 6962 section 2.1: the split is at complete subtrees first).
        """
        root: bytes | None = None
        for level, row in enumerate(self._rows):
            nodes = [*instead.get(level, row), *([] if root is None else [root])]
            if nodes:
                root = root_of_leaf_hashes(nodes)
        return EMPTY_ROOT if root is None else root


def _hashes_of(data: bytes) -> list[bytes]:
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def _first_difference(one: list[bytes], other: list[bytes]) -> int:
    return next(number for number, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])


def _span(tile: Tile, number: int) -> str:
    """Which entries lie below one hash of a tile?"""
    leaves = TILE_WIDTH**tile.level
    first = (tile.index * TILE_WIDTH + number) * leaves
    return f"entry {first}" if leaves == 1 else f"entries {first} to {first + leaves - 1}"
