"""How do events enter the database: which rows does one commit write, and what does it refuse?

One transaction writes the event rows, their leaf hashes, the idempotency keys and the head (size, root hash,
right edge), on SQLite and on PostgreSQL alike. The index in the log is assigned here, from the locked head row: it has
no gaps, also after a failed insert. eventsourcing's own recorders are not used (docs/adr/0002).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Notification, StoredEvent
from sqlalchemy import exc

from audit_service import metrics
from audit_service.errors import Fenced, Quarantined
from audit_service.failpoints import reach
from audit_service.recording.database import Rows, insert_rows, is_postgres
from verifier.hashing import EMPTY_ROOT, LEAF_PREFIX
from verifier.right_edge import RightEdge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from eventsourcing.persistence import Subscription
    from sqlalchemy import Connection, Engine

_EVENTS = Rows(
    "events",
    ("log_index", "originator_id", "originator_version", "topic", "state", "leaf_hash"),
    ("int8", "text", "int8", "text", "bytea", "bytea"),
)
_SUBMISSIONS = Rows(
    "submissions",
    ("source", "submission_id", "digest", "first_index", "entry_count"),
    ("text", "text", "bytea", "int8", "int8"),
)
# Compared as well as set: a writer that was stopped while another one took over finds a later epoch.
_UPDATE_HEAD = (
    "UPDATE head SET tree_size = ?, root_hash = ?, right_edge = ?, recorded_time = ?"
    " WHERE id = 1 AND tree_size = ? AND epoch = ?"
)


class Head(NamedTuple):
    """What one commit leaves behind: tree size, root hash, the newest `recordedtime`, and the writer's epoch."""

    tree_size: int
    root_hash: bytes
    recorded_time: str
    epoch: int


class IdempotencyKey(NamedTuple):
    """A submission that was recorded: its digest and where its entries stand."""

    source: str
    submission_id: str
    digest: bytes
    first_index: int
    entry_count: int


@dataclass(slots=True)
class Commit:
    """What goes into the transaction beside the events, and what comes out of it.

    `epoch` and `tree_size` are where the writer believes the log to stand; it stands there, or nothing is written.
    """

    recorded_time: str
    keys: list[IdempotencyKey]
    epoch: int
    tree_size: int
    head: Head | None = None
    leaf_hashes: list[bytes] | None = None


