"""How is a PostgreSQL database of this ledger opened so that a commit survives a power cut, and written to quickly?

Version 15 or newer, through psycopg 3 on SQLAlchemy's connections. `fsync`, `full_page_writes` and
`synchronous_commit` are read back on every new connection: with one of them off an acknowledged commit can be lost.

Each of our databases is a schema here: `ledger` and `projections`, with a table of migrations each.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, event, exc

from audit_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from audit_service.database_url import DatabaseUrl

OLDEST_VERSION = 15
CONNECT_TIMEOUT_S = 5
# A lock that is not given in this time is held by a process that hangs: better an answer (503) than to wait for it.
LOCK_TIMEOUT_MS = 5_000
# A writer that stops inside its transaction (a stopped process, a lost host) gives the head free again; who rebuilds
# the read models may compute for a while between two statements.
IDLE_IN_TRANSACTION_TIMEOUT_MS = {"ledger": 5_000, "projections": 600_000, "journal": 5_000}
_DURABLE = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}
# Of these, `on` is the least that waits for the disk of this server.
_SYNCHRONOUS = ("on", "remote_apply")
_KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


def open_postgres(url: DatabaseUrl, *, schema: str, read_only: bool = False) -> Engine:
    """Open one schema of a PostgreSQL database for SQLAlchemy; nothing is connected yet.

    Statements that go past SQLAlchemy's compiler (`exec_driver_sql`) are written once for both databases, with `?`
    for a value; here they become what psycopg reads.

    Raises:
        ConfigurationError: psycopg is missing. Later, when connecting: the server is too old, or its commits are not
            durable.
    """
    try:
        # No parameter of a statement may stand in a message: it may be a part of an entry.
        engine = create_engine(
            "postgresql+psycopg://",
            pool_size=8,
            max_overflow=32,
            pool_timeout=CONNECT_TIMEOUT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
    except ImportError as error:
        raise ConfigurationError("PostgreSQL needs psycopg: install this service with its extra `server`") from error
    options = {
        "search_path": schema,
        "synchronous_commit": "on",
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS[schema],
        "default_transaction_read_only": "on" if read_only else "off",
        "timezone": "UTC",
    }

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: object, _arguments: object, _parameters: object) -> Any:
        return dialect.loaded_dbapi.connect(
            url.reveal(),
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="audit",
            client_encoding="UTF8",
            options=" ".join(f"-c {name}={value}" for name, value in options.items()),
            **_KEEPALIVE,
        )

    @event.listens_for(engine, "connect")
    def check(connection: Any, _record: object) -> None:  # the driver's own connection type
        _require_durable(connection)

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def translate(
        _connection: object, _cursor: object, statement: str, parameters: Any, context: Any, _many: object
    ) -> tuple[str, Any]:
        return (statement if context is None or context.compiled else _in_psycopg_style(statement)), parameters

    return engine


@lru_cache(maxsize=256)
def _in_psycopg_style(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


def _require_durable(connection: Any) -> None:
    names = (*_DURABLE, "synchronous_commit", "server_version_num")
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
        found = dict(zip(names, cursor.fetchone(), strict=True))
    connection.rollback()
    if int(found["server_version_num"]) < OLDEST_VERSION * 10_000:
        raise ConfigurationError(f"PostgreSQL {OLDEST_VERSION} or newer is needed")
    wrong = {name: found[name] for name, wanted in _DURABLE.items() if found[name] != wanted}
    if found["synchronous_commit"] not in _SYNCHRONOUS:
        wrong["synchronous_commit"] = found["synchronous_commit"]
    if wrong:
        raise ConfigurationError(
            "PostgreSQL must run with fsync, full_page_writes and synchronous_commit on and UTF8 as its encoding; "
            f"it answered {', '.join(f'{name}={value}' for name, value in wrong.items())}"
        )


def copy_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Insert rows by binary COPY on the driver's connection, inside SQLAlchemy's transaction.

    psycopg's `executemany` reaches half of its rate, SQLAlchemy's `insert()` a quarter.

    Raises:
        sqlalchemy.exc.DBAPIError: as for any statement; the transaction must be rolled back.
    """
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    dialect = connection.dialect
    driver: Any = connection.connection.driver_connection
    errors = dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            write_row = copy.write_row
            for row in rows:
                write_row(row)
    except errors as error:
        lost = dialect.is_disconnect(error, driver, None)
        if lost:
            # The pool must learn of it: this error did not pass SQLAlchemy.
            connection.invalidate(error)
        raise exc.DBAPIError.instance(
            statement, None, error, errors, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        ) from error
