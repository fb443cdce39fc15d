"""What can happen in one procurement, from plan to payment? Stream `contract/<process id>`.

A long-term continuing contract (장기계속계약) is one stream with one instalment (차수) per fiscal year.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    BasisPoints,
    Code,
    CommitmentHex,
    Count,
    Date,
    FiscalYear,
    Month,
    NonNegativeWon,
    Party,
    Payload,
    PositiveCount,
    PositiveWon,
    Text,
    Won,
)

Instalment = Annotated[int, Meta(ge=1, le=99)]
# 과업심의, 사전협의, 보안성검토, 일상감사, 계약심사.
PriorStep = Literal["SCOPE_REVIEW", "PRIOR_CONSULTATION", "SECURITY_REVIEW", "ROUTINE_AUDIT", "CONTRACT_REVIEW"]


class BudgetLineRef(Struct, forbid_unknown_fields=True, kw_only=True):
    """A line of a budget stream, named from another stream."""

    subject: Text
    line_id: Code


class Planned(Payload, kw_only=True):
    """A procurement is planned (발주 계획); `prior_steps` are those it must pass before the tender."""

    title_ko: Text
    title_en: Text | UnsetType = UNSET
    category: Literal["GOODS", "WORKS", "SERVICES"]
    project_id: Code
    budget_won: NonNegativeWon | UnsetType = UNSET
    budget_lines: list[BudgetLineRef]
    start: Month | UnsetType = UNSET
    end: Month | UnsetType = UNSET
    stage_ko: Text | UnsetType = UNSET
    prior_steps: list[PriorStep] | UnsetType = UNSET


class PriorStepCompleted(Payload, kw_only=True):
    """A step before the tender (사전절차) has a result; a rejected one comes back in the next round."""

    step: PriorStep
    round: PositiveCount
    result: Literal["PASSED", "CONDITIONAL", "REJECTED", "WAIVED"]
    estimate_before_won: PositiveWon | UnsetType = UNSET
    estimate_after_won: PositiveWon | UnsetType = UNSET


class TenderPublished(Payload, kw_only=True):
    """A tender is published (공고)."""

    tender_id: Code
    method: Literal["OPEN", "LIMITED", "NEGOTIATED", "DIRECT"]
    estimate_won: PositiveWon
    base_won: PositiveWon | UnsetType = UNSET
    opens_on: Date
    closes_on: Date


class TenderAmended(Payload, kw_only=True):
    """A published tender is amended before it closes (정정공고)."""

    tender_id: Code
    changes_ko: Text
    closes_on: Date | UnsetType = UNSET
    estimate_won: PositiveWon | UnsetType = UNSET


class TenderCancelled(Payload, kw_only=True):
    """A tender is withdrawn (공고 취소)."""

    tender_id: Code
    reason_ko: Text


class TenderFailed(Payload, kw_only=True):
    """A tender found too few valid bids (유찰)."""

    tender_id: Code
    reason_ko: Text
    bidder_count: Count


class Bid(Struct, forbid_unknown_fields=True, kw_only=True):
    """One bid: its id within the tender, whose it is, its price in won, and whether it is valid."""

    bidder_id: Code
    bidder: Party
    amount_won: PositiveWon
    valid: bool


class BidsOpened(Payload, kw_only=True):
    """The bids of a tender are opened (개찰), after it closed."""

    tender_id: Code
    bids: Annotated[list[Bid], Meta(min_length=1)]
    opened_on: Date


class Score(Struct, forbid_unknown_fields=True, kw_only=True):
    """One bidder's points, in ten-thousandths of a point; 100 points are 1,000,000."""

    bidder_id: Code
    technical_points: Annotated[int, Meta(ge=0, le=1_000_000)]
    price_points: Annotated[int, Meta(ge=0, le=1_000_000)]


class ProposalsEvaluated(Payload, kw_only=True):
    """Proposals are evaluated (제안서평가) by a panel, whose names stand behind a salted commitment alone.

    The two weights, in ten-thousandths of a point, add up to 1,000,000 and bound each bidder's points.
    """

    tender_id: Code
    technical_weight: Annotated[int, Meta(ge=0, le=1_000_000)]
    price_weight: Annotated[int, Meta(ge=0, le=1_000_000)]
    scores: Annotated[list[Score], Meta(min_length=1)]
    panel_size: PositiveCount
    panel_commitment: CommitmentHex


class Awarded(Payload, kw_only=True):
    """The award (낙찰, 우선협상대상자 선정): to the lowest valid bid or the best evaluation, else with a reason."""

    award_id: Code
    tender_id: Code
    bidder_id: Code
    amount_won: PositiveWon
    rate_bp: BasisPoints | UnsetType = UNSET
    reason_ko: Text | UnsetType = UNSET


