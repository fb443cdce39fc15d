"""A disk that fails, is full or writes a part only: nothing is lost, nothing is doubled, and nothing is tried twice.

An fsync that fails ends the process at once: a second one would report success for bytes that are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.full_disk import REFUSALS, small_file_system
from tests.support.programs import merged, run_program
from tests.support.public_log import judge
from tests.support.small_city import budget_year, small_city

if TYPE_CHECKING:
    from pathlib import Path


def test_each_call_that_writes_fails_once() -> None:
    """EIO, no space, a short write: at the k-th call for every k, in journal, tiles, bundles and checkpoint."""
    tally = merged(run_program("tests.support.crash_program", "calls", "--share", "{share}/2"))
    assert tally["findings"] == []
    assert tally["points"] > 60


@pytest.mark.parametrize("kib", [700, 0])
def test_a_disk_that_is_full_refuses_and_recovers_by_itself(tmp_path: Path, kib: int) -> None:
    """On a small file system, where mounting is allowed; and with a count of the room that is taken."""
    with small_file_system(tmp_path / "disk", kib=kib) as folder:
        data_dir = folder / "ledger"
        with small_city(data_dir) as city:
            city.post(*budget_year(appropriated_won=10**9))
        (result,) = run_program("tests.support.full_disk", str(data_dir))
        assert len(result["errors"]) == REFUSALS
        assert result["read"] == 5
        assert result["refused_later"] == []
        log = judge(data_dir)
        assert log.findings == []
        assert {name: log.ids.get(name) for name in result["acknowledged"]} == result["acknowledged"]
