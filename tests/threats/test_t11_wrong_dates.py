"""Threat T11: what becomes of an event that is dated into the future or into the past?

There are three times: `time` is the agency's claim, `recordedtime` the service's clock, and a checkpoint that others
hold proves the order. A claim more than five minutes ahead is refused; one from the past is recorded as what it is, a
claim, beside the time at which it came. The form of a time leaves no room: one instant has one spelling.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit_service.clock import format_time, parse_time
from audit_service.errors import SubmissionMalformed, SubmissionRefused
from audit_service.submission import parse
from audit_service.unit_of_work import CLOCK_TOLERANCE
from projections.replay_entries import is_time
from tests.support.numbered_city import SetClock, entries_of, numbered, numbered_city, project, verdict_of
from verifier.canonical import encode_canonical
from verifier.envelope import parse_submission
from verifier.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.small_city import SmallCity

BOUNDARIES = {
    "a leap day": "2024-02-29T23:59:59.999Z",
    "a leap day of a century": "2000-02-29T00:00:00.000Z",
    "the first moment": "0001-01-01T00:00:00.000Z",
    "a year of three digits": "0999-12-31T23:59:59.999Z",
    "the last moment": "9999-12-31T23:59:59.999Z",
    "midnight in Korea": "2021-03-31T15:00:00.000Z",
    "Korea's last summer time": "1988-10-08T16:00:00.000Z",
}
REFUSED = {
    "no leap year": "2023-02-29T00:00:00.000Z",
    "no leap year either": "1900-02-29T00:00:00.000Z",
    "year 0": "0000-01-01T00:00:00.000Z",
    "five digits": "10000-01-01T00:00:00.000Z",
    "before the era": "-0001-01-01T00:00:00.000Z",
    "a leap second": "2016-12-31T23:59:60.000Z",
    "two of them": "2016-12-31T23:59:61.000Z",
    "24 o'clock": "2021-01-01T24:00:00.000Z",
    "minute 60": "2021-01-01T00:60:00.000Z",
    "month 13": "2021-13-01T00:00:00.000Z",
    "day 0": "2021-01-00T00:00:00.000Z",
    "an offset": "2021-01-01T09:00:00.000+09:00",
    "an offset of nothing": "2021-01-01T00:00:00.000+00:00",
    "an offset of less than nothing": "2021-01-01T00:00:00.000-00:00",
    "an offset and a Z": "2021-01-01T00:00:00.000+00:00Z",
    "no zone": "2021-01-01T00:00:00.000",
    "a small z": "2021-01-01T00:00:00.000z",
    "a small t": "2021-01-01t00:00:00.000Z",
    "a space": "2021-01-01 00:00:00.000Z",
    "no milliseconds": "2021-01-01T00:00:00Z",
    "microseconds": "2021-01-01T00:00:00.000000Z",
    "a comma": "2021-01-01T00:00:00,000Z",
    "a week": "2021-W01-1T00:00:00.000Z",
    "other digits": "٢٠٢١-01-01T00:00:00.000Z",
    "wide digits": "\uff12021-01-01T00:00:00.000Z",
    "a newline": "2021-01-01T00:00:00.000Z\n",
    "a blank before it": " 2021-01-01T00:00:00.000Z",
    "nothing": "",
}


def in_time(text: str) -> bytes:
    """A submission of this time; its signature is only of the right form."""
    return encode_canonical(numbered(1) | {"time": text, "signature": f"{'a' * 20}..{'a' * 86}"})


def taken_by_the_service(text: str) -> bool:
    try:
        parse(in_time(text))
    except SubmissionMalformed:
        return False
    return True


def taken_by_the_verifier(text: str) -> bool:
    try:
        parse_submission(in_time(text))
    except MalformedInput:
        return False
    return True


@pytest.mark.parametrize("text", BOUNDARIES.values(), ids=BOUNDARIES)
def test_a_moment_of_the_calendar_is_a_time(text: str) -> None:
    assert taken_by_the_service(text)
    assert taken_by_the_verifier(text)
    assert is_time(text)
    assert format_time(parse_time(text)) == text


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_none(text: str) -> None:
    assert not taken_by_the_service(text)
    assert not taken_by_the_verifier(text)
    assert not is_time(text)


TIME_LIKE = st.from_regex(
    r"[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}(Z|[+-]0[09]:00)", fullmatch=True
)


@given(st.one_of(TIME_LIKE, st.datetimes(timezones=st.just(UTC)).map(format_time), st.text(max_size=30)))
@example("2016-12-31T23:59:60.000Z")
def test_service_replay_and_verifier_agree_about_every_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # no text of a submission
    assert taken_by_the_service(text) == taken_by_the_verifier(text) == is_time(text)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_text_compares_as_time_does(one: datetime, other: datetime) -> None:
    first, second = format_time(one), format_time(other)
    assert (first < second) == (parse_time(first) < parse_time(second))


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def city(tmp_path: Path, clock: SetClock) -> Iterator[SmallCity]:
    with numbered_city(tmp_path / "ledger", clock=clock) as opened:
        assert opened.post(project()).outcomes[0].error is None
        yield opened


MILLISECOND = timedelta(milliseconds=1)


@pytest.mark.parametrize("now", [datetime(2024, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 12, 31, 23, 57, tzinfo=UTC)])
def test_the_border_of_the_future_is_five_minutes(tmp_path: Path, now: datetime) -> None:
    clock = SetClock(now)
    with numbered_city(tmp_path / "ledger", clock=clock) as city:
        city.post(project())
        late = format_time(now + CLOCK_TOLERANCE + MILLISECOND)
        error = city.post(numbered(1, time=late)).outcomes[0].error
        assert isinstance(error, SubmissionRefused)
        assert error.rule_id == "envelope.time-in-future"
        # The control: a millisecond less passes, and the refused one passes once its time has come.
        assert city.post(numbered(2, time=format_time(now + CLOCK_TOLERANCE))).outcomes[0].error is None
        clock.now += MILLISECOND
        assert city.post(numbered(1, time=late)).outcomes[0].error is None


@pytest.mark.parametrize("years", [1, 10])
def test_years_ahead_are_refused_whatever_the_service_s_clock_says(
    city: SmallCity, clock: SetClock, years: int
) -> None:
    ahead = format_time(clock.now.replace(year=clock.now.year + years))
    assert city.post(numbered(1, time=ahead)).outcomes[0].error is not None
    assert city.post(numbered(2, time="9999-12-31T23:59:59.999Z")).outcomes[0].error is not None


def test_a_back_dated_event_shows_when_it_really_came(city: SmallCity, clock: SetClock) -> None:
    claimed = "0001-01-01T00:00:00.000Z"
    index = city.post(numbered(1, time=claimed)).outcomes[0].index
    entry = json.loads(entries_of(city)[index or 0])
    assert (entry["time"], entry["recordedtime"]) == (claimed, format_time(clock.now))
    assert verdict_of(city).holds


def test_recorded_times_never_go_back_while_claims_may(city: SmallCity, clock: SetClock) -> None:
    for number, seconds in enumerate((5, -3, 0, -30, 40, -59)):
        clock.move(seconds=seconds)
        claimed = format_time(clock.now - timedelta(days=365 * number))
        assert city.post(numbered(number, time=claimed)).outcomes[0].error is None
    recorded = [json.loads(entry)["recordedtime"] for entry in entries_of(city)]
    assert recorded == sorted(recorded)
    assert verdict_of(city).holds
