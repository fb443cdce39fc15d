"""May a bearer token be issued or revoked like this? Streams `registry/agency/<code>`.

The tokens that `audit init` makes have no entry of their own (the genesis names their agencies), so a revocation
need not follow an issue; it happens once all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.types import AGENCY_SUBJECT
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.tokens import TokenIssued, TokenRevoked
    from audit_service.rules.states import OrganisationState
    from audit_service.rules.undo import Changes


def decide_issued(world: World, state: OrganisationState, event: Event) -> None:
    """May the token be issued? By the city, on the stream of its agency, under a new id."""
    data: TokenIssued = event.data
    _require_city(world, event)
    _require_own_stream(event, data.agency)
    if data.token_id in state.tokens:
        raise RuleBroken("registry.token-duplicate", "a token has this id already", stream=event.subject)


def evolve_issued(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember the token."""
    undo.put(state.tokens, event.data.token_id, "issued")


def decide_revoked(world: World, state: OrganisationState, event: Event) -> None:
    """May the token be revoked? By the city, on the stream of its agency, once."""
    data: TokenRevoked = event.data
    _require_city(world, event)
    _require_own_stream(event, data.agency)
    if state.tokens.get(data.token_id) == "revoked":
        raise RuleBroken("registry.token-revoked-twice", "this token is revoked", stream=event.subject)


def evolve_revoked(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember that the token is gone."""
    undo.put(state.tokens, event.data.token_id, "revoked")


def _require_city(world: World, event: Event) -> None:
    log = read_log(world).log.get(ONLY)
    if log is None:
        raise RuleBroken("registry.log-not-created", "the log is not created", stream=event.subject)
    if event.source != log.owner:
        raise RuleBroken("registry.not-owner", "only the city issues tokens", stream=event.subject, allowed=log.owner)


def _require_own_stream(event: Event, code: str) -> None:
    match = AGENCY_SUBJECT.fullmatch(event.subject)
    if match is None or code != match[1]:
        raise RuleBroken("registry.code-differs", "the agency is not the one of the stream", stream=event.subject)
