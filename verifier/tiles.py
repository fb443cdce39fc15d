"""In which file does which hash of the log stand?

https://c2sp.org/tlog-tiles v0.1.0. Tile `index` of level L holds up to 256 hashes; its hash number i is that
of complete subtree `index * 256 + i` of 256**L leaves. Full tiles never change; the last one of a level is
*partial* (its width under 256) until its leaves have come. Only what is in a tile is ever hashed: a partial
tile is not hashed upwards. An entry bundle is the tile of the entries themselves.

    tile/0/x001/x234/067          the full tile 1,234,067 of level 0
    tile/1/000.p/17               17 hashes of tile 0 of level 1
    tile/entries/003.p/5          5 entries of bundle 3
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.encoding import MAX_SIZE
from verifier.errors import MalformedInput
from verifier.hashing import HASH_BYTES
from verifier.tree import SubtreeReader, root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TILE_WIDTH = 256
TILE_HEIGHT = 8  # 2**8 == TILE_WIDTH: the levels of the tree that one tile spans
MAX_LEVEL = 63


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes: `width` of them, 256 if it is full."""

    level: int
    index: int
    width: int = TILE_WIDTH


@dataclass(frozen=True, slots=True)
class BundleCoordinates:
    """An entry bundle: `width` entries from entry `index * 256` on."""

    index: int
    width: int = TILE_WIDTH


# --- paths ----------------------------------------------------------------------------------------------

_PATH = re.compile(
    r"tile/(?:(?P<level>0|[1-9][0-9]?)|entries)"
    r"/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


def tile_path(tile: Tile) -> str:
    """Where does this tile stand below the log's prefix (tlog-tiles, "Merkle Tree")?

    Raises:
        ValueError: no such tile can be; whoever asks computed wrongly.
    """
    if not 0 <= tile.level <= MAX_LEVEL:
        raise ValueError(f"tile level: expected 0 to {MAX_LEVEL}, found {tile.level}")
    return f"tile/{tile.level}/{_index_path(tile.index)}{_width_suffix(tile.width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Where does this entry bundle stand below the log's prefix (tlog-tiles, "Log Entries")?

    Raises:
        ValueError: no such bundle can be; whoever asks computed wrongly.
    """
    return f"tile/entries/{_index_path(index)}{_width_suffix(width)}"


def parse_path(path: str) -> Tile | BundleCoordinates:
    """Which tile or entry bundle does this path name? Serve from the answer, never from the path's text.

    Raises:
        MalformedInput: the path is not exactly as `tile_path` or `bundle_path` would write it.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise MalformedInput("tile path: expected tile/<level>/<index>[.p/<width>]")
    index = int(match["index"].replace("x", "").replace("/", ""))
    level = 0 if match["level"] is None else int(match["level"])
    width = TILE_WIDTH if match["width"] is None else int(match["width"])
    if level > MAX_LEVEL or index > MAX_SIZE >> TILE_HEIGHT:
        raise MalformedInput("tile path: no log has such a level or index")
    if match["width"] is not None and width >= TILE_WIDTH:
        raise MalformedInput(f"tile path: expected a partial width of 1 to {TILE_WIDTH - 1}, found {width}")
    if _index_path(index) != match["index"]:  # leading groups of zeros
        raise MalformedInput("tile path: the index has leading zeros")
    return BundleCoordinates(index, width) if match["level"] is None else Tile(level, index, width)


def _index_path(index: int) -> str:
    if index < 0:
        raise ValueError(f"tile index: expected 0 or more, found {index}")
    path = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03d}/{path}"
    return path


def _width_suffix(width: int) -> str:
    if not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"tile width: expected 1 to {TILE_WIDTH}, found {width}")
    return "" if width == TILE_WIDTH else f".p/{width}"


# --- what is published when the log grows ---------------------------------------------------------------


def tiles_for_size(old_size: int, new_size: int) -> Iterator[Tile]:
    """Which tiles are new when the published size moves from `old_size` to `new_size`?

    On each level: every tile that became full, then the partial one at the end if it became wider. Together
    with what was written before, all tiles of a log of `new_size` then exist.
    """
    level = 0
    while new_size >> (TILE_HEIGHT * level):
        for index, width in _new_widths(old_size >> (TILE_HEIGHT * level), new_size >> (TILE_HEIGHT * level)):
            yield Tile(level, index, width)
        level += 1


def bundles_for_size(old_size: int, new_size: int) -> Iterator[BundleCoordinates]:
    """Which entry bundles are new when the published size moves? The same as the tiles of level 0."""
    for index, width in _new_widths(old_size, new_size):
        yield BundleCoordinates(index, width)


def _new_widths(old_count: int, new_count: int) -> Iterator[tuple[int, int]]:
    for index in range(old_count // TILE_WIDTH, new_count // TILE_WIDTH):
        yield index, TILE_WIDTH
    width = new_count % TILE_WIDTH
    if width and new_count > old_count:
        yield new_count // TILE_WIDTH, width


def tile_bytes(tile: Tile, read: SubtreeReader) -> bytes:
    """What stands in this tile? Its hashes one after another."""
    first = tile.index * TILE_WIDTH
    level = tile.level * TILE_HEIGHT
    return b"".join([read(level, first + i) for i in range(tile.width)])


# --- reading the tree from its tiles --------------------------------------------------------------------


def subtree_reader_from_tiles(fetch: Callable[[Tile], bytes], tree_size: int) -> SubtreeReader:
    """How are roots and proofs made from published tiles alone?

    `fetch` gives the bytes of a tile that a log of `tree_size` has; it is asked once for each. Nothing it
    says is trusted beyond its length: a root made with this reader is compared with the checkpoint, a proof
    is verified against it, and any wrong hash fails there.

    Raises:
        MalformedInput: a tile has another length than its width demands.
        LookupError: (both from the reader) the log is not that long; whoever asks computed wrongly.
    """
    kept: dict[Tile, bytes] = {}

    def read(level: int, index: int) -> bytes:
        if level < 0 or index < 0 or (index + 1) << level > tree_size:
            raise LookupError(f"no complete subtree {index} on level {level} at size {tree_size}")
        # A subtree between two tile levels is the root over a run of hashes of one tile.
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        tile_index, offset = divmod(first, TILE_WIDTH)
        available = (tree_size >> (tile_level * TILE_HEIGHT)) - tile_index * TILE_WIDTH
        tile = Tile(tile_level, tile_index, min(TILE_WIDTH, available))
        data = kept.get(tile)
        if data is None:
            data = fetch(tile)
            if len(data) != tile.width * HASH_BYTES:
                raise MalformedInput(f"{tile_path(tile)}: expected {tile.width * HASH_BYTES} bytes, found {len(data)}")
            kept[tile] = data
        start, stop = offset * HASH_BYTES, (offset + (1 << height)) * HASH_BYTES
        return root_of_leaf_hashes([data[i : i + HASH_BYTES] for i in range(start, stop, HASH_BYTES)])

    return read
