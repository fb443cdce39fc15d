"""How does the simulated city get through its days? One agenda of what is to be done, in the order of the calendar.

A task is a function that yields atomic groups of submissions and may put more on the agenda. Nothing is kept of what
was done, so that memory does not grow with the log.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from audit_service.catalogue.event import Event
from audit_service.catalogue.types import EVENT_TYPES, requires_legal_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Data = dict[str, Any]


class Submission(NamedTuple):
    """What an agency submits, before it is signed: the attributes of the entry format, `data` as JSON values."""

    type: str
    subject: str
    source: str
    id: str
    time: str
    legal_date: str | None
    data: Data


Group = list[Submission]


@cache
def day(year: int, month: int, number: int) -> int:
    """A day as a number that can be counted on."""
    return date(year, month, number).toordinal()


@cache
def iso(number: int) -> str:
    """A day as `YYYY-MM-DD`."""
    return date.fromordinal(number).isoformat()


class Agenda:
    """What is still to be done, by day; within a day in the order in which it was planned."""

    def __init__(self) -> None:
        self.today = 0
        self._tasks: list[tuple[int, int, Callable[[], Iterator[Group]]]] = []
        self._order = count()

    def plan(self, number: int, task: Callable[[], Iterator[Group]]) -> None:
        """Do this on a day; what lies in the past is done today."""
        heappush(self._tasks, (max(number, self.today), next(self._order), task))

    def run(self) -> Iterator[Group]:
        """Do everything, in order."""
        while self._tasks:
            self.today, _, task = heappop(self._tasks)
            yield from task()


class Desk:
    """One agency at work: it numbers its events and dates them today."""

    def __init__(self, agenda: Agenda, code: str) -> None:
        self.agenda, self.code = agenda, code
        self.source = f"urn:kr:agency:{code}"
        self._ids = count(1)

    def new_id(self, kind: str = "e") -> str:
        """An id that this agency has not used."""
        return f"{kind}-{next(self._ids)}"

    def submit(self, event_type: str, subject: str, data: Data, *, event_id: str | None = None) -> Submission:
        """One submission of today."""
        today = iso(self.agenda.today)
        dated = _is_dated(event_type)
        time = f"{today}T06:00:00.000Z"
        return Submission(
            event_type, subject, self.source, event_id or self.new_id(), time, today if dated else None, data
        )


@cache
def _is_dated(event_type: str) -> bool:
    return requires_legal_date(event_type)


def to_event(submission: Submission, *, index: int = -1, position: int = 0) -> Event:
    """The typed event that rules and folds take; raises `msgspec.ValidationError` where the catalogue says no."""
    return Event(
        type=submission.type,
        subject=submission.subject,
        source=submission.source,
        id=submission.id,
        time=submission.time,
        legal_date=submission.legal_date,
        position=position,
        recorded_time="",
        data=msgspec.convert(submission.data, EVENT_TYPES[submission.type]),
        index=index,
    )


_encoder = msgspec.json.Encoder(order="sorted")


def to_entry(submission: Submission, *, position: int) -> bytes:
    """The bytes that the log would hold, but for signatures: canonical JSON."""
    attributes: Data = {
        "data": submission.data,
        "id": submission.id,
        "position": position,
        "recordedtime": submission.time,
        "source": submission.source,
        "specversion": "1.0",
        "subject": submission.subject,
        "time": submission.time,
        "type": submission.type,
    }
    if submission.legal_date is not None:
        attributes["legaldate"] = submission.legal_date
    return _encoder.encode(attributes)
