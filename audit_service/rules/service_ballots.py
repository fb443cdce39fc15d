"""May this ballot be held like this? Announced, then sealed after its last day, then tallied: once each.

What the rules hold is arithmetic: no more ballots than voters, and a tally that accounts for every ballot. That the
box holds what the voters put in is what their receipts prove, each against the sealed root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.periods import end_of_day
from audit_service.rules.errors import RuleBroken
from audit_service.rules.service import require_operating, require_service
from audit_service.rules.service_states import Ballot, ServiceState

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.service import BallotOpened, BallotSealed, BallotTallied
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def decide_opened(_: World, state: ServiceState, event: Event) -> None:
    """May the ballot be announced? Once by its id, with distinct options, from a day to the same or a later one."""
    require_operating(require_service(state, event), event)
    data: BallotOpened = event.data
    if data.ballot_id in state.ballots:
        raise RuleBroken("service.ballot-duplicate", "the ballot is announced", stream=event.subject)
    if len(set(data.option_codes)) != len(data.option_codes):
        raise RuleBroken("service.ballot-option-repeated", "an option stands in the list twice", stream=event.subject)
    try:
        end_of_day(data.opens_on), end_of_day(data.closes_on)
    except ValueError:
        raise RuleBroken("service.date-invalid", "no such day in the calendar", stream=event.subject) from None
    if data.closes_on < data.opens_on:
        raise RuleBroken(
            "service.ballot-dates",
            "it closes before it opens",
            stream=event.subject,
            columns={"opens_on": data.opens_on, "closes_on": data.closes_on},
        )


def evolve_opened(state: ServiceState, event: Event, undo: Changes) -> None:
    """Remember the ballot."""
    data: BallotOpened = event.data
    ballot = Ballot(data.electorate_count, end_of_day(data.closes_on), frozenset(data.option_codes))
    undo.put(state.ballots, data.ballot_id, ballot)


def _require_ballot(state: ServiceState, event: Event) -> Ballot:
    require_service(state, event)
    ballot = state.ballots.get(event.data.ballot_id)
    if ballot is None:
        raise RuleBroken("service.ballot-unknown", "no such ballot is announced", stream=event.subject)
    return ballot


def decide_sealed(_: World, state: ServiceState, event: Event) -> None:
    """May the box be sealed? Once, after the last day in Korean time, with no more ballots than voters."""
    ballot = _require_ballot(state, event)
    data: BallotSealed = event.data
    if ballot.cast is not None:
        raise RuleBroken("service.ballot-sealed-twice", "the box is sealed", stream=event.subject)
    if event.time < ballot.closed_from:
        raise RuleBroken(
            "service.ballot-not-over",
            "the box is sealed after the last day of the ballot",
            stream=event.subject,
            columns={"time": event.time},
            allowed=ballot.closed_from,
        )
    if data.ballots_cast > ballot.electorate:
        raise RuleBroken(
            "service.ballot-exceeds-electorate",
            f"{data.ballots_cast} ballots by {ballot.electorate} voters",
            stream=event.subject,
            columns={"ballots_cast": data.ballots_cast, "electorate_count": ballot.electorate},
            allowed=ballot.electorate,
        )


def evolve_sealed(state: ServiceState, event: Event, undo: Changes) -> None:
    """Remember how many ballots lie in the box."""
    data: BallotSealed = event.data
    undo.put(state.ballots, data.ballot_id, state.ballots[data.ballot_id]._replace(cast=data.ballots_cast))


def decide_tallied(_: World, state: ServiceState, event: Event) -> None:
    """May this be the tally? Once, of a sealed box, for exactly the announced options, counting every ballot."""
    ballot = _require_ballot(state, event)
    data: BallotTallied = event.data
    if ballot.cast is None:
        raise RuleBroken("service.ballot-not-sealed", "the box is not sealed", stream=event.subject)
    if ballot.tallied:
        raise RuleBroken("service.ballot-tallied-twice", "the ballot is tallied", stream=event.subject)
    options = [one.option for one in data.tally]
    if len(options) != len(ballot.options) or set(options) != ballot.options:
        raise RuleBroken(
            "service.ballot-options-differ", "the tally names other options than announced", stream=event.subject
        )
    counted = sum(one.count for one in data.tally) + data.invalid_count
    if counted != ballot.cast:
        raise RuleBroken(
            "service.tally-differs",
            f"{ballot.cast} ballots were cast, the tally counts {counted}",
            stream=event.subject,
            columns={"ballots_cast": ballot.cast, "counted": counted},
            allowed=ballot.cast,
        )


def evolve_tallied(state: ServiceState, event: Event, undo: Changes) -> None:
    """Remember that it is tallied."""
    ballot_id = event.data.ballot_id
    undo.put(state.ballots, ballot_id, state.ballots[ballot_id]._replace(tallied=True))
