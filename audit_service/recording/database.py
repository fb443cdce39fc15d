"""How are the ledger's two databases opened, and what differs between SQLite and PostgreSQL?

The embedded SQLite runs in WAL mode with `synchronous=FULL`, set and read back: with NORMAL an acknowledged commit can
be lost when the power fails, and the default depends on how SQLite was built. `postgres.py` has the other one. Beyond
this file, statements are written once for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import Engine, create_engine, event, exc

from audit_service.errors import ConfigurationError
from audit_service.recording.postgres import copy_rows, open_postgres

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from audit_service.settings import Settings

Database = Literal["ledger", "projections", "journal"]

BUSY_TIMEOUT_MS = 30_000
_FULL = 2


class Rows(NamedTuple):
    """A table as rows enter it: its columns, and their types on PostgreSQL."""

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


def open_database(settings: Settings, database: Database, *, read_only: bool = False) -> Engine:
    """Open one of the databases of a ledger, wherever its settings say that it is.

    Raises:
        ConfigurationError: the database is not durable, its driver is missing, or the journal is no database.
    """
    if database == "journal":
        if settings.journal_url is None:
            raise ConfigurationError("the journal of this ledger is a file: `journal_url` is not set")
        return open_postgres(settings.journal_url, schema=database, read_only=read_only)
    if settings.database_url is not None:
        return open_postgres(settings.database_url, schema=database, read_only=read_only)
    path = settings.ledger_database if database == "ledger" else settings.projections_database
    return open_sqlite(path, read_only=read_only)


def is_postgres(engine: Engine | Connection) -> bool:
    """Which of the two is it?"""
    return engine.dialect.name == "postgresql"


def is_unavailable(error: Exception) -> bool:
    """Is it the database that failed (gone, restarting, full, locked for too long), and not what it was asked?

    The same question may then be asked again: an answer of 503, never of 500.
    """
    gone = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
    return isinstance(error, gone) or (isinstance(error, exc.DBAPIError) and error.connection_invalidated)


def insert_rows(connection: Connection, into: Rows, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows in the quickest way of each driver; SQLAlchemy's `insert()` halves the rate (docs/adr/0002).

    Raises:
        sqlalchemy.exc.DBAPIError: as for any statement; the transaction must be rolled back.
    """
    if is_postgres(connection):
        copy_rows(connection, into.table, into.columns, into.types, rows)
    else:
        marks = ", ".join("?" * len(into.columns))
        statement = f"INSERT INTO {into.table} ({', '.join(into.columns)}) VALUES ({marks})"  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, list(rows))


def open_sqlite(path: Path, *, read_only: bool = False) -> Engine:
    """Open a SQLite database for SQLAlchemy Core; every connection is checked to sync fully.

    A writing engine begins each transaction with `BEGIN IMMEDIATE`: the lock is taken before anything is read,
    so what a transaction has read cannot be stale when it writes.

    Raises:
        ConfigurationError: SQLite did not accept WAL or `synchronous=FULL`.
    """
    engine = create_engine(f"sqlite+pysqlite:///{path}", pool_size=8, max_overflow=32, hide_parameters=True)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # the driver's own connection type
        # The driver must not begin transactions by itself: it would do so late, with a deferred lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        journal_mode = cursor.fetchone()[0]
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA synchronous")
        synchronous = cursor.fetchone()[0]
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()
        if journal_mode != "wal" or synchronous != _FULL:
            raise ConfigurationError(
                f"SQLite must run in WAL mode with synchronous=FULL (2); it answered {journal_mode}, {synchronous}"
            )

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Any) -> None:  # SQLAlchemy passes its Connection here
        connection.exec_driver_sql(begin)

    return engine
