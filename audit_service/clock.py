"""What time is it, in the one format of the log (RFC 3339, UTC, milliseconds), and which Korean day?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], datetime]

# Korea has had no daylight saving time since 1988; the root of the day needs no time zone database.
KST = timezone(timedelta(hours=9))


def now_utc() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def format_time(moment: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    # Not strftime: its %Y writes years before 1000 with fewer than four digits on some systems.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """Read what `format_time` wrote (and the checked `time` of a submission)."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def korean_day(moment: datetime) -> str:
    """The calendar day in Korean time, `YYYY-MM-DD`."""
    return moment.astimezone(KST).date().isoformat()
