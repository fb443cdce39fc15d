"""The whole ledger of one city, opened: what the doors (HTTP, commands) may ask of it.

Opening compares database, journal and published files (`audit_service.recovery` has the table); starting takes the
log over with a new epoch, repairs what may be repaired, and then takes submissions. Stores that contradict each other
put the ledger into quarantine: it can be read, and nothing is written or signed.
"""

from __future__ import annotations

import base64
import logging
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Literal, Self

from audit_service.acts import ActRecorder
from audit_service.clock import now_utc
from audit_service.errors import Overloaded, Quarantined
from audit_service.keys import PUBLISHER_KEY_FILE, SigningKey, read_seed
from audit_service.ownership import require_own_entries, require_own_journal
from audit_service.publication.archive import CheckpointArchive
from audit_service.publication.layout import PublicFiles
from audit_service.publication.publisher import PublicationLoop, Publisher
from audit_service.reading import LogReader
from audit_service.recording.application import LedgerApplication
from audit_service.recording.database import open_database
from audit_service.recording.migrations import require_newest
from audit_service.recording.recorder import LedgerRecorder
from audit_service.recording.snapshots import Snapshots
from audit_service.refusals import Refusals, is_noted, note_refused_body
from audit_service.rules.keys import public_key_for
from audit_service.rules.states import ONLY
from audit_service.rules.world import read_log
from audit_service.signing.lock import require
from audit_service.signing.signer import CheckpointSigner, SignedHead
from audit_service.signing.stores import open_journal, open_lock
from audit_service.submission import is_refusal, prepare_many, prepare_one
from audit_service.takeover import Takeover
from audit_service.tokens import Tokens
from audit_service.unit_of_work import Streams
from audit_service.writer import Writer
from verifier.notes import NoteSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from audit_service.clock import Clock
    from audit_service.settings import Settings
    from audit_service.signing.lock import WriterLock
    from audit_service.submission import Item, Prepared
    from audit_service.writer import SubmissionResult

logger = logging.getLogger(__name__)

LOG_KEY_FILE = "log.key"


