"""When is a period of a service over, of which length is it, and until when are its side records kept?

A period is a year, a quarter (`2021-Q1`) or a month (`2021-03`), perhaps one round of it (`2019-r1`): a round ends
with its period. Times are those of the entry format; days are days in Korean time (KST, UTC+9).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

KST = timezone(timedelta(hours=9))
MONTH, QUARTER, YEAR = "MONTH", "QUARTER", "YEAR"

_PERIOD = re.compile(r"(\d{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?(?:-r\d{1,2})?", re.ASCII)
_MONTHS_OF_A_YEAR = 12
_LAST_YEAR = date.max.year


def period_form(period: str) -> str:
    """Is this a `MONTH`, a `QUARTER` or a `YEAR`?

    >>> period_form("2021-03"), period_form("2021-Q1"), period_form("2019-r2")
    ('MONTH', 'QUARTER', 'YEAR')

    Raises:
        ValueError: the text names no period.
    """
    match = _match(period)
    return MONTH if match[2] else QUARTER if match[3] else YEAR


@lru_cache(maxsize=4096)
def period_end(period: str) -> str:
    """When is a period over? At midnight in Seoul after its last day, as a `time` of the entry format.

    >>> period_end("2021-03"), period_end("2019-r1")
    ('2021-03-31T15:00:00.000Z', '2019-12-31T15:00:00.000Z')

    Raises:
        ValueError: the text names no period, or one whose end is no time of the calendar.
    """
    return end_of_day((_first_day_after(period) - timedelta(days=1)).isoformat())


def end_of_day(day: str) -> str:
    """When is a day in Korean time over, as a `time` of the entry format?

    >>> end_of_day("2021-03-31")
    '2021-03-31T15:00:00.000Z'

    Raises:
        ValueError: no such day in the calendar, or no day after it.
    """
    try:
        midnight = datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), KST)
    except OverflowError:
        raise ValueError("no day of the calendar comes after this one") from None
    return midnight.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z").rjust(24, "0")


def kept_until(period: str, months: int) -> str:
    """Until which day, inclusive, are records of a period kept that are kept for so many months after its end?

    >>> kept_until("2021-03", 12), kept_until("2021-Q4", 1)
    ('2022-03-31', '2022-01-31')

    Raises:
        ValueError: the text names no period, or the day is beyond the calendar.
    """
    after = _first_day_after(period)
    return (_months_later(after, months) - timedelta(days=1)).isoformat()


def _first_day_after(period: str) -> date:
    match = _match(period)
    last_month = int(match[2]) if match[2] else int(match[3]) * 3 if match[3] else _MONTHS_OF_A_YEAR
    year = int(match[1])
    if year < 1:
        raise ValueError("the calendar has no such year")
    return _months_later(date(year, last_month, 1), 1)


def _months_later(first_of_month: date, months: int) -> date:
    count = first_of_month.year * _MONTHS_OF_A_YEAR + first_of_month.month - 1 + months
    year, month = divmod(count, _MONTHS_OF_A_YEAR)
    if year > _LAST_YEAR:
        raise ValueError("the day is beyond the calendar")
    return date(year, month + 1, 1)


def _match(period: str) -> re.Match[str]:
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError("a period is a year, a quarter (2021-Q1) or a month (2021-03)")
    return match
