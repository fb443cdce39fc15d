"""Database, journal and published checkpoint must tell one story, or nothing may be signed.

Each of them is rolled back or changed while the ledger is closed; opening must refuse, and say why.
"""

from __future__ import annotations

import shutil
import sqlite3
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from audit_cli.main import main
from audit_service.errors import AnotherWriter, ConfigurationError, Quarantined
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from tests.support.public_log import judge
from tests.support.small_city import SmallCity, budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "ledger.sqlite3"
JOURNAL = "journal"
PUBLISHED = "public"
STORES = (DATABASE, JOURNAL, PUBLISHED)


@pytest.fixture
def grown(tmp_path: Path) -> tuple[Path, Path]:
    """A ledger that has grown from 5 entries to 6, and a copy of it from before."""
    now, before = tmp_path / "now", tmp_path / "before"
    with small_city(now) as city:
        city.post(*budget_year(appropriated_won=100))
    shutil.copytree(now, before)
    with small_city(now) as city:
        city.post(obligation(1, amount_won=60))
    return now, before


def roll_back(now: Path, before: Path, *names: str) -> None:
    for name in names:
        if (before / name).is_dir():
            shutil.rmtree(now / name)
            shutil.copytree(before / name, now / name)
            continue
        for suffix in ("", "-wal", "-shm"):
            (now / f"{name}{suffix}").unlink(missing_ok=True)
            if (before / f"{name}{suffix}").exists():
                shutil.copy(before / f"{name}{suffix}", now / f"{name}{suffix}")


def newest_journal(data_dir: Path) -> Path:
    return max((data_dir / JOURNAL).glob("sign-state.*"))


def open_and_close(data_dir: Path) -> int:
    with Ledger(load_settings(data_dir)) as ledger:
        return ledger.signed().size


def require_public_log(data_dir: Path, size: int) -> None:
    log = judge(data_dir)
    assert (log.size, log.findings) == (size, [])


# Which stores are rolled back → what the next start finds; None: it goes on by itself, with all entries.
ROLLED_BACK: dict[tuple[str, ...], str | None] = {
    (): None,
    (DATABASE,): None,  # rebuilt from tiles and journal
    (PUBLISHED,): None,  # published again, from the stored note
    (DATABASE, PUBLISHED): None,  # both, from the journal
    (JOURNAL,): "journal was rolled back",
    (DATABASE, JOURNAL): "journal was rolled back",
    (JOURNAL, PUBLISHED): "journal was rolled back",
    # All three: nothing on this machine remembers. Only who kept a newer checkpoint elsewhere can tell.
    (DATABASE, JOURNAL, PUBLISHED): None,
}


def test_the_table_has_every_subset_of_the_stores() -> None:
    subsets = {subset for count in range(4) for subset in combinations(STORES, count)}
    assert set(ROLLED_BACK) == subsets


@pytest.mark.parametrize("rolled_back", ROLLED_BACK)
def test_a_store_that_was_rolled_back_is_found(grown: tuple[Path, Path], rolled_back: tuple[str, ...]) -> None:
    now, before = grown
    newest = (now / "public/log/checkpoint").read_bytes()
    roll_back(now, before, *rolled_back)
    why = ROLLED_BACK[rolled_back]
    if why is not None:
        with pytest.raises(Quarantined, match=why):
            open_and_close(now)
        return
    size = 5 if rolled_back == STORES else 6
    assert open_and_close(now) == size
    require_public_log(now, size)
    if rolled_back != STORES:
        # The stored note, not another signature: nothing was signed again.
        assert (now / "public/log/checkpoint").read_bytes() == newest


@pytest.mark.parametrize("rolled_back", [subset for subset, why in ROLLED_BACK.items() if why])
def test_in_quarantine_the_log_is_read_and_nothing_is_written(
    grown: tuple[Path, Path], rolled_back: tuple[str, ...]
) -> None:
    now, before = grown
    roll_back(now, before, *rolled_back)
    files = {path: path.read_bytes() for path in now.rglob("*") if path.is_file() and "sqlite3" not in path.name}
    with Ledger(load_settings(now), serve_in_quarantine=True) as ledger:
        city = SmallCity(load_settings(now), ledger)
        with pytest.raises(Quarantined, match="journal was rolled back"):
            city.post(obligation(2, amount_won=1))
        why = ledger.why_quarantined()
        assert why is not None
        assert "audit init --succeeds" in why
        head = ledger.signed()
        assert ledger.reader.root(head.size) == head.root
        assert ledger.reader.entries(0, head.size)
    assert files == {path: path.read_bytes() for path in files}


