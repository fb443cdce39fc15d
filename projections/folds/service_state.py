"""What is kept of one service?"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from projections.folds.rows import Row, Trace


class Published(Struct, kw_only=True):
    """A count that the city published; `period` is None where it names no period of the log.

    `corrected_by` is the id of the event that takes its place.
    """

    event_id: str
    kind: str
    count: int
    period: str | None
    cells: dict[str, Any]
    trace: Trace
    corrected_by: str | None = None


class Tally(Struct, kw_only=True):
    """Transactions of one provenance in one period: counted, declared by manifests, voided, and where they stand.

    `erased` is how many of their side records are erased.
    """

    counts: dict[str, int] = {}
    declared: dict[str, int] = {}
    voided: dict[str, int] = {}
    erased: int = 0
    batches: int = 0
    ranges: list[list[int]] = []


class Later(Struct, kw_only=True):
    """How often one thing became of a period's transactions: voided for a reason, erased for a cause."""

    table: str
    body: dict[str, Any]
    provenance: str
    count: int = 0
    entries: list[int] = []


class StatusList(Struct, kw_only=True):
    """The credentials of one list: where their entries stand, as ranges; revoked places as bits of blocks of 32."""

    kind: str
    ranges: list[list[int]] = []
    provenance: list[str] = []
    issued: int = 0
    revoked: int = 0
    bits: dict[int, int] = {}


class Period(Struct, kw_only=True):
    """One period's stream: tallies by provenance, and the manifest that the next transactions belong to."""

    tallies: dict[str, Tally] = {}
    manifest_index: int | None = None
    manifest_provenance: str | None = None
    later: dict[str, Later] = {}
    lists: dict[str, StatusList] = {}


class Ballot(Struct, kw_only=True):
    """A ballot: the cells of its three events as far as they came, and the entries they came in."""

    opened: dict[str, Any] = {}
    sealed: dict[str, Any] = {}
    tallied: dict[str, Any] = {}
    trace: Trace


class Scheme(Struct, kw_only=True):
    """Which kind's transactions, of which round (None: of all), answer how many checks."""

    kind: str
    round: str | None
    checks: int
    cells: dict[str, Any]
    trace: Trace


class Service(Struct, kw_only=True):
    """One service."""

    registration: Row | None = None
    published: dict[str, Published] = {}
    periods: dict[str, Period] = {}
    ballots: dict[str, Ballot] = {}
    schemes: dict[str, Scheme] = {}

    def period(self, name: str) -> Period:
        """The state of one period's stream."""
        period = self.periods.get(name)
        if period is None:
            period = self.periods[name] = Period()
        return period
