"""A process that is killed anywhere loses nothing that it acknowledged, and never signs two stories.

After each crash the city starts again, takes everything that was sent once more, publishes, and stops; then `verifier/`
reads the whole public log, with every receipt and every checkpoint that was ever given out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from audit_service.failpoints import MODES, POINTS, parse_spec
from tests.support.crash_program import faults_of_every_point
from tests.support.programs import ROOT, merged, run_program

CRASHES = "tests.support.crash_program"
# `make torture` asks for ten thousand.
RANDOM_POINTS = int(os.environ.get("TORTURE_CRASHES", "1000"))


def test_one_fault_at_each_labelled_point() -> None:
    """Killed, write lost, error before or after: at every point that can have it, and every one is reached."""
    tally = merged(run_program(CRASHES, "failpoints", "--share", "{share}/2"))
    assert tally["findings"] == []
    assert tally["not_reached"] == []
    assert tally["points"] == len(faults_of_every_point())
    assert tally["crashed"] == len(POINTS)


def test_two_crashes_in_a_row_at_all_pairs_of_points() -> None:
    tally = merged(run_program(CRASHES, "pairs", "--share", "{share}/2"))
    assert tally["findings"] == []
    assert tally["points"] == len(POINTS) ** 2
    # The second life need not come to a point of recovery for which the first left nothing to do.
    assert all("recover." in name.rpartition(" then ")[2] for name in tally["not_reached"])
    assert tally["crashed"] == 2 * tally["points"] - len(tally["not_reached"])


def test_killed_at_random_under_load() -> None:
    points = str(RANDOM_POINTS // 2)
    tally = merged(run_program(CRASHES, "random", "--points", points, "--seed", "1{share}"))
    assert tally["findings"] == []
    assert tally["points"] == RANDOM_POINTS // 2 * 2
    assert tally["crashed"] == tally["points"]
    assert tally["acknowledged"] > 0
    assert tally["quarantined"] == 0


@pytest.mark.parametrize(
    ("broken", "options"),
    [
        ("acknowledge-before-commit", ("failpoints", "--only", "record.before-commit")),
        ("acknowledge-before-commit", ("random", "--points", "30")),
        ("sign-before-commit", ("failpoints", "--only", "sign.")),
        ("checkpoint-before-tiles", ("failpoints", "--only", "publish.before-tiles")),
    ],
)
def test_a_broken_build_is_found(broken: str, options: tuple[str, ...]) -> None:
    (tally,) = run_program(CRASHES, *options, "--broken", broken)
    assert tally["findings"]


def test_the_table_of_points_is_the_code_s() -> None:
    """Every point of the table is come to somewhere, and nothing else is."""
    reached = set()
    for path in Path(ROOT, "audit_service").rglob("*.py"):
        reached |= set(
            re.findall(r'"((?:record|sign|answer|publish|recover)\.(?:before|after)-[a-z-]+)"', path.read_text())
        )
    in_code = {
        name
        for path in Path(ROOT, "audit_service").rglob("*.py")
        if path.name != "failpoints.py"
        for name in POINTS
        if f'"{name}"' in path.read_text()
    }
    assert reached == set(POINTS) == in_code


def test_the_documented_table_is_the_code_s() -> None:
    page = Path(ROOT, "docs/reliability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z.-]+)` \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    expected = [
        (name, what, ", ".join(mode for mode in MODES if mode != "lost" or ".before-" in name))
        for name, what in POINTS.items()
    ]
    assert rows == expected


@pytest.mark.parametrize("spec", ["nowhere=kill", "record.before-commit=explode", "record.after-commit=lost", "x"])
def test_a_point_that_is_not_there_cannot_be_armed(spec: str) -> None:
    with pytest.raises(ValueError, match=r"failpoint|no write follows"):
        parse_spec(spec)


def test_nothing_is_armed_unless_the_environment_says_so() -> None:
    assert parse_spec("") == {}
    assert parse_spec("sign.before-sync=kill@3") == {"sign.before-sync": ("kill", 3)}
