"""When is a report published, with which rows, and what becomes of it when something fails?"""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from audit_service.closed_trees import MerklelibTree
from projections.read_models.projector import Projector
from projections.read_models.report_completion import complete_rows
from projections.read_models.reports import ReportRows
from projections.read_models.row_packs import pack_rows, unpack_rows
from projections.read_models.tables import report_rows
from projections.reports.definitions import ReportRef, definition_of
from projections.reports.found import find_reports
from projections.reports.publishing import KeptRows
from projections.reports.reproduction import reproduce
from tests.support.report_city import report_city
from tests.support.seed_city import AGENCY, MemoryLog, publish_count, seal_batch, seed_log, spend
from verifier.errors import ProofDoesNotHold
from verifier.reports import compute_rows_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.report_city import ReportCity

SETTLEMENT = ReportRef("settlement", AGENCY)
BOOK_2020 = ReportRef("budget-book", f"{AGENCY}/2020")
HEADS = ReportRef("stream-heads", "all")


@pytest.fixture
def log() -> MemoryLog:
    log = seed_log()
    seal_batch(log, "used-car", "2019", ["record"] * 7)
    return log


@pytest.fixture
def city(log: MemoryLog, tmp_path: Path) -> Iterator[ReportCity]:
    with report_city(log, tmp_path) as city:
        yield city


def test_every_kind_is_published_and_commits_to_its_rows(city: ReportCity) -> None:
    size = city.log.head_size()
    published = city.publish()
    kinds = {subject.split("/")[1] for subject in published}
    assert kinds == {
        "budget-book", "settlement", "contract-register", "project-register", "service-statistics", "stream-heads",
    }  # fmt: skip
    for found in city.rows.last_reports():
        stored = city.rows.rows(found.ref, found.report.tree_size)
        assert stored is not None
        assert found.report.tree_size == size
        assert found.report.row_count == len(stored)
        assert found.report.rows_root == compute_rows_root([row for _, row in stored])
        assert found.report.definition == definition_of(found.ref.kind)


def test_a_report_is_no_reason_to_publish_another(city: ReportCity) -> None:
    assert city.publish()
    for _ in range(3):
        assert city.publish() == set()
    city.restart()
    assert city.publish() == set()


def test_only_what_moved_is_published_again(city: ReportCity) -> None:
    city.publish()
    spend(city.log, 2020, 5)
    assert city.publish() == {BOOK_2020.subject, SETTLEMENT.subject, HEADS.subject}
    publish_count(city.log, "used-car", 7, period="2019")
    moved = city.publish()
    assert HEADS.subject in moved
    assert SETTLEMENT.subject not in moved


def test_after_a_restart_only_what_moved_is_published_again(city: ReportCity) -> None:
    city.publish()
    spend(city.log, 2020, 5)
    city.restart()
    assert city.publish() == {BOOK_2020.subject, SETTLEMENT.subject, HEADS.subject}


def test_every_report_is_reproducible_at_its_tree_size_byte_for_byte(city: ReportCity) -> None:
    for amount_won in (5, 7, 11):
        city.publish()
        spend(city.log, 2020, amount_won)
    seal_batch(city.log, "used-car", "2020", ["record"] * 3)
    city.publish()
    reports = list(find_reports(0, city.log.stored))
    assert len({found.report.tree_size for found in reports}) == 4
    wanted: dict[int, list[ReportRef]] = {}
    for found in reports:
        wanted.setdefault(found.report.tree_size, []).append(found.ref)
    again = {(ref, size): rows for size, ref, rows in reproduce([city.log.stored], wanted)}
    for found in reports:
        name = (found.ref, found.report.tree_size)
        stored = city.rows.rows(*name)
        assert stored == list(zip(again[name].keys, again[name].rows, strict=True))
        assert again[name].root == found.report.rows_root


def test_a_row_that_goes_away_is_gone_from_then_on_and_still_there_before(city: ReportCity) -> None:
    """No fold takes rows back today; the store must be able to all the same."""
    ref = ReportRef("settlement", "x")
    city.rows.keep([KeptRows(ref, 5, {"a": b"1", "b": b"2"}, whole=True)])
    city.rows.keep([KeptRows(ref, 9, {"b": b"3", "c": b"4"}, whole=True)])
    assert city.rows.rows(ref, 5) == [("a", b"1"), ("b", b"2")]
    assert city.rows.rows(ref, 9) == [("b", b"3"), ("c", b"4")]
    assert city.rows.rows(ref, 7) is None
    assert city.rows.changed_rows(ref, old=5, new=9) == {"a": (b"1", None), "b": (b"2", b"3"), "c": (None, b"4")}
    assert city.rows.changed_rows(ref, old=5, new=5) == {}
    city.rows.keep([KeptRows(ref, 12, {"a": b"5", "b": None}, whole=False)])
    assert city.rows.rows(ref, 12) == [("a", b"5"), ("c", b"4")]
    assert city.rows.rows(ref, 9) == [("b", b"3"), ("c", b"4")]


