"""How many days after it happened does an agency record an event? By kind of stream and by provenance.

Counted from the legal date, where the type has one, else from the day in Korean time of `time`, to the day of
`recordedtime`. Imports of old facts are late by nature: they stand in rows of their own. Sealed transactions are left
out, whose `time` says the end of their period alone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from projections.folds.rows import Row, provenance_of

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

# Days up to which an event counts as recorded at once, within the week, within the month.
_WITHIN = (1, 7, 30)


class Lag(Struct, kw_only=True):
    """How late the events of one kind and provenance were recorded, in days."""

    events: int = 0
    days_total: int = 0
    days_most: int = -1
    slowest_index: int = 0
    newest_index: int = 0
    within: list[int] = []


def note_lag(lags: dict[str, Lag], index: int, event: Event) -> None:
    """Count how late a recorded event was recorded."""
    key = f"{event.type.partition('.')[0]}/{provenance_of(event.data)}"
    lag = lags.get(key)
    if lag is None:
        lag = lags[key] = Lag(within=[0] * len(_WITHIN))
    happened = _day(event.legal_date) if event.legal_date is not None else _day_of_hour(event.time[:13])
    # A legal date may lie ahead: that is not late.
    days = max(0, _day_of_hour(event.recorded_time[:13]) - happened)
    lag.events += 1
    lag.days_total += days
    lag.newest_index = index
    if days > lag.days_most:
        lag.days_most, lag.slowest_index = days, index
    for place, most in enumerate(_WITHIN):
        lag.within[place] += days <= most


def lag_rows(lags: dict[str, Lag]) -> list[Row]:
    """One row for each kind of stream and provenance; it rests on its slowest and its newest entry."""
    return [_row(key, lag) for key, lag in sorted(lags.items())]


def _row(key: str, lag: Lag) -> Row:
    kind, _, provenance = key.partition("/")
    body = {
        "stream_kind": kind,
        "events": lag.events,
        "days_total": lag.days_total,
        "days_most": lag.days_most,
        **{f"within_{most}": count for most, count in zip(_WITHIN, lag.within, strict=True)},
    }
    entries: list[int | list[int]] = [*sorted({lag.slowest_index, lag.newest_index})]
    return Row(table="timeliness", id=key, body=body, provenance=[provenance], entries=entries)


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


@lru_cache(maxsize=4096)
def _day_of_hour(hour: str) -> int:
    """The day in Korean time of an hour in UTC, `2021-03-31T15`, as an ordinal number."""
    return (datetime.fromisoformat(f"{hour}:00") + timedelta(hours=9)).toordinal()
