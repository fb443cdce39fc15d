"""Was this number used before, and can this account of a day, or of a refusal, be true?

An agency may number its submissions. Each number is used once; what is missing is not refused but public
(`projections.folds.agency_gaps`), because a submission may still come. A refused submission uses up no number:
corrected, it may come again under the same one.

Used numbers stand in the state of `registry/agency/<code>`, whatever stream the event itself stands on. They are
remembered as bits of blocks, so that one number costs one step and a long row of numbers next to no memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.types import AGENCY_SUBJECT
from audit_service.rules.dates import is_calendar_date
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, OrganisationState
from audit_service.rules.world import World, read_log

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.catalogue.sequences import DayClosed, SubmissionRefused
    from audit_service.rules.undo import Changes

AGENCY_URN = "urn:kr:agency:"
TRANSACTION = "service.transaction-recorded.v1"
BLOCK = 1024
# A block of which every number is used: one shared object instead of 1,024 bits for each.
FULL = (1 << BLOCK) - 1


def numbers_of(world: World, source: str) -> OrganisationState:
    """The state that remembers the numbers of a source."""
    state = world.stream(f"registry/agency/{source.removeprefix(AGENCY_URN)}")
    if not isinstance(state, OrganisationState):
        raise TypeError("the world keeps something else than an organisation at registry/agency/<code>")
    return state


def decide_number(world: World, event: Event, number: int) -> None:
    """May the event carry this number? Once per source, and never on a sealed transaction."""
    if event.type == TRANSACTION:
        raise RuleBroken(
            "registry.sequence-unexpected",
            "the manifest of a sealed batch carries its number, not the transactions",
            stream=event.subject,
        )
    if is_used(numbers_of(world, event.source), number):
        raise RuleBroken("registry.sequence-taken", "this `sequence` was used before", stream=event.subject)


def evolve_number(world: World, event: Event, number: int, undo: Changes) -> None:
    """Remember the number."""
    use_number(numbers_of(world, event.source), number, undo)


def is_used(state: OrganisationState, number: int) -> bool:
    """Does an entry of the log carry this number?"""
    block, place = divmod(number, BLOCK)
    return bool(state.numbers.get(block, 0) >> place & 1)


def use_number(state: OrganisationState, number: int, undo: Changes) -> None:
    """Remember a number as used; a second time changes nothing."""
    block, place = divmod(number, BLOCK)
    bits = state.numbers.get(block, 0)
    if not bits >> place & 1:
        bits |= 1 << place
        undo.put(state.numbers, block, FULL if bits == FULL else bits)


def decide_closed(_: World, state: OrganisationState, event: Event) -> None:
    """May the agency close this day? Its own, once, with numbers that can be."""
    data: DayClosed = event.data
    match = AGENCY_SUBJECT.fullmatch(event.subject)
    if match is None or event.source != AGENCY_URN + match[1]:
        raise RuleBroken("registry.close-not-own", "the stream belongs to another agency", stream=event.subject)
    if not is_calendar_date(data.day):
        raise RuleBroken("registry.close-day", "no such day in the calendar", stream=event.subject)
    if data.day in state.closed_days:
        raise RuleBroken("registry.close-twice", "this day is closed", stream=event.subject)
    first, last = data.first_sequence, data.last_sequence
    if isinstance(first, str) and isinstance(last, str):
        if not 0 < data.count <= int(last) - int(first) + 1:
            raise RuleBroken("registry.close-numbers", "more submissions than numbers, or none", stream=event.subject)
    elif data.count or isinstance(first, str) or isinstance(last, str):
        raise RuleBroken("registry.close-numbers", "a first and a last number are needed", stream=event.subject)


def evolve_closed(state: OrganisationState, event: Event, undo: Changes) -> None:
    """Remember the day."""
    undo.put(state.closed_days, event.data.day, None)


def decide_refused(world: World, _: OrganisationState, event: Event) -> None:
    """May a refusal be recorded here? By the city, on the stream of the agency that was refused."""
    log = read_log(world).log.get(ONLY)
    if log is None:
        raise RuleBroken("registry.log-not-created", "the log is not created", stream=event.subject)
    if event.source != log.owner:
        raise RuleBroken(
            "registry.not-owner", "only the city records refusals", stream=event.subject, allowed=log.owner
        )
    data: SubmissionRefused = event.data
    match = AGENCY_SUBJECT.fullmatch(event.subject)
    if match is None or data.source != AGENCY_URN + match[1]:
        raise RuleBroken("registry.refusal-source-differs", "the stream is another agency's", stream=event.subject)


def evolve_refused(_: OrganisationState, __: Event, ___: Changes) -> None:
    """Nothing to remember: a refusal neither uses a number up nor decides about anything else."""
