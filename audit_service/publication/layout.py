"""Where does each public file stand on disk?

The layout is C2SP tlog-tiles below `public/log/`, so that the folder can be served by any static file server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.tiles import bundle_path, tile_path

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.tiles import Tile


class PublicFiles:
    """The public folder of one log; paths are built from integers only, never from a request's text."""

    def __init__(self, public: Path) -> None:
        self.log = public / "log"

    @property
    def checkpoint(self) -> Path:
        """The newest published checkpoint."""
        return self.log / "checkpoint"

    def tile(self, tile: Tile) -> Path:
        """A tile of hashes."""
        return self.log / tile_path(tile)

    def bundle(self, index: int, width: int) -> Path:
        """An entry bundle."""
        return self.log / bundle_path(index, width)
