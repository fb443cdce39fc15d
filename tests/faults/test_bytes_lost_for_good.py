"""The journal is lost for good: that log is dead, and a new one binds itself to its last checkpoint."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from audit_cli.main import main
from audit_service.errors import Quarantined
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from tests.support.small_city import budget_year, small_city
from verifier.envelope import parse_entry, verify_genesis
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

AGENCY = ("--city", "city", "--agency", "city=City hall=registry.*")


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    data_dir = tmp_path / "lost"
    with small_city(data_dir) as city:
        city.post(*budget_year())
    shutil.rmtree(data_dir / "journal")
    with pytest.raises(Quarantined):
        Ledger(load_settings(data_dir))
    return data_dir


def init(data_dir: Path, lost: Path, *options: str) -> int:
    last = ("--succeeds", str(lost / "public/log/checkpoint"))
    return main(["init", "--data", str(data_dir), "--origin", "ledger.example/city-2", *AGENCY, *last, *options])


def test_a_new_log_embeds_the_last_checkpoint(lost: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "new"
    assert init(data_dir, lost, "--succeeds-key", f"@{lost / 'log.vkey'}") == 0
    with Ledger(load_settings(data_dir)) as ledger:
        genesis = ledger.reader.entry(0)
        verify_genesis(genesis, vkey=VerifierKey.parse(ledger.vkey))
    note = (lost / "public/log/checkpoint").read_text(encoding="utf-8")
    assert parse_entry(genesis)["data"]["predecessor"]["checkpoint"] == note
    # An auditor's replay asks for the same: it verifies the genesis with what stands in it.
    assert main(["replay", str(data_dir / "public/log"), "--vkey", f"@{data_dir / 'log.vkey'}"]) == 0


def test_a_checkpoint_that_does_not_verify_is_not_embedded(lost: Path, tmp_path: Path) -> None:
    with small_city(tmp_path / "other"):
        pass
    assert init(tmp_path / "new", lost, "--succeeds-key", f"@{tmp_path / 'other' / 'log.vkey'}") == 2
    assert init(tmp_path / "new", lost) == 2
    assert not (tmp_path / "new" / "ledger.toml").exists()
