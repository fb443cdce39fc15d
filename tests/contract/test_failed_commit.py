"""A commit that fails leaves no gap, no half and no memory of what was not recorded.

eventsourcing empties its list of pending events before it inserts: without discarding what is in memory, the
next event would take the position after the lost one. Each test here shows the whole log afterwards.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from sqlalchemy import event, exc

from audit_service.errors import Overloaded, RecordingFailed
from audit_service.recording import recorder
from audit_service.recording.recorder import Commit
from tests.support.small_city import BUDGET, TIMEOUT_S, SmallCity, budget_year, obligation, small_city
from verifier.envelope import parse_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path / "ledger") as opened:
        yield opened


class FailOnce:
    """Lets one step fail, as a full or broken disk would: the rows of a table, or the statement that moves the head."""

    def __init__(self, engine: Any, step: str) -> None:
        self._step = step
        self.armed = True
        event.listen(engine, "before_cursor_execute", self._before)
        self._insert_rows = recorder.insert_rows

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(self._step):
            self._fail()

    def insert_rows(self, connection: Any, into: Any, rows: Any) -> None:
        if into.table == self._step:
            self._fail()
        self._insert_rows(connection, into, rows)

    def _fail(self) -> None:
        if self.armed:
            self.armed = False
            raise exc.OperationalError(self._step, (), OSError(28, "No space left on device"))


def fail_once(city: SmallCity, step: str, monkeypatch: pytest.MonkeyPatch) -> FailOnce:
    fault = FailOnce(city.ledger._writing, step)
    monkeypatch.setattr(recorder, "insert_rows", fault.insert_rows)
    return fault


def positions(city: SmallCity) -> list[int]:
    return [parse_entry(entry)["position"] for _, entry in city.ledger.reader.subject_entries(BUDGET)]


@pytest.mark.parametrize("step", ["events", "submissions", "UPDATE head"])
def test_a_failed_insert_leaves_no_gap(city: SmallCity, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    city.post(*budget_year(appropriated_won=100))
    before = city.ledger.signed()
    fault = fail_once(city, step, monkeypatch)
    with pytest.raises(RecordingFailed):
        city.post(obligation(1, amount_won=60))
    assert not fault.armed
    assert city.ledger.signed() == before
    # The lost obligation is not remembered (100 won are free again), and the next position is the one it had.
    result = city.post(obligation(2, amount_won=100))
    assert result.outcomes[0].index == before.size
    assert positions(city) == [1, 2, 3, 4, 5]


def test_without_discarding_the_gap_would_be_there(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same fault, with the discarding switched off, is caught by the recorder only."""
    city.post(*budget_year(appropriated_won=100))
    fail_once(city, "events", monkeypatch)
    city.ledger._streams.discard = lambda: None  # type: ignore[method-assign] # the defect, on purpose
    with pytest.raises(RecordingFailed):
        city.post(obligation(1, amount_won=10))
    with pytest.raises(RecordingFailed):
        city.post(obligation(2, amount_won=10))
    assert positions(city) == [1, 2, 3, 4]


@pytest.mark.parametrize("position", [4, 6])
def test_the_recorder_refuses_a_taken_position_and_a_gap(city: SmallCity, position: int) -> None:
    city.post(*budget_year())
    size = city.ledger.reader.tree_size
    stored = StoredEvent(BUDGET, position, "budget.allotted.v1", b"{}")
    epoch = city.ledger._recorder.head().epoch
    commit = Commit(recorded_time="", keys=[], epoch=epoch, tree_size=size)
    with pytest.raises(IntegrityError):
        city.ledger._recorder.insert_events([stored], commit=commit)
    assert city.ledger._recorder.head().tree_size == size


class LoseAnswer:
    """Lets one commit happen and its answer get lost, as when the connection breaks just then."""

    def __init__(self, city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
        dialect = city.ledger._writing.dialect
        self._commit = dialect.do_commit
        self.armed = True
        monkeypatch.setattr(dialect, "do_commit", self.do_commit)

    def do_commit(self, connection: Any) -> None:
        self._commit(connection)
        if self.armed:
            self.armed = False
            raise exc.OperationalError("COMMIT", (), OSError(104, "Connection reset by peer"))


def stop_publishing(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive of published checkpoints is written with the same connections: only the recorder shall be hit."""
    monkeypatch.setattr(city.ledger._publication, "wake", lambda: None)


def test_a_commit_whose_answer_was_lost_is_recorded_once(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    city.post(*budget_year(appropriated_won=100))
    stop_publishing(city, monkeypatch)
    lost = LoseAnswer(city, monkeypatch)
    with pytest.raises(RecordingFailed):
        city.post(obligation(1, amount_won=60))
    assert not lost.armed
    repeated = city.post(obligation(1, amount_won=60))
    assert (repeated.outcomes[0].index, repeated.outcomes[0].repeated, repeated.head.size) == (5, True, 6)
    assert city.post(obligation(2, amount_won=60)).outcomes[0].error is not None, "60 of 100 won are taken"
    assert city.post(obligation(3, amount_won=40)).outcomes[0].index == 6
    assert positions(city) == [1, 2, 3, 4, 5, 6]
    signed = city.ledger.signed()
    assert city.ledger.reader.root(signed.size) == signed.root


def test_what_was_recorded_without_an_answer_is_signed_although_nobody_asks_again(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.post(*budget_year(appropriated_won=100))
    stop_publishing(city, monkeypatch)
    LoseAnswer(city, monkeypatch)
    with pytest.raises(RecordingFailed):
        city.post(obligation(1, amount_won=60))
    deadline = time.monotonic() + TIMEOUT_S
    while city.ledger.signed().size < 6:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_database_that_does_not_say_what_the_commit_left_is_asked_again(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.post(*budget_year(appropriated_won=100))
    stop_publishing(city, monkeypatch)
    LoseAnswer(city, monkeypatch)

    def fail() -> None:
        raise exc.OperationalError("SELECT", (), OSError(111, "Connection refused"))

    with monkeypatch.context() as patch:
        patch.setattr(city.ledger._recorder, "settled_head", fail)
        for _ in range(3):
            with pytest.raises(RecordingFailed):
                city.post(obligation(1, amount_won=60))
    assert city.post(obligation(1, amount_won=60)).outcomes[0].index == 5
    assert city.ledger._writer.stopped_because is None


def test_control_without_asking_the_log_could_not_go_on(city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> None:
    city.post(*budget_year(appropriated_won=100))
    stop_publishing(city, monkeypatch)
    LoseAnswer(city, monkeypatch)
    monkeypatch.setattr(city.ledger._writer, "_settle", lambda: None)  # the defect, on purpose
    with pytest.raises(RecordingFailed):
        city.post(obligation(1, amount_won=60))
    with pytest.raises(Overloaded):
        city.post(obligation(2, amount_won=40))
    assert "the database stands at size 6, the writer at size 5" in (city.ledger._writer.stopped_because or "")
