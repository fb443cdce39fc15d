"""How does anybody copy a log so that every byte of the copy stands below its signed checkpoint?

The steps, which the code follows. Nothing is put in place before it is checked, and the checkpoint comes
last: a mirror that has a checkpoint is whole, and one that was interrupted goes on where it stopped.

1. Fetch the checkpoint; check its signature with the verifier key that the caller pinned.
2. The log never goes back: the checkpoint that was mirrored before is not larger, and if it is smaller, the
   log's tiles prove that the new tree continues it (RFC 9162 section 2.1.4).
3. Fetch the partial tiles at the right edge; together they lead to the root.
4. From the top level down: every full tile hashes to the hash that its parent holds.
5. Every entry of every bundle hashes to the leaf hash that its level-0 tile holds.
6. Put the checkpoint in place; then remove the partial tiles that it no longer needs.

A full tile or bundle that is there already is read and checked like a fetched one, and kept if it holds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projections.log_source import (
    MAX_BUNDLE_BYTES,
    MAX_TILE_BYTES,
    LogSource,
    ResourceMissing,
    ResourceUnacceptable,
)
from projections.read_ahead import read_ahead
from verifier.bundles import decode_bundle
from verifier.checkpoints import Checkpoint, parse_checkpoint, verify_checkpoint
from verifier.errors import ProofDoesNotHold, VerificationError
from verifier.hashing import HASH_BYTES, leaf_hash
from verifier.notes import parse_note
from verifier.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    BundleCoordinates,
    Tile,
    bundle_path,
    bundles_for_size,
    subtree_reader_from_tiles,
    tile_path,
)
from verifier.tree import compute_root, consistency_proof, root_of_leaf_hashes, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from verifier.notes import VerifierKey

_WORKERS = 8


class MirrorRefused(Exception):
    """What the log serves does not hold; the mirror keeps the checkpoint that it had."""


@dataclass(frozen=True)
class Mirrored:
    """What one run of the mirror did."""

    checkpoint: Checkpoint
    old_size: int
    fetched: int
    kept: int


def mirror_log(
    source: LogSource,
    directory: Path,
    *,
    vkey: VerifierKey | None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Mirrored:
    """Copy the log at `source` to `directory` (its `checkpoint` and `tile/…`), checking all of it.

    Args:
        source: where the log is read.
        directory: the mirror's prefix, usually `DIR/log`.
        vkey: the pinned verifier key; without it roots are checked, but not who signed them.
        progress: called with the number of files done and of all files.

    Raises:
        MirrorRefused: a signature, a root or a hash does not hold, or a resource is missing or ill-formed.
        SourceUnreachable: the source does not answer.
    """
    try:
        note = source.fetch_checkpoint()  # 1
        checkpoint = read_checkpoint(note, vkey)
        old_size = _require_continuation(source, directory, note, checkpoint)  # 2
        copy = _Copy(source, directory, checkpoint.tree_size, progress)
        copy.right_edge(checkpoint.root_hash)  # 3
        copy.full_tiles()  # 4
        copy.bundles()  # 5
        write_atomically(directory / "checkpoint", note, durable=True)  # 6
        copy.remove_superseded()
    except (VerificationError, ResourceMissing, ResourceUnacceptable) as error:
        raise MirrorRefused(str(error)) from error
    return Mirrored(checkpoint, old_size, copy.fetched, copy.kept)


def read_checkpoint(note: bytes, vkey: VerifierKey | None) -> Checkpoint:
    """The checkpoint in a signed note; with a key its signature is checked, without it only its form.

    Raises:
        VerificationError: it is malformed, or no signature by the key holds.
    """
    if vkey is not None:
        return verify_checkpoint(note, vkey=vkey)
    return parse_checkpoint(parse_note(note).text)


def _require_continuation(source: LogSource, directory: Path, note: bytes, new: Checkpoint) -> int:
    """Step 2; returns the size that was mirrored before."""
    path = directory / "checkpoint"
    if not path.exists():
        return 0
    old = read_checkpoint(path.read_bytes(), None)
    if old.origin != new.origin:
        raise MirrorRefused(f"{path} is of log {old.origin}, not of {new.origin}: mirror into another place")
    try:
        if new.tree_size < old.tree_size:
            raise ProofDoesNotHold(f"size {old.tree_size} was mirrored before, now it shows {new.tree_size}")
        if old.tree_size:
            read = subtree_reader_from_tiles(source.fetch_tile, new.tree_size)
            proof = consistency_proof(old_size=old.tree_size, new_size=new.tree_size, read=read)
            verify_consistency(
                old_size=old.tree_size,
                new_size=new.tree_size,
                old_root=old.root_hash,
                new_root=new.root_hash,
                proof=proof,
            )
    except ProofDoesNotHold as error:
        # Two signed checkpoints that no tree can satisfy are evidence: both are kept.
        digest = hashlib.sha256(note).hexdigest()[:16]
        evidence = directory / f"checkpoint.conflict-{new.tree_size}-{digest}"
        write_atomically(evidence, note, durable=True)
        raise MirrorRefused(f"the log went back or forked: {error} (evidence: {evidence})") from error
    return old.tree_size


class _Copy:
    """Steps 3 to 6 for one size; files go straight from the check to their place."""

    def __init__(self, source: LogSource, directory: Path, size: int, progress: Callable[[int, int], None]) -> None:
        self.source = source
        self.directory = directory
        self.size = size
        self.fetched = 0
        self.kept = 0
        self._progress = progress
        self._all = _count_files(size)
        self._last_read: tuple[Tile, bytes] | None = None

    def right_edge(self, root: bytes) -> None:
        """Step 3: the partial tiles, which no parent vouches for, are checked together by the root."""
        edge: dict[Tile, bytes] = {}

        def fetch(tile: Tile) -> bytes:
            edge[tile] = self.source.fetch_tile(tile)
            return edge[tile]

        computed = compute_root(self.size, subtree_reader_from_tiles(fetch, self.size))
        if computed != root:
            names = ", ".join(map(tile_path, edge))
            raise MirrorRefused(f"root of size {self.size}: expected {root.hex()}, {names} lead to {computed.hex()}")
        for tile, data in edge.items():
            write_atomically(self.directory / tile_path(tile), data)
            self._count(fetched=True)

    def full_tiles(self) -> None:
        """Step 4: from the top level down, so that the parent of each tile was checked before it."""
        levels = _levels(self.size)
        for level in reversed(range(levels)):
            full = (self.size >> (TILE_HEIGHT * level)) // TILE_WIDTH
            jobs = ((Tile(level, index), self._hash_above(level, index)) for index in range(full))
            for _job, fetched in read_ahead(jobs, self._obtain_tile, workers=_WORKERS):
                self._count(fetched=fetched)

    def bundles(self) -> None:
        """Step 5: the entries, checked by the leaf hashes in the level-0 tiles."""
        jobs = (
            (bundle, self._read_tile(Tile(0, bundle.index, bundle.width))) for bundle in bundles_for_size(0, self.size)
        )
        for _job, fetched in read_ahead(jobs, self._obtain_bundle, workers=_WORKERS):
            self._count(fetched=fetched)

    def remove_superseded(self) -> None:
        """Step 6, second half: a partial of another width belongs to a size that is no longer mirrored.

        tlog-tiles, "Partial Tiles", lets a log remove a partial once the full one exists; what an older
        checkpoint needs of a partial is in the wider one.
        """
        needed = {self.directory / tile_path(tile) for tile in _partials(self.size)}
        needed |= {
            self.directory / bundle_path(tile.index, tile.width) for tile in _partials(self.size) if tile.level == 0
        }
        for folder in (self.directory / "tile").glob("**/*.p"):
            for file in folder.iterdir():
                if file not in needed:
                    file.unlink()
            with contextlib.suppress(OSError):  # still holds the needed one
                folder.rmdir()

    def _obtain_tile(self, job: tuple[Tile, bytes]) -> bool:
        tile, expected = job

        def check(data: bytes) -> None:
            if len(data) != TILE_WIDTH * HASH_BYTES or _root_of_tile(data) != expected:
                raise ProofDoesNotHold(f"{tile_path(tile)}: does not hash to what its parent holds ({expected.hex()})")

        return self._obtain(tile_path(tile), MAX_TILE_BYTES, lambda: self.source.fetch_tile(tile), check)

    def _obtain_bundle(self, job: tuple[BundleCoordinates, bytes]) -> bool:
        bundle, leaf_hashes = job
        path = bundle_path(bundle.index, bundle.width)

        def check(data: bytes) -> None:
            entries = decode_bundle(data, expected=bundle.width)
            for number, entry in enumerate(entries):
                if leaf_hash(entry) != leaf_hashes[number * HASH_BYTES : (number + 1) * HASH_BYTES]:
                    index = bundle.index * TILE_WIDTH + number
                    raise ProofDoesNotHold(f"{path}: entry {index} does not hash to its leaf hash in the tile")

        return self._obtain(path, MAX_BUNDLE_BYTES, lambda: self.source.fetch_bundle(bundle.index, bundle.width), check)

    def _obtain(self, path: str, max_bytes: int, fetch: Callable[[], bytes], check: Callable[[bytes], None]) -> bool:
        """Keep the file if it holds, else fetch, check and write it; tells whether it was fetched."""
        place = self.directory / path
        with contextlib.suppress(FileNotFoundError, VerificationError):
            with place.open("rb") as file:
                check(file.read(max_bytes + 1))
            return False
        data = fetch()
        check(data)
        write_atomically(place, data)
        return True

    def _hash_above(self, level: int, index: int) -> bytes:
        above = self.size >> (TILE_HEIGHT * (level + 1))
        parent_index, number = divmod(index, TILE_WIDTH)
        width = min(TILE_WIDTH, above - parent_index * TILE_WIDTH)
        data = self._read_tile(Tile(level + 1, parent_index, width))
        return data[number * HASH_BYTES : (number + 1) * HASH_BYTES]

    def _read_tile(self, tile: Tile) -> bytes:
        """A tile that was put in place before; neighbours ask for the same one."""
        if self._last_read is None or self._last_read[0] != tile:
            self._last_read = (tile, (self.directory / tile_path(tile)).read_bytes())
        return self._last_read[1]

    def _count(self, *, fetched: bool) -> None:
        self.fetched += fetched
        self.kept += not fetched
        self._progress(self.fetched + self.kept, self._all)


def _root_of_tile(data: bytes) -> bytes:
    return root_of_leaf_hashes([data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)])


def _levels(size: int) -> int:
    """How many levels of tiles does a log of this size have?"""
    return -(-size.bit_length() // TILE_HEIGHT)


def _count_files(size: int) -> int:
    widths = [size >> (TILE_HEIGHT * level) for level in range(_levels(size))]
    return sum(-(-width // TILE_WIDTH) for width in [size, *widths])


def _partials(size: int) -> Iterator[Tile]:
    """The partial tiles at the right edge."""
    for level in range(_levels(size)):
        index, width = divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)
        if width:
            yield Tile(level, index, width)


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Let the file appear whole or not at all.

    After a loss of power a renamed file may be empty; tiles and bundles are checked again by the next run,
    so only the checkpoint is worth waiting for the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # noqa: PTH101 - mkstemp makes 0600; a mirror is there to be served
        os.replace(temporary, path)  # noqa: PTH105 - the pair of mkstemp above
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108 - the same
        raise
