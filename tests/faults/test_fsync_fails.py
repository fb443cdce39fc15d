"""A disk that failed is not asked again: the process ends, whichever store it was."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, exc

from audit_service import fatal, files
from audit_service.errors import Overloaded, RecordingFailed
from tests.support.small_city import budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

# https://www.sqlite.org/rescode.html: SQLITE_IOERR_FSYNC, SQLITE_FULL, SQLITE_BUSY
IOERR_FSYNC, FULL, BUSY = 1034, 13, 5


class Ended(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []

    def end(why: str) -> None:
        said.append(why)
        raise Ended

    monkeypatch.setattr(fatal, "end_process", end)
    monkeypatch.setattr(files, "end_process", end)
    return said


def sqlite_error(code: int) -> exc.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return exc.OperationalError("COMMIT", (), error)


def test_a_sync_that_fails_in_sqlite_ends_the_process(tmp_path: Path, ends: list[str]) -> None:
    with small_city(tmp_path / "ledger") as city:
        city.post(*budget_year())

        def fail(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.startswith("UPDATE head"):
                raise sqlite_error(IOERR_FSYNC)

        event.listen(city.ledger._writing, "before_cursor_execute", fail)
        with pytest.raises(Overloaded):
            city.post(obligation(1, amount_won=1))
        event.remove(city.ledger._writing, "before_cursor_execute", fail)
    assert ends == ["SQLite reports a failing disk (result code 1034)"]


@pytest.mark.parametrize("code", [FULL, BUSY])
def test_a_full_or_busy_database_does_not(tmp_path: Path, ends: list[str], code: int) -> None:
    with small_city(tmp_path / "ledger") as city:
        city.post(*budget_year())

        def fail(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if statement.startswith("UPDATE head"):
                raise sqlite_error(code)

        event.listen(city.ledger._writing, "before_cursor_execute", fail)
        with pytest.raises(RecordingFailed):
            city.post(obligation(1, amount_won=1))
        event.remove(city.ledger._writing, "before_cursor_execute", fail)
        assert city.post(obligation(1, amount_won=1)).outcomes[0].index == 5
    assert ends == []


def test_a_file_whose_sync_fails_ends_the_process(
    tmp_path: Path, ends: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Ended):
        files.write_durably(tmp_path / "file", b"bytes")
    assert len(ends) == 1
    # Nothing has taken the name: readers see what was there before.
    assert not (tmp_path / "file").exists()
