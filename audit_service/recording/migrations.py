"""Which tables must exist before the service runs, and who makes them?

Alembic alone makes tables. The revisions live in `alembic/` of a checkout and in `audit_service/migrations` of
a wheel; the ledger's database and the projections' database have a folder of revisions each.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from alembic import command
from audit_service.errors import ConfigurationError
from audit_service.recording.database import is_postgres, open_database

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from audit_service.recording.database import Database
    from audit_service.settings import Settings

# Two upgrades at once would make the same table; any number does that nothing else locks.
_UPGRADE_LOCK = 0x6C6564676572


def _script_folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "migrations", package.parent / "alembic"):
        if (candidate / "env.py").is_file():
            return candidate
    raise ConfigurationError("the migrations are missing from this installation")


def _config(database: Database, connection: Connection | None = None) -> Config:
    folder = _script_folder()
    config = Config()
    # A percent sign in a path would be read as interpolation.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / database / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, database: Database) -> None:
    """Bring one database to the newest revision; does nothing when it is there already."""
    upgrade_to(engine, database, "head")


def upgrade_all(settings: Settings) -> None:
    """Bring every database of a ledger to the newest revision."""
    databases: list[Database] = ["ledger", "projections"]
    if settings.journal_url is not None:
        databases.append("journal")
    for database in databases:
        engine = open_database(settings, database)
        try:
            upgrade(engine, database)
        finally:
            engine.dispose()


def upgrade_to(engine: Engine, database: Database, revision: str) -> None:
    """Bring one database to a revision, in one transaction: all of it, or nothing."""
    with engine.begin() as connection:
        if is_postgres(connection):
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(?)", (_UPGRADE_LOCK,))
            # Asked first: to make a schema that is there already would need the right to make one.
            found = connection.exec_driver_sql("SELECT to_regnamespace(?)", (database,)).scalar_one()
            if found is None:
                connection.exec_driver_sql(f"CREATE SCHEMA {database}")
        command.upgrade(_config(database, connection), revision)


def require_newest(engine: Engine, database: Database) -> None:
    """Refuse to run on a database of another revision.

    Raises:
        ConfigurationError: the database must be upgraded first.
    """
    newest = ScriptDirectory.from_config(_config(database)).get_current_head()
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current != newest:
        raise ConfigurationError(f"the {database} database must be upgraded first: run `audit db upgrade`")
