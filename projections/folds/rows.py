"""What is one row of a rebuilt table, and how does it say which entries it rests on?"""

from __future__ import annotations

from bisect import insort
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# An entry that says nothing about its provenance is a first-hand record of the agency's own system;
# `provenance` marks imports and demonstrations (entry format, attribute `data`).
ACTUAL = "actual"
# What any payload may carry beside its own fields, and a row says elsewhere or not at all.
_ENVELOPE_FIELDS = frozenset({"actor_role", "corrects", "provenance"})


class Row(Struct, kw_only=True):
    """One row: its table, its id (unique in the table), its cells, and what it rests on.

    `provenance` is the sorted list of provenances of the entries behind it. `entries` are log indexes in
    order; in tables of transactions they are ranges `[first, last]`.
    """

    table: str
    id: str
    body: dict[str, Any]
    provenance: list[str]
    entries: list[int | list[int]]


class Trace(Struct, kw_only=True, gc=False):
    """The log indexes that a figure rests on, in order, and their provenances, sorted."""

    entries: list[int] = []
    provenance: list[str] = []

    def add(self, index: int, provenance: str) -> None:
        """Note one more entry; the same entry may come twice in a row."""
        if not self.entries or self.entries[-1] != index:
            self.entries.append(index)
        if provenance not in self.provenance:
            insort(self.provenance, provenance)

    def row(self, table: str, row_id: str, body: dict[str, Any]) -> Row:
        """Make the row that rests on these entries."""
        return Row(
            table=table,
            id=row_id,
            body=body,
            provenance=list(self.provenance),
            entries=list(self.entries),
        )


def traced(index: int, provenance: str) -> Trace:
    """Start a trace with one entry."""
    return Trace(entries=[index], provenance=[provenance])


def merged(traces: Iterable[Trace]) -> Trace:
    """Which entries do several figures rest on together? Of one figure, its own trace: not to write to."""
    several = [trace for trace in traces if trace.entries]
    if len(several) == 1:
        return several[0]
    if not several:
        return Trace()
    entries: set[int] = set()
    provenances = []
    for trace in several:
        entries.update(trace.entries)
        provenances.append(trace.provenance)
    return Trace(entries=sorted(entries), provenance=[*joined(provenances)])


def joined(provenances: Sequence[list[str]]) -> list[str]:
    """Which provenances have several figures together, sorted? Nearly always it is one, and the same for all."""
    first = provenances[0] if provenances else []
    for other in provenances:
        if other != first:
            return sorted({value for several in provenances for value in several})
    return first


def merged_rows(rows: Iterable[Row]) -> Trace:
    """Which entries do several rows rest on together?"""
    entries: set[int] = set()
    provenance: set[str] = set()
    for row in rows:
        entries.update(index for index in row.entries if isinstance(index, int))
        provenance.update(row.provenance)
    return Trace(entries=sorted(entries), provenance=sorted(provenance))


class _SaysProvenance(Protocol):
    @property
    def provenance(self) -> str | UnsetType: ...


def provenance_of(data: _SaysProvenance) -> str:
    """Where does an entry say that its facts come from? `actual` when it says nothing."""
    provenance = data.provenance
    return ACTUAL if isinstance(provenance, UnsetType) else provenance


def cells_of(data: Struct, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Show a payload as cells: what the source leaves open is None, so that every row has every column."""
    cells: dict[str, Any] = {}
    for name in _shown_fields(data.__class__, without):
        value = getattr(data, name)
        if value is UNSET:
            value = None
        elif value.__class__ not in _SCALARS:
            value = msgspec.to_builtins(value)
        cells[name] = value
    return cells


_SCALARS = frozenset({str, int, bool})


@cache
def _shown_fields(kind: type[Struct], without: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name not in _ENVELOPE_FIELDS and name not in without)
