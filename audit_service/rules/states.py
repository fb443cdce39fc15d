"""What does each stream remember, so that its rules can decide about the next event?

Every state is a tuple of dictionaries, every value in them is immutable and is replaced as a whole
(undo.py). What exists once per stream stands in a dictionary under the key `ONLY`. Amounts are integer won.
"""

from __future__ import annotations

from typing import NamedTuple

ONLY = "only"


class Year(NamedTuple):
    """A fiscal year of one agency. `current_won` is the sum over its lines: only new money moves it."""

    fiscal_year: int
    opens_on: str
    closes_on: str
    current_won: int = 0
    opening_imported: bool = False
    appropriated: bool = False
    closed: bool = False
    settled: bool = False


class Line(NamedTuple):
    """A budget line's columns in won; the rulebook's `budget.line-overspent` says how they stand."""

    project_id: str
    fund: str
    final_won: int = 0
    carried_in_won: int = 0
    change_won: int = 0
    allotted_won: int = 0
    obligated_won: int = 0
    executed_won: int = 0
    carried_out_won: int = 0
    items_won: int = 0
    moved: bool = False

    @property
    def current_won(self) -> int:
        """예산현액 in won: final budget + carried in + changes."""
        return self.final_won + self.carried_in_won + self.change_won

    @property
    def unspent_won(self) -> int:
        """집행잔액 in won: current budget − executed − carried out; never below zero."""
        return self.current_won - self.executed_won - self.carried_out_won

    @property
    def movable_won(self) -> int:
        """What an adjustment may still take away, in won: neither allotted, nor spent, nor carried out."""
        return self.current_won - max(self.allotted_won, self.executed_won + self.carried_out_won)


class Obligation(NamedTuple):
    """An obligation and what has been paid on it, in won."""

    line_id: str
    amount_won: int
    contract_process_id: str | None
    paid_won: int = 0


class Payment(NamedTuple):
    """A payment, as the contract's half of the pair must find it again."""

    event_id: str
    obligation_id: str
    amount_won: int
    contract_paid_id: str | None


class CarriedOver(NamedTuple):
    """The closing year's half of a carry-over, as the opening year's half must find it again."""

    line_id: str
    to_subject: str
    to_line_id: str
    kind: str
    amount_won: int
    carry_in_id: str


class Item(NamedTuple):
    """A line item of the calculation basis."""

    line_id: str
    amount_won: int


class BudgetState(NamedTuple):
    """`budget/<agency>/<fiscal year>`. Both halves of a carry-over are kept by the id of the first."""

    year: dict[str, Year]
    lines: dict[str, Line]
    obligations: dict[str, Obligation]
    payments: dict[str, Payment]
    carried_over: dict[str, CarriedOver]
    carried_in: dict[str, int]
    items: dict[str, Item]
    schedules: dict[str, int]


class Contract(NamedTuple):
    """A procurement: who owns the stream, and what is known once it is signed."""

    owner: str
    project_id: str
    contract_type: str | None = None
    total_noted_won: int | None = None
    last_instalment: int = 0
    instalments_won: int = 0


class Instalment(NamedTuple):
    """One year's part of a contract; `amount_won` is None where the source of an import does not state it."""

    fiscal_year: int
    amount_won: int | None
    paid_won: int = 0


class ContractState(NamedTuple):
    """`contract/<process id>`. Payments are kept by budget stream and payment id."""

    contract: dict[str, Contract]
    instalments: dict[int, Instalment]
    payments: dict[str, int]


class ProjectState(NamedTuple):
    """`project/<id>`. `names` holds every id that was used, under its prefix."""

    owner: dict[str, str]
    names: dict[str, None]


class Service(NamedTuple):
    """A service: its one unit, and how small a published cell may be."""

    owner: str
    unit_ko: str
    minimum_cell: int
    operating: bool


class ServiceState(NamedTuple):
    """`service/<id>`: registration and published counts."""

    service: dict[str, Service]
    kinds: dict[str, None]
    counts: dict[str, int]


class Sealing(NamedTuple):
    """A period's batches so far: `sealed` transactions announced by manifests, all of them by `owner`."""

    owner: str
    period: str
    sealed: int


class PeriodState(NamedTuple):
    """`service/<id>/<period>`. A batch is open while fewer commitments are there than were sealed."""

    sealing: dict[str, Sealing]
    kinds: dict[str, None]
    batches: dict[str, int]
    commitments: dict[bytes, None]


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

    `numbers` are those that its submissions carry, on whatever stream, as the bits of blocks (sequences.py).
    """

    names: dict[str, int]
    tokens: dict[str, str]
    numbers: dict[int, int]
    closed_days: dict[str, None]


class ReportState(NamedTuple):
    """`report/<kind>/<key>`: the tree size of its last report."""

    tree_size: dict[str, int]


State = (
    BudgetState | ContractState | ProjectState | ServiceState | PeriodState | LogState | OrganisationState | ReportState
)
