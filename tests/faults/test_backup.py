"""A backup that is put back cannot fork the log, however one tries."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from audit_cli.main import main
from audit_service.errors import Quarantined
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from tests.support.public_log import Receipt, judge
from tests.support.small_city import budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.small_city import SmallCity


def post(city: SmallCity, number: int) -> Receipt:
    result = city.post(obligation(number, amount_won=1))
    index = result.outcomes[0].index
    assert index is not None
    return Receipt(f"obligation-{number}", index, result.head.note)


@pytest.fixture
def backed_up(tmp_path: Path) -> tuple[Path, Path, list[Receipt]]:
    """A ledger that went on after its backup, and the receipts that it gave."""
    data_dir, backup = tmp_path / "ledger", tmp_path / "backup"
    with small_city(data_dir) as city:
        city.post(*budget_year())
        receipts = [post(city, 1)]
        # While it runs.
        assert main(["backup", "--data", str(data_dir), str(backup)]) == 0
        receipts += [post(city, 2), post(city, 3)]
    return data_dir, backup, receipts


def restore(data_dir: Path, backup: Path) -> int:
    return main(["restore", "--data", str(data_dir), str(backup)])


def go_on(data_dir: Path) -> list[Receipt]:
    with small_city(data_dir) as city:
        return [post(city, 4)]


def test_what_was_signed_after_the_backup_comes_back(backed_up: tuple[Path, Path, list[Receipt]]) -> None:
    data_dir, backup, receipts = backed_up
    assert restore(data_dir, backup) == 0
    receipts += go_on(data_dir)
    log = judge(data_dir, receipts=receipts)
    assert (log.size, log.findings) == (9, [])


def test_the_backup_holds_no_journal_and_no_private_key(backed_up: tuple[Path, Path, list[Receipt]]) -> None:
    _, backup, _ = backed_up
    names = {path.name for path in backup.rglob("*")}
    assert not [name for name in names if "sign-state" in name or name.endswith((".key", ".token"))]
    # It is a public log of its own, as of then.
    assert judge(backup).findings == []


@pytest.mark.parametrize(
    "lost",
    [
        ("journal",),
        ("journal", "public"),
        ("journal", "public", "ledger.sqlite3"),
    ],
)
def test_a_fork_is_not_to_be_had(backed_up: tuple[Path, Path, list[Receipt]], lost: tuple[str, ...]) -> None:
    """Restore and lose the journal, with whatever else: nothing is signed, so nothing can contradict the receipts."""
    data_dir, backup, _ = backed_up
    for name in lost:
        if (data_dir / name).is_dir():
            shutil.rmtree(data_dir / name)
        else:
            for path in data_dir.glob(f"{name}*"):
                path.unlink()
    assert restore(data_dir, backup) == 0
    with pytest.raises(Quarantined, match="journal was rolled back or replaced"):
        go_on(data_dir)


def test_an_older_journal_put_back_by_hand_is_found(tmp_path: Path) -> None:
    data_dir = tmp_path / "ledger"
    with small_city(data_dir) as city:
        city.post(*budget_year())
    shutil.copytree(data_dir, tmp_path / "whole-copy")
    with small_city(data_dir) as city:
        post(city, 1)
    # Everything but the public files, which are on another disk.
    for name in ("journal", "ledger.sqlite3"):
        if (data_dir / name).is_dir():
            shutil.rmtree(data_dir / name)
            shutil.copytree(tmp_path / "whole-copy" / name, data_dir / name)
        else:
            for path in data_dir.glob(f"{name}*"):
                path.unlink()
            shutil.copy(tmp_path / "whole-copy" / name, data_dir / name)
    with pytest.raises(Quarantined):
        go_on(data_dir)


def test_newer_public_files_are_never_replaced(backed_up: tuple[Path, Path, list[Receipt]]) -> None:
    data_dir, backup, _ = backed_up
    published = (data_dir / "public/log/checkpoint").read_bytes()
    assert restore(data_dir, backup) == 0
    assert (data_dir / "public/log/checkpoint").read_bytes() == published
    assert list(data_dir.glob("ledger.sqlite3.set-aside-1"))


def test_another_log_s_backup_and_half_a_backup_are_refused(
    backed_up: tuple[Path, Path, list[Receipt]], tmp_path: Path
) -> None:
    data_dir, backup, _ = backed_up
    with small_city(tmp_path / "other"):
        pass
    assert main(["backup", "--data", str(tmp_path / "other"), str(tmp_path / "other-backup")]) == 0
    assert restore(data_dir, tmp_path / "other-backup") == 2
    assert main(["backup", "--data", str(data_dir), str(backup)]) == 2
    (backup / "ledger.toml").unlink()
    assert restore(data_dir, backup) == 2
    with Ledger(load_settings(data_dir)) as ledger:
        assert ledger.signed().size == 8


def test_a_running_ledger_is_not_restored_over(backed_up: tuple[Path, Path, list[Receipt]]) -> None:
    data_dir, backup, _ = backed_up
    with small_city(data_dir):
        assert restore(data_dir, backup) == 2


def test_a_new_machine_gets_a_copy_to_read_only(backed_up: tuple[Path, Path, list[Receipt]], tmp_path: Path) -> None:
    data_dir, backup, _ = backed_up
    assert restore(tmp_path / "new", backup) == 0
    shutil.copytree(data_dir / "keys", tmp_path / "new" / "keys")
    with Ledger(load_settings(tmp_path / "new"), serve_in_quarantine=True) as ledger:
        assert "journal was rolled back or replaced" in (ledger.why_quarantined() or "")
        assert ledger.reader.entries(0, 1)
