"""A ledger of the revision before goes on after `audit db upgrade`, with everything that it has."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from alembic import command
from audit_cli.main import main
from audit_service.recording import migrations
from audit_service.recording.database import open_sqlite
from audit_service.signing.journal_format import SignState, encode_record, parse_records
from tests.support.public_log import judge
from tests.support.small_city import budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BEFORE = "ledger_0002"


def to_the_revision_before(data_dir: Path) -> None:
    """The same rows in the tables of the revision before, and the journal as one file of epoch 1."""
    now = data_dir / "ledger.sqlite3"
    engine = open_sqlite(data_dir / "old.sqlite3")
    with engine.begin() as connection:
        command.upgrade(migrations._config("ledger", connection), BEFORE)
    engine.dispose()
    old = sqlite3.connect(data_dir / "old.sqlite3")
    old.execute("ATTACH ? AS now", (str(now),))
    for (table,) in old.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        if table == "alembic_version":
            continue
        columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"DELETE FROM main.{table}")  # noqa: S608 - our own names
        old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")  # noqa: S608
    old.commit()
    old.close()
    for path in data_dir.glob("ledger.sqlite3*"):
        path.unlink()
    for path in data_dir.glob("old.sqlite3*"):
        path.rename(path.with_name(path.name.replace("old", "ledger")))
    newest = max((data_dir / "journal").glob("sign-state.*"))
    last = parse_records(newest.read_bytes())[-1]
    for path in (data_dir / "journal").glob("sign-state.*"):
        path.unlink()
    record = SignState(1, last.tree_size, last.root_hash, last.note, [])
    (data_dir / "journal" / "sign-state").write_bytes(encode_record(record))


def test_a_populated_ledger_of_the_revision_before_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = tmp_path / "ledger"
    with small_city(data_dir) as city:
        city.post(*budget_year())
    to_the_revision_before(data_dir)
    assert main(["serve", "--data", str(data_dir), "--port", "0"]) == 2
    assert "audit db upgrade" in capsys.readouterr().err
    assert main(["db", "upgrade", "--data", str(data_dir)]) == 0
    with small_city(data_dir) as city:
        assert city.post(*budget_year()).outcomes[0].repeated
        assert city.post(obligation(1, amount_won=1)).outcomes[0].index == 5
        assert city.ledger._recorder.head().epoch == 2
    assert (judge(data_dir).size, judge(data_dir).findings) == (6, [])
    assert main(["fsck", "--data", str(data_dir)]) == 0
