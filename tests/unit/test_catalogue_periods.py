"""When is a period over, and until when are its records kept? By the calendar in Seoul."""

from __future__ import annotations

import pytest

from audit_service.catalogue.periods import MONTH, QUARTER, YEAR, end_of_day, kept_until, period_end, period_form

ENDS = [
    ("2021-01", MONTH, "2021-01-31T15:00:00.000Z"),
    ("2020-02", MONTH, "2020-02-29T15:00:00.000Z"),
    ("2021-12", MONTH, "2021-12-31T15:00:00.000Z"),
    ("2021-Q1", QUARTER, "2021-03-31T15:00:00.000Z"),
    ("2021-Q4-r2", QUARTER, "2021-12-31T15:00:00.000Z"),
    ("2019-r1", YEAR, "2019-12-31T15:00:00.000Z"),
    ("0001", YEAR, "0001-12-31T15:00:00.000Z"),
]


@pytest.mark.parametrize(("period", "form", "ended"), ENDS)
def test_the_end_of_a_period(period: str, form: str, ended: str) -> None:
    assert (period_form(period), period_end(period)) == (form, ended)


@pytest.mark.parametrize("period", ["2021-13", "2021-Q5", "21", "2021-3", "", "2021\n", "２０２１", "2021-03-15"])
def test_what_names_no_period(period: str) -> None:
    for function in (period_form, period_end):
        with pytest.raises(ValueError, match="a period is"):
            function(period)


@pytest.mark.parametrize("period", ["0000", "0000-01", "9999", "9999-12"])
def test_a_period_outside_the_calendar_has_no_end(period: str) -> None:
    with pytest.raises(ValueError, match="calendar"):
        period_end(period)


def test_the_last_day_on_which_records_are_kept() -> None:
    assert kept_until("2021-03", 1) == "2021-04-30"
    assert kept_until("2019", 60) == "2024-12-31"
    assert kept_until("2020-01", 1) == "2020-02-29"
    with pytest.raises(ValueError, match="beyond the calendar"):
        kept_until("9990", 1200)


def test_the_end_of_a_day_in_seoul() -> None:
    assert end_of_day("2021-02-28") == "2021-02-28T15:00:00.000Z"
    for day in ("2021-02-29", "9999-12-31"):
        with pytest.raises(ValueError, match="day"):
            end_of_day(day)
