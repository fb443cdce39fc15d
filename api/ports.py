"""What exactly does HTTP need from the ledger and from the read models?

Protocols, so that the doors can be built and tested against a small honest ledger in memory, and so that
nothing here reaches past them. The vocabulary of an entry's status is *recorded, signed, published*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from api.report_trees import RowsOf
    from projections.reports.definitions import ReportRef
    from projections.reports.found import FoundReport

EntryStatus = Literal["recorded", "signed", "published"]


class Prepared(Protocol):
    """A submission that was read strictly and truly signed; whether the rules allow it is not yet decided."""

    @property
    def id(self) -> str:
        """The agency's id of the event."""

    @property
    def source(self) -> str:
        """`urn:kr:agency:<code>`; must equal the caller's."""


class SignedHead(Protocol):
    """A signed checkpoint: the tree size, its root and the note's bytes."""

    @property
    def size(self) -> int:
        """Number of entries that the root covers."""

    @property
    def root(self) -> bytes:
        """RFC 6962 root hash of the first `size` entries."""

    @property
    def note(self) -> bytes:
        """The signed note, as published."""


class Outcome(Protocol):
    """What became of one submission: an index, or the error that refused it. A dry run has neither."""

    @property
    def index(self) -> int | None:
        """Place in the log."""

    @property
    def position(self) -> int | None:
        """Place in its stream."""

    @property
    def repeated(self) -> bool:
        """The same submission was in the log already."""

    @property
    def error(self) -> Exception | None:
        """An `AuditServiceError` or `RuleBroken`; then nothing of it was recorded."""


class SubmissionResult(Protocol):
    """Outcomes in the order of the submissions, and the checkpoint that covers all their indexes."""

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """One for each submission."""

    @property
    def head(self) -> SignedHead:
        """A signed checkpoint that covers every index in `outcomes`."""


class LogReader(Protocol):
    """Reads entries (from disk: call it from a thread) and subtree hashes (from memory)."""

    def entry(self, index: int, /) -> bytes:
        """One entry; raises NotInLog."""

    def entries(self, start: int, stop: int, /) -> Sequence[bytes]:
        """Entries [start, stop)."""

    def subtree(self, level: int, index: int, /) -> bytes:
        """Hash of the complete subtree of 2**level leaves number `index` (a `SubtreeReader`)."""

    def find_key(self, source: str, submission_id: str, /) -> RecordedKey | None:
        """Where a submission was recorded; the id `<batch>/0` of a manifest stands for its whole batch."""


class RecordedKey(Protocol):
    """The place of a recorded submission."""

    @property
    def source(self) -> str:
        """`urn:kr:agency:<code>`."""

    @property
    def first_index(self) -> int:
        """Index of its first entry."""

    @property
    def entry_count(self) -> int:
        """Number of its entries: 1, or the manifest and its transactions."""


class KeptCheckpoint(Protocol):
    """A published checkpoint of the archive."""

    @property
    def size(self) -> int:
        """Tree size."""

    @property
    def root(self) -> bytes:
        """Root hash."""

    @property
    def note(self) -> bytes:
        """The signed note as it was published."""

    @property
    def day(self) -> str:
        """The calendar day in Korean time on which it was published, `YYYY-MM-DD`."""

    @property
    def published_time(self) -> str:
        """When it was published: RFC 3339 UTC with milliseconds."""


class CheckpointArchive(Protocol):
    """Every checkpoint that was published, and the last one of each day in Korean time."""

    def list(self, *, after: int, limit: int) -> Sequence[KeptCheckpoint]:
        """Kept checkpoints with size > `after`, ascending."""

    def at(self, size: int, /) -> KeptCheckpoint | None:
        """The checkpoint of exactly this size, if one was published."""

    def root_of_the_day(self, day: str | None = None) -> KeptCheckpoint | None:
        """The last checkpoint of that day in KST (`YYYY-MM-DD`); without a day the newest of all."""


class Caller(Protocol):
    """Who stands behind a valid token."""

    @property
    def source(self) -> str:
        """`urn:kr:agency:<code>`."""

    @property
    def role(self) -> str:
        """One of the roles of `api.access`."""

    @property
    def token_id(self) -> str:
        """Which token it is; not secret."""


class Tokens(Protocol):
    """Who stands behind a bearer token: routing and limits, never evidence (the evidence is the signature)."""

    @property
    def answers_at_once(self) -> bool:
        """May an event loop wait for a look-up?"""

    def caller_of(self, token: str, /) -> Caller | None:
        """The caller of a valid `<id>.<secret>`, compared in constant time; None otherwise."""


