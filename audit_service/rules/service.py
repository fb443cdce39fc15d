"""May this be counted? Services, published counts, sealed batches and their transactions.

Transactions arrive by the ten thousand each second: their rule looks at dictionaries of its own stream
only. All that concerns the service (owner, kinds, smallest cell) is settled once, by the manifest that
opens the batch. What comes later to a transaction: `service_later`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.periods import period_end, period_form
from audit_service.catalogue.types import PERIOD_SUBJECT
from audit_service.rules.errors import RuleBroken
from audit_service.rules.service_states import Batch, Cell, PeriodState, Sealing, Service, ServiceState
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_service

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.service import (
        BatchSealed,
        CountPublished,
        ServiceRegistered,
        TransactionRecorded,
    )
    from audit_service.rules.undo import Changes


# What imports of printed facts say is public already: it can no longer be held back.
_IMPORTED = ("printed", "derived")


def require_service(state: ServiceState | None, event: Event) -> Service:
    """The registered service, written to by its owner.

    Raises:
        RuleBroken: `service.not-registered` or `service.not-owner`.
    """
    service = None if state is None else state.service.get(ONLY)
    if service is None:
        raise RuleBroken("service.not-registered", "the service is not registered", stream=event.subject)
    if event.source != service.owner:
        raise not_owner(event, service.owner)
    return service


def require_operating(service: Service, event: Event) -> None:
    """Is the service in operation, and not only planned?

    Raises:
        RuleBroken: `service.not-operating`.
    """
    if not service.operating:
        raise RuleBroken("service.not-operating", "the service is only planned", stream=event.subject)


def not_owner(event: Event, owner: str) -> RuleBroken:
    """The refusal of an event by another agency than the service's."""
    return RuleBroken(
        "service.not-owner",
        "only the agency that registered the service may write to it",
        stream=event.subject,
        allowed=owner,
    )


def unknown_kind(event: Event) -> RuleBroken:
    """The refusal of an event about a kind that the service does not have."""
    return RuleBroken("service.kind-unknown", "the service has no such kind", stream=event.subject)


def _other_period(event: Event, expected: str) -> RuleBroken:
    return RuleBroken(
        "service.period-differs",
        "the period is not the one of the stream",
        stream=event.subject,
        allowed=expected,
    )


def other_time(event: Event, expected: str) -> RuleBroken:
    """The refusal of an event whose `time` tells more than the end of its period."""
    return RuleBroken(
        "service.transaction-time",
        "the time is not the end of the period: an exact time would tell who it was",
        stream=event.subject,
        allowed=expected,
    )


def other_provenance(event: Event, expected: str | None) -> RuleBroken:
    """The refusal of an event that says another provenance than the manifest that speaks for it."""
    return RuleBroken(
        "service.provenance-differs",
        "its provenance is not that of the batch's manifest",
        stream=event.subject,
        allowed=expected,
    )


def require_distinct_kinds(event: Event, kinds: list[str]) -> None:
    """Does every code stand in the list once?

    Raises:
        RuleBroken: `service.kind-repeated`.
    """
    if len(set(kinds)) != len(kinds):
        raise RuleBroken("service.kind-repeated", "a kind stands in the list twice", stream=event.subject)


def decide_registered(_: World, state: ServiceState, event: Event) -> None:
    """May the service be registered? Once, with distinct kinds."""
    data: ServiceRegistered = event.data
    if state.service:
        require_service(state, event)
        raise RuleBroken("service.registered-twice", "the service is registered", stream=event.subject)
    require_distinct_kinds(event, [kind.code for kind in data.kinds])


def evolve_registered(state: ServiceState, event: Event, undo: Changes) -> None:
    """Begin the service; its first event's source owns the stream."""
    data: ServiceRegistered = event.data
    undo.put(
        state.service,
        ONLY,
        Service(
            event.source,
            data.unit_ko,
            data.minimum_cell,
            data.status == "operating",
            data.period_form if isinstance(data.period_form, str) else None,
        ),
    )
    for kind in data.kinds:
        undo.put(state.kinds, kind.code, None)


def decide_count(_: World, state: ServiceState, event: Event) -> None:
    """May this count be published? Once by its id, of a registered kind, in the service's one unit, not too small."""
    service = require_service(state, event)
    data: CountPublished = event.data
    in_force = state.counts.get(data.count_id)
    if isinstance(data.corrects, str):
        if in_force != data.corrects:
            raise RuleBroken(
                "service.correction-unknown",
                "what it corrects is not the count in force under its id",
                stream=event.subject,
                allowed=in_force,
            )
    elif in_force is not None:
        raise RuleBroken("service.count-duplicate", f"count {data.count_id} is already published", stream=event.subject)
    if data.kind not in state.kinds:
        raise unknown_kind(event)
    if data.unit_ko != service.unit_ko:
        # Persons and cases must not be added up: 26,779명 are not 26,779건.
        raise RuleBroken(
            "service.unit-differs",
            "the count is in another unit than the service",
            stream=event.subject,
            allowed=service.unit_ko,
        )
    if 0 < data.count < service.minimum_cell and data.provenance not in _IMPORTED:
        raise _small_cell(event, data.count, service)


def evolve_count(state: ServiceState, event: Event, undo: Changes) -> None:
    """Remember which event is in force under the count's id."""
    data: CountPublished = event.data
    undo.put(state.counts, data.count_id, event.id)