class Signed(Payload, kw_only=True):
    """The contract is signed (계약체결); for a long-term continuing contract this is its first instalment.

    Amounts are absent only where the source of an import does not state them (rule `contract.amount-missing`). The
    obligations behind a signed amount are incurred before. A continuing expenditure (계속비) names its plan: `plan_id`
    on the budget `plan_subject`.
    """

    contract_type: Literal["SINGLE", "LONG_TERM_CONTINUING", "CONTINUING_EXPENDITURE", "UNIT_PRICE"]
    fiscal_year: FiscalYear
    amount_won: PositiveWon | UnsetType = UNSET
    total_noted_won: PositiveWon | UnsetType = UNSET
    start: Month
    end: Month
    budget_lines: Annotated[list[BudgetLineRef], Meta(min_length=1)]
    award_id: Code | UnsetType = UNSET
    supplier: Party | UnsetType = UNSET
    vat_included: bool | UnsetType = UNSET
    bond_won: NonNegativeWon | UnsetType = UNSET
    advance_limit_bp: BasisPoints | UnsetType = UNSET
    plan_subject: Text | UnsetType = UNSET
    plan_id: Code | UnsetType = UNSET


class InstalmentSigned(Payload, kw_only=True):
    """The next year's instalment contract (차수계약) of a long-term continuing contract or a continuing expenditure.

    It follows the closing of the instalment before, or says in `overlap_reason_ko` why not.
    """

    instalment: Annotated[int, Meta(ge=2, le=99)]
    fiscal_year: FiscalYear
    amount_won: PositiveWon
    start: Month
    end: Month
    budget_lines: Annotated[list[BudgetLineRef], Meta(min_length=1)]
    overlap_reason_ko: Text | UnsetType = UNSET


class Amended(Payload, kw_only=True):
    """An instalment is changed (변경계약): its amount, its end, or both."""

    instalment: Instalment
    delta_won: Won
    cause: Literal["DESIGN", "PRICE", "PERIOD", "SCOPE", "LAW"]
    new_end: Month | UnsetType = UNSET
    new_total_noted_won: PositiveWon | UnsetType = UNSET


class Started(Payload, kw_only=True):
    """Work on the contract begins (착수), on the legal date."""

    instalment: Instalment


class Suspended(Payload, kw_only=True):
    """Work is suspended (중지)."""

    reason_ko: Text


class Resumed(Payload, kw_only=True):
    """Suspended work goes on (재개)."""

    reason_ko: Text


class SubcontractApproved(Payload, kw_only=True):
    """A subcontract is approved (하도급 승인); all of them together stay within the contract."""

    subcontract_id: Code
    supplier: Party
    amount_won: PositiveWon
    rate_bp: BasisPoints
    scope_ko: Text


class Inspected(Payload, kw_only=True):
    """Work is inspected (검사): progress or final."""

    inspection_id: Code
    instalment: Instalment
    kind: Literal["PROGRESS", "FINAL"]
    result: Literal["PASS", "FAIL", "PARTIAL"]
    notified_on: Date | UnsetType = UNSET


class Accepted(Payload, kw_only=True):
    """Inspected work is accepted (검수) for an amount, which may then be paid."""

    inspection_id: Code
    instalment: Instalment
    accepted_won: PositiveWon


class InstalmentClosed(Payload, kw_only=True):
    """An instalment is completed (준공) after its final inspection passed; `final_won` is what was accepted of it."""

    instalment: Instalment
    final_won: NonNegativeWon


class AdvancePaid(Payload, kw_only=True):
    """An advance (선금) on one instalment: the contract's half of the pair that `budget.paid.v1` opens."""

    instalment: Instalment
    payment_id: Code
    amount_won: PositiveWon
    budget_paid_id: Code
    budget_subject: Text


class ContractPaid(Payload, kw_only=True):
    """A payment on one instalment: the contract's half of the pair that `budget.paid.v1` opens.

    `advance_offset_won` is the part of the accepted work that an advance has paid already (선금 정산).
    """

    instalment: Instalment
    payment_id: Code
    amount_won: PositiveWon
    budget_paid_id: Code
    budget_subject: Text
    inspection_id: Code | UnsetType = UNSET
    advance_offset_won: NonNegativeWon | UnsetType = UNSET


class ContractReturned(Payload, kw_only=True):
    """Money of a payment or an advance comes back (여입): the contract's half of the pair of `budget.returned.v1`."""

    instalment: Instalment
    return_id: Code
    payment_id: Code
    amount_won: PositiveWon
    budget_returned_id: Code
    budget_subject: Text


