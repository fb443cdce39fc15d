"""Threat T23: what does the service do when the machine's clock is stepped back, forward, or frozen?

`recordedtime` never goes back. A clock that is more than 60 seconds behind the newest entry is believed in nothing:
submissions get 503 with the reason, nothing is recorded or signed, reading goes on, and signing goes on as soon as the
clock is right again. Controls: at 60 seconds and with a frozen clock the service goes on.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

import api.server as api_server
from api.server import open_services
from audit_service.clock import format_time, parse_time
from audit_service.errors import ClockBehind
from audit_service.ledger import Ledger
from audit_service.writer import CLOCK_BEHIND_LIMIT
from tests.support.numbered_city import (
    START,
    SetClock,
    entries_of,
    make_numbered_city,
    numbered,
    numbered_city,
    open_again,
    project,
    refused_one,
    verdict_of,
    wait_for_size,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.small_city import SmallCity

MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def city(tmp_path: Path, clock: SetClock) -> Iterator[SmallCity]:
    with numbered_city(tmp_path / "ledger", clock=clock) as opened:
        assert opened.post(project()).outcomes[0].error is None
        yield opened


@pytest.mark.parametrize("behind", [CLOCK_BEHIND_LIMIT + MILLISECOND, timedelta(hours=1), timedelta(days=3650)])
def test_a_clock_that_went_back_stops_signing_until_it_is_right(
    city: SmallCity, clock: SetClock, behind: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    clock.now = START - behind
    size, signed = city.ledger.reader.tree_size, city.ledger.signed()
    for number in (1, 2):
        with pytest.raises(ClockBehind, match=f"{int(behind.total_seconds())} s behind"):
            city.post(numbered(number))
    with pytest.raises(ClockBehind):
        city.send(city.sign(numbered(1)), dry_run=True)
    assert (city.ledger.reader.tree_size, city.ledger.signed()) == (size, signed)
    assert city.ledger.reader.inclusion(1, size), "reading goes on"
    assert [record.levelno for record in caplog.records].count(logging.CRITICAL) == 1, "said once"
    clock.now = START
    assert city.post(numbered(1)).outcomes[0].index == size
    assert verdict_of(city).holds


@pytest.mark.parametrize("behind", [timedelta(0), MILLISECOND, CLOCK_BEHIND_LIMIT])
def test_control_up_to_a_minute_the_recorded_time_stands_still(
    city: SmallCity, clock: SetClock, behind: timedelta
) -> None:
    clock.now = START - behind
    assert city.post(numbered(1)).outcomes[0].error is None
    assert json.loads(entries_of(city)[-1])["recordedtime"] == format_time(START)


def test_control_a_frozen_clock_records_on(city: SmallCity) -> None:
    for number in range(3):
        assert city.post(numbered(number)).outcomes[0].error is None
    assert verdict_of(city).holds


def test_a_step_forward_is_kept_and_its_way_back_stops_signing(city: SmallCity, clock: SetClock) -> None:
    """The service cannot tell a wrong future from a right one: this is what operators must watch."""
    clock.move(days=365)
    city.post(numbered(1))
    clock.move(days=-365)
    with pytest.raises(ClockBehind):
        city.post(numbered(2))


def test_it_is_the_recorded_time_that_counts_also_after_a_restart(tmp_path: Path) -> None:
    settings = make_numbered_city(tmp_path / "ledger", clock=SetClock(START))
    with open_again(settings, clock=SetClock(START - timedelta(hours=1))) as city:
        with pytest.raises(ClockBehind):
            city.post(project())
        assert parse_time(json.loads(entries_of(city)[0])["recordedtime"]) == START


def test_a_refusal_waits_for_the_clock_as_well(city: SmallCity, clock: SetClock) -> None:
    city.post(refused_one(1))
    clock.move(hours=-1)
    with pytest.raises(ClockBehind):
        city.post(numbered(2))
    clock.now = START
    city.post(numbered(2))
    wait_for_size(city, 4)


def test_over_http_the_answer_is_503_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SetClock()
    settings = make_numbered_city(tmp_path / "ledger", clock=clock)
    token = (settings.keys / "roads.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
    with open_again(settings, clock=clock) as city:
        body = city.sign(project())
    monkeypatch.setattr(api_server, "Ledger", lambda settings, **options: Ledger(settings, clock=clock, **options))
    with open_services(settings) as app, TestClient(app) as client:
        clock.move(hours=-1)
        answer = client.post("/v1/events", content=body, headers=headers)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"].endswith("/clock-behind")
        assert "3600 s behind" in problem["detail"]
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/log/checkpoint").status_code == 200
        assert client.get("/v1/events/0").status_code == 200
        clock.move(hours=1)
        assert client.post("/v1/events", content=body, headers=headers).status_code == 201
