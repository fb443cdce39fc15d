"""The whole ledger of one city, opened: what the doors (HTTP, commands) may ask of it.

Opening checks that database, journal and published files tell one story before anything may be signed:

- published ahead of the journal, or another root hash at the same size: refuse (signing could fork the log);
- the database behind the journal: refuse (acknowledged entries are missing; they stand in journal and tiles);
- the database ahead of the journal: sign what was recorded, nobody was told about it yet;
- the journal ahead of what is published: publish the stored note, never sign again.
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
from audit_service.publication.archive import CheckpointArchive
from audit_service.publication.layout import PublicFiles
from audit_service.publication.publisher import PublicationLoop, Publisher
from audit_service.reading import LogReader
from audit_service.recording.application import LedgerApplication
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import require_newest
from audit_service.recording.recorder import LedgerRecorder
from audit_service.refusals import Refusals, is_noted, note_refused_body
from audit_service.rules.keys import public_key_for
from audit_service.rules.states import ONLY
from audit_service.rules.world import read_log
from audit_service.signing.journal import SignStateJournal
from audit_service.signing.signer import CheckpointSigner, SignedHead
from audit_service.submission import is_refusal, prepare_many, prepare_one
from audit_service.tokens import Tokens
from audit_service.unit_of_work import Streams
from audit_service.writer import Writer
from verifier.checkpoints import verify_checkpoint
from verifier.errors import VerificationError
from verifier.notes import NoteSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from audit_service.clock import Clock
    from audit_service.settings import Settings
    from audit_service.submission import Prepared
    from audit_service.writer import SubmissionResult

logger = logging.getLogger(__name__)

LOG_KEY_FILE = "log.key"


class Ledger:
    """One log with its writer, its publisher and its readers."""

    def __init__(self, settings: Settings, *, clock: Clock = now_utc) -> None:
        """Open the ledger and check its stores; nothing is written until `start`.

        Raises:
            ConfigurationError: a file or a table is missing.
            Quarantined: the stores contradict each other.
        """
        self.settings = settings
        self.origin = settings.origin
        key = NoteSigner.from_seed(settings.origin, read_seed(settings.keys / LOG_KEY_FILE))
        self._vkey = key.vkey
        self.vkey = str(key.vkey)
        with ExitStack() as opened:
            # Whatever was opened is closed again when a later check refuses.
            self._open_stores(opened, clock)
            self._signer = CheckpointSigner(key, self._journal, origin=settings.origin)
            self._streams = Streams(LedgerApplication(self._recorder))
            self._followers: list[Callable[[], None]] = []
            self._files = PublicFiles(settings.public)
            self._connect(published_size=self._check_stores(), clock=clock)
            self._opened = opened.pop_all()

    def _open_stores(self, opened: ExitStack, clock: Clock) -> None:
        self._writing = open_sqlite(self.settings.ledger_database)
        opened.callback(self._writing.dispose)
        self._reading = open_sqlite(self.settings.ledger_database, read_only=True)
        opened.callback(self._reading.dispose)
        require_newest(self._writing, "ledger")
        self._recorder = LedgerRecorder(self._writing, self._reading)
        self.reader = LogReader(self._reading)
        self.reader.load(self._recorder.head())
        self.checkpoints = CheckpointArchive(self._writing, self._reading)
        self.tokens = Tokens(self._writing, self._reading, clock=clock)
        self._journal = SignStateJournal(self.settings.journal)
        opened.callback(self._journal.close)

    def _connect(self, *, published_size: int, clock: Clock) -> None:
        self._publisher = Publisher(
            self._files,
            self.checkpoints,
            read_entries=self.reader.entries,
            read_subtree=self.reader.subtree,
            published_size=published_size,
            clock=clock,
        )
        self._publication = PublicationLoop(
            self._publisher,
            self.signed,
            interval_s=self.settings.publication_interval_s,
            on_published=self._published,
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
        """Sign what was recorded without a signature, publish what was signed, then take submissions."""
        self._sign_recorded()
        self._writer.start()
        self._publication.start()
        self._acts.start()
        if self._signer.last is not None:
            self._publication.wake()

    def stop(self) -> None:
        """Answer what waits, publish what is signed, and close everything."""
        self._acts.stop()
        self._writer.stop()
        self._publication.stop()
        self._opened.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _publisher_key(self) -> SigningKey | None:
        path = self.settings.keys / PUBLISHER_KEY_FILE
        if not path.exists():
            logger.warning("no publisher's key at %s: refused submissions leave no entry", path)
            return None
        return SigningKey.from_seed(read_seed(path))

    def _check_stores(self) -> int:
        """Do database, journal and published checkpoint tell one story? Returns the published size."""
        recorded = self._recorder.head().tree_size
        signed = self._signer.last
        signed_size = signed.size if signed else 0
        if recorded < signed_size:
            raise Quarantined(
                f"the database holds {recorded} entries, but a checkpoint over {signed_size} was signed: "
                "the database was rolled back. Restore the newest copy of it; never sign from this one"
            )
        if signed and self.reader.root(signed.size) != signed.root:
            raise Quarantined(f"the database has another root hash at size {signed.size} than the one signed")
        published = self._published_checkpoint()
        if published is None:
            return 0
        if published.size > signed_size:
            raise Quarantined(
                f"a checkpoint over {published.size} entries is published, but the journal knows only "
                f"{signed_size}: the journal was rolled back or replaced"
            )
        if self.reader.root(published.size) != published.root:
            raise Quarantined(f"the published checkpoint has another root hash at size {published.size}")
        self.checkpoints.keep(published, now_utc())
        return published.size

    def _published_checkpoint(self) -> SignedHead | None:
        path = self._files.checkpoint
        if not path.exists():
            return None
        note = path.read_bytes()
        try:
            checkpoint = verify_checkpoint(note, vkey=self._vkey)
        except VerificationError as error:
            raise Quarantined(f"{path} is not a checkpoint of this log: {error}") from error
        return SignedHead(checkpoint.tree_size, checkpoint.root_hash, note)

    def _sign_recorded(self) -> None:
        head = self._recorder.head()
        signed = self._signer.last
        signed_size = signed.size if signed else 0
        if head.tree_size > signed_size:
            entries = self.reader.entries(signed_size, head.tree_size)
            self._signer.sign(tree_size=head.tree_size, root_hash=head.root_hash, entries=entries)
            logger.info("signed what was recorded before the stop", extra={"tree_size": head.tree_size})

    # --- writing ---

    def prepare_one(self, body: bytes) -> Prepared:
        """Read one submission and check its signature; raises as `audit_service.submission.prepare_one`."""
        try:
            return prepare_one(body, self._public_key_of)
        except Exception as error:
            if is_refusal(error):
                note_refused_body(error, body, self._streams)
            raise

    def prepare_many(self, bodies: Sequence[bytes]) -> list[Prepared | Exception]:
        """Read many submissions; a refused one becomes its exception, in its place."""
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

    def submit(self, items: Sequence[Prepared | Exception], *, atomic: bool, dry_run: bool) -> Future[SubmissionResult]:
        """Decide, record and sign; the future gives the result. Raises `Overloaded`."""
        return self._writer.submit(items, atomic=atomic, dry_run=dry_run)

    def _public_key_of(self, kid: str) -> bytes | None:
        public_key = public_key_for(self._streams, kid)
        return base64.urlsafe_b64decode(public_key + "=") if public_key else None

    def _signed(self) -> None:
        self._publication.wake()
        for follower in self._followers:
            follower()

    def _published(self, size: int) -> None:
        self._journal.forget_published(size)

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
        """The newest signed checkpoint."""
        last = self._signer.last
        if last is None:
            raise Quarantined("this log has not signed anything yet")
        return last

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

    def why_unfit(self) -> str | None:
        """Why no requests should be sent here now, or None."""
        return self._writer.stopped_because or self._publication.last_error
