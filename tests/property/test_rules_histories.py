"""Do the identities hold whatever happens, in whatever order? Random histories of two years, with refusals.

Every batch is atomic: when one of its events is refused, all of it is undone, to the very same state. After every
accepted batch money is recounted from the events alone.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.budget_year_end import compute_totals
from audit_service.rules.decide import decide, evolve, reads
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.states import BudgetState
from audit_service.rules.undo import NO_UNDO, Undo
from audit_service.rules.world import Replica, new_state
from tests.support import events as build
from tests.support.chronicler import Chronicler
from tests.support.conservation import Recount, check_bound, check_conserved, check_paired
from tests.support.contract_events import good_work
from tests.support.given import snapshot
from tests.support.payloads import payloads

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import State

YEARS = (2021, 2022)
IDS = tuple("123456789")
PLACES: dict[str, dict[str, Any]] = {
    "a": {"levels": {"policy": "roads", "object_code": "201-01"}},
    "b": {"levels": {"policy": "roads", "object_code": "207-02"}},
    "c": {"levels": {"policy": "parks", "object_code": "201-01"}, "project": "parks"},
    "d": {"levels": {"policy": "roads", "object_code": "201-01"}, "division": "new-roads"},
    "g": {"levels": {"policy": "roads", "object_code": "201-01"}, "fund": "NATIONAL"},
    "r": {"levels": {"policy": "roads", "object_code": "801-01"}},
}
OPENING = [
    *(build.opened(year) for year in YEARS),
    *(build.line(name, year=year, **place) for year in YEARS for name, place in PLACES.items()),
    build.planned(),
    build.plan({2021: 2000, 2022: 500}),
]
PROVISIONAL = [*OPENING, build.provisional({"a": 900, "b": 300}), build.allotted(500)]
AMOUNTS = {"a": 9000, "b": 6000, "c": 3000, "d": 500, "g": 2000, "r": 1000}
FUNDED = [
    *OPENING,
    *(build.appropriated(AMOUNTS, year=year) for year in YEARS),
    build.allotted(7000),
    build.allotted(4000, line_id="b"),
    build.allotted(6000, year=2022),
    build.obligated(500, obligation="for-1", contract="lamps"),
    build.signed({"amount_won": 500}),
    *good_work(500),
]


def ordered(world: Replica) -> dict[str, Any]:
    """All that is not empty, with the order of every dictionary: what undo must bring back exactly."""
    return {
        subject: [list(part.items()) for part in state]
        for subject, state in deepcopy(world.streams).items()
        if state != new_state(subject)
    }


def accept(world: Replica, events: list[Event], undo: Undo, *, grouped: bool = True) -> bool:
    """Take an atomic batch in, or undo all of it. The rules must keep the money also where groups are not looked at."""
    mark, before, groups = undo.mark(), ordered(world), Groups()
    try:
        for event in events:
            check_envelope(event)
            if grouped:
                groups.feed(event)
            decide(world, event)
            evolve(world, event, undo)
        groups.finish()
    except RuleBroken:
        undo.rollback(to=mark)
        assert ordered(world) == before
        return False
    return True


def replayed(events: list[Event]) -> dict[str, State]:
    world = Replica()
    for event in events:
        decide(world, event)
        evolve(world, event, NO_UNDO)
    return snapshot(world)


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 120), closing=st.integers(0, 240))
def test_money_is_conserved_at_every_prefix(seed: int, length: int, closing: int) -> None:
    random = Random(seed)
    start = random.choice((OPENING, PROVISIONAL, FUNDED, FUNDED, FUNDED))
    world, undo = Replica(), Undo()
    accepted: list[Event] = []
    for event in start:
        assert accept(world, [event], undo, grouped=False)
        accepted.append(event)
    undo.clear()
    recount = Recount(accepted)
    grouped = random.choice((True, False))
    chronicler = Chronicler(random, world, accepted)
    for number in range(length):
        batch = [build.closed()] if number == closing else chronicler.batch()
        if accept(world, batch, undo, grouped=grouped):
            accepted += batch
            for event in batch:
                recount.add(event)
        check_conserved(world, recount)
        check_bound(world)
        if grouped:
            check_paired(world)
    assert replayed(accepted) == snapshot(world)
    if any(event.type == "budget.fiscal-year-closed.v1" and event.subject == build.budget() for event in accepted):
        _settle(world, undo)
    undo.rollback(to=0)
    assert replayed(start) == snapshot(world), "undoing everything leads back to the start"


def _settle(world: Replica, undo: Undo) -> None:
    """The settlement that equals the events is accepted, and every other by one won is not."""
    state = world.streams[build.budget()]
    assert isinstance(state, BudgetState)
    rows = [{"project_id": name, **totals._asdict()} for name, totals in compute_totals(state).items()]
    for column in rows[0]:
        if column != "project_id":
            tampered = [{**rows[0], column: rows[0][column] + 1}, *rows[1:]]
            assert not accept(world, [build.settlement(tampered)], undo)
    assert accept(world, [build.settlement(rows)], undo)
    assert not accept(world, [build.settlement(rows)], undo)
    assert accept(world, [build.audited(), build.approved()], undo)


SUBJECTS = {
    "budget": st.sampled_from((build.budget(), build.budget(2022), "budget/parks/2021")),
    "contract": st.sampled_from((build.CONTRACT, "contract/poles")),
    "project": st.just(build.PROJECT),
    "service": st.sampled_from((build.SERVICE, build.PERIOD, "service/other")),
    "registry": st.sampled_from(("registry/log", "registry/agency/roads")),
    "report": st.sampled_from(("report/settlement/roads", "report/budget-book/roads/2021")),
}
CITY_LIFE = [
    build.log_created(),
    *FUNDED,
    build.obligated(50),
    build.used_early(5, line_id="g"),
    build.substituted(1, excess=2),
    build.cost_basis([{"won": 10}], 10),
    build.project_registered(),
    build.service_registered(),
    build.batch({"loan": 5}),
    build.transaction(1),
]


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    event_type = draw(st.sampled_from(sorted(EVENT_TYPES)))
    return build.when(
        event_type,
        draw(SUBJECTS[event_type.partition(".")[0]]),
        draw(payloads(event_type)),
        source=draw(st.sampled_from((build.ROADS, build.CITY, build.PARKS))),
        id=draw(st.sampled_from(("b1/0", "b1/2", "cp1", "in-1", "out-1"))),
        legal_date=draw(st.sampled_from(("2021-06-15", "2022-06-15", "2021-12-31", None))),
    )


@settings(deadline=None, max_examples=100)
@given(st.lists(any_event(), min_size=1, max_size=6))
def test_rules_raise_refusals_and_nothing_else(events: list[Event]) -> None:
    """Any payload of the catalogue, on any stream, by anybody: accepted or refused, never a crash."""
    world, undo = Replica(), Undo()
    for event in CITY_LIFE:
        decide(world, event)
        evolve(world, event, undo)
    mark, before = undo.mark(), ordered(world)
    for event in events:
        assert all(new_state(subject) is not None for subject in reads(event))
        for check in (check_envelope, Groups().feed):
            with suppress(RuleBroken):
                check(event)
        with suppress(RuleBroken):
            decide(world, event)
            evolve(world, event, undo)
    undo.rollback(to=mark)
    assert ordered(world) == before
