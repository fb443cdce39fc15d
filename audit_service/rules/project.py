"""May this be said about a project? Registered once and first; every further fact under an id of its own.

An event with `corrects` takes the place of an earlier one of its type, and may keep its id; both remain visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.dates import is_calendar_date, is_in_order
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, Fact, ProjectState

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
    """Is the name new, or that of what the event corrects?"""
    corrected = _corrected(state, event)
    if name in state.names and (corrected is None or name != corrected.name):
        raise RuleBroken(rule_id, "the same is recorded already", stream=event.subject)


def _corrected(state: ProjectState, event: Event) -> Fact | None:
    """What does the event correct? The newest version of a fact of its own type; None where it corrects nothing."""
    event_id = event.data.corrects
    if not isinstance(event_id, str):
        return None
    fact = state.facts.get(event_id)
    if fact is None:
        raise RuleBroken("project.correction-unknown", "no event of the project has this id", stream=event.subject)
    if fact.event_type != event.type:
        raise RuleBroken(
            "project.correction-type",
            "what it corrects is of another type",
            stream=event.subject,
            allowed=fact.event_type,
        )
    if fact.corrected:
        raise RuleBroken(
            "project.corrected-twice", "a later event corrects it already: correct that one", stream=event.subject
        )
    return fact


def _remember(state: ProjectState, event: Event, name: str, undo: Changes) -> None:
    """Keep the fact, and what it takes the place of as corrected."""
    event_id = event.data.corrects
    if isinstance(event_id, str):
        undo.put(state.facts, event_id, state.facts[event_id]._replace(corrected=True))
    undo.put(state.facts, event.id, Fact(event.type, name))
    if name:
        undo.put(state.names, name, None)


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
    """May the project be registered? Once, save to correct it; the stated parts of its funding add up to the total."""
    data: Registered = event.data
    if state.owner:
        _require_registered(state, event)
    if _corrected(state, event) is None and state.owner:
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
    _remember(state, event, "", undo)


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
    _remember(state, event, _basis_name(event.data), undo)


def decide_milestone(_: World, state: ProjectState, event: Event) -> None:
    """May this milestone be recorded? Once by its id, from a start to an end."""
    _require_registered(state, event)
    data: MilestoneRecorded = event.data
    _require_dates(event, data.start, data.end)
    _require_new("project.milestone-duplicate", state, event, f"milestone {data.milestone_id}")


def evolve_milestone(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: MilestoneRecorded = event.data
    _remember(state, event, f"milestone {data.milestone_id}", undo)


def decide_activity(_: World, state: ProjectState, event: Event) -> None:
    """May this activity be recorded? Once by its id, from a start to an end."""
    _require_registered(state, event)
    data: ActivityRecorded = event.data
    _require_dates(event, data.start, data.end)
    _require_new("project.activity-duplicate", state, event, f"activity {data.activity_id}")


def evolve_activity(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: ActivityRecorded = event.data
    _remember(state, event, f"activity {data.activity_id}", undo)


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
    _remember(state, event, f"asset {data.asset_id}", undo)


def decide_effect(_: World, state: ProjectState, event: Event) -> None:
    """May this effect be stated? In the source's words, as often as the source does."""
    _require_registered(state, event)
    _corrected(state, event)


def evolve_effect(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the event: another may correct it."""
    _remember(state, event, "", undo)


def decide_anomaly(_: World, state: ProjectState, event: Event) -> None:
    """May this anomaly be noted? Once by its id."""
    _require_registered(state, event)
    data: AnomalyNoted = event.data
    _require_new("project.anomaly-duplicate", state, event, f"anomaly {data.anomaly_id}")


def evolve_anomaly(state: ProjectState, event: Event, undo: Changes) -> None:
    """Remember the id."""
    data: AnomalyNoted = event.data
    _remember(state, event, f"anomaly {data.anomaly_id}", undo)