def test_what_was_refused_stays_due(city: ReportCity) -> None:
    city.door.refusing = True
    assert city.publish() == set()
    asked = len(city.door.submitted)
    assert asked > 5
    city.door.refusing = False
    assert len(city.publish()) == asked
    assert city.publish() == set()


def test_the_same_report_has_the_same_id_so_that_it_is_recorded_once(city: ReportCity) -> None:
    city.door.refusing = True
    city.publish()
    first = [one["id"] for one in city.door.submitted]
    city.restart()
    city.publish()
    again = [one["id"] for one in city.door.submitted[len(first) :]]
    assert again == first
    assert len(set(first)) == len(first)


class WrongRoot(MerklelibTree):
    @property
    def root(self) -> bytes:
        return b"\0" * 32


def test_a_prover_that_is_wrong_publishes_nothing(log: MemoryLog, tmp_path: Path) -> None:
    with report_city(log, tmp_path, prover=WrongRoot) as city:
        with pytest.raises(ProofDoesNotHold):
            city.publisher.publish()
        assert city.door.submitted == []


def test_rows_that_could_not_be_kept_are_kept_by_the_next_publication(
    city: ReportCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.publish()
    spend(city.log, 2020, 5)
    city.projector.catch_up()

    def fail(_self: ReportRows, _reports: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(ReportRows, "keep", fail)
        with pytest.raises(OSError, match="disk is full"):
            city.publish()
    assert gc.isenabled()
    spend(city.log, 2020, 7)
    city.projector.catch_up()
    assert SETTLEMENT.subject in city.publish()
    for found in city.rows.last_reports():
        stored = city.rows.rows(found.ref, found.report.tree_size)
        assert stored is not None
        assert compute_rows_root([row for _, row in stored]) == found.report.rows_root


def test_rows_that_are_lost_are_computed_again_as_the_log_has_them(city: ReportCity) -> None:
    city.publish()
    spend(city.log, 2020, 5)
    city.publish()
    before = {
        (found.ref, size): city.rows.rows(found.ref, size)
        for found in city.rows.last_reports()
        for size in city.rows.tree_sizes(found.ref)
    }
    with city.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM report_rows")
        connection.exec_driver_sql("DELETE FROM kept_reports")
    assert complete_rows(city.log, city.rows) == []
    assert {name: city.rows.rows(*name) for name in before} == before
    city.restart()
    assert city.publish() == set()


def edit(city: ReportCity, ref: ReportRef, old: bytes, new: bytes) -> None:
    """Somebody with the database's password changes rows."""
    of_report = (report_rows.c.kind == ref.kind, report_rows.c.key == ref.key)
    with city.engine.begin() as connection:
        for row in connection.execute(select(report_rows).where(*of_report)).all():
            one = (*of_report, report_rows.c.row_key == row.row_key, report_rows.c.since == row.since)
            changed = pack_rows([(key, data.replace(old, new)) for key, data in unpack_rows(row.body)])
            connection.execute(update(report_rows).where(*one).values(body=changed))


def test_rows_that_were_edited_are_found_and_computed_again(city: ReportCity) -> None:
    city.publish()
    (last,) = [found for found in city.rows.last_reports() if found.ref == SETTLEMENT]
    right = city.rows.rows(SETTLEMENT, last.report.tree_size)
    edit(city, SETTLEMENT, b"541831000", b"541831001")
    assert city.rows.rows(SETTLEMENT, last.report.tree_size) != right
    assert complete_rows(city.log, city.rows, recheck=True) == []
    assert city.rows.rows(SETTLEMENT, last.report.tree_size) == right


def test_a_rebuild_keeps_rows_and_reports(city: ReportCity) -> None:
    city.publish()
    spend(city.log, 2020, 5)
    city.publish()
    before = [(found, city.rows.rows(found.ref, found.report.tree_size)) for found in city.rows.last_reports()]
    Projector(city.log, city.engine).rebuild()
    rows = ReportRows(city.engine)
    assert [(found, rows.rows(found.ref, found.report.tree_size)) for found in rows.last_reports()] == before
    city.restart()
    assert city.publish() == set()


def test_heads_count_every_stream_the_reports_too(city: ReportCity) -> None:
    city.publish()
    spend(city.log, 2020, 5)
    city.publish()
    (last,) = [found for found in city.rows.last_reports() if found.ref == HEADS]
    stored = city.rows.rows(HEADS, last.report.tree_size)
    assert stored is not None
    counted = {key: json.loads(row)["events"] for key, row in stored}
    said: dict[str, int] = {}
    for entry in city.log.stored[: last.report.tree_size]:
        subject = json.loads(entry)["subject"]
        said[subject] = said.get(subject, 0) + 1
    assert counted == said
    assert HEADS.subject in counted
