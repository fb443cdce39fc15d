"""Which aggregate stands behind a subject, and where does its stream continue?"""

from __future__ import annotations

from typing import Any

from audit_service.rules.world import new_state


class Stream:
    """One stream: its subject, the position of its last event, and the state that the rules keep.

    eventsourcing knows an aggregate by `id` and `version`.
    """

    __slots__ = ("id", "state", "version")

    def __init__(self, subject: str) -> None:
        self.id = subject
        self.version = 0
        self.state: Any = new_state(subject)  # each kind of stream has its own state class


class BudgetYear(Stream):
    """One agency's budget of one fiscal year, all its lines: `budget/<agency>/<fiscal year>`."""

    __slots__ = ()


class Contract(Stream):
    """One procurement: `contract/<process id>`."""

    __slots__ = ()


class Project(Stream):
    """One project: `project/<project id>`."""

    __slots__ = ()


class Service(Stream):
    """One service's registration and published counts: `service/<service id>`."""

    __slots__ = ()


class ServicePeriod(Stream):
    """One service's transactions of one period: `service/<service id>/<period>`."""

    __slots__ = ()


class Registry(Stream):
    """The log's keys and organisations: `registry/log`, `registry/agency/<code>`."""

    __slots__ = ()


class Report(Stream):
    """One report's publications: `report/<kind>/<key>`."""

    __slots__ = ()


_BY_KIND: dict[str, type[Stream]] = {
    "budget": BudgetYear,
    "contract": Contract,
    "project": Project,
    "registry": Registry,
    "report": Report,
}


def new_stream(subject: str) -> Stream:
    """An empty aggregate for a subject.

    Raises:
        KeyError: the subject belongs to no kind of stream; submissions are checked for that before.
    """
    kind, _, rest = subject.partition("/")
    if kind == "service":
        return ServicePeriod(subject) if "/" in rest else Service(subject)
    return _BY_KIND[kind](subject)
