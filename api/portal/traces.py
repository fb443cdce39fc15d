"""Which entries does a shown figure rest on, and where are they and their proofs?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ORDER = ("printed", "derived", "illustrative", "synthetic", "actual")


@dataclass(frozen=True)
class ShownTrace:
    """What stands beside a row: its provenances in the order of the legend, and its entries or ranges."""

    provenance: list[str]
    entries: list[int | list[int]]

    @property
    def count(self) -> int:
        """How many entries, those of ranges included."""
        return sum(1 if isinstance(one, int) else one[1] - one[0] + 1 for one in self.entries)


def trace_of(row: dict[str, Any], *columns: str) -> ShownTrace:
    """The trace of some columns of a row (those that a table shows), or of the whole row.

    A computed column rests on what its parts rest on.
    """
    if not columns:
        return ShownTrace(_in_order(row["provenance"]), row["entries"])
    figures: dict[str, Any] = row["figures"]
    entries: set[int] = set()
    provenance: set[str] = set()
    waiting = [column for column in columns if column in figures]
    seen: set[str] = set()
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        found = figures[column]
        provenance.update(found["provenance"])
        entries.update(found.get("entries", ()))
        waiting.extend(part for part in found.get("computed_from", ()) if part in figures)
    return ShownTrace(_in_order(provenance), [*sorted(entries)])


def _in_order(provenance: set[str] | list[str]) -> list[str]:
    return sorted(provenance, key=_ORDER.index)


@dataclass(frozen=True)
class ProofLink:
    """One line below a figure: an entry (or the first of a range), and how many it stands for."""

    first: int
    last: int


def proof_links(trace: ShownTrace) -> list[ProofLink]:
    """One link for each entry or range of a trace."""
    return [ProofLink(one, one) if isinstance(one, int) else ProofLink(one[0], one[1]) for one in trace.entries]
