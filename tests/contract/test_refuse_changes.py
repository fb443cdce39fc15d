"""Does the database itself refuse to change or remove what was recorded, whoever asks with a connection of ours?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import exc

from tests.support.small_city import SmallCity, budget_year, small_city

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDED = ("events", "submissions", "checkpoints")
CHANGES = {"events": "topic = ''", "submissions": "first_index = 0", "checkpoints": "day = ''"}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path / "ledger") as opened:
        opened.post(*budget_year())
        yield opened


def rows(city: SmallCity, table: str) -> list[tuple[object, ...]]:
    with city.ledger._reading.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2")]  # noqa: S608


@pytest.mark.parametrize("table", RECORDED)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE FROM", "TRUNCATE"])
def test_recorded_rows_are_never_changed(city: SmallCity, database: str, table: str, verb: str) -> None:
    if verb == "TRUNCATE" and database == "sqlite":
        verb = "DELETE FROM"  # SQLite has no other word for it
    before = rows(city, table)
    assert before
    statement = f"{verb} {table}" + (f" SET {CHANGES[table]}" if verb == "UPDATE" else "")
    with pytest.raises(exc.IntegrityError, match="never changed"), city.ledger._writing.begin() as connection:
        connection.exec_driver_sql(statement)
    assert rows(city, table) == before


@pytest.mark.parametrize("table", RECORDED)
def test_control_without_the_trigger_the_row_would_be_changed(city: SmallCity, database: str, table: str) -> None:
    trigger = f"{table}_no_update" if database == "sqlite" else f"{table}_no_change ON {table}"
    before = rows(city, table)
    with city.ledger._writing.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.exec_driver_sql(f"UPDATE {table} SET {CHANGES[table]}")  # noqa: S608
    assert rows(city, table) != before


def test_reading_connections_write_nothing(city: SmallCity) -> None:
    with pytest.raises(exc.SQLAlchemyError), city.ledger._reading.begin() as connection:
        connection.exec_driver_sql("DELETE FROM acts")
