"""Is this text a day of the calendar, and which of two dates comes first?

A source gives a year, a month or a day; `2018-08` is as good a date as `2018-08-13`. The catalogue holds
the form, these functions the calendar: 30 February has the form of a date.
"""

from __future__ import annotations

from datetime import date


def is_calendar_date(text: str) -> bool:
    """Is a year, month or day of the form `YYYY[-MM[-DD]]` one of the calendar?

    >>> is_calendar_date("2020-02-29"), is_calendar_date("2021-02-29"), is_calendar_date("2018-08")
    (True, False, True)
    """
    if not text.isascii() or len(text) not in (4, 7, 10):
        return False
    try:
        # fromisoformat also reads week dates and basic forms: only what prints back as it was is a date here.
        return date.fromisoformat(text + "-01-01"[len(text) - 4 :]).isoformat().startswith(text)
    except ValueError:
        return False


def is_in_order(start: str, end: str) -> bool:
    """May `start` come before `end`, or be the same? Compared as precisely as the vaguer of the two speaks.

    >>> is_in_order("2018-08", "2018"), is_in_order("2018-08-13", "2018-08"), is_in_order("2019", "2018-12")
    (True, True, False)
    """
    precision = min(len(start), len(end))
    return start[:precision] <= end[:precision]


def day_number(day: str | None) -> int:
    """Write a day as one number, in the same order; no day is 0.

    >>> day_number("2021-06-15")
    20210615
    """
    return int((day or "0").replace("-", ""))


def day_text(number: int) -> str:
    """Write such a number as a day again.

    >>> day_text(20210615)
    '2021-06-15'
    """
    return f"{number // 10_000:04}-{number // 100 % 100:02}-{number % 100:02}"
