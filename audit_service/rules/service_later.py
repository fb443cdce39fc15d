"""What may still happen to a recorded transaction: may it be voided, may its side record be erased?

The leaf stays in either case. Both name a transaction by its commitment, which says nothing about anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.dates import is_calendar_date
from audit_service.rules.errors import RuleBroken
from audit_service.rules.service import not_owner, other_provenance
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.service import BatchRecordsErased, SideRecordErased, TransactionVoided
    from audit_service.rules.service_states import Cell, PeriodState
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def _require_owner(state: PeriodState, event: Event) -> None:
    sealing = state.sealing.get(ONLY)
    if sealing is not None and event.source != sealing.owner:
        raise not_owner(event, sealing.owner)


def _require_recorded(state: PeriodState, event: Event, commitment: str) -> Cell:
    """The cell of a transaction of this stream, named by its commitment."""
    _require_owner(state, event)
    number = state.commitments.get(bytes.fromhex(commitment))
    if number is None:
        raise RuleBroken("service.commitment-unknown", "no transaction here has this commitment", stream=event.subject)
    return state.cells[number]


def decide_voided(_: World, state: PeriodState, event: Event) -> None:
    """May this transaction be voided? One of this stream, of the kind that is named, and once."""
    data: TransactionVoided = event.data
    cell = _require_recorded(state, event, data.commitment)
    _require_provenance(event, cell.provenance)
    if data.kind != cell.kind:
        raise RuleBroken(
            "service.void-kind-differs",
            "the transaction is of another kind",
            stream=event.subject,
            allowed=cell.kind,
        )
    if bytes.fromhex(data.commitment) in state.voided:
        raise RuleBroken("service.voided-twice", "the transaction is voided", stream=event.subject)


def evolve_voided(state: PeriodState, event: Event, undo: Changes) -> None:
    """Remember that it counts no more."""
    undo.put(state.voided, bytes.fromhex(event.data.commitment), None)


def decide_erased(_: World, state: PeriodState, event: Event) -> None:
    """May this side record be said to be erased? That of a transaction of this stream, on a real day, once."""
    data: SideRecordErased = event.data
    cell = _require_recorded(state, event, data.commitment)
    _require_provenance(event, cell.provenance)
    _require_day(event, data.erased_on)
    batch = state.batches[cell.batch_id]
    if batch.erased == batch.size or bytes.fromhex(data.commitment) in state.erased:
        raise RuleBroken("service.erased-twice", "the side record is erased", stream=event.subject)


def evolve_erased(state: PeriodState, event: Event, undo: Changes) -> None:
    """Remember the commitment that opens for nobody any more, and count it in its batch."""
    commitment = bytes.fromhex(event.data.commitment)
    batch_id = state.cells[state.commitments[commitment]].batch_id
    batch = state.batches[batch_id]
    undo.put(state.erased, commitment, None)
    undo.put(state.batches, batch_id, batch._replace(erased=batch.erased + 1))


def decide_batch_erased(_: World, state: PeriodState, event: Event) -> None:
    """May all that is left behind a batch be said to be erased? Exactly as many as are left."""
    _require_owner(state, event)
    data: BatchRecordsErased = event.data
    batch = state.batches.get(data.batch_id)
    if batch is None:
        raise RuleBroken("service.batch-unknown", "no such batch is sealed here", stream=event.subject)
    _require_provenance(event, batch.provenance)
    _require_day(event, data.erased_on)
    left = batch.size - batch.erased
    if not left:
        raise RuleBroken("service.erased-twice", "the side records are erased", stream=event.subject)
    if data.count != left:
        raise RuleBroken(
            "service.erased-count-differs",
            f"{left} side records of the batch are left",
            stream=event.subject,
            columns={"count": {"stated": data.count, "computed": left}},
            allowed=left,
        )


def evolve_batch_erased(state: PeriodState, event: Event, undo: Changes) -> None:
    """Nothing is left behind this batch."""
    data: BatchRecordsErased = event.data
    batch = state.batches[data.batch_id]
    undo.put(state.batches, data.batch_id, batch._replace(erased=batch.size))


def _require_provenance(event: Event, expected: str | None) -> None:
    """What becomes of synthetic transactions is synthetic, and nothing else is."""
    said = event.data.provenance
    if (said if isinstance(said, str) else None) != expected:
        raise other_provenance(event, expected)


def _require_day(event: Event, day: str) -> None:
    if not is_calendar_date(day):
        raise RuleBroken("service.date-invalid", "no such day in the calendar", stream=event.subject)
