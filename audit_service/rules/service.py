"""May this be counted? Services, published counts, sealed batches and their transactions.

Transactions arrive by the ten thousand each second: their rule looks at dictionaries of its own stream
only. All that concerns the service (owner, kinds, smallest cell) is settled once, by the manifest that
opens the batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.types import PERIOD_SUBJECT
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, PeriodState, Sealing, Service, ServiceState
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


def _require_service(state: ServiceState | None, event: Event) -> Service:
    service = None if state is None else state.service.get(ONLY)
    if service is None:
        raise RuleBroken("service.not-registered", "the service is not registered", stream=event.subject)
    if event.source != service.owner:
        raise _not_owner(event, service.owner)
    return service


def _not_owner(event: Event, owner: str) -> RuleBroken:
    return RuleBroken(
        "service.not-owner",
        "only the agency that registered the service may write to it",
        stream=event.subject,
        allowed=owner,
    )


def _unknown_kind(event: Event) -> RuleBroken:
    return RuleBroken("service.kind-unknown", "the service has no such kind", stream=event.subject)


def _other_period(event: Event, expected: str) -> RuleBroken:
    return RuleBroken(
        "service.period-differs",
        "the period is not the one of the stream",
        stream=event.subject,
        allowed=expected,
    )


def _require_distinct_kinds(event: Event, kinds: list[str]) -> None:
    if len(set(kinds)) != len(kinds):
        raise RuleBroken("service.kind-repeated", "a kind stands in the list twice", stream=event.subject)


def decide_registered(_: World, state: ServiceState, event: Event) -> None:
    """May the service be registered? Once, with distinct kinds."""
    data: ServiceRegistered = event.data
    if state.service:
        _require_service(state, event)
        raise RuleBroken("service.registered-twice", "the service is registered", stream=event.subject)
    _require_distinct_kinds(event, [kind.code for kind in data.kinds])


def evolve_registered(state: ServiceState, event: Event, undo: Changes) -> None:
    """Begin the service; its first event's source owns the stream."""
    data: ServiceRegistered = event.data
    undo.put(
        state.service,
        ONLY,
        Service(event.source, data.unit_ko, data.minimum_cell, data.status == "operating"),
    )
    for kind in data.kinds:
        undo.put(state.kinds, kind.code, None)


def decide_count(_: World, state: ServiceState, event: Event) -> None:
    """May this count be published? Once by its id, of a registered kind, in the service's one unit."""
    service = _require_service(state, event)
    data: CountPublished = event.data
    if data.count_id in state.counts:
        raise RuleBroken("service.count-duplicate", f"count {data.count_id} is already published", stream=event.subject)
    if data.kind not in state.kinds:
        raise _unknown_kind(event)
    if data.unit_ko != service.unit_ko:
        # Persons and cases must not be added up: 26,779명 are not 26,779건.
        raise RuleBroken(
            "service.unit-differs",
            "the count is in another unit than the service",
            stream=event.subject,
            allowed=service.unit_ko,
        )


def evolve_count(state: ServiceState, event: Event, undo: Changes) -> None:
    """Remember the count by its id."""
    data: CountPublished = event.data
    undo.put(state.counts, data.count_id, data.count)


def decide_batch(world: World, state: PeriodState, event: Event) -> None:
    """May this batch be sealed? By the service's owner, for the stream's period, with no small cell.

    Every cell must reach the service's smallest cell, also where a batch holds one kind only: an agency holds
    transactions back, merges kinds or takes a longer period until it does.
    """
    service_state = read_service(world, event.subject)
    service = _require_service(service_state, event)
    data: BatchSealed = event.data
    if not service.operating:
        raise RuleBroken("service.not-operating", "the service is only planned", stream=event.subject)
    period = _period_of(event)
    if data.period != period:
        raise _other_period(event, period)
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


def _period_of(event: Event) -> str:
    match = PERIOD_SUBJECT.fullmatch(event.subject)
    if match is None:
        raise RuleBroken("envelope.subject-form", "the subject names no period", stream="")
    return match[2]


def _require_cells(event: Event, data: BatchSealed, service: Service, kinds: dict[str, None]) -> None:
    cells = data.counts_by_kind
    _require_distinct_kinds(event, [cell.kind for cell in cells])
    for cell in cells:
        if cell.kind not in kinds:
            raise _unknown_kind(event)
        if cell.count < service.minimum_cell:
            raise RuleBroken(
                "service.small-cell",
                f"a cell of {cell.count} says too much about few people",
                stream=event.subject,
                columns={"count": cell.count, "minimum_cell": service.minimum_cell},
                allowed=service.minimum_cell,
            )
    computed = sum(cell.count for cell in cells)
    if computed != data.count:
        raise RuleBroken(
            "service.counts-differ",
            f"the manifest counts {data.count}, its kinds add up to {computed}",
            stream=event.subject,
            columns={"count": {"stated": data.count, "computed": computed}},
            allowed=computed,
        )


def evolve_batch(state: PeriodState, event: Event, undo: Changes) -> None:
    """Open the batch: as many commitments may follow as it counts."""
    data: BatchSealed = event.data
    sealed = len(state.commitments) + data.count
    undo.put(state.sealing, ONLY, Sealing(event.source, data.period, sealed))
    undo.put(state.batches, data.batch_id, data.count)
    for cell in data.counts_by_kind:
        undo.put(state.kinds, cell.kind, None)


def decide_transaction(_: World, state: PeriodState, event: Event) -> None:
    """May this transaction be recorded? In an open batch, of a sealed kind, under a new commitment.

    How many of each kind the batch may hold, and in which order, is held by `groups`.
    """
    data: TransactionRecorded = event.data
    sealing = state.sealing.get(ONLY)
    if sealing is None or len(state.commitments) >= sealing.sealed:
        raise RuleBroken("service.unsealed", "no batch is open for this transaction", stream=event.subject)
    if event.source != sealing.owner:
        raise _not_owner(event, sealing.owner)
    if data.period != sealing.period:
        raise _other_period(event, sealing.period)
    if data.kind not in state.kinds:
        raise _unknown_kind(event)
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
    """Remember the commitment, which also counts the transaction."""
    undo.put(state.commitments, bytes.fromhex(event.data.commitment), None)


def may_record_all(state: PeriodState, *, source: str, period: str, kinds: set[str], commitments: list[bytes]) -> bool:
    """Would `decide_transaction` allow every one of these, one after another? Commitments are distinct, 32 bytes each.

    The same conditions, asked of all at once; False says that `decide_transaction` has to say which one is broken.
    """
    sealing = state.sealing.get(ONLY)
    return (
        sealing is not None
        and len(state.commitments) + len(commitments) <= sealing.sealed
        and source == sealing.owner
        and period == sealing.period
        and kinds <= state.kinds.keys()
        and state.commitments.keys().isdisjoint(commitments)
    )


def record_all(state: PeriodState, commitments: list[bytes], undo: Changes) -> None:
    """Remember all these commitments, as `evolve_transaction` would one after another."""
    undo.put_new(state.commitments, commitments, None)
