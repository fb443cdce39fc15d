"""What was acknowledged is there after a power cut, whatever of the unsynced writes reached the disk, torn or not.

Killing a process shows nothing of this: the page cache survives it.
"""

from __future__ import annotations

import os

import pytest

from tests.support.programs import merged, run_program

POWER = "tests.support.power_program"
# `make torture` asks for ten thousand of each.
POINTS = int(os.environ.get("TORTURE_POWER_CUTS", "500"))


def lose_power(kind: str, points: int, *options: str) -> dict[str, object]:
    return merged(run_program(POWER, kind, "--points", str(points // 2), "--seed", "1{share}", *options))


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_the_power_fails(kind: str) -> None:
    tally = lose_power(kind, POINTS)
    assert tally["findings"] == []
    assert tally["points"] == POINTS // 2 * 2
    assert tally["acknowledged"]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [("no-folder-sync", "files"), ("no-file-sync", "files"), ("synchronous-normal", "sqlite")],
)
def test_a_broken_build_is_found(broken: str, kind: str) -> None:
    (tally,) = run_program(POWER, kind, "--points", "60", "--broken", broken)
    assert tally["findings"]
