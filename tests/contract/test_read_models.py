"""Do the read models answer what the folds answer, and do they stop instead of skipping?"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from audit_service.recording.database import open_database
from audit_service.recording.migrations import upgrade
from audit_service.settings import Settings, read_url
from projections.folds.all import fold_all
from projections.folds.answers import answer_as_of, fold_answer, fold_keys
from projections.read_models.errors import NotYetProjected, ProjectionStopped
from projections.read_models.projector import Projector
from projections.read_models.queries import ReadModels
from tests.support.seed_city import (
    AGENCY,
    MAINTENANCE,
    PROJECT,
    MemoryLog,
    publish_count,
    seal_batch,
    seed_log,
    spend,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

FAR_TOO_LONG_S = 30


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = Settings(data_dir=tmp_path, origin="log.example", database_url=read_url("database_url"))
    engine = open_database(settings, "projections")
    upgrade(engine, "projections")
    yield engine
    engine.dispose()


@pytest.fixture
def log() -> MemoryLog:
    log = seed_log()
    seal_batch(log, "used-car", "2019", ["record"] * 7)
    spend(log, 2020, 5)
    return log


def every_answer(models: ReadModels) -> dict[tuple[str, str], Any]:
    return {(kind, key): models.answer(kind, key) for kind in fold_all().kinds for key in models.keys(kind)}


def folded(log: MemoryLog, size: int) -> dict[tuple[str, str], Any]:
    folds = fold_all()
    for index, event in log.events()[:size]:
        folds.apply(index, event)
    return {
        (kind, key): fold_answer(folds, kind, key, tree_size=size)
        for kind, keys in fold_keys(folds).items()
        for key in keys
    }


def stored(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}"))))  # noqa: S608 - three names of ours
            for table in ("projection_rows", "entry_index")
        }


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + FAR_TOO_LONG_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_they_answer_what_the_folds_answer(engine: Engine, log: MemoryLog) -> None:
    projector, models = Projector(log, engine), ReadModels(engine)
    assert models.position() == 0
    assert projector.catch_up() == log.head_size()
    assert models.position() == projector.position == log.head_size()
    assert every_answer(models) == folded(log, log.head_size())
    assert projector.catch_up() == 0


@pytest.mark.parametrize("page_size", [1, 3, 7])
def test_pages_and_restarts_do_not_show(engine: Engine, log: MemoryLog, page_size: int) -> None:
    models = ReadModels(engine)
    while models.position() < log.head_size():
        Projector(log, engine, page_size=page_size).catch_up(limit=10)
        assert every_answer(models) == folded(log, models.position())


def test_rebuilding_gives_what_following_gave(engine: Engine, log: MemoryLog) -> None:
    projector, models = Projector(log, engine, page_size=5), ReadModels(engine)
    projector.catch_up()
    before, rows = every_answer(models), stored(engine)
    assert projector.rebuild() == log.head_size()
    assert every_answer(models) == before
    assert stored(engine) == rows
    log.add("project.effect-stated.v1", f"project/{PROJECT}", {"text_ko": "효과"})
    projector.catch_up()
    assert every_answer(models) == folded(log, log.head_size())


def test_rebuilding_mends_what_was_changed_by_hand(engine: Engine, log: MemoryLog) -> None:
    projector, models = Projector(log, engine), ReadModels(engine)
    projector.catch_up()
    with engine.begin() as connection:
        connection.execute(text("UPDATE projection_rows SET body = replace(body, '282451000', '282451001')"))
    assert every_answer(models) != folded(log, log.head_size())
    projector.rebuild()
    assert every_answer(models) == folded(log, log.head_size())


def break_entry(log: MemoryLog, index: int) -> bytes:
    good, log.stored[index] = log.stored[index], b'{"not":"an entry"}'
    return good


@pytest.mark.parametrize("page_size", [1, 4, 1000])
def test_a_bad_entry_stops_the_projector_right_in_front_of_it(engine: Engine, log: MemoryLog, page_size: int) -> None:
    good = break_entry(log, 10)
    projector, models = Projector(log, engine, page_size=page_size), ReadModels(engine)
    for _ in range(2):
        with pytest.raises(ProjectionStopped, match="stopped before entry 10"):
            projector.catch_up()
    assert isinstance(projector.failure, ProjectionStopped)
    assert projector.failure.position == models.position() == projector.position == 10
    log.stored[10] = good
    projector.resume()
    assert projector.catch_up() == log.head_size() - 10
    assert every_answer(models) == folded(log, log.head_size())


def test_an_entry_of_an_unknown_type_is_not_skipped(engine: Engine, log: MemoryLog) -> None:
    size = log.head_size()
    log.add("budget.unknown.v9", f"budget/{AGENCY}/2021", {})
    projector = Projector(log, engine)
    with pytest.raises(ProjectionStopped, match=r"budget\.unknown"):
        projector.catch_up()
    assert projector.position == size


def test_a_failed_commit_leaves_the_page_before_it(engine: Engine, log: MemoryLog) -> None:
    projector, models = Projector(log, engine, page_size=20), ReadModels(engine)
    projector.catch_up(limit=20)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE projection_rows RENAME TO elsewhere"))
    with pytest.raises(ProjectionStopped, match="projection_rows"):
        projector.catch_up()
    assert models.position() == projector.position == 20
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO projection_rows"))
    assert every_answer(models) == folded(log, 20)
    projector.resume()
    projector.catch_up()
    assert every_answer(models) == folded(log, log.head_size())


def test_a_failed_rebuild_leaves_the_old_tables(engine: Engine, log: MemoryLog) -> None:
    projector, models = Projector(log, engine), ReadModels(engine)
    projector.catch_up()
    before = every_answer(models)
    good = break_entry(log, 3)
    with pytest.raises(ProjectionStopped):
        projector.rebuild()
    assert every_answer(models) == before
    log.stored[3] = good
    assert projector.rebuild() == log.head_size()


def test_two_projectors_on_one_database_do_not_write_twice(engine: Engine, log: MemoryLog) -> None:
    first, second = Projector(log, engine), Projector(log, engine)
    first.catch_up()
    with pytest.raises(ProjectionStopped, match="another projector"):
        second.catch_up()
    assert every_answer(ReadModels(engine)) == folded(log, log.head_size())


def test_a_log_that_gives_fewer_entries_than_it_has_stops_the_projector(engine: Engine) -> None:
    class ShortLog(MemoryLog):
        def head_size(self) -> int:
            return 5

    with pytest.raises(ProjectionStopped, match="expected 5 entries from 0, found 0"):
        Projector(ShortLog(), engine).catch_up()


def test_a_log_that_cannot_be_read_stops_the_projector(engine: Engine) -> None:
    class LostLog(MemoryLog):
        def head_size(self) -> int:
            raise OSError("gone")

    projector = Projector(LostLog(), engine)
    with pytest.raises(ProjectionStopped, match="OSError: gone"):
        projector.catch_up()
    assert projector.failure is not None


def test_the_thread_follows_the_log_when_it_is_woken(engine: Engine) -> None:
    log = MemoryLog()
    projector, models = Projector(log, engine), ReadModels(engine)
    stop = threading.Event()
    thread = threading.Thread(target=projector.run, args=(stop,))
    thread.start()
    try:
        for _ in range(3):
            publish_count(log, "s", log.head_size(), period=f"20{log.head_size():02}")
            projector.wake()
            wait_until(lambda: models.position() == log.head_size())
    finally:
        stop.set()
        projector.wake()
        thread.join(FAR_TOO_LONG_S)
    assert not thread.is_alive()
    assert every_answer(models) == folded(log, 3)


def test_the_thread_does_not_ask_again_before_it_is_woken(engine: Engine) -> None:
    asked: list[float] = []

    class Watched(MemoryLog):
        def head_size(self) -> int:
            asked.append(time.monotonic())
            return super().head_size()

    projector = Projector(Watched(), engine)
    stop = threading.Event()
    thread = threading.Thread(target=projector.run, args=(stop,))
    projector.wake()
    thread.start()
    try:
        wait_until(lambda: bool(asked))
        time.sleep(0.05)
        assert len(asked) == 1
    finally:
        stop.set()
        projector.wake()
        thread.join(FAR_TOO_LONG_S)
    assert not thread.is_alive()


def test_the_thread_waits_after_a_failure_until_it_is_resumed(
    engine: Engine, log: MemoryLog, caplog: pytest.LogCaptureFixture
) -> None:
    good = break_entry(log, 4)
    projector, models = Projector(log, engine), ReadModels(engine)
    stop = threading.Event()
    thread = threading.Thread(target=projector.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: projector.failure is not None and models.position() == 4)
        log.stored[4] = good
        projector.resume()
        wait_until(lambda: models.position() == log.head_size())
        assert projector.failure is None
    finally:
        stop.set()
        projector.wake()
        thread.join(FAR_TOO_LONG_S)
    assert not thread.is_alive()
    assert "projection stopped" in caplog.text


def test_entries_are_found_by_each_attribute_and_paged(engine: Engine, log: MemoryLog) -> None:
    Projector(log, engine).catch_up()
    models = ReadModels(engine)
    by_subject = models.find_entries(subject=MAINTENANCE)
    assert [entry.type for entry in by_subject] == [
        "contract.planned.v1",
        "contract.signed.v1",
        "contract.instalment-signed.v1",
    ]
    assert by_subject[0].legal_date == "2019-12-12"
    assert models.find_entries(id=by_subject[1].id, source=by_subject[1].source) == [by_subject[1]]
    assert models.find_entries(type="contract.signed.v1") == [by_subject[1]]
    assert models.find_entries(subject=MAINTENANCE, after=by_subject[0].index, limit=1) == [by_subject[1]]
    assert models.find_entries(source="urn:kr:agency:nobody") == []
    everything, after = [], -1
    while page := models.find_entries(after=after, limit=7):
        everything += page
        after = page[-1].index
    assert [entry.index for entry in everything] == list(range(log.head_size()))


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_of_entries_has_a_limit(engine: Engine, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        ReadModels(engine).find_entries(limit=limit)


def test_unknown_keys_and_kinds(engine: Engine, log: MemoryLog) -> None:
    Projector(log, engine).catch_up()
    models = ReadModels(engine)
    assert models.answer("settlement", "nobody") is None
    for question in (models.keys, lambda kind: models.answer(kind, "key")):
        with pytest.raises(KeyError):
            question("unknown")


@pytest.mark.parametrize("legal_date", [None, "2018-12-31"])
def test_as_of_an_earlier_size(engine: Engine, log: MemoryLog, legal_date: str | None) -> None:
    Projector(log, engine).catch_up()
    models = ReadModels(engine)
    for kind, key in folded(log, log.head_size()):
        for size in (0, 1, log.head_size() // 2, log.head_size()):
            expected = answer_as_of(log.events(), kind, key, tree_size=size, legal_date=legal_date)
            assert models.answer_as_of(log, kind, key, tree_size=size, legal_date=legal_date) == expected


def test_as_of_a_size_that_is_not_projected_yet(engine: Engine, log: MemoryLog) -> None:
    Projector(log, engine).catch_up(limit=5)
    with pytest.raises(NotYetProjected, match="stand at 5 entries, asked for 6"):
        ReadModels(engine).answer_as_of(log, "settlement", AGENCY, tree_size=6)


def test_as_of_reads_only_the_streams_that_the_answer_needs(engine: Engine, log: MemoryLog) -> None:
    far = log.head_size()
    for _ in range(100):
        log.add("project.effect-stated.v1", "project/other", {"text_ko": "효과"})
    publish_count(log, "used-car", 1, period=None)
    Projector(log, engine).catch_up()
    asked: list[tuple[int, int]] = []

    class Watched(MemoryLog):
        def entries(self, start: int, stop: int) -> list[bytes]:
            asked.append((start, stop))
            return log.entries(start, stop)

    ReadModels(engine).answer_as_of(Watched(), "service-statistics", "used-car", tree_size=log.head_size())
    assert asked[-1] == (far + 100, far + 101)
    assert all(stop <= far for _, stop in asked[:-1])


def test_as_of_a_project_reads_only_the_budget_that_it_names(engine: Engine, log: MemoryLog) -> None:
    far = log.head_size()
    line = {"line_id": "x", "name_ko": "목", "project_id": PROJECT, "division": "other", "fund": "CITY"}
    for _ in range(100):
        log.add("budget.line-defined.v1", "budget/other/2021", line, legal_date="2021-01-01")
    Projector(log, engine).catch_up()
    asked: list[int] = []

    class Watched(MemoryLog):
        def entries(self, start: int, stop: int) -> list[bytes]:
            asked.append(stop)
            return log.entries(start, stop)

    models, size = ReadModels(engine), log.head_size()
    found = models.answer_as_of(Watched(), "project-register", PROJECT, tree_size=size)
    assert max(asked) <= far
    assert found == models.answer("project-register", PROJECT)
    assert found == answer_as_of(log.events(), "project-register", PROJECT, tree_size=size)


def test_read_models_of_another_version_are_rebuilt_not_built_upon(engine: Engine, log: MemoryLog) -> None:
    Projector(log, engine).catch_up()
    expected = every_answer(ReadModels(engine))
    with engine.begin() as connection:
        connection.execute(text("UPDATE fold_state SET state = :other WHERE name = 'log'"), {"other": b"another"})
        connection.execute(text("UPDATE fold_state SET state = :torn WHERE name <> 'log'"), {"torn": b"\xc1"})
    assert Projector(log, engine).catch_up() == log.head_size()
    assert every_answer(ReadModels(engine)) == expected
    assert Projector(log, engine).catch_up() == 0
