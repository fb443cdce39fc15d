"""How is a database of this ledger opened so that a commit survives a power cut?

SQLite in WAL mode with `synchronous=FULL`, set and read back: with NORMAL an acknowledged commit can be lost
when the power fails, and the default depends on how SQLite was built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event

from audit_service.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT_MS = 30_000
_FULL = 2


def open_sqlite(path: Path, *, read_only: bool = False) -> Engine:
    """Open a SQLite database for SQLAlchemy Core; every connection is checked to sync fully.

    A writing engine begins each transaction with `BEGIN IMMEDIATE`: the lock is taken before anything is read,
    so what a transaction has read cannot be stale when it writes.

    Raises:
        ConfigurationError: SQLite did not accept WAL or `synchronous=FULL`.
    """
    engine = create_engine(f"sqlite+pysqlite:///{path}", pool_size=8, max_overflow=32)
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
