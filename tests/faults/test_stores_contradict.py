"""Database, journal and published checkpoint must tell one story, or nothing may be signed.

Each of them is rolled back or changed while the ledger is closed; opening must refuse, and say why.
"""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from audit_service.errors import ConfigurationError, Quarantined
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from tests.support.small_city import budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "ledger.sqlite3"
JOURNAL = "journal/sign-state"
CHECKPOINT = "public/log/checkpoint"


@pytest.fixture
def grown(tmp_path: Path) -> tuple[Path, Path]:
    """A ledger that has grown, and a copy of it from before."""
    now, before = tmp_path / "now", tmp_path / "before"
    with small_city(now) as city:
        city.post(*budget_year(appropriated_won=100))
    shutil.copytree(now, before)
    with small_city(now) as city:
        city.post(obligation(1, amount_won=60))
    return now, before


def roll_back(now: Path, before: Path, *names: str) -> None:
    for name in names:
        for suffix in ("", "-wal", "-shm"):
            (now / f"{name}{suffix}").unlink(missing_ok=True)
            if (before / f"{name}{suffix}").exists():
                shutil.copy(before / f"{name}{suffix}", now / f"{name}{suffix}")


def open_and_close(data_dir: Path) -> int:
    with Ledger(load_settings(data_dir)) as ledger:
        return ledger.signed().size


def test_the_negative_control_opens(grown: tuple[Path, Path]) -> None:
    assert open_and_close(grown[0]) == 6


@pytest.mark.parametrize(
    ("rolled_back", "why"),
    [
        ((DATABASE,), "database was rolled back"),
        ((DATABASE, CHECKPOINT), "database was rolled back"),
        ((JOURNAL,), "journal was rolled back"),
        ((DATABASE, JOURNAL), "journal was rolled back"),
    ],
)
def test_a_rolled_back_store_is_found(grown: tuple[Path, Path], rolled_back: tuple[str, ...], why: str) -> None:
    roll_back(*grown, *rolled_back)
    with pytest.raises(Quarantined, match=why):
        open_and_close(grown[0])


def test_a_checkpoint_that_is_behind_is_published_again(grown: tuple[Path, Path]) -> None:
    now, before = grown
    newest = (now / CHECKPOINT).read_bytes()
    roll_back(now, before, CHECKPOINT)
    open_and_close(now)
    assert (now / CHECKPOINT).read_bytes() == newest


def test_entries_recorded_without_a_signature_are_signed_at_the_next_start(grown: tuple[Path, Path]) -> None:
    """Journal and checkpoint rolled back together: nobody can have seen the newer signature but by its tiles."""
    roll_back(*grown, JOURNAL, CHECKPOINT)
    assert open_and_close(grown[0]) == 6


def test_a_missing_journal_is_found(grown: tuple[Path, Path]) -> None:
    (grown[0] / JOURNAL).unlink()
    with pytest.raises(Quarantined, match="journal was rolled back or replaced"):
        open_and_close(grown[0])


def test_an_edited_row_is_found_at_the_next_start(grown: tuple[Path, Path]) -> None:
    connection = sqlite3.connect(grown[0] / DATABASE)
    connection.execute("DROP TRIGGER events_no_update")
    connection.execute("UPDATE events SET leaf_hash = zeroblob(32) WHERE log_index = 3")
    connection.commit()
    connection.close()
    with pytest.raises(Quarantined, match="leaf hashes"):
        open_and_close(grown[0])


def test_a_torn_record_at_the_end_of_the_journal_was_never_acknowledged(grown: tuple[Path, Path]) -> None:
    journal = grown[0] / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + b"SSJ1\x00\x00")
    assert open_and_close(grown[0]) == 6
    assert journal.read_bytes() == whole


def test_damage_in_the_middle_of_the_journal_is_not_cut_off(grown: tuple[Path, Path]) -> None:
    journal = grown[0] / JOURNAL
    data = bytearray(journal.read_bytes())
    data[50] ^= 1
    journal.write_bytes(bytes(data))
    with pytest.raises(Quarantined, match="damaged"):
        open_and_close(grown[0])


def test_two_processes_cannot_sign_for_one_log(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger"), pytest.raises(Quarantined, match="another process"):
        Ledger(load_settings(tmp_path / "ledger"))


def test_a_folder_without_a_ledger_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="audit init"):
        load_settings(tmp_path)
