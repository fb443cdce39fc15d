"""May this be said about a project? Registered once and first; every further fact under an id of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.dates import is_calendar_date, is_in_order
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, ProjectState

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.project import (
        ActivityRecorded,
        AnomalyNoted,
        AssetRegistered,
        BasisRecorded,
        Funding,
        MilestoneRecorded,
        Registered,
    )
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def _require_registered(state: ProjectState, event: Event) -> None:
    owner = state.owner.get(ONLY)
    if owner is None:
        raise RuleBroken("project.not-registered", "the project is not registered", stream=event.subject)
    if event.source != owner:
        raise RuleBroken(
            "project.not-owner",
            "only the agency that registered the project may write to it",
            stream=event.subject,
            allowed=owner,
        )


def _require_new(rule_id: str, state: ProjectState, event: Event, name: str) -> None:
    if name in state.names:
        raise RuleBroken(rule_id, "the same is recorded already", stream=event.subject)


def _require_dates(event: Event, start: object, end: object = None) -> None:
    for day in (start, end):
        if isinstance(day, str) and not is_calendar_date(day):
            raise RuleBroken("project.date-invalid", "no such day in the calendar", stream=event.subject)
    if isinstance(start, str) and isinstance(end, str) and not is_in_order(start, end):
        raise RuleBroken(
            "project.dates",
            "it ends before it starts",
            stream=event.subject,
            columns={"start": start, "end": end},
        )


def decide_registered(_: World, state: ProjectState, event: Event) -> None:
    """May the project be registered? Once; the parts of its funding that are stated add up to the total."""
    data: Registered = event.data
    if state.owner:
        _require_registered(state, event)
        raise RuleBroken("project.registered-twice", "the project is registered", stream=event.subject)
    _require_funding(event, data.funding)


def _require_funding(event: Event, funding: Funding) -> None:
    """Do the stated parts add up? Money outside the budget (예산 외) is no part of the total."""
    parts = (funding.national_won, funding.city_won, funding.district_won, funding.other_won)
    stated = [won for won in parts if isinstance(won, int)]
    if stated and sum(stated) != funding.total_won:
        raise RuleBroken(
            "project.funding-differs",
            f"the total says {funding.total_won} won, its parts add up to {sum(stated)} won",
            stream=event.subject,
            columns={"total_won": {"stated": funding.total_won, "computed": sum(stated)}},
            allowed=sum(stated),
        )


def evolve_registered(state: ProjectState, event: Event, undo: Changes) -> None:
    """Begin the project; its first event's source owns the stream."""
    undo.put(state.owner, ONLY, event.source)


def _basis_name(data: BasisRecorded) -> str:
    return f"basis {data.date} {data.title_ko}"


def decide_basis(_: World, state: ProjectState, event: Event) -> None:
    """May this plan be named as a basis? Once by title and date."""
    _require_registered(state, event)
    data: BasisRecorded = event.data
    _require_dates(event, data.date)
    _require_new("project.basis-duplicate", state, event, _basis_name(data))


def evolve_basis(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the title and date."""
    undo.put(state.names, _basis_name(event.data), None)


def decide_milestone(_: World, state: ProjectState, event: Event) -> None:
    """May this milestone be recorded? Once by its id, from a start to an end."""
    _require_registered(state, event)
    data: MilestoneRecorded = event.data
    _require_dates(event, data.start, data.end)
    _require_new("project.milestone-duplicate", state, event, f"milestone {data.milestone_id}")


def evolve_milestone(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: MilestoneRecorded = event.data
    undo.put(state.names, f"milestone {data.milestone_id}", None)


def decide_activity(_: World, state: ProjectState, event: Event) -> None:
    """May this activity be recorded? Once by its id, from a start to an end."""
    _require_registered(state, event)
    data: ActivityRecorded = event.data
    _require_dates(event, data.start, data.end)
    _require_new("project.activity-duplicate", state, event, f"activity {data.activity_id}")


def evolve_activity(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: ActivityRecorded = event.data
    undo.put(state.names, f"activity {data.activity_id}", None)


def decide_asset(_: World, state: ProjectState, event: Event) -> None:
    """May these assets be registered? Once by their id; no more are named than there are."""
    _require_registered(state, event)
    data: AssetRegistered = event.data
    if len(data.named) > data.count:
        raise RuleBroken(
            "project.named-exceed-count",
            f"{len(data.named)} are named of {data.count}",
            stream=event.subject,
            columns={"named": len(data.named), "count": data.count},
            allowed=data.count,
        )
    _require_new("project.asset-duplicate", state, event, f"asset {data.asset_id}")


def evolve_asset(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: AssetRegistered = event.data
    undo.put(state.names, f"asset {data.asset_id}", None)


def decide_effect(_: World, state: ProjectState, event: Event) -> None:
    """May this effect be stated? In the source's words, as often as the source does."""
    _require_registered(state, event)


def evolve_effect(_: ProjectState, __: Event, ___: Changes) -> None:
    """Change nothing: no later rule asks for an effect."""


def decide_anomaly(_: World, state: ProjectState, event: Event) -> None:
    """May this anomaly be noted? Once by its id."""
    _require_registered(state, event)
    data: AnomalyNoted = event.data
    _require_new("project.anomaly-duplicate", state, event, f"anomaly {data.anomaly_id}")


def evolve_anomaly(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: AnomalyNoted = event.data
    undo.put(state.names, f"anomaly {data.anomaly_id}", None)