class SubcontractPaid(Payload, kw_only=True):
    """A subcontractor is paid, directly by the city (직불) or by the contractor."""

    subcontract_id: Code
    payment_id: Code
    amount_won: PositiveWon
    direct: bool


class DelayDamagesAssessed(Payload, kw_only=True):
    """Damages for delay (지체상금): base × rate × days, offset against a payment or collected as revenue.

    `rate_ppm` is the rate for one day in millionths of the base.
    """

    assessment_id: Code
    instalment: Instalment
    days: PositiveCount
    base_won: PositiveWon
    rate_ppm: Annotated[int, Meta(gt=0, le=1_000_000)]
    amount_won: PositiveWon
    settled_by: Literal["OFFSET", "REVENUE"]


class Terminated(Payload, kw_only=True):
    """The contract ends early (해지: from now on; 해제: from the beginning): at most `settled_won` is paid in all."""

    kind: Literal["CANCELLED", "RESCINDED"]
    reason_ko: Text
    settled_won: NonNegativeWon


class WarrantySet(Payload, kw_only=True):
    """The warranty (하자담보) runs until a day."""

    instalment: Instalment
    until: Date
    bond_won: NonNegativeWon


class WarrantyClaimed(Payload, kw_only=True):
    """A defect is claimed while the warranty runs."""

    claim_id: Code
    instalment: Instalment
    reason_ko: Text
    amount_won: PositiveWon | UnsetType = UNSET


class Completed(Payload, kw_only=True):
    """The contract is completed: what its instalments came to was paid, but for damages kept back."""

    final_won: NonNegativeWon


class ContractReplacement(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What should have been posted: exactly one member, of the corrected event's own type."""

    prior_step_completed: PriorStepCompleted | UnsetType = UNSET
    amended: Amended | UnsetType = UNSET
    subcontract_approved: SubcontractApproved | UnsetType = UNSET
    inspected: Inspected | UnsetType = UNSET
    accepted: Accepted | UnsetType = UNSET
    advance_paid: AdvancePaid | UnsetType = UNSET
    paid: ContractPaid | UnsetType = UNSET
    subcontract_paid: SubcontractPaid | UnsetType = UNSET
    delay_damages_assessed: DelayDamagesAssessed | UnsetType = UNSET


class ContractCorrected(Payload, kw_only=True):
    """An earlier event of this contract is reversed, and replaced where `replacement` says by what (정정).

    `corrects` names it by its id. The correction of a payment is the second half of an atomic pair, whose first half is
    the `budget.corrected.v1` of `budget_corrected_id`.
    """

    reason: Literal["TYPO", "WRONG_LINE", "DUPLICATE", "LEGAL"]
    reason_ko: Text
    replacement: ContractReplacement | UnsetType = UNSET
    budget_corrected_id: Code | UnsetType = UNSET
    budget_subject: Text | UnsetType = UNSET


TYPES: dict[str, type[Payload]] = {
    "contract.planned.v1": Planned,
    "contract.prior-step-completed.v1": PriorStepCompleted,
    "contract.tender-published.v1": TenderPublished,
    "contract.tender-amended.v1": TenderAmended,
    "contract.tender-cancelled.v1": TenderCancelled,
    "contract.tender-failed.v1": TenderFailed,
    "contract.bids-opened.v1": BidsOpened,
    "contract.proposals-evaluated.v1": ProposalsEvaluated,
    "contract.awarded.v1": Awarded,
    "contract.signed.v1": Signed,
    "contract.instalment-signed.v1": InstalmentSigned,
    "contract.amended.v1": Amended,
    "contract.started.v1": Started,
    "contract.suspended.v1": Suspended,
    "contract.resumed.v1": Resumed,
    "contract.subcontract-approved.v1": SubcontractApproved,
    "contract.inspected.v1": Inspected,
    "contract.accepted.v1": Accepted,
    "contract.instalment-closed.v1": InstalmentClosed,
    "contract.advance-paid.v1": AdvancePaid,
    "contract.paid.v1": ContractPaid,
    "contract.returned.v1": ContractReturned,
    "contract.subcontract-paid.v1": SubcontractPaid,
    "contract.delay-damages-assessed.v1": DelayDamagesAssessed,
    "contract.terminated.v1": Terminated,
    "contract.warranty-set.v1": WarrantySet,
    "contract.warranty-claimed.v1": WarrantyClaimed,
    "contract.completed.v1": Completed,
    "contract.corrected.v1": ContractCorrected,
}
