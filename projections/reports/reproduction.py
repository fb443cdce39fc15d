"""Which rows had a report at its tree size? Computed anew from the entries, for as many reports as are wanted at once.

The same rows come out at any later time, byte for byte: nothing goes in but entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.event import decode_event
from projections.reports.state import LogState
from projections.reports.tables import ReportTables, Rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from projections.reports.definitions import ReportRef

_NO_ROWS = Rows([], [], [])


def reproduce(
    pages: Iterable[Sequence[bytes]], wanted: Mapping[int, Collection[ReportRef]]
) -> Iterator[tuple[int, ReportRef, Rows]]:
    """Fold the log, given as pages of entries from the first on, and give the rows wanted at each tree size.

    A report that has no row at its tree size, and is no register, has no rows.

    Raises:
        KeyError, msgspec.MsgspecError: an entry is no event of the catalogue.
    """
    state = LogState()
    tables: ReportTables | None = None
    stops = sorted(wanted, reverse=True)
    position = 0
    for page in pages:
        for entry in page:
            state.apply(position, decode_event(entry), entry)
            position += 1
            if stops and stops[-1] == position:
                size = stops.pop()
                tables = ReportTables(state) if tables is None else _moved(tables, state)
                known = set(tables.refs())
                for ref in wanted[size]:
                    yield size, ref, tables.rows(ref) if ref in known else _NO_ROWS
        if not stops:
            return


def _moved(tables: ReportTables, state: LogState) -> ReportTables:
    tables.take_in(state.take_changes())
    return tables
