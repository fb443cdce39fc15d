"""Which rows has every report now, when only what changed is computed again?

When a part of a fold changes, its rows are computed, compared with the old ones, and only those that differ touch their
report. Of a row only its leaf hash is kept for good; its bytes, until they are taken or released. Who wants the bytes
of all rows after that has them computed again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from projections.folds.service_statistics import SERVICE_STATISTICS
from projections.reports.definitions import ALL, KINDS, REGISTERS, ReportRef, fixed_reports, place_of
from projections.reports.rows import report_row
from projections.reports.stream_heads import STREAM_HEADS
from verifier.hashing import LEAF_PREFIX
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from projections.folds.all import Changes
    from projections.reports.state import LogState

_FOLDED = frozenset(KINDS) - {STREAM_HEADS}
_HEADS = ReportRef(STREAM_HEADS, ALL)


class Rows(NamedTuple):
    """The rows of one report in order: their keys, their bytes, their leaf hashes."""

    keys: list[str]
    rows: list[bytes]
    leaf_hashes: list[bytes]

    @property
    def root(self) -> bytes:
        """The rows root."""
        return root_of_leaf_hashes(self.leaf_hashes)


class _Table:
    """One report. Python orders text by code point, and so do UTF-8 bytes: keys need no encoding to be sorted."""

    def __init__(self) -> None:
        self.hashes: dict[str, bytes] = {}
        self.changed: dict[str, bytes | None] = {}  # since these were last taken; None for a row that is gone
        self.has_all = True  # nothing was taken yet: every row is among those that changed
        self._order: list[str] | None = []

    def put(self, key: str, row: bytes) -> bool:
        # Written out, as in `verifier.tree`: a call for each of 10^6 rows would be felt.
        old, new = self.hashes.get(key), sha256(LEAF_PREFIX + row).digest()
        if old == new:
            return False
        if old is None:
            self._order = None
        self.hashes[key] = new
        self.changed[key] = row
        return True

    def remove(self, key: str) -> None:
        del self.hashes[key]
        self.changed[key] = None
        self._order = None

    def in_order(self) -> list[str]:
        if self._order is None:
            self._order = sorted(self.hashes)
        return self._order


class ReportTables:
    """The rows of every report of one log, as of the entries that `state` has taken in."""

    def __init__(self, state: LogState, *, at_once: bool = True) -> None:
        """Compute every report once; whatever changed before is in it. Else `compute` must be gone through first."""
        state.take_changes()
        self._state = state
        self._tables: dict[ReportRef, _Table] = {ref: _Table() for ref in fixed_reports()}
        self._parts: dict[tuple[str, str], dict[ReportRef, list[str]]] = {}
        if at_once:
            for _ in self.compute():
                pass

    def compute(self) -> Iterator[list[ReportRef]]:
        """Compute every report, some at a time: which are complete after each step?

        So whoever needs the bytes of all rows once need not hold them all at once.
        """
        folds = self._state.folds
        for kind in KINDS:
            keys = folds.keys(kind) if kind in _FOLDED else []
            if kind in REGISTERS:
                self.refresh((kind, key) for key in keys)
                yield sorted(ref for ref in self._tables if ref.kind == kind)
            else:
                for key in keys:
                    yield sorted(self.refresh([(kind, key)]))
        self.refresh_heads(self._state.heads.subjects())
        yield [_HEADS]

    def refs(self) -> list[ReportRef]:
        """Every report, sorted."""
        return sorted(self._tables)

    def take_in(self, changes: Changes) -> set[ReportRef]:
        """Compute again what changed; which reports have other rows because of entries that are no reports?"""
        moved = self.refresh(changes.tables)
        return moved | self.refresh_heads(part for fold, part in changes.parts if fold == STREAM_HEADS)

    def refresh(self, tables: Iterable[tuple[str, str]]) -> set[ReportRef]:
        """Compute these tables of the folds again; which reports have other rows now?"""
        moved: set[ReportRef] = set()
        for kind, key in tables:
            if kind in _FOLDED:
                self._refresh_one(kind, key, moved)
        return moved

    def _refresh_one(self, kind: str, key: str, moved: set[ReportRef]) -> None:
        new: dict[ReportRef, list[str]] = {}
        for ref, rows in self._rows_of_part(kind, key).items():
            table = self._tables.get(ref)
            if table is None:
                table = self._tables[ref] = _Table()
            put = table.put
            changed = [row_key for row_key, row in rows.items() if put(row_key, row)]
            if changed:
                moved.add(ref)
            new[ref] = list(rows)
        for ref, row_keys in self._parts.get((kind, key), {}).items():
            gone = set(row_keys).difference(new.get(ref, ()))
            for row_key in gone:
                self._tables[ref].remove(row_key)
            if gone:
                moved.add(ref)
        self._parts[kind, key] = new

    def _rows_of_part(self, kind: str, key: str) -> dict[ReportRef, dict[str, bytes]]:
        found: dict[ReportRef, dict[str, bytes]] = {}
        place: tuple[ReportRef, str] | None = None
        for row in self._state.folds.compute_rows(kind, key):
            # Of all kinds but one, the rows of a part stand in one report.
            if place is None or kind == SERVICE_STATISTICS:
                place = place_of(kind, key, row)
                rows = found.setdefault(place[0], {})
            row_key, data = report_row(row, part=place[1])
            rows[row_key] = data
        return found

    def refresh_heads(self, subjects: Iterable[str]) -> set[ReportRef]:
        """Compute the heads of these streams again. A report's own stream moves a row, and is no reason to publish."""
        table, moved = self._tables[_HEADS], False
        for subject in subjects:
            changed = table.put(subject, self._state.heads.row(subject))
            moved = moved or (changed and not subject.startswith("report/"))
        return {_HEADS} if moved else set()

    def leaf_hashes(self, ref: ReportRef) -> list[bytes]:
        """The leaf hashes of one report's rows now, in order.

        Raises:
            KeyError: there is no such report.
        """
        table = self._tables[ref]
        return [table.hashes[key] for key in table.in_order()]

    def rows(self, ref: ReportRef) -> Rows:
        """The rows of one report now; computed again if their bytes were taken.

        Raises:
            KeyError: there is no such report.
        """
        table = self._tables[ref]
        rows = table.changed if table.has_all else self._rows_again(ref)
        keys = table.in_order()
        return Rows(keys, [rows[key] or b"" for key in keys], [table.hashes[key] for key in keys])

    def _rows_again(self, ref: ReportRef) -> dict[str, bytes]:
        if ref == _HEADS:
            return {subject: self._state.heads.row(subject) for subject in self._tables[ref].hashes}
        rows: dict[str, bytes] = {}
        for (kind, key), parts in self._parts.items():
            if ref in parts:
                rows |= self._rows_of_part(kind, key)[ref]
        return rows

    def take_changed(self, ref: ReportRef) -> dict[str, bytes | None]:
        """Which rows of a report changed since this was last asked? None stands for a row that is gone."""
        table = self._tables[ref]
        changed, table.changed, table.has_all = table.changed, {}, False
        return changed
