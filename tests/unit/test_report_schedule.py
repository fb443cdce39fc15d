"""When does a running service publish by itself: on its schedule, at a year's end, and never otherwise?"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from api.report_publishing import ReportSchedule
from api.server import open_services
from audit_cli.main import main
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from projections.read_models.report_requests import ReportRequests
from projections.reports.definitions import ReportRef
from tests.support.events import budget, closed, opened
from tests.support.small_city import small_city

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from projections.reports.publishing import Publication, ReportPublisher

FAR_TOO_LONG_S = 30


class Publisher:
    """Remembers what it was asked to publish; `failing` times it fails first."""

    def __init__(self) -> None:
        self.asked: list[set[ReportRef] | None] = []
        self.failing = 0
        self.was_asked = threading.Event()

    def publish(self, only: set[ReportRef] | None = None) -> list[Publication]:
        self.asked.append(only)
        self.was_asked.set()
        if self.failing:
            self.failing -= 1
            raise RuntimeError("a fold failed")
        return []


@pytest.fixture
def requests(tmp_path: Path) -> Iterator[ReportRequests]:
    engine = open_sqlite(tmp_path / "projections.sqlite3")
    upgrade(engine, "projections")
    yield ReportRequests(engine)
    engine.dispose()


def schedule(publisher: Any, requests: ReportRequests, interval_s: float, **more: Any) -> ReportSchedule:
    typed: ReportPublisher = publisher
    return ReportSchedule(typed, requests, interval_s=interval_s, **more)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + FAR_TOO_LONG_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_publishes_again_and_again(requests: ReportRequests) -> None:
    publisher = Publisher()
    running = schedule(publisher, requests, 0.01)
    running.start()
    wait_until(lambda: len(publisher.asked) >= 2)
    running.stop()
    assert set(publisher.asked) == {None}


def test_without_an_interval_it_publishes_only_what_somebody_asks_for(requests: ReportRequests) -> None:
    publisher = Publisher()
    running = schedule(publisher, requests, 0)
    running.look_at([closed(year=2021)])
    running.start()
    request = requests.add()
    wait_until(lambda: requests.published(request) is not None)
    running.stop()
    assert publisher.asked == [None]


def test_the_end_of_a_year_is_published_at_once(requests: ReportRequests) -> None:
    publisher = Publisher()
    running = schedule(publisher, requests, 3600)
    running.look_at([opened(2021)])
    running.start()
    running.look_at([closed(year=2021)])
    assert publisher.was_asked.wait(FAR_TOO_LONG_S)
    running.stop()
    key = budget(2021).removeprefix("budget/")
    assert publisher.asked == [{ReportRef("budget-book", key), ReportRef("settlement", key.partition("/")[0])}]


def test_what_comes_before_is_done_before_and_its_failure_stops_nothing(requests: ReportRequests) -> None:
    publisher = Publisher()
    order: list[str] = []

    def before() -> None:
        order.append(f"asked {len(publisher.asked)}")
        raise RuntimeError("no rows")

    running = schedule(publisher, requests, 0.01, before=before)
    running.start()
    assert publisher.was_asked.wait(FAR_TOO_LONG_S)
    running.stop()
    assert order == ["asked 0"]


def test_a_request_that_failed_goes_on_waiting(requests: ReportRequests) -> None:
    publisher = Publisher()
    publisher.failing = 1
    running = schedule(publisher, requests, 0)
    request = requests.add()
    running.start()
    assert publisher.was_asked.wait(FAR_TOO_LONG_S)
    running.stop()
    assert requests.published(request) is None
    assert requests.waiting() == request


def test_the_command_publishes_beside_no_service_and_the_next_start_has_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_city(tmp_path / "ledger") as city:
        settings = city.settings
    assert main(["report", "publish", "--data", str(settings.data_dir)]) == 0
    published = int(capsys.readouterr().out.split()[1])
    assert published >= 4  # the registers and the heads are there from the first entry on
    assert main(["report", "publish", "--data", str(settings.data_dir)]) == 0
    assert capsys.readouterr().out == "published 0 reports\n"
    assert main(["db", "rebuild", "--data", str(settings.data_dir)]) == 0
    with open_services(settings):
        pass


def test_without_the_publishers_key_nothing_is_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_city(tmp_path / "ledger") as city:
        settings = city.settings
    (settings.keys / "publisher.key").unlink()
    assert main(["report", "publish", "--data", str(settings.data_dir)]) == 2
    assert "no publisher's key" in capsys.readouterr().err
    with open_services(settings):
        pass
