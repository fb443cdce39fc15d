"""What does a budget stream remember of its year, its lines, and of each event that may be corrected?

A line is flat: the columns that make up its current budget stand side by side, so that the sum of a slice is
the current budget. `COLUMNS` gives each column's place; `budget_postings` is the only writer. Amounts are
integer won. What a correction took back is kept with `standing=False` and is never deleted, for a later event
may bring it back, and a refused one must leave every dictionary in its old order.
"""

from __future__ import annotations

from typing import NamedTuple


class Year(NamedTuple):
    """A fiscal year of one agency. `current_won` is the sum over its lines: only new money moves it.

    `rounds` counts the supplementary budgets; `provisional` says that a provisional budget came before the
    original one, `provisional_until` is the last day of the longest of them.
    """

    fiscal_year: int
    opens_on: str
    closes_on: str
    current_won: int = 0
    opening_imported: bool = False
    appropriated: bool = False
    closed: bool = False
    settled: bool = False
    audited: bool = False
    approved: bool = False
    provisional: bool = False
    rounds: int = 0
    provisional_until: str = ""


class Place(NamedTuple):
    """Where a line stands in the budget: what moves may not mix. A level that no source states is None."""

    project_id: str
    fund: str
    division: str
    object_code: str | None = None
    field: str | None = None
    sector: str | None = None
    policy: str | None = None
    unit: str | None = None


class Line(NamedTuple):
    """A budget line's columns in won; the rulebook's `budget.line-overspent` says how they stand to each other.

    The order counts: the current budget is the sum from `final_won` up to `revenue_substituted_won`. `unbound_won`
    is the part of the accidental carry-over that no obligation binds; `declared_won` is what the council approved for
    explicit carry-over.
    """

    place: Place
    final_won: int = 0
    provisional_won: int = 0
    pre_appropriated_won: int = 0
    carried_in_explicit_won: int = 0
    carried_in_accidental_won: int = 0
    carried_in_continuing_won: int = 0
    carried_in_not_stated_won: int = 0
    reserve_won: int = 0
    cross_transferred_won: int = 0
    transferred_won: int = 0
    reassigned_won: int = 0
    adjusted_won: int = 0
    revenue_substituted_won: int = 0
    allotted_won: int = 0
    reallotted_won: int = 0
    obligated_won: int = 0
    executed_won: int = 0
    carried_out_explicit_won: int = 0
    carried_out_accidental_won: int = 0
    carried_out_continuing_won: int = 0
    carried_out_not_stated_won: int = 0
    unbound_won: int = 0
    declared_won: int = 0
    items_won: int = 0
    moved: bool = False

    @property
    def project_id(self) -> str:
        """The project that the line belongs to."""
        return self.place.project_id

    @property
    def fund(self) -> str:
        """Where the line's money comes from."""
        return self.place.fund

    @property
    def current_won(self) -> int:
        """예산현액 in won: final, provisional and pre-appropriated budget + carried in + changes."""
        return sum(self[1:14])

    @property
    def budgeted_won(self) -> int:
        """최종예산 in won, as a settlement states it: final, provisional, and used before appropriation."""
        return sum(self[1:4])

    @property
    def carried_in_won(self) -> int:
        """전년이월 in won, of every kind."""
        return sum(self[4:8])

    @property
    def change_won(self) -> int:
        """예산변경 in won: the sum of the moves and of the substituted revenue."""
        return sum(self[8:14])

    @property
    def carried_out_won(self) -> int:
        """차년이월 in won, of every kind."""
        return sum(self[18:22])

    @property
    def unspent_won(self) -> int:
        """집행잔액 in won: current budget − executed − carried out; never below zero."""
        return self.current_won - self.executed_won - self.carried_out_won

    @property
    def movable_won(self) -> int:
        """What a move may still take away, in won: neither allotted, nor spent, nor carried out."""
        return self.current_won - max(self.allotted_won, self.executed_won + self.carried_out_won)

    @property
    def bound_out_won(self) -> int:
        """What was carried over accidentally because obligations bind it, in won: the next year pays it."""
        return self.carried_out_accidental_won - self.unbound_won

    @property
    def payable_won(self) -> int:
        """What may still be paid this year, in won: neither unobligated nor carried over."""
        return min(self.unspent_won, self.obligated_won - self.executed_won - self.bound_out_won)


COLUMNS = {name: place for place, name in enumerate(Line._fields)}
# The columns whose sum is the current budget: places 1 to 13 of a line.
FIRST_OF_CURRENT, LAST_OF_CURRENT = COLUMNS["final_won"], COLUMNS["revenue_substituted_won"]


class Obligation(NamedTuple):
    """An obligation and what has been paid on it less returns, in won.

    `uses` counts the adjustments and payments that stand on it: while there are any, only its amount can be
    corrected. `legal_day` (YYYYMMDD: a number loads faster) is from when it counts, before any
    correction.
    """

    line_id: str
    amount_won: int
    contract_process_id: str | None
    instalment: int = 1
    role: str | None = None
    paid_won: int = 0
    uses: int = 0
    standing: bool = True
    legal_day: int = 0


