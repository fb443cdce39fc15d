"""What does a public service count, and what stands behind its counts?

Published counts and sealed transactions are two tables. A count is *reconciled* only by transactions of its
own evidence class and kind: synthetic transactions never stand behind a number of the city.

Transactions arrive by the million: only counters and merged index ranges are kept. A range covers whole
sealed batches, each with its manifest in front, so neighbouring batches merge into one range. What becomes of
transactions later comes one by one, and is kept one by one.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET, UnsetType

from projections.folds.fold import Fold, Handler
from projections.folds.rows import ACTUAL, Row, Trace, cells_of, provenance_of, traced
from projections.folds.service_state import Ballot, Later, Period, Published, Scheme, Service, StatusList, Tally
from projections.folds.service_statistics import BITS, SERVICE_STATISTICS, compute_statistics

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
            "service.transaction-voided.v1": self._transaction_voided,
            "service.side-record-erased.v1": self._side_record_erased,
            "service.batch-records-erased.v1": self._batch_records_erased,
            "service.ballot-opened.v1": self._ballot_opened,
            "service.ballot-sealed.v1": self._ballot_sealed,
            "service.ballot-tallied.v1": self._ballot_tallied,
            "service.credential-issued.v1": self._credential_issued,
            "service.credential-revoked.v1": self._credential_revoked,
            "service.check-scheme-registered.v1": self._scheme_registered,
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

    def _period(self, event: Event) -> Period:
        part, _, period_name = event.subject.removeprefix("service/").partition("/")
        return self._touch(part).period(period_name)

    def _service(self, event: Event) -> Service:
        return self._touch(event.subject.removeprefix("service/"))

    def _touch(self, part: str) -> Service:
        state = self.parts.get(part)
        if state is None:
            state = self.parts[part] = Service()
        self.changed.add(part)
        self.dirty.add((SERVICE_STATISTICS, part))
        return state

    def _registered(self, index: int, event: Event) -> None:
        data: service.ServiceRegistered = event.data
        registration = traced(index, provenance_of(data)).row("service", "service", cells_of(data))
        self._service(event).registration = registration

    def _count_published(self, index: int, event: Event) -> None:
        data: service.CountPublished = event.data
        published = self._service(event).published
        row_id, versions = data.count_id, 1
        while row_id in published:
            versions += 1
            row_id = f"{data.count_id}~{versions}"
        for earlier in published.values():
            if earlier.event_id == data.corrects:
                earlier.corrected_by = event.id
                earlier.trace.add(index, provenance_of(data))
        corrects = None if isinstance(data.corrects, UnsetType) else data.corrects
        published[row_id] = Published(
            event_id=event.id,
            kind=data.kind,
            count=data.count,
            period=None if isinstance(data.period, UnsetType) else data.period,
            cells=cells_of(data, without=("count_id",)) | {"corrects": corrects},
            trace=traced(index, provenance_of(data)),
        )

    def _batch_sealed(self, index: int, event: Event) -> None:
        data: service.BatchSealed = event.data
        self.settle()
        period = self._period(event)
        provenance = provenance_of(data)
        period.manifest_index = index
        period.manifest_provenance = provenance
        tally = period.tallies.setdefault(provenance, Tally())
        tally.batches += 1
        for cell in data.counts_by_kind:
            tally.declared[cell.kind] = tally.declared.get(cell.kind, 0) + cell.count

    # --- what becomes of transactions -------------------------------------------------------------------

    def _transaction_voided(self, index: int, event: Event) -> None:
        data: service.TransactionVoided = event.data
        tally = self._later(index, event, "voided", {"kind": data.kind, "reason_code": data.reason_code}, 1)
        tally.voided[data.kind] = tally.voided.get(data.kind, 0) + 1

    def _side_record_erased(self, index: int, event: Event) -> None:
        data: service.SideRecordErased = event.data
        self._later(index, event, "erased", {"cause": data.cause}, 1).erased += 1

    def _batch_records_erased(self, index: int, event: Event) -> None:
        data: service.BatchRecordsErased = event.data
        self._later(index, event, "erased", {"cause": data.cause}, data.count).erased += data.count

    def _later(self, index: int, event: Event, table: str, body: dict[str, str], count: int) -> Tally:
        """Count it in its row; returns the tally that it is about."""
        period, provenance = self._period(event), provenance_of(event.data)
        key = "/".join((table, provenance, *body.values()))
        later = period.later.get(key)
        if later is None:
            later = period.later[key] = Later(table=table, body=dict(body), provenance=provenance)
        later.count += count
        later.entries.append(index)
        return period.tallies.setdefault(provenance, Tally())

    # --- ballots, credentials, schemes ------------------------------------------------------------------

    def _ballot(self, index: int, event: Event) -> Ballot:
        ballots = self._service(event).ballots
        ballot = ballots.get(event.data.ballot_id)
        if ballot is None:
            ballot = ballots[event.data.ballot_id] = Ballot(trace=Trace())
        ballot.trace.add(index, provenance_of(event.data))
        return ballot

    def _ballot_opened(self, index: int, event: Event) -> None:
        self._ballot(index, event).opened = cells_of(event.data, without=("ballot_id",))

    def _ballot_sealed(self, index: int, event: Event) -> None:
        data: service.BallotSealed = event.data
        self._ballot(index, event).sealed = {"ballots_cast": data.ballots_cast, "box_root": data.box_root}

    def _ballot_tallied(self, index: int, event: Event) -> None:
        data: service.BallotTallied = event.data
        tally = [{"option": one.option, "count": one.count} for one in data.tally]
        self._ballot(index, event).tallied = {"tally": tally, "invalid_count": data.invalid_count}

    def _status_list(self, index: int, event: Event) -> StatusList:
        data: service.CredentialIssued | service.CredentialRevoked = event.data
        lists = self._period(event).lists
        status_list = lists.get(data.status_list_id)
        if status_list is None:
            status_list = lists[data.status_list_id] = StatusList(kind=data.kind)
        ranges, provenance = status_list.ranges, provenance_of(data)
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
        if provenance not in status_list.provenance:
            insort(status_list.provenance, provenance)
        return status_list

    def _credential_issued(self, index: int, event: Event) -> None:
        self._status_list(index, event).issued += 1

    def _credential_revoked(self, index: int, event: Event) -> None:
        data: service.CredentialRevoked = event.data
        status_list = self._status_list(index, event)
        status_list.revoked += 1
        block, place = divmod(data.status_index, BITS)
        status_list.bits[block] = status_list.bits.get(block, 0) | 1 << place

    def _scheme_registered(self, index: int, event: Event) -> None:
        data: service.CheckSchemeRegistered = event.data
        self._service(event).schemes[data.scheme_id] = Scheme(
            kind=data.kind,
            round=None if isinstance(data.round, UnsetType) else data.round,
            checks=len(data.check_kinds),
            cells=cells_of(data, without=("scheme_id",)),
            trace=traced(index, provenance_of(data)),
        )
