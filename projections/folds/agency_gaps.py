"""Which of an agency's numbers are missing, and which of its closes are not met?

An agency that numbers its submissions makes an omission visible: a number that never arrived is a gap. It is
*missing* when it lies between the lowest and the highest number that the log knows of (in a submission, in a close)
and neither a recorded nor a refused submission carries it. A close is *met* when its count equals the numbers inside
it that were recorded or refused, and none of them is missing.

What an agency never sends, never numbers and never counts is not seen here, nor anywhere in the log. How late it
records what it sends is (`timeliness`).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, cells_of, provenance_of, traced
from projections.folds.timeliness import Lag, lag_rows, note_lag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_service.catalogue import sequences
    from audit_service.catalogue.event import Event

AGENCY_GAPS = "agency-gaps"
TABLES = ("sums", "missing", "refused", "closes", "timeliness")
AGENCY_URN = "urn:kr:agency:"


class Numbers(Struct, array_like=True, kw_only=True):
    """Numbers without a gap, from the first to the last, and the entries that carry these two."""

    first: int
    last: int
    first_index: int
    last_index: int


class Close(Struct, kw_only=True):
    """A close as the agency signed it; no numbers where it made no submission."""

    cells: dict[str, Any]
    first: int | None
    last: int | None
    count: int
    index: int
    provenance: str

    @property
    def span(self) -> tuple[int, int] | None:
        """Its first and its last number."""
        return None if self.first is None or self.last is None else (self.first, self.last)


class Refusal(Struct, kw_only=True):
    """The newest refusal of a number."""

    number: int
    cells: dict[str, Any]
    index: int
    provenance: str


class Account(Struct, kw_only=True):
    """One agency: its recorded numbers as ranges in order, its refusals by number, its closes by day."""

    recorded: list[Numbers] = []
    refused: dict[str, Refusal] = {}
    closes: dict[str, Close] = {}
    refusals: int = 0
    last_refusal: int | None = None
    provenance: list[str] = []
    lags: dict[str, Lag] = {}


class AgencyGaps(Fold[Account]):
    """Folds every event of every stream but sealed transactions, by its source."""

    name: ClassVar[str] = "agency-gaps"
    kinds: ClassVar[tuple[str, ...]] = (AGENCY_GAPS,)
    part_type: ClassVar[type[Any]] = Account

    def handlers(self) -> dict[str, Handler]:
        """Closes and refusals; numbers and times come through `take_number` and `take_time`, whatever the type."""
        return {
            "registry.day-closed.v1": self._day_closed,
            "registry.submission-refused.v1": self._submission_refused,
        }

    def keys(self, kind: str) -> list[str]:
        """Codes of agencies that record anything, or were refused."""
        return sorted(self.parts) if kind == AGENCY_GAPS else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """One row of sums, then gaps as ranges, refused numbers, closes, and how late events were recorded."""
        account = self.parts.get(key)
        return _rows(account) if account is not None and kind == AGENCY_GAPS else []

    def take_number(self, index: int, event: Event, number: int) -> None:
        """Note that the entry at `index` carries this number of its source."""
        account = self._account(event.source, provenance_of(event.data))
        _add_number(account.recorded, number, index)

    def take_time(self, index: int, event: Event) -> None:
        """Note how late the entry at `index` was recorded."""
        if event.recorded_time:  # what was only submitted has none
            note_lag(self._account(event.source).lags, index, event)

    def _day_closed(self, index: int, event: Event) -> None:
        data: sequences.DayClosed = event.data
        first, last = data.first_sequence, data.last_sequence
        account = self._account(event.source, provenance_of(data))
        account.closes[data.day] = Close(
            cells=cells_of(data),
            first=int(first) if isinstance(first, str) else None,
            last=int(last) if isinstance(last, str) else None,
            count=data.count,
            index=index,
            provenance=provenance_of(data),
        )

    def _submission_refused(self, index: int, event: Event) -> None:
        data: sequences.SubmissionRefused = event.data
        account = self._account(data.source, provenance_of(data))
        account.refusals += 1
        account.last_refusal = index
        if isinstance(data.sequence, str):
            account.refused[data.sequence] = Refusal(
                number=int(data.sequence),
                cells=cells_of(data, without=("source", "sequence")),
                index=index,
                provenance=provenance_of(data),
            )

    def _account(self, source: str, provenance: str | None = None) -> Account:
        code = source.removeprefix(AGENCY_URN)
        account = self.parts.get(code)
        if account is None:
            account = self.parts[code] = Account()
        if provenance is not None and provenance not in account.provenance:
            insort(account.provenance, provenance)
        self.changed.add(code)
        self.dirty.add((AGENCY_GAPS, code))
        return account


def _add_number(ranges: list[Numbers], number: int, index: int) -> None:
    """Put a number into the ranges, joining its neighbours; one that is there already changes nothing."""
    place = bisect_right(ranges, number, key=_first)
    before = ranges[place - 1] if place else None
    after = ranges[place] if place < len(ranges) else None
    if before is not None and number <= before.last:
        return
    if before is not None and number == before.last + 1:
        before.last, before.last_index = number, index
        if after is not None and number + 1 == after.first:
            before.last, before.last_index = after.last, after.last_index
            del ranges[place]
    elif after is not None and number + 1 == after.first:
        after.first, after.first_index = number, index
    else:
        ranges.insert(place, Numbers(first=number, last=number, first_index=index, last_index=index))


def _first(numbers: Numbers) -> int:
    return numbers.first


def _rows(account: Account) -> list[Row]:
    refusals = _open_refusals(account)
    known = _known(account, refusals)
    ends = [(numbers.first, numbers.last) for numbers in known]
    ends += [span for close in account.closes.values() if (span := close.span) is not None]
    low = min((first for first, _ in ends), default=None)
    high = max((last for _, last in ends), default=None)
    gaps = [] if low is None or high is None else list(_gaps(known, low, high))
    missing = [_missing_row(account, known, first, last) for first, last in gaps]
    refused = [_refused_row(each) for each in refusals]
    closes = [_close_row(account.closes[day], known, refusals) for day in sorted(account.closes)]
    sums = {
        "first_sequence": None if low is None else str(low),
        "last_sequence": None if high is None else str(high),
        "recorded": sum(numbers.last - numbers.first + 1 for numbers in account.recorded),
        "refused": len(refused),
        "missing": str(sum(last - first + 1 for first, last in gaps)),
        "closes": len(closes),
        "closes_unmet": sum(not row.body["met"] for row in closes),
        "refusals": account.refusals,
    }
    entries = {index for numbers in account.recorded for index in (numbers.first_index, numbers.last_index)}
    entries |= {close.index for close in account.closes.values()}
    entries |= {refusal.index for refusal in account.refused.values()}
    if account.last_refusal is not None:
        entries.add(account.last_refusal)
    row = Row(table="sums", id="sums", body=sums, provenance=list(account.provenance), entries=sorted(entries))
    return [row, *missing, *refused, *closes, *lag_rows(account.lags)]


def _open_refusals(account: Account) -> list[Refusal]:
    """Refused numbers that no entry carries: a corrected submission may have come under the same number."""
    return sorted(
        (each for each in account.refused.values() if not _contains(account.recorded, each.number)),
        key=lambda each: each.number,
    )


def _contains(ranges: list[Numbers], number: int) -> bool:
    place = bisect_right(ranges, number, key=_first)
    return place > 0 and number <= ranges[place - 1].last


def _known(account: Account, refusals: list[Refusal]) -> list[Numbers]:
    """Recorded and refused numbers together, as ranges."""
    known = [
        Numbers(first=each.first, last=each.last, first_index=each.first_index, last_index=each.last_index)
        for each in account.recorded
    ]
    for refusal in refusals:
        _add_number(known, refusal.number, refusal.index)
    return known


def _gaps(known: list[Numbers], low: int, high: int) -> Iterator[tuple[int, int]]:
    """The ranges from `low` to `high` that no known number lies in."""
    place = max(bisect_right(known, low, key=_first) - 1, 0)
    next_number = low
    for numbers in known[place:]:
        if numbers.first > high:
            break
        if numbers.first > next_number:
            yield next_number, numbers.first - 1
        next_number = max(next_number, numbers.last + 1)
    if next_number <= high:
        yield next_number, high


def _missing_row(account: Account, known: list[Numbers], first: int, last: int) -> Row:
    """A gap rests on its neighbours, and on the closes that count it."""
    place = bisect_right(known, first, key=_first)
    entries = {close.index for close in account.closes.values() if _overlaps(close, first, last)}
    if place:
        entries.add(known[place - 1].last_index)
    if place < len(known):
        entries.add(known[place].first_index)
    days = sorted(day for day, close in account.closes.items() if _overlaps(close, first, last))
    body = {"first_sequence": str(first), "last_sequence": str(last), "count": str(last - first + 1), "days": days}
    provenance = list(account.provenance)
    return Row(table="missing", id=str(first), body=body, provenance=provenance, entries=sorted(entries))


def _overlaps(close: Close, first: int, last: int) -> bool:
    span = close.span
    return span is not None and span[0] <= last and first <= span[1]


def _refused_row(refusal: Refusal) -> Row:
    body = {**refusal.cells, "sequence": str(refusal.number)}
    return traced(refusal.index, refusal.provenance).row("refused", str(refusal.number), body)


def _close_row(close: Close, known: list[Numbers], refusals: list[Refusal]) -> Row:
    arrived = missing = refused = 0
    if (span := close.span) is not None:
        missing = sum(last - first + 1 for first, last in _gaps(known, *span))
        arrived = span[1] - span[0] + 1 - missing
        refused = sum(span[0] <= each.number <= span[1] for each in refusals)
    body = {
        **close.cells,
        "recorded": str(arrived - refused),
        "refused": refused,
        "missing": str(missing),
        "met": missing == 0 and arrived == close.count,
    }
    return traced(close.index, close.provenance).row("closes", str(body["day"]), body)
