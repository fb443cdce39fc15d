"""What does each stream remember, so that its rules can decide about the next event?

Every state is a tuple of dictionaries, every value in them is immutable and is replaced as a whole
(undo.py). What exists once per stream stands in a dictionary under the key `ONLY`. Amounts are integer won.
"""

from __future__ import annotations

from typing import NamedTuple

from audit_service.rules.budget_states import (
    BudgetState,
    CarriedOver,
    Item,
    Line,
    Obligation,
    Payment,
    Year,
)
from audit_service.rules.contract_states import Contract, ContractState, Instalment
from audit_service.rules.service_states import PeriodState, Sealing, Service, ServiceState

__all__ = [
    "ONLY",
    "ApprovalPolicy",
    "BudgetState",
    "CarriedOver",
    "Contract",
    "ContractState",
    "Fact",
    "Instalment",
    "Item",
    "Key",
    "Line",
    "Log",
    "LogState",
    "Obligation",
    "OrganisationState",
    "Payment",
    "PeriodState",
    "ProjectState",
    "RootKey",
    "Sealing",
    "Service",
    "ServiceState",
    "State",
    "Witness",
    "Year",
]

ONLY = "only"


class Fact(NamedTuple):
    """What an event said about a project: its type, the name it used up, and whether a later one corrects it."""

    event_type: str
    name: str
    corrected: bool = False


class ProjectState(NamedTuple):
    """`project/<id>`. `names` holds every id that was used, under its prefix; `facts` every event by its id."""

    owner: dict[str, str]
    names: dict[str, None]
    facts: dict[str, Fact]


class Log(NamedTuple):
    """What the genesis entry says about the log itself; `owner` is the city."""

    owner: str
    origin: str
    log_key: str


class Key(NamedTuple):
    """A signing key: whose, for which types (`budget.*` or one type), and its base64url public key.

    `subjects` are the beginnings of the subjects that it may write (None: all of its agency's own). It signs
    entries from index `from_index` on and before `until_index` (None: it is not revoked).
    """

    agency: str
    scopes: frozenset[str]
    public_key: str
    role: str = "SUBMITTER"
    subjects: tuple[str, ...] | None = None
    from_index: int = 0
    until_index: int | None = None


class RootKey(NamedTuple):
    """A root key by its base64url public key; a retired one is remembered, so that it cannot come back."""

    public_key: str
    retired: bool = False


class Witness(NamedTuple):
    """A witness's verifier key, and whether it is enrolled now."""

    vkey: str
    enrolled: bool


class ApprovalPolicy(NamedTuple):
    """From which amount and from how many days on is an approval needed? None: never."""

    amount_won: int | None
    late_days: int | None


class LogState(NamedTuple):
    """`registry/log`: the log, and every key by its key id. Root keys sign nothing but registry events.

    `policy`, `approval` (the policy of approvals) and `successor` (the origin of the next log) stand under `ONLY`
    once they are set.
    """

    log: dict[str, Log]
    keys: dict[str, Key]
    root_keys: dict[str, RootKey]
    agencies: dict[str, None]
    policy: dict[str, str]
    witnesses: dict[str, Witness]
    approval: dict[str, ApprovalPolicy]
    successor: dict[str, str]


class OrganisationState(NamedTuple):
    """`registry/agency/<code>`: how many names the organisation has had, and what became of its tokens.

    `numbers` are those that its submissions carry, on whatever stream, as the bits of blocks (sequences.py). The city's
    own also has the newest version of each type's schema, and its incidents (True: open).
    """

    names: dict[str, int]
    tokens: dict[str, str]
    numbers: dict[int, int]
    closed_days: dict[str, None]
    schemas: dict[str, int]
    access: dict[str, None]
    incidents: dict[str, bool]


class ReportState(NamedTuple):
    """`report/<kind>/<key>`: the tree size of its last report."""

    tree_size: dict[str, int]


State = (
    BudgetState | ContractState | ProjectState | ServiceState | PeriodState | LogState | OrganisationState | ReportState
)