class Payment(NamedTuple):
    """A payment, as the contract's half of the pair must find it again. `event_id` is its newest posting.

    `returned_won` counts returns in the year and refunds after it; `uses` counts those events. `legal_day`
    (YYYYMMDD) is from when it counts, before any correction.
    """

    event_id: str
    obligation_id: str
    amount_won: int
    contract_paid_id: str | None
    returned_won: int = 0
    uses: int = 0
    standing: bool = True
    legal_day: int = 0


class Return(NamedTuple):
    """Money of a payment that came back in the year, as the contract's half of the pair must find it again."""

    event_id: str
    payment_id: str
    amount_won: int
    contract_returned_id: str | None
    legal_date: str
    standing: bool = True


class CarriedOver(NamedTuple):
    """The closing year's half of a carry-over, as the opening year's half must find it again."""

    line_id: str
    to_subject: str
    to_line_id: str
    kind: str
    amount_won: int
    carry_in_id: str


class Item(NamedTuple):
    """A line item of the calculation basis; `uses` counts the steps of standing schedules that spend it."""

    line_id: str
    amount_won: int
    uses: int = 0
    standing: bool = True


class Schedule(NamedTuple):
    """A project's schedule: its total in won, and the items that its steps spend, each as often as named."""

    total_won: int
    item_ids: tuple[str, ...]
    standing: bool = True


class PreAppropriation(NamedTuple):
    """A use before appropriation, and the round that took it in (None while it is open)."""

    line_id: str
    amount_won: int
    round: int | None = None
    standing: bool = True


class Revenue(NamedTuple):
    """Revenue beyond its estimate, in won: as stated, and as far as it is used; `uses` counts those events."""

    excess_won: int
    used_won: int
    uses: int


class Plan(NamedTuple):
    """A continuing expenditure: each year's part in won, from `first_year` on without gaps."""

    project_id: str
    first_year: int
    amounts_won: tuple[int, ...]


# What a correction that only takes back names: nothing is posted, so nothing is to be reversed.
TAKEN_BACK = ""


class Posting(NamedTuple):
    """What an event did to the columns, so that a correction can take it back.

    `moves` is flat: line id, column, won, and again. `named` is the id that the event brought into being or acted
    on; of a corrected event's replacement, the one that the replacement names.
    """

    event_type: str
    named: str
    moves: tuple[str | int, ...]

    def to_text(self) -> str:
        """One text for all of it: a long year keeps a hundred thousand, and only a correction ever reads one.

        No id, type or column holds the sign that stands between them.
        """
        flat = iter(self.moves)
        parts = [f"{line}|{COLUMNS[str(column)]}|{won}" for line, column, won in zip(flat, flat, flat, strict=True)]
        return "|".join((self.event_type, self.named, *parts))

    @classmethod
    def from_text(cls, text: str) -> Posting:
        """Read what `to_text` wrote."""
        event_type, named, *flat = text.split("|")
        parts = iter(flat)
        moves: list[str | int] = []
        for line, place, won in zip(parts, parts, parts, strict=True):
            moves += (line, Line._fields[int(place)], int(won))
        return cls(event_type, named, tuple(moves))


class Correction(NamedTuple):
    """What a correction made of a payment, in won: what the contract's half of the pair must answer."""

    corrects: str
    payment_id: str
    old_won: int
    new_won: int
    contract_process_id: str | None
    contract_corrected_id: str | None
    legal_date: str


class BudgetState(NamedTuple):
    """`budget/<agency>/<fiscal year>`. Both halves of a carry-over are kept by the id of the first.

    `bound` holds Σ obligations in won by `<process id> <instalment>`, alone and with ` <line id>` behind it, `offices`
    what is re-allotted by `<line id> <office>`, `plan_used` what is carried over by `<plan subject> <plan id>`,
    `refunds` won by their id. `corrected` leads from an event to the correction that took it back.
    """

    year: dict[str, Year]
    lines: dict[str, Line]
    obligations: dict[str, Obligation]
    payments: dict[str, Payment]
    carried_over: dict[str, CarriedOver]
    carried_in: dict[str, int]
    items: dict[str, Item]
    schedules: dict[str, Schedule]
    codes: dict[str, frozenset[str]]
    bound: dict[str, int]
    offices: dict[str, int]
    returns: dict[str, Return]
    refunds: dict[str, int]
    pre_appropriations: dict[str, PreAppropriation]
    rounds: dict[int, tuple[str, ...] | None]
    revenues: dict[str, Revenue]
    transfer_limits: dict[str, tuple[str, ...]]
    plans: dict[str, Plan]
    plan_used: dict[str, int]
    postings: dict[str, str]
    corrected: dict[str, str]
    corrections: dict[str, Correction]


def new_budget() -> BudgetState:
    """What does a budget remember before its first event? Nothing."""
    return BudgetState(*({} for _ in BudgetState._fields))