class Ledger(Protocol):
    """The write side as HTTP sees it."""

    @property
    def origin(self) -> str:
        """The log's name: first line of its checkpoints."""

    @property
    def vkey(self) -> str:
        """The log's verifier key (signed-note)."""

    @property
    def public_dir(self) -> Path:
        """The folder that `/log/` serves, with `checkpoint` and `tile/…` in it."""

    @property
    def reader(self) -> LogReader:
        """Entries and hashes."""

    @property
    def checkpoints(self) -> CheckpointArchive:
        """What was published, kept for ever."""

    @property
    def published_size(self) -> int:
        """Tree size of `/log/checkpoint`."""

    @property
    def tokens(self) -> Tokens:
        """Who may call."""

    def prepare_one(self, body: bytes, /) -> Any:
        """Read one submission strictly into a `Prepared`.

        Raises:
            SubmissionRefused, RuleBroken: with the rule; the message never echoes input.
        """

    def prepare_many(self, bodies: Sequence[bytes], /) -> list[Any]:
        """Read many; an item that is refused becomes its exception, in its place."""

    def submit(self, items: Sequence[Any], *, atomic: bool, dry_run: bool) -> Future[Any]:
        """Decide, record and sign what `prepare_…` gave; the future gives a `SubmissionResult`.

        Raises here or in the future: Overloaded, Quarantined, RecordingFailed. A refusal is an outcome; an
        atomic batch that was refused has an error in every outcome (`BatchRefused` for those that were fine).
        """

    def note_refused(self, error: Exception, /) -> None:
        """Let the refusal of a signed submission that `prepare_one` refused leave its entry; returns at once."""

    def signed(self) -> SignedHead:
        """The newest signed checkpoint."""

    def inclusion(self, index: int, size: int, /) -> Sequence[bytes]:
        """Inclusion proof of one entry in the first `size`."""

    def consistency(self, old_size: int, new_size: int, /) -> Sequence[bytes]:
        """Consistency proof between two sizes."""

    @property
    def recorded_size(self) -> int:
        """Tree size of what is recorded, signed or not."""

    @property
    def queue_length(self) -> int:
        """Requests that wait for the writer."""

    @property
    def queue_limit(self) -> int:
        """Requests that may wait for the writer."""

    @property
    def folders(self) -> Mapping[str, Path]:
        """Where the service writes files: `data`, `journal`, `public`."""

    def why_quarantined(self) -> str | None:
        """Why the log is read-only and what its operator can do, in words for anybody; or None."""

    def why_unfit(self) -> str | None:
        """Why this ledger should not be sent requests now (quarantine, stopped writer), or None."""


class ReadModels(Protocol):
    """Rebuilt answers. May touch the disk: call it from a thread."""

    def position(self) -> int:
        """Answers cover the entries [0, position)."""

    def keys(self, kind: str, /) -> Iterable[str]:
        """Keys of one kind of answer, sorted."""

    def answer(self, kind: str, key: str, /) -> dict[str, Any] | None:
        """The answer's JSON document at the current position, or None."""

    def answer_as_of(
        self, kind: str, key: str, /, *, tree_size: int | None, legal_date: str | None
    ) -> dict[str, Any] | None:
        """The same from the entries [0, tree_size) with a legal date up to `legal_date`."""

    def find_entries(
        self,
        *,
        subject: str | None,
        event_type: str | None,
        source: str | None,
        event_id: str | None,
        after: int,
        limit: int,
    ) -> Sequence[int]:
        """Indexes above `after` of the entries that have all the given attributes, ascending."""

    def stream_indexes(self, subject: str, tree_size: int, /) -> Sequence[int]:
        """Indexes below a tree size of all entries of one stream, ascending."""

    def why_stopped(self) -> str | None:
        """Why the projection stopped (it never skips), or None."""


class Reports(Protocol):
    """Published reports with their rows. May touch the disk: call it from a thread."""

    def last_reports(self) -> Sequence[FoundReport]:
        """The newest published report of each kind and key, sorted."""

    def report(self, ref: ReportRef, tree_size: int | None, /) -> FoundReport | None:
        """The report of exactly this tree size, or the newest one."""

    def tree_sizes(self, ref: ReportRef, limit: int, /) -> Sequence[int]:
        """Tree sizes of the newest reports, the newest first."""

    def rows_of(self, found: FoundReport, /) -> RowsOf:
        """The rows of a published report with their checked tree.

        Raises:
            NotInLog: they are not kept here.
            ReportRowsDamaged: they are not those that the log commits to.
        """

    def changed_rows(self, ref: ReportRef, /, *, old: int, new: int) -> dict[str, tuple[bytes | None, bytes | None]]:
        """By key, the rows that differ between two tree sizes."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one request may hold; OPTIONS /v1/events and the API pages state these."""

    event_bytes: int = 64 * 1024
    batch_bytes: int = 32 * 1024 * 1024
    batch_items: int = 25_000
    body_timeout_s: float = 30.0
    # A body that stands still is cut off after the grace, whatever the deadline; each second needs so many bytes more.
    body_grace_s: float = 5.0
    body_bytes_per_s: int = 16 * 1024
    buffered_bytes: int = 256 * 1024 * 1024
    token_buffered_bytes: int = 64 * 1024 * 1024
    # More would only wait longer for the one writer: an early refusal keeps those that are served fast.
    waiting_posts: int = 400
    # 0 lets everything through. After a pause ten seconds' worth may come at once.
    requests_per_token_s: float = 1000.0
    requests_per_address_s: float = 500.0


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that the application is made of; `create_app(services)` wires it to routes."""

    ledger: Ledger
    read_models: ReadModels
    reports: Reports | None = None
    limits: Limits = field(default_factory=Limits)
    demo: bool = False  # the pages say that this city is a demonstration
