"""Does every rule refuse, by its own id, the one thing that breaks it, in the middle of a lawful city's life?

Beside each unlawful event stands the lawful one that it was made from, which the rules let pass at the same moment.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from audit_service.rules.decide import decide, evolve
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.rulebook import RULES
from audit_service.rules.undo import NO_UNDO, Undo
from audit_service.rules.world import Replica
from tests.support.city_agenda import to_event
from tests.support.city_generator import CityPlan, submissions
from tests.support.illegal import Scene, Wrong
from tests.support.illegal_all import EVERY

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

# Four years, so that a continuing plan ends in one; three agencies, so that one can reach for another's contract.
PLAN = CityPlan(seed=1, agencies=3, years=4, payments=1, transactions=20, contracts=3)
# The same mistake is tried at the first moments at which it can be made.
TRIES = 3


class Inspector:
    """Lets a lawful city live, and at every step tries what would break a rule."""

    def __init__(self, wrongs: list[Wrong]) -> None:
        self.world = Replica()
        self.scene = Scene(self.world)
        self.tried: Counter[str] = Counter()
        self.missed: set[tuple[str, str | None]] = set()
        self._at: dict[tuple[str, bool], list[Wrong]] = {}
        for wrong in wrongs:
            self._at.setdefault((wrong.at, wrong.after), []).append(wrong)

    def take(self, event: Event) -> None:
        """Try what is wrong right before the event, take it in, try what is wrong right after it."""
        self._try_all(event, after=False)
        decide(self.world, event)
        evolve(self.world, event, NO_UNDO)
        self.scene.note(event)
        self._try_all(event, after=True)

    def _try_all(self, event: Event, *, after: bool) -> None:
        for wrong in self._at.get((event.type, after), ()):
            if self.tried[wrong.rule_id] < TRIES:
                self._try(wrong, event)

    def _try(self, wrong: Wrong, event: Event) -> None:
        built = wrong.build(event, self.scene)
        if built is None:
            return
        self.tried[wrong.rule_id] += 1
        refused_by = self._refused_by(wrong, built if isinstance(built, list) else [built])
        if refused_by != wrong.rule_id:
            self.missed.add((wrong.rule_id, refused_by))

    def _refused_by(self, wrong: Wrong, events: list[Event]) -> str | None:
        undo = Undo()
        try:
            if wrong.asked == "groups":
                self._feed(events)
            elif wrong.asked == "envelope":
                check_envelope(events[-1])
            else:
                for lawful in events[:-1]:
                    decide(self.world, lawful)
                    evolve(self.world, lawful, undo)
                return self._decided(events[-1])
        except RuleBroken as refused:
            # Of a list, only the last event may be refused: what comes before it is lawful.
            return refused.rule_id if wrong.asked != "decide" else f"too early: {refused.rule_id}"
        finally:
            undo.rollback(to=0)
        return None

    def _decided(self, event: Event) -> str | None:
        try:
            decide(self.world, event)
        except RuleBroken as refused:
            return refused.rule_id
        return None

    def _feed(self, events: list[Event]) -> None:
        groups = Groups()
        for event in events:
            groups.feed(event)
        groups.finish()


def inspect(wrongs: list[Wrong]) -> Inspector:
    inspector = Inspector(wrongs)
    for index, submission in enumerate(submissions(PLAN)):
        inspector.take(to_event(submission, index=index))
    return inspector


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return inspect(EVERY)


def test_every_rule_refuses_what_breaks_it_by_its_own_id(inspector: Inspector) -> None:
    assert inspector.missed == set()


def test_every_mistake_could_be_made(inspector: Inspector) -> None:
    assert {wrong.rule_id for wrong in EVERY} - set(inspector.tried) == set()


def test_no_rule_of_these_streams_is_left_out() -> None:
    """Rules about keys, names and projects are broken in the unit tests of those streams."""
    kinds = ("envelope", "budget", "contract", "service")
    assert {name for name in RULES if name.partition(".")[0] in kinds} - {wrong.rule_id for wrong in EVERY} == set()
    assert len({wrong.rule_id for wrong in EVERY}) == len(EVERY)


def test_a_mistake_that_is_none_is_noticed() -> None:
    """The control: a lawful event passed off as a mistake, and a mistake under another rule's name."""
    lawful = Wrong("budget.line-unknown", "budget.allotted.v1", lambda event, _: event)
    misnamed = next(wrong for wrong in EVERY if wrong.rule_id == "budget.amount-zero")
    found = inspect([lawful, misnamed._replace(rule_id="budget.line-overspent")])
    assert found.missed == {("budget.line-unknown", None), ("budget.line-overspent", "budget.amount-zero")}
