"""May this credential be issued or revoked, and may these checks be answered by that kind of transaction?

Places in status lists are remembered as bits of blocks, small enough for a state to be stored as MessagePack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.errors import RuleBroken
from audit_service.rules.service import (
    not_owner,
    other_time,
    period_of,
    require_distinct_kinds,
    require_operating,
    require_period,
    require_service,
    unknown_kind,
)
from audit_service.rules.service_states import PeriodState, Scheme, ServiceState, StatusList
from audit_service.rules.world import World, read_service

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.service import CheckSchemeRegistered, CredentialIssued, CredentialRevoked
    from audit_service.rules.undo import Changes

BLOCK = 32


def _has(bits: dict[tuple[str, int], int], list_id: str, index: int) -> bool:
    block, place = divmod(index, BLOCK)
    return bool(bits.get((list_id, block), 0) >> place & 1)


def _set(bits: dict[tuple[str, int], int], list_id: str, index: int, undo: Changes) -> None:
    block, place = divmod(index, BLOCK)
    undo.put(bits, (list_id, block), bits.get((list_id, block), 0) | 1 << place)


def decide_issued(world: World, state: PeriodState, event: Event) -> None:
    """May it be issued? In a free place of a list of its kind, under a new commitment, at no exact time."""
    service_state = read_service(world, event.subject)
    service = require_service(service_state, event)
    require_operating(service, event)
    data: CredentialIssued = event.data
    ended = require_period(service, event, period_of(event))
    if event.time != ended:
        raise other_time(event, ended)
    if service_state is None or data.kind not in service_state.kinds:
        raise unknown_kind(event)
    status_list = state.lists.get(data.status_list_id)
    if status_list is not None and status_list.kind != data.kind:
        raise _other_kind(event, status_list)
    if _has(state.issued, data.status_list_id, data.status_index):
        raise RuleBroken("service.status-index-taken", "the place in the list is taken", stream=event.subject)
    commitment = bytes.fromhex(data.commitment)
    if commitment in state.credentials or commitment in state.commitments:
        raise RuleBroken("service.commitment-duplicate", "this commitment is already recorded", stream=event.subject)


def evolve_issued(state: PeriodState, event: Event, undo: Changes) -> None:
    """Take the place in the list, and remember the commitment."""
    data: CredentialIssued = event.data
    if data.status_list_id not in state.lists:
        undo.put(state.lists, data.status_list_id, StatusList(data.kind, event.source))
    _set(state.issued, data.status_list_id, data.status_index, undo)
    undo.put(state.credentials, bytes.fromhex(data.commitment), None)


def decide_revoked(_: World, state: PeriodState, event: Event) -> None:
    """May this credential be revoked? One that was issued in this list, of the kind that is named, once."""
    data: CredentialRevoked = event.data
    status_list = state.lists.get(data.status_list_id)
    if status_list is None:
        raise _unknown_credential(event)
    if event.source != status_list.owner:
        raise not_owner(event, status_list.owner)
    if status_list.kind != data.kind:
        raise _other_kind(event, status_list)
    if not _has(state.issued, data.status_list_id, data.status_index):
        raise _unknown_credential(event)
    if _has(state.revoked, data.status_list_id, data.status_index):
        raise RuleBroken("service.credential-revoked-twice", "the credential is revoked", stream=event.subject)


def evolve_revoked(state: PeriodState, event: Event, undo: Changes) -> None:
    """Remember that it is valid no more."""
    data: CredentialRevoked = event.data
    _set(state.revoked, data.status_list_id, data.status_index, undo)


def _unknown_credential(event: Event) -> RuleBroken:
    return RuleBroken("service.credential-unknown", "no credential stands in this place", stream=event.subject)


def _other_kind(event: Event, status_list: StatusList) -> RuleBroken:
    return RuleBroken(
        "service.status-list-kind",
        "the status list holds credentials of another kind",
        stream=event.subject,
        allowed=status_list.kind,
    )


def decide_scheme(_: World, state: ServiceState, event: Event) -> None:
    """May these checks be answered by that kind? By a registered kind that no other scheme has in the same round."""
    require_service(state, event)
    data: CheckSchemeRegistered = event.data
    if data.scheme_id in state.schemes:
        raise RuleBroken("service.scheme-duplicate", "the scheme is registered", stream=event.subject)
    if data.kind not in state.kinds:
        raise unknown_kind(event)
    require_distinct_kinds(event, [check.code for check in data.check_kinds])
    stated = data.round if isinstance(data.round, str) else None
    for scheme in state.schemes.values():
        if scheme.kind == data.kind and (stated is None or scheme.round in (None, stated)):
            # Otherwise one leaf would be counted as an answer to the checks of both.
            raise RuleBroken(
                "service.scheme-overlaps",
                "the transactions of this kind and round answer another scheme",
                stream=event.subject,
            )


def evolve_scheme(state: ServiceState, event: Event, undo: Changes) -> None:
    """Remember whose transactions answer it."""
    data: CheckSchemeRegistered = event.data
    undo.put(state.schemes, data.scheme_id, Scheme(data.kind, data.round if isinstance(data.round, str) else None))
