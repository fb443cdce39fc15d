"""Which submissions break exactly one rule? A lawful event of the simulated city, with one thing wrong.

Each `Wrong` waits for a lawful event of a type and makes an unlawful one of it, right before or right after the city
posts it. What stands beside it is lawful at that very moment, so the one thing that was changed is what the rule
refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from audit_service.catalogue.event import Event
from audit_service.catalogue.types import EVENT_TYPES, requires_legal_date
from audit_service.rules.budget_states import BudgetState, Line
from audit_service.rules.contract_states import ContractState

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_service.rules.world import Replica

BASIS: dict[str, Any] = {"title": "결정 문서"}


class Scene:
    """What a builder may look at: the world of the rules at that moment, and what was posted before."""

    def __init__(self, world: Replica) -> None:
        self.world = world
        self._first: dict[str, Event] = {}
        self._last: dict[tuple[str, str], Event] = {}

    def note(self, event: Event) -> None:
        """This was posted."""
        self._first.setdefault(event.type, event)
        self._last[event.type, event.subject] = event

    def first(self, event_type: str) -> Event | None:
        """The first event of a type that anybody posted."""
        return self._first.get(event_type)

    def last(self, event_type: str, subject: str) -> Event | None:
        """The newest event of a type on a stream."""
        return self._last.get((event_type, subject))

    def budget(self, subject: str) -> BudgetState:
        """A budget's state."""
        state = self.world.stream(subject)
        assert isinstance(state, BudgetState)
        return state

    def line(self, event: Event, line_id: str | None = None) -> Line:
        """The line that an event names, or another one of its budget."""
        return self.budget(event.subject).lines[line_id or event.data.line_id]

    def contract(self, subject: str) -> ContractState:
        """A contract's state."""
        state = self.world.stream(subject)
        assert isinstance(state, ContractState)
        return state


Built = list[Event] | Event | None


class Wrong(NamedTuple):
    """One rule, and how to break it at an event of type `at`. Of a list, the last event breaks the rule."""

    rule_id: str
    at: str
    build: Callable[[Event, Scene], Built]
    after: bool = False
    asked: str = "decide"


def swap(event: Event, **fields: Any) -> Event:
    """The same event with other fields in its payload."""
    return replace(event, id=f"{event.id}-wrong", data=replace(event.data, **fields))


def like(event: Event, event_type: str, data: dict[str, Any], **attributes: Any) -> Event:
    """Another event on the same stream, by the same agency, on the same day."""
    dated = requires_legal_date(event_type)
    day = event.legal_date if dated else None
    payload = msgspec.convert(data, EVENT_TYPES[event_type])
    defaults = {"id": f"{event.id}-{event_type}", "legal_date": day}
    return replace(event, type=event_type, data=payload, **{**defaults, **attributes})


def fields(**changes: Any) -> Callable[[Event, Scene], Event]:
    """Build the same event with these fields; a function is called with the event and the scene."""

    def build(event: Event, scene: Scene) -> Event:
        found = {name: value(event, scene) if callable(value) else value for name, value in changes.items()}
        return swap(event, **found)

    return build


def around(**changes: Any) -> Callable[[Event, Scene], Event]:
    """Build the same event with other attributes around its payload."""

    def build(event: Event, _: Scene) -> Event:
        return replace(event, **{"id": f"{event.id}-wrong", **changes})

    return build


def again(event: Event, _: Scene) -> Event:
    """The same once more, under another id."""
    return replace(event, id=f"{event.id}-again")


def item(rows: list[Any], place: int, **changes: Any) -> list[Any]:
    """A list with one of its structs changed."""
    changed = list(rows)
    changed[place] = replace(changed[place], **changes)
    return changed


def stored(data: Any) -> dict[str, Any]:
    """A payload as JSON values."""
    found: dict[str, Any] = msgspec.to_builtins(data)
    return found
