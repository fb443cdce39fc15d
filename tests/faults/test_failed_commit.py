"""A commit that fails leaves no gap, no half and no memory of what was not recorded.

eventsourcing empties its list of pending events before it inserts: without discarding what is in memory, the
next event would take the position after the lost one. Each test here shows the whole log afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from sqlalchemy import event, exc

from audit_service.errors import RecordingFailed
from audit_service.recording.recorder import Commit
from tests.support.small_city import BUDGET, SmallCity, budget_year, obligation, small_city
from verifier.envelope import parse_entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path / "ledger") as opened:
        yield opened


class FailOnce:
    """Lets one statement fail that begins with these words, as a full or broken disk would."""

    def __init__(self, engine: Any, words: str) -> None:
        self._words = words
        self.armed = True
        event.listen(engine, "before_cursor_execute", self._before)

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if self.armed and statement.startswith(self._words):
            self.armed = False
            raise exc.OperationalError(statement, (), OSError(28, "No space left on device"))


def positions(city: SmallCity) -> list[int]:
    return [parse_entry(entry)["position"] for _, entry in city.ledger.reader.subject_entries(BUDGET)]


@pytest.mark.parametrize("words", ["INSERT INTO events", "INSERT INTO submissions", "UPDATE head"])
def test_a_failed_insert_leaves_no_gap(city: SmallCity, words: str) -> None:
    city.post(*budget_year(appropriated_won=100))
    before = city.ledger.signed()
    fault = FailOnce(city.ledger._writing, words)
    with pytest.raises(RecordingFailed):
        city.post(obligation(1, amount_won=60))
    assert not fault.armed
    assert city.ledger.signed() == before
    # The lost obligation is not remembered (100 won are free again), and the next position is the one it had.
    result = city.post(obligation(2, amount_won=100))
    assert result.outcomes[0].index == before.size
    assert positions(city) == [1, 2, 3, 4, 5]


def test_without_discarding_the_gap_would_be_there(city: SmallCity) -> None:
    """The negative control: the same fault, with the discarding switched off, is caught by the recorder only."""
    city.post(*budget_year(appropriated_won=100))
    FailOnce(city.ledger._writing, "INSERT INTO events")
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


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET state = x'00'", "DELETE FROM events", "DELETE FROM checkpoints"]
)
def test_the_database_itself_refuses_to_change_what_was_recorded(city: SmallCity, statement: str) -> None:
    with pytest.raises(exc.IntegrityError, match="never changed"), city.ledger._writing.begin() as connection:
        connection.exec_driver_sql(statement)
