"""Do the identities hold whatever happens, in whatever order? Random histories of two years, with refusals.

Every batch is atomic: when one of its events is refused, all of it is undone, to the very same state. After every
accepted batch money is recounted from the events alone.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.budget_year_end import compute_totals
from audit_service.rules.decide import decide, evolve, reads
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.states import BudgetState, Line, Obligation
from audit_service.rules.undo import NO_UNDO, Undo
from audit_service.rules.world import Replica, new_state
from tests.support import events as build
from tests.support.conservation import check_conserved
from tests.support.given import snapshot
from tests.support.payloads import payloads

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import State

T = TypeVar("T")
YEARS = (2021, 2022)
OPENING = [
    *(build.opened(year) for year in YEARS),
    *(build.line(name, year=year) for year in YEARS for name in "ab"),
    *(build.line("c", project="parks", year=year) for year in YEARS),
    build.planned(),
]
IDS = tuple("123456789")
FUNDED = [
    *OPENING,
    *(build.appropriated({"a": 9000, "b": 6000, "c": 3000}, year=year) for year in YEARS),
    build.allotted(7000),
    build.signed({"amount_won": 500}),
]


class Chronicler:
    """Makes up what an agency might try next, often at the very edge of what the rules allow."""

    def __init__(self, random: Random, world: Replica) -> None:
        self.random, self.world = random, world

    def pick(self, *choices: T) -> T:
        return self.random.choice(choices)

    def near(self, limit: int) -> int:
        """An amount at, around or below a limit."""
        return max(1, self.pick(limit, limit + 1, limit // 2, limit // 3, limit // 5, 1))

    def batch(self) -> list[Event]:
        attempts = (
            self.adjust,
            self.allot,
            self.oblige,
            self.oblige,
            self.pay,
            self.pay,
            self.pay_contract,
            self.carry_over,
            self.carry_over,
            self.receive,
            self.give,
        )
        events = self.pick(*attempts)()
        return events + self.batch() if self.pick(0, 0, 0, 0, 1) else events

    def line(self) -> tuple[int, str, Line]:
        year, name = self.pick(*YEARS), self.pick("a", "a", "a", "b", "b", "c", "z")
        return year, name, self.budget(year).lines.get(name, Line("lights", "CITY"))

    def budget(self, year: int) -> BudgetState:
        state = self.world.stream(build.budget(year))
        assert isinstance(state, BudgetState)
        return state

    def adjust(self) -> list[Event]:
        year, name, line = self.line()
        return [build.adjusted(name, self.pick("a", "b", "c"), self.near(line.movable_won), year=year)]

    def allot(self) -> list[Event]:
        year, name, line = self.line()
        more, less = line.current_won - line.allotted_won, line.allotted_won - line.obligated_won
        won = self.pick(self.near(more), self.near(more), -self.near(less))
        return [build.allotted(won, line_id=name, year=year)]

    def oblige(self) -> list[Event]:
        year, name, line = self.line()
        won = self.near(line.allotted_won - line.obligated_won)
        contract = self.pick(None, "lamps")
        return [build.obligated(won, obligation=self.pick(*IDS), line_id=name, contract=contract, year=year)]

    def obligation(self) -> tuple[int, str, str, int]:
        year = self.pick(*YEARS)
        name = self.pick(*(self.budget(year).obligations or ("1",)))
        found = self.budget(year).obligations.get(name, Obligation("a", 1, None))
        return year, name, found.line_id, self.near(found.amount_won - found.paid_won)

    def pay(self) -> list[Event]:
        year, name, line_id, won = self.obligation()
        return [build.paid(won, payment=self.pick(*IDS), obligation=name, line_id=line_id, year=year)]

    def pay_contract(self) -> list[Event]:
        year, name, line_id, won = self.obligation()
        number = self.pick(*IDS)
        second = {"payment_id": number, "budget_paid_id": f"bp-{number}", "budget_subject": build.budget(year)}
        return [
            build.paid(
                won,
                payment=number,
                obligation=name,
                line_id=line_id,
                contract_paid_id=f"cp-{number}",
                year=year,
                id=f"bp-{number}",
            ),
            build.contract_paid(won, second, id=f"cp-{number}"),
        ]

    def carry_over(self) -> list[Event]:
        """A pair; its second half may say something else than its first, or come once more."""
        _, source, line = self.line()
        won, number, target = self.near(line.unspent_won), self.pick(*IDS), self.pick("a", "b", "c", source)
        first = {"line_id": source, "to_line_id": target, "carry_in_id": f"in-{number}"}
        second = {"line_id": target, "from_line_id": source, "carried_over_id": f"out-{number}"}
        received = won + self.pick(0, 0, 0, 1)
        return [
            build.carried_over(won, first, id=f"out-{number}"),
            build.carry_in(received, second, id=f"in-{number}"),
        ]

    def receive(self) -> list[Event]:
        """A second half without its first: also one that was received before."""
        number = self.pick(*(self.budget(2021).carried_over or ("out-1",)))
        half = self.budget(2021).carried_over.get(number)
        if half is None:
            return [build.carry_in(1)]
        second = {"line_id": half.to_line_id, "from_line_id": half.line_id, "carried_over_id": number}
        return [build.carry_in(half.amount_won, second, id=half.carry_in_id)]

    def give(self) -> list[Event]:
        year, name, _ = self.line()
        return [
            self.pick(
                build.appropriated({name: self.pick(9, 90)}, year=year),
                build.opening({name: 9}, year=year),
                build.cost_basis([{"won": 9}], 9, item=self.pick(*IDS), line_id=name, year=year),
                build.allotted(1, line_id=name, year=year),
            )
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


@settings(deadline=None, max_examples=120)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 150), closing=st.integers(0, 300))
def test_money_is_conserved_at_every_prefix(seed: int, length: int, closing: int) -> None:
    random = Random(seed)
    start = random.choice((OPENING, FUNDED, FUNDED))
    world, undo = Replica(), Undo()
    accepted: list[Event] = []
    for event in start:
        assert accept(world, [event], undo)
        accepted.append(event)
    undo.clear()
    grouped = random.choice((True, False))
    chronicler = Chronicler(random, world)
    for number in range(length):
        batch = [build.closed()] if number == closing else chronicler.batch()
        if accept(world, batch, undo, grouped=grouped):
            accepted += batch
        check_conserved(world, accepted)
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
    build.obligated(50, contract="lamps"),
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
