"""Where does a rule find the state of a stream, its own and the others that it reads?

The server's world is its aggregates; an auditor's is a `Replica`, a plain dictionary. Both begin with
`new_state`.
"""

from __future__ import annotations

from typing import Protocol

from audit_service.catalogue.types import (
    AGENCY_SUBJECT,
    BUDGET_SUBJECT,
    CONTRACT_SUBJECT,
    LOG_SUBJECT,
    PERIOD_SUBJECT,
    PROJECT_SUBJECT,
    REPORT_SUBJECT,
    SERVICE_SUBJECT,
)
from audit_service.rules.budget_states import new_budget
from audit_service.rules.contract_states import new_contract_state
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import (
    BudgetState,
    ContractState,
    LogState,
    OrganisationState,
    PeriodState,
    ProjectState,
    ReportState,
    ServiceState,
    State,
)

LOG = "registry/log"


class World(Protocol):
    """All streams, as the rules see them."""

    def stream(self, subject: str) -> State:
        """Return the state of a stream; of a stream without events, its empty state.

        Raises:
            RuleBroken: `envelope.subject-form`, where no stream can have this subject.
        """
        ...


class Replica:
    """A world in a dictionary: for replay and for tests.

    A stream that was only asked for stands in it with its empty state: the same as not standing there.
    """

    __slots__ = ("streams",)

    def __init__(self) -> None:
        self.streams: dict[str, State] = {}

    def stream(self, subject: str) -> State:
        """Return the state of a stream, empty at first; raises as `new_state` does."""
        state = self.streams.get(subject)
        if state is None:
            state = self.streams[subject] = new_state(subject)
        return state


def new_state(subject: str) -> State:
    """What does a stream remember before its first event?

    Raises:
        RuleBroken: `envelope.subject-form`, where no stream can have this subject.
    """
    if BUDGET_SUBJECT.fullmatch(subject):
        return new_budget()
    if CONTRACT_SUBJECT.fullmatch(subject):
        return new_contract_state()
    if PERIOD_SUBJECT.fullmatch(subject):
        return PeriodState({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})
    if SERVICE_SUBJECT.fullmatch(subject):
        return ServiceState({}, {}, {}, {}, {})
    if PROJECT_SUBJECT.fullmatch(subject):
        return ProjectState({}, {}, {})
    if LOG_SUBJECT.fullmatch(subject):
        return LogState({}, {}, {}, {}, {}, {}, {}, {})
    if AGENCY_SUBJECT.fullmatch(subject):
        return OrganisationState({}, {}, {}, {}, {}, {}, {})
    if REPORT_SUBJECT.fullmatch(subject):
        return ReportState({})
    raise RuleBroken("envelope.subject-form", "no stream has a subject of this form", stream="")


def read_budget(world: World, subject: str) -> BudgetState | None:
    """Which budget does a text from another event name? None where it cannot name one."""
    if BUDGET_SUBJECT.fullmatch(subject) is None:
        return None
    state = world.stream(subject)
    return state if isinstance(state, BudgetState) else None


def read_contract(world: World, process_id: str) -> ContractState | None:
    """Which contract does a process id from another event name? None where it cannot name one."""
    subject = f"contract/{process_id}"
    if CONTRACT_SUBJECT.fullmatch(subject) is None:
        return None
    state = world.stream(subject)
    return state if isinstance(state, ContractState) else None


def read_service(world: World, period_subject: str) -> ServiceState | None:
    """Which service does a period's stream belong to? None where the subject is no period's."""
    match = PERIOD_SUBJECT.fullmatch(period_subject)
    if match is None:
        return None
    state = world.stream(f"service/{match[1]}")
    return state if isinstance(state, ServiceState) else None


def read_log(world: World) -> LogState:
    """What does the registry say about the log and its keys?"""
    state = world.stream(LOG)
    if not isinstance(state, LogState):
        raise TypeError("the world keeps something else than the log's registry at registry/log")
    return state
