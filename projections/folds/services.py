"""What does a public service count, and what stands behind its counts?

Published counts and sealed transactions are two tables. A count is *reconciled* only by transactions of its
own evidence class and kind: synthetic transactions never stand behind a number of the city.

Transactions arrive by the million: only counters and merged index ranges are kept. A range covers whole
sealed batches, each with its manifest in front, so neighbouring batches merge into one range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET, UnsetType

from projections.folds.fold import Fold, Handler
from projections.folds.rows import ACTUAL, Row, cells_of, provenance_of, traced
from projections.folds.service_state import Published, Service, Tally
from projections.folds.service_statistics import SERVICE_STATISTICS, compute_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_service.catalogue import service
    from audit_service.catalogue.event import Event

_NOWHERE = -1


class Services(Fold[Service]):
    """Folds every `service/<id>` and `service/<id>/<period>` stream.

    The tally that the last transaction went to is kept at hand (`_subject`, `_counts`, `_next`): the next one
    mostly goes there too. `settle` writes its range back.
    """

    name: ClassVar[str] = "services"
    kinds: ClassVar[tuple[str, ...]] = (SERVICE_STATISTICS,)
    part_type: ClassVar[type[Any]] = Service

    def __init__(self) -> None:
        super().__init__()
        self._subject = ""
        self._provenance: str | UnsetType | None = UNSET
        self._counts: dict[str, int] = {}
        self._tally = Tally()
        self._next = _NOWHERE

    def handlers(self) -> dict[str, Handler]:
        """One function for each type of the two streams."""
        return {
            "service.registered.v1": self._registered,
            "service.count-published.v1": self._count_published,
            "service.batch-sealed.v1": self._batch_sealed,
            "service.transaction-recorded.v1": self._transaction_recorded,
        }

    def keys(self, kind: str) -> list[str]:
        """Service ids."""
        return sorted(self.parts) if kind == SERVICE_STATISTICS else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """The tables of one service."""
        self.settle()
        state = self.parts.get(key)
        return [] if state is None or kind != SERVICE_STATISTICS else compute_statistics(state)

    def settle(self) -> None:
        """Write the range of the run at hand back; the next transaction looks its tally up again."""
        if self._next != _NOWHERE:
            self._tally.ranges[-1][1] = self._next - 1
            self._next = _NOWHERE

    def apply_transaction(self, index: int, subject: str, kind: str, provenance: str | UnsetType | None) -> None:
        """Count one transaction, without building its `Event`.

        `provenance` is None or UNSET where the transaction says nothing: then its batch's manifest speaks.
        """
        if index != self._next or subject != self._subject or provenance != self._provenance:
            self._turn_to(index, subject, provenance)
        self._next = index + 1
        counts = self._counts
        counts[kind] = counts.get(kind, 0) + 1

    def apply_transactions(
        self,
        first: int,
        subject: str,
        counts: Mapping[str, int],
        provenance: str | UnsetType | None,
    ) -> None:
        """Count a run of neighbouring transactions of one subject and one provenance, starting at `first`."""
        total = sum(counts.values())
        if not total:
            return
        self._turn_to(first, subject, provenance)
        for kind, count in counts.items():
            self._counts[kind] = self._counts.get(kind, 0) + count
        self._next = first + total

    def _transaction_recorded(self, index: int, event: Event) -> None:
        # The same as apply_transaction, written out: a call more per entry would be felt in a replay.
        data = event.data
        if index != self._next or event.subject != self._subject or data.provenance != self._provenance:
            self._turn_to(index, event.subject, data.provenance)
        self._next = index + 1
        counts = self._counts
        kind = data.kind
        counts[kind] = counts.get(kind, 0) + 1

    def _turn_to(self, index: int, subject: str, provenance: str | UnsetType | None) -> None:
        """Find the tally of a subject and provenance; extend or open the range that `index` belongs to."""
        self.settle()
        part, _, period_name = subject.removeprefix("service/").partition("/")
        period = self._touch(part).period(period_name)
        said = provenance if isinstance(provenance, str) else period.manifest_provenance or ACTUAL
        tally = period.tallies.setdefault(said, Tally())
        ranges = tally.ranges
        first = index - 1 if period.manifest_index == index - 1 else index
        if ranges and ranges[-1][1] >= first - 1:
            ranges[-1][1] = index
        else:
            ranges.append([first, index])
        self._subject, self._provenance = subject, provenance
        self._tally, self._counts = tally, tally.counts

    def _touch(self, part: str) -> Service:
        state = self.parts.get(part)
        if state is None:
            state = self.parts[part] = Service()
        self.changed.add(part)
        self.dirty.add((SERVICE_STATISTICS, part))
        return state

    def _registered(self, index: int, event: Event) -> None:
        data: service.ServiceRegistered = event.data
        state = self._touch(event.subject.removeprefix("service/"))
        state.registration = traced(index, provenance_of(data)).row("service", "service", cells_of(data))

    def _count_published(self, index: int, event: Event) -> None:
        data: service.CountPublished = event.data
        state = self._touch(event.subject.removeprefix("service/"))
        period = data.period
        provenance = provenance_of(data)
        state.published[data.count_id] = Published(
            kind=data.kind,
            count=data.count,
            period=None if isinstance(period, UnsetType) else period,
            cells=cells_of(data, without=("count_id",)),
            trace=traced(index, provenance),
        )

    def _batch_sealed(self, index: int, event: Event) -> None:
        data: service.BatchSealed = event.data
        self.settle()
        part, _, period_name = event.subject.removeprefix("service/").partition("/")
        period = self._touch(part).period(period_name)
        provenance = provenance_of(data)
        period.manifest_index = index
        period.manifest_provenance = provenance
        tally = period.tallies.setdefault(provenance, Tally())
        tally.batches += 1
        for cell in data.counts_by_kind:
            tally.declared[cell.kind] = tally.declared.get(cell.kind, 0) + cell.count
