"""Given events, when an event, then events or a rule id: the three words that the tests of the rules speak.

`refuses` also holds what every refusal promises: the world is as before, and the rule has its sentence.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from audit_service.rules.decide import decide, evolve
from audit_service.rules.errors import RuleBroken
from audit_service.rules.rulebook import RULES
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import Replica, new_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_service.catalogue.event import Event
    from audit_service.rules.states import State


@dataclass(frozen=True)
class Refusal:
    """Given `given`, when `when`, then the rule `rule_id` refuses; `why` is what the case shows."""

    rule_id: str
    why: str
    given: Sequence[Event]
    when: Event
    allowed: Any = None


def given(*events: Event) -> Replica:
    """A world in which all of this happened, each event allowed by the rules."""
    world = Replica()
    for event in events:
        decide(world, event)
        evolve(world, event, NO_UNDO)
    return world


def snapshot(world: Replica) -> dict[str, State]:
    """All states that are not empty, copied, in a form that compares deeply."""
    return deepcopy({name: state for name, state in world.streams.items() if state != new_state(name)})


def refused(world: Replica, event: Event) -> RuleBroken:
    """The refusal of an event; nothing may have changed by it."""
    before = snapshot(world)
    with pytest.raises(RuleBroken) as caught:
        decide(world, event)
    assert caught.value.rule_id in RULES
    assert snapshot(world) == before, "a refusal changed the world"
    return caught.value


def refuses(case: Refusal) -> None:
    """Check one row of a table of refusals."""
    broken = refused(given(*case.given), case.when)
    assert broken.rule_id == case.rule_id, f"{case.why}: {broken}"
    if broken.rule_id != "envelope.subject-form":
        assert broken.stream == case.when.subject
    if case.allowed is not None:
        assert broken.allowed == case.allowed


def name_of(case: Refusal) -> str:
    """The name of a row in pytest's output."""
    return f"{case.rule_id}: {case.why}"
