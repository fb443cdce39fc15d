"""How do several hosts share the memory of what a log has signed last?

The journal is two tables of a PostgreSQL database that is not the ledger's, so that no restored copy of the events
takes it back. One row, `head`, holds epoch and size; an append moves it by compare-and-swap and writes its record in
the same transaction. A writer that was taken over from finds a later epoch there, and is out.

When the answer to a commit is lost, the record stands or it does not: `settle` waits for the lock of the head, which an
unfinished transaction still holds, and then looks.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from audit_service.errors import Fenced, JournalUnavailable, Quarantined
from audit_service.failpoints import reach
from audit_service.recording.database import is_unavailable
from audit_service.recording.migrations import require_newest
from audit_service.recording.postgres import open_postgres
from audit_service.signing.journal_format import SignState, encode_record, parse_records
from verifier.hashing import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from audit_service.database_url import DatabaseUrl

_LOCKED_HEAD = "SELECT epoch, tree_size FROM head WHERE id = 1 FOR UPDATE"
_INSERT = "INSERT INTO records (epoch, tree_size, record) VALUES (?, ?, ?)"


class PostgresJournal:
    """The journal of one log on several hosts; the protocol is that of the file (`signing/stores.py`)."""

    def __init__(self, url: DatabaseUrl) -> None:
        """Read the journal; nothing is written.

        Raises:
            ConfigurationError: its tables are missing.
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        self._engine = open_postgres(url, schema="journal")
        # The writer appends while the publisher forgets.
        self._changing = threading.Lock()
        self._settled = True
        self.epoch = 0
        self.records: list[SignState] = []
        self.damage: Quarantined | None = None
        try:
            require_newest(self._engine, "journal")
            self._load()
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def last(self) -> SignState | None:
        """The newest state, or None if this log has never been opened."""
        return self.records[-1] if self.records else None

    def _load(self) -> None:
        with self._engine.connect() as connection:
            # One statement, so that head and records are of one moment.
            rows = connection.exec_driver_sql(
                "SELECT head.epoch, head.tree_size, record FROM head LEFT JOIN records ON TRUE"
                " ORDER BY records.epoch, records.tree_size"
            ).all()
        self.epoch = rows[0][0]
        try:
            self.records = _parse([row[2] for row in rows if row[2] is not None])
            newest = (self.last.epoch, self.last.tree_size) if self.last else (0, 0)
            if newest != (rows[0][0], rows[0][1]):
                raise Quarantined(
                    f"the journal's head stands at epoch {rows[0][0]}, size {rows[0][1]}, its newest record at "
                    f"epoch {newest[0]}, size {newest[1]}"
                )
        except Quarantined as error:
            self.damage = error

    def take_over(self, minimum_epoch: int) -> int:
        """Begin a new epoch, at least the given one: nobody who came before can append any more.

        Raises:
            Quarantined: the journal is damaged.
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        with self._changing:
            with self._engine.begin() as connection:
                before: int = connection.exec_driver_sql(_LOCKED_HEAD).one()[0]
                # What was appended until now is final; an append that comes later compares the epoch.
                self._load()
                if self.damage is not None:
                    raise self.damage
                epoch = max(minimum_epoch, before + 1)
                last = self.last or SignState(epoch, 0, EMPTY_ROOT, b"", [])
                record = SignState(epoch, last.tree_size, last.root_hash, last.note, [])
                if not reach("recover.before-epoch-record"):
                    connection.exec_driver_sql("UPDATE head SET epoch = ? WHERE id = 1", (epoch,))
                    connection.exec_driver_sql(_INSERT, (epoch, record.tree_size, encode_record(record)))
            self.records.append(record)
            self.epoch = epoch
            reach("recover.after-epoch-record")
            return epoch

    def require_mine(self) -> None:
        """Is this still the newest epoch?

        Raises:
            Fenced: another process has taken over.
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        with self._engine.connect() as connection:
            self._require_epoch(connection.exec_driver_sql("SELECT epoch FROM head WHERE id = 1").scalar_one())

    def _require_epoch(self, newest: int) -> None:
        if newest != self.epoch:
            raise Fenced(f"another process has taken over with epoch {newest}; this one had epoch {self.epoch}")

    def settle(self) -> bool:
        """After an append whose answer was lost: is its record there? Returns whether one was taken in.

        Raises:
            JournalUnavailable: the database does not say.
            Fenced: another process has taken over.
        """
        with self._changing:
            if self._settled:
                return False
            last_size = self.last.tree_size if self.last else 0
            try:
                with self._engine.begin() as connection:
                    self._require_epoch(connection.exec_driver_sql(_LOCKED_HEAD).one().epoch)
                    rows = connection.exec_driver_sql(
                        "SELECT record FROM records WHERE epoch = ? AND tree_size > ? ORDER BY tree_size",
                        (self.epoch, last_size),
                    ).all()
            except SQLAlchemyError as error:
                raise _unavailable(error) from error
            found = _parse([row[0] for row in rows])
            self.records += found
            self._settled = True
            return bool(found)

    def append(self, record: SignState, *, expected_epoch: int, expected_size: int) -> None:
        """Make a signed state durable, if the journal still stands where the signer thinks it does.

        A crash before the commit leaves the old state, and nothing was acknowledged; a crash after it leaves a signed
        state that the next start publishes.

        Raises:
            Quarantined: the journal stands elsewhere; nothing was written.
            Fenced: another process has taken over; nothing was written.
            JournalUnavailable: the database does not answer; `settle` finds out what it holds.
        """
        with self._changing:
            last = self.last
            found = (self.epoch, last.tree_size if last else 0)
            if found != (expected_epoch, expected_size) or not self._settled:
                raise _elsewhere(found, expected=(expected_epoch, expected_size))
            try:
                with self._engine.begin() as connection:
                    if not reach("sign.before-append"):
                        self._write(connection, record, expected_size=expected_size)
            except SQLAlchemyError as error:
                self._settled = False
                raise _unavailable(error) from error
            reach("sign.after-sync")
            self.records.append(record)

    def _write(self, connection: Connection, record: SignState, *, expected_size: int) -> None:
        moved = connection.exec_driver_sql(
            "UPDATE head SET tree_size = ? WHERE id = 1 AND epoch = ? AND tree_size = ?",
            (record.tree_size, self.epoch, expected_size),
        )
        if moved.rowcount != 1:
            head = connection.exec_driver_sql(_LOCKED_HEAD).one()
            self._require_epoch(head.epoch)
            raise _elsewhere((head.epoch, head.tree_size), expected=(self.epoch, expected_size))
        connection.exec_driver_sql(_INSERT, (record.epoch, record.tree_size, encode_record(record)))

    def forget_published(self, published_size: int) -> None:
        """Drop what is published; the newest record always stays: it is the memory of what was signed last.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer; the next publication drops more.
        """
        with self._changing:
            newest = self.last
            if newest is None:
                return
            with self._engine.begin() as connection:
                # Only of this epoch's own journal: whoever has taken over decides about it alone.
                connection.exec_driver_sql(
                    "DELETE FROM records WHERE tree_size <= ? AND (epoch, tree_size) < (?, ?)"
                    " AND EXISTS (SELECT FROM head WHERE epoch = ?)",
                    (published_size, newest.epoch, newest.tree_size, self.epoch),
                )
            kept = [record for record in self.records[:-1] if record.tree_size > published_size]
            if newest.tree_size <= published_size:
                newest = SignState(newest.epoch, newest.tree_size, newest.root_hash, newest.note, [])
            self.records = [*kept, newest]

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _parse(rows: Sequence[bytes]) -> list[SignState]:
    """The records of some rows; a row is a whole record, or there is damage.

    Raises:
        Quarantined: damage.
    """
    records = parse_records(b"".join(rows))
    if len(records) != len(rows):
        raise Quarantined(f"the journal's record {len(records)} of {len(rows)} is damaged")
    return records


def _elsewhere(found: tuple[int, int], *, expected: tuple[int, int]) -> Quarantined:
    return Quarantined(
        f"the journal stands at epoch {found[0]}, size {found[1]}; the signer expected "
        f"epoch {expected[0]}, size {expected[1]}"
    )


def _unavailable(error: SQLAlchemyError) -> SQLAlchemyError | JournalUnavailable:
    if not is_unavailable(error):
        return error
    return JournalUnavailable("the sign-state journal does not answer; send the same submission again", retry_after_s=5)