class Ledger:
    """One log with its writer, its publisher and its readers."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = now_utc,
        lock: WriterLock | None = None,
        serve_in_quarantine: bool = False,
    ) -> None:
        """Open the ledger and compare its stores; nothing is written until `start`.

        With `serve_in_quarantine` a contradiction does not raise: it stands in `quarantine`, the log can be read, and
        `start` starts nothing.

        Raises:
            ConfigurationError: a file or a table is missing, or a store belongs to another log.
            AnotherWriter: another process has the lock of this log.
            Quarantined: the stores contradict each other.
        """
        self.settings = settings
        self.origin = settings.origin
        seed = read_seed(settings.keys / LOG_KEY_FILE)
        key = NoteSigner.from_seed(settings.origin, seed)
        self.vkey = str(key.vkey)
        self._running = False
        with ExitStack() as opened:
            # Whatever was opened is closed again when a later check refuses.
            lock = lock or open_lock(settings)
            opened.callback(lock.release)
            require(lock)
            self._open_stores(opened, clock)
            require_own_entries(self.reader, self._recorder, vkey=key.vkey)
            require_own_journal(self._journal, vkey=key.vkey)
            self._signer = CheckpointSigner(key, self._journal, origin=settings.origin)
            snapshots = Snapshots(settings.snapshots, seed, read_leaf_hash=self._recorder.leaf_hash_at)
            self._streams = Streams(LedgerApplication(self._recorder, snapshots))
            self._followers: list[Callable[[], None]] = []
            self._files = PublicFiles(settings.public)
            self._takeover = Takeover(
                recorder=self._recorder,
                reader=self.reader,
                journal=self._journal,
                signer=self._signer,
                files=self._files,
                vkey=key.vkey,
            )
            self.quarantine = self._takeover.compare()
            if self.quarantine is not None and not serve_in_quarantine:
                raise self.quarantine
            self._connect(clock=clock)
            self._opened = opened.pop_all()

    def _open_stores(self, opened: ExitStack, clock: Clock) -> None:
        self._writing = open_database(self.settings, "ledger")
        opened.callback(self._writing.dispose)
        self._reading = open_database(self.settings, "ledger", read_only=True)
        opened.callback(self._reading.dispose)
        require_newest(self._writing, "ledger")
        self._recorder = LedgerRecorder(self._writing, self._reading)
        self.reader = LogReader(self._reading)
        self.checkpoints = CheckpointArchive(self._writing, self._reading)
        self.tokens = Tokens(self._writing, self._reading, clock=clock)
        self._journal = open_journal(self.settings)
        opened.callback(self._journal.close)

    def _connect(self, *, clock: Clock) -> None:
        self._clock = clock
        self._publisher = Publisher(
            self._files,
            self.checkpoints,
            read_entries=self.reader.entries,
            read_row=self.reader.subtree_row,
            published_size=self._takeover.published.size if self._takeover.published else 0,
            require_mine=self._journal.require_mine,
            clock=clock,
        )
        self._publication = PublicationLoop(
            self._publisher,
            self.signed,
            interval_s=self.settings.publication_interval_s,
            on_published=self._journal.forget_published,
        )
        self._writer = Writer(
            application=self._streams.application,
            recorder=self._recorder,
            streams=self._streams,
            signer=self._signer,
            reader=self.reader,
            refusals=Refusals(self._streams, self._publisher_key(), find_key=self.reader.find_key),
            on_signed=self._signed,
            queue_limit=self.settings.queue_limit,
            clock=clock,
        )
        self._acts = ActRecorder(
            writer=self._writing,
            reader=self._reading,
            prepare=self.prepare_one,
            submit=lambda prepared: self.submit([prepared], atomic=False, dry_run=False),
        )

    # --- opening and closing ---

    def start(self) -> None:
        """Take the log over, sign what was recorded without a signature, publish what was signed; then take requests.

        Raises:
            Quarantined: another process wrote between opening and taking over, and what it wrote contradicts.
        """
        if self.quarantine is not None:
            logger.critical("quarantine: %s %s", self.quarantine, self.quarantine.remedy)
            return
        epoch = self._takeover.begin_epoch()
        self._takeover.recover(epoch)
        self._mend_published()
        self._running = True
        self._writer.start(epoch=epoch)
        self._publication.start()
        self._acts.start()
        if self._signer.last is not None:
            self._publication.wake()

    def stop(self) -> None:
        """Answer what waits, publish what is signed, and close everything."""
        if self._running:
            self._acts.stop()
            self._writer.stop()
            self._streams.close()
            self._publication.stop()
        self._opened.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _mend_published(self) -> None:
        """Give the archive and the public folder what a crash, or a hand, left out."""
        published = self._takeover.published
        if published is not None:
            self.checkpoints.keep(published, self._clock(), failpoint="recover.before-archive")
            mended = self._publisher.mend()
            if mended:
                logger.error("%d published files were missing and were written again", mended)

    def _publisher_key(self) -> SigningKey | None:
        path = self.settings.keys / PUBLISHER_KEY_FILE
        if not path.exists():
            logger.warning("no publisher's key at %s: refused submissions leave no entry", path)
            return None
        return SigningKey.from_seed(read_seed(path))

    # --- writing ---

    def prepare_one(self, body: bytes) -> Prepared:
        """Read one submission and check its signature; raises as `audit_service.submission.prepare_one`."""
        self._require_no_quarantine()
        try:
            return prepare_one(body, self._public_key_of)
        except Exception as error:
            if is_refusal(error):
                note_refused_body(error, body, self._streams)
            raise

    def prepare_many(self, bodies: Sequence[bytes]) -> list[Item | Exception]:
        """Read many submissions; a refused one becomes its exception, in its place."""
        self._require_no_quarantine()
        prepared = prepare_many(bodies, self._public_key_of)
        for item, body in zip(prepared, bodies, strict=True):
            if isinstance(item, Exception):
                note_refused_body(item, body, self._streams)
        return prepared

    def note_refused(self, error: Exception) -> None:
        """Let the refusal of a submission that could not be prepared leave its trace; nobody waits for it."""
        if is_noted(error):
            with suppress(Overloaded):
                self._writer.submit([error], atomic=False, dry_run=False)

    def submit(self, items: Sequence[Item | Exception], *, atomic: bool, dry_run: bool) -> Future[SubmissionResult]:
        """Decide, record and sign; the future gives the result. Raises `Overloaded`, `Quarantined`."""
        self._require_no_quarantine()
        return self._writer.submit(items, atomic=atomic, dry_run=dry_run)

    def _require_no_quarantine(self) -> None:
        if self.quarantine is not None:
            raise Quarantined(str(self.quarantine), remedy=self.quarantine.remedy)

    def _public_key_of(self, kid: str) -> bytes | None:
        public_key = public_key_for(self._streams, kid)
        return base64.urlsafe_b64decode(public_key + "=") if public_key else None

    def _signed(self) -> None:
        self._publication.wake()
        for follower in self._followers:
            follower()

    # --- reading ---

    @property
    def city(self) -> str:
        """The source of the city that created the log."""
        log = read_log(self._streams).log.get(ONLY)
        if log is None:
            raise Quarantined("this log has no genesis entry")
        return log.owner

    @property
    def public_dir(self) -> Path:
        """The folder that `/log/` serves."""
        return self._files.log

    @property
    def public_files(self) -> PublicFiles:
        """Where each public file stands."""
        return self._files

    def follow(self, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever entries were recorded and signed; it must return at once."""
        self._followers.append(wake)

    def signed(self) -> SignedHead:
        """The newest signed checkpoint; in quarantine, the newest one that the recorded entries confirm.

        Raises:
            Quarantined: there is none.
        """
        if self.quarantine is not None:
            return self._confirmed()
        last = self._signer.last
        if last is None:
            raise Quarantined("this log has not signed anything yet")
        return last

    def _confirmed(self) -> SignedHead:
        kept = self.checkpoints.root_of_the_day()
        archived = SignedHead(kept.size, kept.root, kept.note) if kept else None
        heads = [head for head in (self._signer.last, self._takeover.published, archived) if head is not None]
        for head in sorted(heads, key=lambda each: each.size, reverse=True):
            if head.size <= self.reader.tree_size and self.reader.root(head.size) == head.root:
                return head
        self._require_no_quarantine()
        raise AssertionError("only a quarantined ledger asks")

    @property
    def published_size(self) -> int:
        """Tree size of `/log/checkpoint`."""
        return self._publisher.published_size

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Inclusion proof of one entry in the first `size`."""
        return self.reader.inclusion(index, size)

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Consistency proof between two sizes."""
        return self.reader.consistency(old_size, new_size)

    def status(self, index: int) -> Literal["recorded", "signed", "published"]:
        """How far an entry has come."""
        if index < self.published_size:
            return "published"
        return "signed" if index < self.signed().size else "recorded"

    @property
    def recorded_size(self) -> int:
        """Tree size of what is recorded, signed or not."""
        return self.reader.tree_size

    @property
    def queue_length(self) -> int:
        """Requests that wait for the writer."""
        return self._writer.queue_length

    @property
    def queue_limit(self) -> int:
        """Requests that may wait for the writer."""
        return self.settings.queue_limit

    @property
    def folders(self) -> dict[str, Path]:
        """Where the service writes files: each may stand on a file system of its own."""
        settings = self.settings
        return {"data": settings.data_dir, "journal": settings.journal.parent, "public": settings.public}

    def why_unfit(self) -> str | None:
        """Why no requests should be sent here now, or None."""
        return self._writer.stopped_because or self._publication.last_error

    def why_quarantined(self) -> str | None:
        """Why this log is read-only and what to do about it, for anybody to read; or None."""
        return f"{self.quarantine} {self.quarantine.remedy}".strip() if self.quarantine else None
