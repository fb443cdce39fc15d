"""A disk that fails, is full or writes a part only: nothing is lost, nothing is doubled, and nothing is tried twice.

An fsync that fails ends the process at once: a second one would report success for bytes that are gone.
"""

from __future__ import annotations

from tests.support.programs import merged, run_program


def test_each_call_that_writes_fails_once() -> None:
    """EIO, no space, a short write: at the k-th call for every k, in journal, tiles, bundles and checkpoint."""
    tally = merged(run_program("tests.support.crash_program", "calls", "--share", "{share}/2"))
    assert tally["findings"] == []
    assert tally["points"] > 60
