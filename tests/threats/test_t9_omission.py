"""Threat T9: is a submission that is dropped before it is logged seen by everybody, in the agency's next close?

Dropped on the way in (a proxy), in the queue (the writer never got it) and by a commit that failed and was never
repeated. The controls: nothing dropped, so the close is met; refused openly, so it is no gap; and what was never
numbered, which nobody can see: that is the limit, stated as a test.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import exc

from audit_service.errors import RecordingFailed
from audit_service.recording.recorder import LedgerRecorder
from tests.support.api_city import SOURCE, TIMEOUT_S, open_api_city
from tests.support.numbered_city import (
    close,
    gaps_of,
    numbered,
    numbered_city,
    open_again,
    project,
    refused_one,
    verdict_of,
    wait_for_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.small_city import SmallCity

NUMBERS = range(1, 8)
DROPPED = 4


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with numbered_city(tmp_path / "ledger") as opened:
        assert opened.post(project()).outcomes[0].error is None
        yield opened


def at_the_proxy(_city: SmallCity, _body: bytes, _monkeypatch: pytest.MonkeyPatch) -> None:
    """It never reaches the service."""


def in_the_queue(city: SmallCity, body: bytes, _monkeypatch: pytest.MonkeyPatch) -> None:
    """The service reads it, and somebody loses it before the writer takes it."""
    assert city.ledger.prepare_one(body).event.sequence == DROPPED


def at_the_database(city: SmallCity, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit fails, and whoever was told so does not send it again."""

    def fail(*_args: object, **_options: object) -> None:
        raise exc.OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(LedgerRecorder, "insert_events", fail)
        with pytest.raises(RecordingFailed):
            city.send(body)


@pytest.mark.parametrize("drop", [at_the_proxy, in_the_queue, at_the_database])
def test_a_dropped_submission_is_visible_in_the_next_close(
    city: SmallCity, drop: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in NUMBERS:
        if number == DROPPED:
            drop(city, city.sign(numbered(number)), monkeypatch)
        else:
            assert city.post(numbered(number)).outcomes[0].error is None
    assert city.post(close(NUMBERS[0], NUMBERS[-1])).outcomes[0].error is None
    tables = gaps_of(city)
    assert [(row["first_sequence"], row["last_sequence"]) for row in tables["missing"]] == [("4", "4")]
    (closed,) = tables["closes"]
    assert (closed["recorded"], closed["missing"], closed["met"]) == ("6", "1", False)
    assert verdict_of(city).holds, "the log itself is in order: only the account tells"


@pytest.mark.parametrize("dropped", [NUMBERS[0], NUMBERS[-1]])
def test_the_first_and_the_last_of_the_day_are_missed_too(city: SmallCity, dropped: int) -> None:
    city.post(*(numbered(number) for number in NUMBERS if number != dropped))
    assert gaps_of(city)["missing"] == [], "before the close nobody can know"
    city.post(close(NUMBERS[0], NUMBERS[-1]))
    assert [row["first_sequence"] for row in gaps_of(city)["missing"]] == [str(dropped)]


def test_a_dropped_close_is_missed_by_the_numbers_of_the_next_day(city: SmallCity) -> None:
    city.post(numbered(1), close(1, 2) | {"sequence": "2"})  # a close may be numbered as well
    assert gaps_of(city)["closes"][0]["met"] is True
    # The close of the second day, number 4, is dropped.
    city.post(numbered(3), close(5, 6, day="2026-03-03") | {"sequence": "6"}, numbered(5))
    assert [row["first_sequence"] for row in gaps_of(city)["missing"]] == ["4"]


def test_sent_again_it_is_no_gap_any_more(city: SmallCity) -> None:
    city.post(*(numbered(number) for number in NUMBERS if number != DROPPED), close(NUMBERS[0], NUMBERS[-1]))
    city.post(numbered(DROPPED))
    tables = gaps_of(city)
    assert (tables["missing"], tables["closes"][0]["met"]) == ([], True)


def test_what_was_missing_stays_missing_after_a_restart(tmp_path: Path) -> None:
    with numbered_city(tmp_path / "ledger") as city:
        city.post(project(), numbered(1), numbered(3))
        settings = city.settings
    with open_again(settings) as city:
        city.post(close(1, 3))
        assert [row["first_sequence"] for row in gaps_of(city)["missing"]] == ["2"]


def test_a_day_whose_count_differs_is_not_met(city: SmallCity) -> None:
    city.post(*(numbered(number) for number in NUMBERS), close(NUMBERS[0], NUMBERS[-1], count=6))
    tables = gaps_of(city)
    assert tables["missing"] == []
    assert tables["closes"][0]["met"] is False


def test_control_a_day_without_omissions_is_met(city: SmallCity) -> None:
    city.post(*(numbered(number) for number in NUMBERS), close(NUMBERS[0], NUMBERS[-1]))
    tables = gaps_of(city)
    assert (tables["missing"], tables["closes"][0]["met"], tables["sums"][0]["closes_unmet"]) == ([], True, 0)


def test_control_a_refused_number_is_refused_and_no_gap(city: SmallCity) -> None:
    city.post(numbered(1), refused_one(2), numbered(3), close(1, 3))
    wait_for_size(city, 6)
    tables = gaps_of(city)
    assert [(row["sequence"], row["rule_id"]) for row in tables["refused"]] == [("2", "project.not-registered")]
    assert (tables["missing"], tables["closes"][0]["met"]) == ([], True)


def test_the_limit_what_was_never_numbered_is_not_seen(city: SmallCity) -> None:
    city.post(*(numbered(number) for number in NUMBERS), close(NUMBERS[0], NUMBERS[-1]))
    before = gaps_of(city)
    city.ledger.prepare_one(city.sign(numbered(None, event_id="dropped")))  # and lost
    assert gaps_of(city) == before


def test_the_gaps_are_public(tmp_path: Path) -> None:
    """Over HTTP, to a reader without a token; an agency that numbers nothing has no account."""
    with open_api_city(tmp_path / "city") as city:
        assert city.client.get("/v1/agencies/nobody/gaps").status_code == 404
        for number in (1, 2, 5):
            assert city.post(city.effect(number, sequence=str(number))).status_code == 201
        assert city.post(city.effect(9, sequence="2")).json()["rule_id"] == "registry.sequence-taken"
        assert city.post(city.effect(3, sequence="3", type="project.effect-stated.v2")).status_code == 422
        address = f"/v1/agencies/{SOURCE.rpartition(':')[2]}/gaps"
        city.wait_until_published()
        deadline = time.monotonic() + TIMEOUT_S
        while (answer := city.json(address))["tables"]["sums"][0]["refusals"] < 2:
            assert time.monotonic() < deadline, "the refusals left no entries"
            time.sleep(0.05)
        missing = [(row["first_sequence"], row["last_sequence"]) for row in answer["tables"]["missing"]]
        assert missing == [("4", "4")]
        assert [row["sequence"] for row in answer["tables"]["refused"]] == ["3"]
        before = answer["tables"]["refused"][0]["entries"][0]
        then = city.json(f"{address}?tree_size={before}")
        assert [row["last_sequence"] for row in then["tables"]["missing"]] == ["4"]
        assert then["tables"]["refused"] == []
        assert city.client.get(f"{address}?legal_date=2021-01-01").status_code == 400
        assert address in city.client.get("/v1/answers").text
