"""A small real city whose agency numbers its submissions and closes its days; its clock is an argument."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from audit_service.catalogue.event import decode_event
from audit_service.clock import now_utc
from audit_service.genesis import AgencyPlan, initialise
from audit_service.ledger import Ledger
from audit_service.settings import read_url
from projections.folds.all import fold_all
from projections.folds.answers import fold_answer
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.small_city import ORIGIN, TIMEOUT_S, SmallCity, submission
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_service.clock import Clock
    from audit_service.settings import Settings
    from projections.replay_verdict import Verdict

SCOPES = ("budget.*", "project.*", "service.*", "registry.day-closed.v1")
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DAY = "2026-03-01"


class SetClock:
    """A clock that shows what it was set to."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def make_numbered_city(data_dir: Path, *, clock: Clock = now_utc) -> Settings:
    agencies = [
        AgencyPlan(code="city", name_ko="시청", name_en="City hall", scopes=("registry.*",)),
        AgencyPlan(code="roads", name_ko="도로과", name_en="Road works", scopes=SCOPES),
    ]
    return initialise(
        data_dir,
        origin=ORIGIN,
        city="city",
        agencies=agencies,
        clock=clock,
        database_url=read_url("database_url"),
        journal_url=read_url("journal_url"),
    )


@contextmanager
def numbered_city(data_dir: Path, *, clock: Clock = now_utc) -> Iterator[SmallCity]:
    settings = make_numbered_city(data_dir, clock=clock)
    with open_again(settings, clock=clock) as city:
        yield city


@contextmanager
def open_again(settings: Settings, *, clock: Clock = now_utc) -> Iterator[SmallCity]:
    with Ledger(settings, clock=clock) as ledger:
        yield SmallCity(settings, ledger)


def numbered(number: int | None, *, event_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """An event that no rule refuses, under this number."""
    event_id = event_id or f"plan-{number}"
    data = {"title_ko": f"계획 {event_id}", "date": "2021"}
    sequence = {} if number is None else {"sequence": str(number)}
    return submission("project.basis-recorded.v1", "project/p1", data, event_id=event_id, **sequence, **changes)


def project() -> dict[str, Any]:
    """The project that those events are about."""
    fields = {
        "name_ko": "가로등",
        "bureau": "roads-bureau",
        "division": "roads",
        "roles": [],
        "account_ko": "일반회계",
        "recurrence_ko": "연례반복",
        "purpose_ko": [],
        "contents_ko": [],
        "fiscal_year": 2021,
        "funding": {"total_won": 100, "city_won": 100},
    }
    return submission("project.registered.v1", "project/p1", fields, event_id="project")


def refused_one(number: int, *, event_id: str | None = None) -> dict[str, Any]:
    """A well-formed event that a rule refuses: it is about a project that nobody registered."""
    return numbered(number, event_id=event_id or f"stranger-{number}") | {"subject": "project/nobody"}


def close(first: int, last: int, *, day: str = DAY, count: int | None = None) -> dict[str, Any]:
    data = {
        "day": day,
        "first_sequence": str(first),
        "last_sequence": str(last),
        "count": last - first + 1 if count is None else count,
    }
    return submission("registry.day-closed.v1", "registry/agency/roads", data, event_id=f"close-{day}")


def entries_of(city: SmallCity) -> list[bytes]:
    reader = city.ledger.reader
    return reader.entries(0, reader.tree_size)


def refusals_of(city: SmallCity) -> list[dict[str, Any]]:
    """The payloads of all refusals in the log."""
    events = [json.loads(entry) for entry in entries_of(city)]
    return [event["data"] for event in events if event["type"] == "registry.submission-refused.v1"]


def wait_for_size(city: SmallCity, size: int) -> None:
    """Wait until the log has so many entries: a refusal's follows its answer."""
    deadline = time.monotonic() + TIMEOUT_S
    while city.ledger.reader.tree_size < size:
        assert time.monotonic() < deadline, f"the log did not reach {size} entries"
        time.sleep(0.01)


def verdict_of(city: SmallCity) -> Verdict:
    """What an auditor's replay of the published log says."""
    ledger = city.ledger
    deadline = time.monotonic() + TIMEOUT_S
    while ledger.published_size < ledger.reader.tree_size:
        assert time.monotonic() < deadline, "the log was not published"
        time.sleep(0.01)
    return replay(DirectoryLog(ledger.public_dir), vkey=VerifierKey.parse(ledger.vkey))


def gaps_of(city: SmallCity) -> dict[str, list[dict[str, Any]]]:
    """What any auditor computes from the entries alone."""
    folds = fold_all()
    entries = entries_of(city)
    for index, entry in enumerate(entries):
        folds.apply(index, decode_event(entry))
    answer = fold_answer(folds, "agency-gaps", "roads", tree_size=len(entries))
    assert answer is not None, "no account of this agency"
    tables: dict[str, list[dict[str, Any]]] = answer["tables"]
    return tables
