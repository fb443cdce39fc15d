"""Does `audit export` write what a log that holds says about its contracts, and nothing where it does not hold?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from audit_cli.main import main
from tests.support.log_builder import LogBuilder, small_log, write_log

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def log() -> LogBuilder:
    return small_log()


def export(log: LogBuilder, tmp_path: Path, *options: str) -> int:
    place = ["export", "ocds", str(tmp_path), "--vkey", log.vkey, "--out", str(tmp_path / "contracts.json")]
    return main([*place, *options])


def test_every_contract_of_a_log_that_holds_is_written(
    log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path / "log", log.entries, log.signer)
    assert export(log, tmp_path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"holds": True, "written": 1}
    package = json.loads((tmp_path / "contracts.json").read_text(encoding="utf-8"))
    assert (package["version"], package["uri"].startswith("urn:ledger:")) == ("1.1", True)
    (record,) = package["records"]
    assert record["ocid"] == "ocds-000000-lamps"
    tags = [release["tag"][-1] for release in record["releases"]]
    assert tags == ["planning", "contract", "implementationUpdate", "implementationUpdate", "implementation"]
    (contract,) = record["compiledRelease"]["contracts"]
    assert contract["implementation"]["transactions"][0]["value"] == {"amount": 300_000, "currency": "KRW"}
    assert record["compiledRelease"]["buyer"]["name"] == "도로과"
    assert export(log, tmp_path, "--prefix", "ocds-abc123") == 0
    assert "1 contracting processes written" in capsys.readouterr().out
    again = json.loads((tmp_path / "contracts.json").read_text(encoding="utf-8"))
    assert again["records"][0]["ocid"] == "ocds-abc123-lamps"


def test_nothing_is_written_of_a_log_that_does_not_hold(
    log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = list(log.entries)
    place = next(number for number, entry in enumerate(entries) if b"contract.paid.v1" in entry)
    entries[place] = entries[place].replace(b"300000", b"300001")
    write_log(tmp_path / "log", entries, log.signer)
    assert export(log, tmp_path) == 1
    assert "nothing was written" in capsys.readouterr().out
    assert not (tmp_path / "contracts.json").exists()


def test_wrong_use_is_said_in_one_line(log: LogBuilder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "csv", str(tmp_path), "--vkey", log.vkey, "--out", "x"]) == 2
    assert main(["export", "ocds", str(tmp_path / "nowhere"), "--vkey", log.vkey, "--out", "x"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