def test_a_database_that_is_gone_is_made_again_from_tiles_and_journal(grown: tuple[Path, Path]) -> None:
    now, _ = grown
    for path in now.glob("ledger.sqlite3*"):
        path.unlink()
    assert main(["db", "upgrade", "--data", str(now)]) == 0
    with small_city(now) as city:
        assert city.ledger.signed().size == 6
        # The streams, the idempotency keys and the rules' state are back too: a repeat, an overspending, the rest.
        assert city.post(obligation(1, amount_won=60)).outcomes[0].index == 5
        assert city.post(obligation(2, amount_won=41)).outcomes[0].index is None
        assert city.post(obligation(3, amount_won=40)).outcomes[0].index == 6


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET leaf_hash = zeroblob(32) WHERE log_index = 3",
        "UPDATE events SET state = x'7b7d' WHERE log_index = 3",
        "UPDATE head SET root_hash = zeroblob(32)",
        "DELETE FROM events WHERE log_index > 2",
        "not even a database",
    ],
)
def test_a_damaged_database_is_made_anew(grown: tuple[Path, Path], damage: str) -> None:
    now, _ = grown
    if damage.startswith("not"):
        for path in now.glob("ledger.sqlite3-*"):
            path.unlink()
        (now / DATABASE).write_bytes(b"no database" * 1000)
    else:
        connection = sqlite3.connect(now / DATABASE)
        for name in ("events_no_update", "events_no_delete"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(damage)
        connection.commit()
        connection.close()
    # Bytes of an entry are looked at by fsck, not by every start: then the operator says so.
    force = ["--ledger"] if "state" in damage else []
    assert main(["db", "rebuild", "--data", str(now), *force]) == 0
    assert main(["fsck", "--data", str(now)]) == 0
    assert open_and_close(now) == 6
    assert list(now.glob("ledger.sqlite3.set-aside-1"))
    require_public_log(now, 6)


def test_no_database_is_made_anew_where_the_journal_is_what_is_wrong(grown: tuple[Path, Path]) -> None:
    now, before = grown
    roll_back(now, before, JOURNAL)
    content = (now / DATABASE).read_bytes()
    assert main(["db", "rebuild", "--data", str(now), "--ledger"]) == 2
    assert (now / DATABASE).read_bytes() == content


def test_what_only_the_journal_holds_comes_back_too(grown: tuple[Path, Path]) -> None:
    now, before = grown
    with small_city(now) as city:
        city.ledger._publisher.publish = _refuse  # type: ignore[method-assign]
        city.post(obligation(2, amount_won=10))
    assert judge(now).size == 6
    roll_back(now, before, DATABASE)
    assert open_and_close(now) == 7
    require_public_log(now, 7)


def _refuse(_: object) -> None:
    raise OSError(28, "No space left on device")


def test_entries_that_are_lost_for_good_are_said_so(grown: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    now, before = grown
    # A journal that has grown so large that it was written anew without what is published.
    monkeypatch.setattr("audit_service.signing.journal._COMPACT_ABOVE_BYTES", 0)
    with small_city(now) as city:
        city.ledger._journal.forget_published(6)
    roll_back(now, before, DATABASE)
    for path in (now / "public/log/tile/entries").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(Quarantined, match="entry 5 was signed, but stands neither"):
        open_and_close(now)


def test_a_public_file_that_is_missing_is_written_again(grown: tuple[Path, Path]) -> None:
    now, _ = grown
    shutil.rmtree(now / "public/log/tile")
    assert open_and_close(now) == 6
    require_public_log(now, 6)


def test_a_missing_journal_is_found(grown: tuple[Path, Path]) -> None:
    shutil.rmtree(grown[0] / JOURNAL)
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
    journal = newest_journal(grown[0])
    # What an agency wrote may look like the beginning of a record: only whole records count.
    journal.write_bytes(journal.read_bytes() + b"SSJ1\x00\x00SSJ1")
    assert open_and_close(grown[0]) == 6


def test_damage_in_the_middle_of_the_journal_is_not_passed_over(grown: tuple[Path, Path]) -> None:
    journal = newest_journal(grown[0])
    data = bytearray(journal.read_bytes())
    data[50] ^= 1
    journal.write_bytes(bytes(data))
    with pytest.raises(Quarantined, match="damaged"):
        open_and_close(grown[0])


def test_two_processes_cannot_sign_for_one_log(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger"), pytest.raises(AnotherWriter, match="another process"):
        Ledger(load_settings(tmp_path / "ledger"))


def test_a_folder_without_a_ledger_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="audit init"):
        load_settings(tmp_path)
