"""A city that publishes its reports, in memory: a signed log, a projector that follows it, and a publisher.

The log is honest and small (`LogBuilder`); the publisher's way in records what it is given at once. Tests that need a
lying city change one thing of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from audit_service.closed_trees import MerklelibTree
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from projections.read_models.projector import Projector
from projections.read_models.reports import ReportRows
from projections.reports.publishing import ReportPublisher
from verifier.canonical import encode_canonical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.seed_city import MemoryLog
    from verifier.closed_trees import Prover

CITY = "urn:kr:agency:seoul"


class MemoryDoor:
    """The publisher's way into a `MemoryLog`; `refusing` lets it refuse everything."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._positions: dict[str, int] = {}
        self.refusing = False
        self.submitted: list[dict[str, Any]] = []

    def city(self) -> str:
        return CITY

    def now(self) -> str:
        return "2022-02-28T15:00:00.000Z"

    def submit(self, submissions: list[dict[str, Any]]) -> list[int | Exception]:
        self.submitted += submissions
        if self.refusing:
            return [RuntimeError("the queue is full")] * len(submissions)
        return [self._record(one) for one in submissions]

    def _record(self, submission: dict[str, Any]) -> int:
        subject = submission["subject"]
        position = self._positions[subject] = self._positions.get(subject, 0) + 1
        entry = {
            **submission,
            "position": position,
            "recordedtime": "2022-02-28T15:00:00.000Z",
            # A light check looks for a signature; whether it holds is not this city's matter.
            "signature": "e30.." + "A" * 86,
        }
        self._log.stored.append(encode_canonical(entry))
        return len(self._log.stored) - 1


class ReportCity:
    """The parts together; `publish` follows the log and publishes what is due."""

    def __init__(self, log: MemoryLog, folder: Path, *, prover: Prover = MerklelibTree) -> None:
        self.log = log
        self.engine = open_sqlite(folder / "projections.sqlite3")
        upgrade(self.engine, "projections")
        self.rows = ReportRows(self.engine)
        self.door = MemoryDoor(log)
        self.prover = prover
        self.restart()

    def restart(self) -> None:
        """A new process on the same database."""
        self.projector = Projector(self.log, self.engine)
        self.publisher = ReportPublisher(self.projector, self.rows, self.door, self.prover)

    def publish(self) -> set[str]:
        """Publish what is due; the streams of the reports that were published."""
        published = self.publisher.publish()
        self.projector.catch_up()
        return {one.ref.subject for one in published if one.index is not None}


@contextmanager
def report_city(log: MemoryLog, folder: Path, *, prover: Prover = MerklelibTree) -> Iterator[ReportCity]:
    city = ReportCity(log, folder, prover=prover)
    try:
        yield city
    finally:
        city.engine.dispose()
