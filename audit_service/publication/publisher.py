"""Step 5: when and in which order do tiles, bundles and the checkpoint become public files?

Tiles and bundles of a signed size first, each durable under its final name; then `/log/checkpoint`; then the
archive. A crash before the checkpoint leaves files that the next start writes again with the same bytes; a
crash after it leaves a published checkpoint that the archive is given at the next start.

`/log/checkpoint` moves at most once per interval, which bounds the partial tiles on disk, and at once when
the log was idle.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from audit_service import metrics
from audit_service.clock import now_utc
from audit_service.errors import Quarantined
from audit_service.failpoints import reach
from audit_service.fatal import end_if_disk_failed
from audit_service.files import fsync_folder, make_folder, remove_folder, write_durably
from verifier.bundles import encode_bundle
from verifier.hashing import HASH_BYTES, leaf_hash
from verifier.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundles_for_size, tiles_for_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from audit_service.clock import Clock
    from audit_service.publication.archive import CheckpointArchive
    from audit_service.publication.layout import PublicFiles
    from audit_service.signing.signer import SignedHead
    from verifier.tiles import BundleCoordinates

logger = logging.getLogger(__name__)

T = TypeVar("T")

# So many files are worth threads, and so many threads: each file waits for the disk, and after each call for its turn
# beside a busy writer. One after another, publication falls behind a bulk load, and the journal with what is not
# published grows in memory and on disk (benchmarks/scale.py).
_MANY_FILES = 64
_WRITERS = 8


class Publisher:
    """Publishes signed checkpoints of one log, one after another."""

    def __init__(
        self,
        files: PublicFiles,
        archive: CheckpointArchive,
        *,
        read_entries: Callable[[int, int], list[bytes]],
        read_row: Callable[[int, int, int], bytes],
        published_size: int,
        require_mine: Callable[[], None],
        clock: Clock = now_utc,
    ) -> None:
        self._files = files
        self._require_mine = require_mine
        self._archive = archive
        self._read_entries = read_entries
        self._read_row = read_row
        self._clock = clock
        self.published_size = published_size

    @metrics.PUBLISH.time()
    def publish(self, head: SignedHead) -> None:
        """Make a signed head public; publishing the same head again changes nothing.

        Raises:
            OSError, sqlalchemy.exc.SQLAlchemyError: the disk refused; the same head may be published again.
            Fenced: another process has taken over; the checkpoint was left as it is.
            Quarantined: the database does not hold the signed entries; nothing of them was published.
        """
        written = set()
        if not reach("publish.before-tiles"):
            written |= self._write_tiles(self.published_size, head.size)
        if not reach("publish.before-bundles"):
            written |= self._write_bundles(self.published_size, head.size)
        if not reach("publish.before-sync"):
            _sync_folders(written)
        # A writer that was stopped while another took over would put an older checkpoint over a newer one.
        self._require_mine()
        if not reach("publish.before-checkpoint"):
            write_durably(self._files.checkpoint, head.note)
        reach("publish.after-checkpoint")
        self._archive.keep(head, self._clock(), failpoint="publish.before-archive")
        reach("publish.after-archive")
        # Only now: what failed above is done again, with the same bytes, when publication is tried again.
        old_size, self.published_size = self.published_size, head.size
        if not reach("publish.before-sweep"):
            self._sweep_partials(old_size, head.size)

    def mend(self) -> int:
        """Write again what is missing below the published size; returns the number of files.

        No crash leaves such a hole: a disk that lied does, or a hand that removed a file.
        """
        size = self.published_size
        written = set()
        mended = 0
        for tile in tiles_for_size(0, size):
            path = self._files.tile(tile)
            whole = path.exists() and path.stat().st_size == tile.width * HASH_BYTES
            if not whole and not reach("recover.before-mend"):
                written.add(self._write(path, self._tile_bytes(tile)))
                mended += 1
        for bundle in bundles_for_size(0, size):
            whole = self._files.bundle(bundle.index, bundle.width).exists()
            if not whole and not reach("recover.before-mend"):
                written.add(self._write_bundle(bundle))
                mended += 1
        _sync_folders(written)
        return mended

    def _write_tiles(self, old_size: int, new_size: int) -> set[Path]:
        return _for_all(self._write_tile, tiles_for_size(old_size, new_size))

    def _write_bundles(self, old_size: int, new_size: int) -> set[Path]:
        return _for_all(self._write_bundle, bundles_for_size(old_size, new_size))

    def _write_tile(self, tile: Tile) -> Path:
        return self._write(self._files.tile(tile), self._tile_bytes(tile))

    def _write_bundle(self, bundle: BundleCoordinates) -> Path:
        first = bundle.index * TILE_WIDTH
        entries = self._read_entries(first, first + bundle.width)
        # What is published stays for ever: never bytes that do not give the hashes which were signed.
        signed = self._read_row(0, first, bundle.width)
        if b"".join([leaf_hash(entry) for entry in entries]) != signed:
            raise Quarantined(f"the database does not hold the signed entries of bundle {bundle.index}")
        return self._write(self._files.bundle(bundle.index, bundle.width), encode_bundle(entries))

    def _tile_bytes(self, tile: Tile) -> bytes:
        return self._read_row(tile.level * TILE_HEIGHT, tile.index * TILE_WIDTH, tile.width)

    def _write(self, path: Path, data: bytes) -> Path:
        make_folder(path.parent)
        write_durably(path, data, sync_folder=False)
        return path.parent

    def _sweep_partials(self, old_size: int, new_size: int) -> None:
        """Remove partial files whose full one is durable; readers fall back from partial to full."""
        for tile in tiles_for_size(old_size, new_size):
            if tile.width == TILE_WIDTH:
                self._sweep(self._files.tile(Tile(tile.level, tile.index)))
                if tile.level == 0:
                    self._sweep(self._files.bundle(tile.index, TILE_WIDTH))

    def _sweep(self, full: Path) -> None:
        partials = full.with_name(full.name + ".p")
        if partials.is_dir():
            remove_folder(partials)


def _for_all(write: Callable[[T], Path], places: Iterable[T]) -> set[Path]:
    """Write every file; returns their folders. All are there when it returns; which comes first does not matter."""
    chosen = list(places)
    if len(chosen) < _MANY_FILES:
        return set(map(write, chosen))
    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="publisher") as pool:
        return set(pool.map(write, chosen))


def _sync_folders(folders: set[Path]) -> None:
    for folder in sorted(folders):
        fsync_folder(folder)


class PublicationLoop:
    """The thread that publishes the newest signed head whenever there is one."""

    def __init__(
        self,
        publisher: Publisher,
        newest: Callable[[], SignedHead],
        *,
        interval_s: float,
        on_published: Callable[[int], None],
    ) -> None:
        self._publisher = publisher
        self._newest = newest
        self._interval_s = interval_s
        self._on_published = on_published
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self.last_error: str | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a newer head was signed."""
        self._wake.set()

    def stop(self) -> None:
        """Publish what is signed, then end; returns when the thread has ended."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            # Asked before publishing: what was signed while an older head was being published has its own round.
            last_round = self._stopping.is_set()
            self._publish_newest()
            if last_round:
                return
            # At most one publication per interval; a stop does not wait for it.
            self._stopping.wait(self._interval_s)

    def _publish_newest(self) -> None:
        head = self._newest()
        if head.size == self._publisher.published_size:
            return
        try:
            self._publisher.publish(head)
            if not reach("publish.before-forget"):
                self._on_published(head.size)
            reach("publish.after-forget")
        except Exception as error:
            end_if_disk_failed(error)
            # A full or failing disk delays publication, never acknowledgement; readiness shows it. Anything else is
            # a defect, but ending this thread would hide it: it is logged at every try instead.
            self.last_error = f"{type(error).__name__} while publishing size {head.size}"
            logger.exception("publication failed", extra={"tree_size": head.size})
            self._wake.set()
            return
        self.last_error = None
        logger.info("published", extra={"tree_size": head.size})
