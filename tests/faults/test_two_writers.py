"""Two processes that write one log, because its lock is broken: no fork, no gap, and one of them keeps working.

What holds is the epoch, compared in the head and in the journal. Without it the same harness turns red.
"""

from __future__ import annotations

import pytest

from tests.support.programs import merged, run_program

CRASHES = "tests.support.crash_program"


@pytest.mark.parametrize(("kind", "races"), [("races", 200), ("stopped", 40)])
def test_two_writers_at_once(kind: str, races: int) -> None:
    """Both awake; or one stopped anywhere in its work, and woken when the other one has taken over."""
    tally = merged(run_program(CRASHES, kind, "--points", str(races // 2), "--seed", "1{share}"))
    assert tally["findings"] == []
    assert tally["points"] == races
    # They did get into each other's way.
    assert tally["crashed"] > 0


@pytest.mark.parametrize("kind", ["races", "stopped"])
def test_without_the_epoch_it_is_found(kind: str) -> None:
    (tally,) = run_program(CRASHES, kind, "--points", "25", "--broken", "no-epoch")
    assert tally["findings"]
