"""May the log begin like this, and may an organisation be called that? Streams `registry/…`.

Whether a key id fits its public key, and whether two root keys signed the genesis, is a matter of bytes:
the verifier's. Here keys are names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.types import AGENCY_SUBJECT
from audit_service.rules.dates import is_calendar_date, is_in_order
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, Key, Log, LogState, OrganisationState, RootKey
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.registry import LogCreated, OrganisationNamed
    from audit_service.rules.undo import Changes

AGENCY_URN = "urn:kr:agency:"
# What the key that the genesis names as the publisher's may sign: what the service itself has to say.
PUBLISHER_SCOPES = frozenset(
    {"report.*", "registry.token-issued.v1", "registry.token-revoked.v1", "registry.submission-refused.v1"}
)


def decide_created(_: World, state: LogState, event: Event) -> None:
    """May the log be created? Once, by one of its agencies; every agency and every key stands in it once."""
    data: LogCreated = event.data
    if state.log:
        raise RuleBroken("registry.log-created-twice", "the log is created", stream=event.subject)
    codes = [agency.code for agency in data.agencies]
    if len(set(codes)) != len(codes):
        raise RuleBroken("registry.agency-duplicate", "an agency is named twice", stream=event.subject)
    if event.source not in {AGENCY_URN + code for code in codes}:
        # The owner writes all of the registry: without keys of its own nobody could ever name anybody.
        raise RuleBroken(
            "registry.city-unknown", "the creator of the log is not among its agencies", stream=event.subject
        )
    keys = [(key.kid, key.public_key) for key in (*data.root_keys, data.publisher_key)]
    keys += [(key.kid, key.public_key) for agency in data.agencies for key in agency.keys]
    for column in zip(*keys, strict=True):
        if len(set(column)) != len(column):
            raise RuleBroken("registry.key-duplicate", "a key stands in the registry twice", stream=event.subject)


def evolve_created(state: LogState, event: Event, undo: Changes) -> None:
    """Remember the log and all keys, the publisher's with the city as its holder."""
    data: LogCreated = event.data
    undo.put(state.log, ONLY, Log(event.source, data.origin, data.log_key))
    undo.put(state.policy, ONLY, data.policy)
    for root in data.root_keys:
        undo.put(state.root_keys, root.kid, RootKey(root.public_key))
    city = event.source.removeprefix(AGENCY_URN)
    publisher = data.publisher_key
    undo.put(state.keys, publisher.kid, Key(city, PUBLISHER_SCOPES, publisher.public_key, "PUBLISHER"))
    for agency in data.agencies:
        undo.put(state.agencies, agency.code, None)
        for key in agency.keys:
            undo.put(state.keys, key.kid, Key(agency.code, frozenset(key.scopes), key.public_key))


def decide_named(world: World, state: OrganisationState, event: Event) -> None:
    """May the organisation be called this? By the city; from a day to a later one; under its own code."""
    del state
    log = read_log(world).log.get(ONLY)
    if log is None:
        raise RuleBroken("registry.log-not-created", "the log is not created", stream=event.subject)
    if event.source != log.owner:
        raise RuleBroken(
            "registry.not-owner", "only the city names organisations", stream=event.subject, allowed=log.owner
        )
    data: OrganisationNamed = event.data
    match = AGENCY_SUBJECT.fullmatch(event.subject)
    if match is None or data.code != match[1]:
        raise RuleBroken("registry.code-differs", "the code is not the one of the stream", stream=event.subject)
    if data.parent_code == data.code:
        raise RuleBroken("registry.parent-self", "no organisation stands above itself", stream=event.subject)
    _require_validity(event, data.valid_from, data.valid_until)


def _require_validity(event: Event, start: object, end: object) -> None:
    for day in (start, end):
        if isinstance(day, str) and not is_calendar_date(day):
            raise RuleBroken("registry.date-invalid", "no such day in the calendar", stream=event.subject)
    if isinstance(start, str) and isinstance(end, str) and not is_in_order(start, end):
        raise RuleBroken(
            "registry.dates",
            "the name ends before it begins",
            stream=event.subject,
            columns={"valid_from": start, "valid_until": end},
        )


def evolve_named(state: OrganisationState, _: Event, undo: Changes) -> None:
    """Count the name."""
    undo.put(state.names, ONLY, state.names.get(ONLY, 0) + 1)
