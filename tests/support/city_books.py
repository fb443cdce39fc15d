"""What does the simulated city itself know of its money? A bookkeeping of its own, that no rule and no fold shares.

The generator stays legal by looking here before it posts, never by asking the rules. At the end the books are what the
folds are compared with.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

KINDS = ("EXPLICIT", "ACCIDENTAL", "CONTINUING", "NOT_STATED")
MOVES = ("reserve", "cross_transferred", "transferred", "reassigned", "adjusted")


@dataclass(slots=True)
class LineBook:
    """One budget line of one year, in won."""

    line_id: str
    project: str
    policy: str
    unit: str
    object_code: str
    fund: str
    division: str
    original: int = 0
    supplementary: int = 0
    provisional: int = 0
    pre_appropriated: int = 0
    carried_in: Counter[str] = field(default_factory=Counter)
    imported: int = 0
    moved: Counter[str] = field(default_factory=Counter)
    revenue: int = 0
    quarters: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    offices: Counter[str] = field(default_factory=Counter)
    obligated: int = 0
    executed: int = 0
    returned: int = 0
    declared: int = 0
    carried_out: Counter[str] = field(default_factory=Counter)
    bound_out: int = 0
    items: int = 0

    @property
    def appropriated(self) -> int:
        """Original and supplementary budget."""
        return self.original + self.supplementary

    @property
    def current(self) -> int:
        """예산현액."""
        came = self.appropriated + self.provisional + self.pre_appropriated + sum(self.carried_in.values())
        return came + sum(self.moved.values()) + self.revenue

    @property
    def allotted(self) -> int:
        """Of all quarters."""
        return sum(self.quarters)

    @property
    def reallotted(self) -> int:
        """To all offices."""
        return sum(self.offices.values())

    @property
    def unspent(self) -> int:
        """집행잔액."""
        return self.current - self.executed - sum(self.carried_out.values())

    @property
    def movable(self) -> int:
        """What may still be taken away."""
        return self.current - max(self.allotted, self.executed + sum(self.carried_out.values()))

    @property
    def allottable(self) -> int:
        """What may still be allotted."""
        return self.current - self.allotted

    @property
    def free(self) -> int:
        """What is allotted and not obligated."""
        return self.allotted - self.obligated

    @property
    def bound(self) -> int:
        """What obligations bind that is neither paid nor carried over."""
        return self.obligated - self.executed - self.bound_out

    def columns(self) -> dict[str, int]:
        """The official columns, by the names that the folds give them."""
        carried_in, carried_out = sum(self.carried_in.values()), sum(self.carried_out.values())
        columns = {
            "original_won": self.original,
            "supplementary_won": self.supplementary,
            "appropriated_won": self.appropriated,
            "provisional_won": self.provisional,
            "pre_appropriated_won": self.pre_appropriated,
            "final_budget_won": self.appropriated + self.provisional + self.pre_appropriated,
            "carried_in_won": carried_in,
            "carried_in_imported_won": self.imported,
            "revenue_substituted_won": self.revenue,
            "budget_change_won": sum(self.moved.values()) + self.revenue,
            "current_won": self.current,
            "allotted_won": self.allotted,
            "reallotted_won": self.reallotted,
            "obligated_won": self.obligated,
            "executed_won": self.executed,
            "returned_won": self.returned,
            "carryover_declared_won": self.declared,
            "carried_out_won": carried_out,
            "unspent_won": self.unspent,
        }
        columns |= {f"carried_in_{kind.lower()}_won": self.carried_in[kind] for kind in KINDS}
        columns |= {f"carried_out_{kind.lower()}_won": self.carried_out[kind] for kind in KINDS}
        columns |= {f"allotted_q{number}_won": won for number, won in enumerate(self.quarters, start=1)}
        return columns | {f"{move}_won": self.moved[move] for move in MOVES}


@dataclass(slots=True)
class ObligationBook:
    """An obligation, and what is paid on it less returns."""

    obligation_id: str
    event_id: str
    line: LineBook
    amount: int
    paid: int = 0
    adjusted: bool = False
    contract: str | None = None
    instalment: int = 1

    @property
    def open(self) -> int:
        """What may still be paid."""
        return self.amount - self.paid


@dataclass(slots=True)
class PaymentBook:
    """A payment; `event_id` is its newest posting."""

    payment_id: str
    event_id: str
    obligation: ObligationBook
    amount: int
    returned: int = 0

    @property
    def left(self) -> int:
        """What may still come back."""
        return self.amount - self.returned


@dataclass(slots=True)
class YearBook:
    """One agency's budget of one year."""

    agency: str
    fiscal_year: int
    lines: dict[str, LineBook] = field(default_factory=dict)
    uses: dict[str, tuple[LineBook, int]] = field(default_factory=dict)
    plan_used: int = 0
    rounds: int = 0
    payments: list[PaymentBook] = field(default_factory=list)
    closed: bool = False
    stage: str = "open"

    @property
    def subject(self) -> str:
        """The stream."""
        return f"budget/{self.agency}/{self.fiscal_year}"

    def totals(self) -> dict[str, dict[str, int]]:
        """The seven columns of a settlement by project."""
        totals: dict[str, Counter[str]] = {}
        for line in self.lines.values():
            columns = line.columns()
            row = totals.setdefault(line.project, Counter())
            for name, column in SETTLEMENT.items():
                row[name] += columns[column]
        return {project: {name: row[name] for name in SETTLEMENT} for project, row in totals.items()}


@dataclass(slots=True)
class Part:
    """One instalment: what is signed, accepted, paid, kept back, in won."""

    number: int
    book: YearBook
    amount: int
    obligation: ObligationBook
    accepted: int = 0
    paid: int = 0
    advance: int = 0
    offset: int = 0
    kept: int = 0

    @property
    def payable(self) -> int:
        """Accepted and not settled."""
        return self.accepted - self.kept - self.paid - self.offset

    @property
    def cash(self) -> int:
        """All that left the budget."""
        return self.paid + self.advance


@dataclass(slots=True)
class Contract:
    """One procurement."""

    process_id: str
    method: str
    kind: str
    line_id: str
    parts: list[Part] = field(default_factory=list)
    award_won: int = 0

    @property
    def subject(self) -> str:
        """The stream."""
        return f"contract/{self.process_id}"

    @property
    def long_term(self) -> bool:
        """Does it run over two years, in instalments?"""
        return self.kind == "LONG_TERM_CONTINUING"


SETTLEMENT = {
    "final_budget_won": "final_budget_won",
    "carried_in_won": "carried_in_won",
    "budget_change_won": "budget_change_won",
    "current_budget_won": "current_won",
    "executed_won": "executed_won",
    "carried_out_won": "carried_out_won",
    "unspent_won": "unspent_won",
}
