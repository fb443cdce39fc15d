"""Does a populated database of the version before become one of this version, with everything in it?

A database is made at the revision before the newest and filled with the rows of a real city; then `audit db upgrade`
runs on it as an operator runs it. Which columns the old revision had is read from the database itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, exc, insert, select

from audit_cli.main import main
from audit_service.errors import ConfigurationError
from audit_service.ledger import Ledger
from audit_service.recording import migrations
from audit_service.recording.database import is_postgres, open_database
from audit_service.settings import load_settings
from tests.support.small_city import SmallCity, budget_year, obligation, sealed_batch, service, small_city

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from audit_service.settings import Settings

Rows = dict[str, list[dict[str, Any]]]
# Migrations put a row into these; nothing else may be deleted at any revision.
MADE_WITH_ROWS = ("head", "tokens")
VERSION_TABLE = "alembic_version"


def previous_revision() -> str:
    script = ScriptDirectory.from_config(migrations._config("ledger"))
    newest = script.get_revision("head")
    assert newest is not None
    assert isinstance(newest.down_revision, str)
    return newest.down_revision


def tables_of(engine: Engine) -> MetaData:
    found = MetaData()
    found.reflect(engine)
    found.remove(found.tables[VERSION_TABLE])
    return found


def rows_of(engine: Engine) -> Rows:
    tables = tables_of(engine)
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in tables.sorted_tables
        }


def go_back(settings: Settings, rows: Rows) -> Rows:
    """Replace the ledger's database by one of the previous revision that holds these rows; returns what it holds."""
    engine = open_database(settings, "ledger")
    if is_postgres(engine):
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA ledger CASCADE")
    else:
        engine.dispose()
        for path in settings.data_dir.glob("ledger.sqlite3*"):
            path.unlink()
    migrations.upgrade_to(engine, "ledger", previous_revision())
    tables = tables_of(engine)
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name in MADE_WITH_ROWS:
                connection.execute(table.delete())
            kept = [{name: row[name] for name in table.columns.keys()} for row in rows[table.name]]  # noqa: SIM118
            if kept:
                connection.execute(insert(table), kept)
    held = rows_of(engine)
    engine.dispose()
    return held


@pytest.fixture
def populated(tmp_path: Path) -> tuple[Settings, Rows]:
    """A city that has written every table, closed, and its rows."""
    with small_city(tmp_path / "city") as city:
        city.post(*budget_year(appropriated_won=1_000), obligation(1, amount_won=400))
        city.post(service())
        city.send(*sealed_batch(city, "b1", count=20), atomic=True)
        city.post(obligation(2, amount_won=601))  # refused, which leaves an entry
        settings = city.settings
        size = city.ledger.signed().size
    assert size >= 28
    code = main(["tokens", "issue", "--data", str(settings.data_dir), "--agency", "roads", "--role", "auditor"])
    assert code == 0
    engine = open_database(settings, "ledger")
    rows = rows_of(engine)
    engine.dispose()
    assert all(rows.values()), "every table holds something"
    return settings, rows


def test_a_populated_database_of_the_version_before_is_upgraded(populated: tuple[Settings, Rows]) -> None:
    settings, rows = populated
    before = go_back(settings, rows)
    assert before["events"] == rows["events"]
    with pytest.raises(ConfigurationError, match="audit db upgrade"):
        Ledger(settings)
    for _ in range(2):  # the second time it finds nothing to do
        assert main(["db", "upgrade", "--data", str(settings.data_dir)]) == 0
    engine = open_database(settings, "ledger")
    after = rows_of(engine)
    engine.dispose()
    for table, held in before.items():
        names = held[0].keys()
        assert [{name: row[name] for name in names} for row in after[table]] == held, table


def test_the_upgraded_ledger_goes_on_where_it_was(populated: tuple[Settings, Rows]) -> None:
    settings, rows = populated
    go_back(settings, rows)
    assert main(["db", "upgrade", "--data", str(settings.data_dir)]) == 0
    with Ledger(load_settings(settings.data_dir)) as ledger:
        city = SmallCity(settings, ledger)
        size = ledger.signed().size
        assert size == len(rows["events"])
        assert city.post(obligation(1, amount_won=400)).outcomes[0].repeated
        assert city.post(obligation(3, amount_won=600)).outcomes[0].index == size
        with pytest.raises(exc.IntegrityError, match="never changed"), ledger._writing.begin() as connection:
            connection.exec_driver_sql("DELETE FROM submissions")


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    populated: tuple[Settings, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, rows = populated
    before = go_back(settings, rows)
    upgrade = migrations.command.upgrade

    def fail_at_the_end(*arguments: Any) -> None:
        upgrade(*arguments)
        raise OSError(28, "No space left on device")

    engine = open_database(settings, "ledger")
    with monkeypatch.context() as patch:
        patch.setattr(migrations.command, "upgrade", fail_at_the_end)
        with pytest.raises(OSError, match="No space"):
            migrations.upgrade(engine, "ledger")
    assert rows_of(engine) == before
    with pytest.raises(ConfigurationError, match="audit db upgrade"):
        migrations.require_newest(engine, "ledger")
    migrations.upgrade(engine, "ledger")
    migrations.require_newest(engine, "ledger")
    engine.dispose()
