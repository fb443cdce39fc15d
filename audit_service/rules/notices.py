"""May the city say this about its log: a schema, who may look behind the commitments, an incident?

These stand on the city's own stream, `registry/agency/<city>`. Whether a digest is that of a schema is nothing that a
rule can know, whose verdict must not depend on the code of the day: anybody compares it with `/v1/schemas/<type>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.dates import is_calendar_date
from audit_service.rules.errors import RuleBroken
from audit_service.rules.registry import AGENCY_URN
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.registry import AccessGranted, IncidentClosed, IncidentDeclared, SchemaPublished
    from audit_service.rules.states import OrganisationState
    from audit_service.rules.undo import Changes


def _require_city(world: World, event: Event) -> None:
    """Does the city write to its own stream?"""
    log = read_log(world).log.get(ONLY)
    if log is None:
        raise RuleBroken("registry.log-not-created", "the log is not created", stream=event.subject)
    if event.source != log.owner:
        raise RuleBroken("registry.not-owner", "only the city says this", stream=event.subject, allowed=log.owner)
    own = f"registry/agency/{log.owner.removeprefix(AGENCY_URN)}"
    if event.subject != own:
        raise RuleBroken(
            "registry.code-differs", "this stands on the city's own stream", stream=event.subject, allowed=own
        )


def decide_schema(world: World, state: OrganisationState, event: Event) -> None:
    """May this be the schema of a type? As the next version of it."""
    _require_city(world, event)
    data: SchemaPublished = event.data
    expected = state.schemas.get(data.event_type, 0) + 1
    if data.version != expected:
        raise RuleBroken(
            "registry.schema-version",
            "versions of a schema are numbered from 1 without gaps",
            stream=event.subject,
            columns={"version": data.version},
            allowed=expected,
        )


def evolve_schema(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember the version."""
    data: SchemaPublished = event.data
    undo.put(state.schemas, data.event_type, data.version)


def decide_access(world: World, state: OrganisationState, event: Event) -> None:
    """May this access be granted? Once by its id, from a day to the same or a later one."""
    _require_city(world, event)
    data: AccessGranted = event.data
    if data.access_id in state.access:
        raise RuleBroken("registry.access-duplicate", "this access is granted", stream=event.subject)
    if not (is_calendar_date(data.valid_from) and is_calendar_date(data.valid_until)):
        raise RuleBroken("registry.date-invalid", "no such day in the calendar", stream=event.subject)
    if data.valid_until < data.valid_from:
        raise RuleBroken(
            "registry.dates",
            "it ends before it begins",
            stream=event.subject,
            columns={"valid_from": data.valid_from, "valid_until": data.valid_until},
        )


def evolve_access(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    undo.put(state.access, event.data.access_id, None)


def decide_incident(world: World, state: OrganisationState, event: Event) -> None:
    """May this incident be declared? Once by its id; it names entries that stand before its own."""
    _require_city(world, event)
    data: IncidentDeclared = event.data
    if data.incident_id in state.incidents:
        raise RuleBroken("registry.incident-duplicate", "this incident is declared", stream=event.subject)
    first = data.from_index if isinstance(data.from_index, int) else 0
    last = data.until_index if isinstance(data.until_index, int) else event.index - 1
    touches = isinstance(data.from_index, int) or isinstance(data.until_index, int)
    if touches and not first <= last < event.index:
        raise RuleBroken(
            "registry.incident-range",
            "the entries that it names do not all stand before it, from the first to the last",
            stream=event.subject,
            columns={"from_index": first, "until_index": last},
            allowed=event.index - 1,
        )


def evolve_incident(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember it as open."""
    undo.put(state.incidents, event.data.incident_id, value=True)


def decide_incident_closed(world: World, state: OrganisationState, event: Event) -> None:
    """May this incident be closed? One that is open."""
    _require_city(world, event)
    data: IncidentClosed = event.data
    if not state.incidents.get(data.incident_id):
        raise RuleBroken("registry.incident-not-open", "no such incident is open", stream=event.subject)


def evolve_incident_closed(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember it as closed."""
    undo.put(state.incidents, event.data.incident_id, value=False)
