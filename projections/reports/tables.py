"""Which rows has every report now, when only what changed is computed again?

Rows are kept by the part of a fold that they come from. When a part changes, its rows are computed, compared with the
old ones, and only those that differ touch their report: its rows, their leaf hashes, and the keys that changed since
the report was last taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.reports.definitions import ALL, KINDS, ReportRef, fixed_reports, place_of
from projections.reports.rows import report_row
from projections.reports.stream_heads import STREAM_HEADS
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self.rows: dict[str, bytes] = {}
        self.hashes: dict[str, bytes] = {}
        self.changed: set[str] = set()
        self._order: list[str] | None = []

    def put(self, key: str, row: bytes) -> bool:
        old = self.rows.get(key)
        if old == row:
            return False
        if old is None:
            self._order = None
        self.rows[key] = row
        self.hashes[key] = leaf_hash(row)
        self.changed.add(key)
        return True

    def remove(self, key: str) -> None:
        del self.rows[key], self.hashes[key]
        self.changed.add(key)
        self._order = None

    def in_order(self) -> list[str]:
        if self._order is None:
            self._order = sorted(self.rows)
        return self._order


class ReportTables:
    """The rows of every report of one log, as of the entries that `state` has taken in."""

    def __init__(self, state: LogState) -> None:
        """Compute every report once; whatever changed before is in it."""
        state.take_changes()
        self._state = state
        self._tables: dict[ReportRef, _Table] = {ref: _Table() for ref in fixed_reports()}
        self._parts: dict[tuple[str, str], dict[tuple[ReportRef, str], bytes]] = {}
        folds = state.folds
        self.refresh((kind, key) for kind in folds.kinds if kind in _FOLDED for key in folds.keys(kind))
        self.refresh_heads(state.heads.subjects())

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
        old = self._parts.get((kind, key), {})
        new: dict[tuple[ReportRef, str], bytes] = {}
        for row in self._state.folds.compute_rows(kind, key):
            ref, part = place_of(kind, key, row)
            row_key, data = report_row(row, part=part)
            new[ref, row_key] = data
        for (ref, row_key), data in new.items():
            table = self._tables.get(ref)
            if table is None:
                table = self._tables[ref] = _Table()
            if table.put(row_key, data):
                moved.add(ref)
        for ref, row_key in old.keys() - new.keys():
            self._tables[ref].remove(row_key)
            moved.add(ref)
        self._parts[kind, key] = new

    def refresh_heads(self, subjects: Iterable[str]) -> set[ReportRef]:
        """Compute the heads of these streams again. A report's own stream moves a row, and is no reason to publish."""
        table, moved = self._tables[_HEADS], False
        for subject in subjects:
            changed = table.put(subject, self._state.heads.row(subject))
            moved = moved or (changed and not subject.startswith("report/"))
        return {_HEADS} if moved else set()

    def rows(self, ref: ReportRef) -> Rows:
        """The rows of one report now.

        Raises:
            KeyError: there is no such report.
        """
        table = self._tables[ref]
        keys = table.in_order()
        return Rows(keys, [table.rows[key] for key in keys], [table.hashes[key] for key in keys])

    def take_changed(self, ref: ReportRef) -> dict[str, bytes | None]:
        """Which rows of a report changed since this was last asked? None stands for a row that is gone."""
        table = self._tables[ref]
        changed = {key: table.rows.get(key) for key in table.changed}
        table.changed.clear()
        return changed
