"""What does a contract's stream remember, so that its rules can decide about the next event?

As in states.py: dictionaries of immutable values, replaced as a whole. What a correction has reversed stays under its
key as None, so that its place in the order of the dictionary is kept and its id is free again. Amounts are integer won.
"""

from __future__ import annotations

from typing import NamedTuple

# [K] 지방계약법 시행령 and its enforcement: an advance of up to 70 % of the contract, unless the contract says less.
ADVANCE_LIMIT_BP = 7_000
# [K] 지방계약법 시행령 제90조: damages for delay stop at 30 % of the contract.
DAMAGES_LIMIT_BP = 3_000
WHOLE_BP = 10_000
UNIT_PRICE = "UNIT_PRICE"


class Contract(NamedTuple):
    """A procurement: who owns the stream, what it must pass, and what is known once it is signed.

    `instalments_won` is the sum of the stated amounts as amended, `signed_total_won` the total noted before any
    amendment. `ended` is COMPLETED (`fully_paid`, save in imports), CANCELLED or RESCINDED. `plan` names a continuing
    plan (budget stream, plan id).
    """

    owner: str
    project_id: str
    prior_steps: tuple[str, ...] = ()
    tender_id: str | None = None
    contract_type: str | None = None
    total_noted_won: int | None = None
    signed_total_won: int | None = None
    last_instalment: int = 0
    instalments_won: int = 0
    advance_limit_bp: int = ADVANCE_LIMIT_BP
    plan: tuple[str, str] | None = None
    subcontracts_won: int = 0
    suspended: bool = False
    ended: str | None = None
    fully_paid: bool = False
    settled_won: int | None = None


class Bid(NamedTuple):
    """One bid; `points` are the evaluation's, None before it. `organisation_id` is None where a commitment stands."""

    bidder_id: str
    kind: str
    organisation_id: str | None
    amount_won: int
    valid: bool
    points: int | None = None


class Tender(NamedTuple):
    """A tender: PUBLISHED, OPENED (its bids), EVALUATED, AWARDED, or over: CANCELLED, FAILED."""

    method: str
    opens_on: str
    closes_on: str
    status: str = "PUBLISHED"
    bids: tuple[Bid, ...] = ()


class Award(NamedTuple):
    """An award, its tender, and the bid that won (None where a direct contract had none)."""

    tender_id: str
    amount_won: int
    bid: Bid | None


class Instalment(NamedTuple):
    """One year's part of a contract; `amount_won` is None where the source of an import does not state it.

    `paid_won` is cash paid for accepted work, `advance_won` cash paid before, `offset_won` accepted work that
    advances had paid. Of cash and offsets, `exempt_won` were imported without acceptances. `kept_won` are damages
    kept back, `damages_won` all damages. `passed` says that a final inspection did, `final_won` is None until the
    instalment is closed, which imports may do without one (`passed_at_closing`).
    `imported` says that its source was printed, so that obligations may lack.
    """

    fiscal_year: int
    amount_won: int | None
    start: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    started: bool = False
    accepted_won: int = 0
    paid_won: int = 0
    advance_won: int = 0
    offset_won: int = 0
    exempt_won: int = 0
    kept_won: int = 0
    damages_won: int = 0
    passed: bool = False
    passed_at_closing: bool = False
    final_won: int | None = None
    imported: bool = False

    @property
    def cash_won(self) -> int:
        """All that left the budget for this instalment, in won."""
        return self.paid_won + self.advance_won

    @property
    def owed_won(self) -> int | None:
        """What the city owes for it in all, in won: as signed or closed, but for damages; None: nothing is promised.

        An import may promise without obligations, and so nothing that obligations must hold.
        """
        promised_won = self.amount_won if self.final_won is None else self.final_won
        return None if promised_won is None or self.imported else promised_won - self.kept_won

    @property
    def payable_won(self) -> int:
        """What may still be settled of the accepted work, by cash or against an advance, in won."""
        return self.accepted_won - self.kept_won - (self.paid_won + self.offset_won - self.exempt_won)


class Amendment(NamedTuple):
    """An amendment; `order` counts them from 1, and a corrected one keeps its place."""

    order: int
    instalment: int
    delta_won: int
    new_total_noted_won: int | None


class Inspection(NamedTuple):
    """An inspection, and what was accepted on it (None: nothing was)."""

    instalment: int
    kind: str
    result: str
    accepted_won: int | None = None


class ContractPayment(NamedTuple):
    """A payment on the contract: an advance, or one for accepted work (`exempt`: imported without acceptances).

    `budget_event_id` is the event of the budget that it answers, `returned_won` what came back of it.
    """

    instalment: int
    amount_won: int
    budget_event_id: str
    offset_won: int = 0
    advance: bool = False
    exempt: bool = False
    inspection_id: str | None = None
    returned_won: int = 0


class Subcontract(NamedTuple):
    """A subcontract and what was paid on it, in won."""

    amount_won: int
    paid_won: int = 0


class SubcontractPayment(NamedTuple):
    """A payment to a subcontractor."""

    subcontract_id: str
    amount_won: int


class Damages(NamedTuple):
    """Damages for delay: kept back from a payment, or collected as revenue."""

    instalment: int
    amount_won: int
    kept: bool


class Posting(NamedTuple):
    """What an event that may be corrected wrote: its type, and under which key (and round of a prior step).

    Once it is corrected the type is "" and the key the correction's id.
    """

    type: str
    key: str
    round: int = 0


class ContractState(NamedTuple):
    """`contract/<process id>`. Payments and returns are kept by budget stream and their id, postings by event id.

    `prior_steps` are the results of each step in the order of their rounds ("" while a correction has taken one out).
    """

    contract: dict[str, Contract]
    prior_steps: dict[str, tuple[str, ...]]
    tenders: dict[str, Tender]
    awards: dict[str, Award]
    instalments: dict[int, Instalment]
    amendments: dict[str, Amendment | None]
    subcontracts: dict[str, Subcontract | None]
    inspections: dict[str, Inspection | None]
    payments: dict[str, ContractPayment | None]
    returns: dict[str, int]
    subcontract_payments: dict[str, SubcontractPayment | None]
    damages: dict[str, Damages | None]
    warranties: dict[int, str]
    claims: dict[str, None]
    postings: dict[str, Posting]


def new_contract_state() -> ContractState:
    """A contract's stream before its first event."""
    return ContractState(*({} for _ in ContractState._fields))
