"""Are trees of reports built once, kept within bounds, and never shown when they are not what the log commits to?"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from api.report_trees import ReportTrees
from audit_service.errors import NotInLog, Overloaded, ReportRowsDamaged
from projections.reports.found import FoundReport
from verifier.reports import Definition, Report, compute_rows_root

if TYPE_CHECKING:
    from projections.read_models.reports import ReportRows
    from projections.reports.definitions import ReportRef

ROWS = [(str(number), b'{"key":"%d"}' % number) for number in range(9)]


class Kept:
    """Rows of reports by tree size; counts how often they are read, and can make a reader wait."""

    def __init__(self) -> None:
        self.rows_at: dict[int, list[tuple[str, bytes]] | None] = {}
        self.read = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.reading = threading.Event()

    def rows(self, _ref: ReportRef, tree_size: int) -> list[tuple[str, bytes]] | None:
        self.read += 1
        self.reading.set()
        assert self.go_on.wait(30)
        return self.rows_at.get(tree_size, ROWS)


def report(tree_size: int) -> FoundReport:
    root = compute_rows_root([row for _, row in ROWS])
    definition = Definition("settlement", 1, "ab" * 32)
    return FoundReport(tree_size, Report("settlement", "roads", tree_size, len(ROWS), root, definition))


def trees(kept: Kept, **limits: Any) -> ReportTrees:
    rows: Any = kept
    typed: ReportRows = rows
    return ReportTrees(typed, **limits)


def test_a_tree_is_built_once_however_many_ask() -> None:
    kept = Kept()
    kept.go_on.clear()
    asked = trees(kept)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(asked.rows_of, report(5)) for _ in range(8)]
        assert kept.reading.wait(30)
        kept.go_on.set()
        assert len({id(answer.result()) for answer in answers}) == 1
    assert kept.read == 1


def test_only_so_many_rows_are_kept_and_what_was_used_last_stays() -> None:
    kept = Kept()
    asked = trees(kept, max_kept_rows=2 * len(ROWS))
    for size in (1, 2, 1, 3, 1, 3):
        asked.rows_of(report(size))
    assert kept.read == 3
    asked.rows_of(report(2))
    assert kept.read == 4


def test_who_would_wait_long_is_told_to_come_again_and_what_is_kept_is_answered() -> None:
    kept = Kept()
    asked = trees(kept, wait_s=0.01)
    asked.rows_of(report(1))
    kept.go_on.clear()
    kept.reading.clear()
    with ThreadPoolExecutor(1) as pool:
        building = pool.submit(asked.rows_of, report(2))
        assert kept.reading.wait(30)
        with pytest.raises(Overloaded):
            asked.rows_of(report(3))
        assert asked.rows_of(report(1)).tree.size == len(ROWS)
        kept.go_on.set()
        building.result()
    asked.rows_of(report(3))


@pytest.mark.parametrize(
    "rows",
    [ROWS[:-1], [*ROWS, ("9", b'{"key":"9"}')], [ROWS[1], ROWS[0], *ROWS[2:]], [*ROWS[:-1], ROWS[0]], []],
)
def test_rows_that_the_log_does_not_commit_to_are_not_shown(rows: list[tuple[str, bytes]]) -> None:
    kept = Kept()
    kept.rows_at[4] = rows
    asked = trees(kept)
    for _ in range(2):
        with pytest.raises(ReportRowsDamaged):
            asked.rows_of(report(4))
    kept.rows_at[4] = ROWS
    assert asked.rows_of(report(4)).tree.size == len(ROWS)


def test_rows_that_are_not_kept_are_said_not_to_be() -> None:
    kept = Kept()
    kept.rows_at[4] = None
    with pytest.raises(NotInLog):
        trees(kept).rows_of(report(4))