class LedgerRecorder(ApplicationRecorder):
    """eventsourcing's `ApplicationRecorder` on SQLAlchemy connections."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        super().__init__()

    @metrics.RECORD.time()
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Record events in log order, in one transaction; returns their notification ids (index + 1).

        Takes `commit`, a `Commit`, which afterwards holds the new head and the leaf hashes.

        A crash before COMMIT leaves nothing; a crash after it leaves recorded entries that the next start signs.

        Raises:
            eventsourcing.persistence.IntegrityError: a position is taken or would leave a gap; nothing was written.
            Fenced: another process has taken over; nothing was written.
            Quarantined: the log does not stand where the writer believes; nothing was written.
        """
        commit: Commit = kwargs["commit"]
        with self._writer.begin() as connection:
            head, edge = _locked_head(connection)
            _require_head(head, commit)
            _check_positions(connection, stored_events)
            # `leaf_hash`, without a call for each of twenty thousand.
            leaf_hashes = [sha256(LEAF_PREFIX + stored.state).digest() for stored in stored_events]
            first = head.tree_size
            rows = [
                (index, stored.originator_id, stored.originator_version, stored.topic, stored.state, hashed)
                for index, (stored, hashed) in enumerate(zip(stored_events, leaf_hashes, strict=True), first)
            ]
            edge.extend(leaf_hashes)
            new_head = Head(first + len(rows), edge.root(), commit.recorded_time, commit.epoch)
            try:
                insert_rows(connection, _EVENTS, rows)
                if commit.keys:
                    insert_rows(connection, _SUBMISSIONS, commit.keys)
            except exc.IntegrityError as error:
                raise IntegrityError("a position or a submission id is already taken") from error
            updated = connection.exec_driver_sql(
                _UPDATE_HEAD,
                (new_head.tree_size, new_head.root_hash, edge.to_bytes(), new_head.recorded_time, first, commit.epoch),
            )
            if updated.rowcount != 1:
                raise IntegrityError("the head moved inside its own transaction")
            end_transaction(connection, "record.before-commit")
        reach("record.after-commit")
        metrics.GROUP_ENTRIES.observe(len(rows))
        commit.head = new_head
        commit.leaf_hashes = leaf_hashes
        return range(first + 1, first + 1 + len(rows))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream by position."""
        sql = "SELECT originator_version, topic, state FROM events WHERE originator_id = ?"
        parameters: list[Any] = [originator_id]
        if gt is not None:
            sql += " AND originator_version > ?"
            parameters.append(gt)
        if lte is not None:
            sql += " AND originator_version <= ?"
            parameters.append(lte)
        sql += f" ORDER BY originator_version {'DESC' if desc else 'ASC'}"
        if limit is not None:
            sql += " LIMIT ?"
            parameters.append(limit)
        with self._reader.connect() as connection:
            rows = connection.exec_driver_sql(sql, tuple(parameters)).all()
        return [StoredEvent(originator_id, version, topic, state) for version, topic, state in rows]

    def select_indexes(self, subject: str, *, gt: int = 0) -> list[int]:
        """Where in the log do the events of one stream above position `gt` stand? In the order of `select_events`."""
        sql = (
            "SELECT log_index FROM events WHERE originator_id = ? AND originator_version > ?"
            " ORDER BY originator_version"
        )
        with self._reader.connect() as connection:
            return [row[0] for row in connection.exec_driver_sql(sql, (subject, gt))]

    def leaf_hash_at(self, subject: str, position: int) -> bytes | None:
        """The leaf hash of the event at a position of a stream, None where there is none."""
        sql = "SELECT leaf_hash FROM events WHERE originator_id = ? AND originator_version = ?"
        with self._reader.connect() as connection:
            row = connection.exec_driver_sql(sql, (subject, position)).one_or_none()
        return None if row is None else bytes(row[0])

    def select_numbered(self, source: str) -> Iterator[bytes]:
        """The entries of one source that carry a `sequence`, save sealed transactions, which never do.

        One pass over the source's submissions, once per start: the numbers are kept in memory from then on.
        """
        # A string inside an entry cannot hold this text: its quotes would be escaped.
        found = "position(? in state)" if is_postgres(self._reader) else "instr(state, ?)"
        sql = (
            "SELECT events.state FROM submissions JOIN events ON log_index = first_index"  # noqa: S608 - two constants
            f" WHERE source = ? AND {found} > 0"
        )
        with self._reader.connect() as connection:
            for row in connection.exec_driver_sql(sql, (source, b',"sequence":"')):
                yield row[0]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The events of the log by notification id, which is the index in the log plus one."""
        first = 0 if start is None else (start - 1 if inclusive_of_start else start)
        sql = "SELECT log_index + 1, originator_id, originator_version, topic, state FROM events WHERE log_index >= ?"
        parameters: list[Any] = [first]
        if stop is not None:
            sql += " AND log_index < ?"
            parameters.append(stop)
        if topics:
            sql += f" AND topic IN ({', '.join('?' * len(topics))})"
            parameters.extend(topics)
        sql += " ORDER BY log_index LIMIT ?"
        parameters.append(limit)
        with self._reader.connect() as connection:
            rows = connection.exec_driver_sql(sql, tuple(parameters)).all()
        return [
            Notification(originator_id=subject, originator_version=version, topic=topic, state=state, id=number)
            for number, subject, version, topic, state in rows
        ]

    def max_notification_id(self) -> int | None:
        """The tree size, or None for an empty log."""
        return self.head().tree_size or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Not offered: followers page through the log by index and are woken by the publisher.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("follow the log by index: projections.read_models")

    def head(self) -> Head:
        """The recorded head."""
        with self._reader.connect() as connection:
            row = connection.exec_driver_sql("SELECT tree_size, root_hash, recorded_time, epoch FROM head").one()
        return Head(*row)

    def begin_epoch(self, epoch: int) -> None:
        """Raise the head's epoch: who wrote in an earlier one records nothing from here on.

        Raises:
            Fenced: another process has begun this epoch, or a later one.
        """
        with self._writer.begin() as connection:
            changed = connection.exec_driver_sql("UPDATE head SET epoch = ? WHERE epoch < ?", (epoch, epoch))
            if changed.rowcount != 1:
                raise Fenced(f"another process has taken over with epoch {epoch} or a later one")
            end_transaction(connection, "recover.before-database-epoch")
        reach("recover.after-database-epoch")

    def settled_head(self) -> Head:
        """The recorded head once no transaction is on its way that could still move it.

        A commit whose answer was lost may be finished by the server later: its transaction holds the lock of the
        head until then, and this waits for that lock.
        """
        with self._writer.begin() as connection:
            return _locked_head(connection)[0]


def _locked_head(connection: Connection) -> tuple[Head, RightEdge]:
    """Read the head under a lock that lasts as long as the transaction (SQLite: `BEGIN IMMEDIATE` took it)."""
    lock = " FOR UPDATE" if is_postgres(connection) else ""
    row = connection.exec_driver_sql(
        f"SELECT tree_size, root_hash, recorded_time, epoch, right_edge FROM head WHERE id = 1{lock}"  # noqa: S608 - a constant
    ).one()
    head = Head(*row[:4])
    edge = RightEdge.from_bytes(head.tree_size, row[4])
    expected = edge.root() if head.tree_size else EMPTY_ROOT
    if expected != head.root_hash:
        raise IntegrityError("the head's right edge does not give its root hash")
    return head, edge


def _require_head(head: Head, commit: Commit) -> None:
    if head.epoch != commit.epoch:
        raise Fenced(f"another process has taken over with epoch {head.epoch}; this one had epoch {commit.epoch}")
    if head.tree_size != commit.tree_size:
        raise Quarantined(f"the database stands at size {head.tree_size}, the writer at size {commit.tree_size}")


def end_transaction(connection: Connection, point: str) -> None:
    """Come to the failpoint before a commit; a commit that shall be lost is rolled back, and looks like one."""
    transaction = connection.get_transaction()
    if reach(point) and transaction is not None:
        transaction.rollback()


def _check_positions(connection: Connection, stored_events: Sequence[StoredEvent]) -> None:
    """Each stream continues at its stored version + 1, without a gap.

    The unique index alone would let a gap through: eventsourcing empties its list of pending events before
    inserting, so after a failed insert an aggregate that was not discarded would skip a position.
    """
    next_position: dict[UUID | str, int] = {}
    for stored in stored_events:
        subject = stored.originator_id
        expected = next_position.get(subject)
        if expected is None:
            row = connection.exec_driver_sql(
                "SELECT max(originator_version) FROM events WHERE originator_id = ?", (subject,)
            ).one()
            expected = (row[0] or 0) + 1
        if stored.originator_version != expected:
            raise IntegrityError(f"position {stored.originator_version} where {expected} comes next")
        next_position[subject] = expected + 1
