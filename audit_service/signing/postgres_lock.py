"""What keeps a second host from writing a log, and lets it take over when the first one is gone?

An advisory lock of the journal's database, held by a session of its own. When the process ends, the server gives it
free at once; when its host is lost, as soon as the server has missed its answers for some seconds. The lock is for
liveness alone: whoever loses it without noticing is fenced out by the epoch.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from audit_service.recording.postgres import open_postgres

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from audit_service.database_url import DatabaseUrl

# The server asks a silent session after 2 seconds, then every second: a lost host has lost the lock after 4.
_NOTICE_LOST_HOST = "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2"


class PostgresLock:
    """The lock of a log whose journal is a PostgreSQL database (a `WriterLock`)."""

    def __init__(self, url: DatabaseUrl, *, origin: str) -> None:
        self._engine = open_postgres(url, schema="journal")
        digest = hashlib.sha256(f"writer of {origin}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._session: Connection | None = None
        self._held = False

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it; having it already is fine.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        if self._held:
            return True
        try:
            if self._session is None:
                self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._session.exec_driver_sql(_NOTICE_LOST_HOST)
            asked = self._session.exec_driver_sql("SELECT pg_try_advisory_lock(?)", (self._key,))
            self._held = asked.scalar_one()
        except SQLAlchemyError:
            # Whoever waits asks again, with a new session.
            self.release()
            raise
        return self._held

    def release(self) -> None:
        """Give the lock back, and end its session."""
        session, held = self._session, self._held
        self._session, self._held = None, False
        if session is not None:
            with suppress(SQLAlchemyError):
                if held:
                    # Said, not left to the end of the session: the server would notice that a moment later.
                    session.exec_driver_sql("SELECT pg_advisory_unlock(?)", (self._key,))
                session.invalidate()
            session.close()
        self._engine.dispose()