def decide_batch(world: World, state: PeriodState, event: Event) -> None:
    """May this batch be sealed? By the service's owner, for the stream's period, with no small cell.

    Every cell must reach the service's smallest cell, also where a batch holds one kind only: an agency holds
    transactions back, merges kinds or takes a longer period until it does.
    """
    service_state = read_service(world, event.subject)
    service = require_service(service_state, event)
    data: BatchSealed = event.data
    require_operating(service, event)
    period = period_of(event)
    if data.period != period:
        raise _other_period(event, period)
    require_period(service, event, period)
    if event.id != data.batch_id + "/0":
        raise RuleBroken(
            "service.manifest-id",
            "a manifest's id is its batch id and /0",
            stream=event.subject,
            allowed=data.batch_id + "/0",
        )
    if data.batch_id in state.batches:
        raise RuleBroken("service.batch-duplicate", "this batch is already sealed", stream=event.subject)
    sealing = state.sealing.get(ONLY)
    if sealing is not None and len(state.commitments) != sealing.sealed:
        raise RuleBroken(
            "service.batch-open",
            f"{sealing.sealed - len(state.commitments)} transactions of the batch before are missing",
            stream=event.subject,
        )
    _require_cells(event, data, service, {} if service_state is None else service_state.kinds)


def period_of(event: Event) -> str:
    """The period that a subject names.

    Raises:
        RuleBroken: `envelope.subject-form`.
    """
    match = PERIOD_SUBJECT.fullmatch(event.subject)
    if match is None:
        raise RuleBroken("envelope.subject-form", "the subject names no period", stream="")
    return match[2]


def require_period(service: Service, event: Event, period: str) -> str:
    """Is the period one of the calendar, and as long as the service's periods are? Returns its end (`time`).

    Raises:
        RuleBroken: `service.period-invalid` or `service.period-form`.
    """
    try:
        ended, form = period_end(period), period_form(period)
    except ValueError:
        raise RuleBroken("service.period-invalid", "no such period in the calendar", stream=event.subject) from None
    if service.period_form not in (None, form):
        raise RuleBroken(
            "service.period-form",
            "the service has periods of another length",
            stream=event.subject,
            columns={"period_form": form},
            allowed=service.period_form,
        )
    return ended


def _require_cells(event: Event, data: BatchSealed, service: Service, kinds: dict[str, None]) -> None:
    cells = data.counts_by_kind
    require_distinct_kinds(event, [cell.kind for cell in cells])
    for cell in cells:
        if cell.kind not in kinds:
            raise unknown_kind(event)
        if cell.count < service.minimum_cell:
            raise _small_cell(event, cell.count, service)
    computed = sum(cell.count for cell in cells)
    if computed != data.count:
        raise RuleBroken(
            "service.counts-differ",
            f"the manifest counts {data.count}, its kinds add up to {computed}",
            stream=event.subject,
            columns={"count": {"stated": data.count, "computed": computed}},
            allowed=computed,
        )


def _small_cell(event: Event, count: int, service: Service) -> RuleBroken:
    return RuleBroken(
        "service.small-cell",
        f"a cell of {count} says too much about few people",
        stream=event.subject,
        columns={"count": count, "minimum_cell": service.minimum_cell},
        allowed=service.minimum_cell,
    )


def evolve_batch(state: PeriodState, event: Event, undo: Changes) -> None:
    """Open the batch: as many commitments may follow as it counts, in its cells."""
    data: BatchSealed = event.data
    sealed = len(state.commitments) + data.count
    said = data.provenance if isinstance(data.provenance, str) else None
    undo.put(state.sealing, ONLY, Sealing(event.source, data.period, period_end(data.period), sealed, said))
    undo.put(state.batches, data.batch_id, Batch(data.count, said))
    for counted in data.counts_by_kind:
        number = len(state.cells)
        undo.put(state.cells, number, Cell(data.batch_id, counted.kind, said))
        undo.put(state.kinds, counted.kind, number)


def decide_transaction(_: World, state: PeriodState, event: Event) -> None:
    """May this transaction be recorded? In an open batch, of a sealed kind, under a new commitment.

    How many of each kind the batch may hold, and in which order, is held by `groups`.
    """
    data: TransactionRecorded = event.data
    sealing = state.sealing.get(ONLY)
    if sealing is None or len(state.commitments) >= sealing.sealed:
        raise RuleBroken("service.unsealed", "no batch is open for this transaction", stream=event.subject)
    if event.source != sealing.owner:
        raise not_owner(event, sealing.owner)
    if data.period != sealing.period:
        raise _other_period(event, sealing.period)
    if event.time != sealing.time:
        raise other_time(event, sealing.time)
    if isinstance(data.provenance, str) and data.provenance != sealing.provenance:
        raise other_provenance(event, sealing.provenance)
    if data.kind not in state.kinds:
        raise unknown_kind(event)
    text = data.commitment
    try:
        commitment = bytes.fromhex(text)
    except ValueError:
        commitment = b""
    # Comparing what it prints as refuses capital letters and blanks, which `fromhex` reads over.
    if len(commitment) != 32 or commitment.hex() != text:
        raise RuleBroken(
            "service.commitment-form",
            "a commitment is 64 lower-case hexadecimal digits",
            stream=event.subject,
        )
    if commitment in state.commitments:
        raise RuleBroken("service.commitment-duplicate", "this commitment is already recorded", stream=event.subject)


def evolve_transaction(state: PeriodState, event: Event, undo: Changes) -> None:
    """Remember the commitment and its cell, which also counts the transaction."""
    data: TransactionRecorded = event.data
    undo.put(state.commitments, bytes.fromhex(data.commitment), state.kinds[data.kind])
