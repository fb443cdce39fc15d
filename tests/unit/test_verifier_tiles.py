"""Which texts are tile paths?"""

from __future__ import annotations

import pytest

from verifier.errors import MalformedInput
from verifier.tiles import BundleCoordinates, Tile, bundle_path, parse_path, tile_path

PATHS = [
    ("tile/0/000", Tile(0, 0)),
    ("tile/0/005", Tile(0, 5)),
    ("tile/0/999", Tile(0, 999)),
    ("tile/0/x001/000", Tile(0, 1000)),
    ("tile/0/x001/x234/067", Tile(0, 1_234_067)),
    ("tile/0/x001/234.p/5", Tile(0, 1234, 5)),
    ("tile/1/000.p/1", Tile(1, 0, 1)),
    ("tile/63/000.p/255", Tile(63, 0, 255)),
    ("tile/entries/273.p/112", BundleCoordinates(273, 112)),
    ("tile/entries/x001/x234/067", BundleCoordinates(1_234_067)),
]


@pytest.mark.parametrize(("path", "named"), PATHS)
def test_a_path_and_what_it_names(path: str, named: Tile | BundleCoordinates) -> None:
    assert parse_path(path) == named
    assert (tile_path(named) if isinstance(named, Tile) else bundle_path(named.index, named.width)) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/0/000\n",
        "tile/0/000\r",
        "tile/0/000 ",
        " tile/0/000",
        "Tile/0/000",
        "tile/00/000",  # leading zero of a level
        "tile/01/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/١/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/٠٠٠",
        "tile/0/x000/001",  # 001 has no thousands
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/X001/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/05",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/1000",
        "tile/0/000.p/+5",
        "tile/0/000.p/-5",
        "tile/0/000.p/5\n",
        "tile/0/000.p/٥",
        "tile/0/000.P/5",
        "tile/0/000%2ep/5",
        "tile/0/%30%30%30",
        "tile%2f0%2f000",
        "tile/../checkpoint",
        "tile/0/../../checkpoint",
        "tile/0/x001/../000",
        "tile/0/000\u0000",
        "tile/0/000?x",
        "tile/0/000#x",
        "tile\\0\\000",
        "tile/entries",
        "tile/entries/0/000",
        "tile/Entries/000",
        "tile/data/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",  # beyond any log
        "tile/0/" + "x001/" * 10_000 + "000",
        "checkpoint",
    ],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(MalformedInput, match="tile path"):
        parse_path(path)


@pytest.mark.parametrize("tile", [Tile(-1, 0), Tile(64, 0), Tile(0, -1), Tile(0, 0, 0), Tile(0, 0, 257)])
def test_no_path_is_made_for_a_tile_that_cannot_be(tile: Tile) -> None:
    with pytest.raises(ValueError, match="tile"):
        tile_path(tile)


@pytest.mark.parametrize(("index", "width"), [(-1, 256), (0, 0), (0, 257), (0, -5)])
def test_no_path_is_made_for_a_bundle_that_cannot_be(index: int, width: int) -> None:
    with pytest.raises(ValueError, match="tile"):
        bundle_path(index, width)
