"""Two processes that write one log, because its lock is broken: no fork, no gap, and one of them keeps working.

What holds is the epoch, compared in the head and in the journal. Without it the same harness turns red.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.errors import Fenced, Overloaded
from audit_service.ledger import Ledger
from audit_service.signing import journal
from audit_service.signing.journal import SignStateJournal
from audit_service.signing.journal_format import SignState
from audit_service.signing.lock import FileLock
from tests.support.programs import merged, run_program
from tests.support.public_log import judge
from tests.support.small_city import SmallCity, budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path

CRASHES = "tests.support.crash_program"


@pytest.mark.parametrize(("kind", "races"), [("races", 200), ("stopped", 40)])
def test_two_writers_at_once(kind: str, races: int) -> None:
    """Both awake; or one stopped anywhere in its work, and woken when the other one has taken over."""
    tally = merged(run_program(CRASHES, kind, "--points", str(races // 2), "--seed", "1{share}"))
    assert tally["findings"] == []
    assert tally["points"] == races
    # They did get into each other's way.
    assert tally["crashed"] > 0


def test_without_the_epoch_it_is_found() -> None:
    (tally,) = run_program(CRASHES, "races", "--points", "30", "--broken", "no-epoch")
    assert tally["findings"]


def test_a_writer_that_was_taken_over_from_records_nothing(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger") as city:
        city.post(*budget_year())
        second = Ledger(city.settings, lock=FileLock(tmp_path / "another-lock"))
        with second:
            with pytest.raises(Overloaded):
                city.post(obligation(1, amount_won=1))
            assert "Fenced" in (city.ledger.why_unfit() or "")
            # The newer one goes on, and the same submission finds its place there.
            assert SmallCity(city.settings, second).post(obligation(1, amount_won=1)).outcomes[0].index == 5
    log = judge(tmp_path / "ledger")
    assert (log.size, log.findings) == (6, [])


def test_an_append_that_was_stopped_in_its_middle_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken over between the sync and the look for a newer file: the last moment at which a writer may be stopped."""
    old = SignStateJournal(tmp_path / "sign-state")
    epoch = old.take_over(1)
    newer: list[SignStateJournal] = []

    def stopped(_: int) -> None:
        newer.append(SignStateJournal(tmp_path / "sign-state"))
        newer[0].take_over(1)

    monkeypatch.setattr(journal, "_sync_data", stopped)
    with pytest.raises(Fenced):
        old.append(SignState(epoch, 1, bytes(32), b"note", [b"entry"]), expected_epoch=epoch, expected_size=0)
    assert newer[0].epoch == epoch + 1
    old.close()
    newer[0].close()
