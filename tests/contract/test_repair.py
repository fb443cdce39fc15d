"""Are a wrong byte found, and a damaged database made anew, on either database?

`tests/faults/test_fsck.py` and `tests/faults/test_stores_contradict.py` have every place and every case for SQLite;
here is what the two do differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_cli.main import main
from audit_service.ledger import Ledger
from audit_service.recording.database import is_postgres, open_database
from audit_service.settings import load_settings
from tests.support.public_log import judge
from tests.support.small_city import SmallCity, budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.settings import Settings


WRONG_HASHES = "UPDATE events SET leaf_hash = (SELECT leaf_hash FROM events WHERE log_index = 1)"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A city that was closed, with its read models up to date."""
    with small_city(tmp_path / "city") as city:
        city.post(*budget_year(appropriated_won=100))
        settings = city.settings
    assert main(["db", "rebuild", "--data", str(settings.data_dir)]) == 0
    return settings


def change(settings: Settings, statement: str) -> None:
    """Change what was recorded, as only an owner of the tables can."""
    engine = open_database(settings, "ledger")
    trigger = "events_no_change ON events" if is_postgres(engine) else "events_no_update"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_whole_ledger_is_said_to_be_whole(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fsck", "--data", str(settings.data_dir)]) == 0
    assert "every byte is as it must be" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE events SET topic = 'budget.paid.v1' WHERE log_index = 3", "events 3"),
        (f"{WRONG_HASHES} WHERE log_index = 2", "events 2"),
        ("UPDATE head SET recorded_time = ''", "head"),
    ],
)
def test_a_wrong_value_is_named(
    settings: Settings, statement: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(settings, statement)
    assert main(["fsck", "--data", str(settings.data_dir)]) == 1
    assert place in capsys.readouterr().out


def test_a_wrong_row_of_the_read_models_is_named(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_database(settings, "projections")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entry_index SET id = 'other' WHERE idx = 1")
    engine.dispose()
    assert main(["fsck", "--data", str(settings.data_dir)]) == 1
    assert "projections: entry_index (1)" in capsys.readouterr().out


def test_a_damaged_database_is_made_anew(settings: Settings) -> None:
    token = (settings.keys / "roads.token").read_text().strip()
    change(settings, WRONG_HASHES)
    assert main(["db", "rebuild", "--data", str(settings.data_dir)]) == 0
    assert main(["fsck", "--data", str(settings.data_dir)]) == 0
    with Ledger(load_settings(settings.data_dir)) as ledger:
        city = SmallCity(settings, ledger)
        assert ledger.tokens.caller_of(token) is not None, "what no entry tells was carried over"
        assert city.post(*budget_year(appropriated_won=100)).outcomes[0].repeated
        assert city.post(obligation(1, amount_won=60)).outcomes[0].index == 5
    issue = ["tokens", "issue", "--agency", "roads", "--role", "auditor", "--data", str(settings.data_dir)]
    assert main(issue) == 0
    assert judge(settings.data_dir).findings == []


def test_a_copy_is_made_by_whoever_does_it_best(
    settings: Settings, tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = 0 if database == "sqlite" else 2
    assert main(["backup", "--data", str(settings.data_dir), str(tmp_path / "copy")]) == wanted
    if database == "postgresql":
        assert "pg_dump" in capsys.readouterr().err
        assert not (tmp_path / "copy").exists()
