"""What has this log signed last, and which entries would a signature have no other witness for?

The sign-state journal is append-only, durable and not part of the database's backups. A record holds epoch,
size, root hash, note and the entries since the last record, and is written by compare-and-swap on
(epoch, size). So what was acknowledged stands in two places until its tiles are published, and a database
that was restored from an old backup cannot make the log sign another history.

One file per epoch, `sign-state.<epoch>`. Whoever takes over creates the next file, and only then reads the one before:
that seals it, because an append counts only if no newer file stands there *after* it was synced. A writer that was
stopped and wakes up again finds the newer file and is out, wherever in an append it was stopped.

In a file, per record: `SSJ1`, length (uint32 big-endian), SHA-256 of the payload, payload (MessagePack).
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from audit_service.errors import Fenced, JournalFull, Quarantined
from audit_service.failpoints import reach
from audit_service.fatal import end_process, is_no_space
from audit_service.files import fsync_folder, make_folder, write_all, write_durably
from audit_service.signing.journal_format import SignState, encode_record, parse_records
from verifier.hashing import EMPTY_ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Below this size a journal is not worth rewriting.
_COMPACT_ABOVE_BYTES = 4 * 1024 * 1024


class _Position(NamedTuple):
    epoch: int
    tree_size: int


class SignStateJournal:
    """The journal of one log on one host; `path` is the name of its files without the epoch.

    Reading it changes nothing. Damage does not raise here, so that a damaged journal can still be told about: it
    stands in `damage`, and nothing can be appended then.
    """

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._path = path
        # The writer appends while the publisher forgets.
        self._changing = threading.Lock()
        self._descriptor: int | None = None
        self._loaded = 0
        self.epoch = 0
        self.records: list[SignState] = []
        self.damage: Quarantined | None = None
        self._load()

    @property
    def last(self) -> SignState | None:
        """The newest state, or None if this log has never been opened."""
        return self.records[-1] if self.records else None

    def _load(self) -> None:
        """Read the newest file that holds anything: an empty one is a takeover that was not finished."""
        files = self._files()
        for epoch, file in reversed(files):
            data = file.read_bytes()
            if data:
                self._loaded = epoch
                try:
                    self.records = parse_records(data)
                except Quarantined as error:
                    self.damage = error
                break
        self.epoch = max([epoch for epoch, _ in files] + [record.epoch for record in self.records[-1:]], default=0)

    def _files(self) -> list[tuple[int, Path]]:
        """Epoch and file, ascending; the file without an epoch is of a time before there were any."""
        found = []
        for name in os.listdir(self._path.parent):  # noqa: PTH208 - half the time, and every append asks
            stem, dot, epoch = name.rpartition(".")
            if name == self._path.name:
                found.append((0, self._path))
            elif dot and stem == self._path.name and epoch.isdecimal():
                found.append((int(epoch), self._path.with_name(name)))
        return sorted(found)

    def _file(self, epoch: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{epoch:08d}")

    def take_over(self, minimum_epoch: int) -> int:
        """Begin a new epoch, at least the given one: nobody who came before can append any more.

        A crash before the new file is whole leaves it empty, and the next takeover passes over it.

        Raises:
            Quarantined: the sealed journal is damaged.
        """
        with self._changing:
            epoch = max(minimum_epoch, self.epoch + 1)
            if not reach("recover.before-seal"):
                epoch = self._seal(epoch)
            reach("recover.after-seal")
            # Only now: whatever was appended and counted stands in the sealed file.
            self._load()
            if self.damage is not None:
                raise self.damage
            last = self.last or SignState(epoch, 0, EMPTY_ROOT, b"", [])
            self.records.append(SignState(epoch, last.tree_size, last.root_hash, last.note, []))
            self.epoch = epoch
            if not reach("recover.before-epoch-record"):
                self._rewrite()
            self._open()
            reach("recover.after-epoch-record")
            # The file that was read stays until the next takeover.
            for older, file in self._files():
                if older < self._loaded:
                    os.unlink(file)  # noqa: PTH108 - one API for everything that reaches the disk
            fsync_folder(self._path.parent)
            return epoch

    def _seal(self, epoch: int) -> int:
        while True:
            # O_EXCL: two that take over at once get two epochs, and the lower one is out.
            with suppress(FileExistsError):
                os.close(os.open(self._file(epoch), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                fsync_folder(self._path.parent)
                return epoch
            epoch += 1

    def require_mine(self) -> None:
        """Is this still the newest epoch?

        Raises:
            Fenced: another process has taken over.
        """
        newest = self._files()[-1][0]
        if newest != self.epoch:
            raise Fenced(f"another process has taken over with epoch {newest}; this one had epoch {self.epoch}")

    def settle(self) -> bool:
        """Nothing is ever in doubt here: a write that fails is cut off, or ends the process."""
        return False

    def append(self, record: SignState, *, expected_epoch: int, expected_size: int) -> None:
        """Make a signed state durable, if the journal still stands where the signer thinks it does.

        A crash before the sync leaves the old state (a torn record at the end is passed over at the next start;
        nothing was acknowledged); a crash after it leaves a signed state that the next start publishes.

        Raises:
            Quarantined: the journal stands elsewhere; nothing was written.
            Fenced: another process has taken over; what was written does not count.
            JournalFull: there was no room; the journal is as it was.
        """
        with self._changing:
            last = self.last
            found = _Position(self.epoch, last.tree_size if last else 0)
            if self._descriptor is None or found != (expected_epoch, expected_size):
                raise Quarantined(
                    f"the journal stands at epoch {found.epoch}, size {found.tree_size}; the signer expected "
                    f"epoch {expected_epoch}, size {expected_size}"
                )
            if not reach("sign.before-append"):
                self._write(self._descriptor, encode_record(record))
                if not reach("sign.before-sync"):
                    _sync_data(self._descriptor)
            self.require_mine()
            reach("sign.after-sync")
            self.records.append(record)

    def _write(self, descriptor: int, data: bytes) -> None:
        end = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, data)
        except OSError as error:
            if not is_no_space(error):
                end_process(f"the journal cannot be written: {error}")
            try:
                os.ftruncate(descriptor, end)
            except OSError as second:
                end_process(f"the journal's end cannot be cut off: {second}")
            raise JournalFull("no room for the sign-state journal", retry_after_s=5) from error

    def forget_published(self, published_size: int) -> None:
        """Drop what is published from memory, and from the file once the file is worth it.

        The newest record always stays: it is the memory of what was signed last. Its entries go too when they
        are published.
        """
        with self._changing:
            kept = [record for record in self.records if record.tree_size > published_size]
            if not kept and self.records:
                newest = self.records[-1]
                kept = [SignState(newest.epoch, newest.tree_size, newest.root_hash, newest.note, [])]
            self.records = kept
            if self._descriptor is not None and os.fstat(self._descriptor).st_size > _COMPACT_ABOVE_BYTES:
                self._rewrite()
                self._open()

    def _rewrite(self) -> None:
        """Replace the file of this epoch; a stale writer can only ever replace its own."""
        write_durably(self._file(self.epoch), b"".join(map(encode_record, self.records)), mode=0o600)

    def _open(self) -> None:
        self.close()
        self._descriptor = os.open(self._file(self.epoch), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        """Release the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _sync_data(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    except OSError as error:
        end_process(f"the journal cannot be synced: {error}")
