"""Do the stored read models say what the entries fold to? Folded once more, aside, and compared row by row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from audit_service.reading import LogReader
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from projections.read_models.projector import Projector
from projections.read_models.tables import LOG_POSITION, entry_index, fold_state, projection_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, Table

# Columns that say what a row is, and that it is compared by. A part's own position is when it changed last: a history.
_COMPARED: tuple[tuple[Table, int, tuple[str, ...]], ...] = (
    (entry_index, 1, ("idx", "subject", "type", "source", "id", "legal_date")),
    (projection_rows, 3, ("kind", "key", "place", "row_table", "row_id", "body")),
    (fold_state, 1, ("name", "state")),
)


class _UpTo:
    """The log as it was when the read models had taken it in."""

    def __init__(self, reader: LogReader, size: int) -> None:
        self._reader = reader
        self._size = size

    def head_size(self) -> int:
        """How many entries may be read."""
        return self._size

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries [start, stop)."""
        return self._reader.entries(start, stop)


def differing_rows(ledger: Engine, projections: Engine) -> Iterator[str]:
    """Name every row that is missing, not expected, or different: `table (key)`.

    Raises:
        ProjectionStopped: an entry cannot be folded.
    """
    with projections.connect() as stored, tempfile.TemporaryDirectory() as folder:
        position = stored.execute(select(fold_state.c.position).where(fold_state.c.name == LOG_POSITION)).scalar_one()
        if position == 0:
            return  # nothing was taken in yet
        anew = open_sqlite(Path(folder) / "projections.sqlite3")
        try:
            upgrade(anew, "projections")
            reader = LogReader(ledger)
            with ledger.connect() as connection:
                size = connection.exec_driver_sql("SELECT tree_size FROM head").scalar_one()
            if position > size:
                yield f"fold_state ({LOG_POSITION})"
                return
            Projector(_UpTo(reader, position), anew).rebuild()
            with anew.connect() as expected:
                for table, keys, columns in _COMPARED:
                    yield from _differences(stored, expected, table, keys, columns)
        finally:
            anew.dispose()


def _differences(
    stored: Connection, expected: Connection, table: Table, keys: int, columns: tuple[str, ...]
) -> Iterator[str]:
    """Both in the order of their keys, side by side."""
    chosen = [table.c[name] for name in columns]
    order = chosen[:keys]
    left, right = (iter(each.execute(select(*chosen).order_by(*order))) for each in (stored, expected))
    found, wanted = next(left, None), next(right, None)
    while found is not None or wanted is not None:
        if found is not None and wanted is not None and tuple(found) == tuple(wanted):
            found, wanted = next(left, None), next(right, None)
            continue
        key = min(tuple(row[:keys]) for row in (found, wanted) if row is not None)
        yield f"{table.name} ({', '.join(map(str, key))})"
        if found is not None and tuple(found[:keys]) == key:
            found = next(left, None)
        if wanted is not None and tuple(wanted[:keys]) == key:
            wanted = next(right, None)
