"""What is kept of one service?"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from projections.folds.rows import Row, Trace


class Published(Struct, kw_only=True):
    """A count that the city published; `period` is None where it names no period of the log."""

    kind: str
    count: int
    period: str | None
    cells: dict[str, Any]
    trace: Trace


class Tally(Struct, kw_only=True):
    """Transactions of one provenance in one period: counted, declared by manifests, and where they stand."""

    counts: dict[str, int] = {}
    declared: dict[str, int] = {}
    batches: int = 0
    ranges: list[list[int]] = []


class Period(Struct, kw_only=True):
    """One period's stream: tallies by provenance, and the manifest that the next transactions belong to."""

    tallies: dict[str, Tally] = {}
    manifest_index: int | None = None
    manifest_provenance: str | None = None


class Service(Struct, kw_only=True):
    """One service."""

    registration: Row | None = None
    published: dict[str, Published] = {}
    periods: dict[str, Period] = {}

    def period(self, name: str) -> Period:
        """The state of one period's stream."""
        period = self.periods.get(name)
        if period is None:
            period = self.periods[name] = Period()
        return period
