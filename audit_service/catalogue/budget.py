"""What can happen in one agency's budget of one fiscal year? Stream `budget/<agency>/<fiscal year>`.

Amounts are integer won. A line is named by its `line_id`; `budget.line-defined.v1` says what it stands for.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    Code,
    Date,
    FiscalYear,
    Fund,
    Month,
    NonNegativeWon,
    ObjectCode,
    Party,
    Payload,
    PositiveCount,
    PositiveWon,
    Sha256Hex,
    Text,
    Won,
)

CarryOverKind = Literal["EXPLICIT", "ACCIDENTAL", "CONTINUING", "NOT_STATED"]


class FiscalYearOpened(Payload, kw_only=True):
    """A fiscal year (회계연도) begins for one agency and one account."""

    fiscal_year: FiscalYear
    account: Code
    account_ko: Text
    opens_on: Date
    closes_on: Date


class CodeListEntry(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One code of a published list, with its names."""

    code: Code
    name_ko: Text
    name_en: Text | UnsetType = UNSET


class CodeListPublished(Payload, kw_only=True):
    """The year's list of codes (예산과목 코드표) for one level of the budget; lines use only codes that stand in it.

    A long list comes in several parts, each with its own event; all of them before the first line.
    """

    level: Literal["field", "sector", "policy", "unit", "object_code"]
    entries: Annotated[list[CodeListEntry], Meta(min_length=1)]
    list_sha256: Sha256Hex | UnsetType = UNSET


class LineDefined(Payload, kw_only=True):
    """A budget line (예산 과목) exists. Levels that the source does not state are left out, never guessed.

    `object_code` (통계목) is absent where a source gives only the project's total.
    """

    line_id: Code
    name_ko: Text
    name_en: Text | UnsetType = UNSET
    project_id: Code
    division: Code
    fund: Fund
    object_code: ObjectCode | UnsetType = UNSET
    field: Code | UnsetType = UNSET
    sector: Code | UnsetType = UNSET
    policy: Code | UnsetType = UNSET
    unit: Code | UnsetType = UNSET


class OpeningImported(Payload, kw_only=True):
    """Balances taken over from outside the ledger: flagged as not derived from events."""

    rows: Annotated[list[OpeningRow], Meta(min_length=1)]
    reason_ko: Text


class OpeningRow(Struct, forbid_unknown_fields=True, kw_only=True):
    """One line's imported carry-in (전년도 이월액)."""

    line_id: Code
    carried_in_won: NonNegativeWon
    kind: CarryOverKind


class AppropriationRow(Struct, forbid_unknown_fields=True, kw_only=True):
    """One line's appropriation in won."""

    line_id: Code
    amount_won: NonNegativeWon


class Appropriated(Payload, kw_only=True):
    """The original budget (본예산) is resolved: an appropriation (세출예산) for each line."""

    rows: Annotated[list[AppropriationRow], Meta(min_length=1)]
    total_won: NonNegativeWon


class ProvisionalAuthorised(Payload, kw_only=True):
    """A provisional budget (준예산): what may be spent until the council resolves the original budget.

    The original budget replaces it, line by line; `until_on` is its last day: afterwards what is obligated is paid, and
    nothing new is allotted or obligated from these lines before the next budget.
    """

    rows: Annotated[list[AppropriationRow], Meta(min_length=1)]
    total_won: NonNegativeWon
    until_on: Date


class SupplementRow(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a supplementary budget adds to one line, or takes from it, in won."""

    line_id: Code
    delta_won: Won


class Supplemented(Payload, kw_only=True):
    """A supplementary budget (추가경정예산) is resolved, in rounds counted from 1.

    `pre_appropriation_ids` name the uses before appropriation that this round takes in: their amounts are part
    of its rows.
    """

    round: PositiveCount
    rows: Annotated[list[SupplementRow], Meta(min_length=1)]
    total_delta_won: Won
    pre_appropriation_ids: list[Code] | UnsetType = UNSET


class PreAppropriationUsed(Payload, kw_only=True):
    """An earmarked grant is used before it is appropriated (성립전예산, 간주처리).

    The next supplementary budget of the same year takes it in; until then the year cannot be closed. The grant's
    document is the event's `basis`.
    """

    pre_appropriation_id: Code
    line_id: Code
    amount_won: PositiveWon


class ReserveReleased(Payload, kw_only=True):
    """Money leaves the reserve fund (예비비, object 801) for a line of the same account and fund."""

    from_line_id: Code
    to_line_id: Code
    amount_won: PositiveWon


class CrossTransferred(Payload, kw_only=True):
    """A transfer between two policy programmes (이용); the council's resolution is its `basis`."""

    from_line_id: Code
    to_line_id: Code
    amount_won: PositiveWon


class Transferred(Payload, kw_only=True):
    """A transfer inside one policy programme (전용), approved by the head of government."""

    from_line_id: Code
    to_line_id: Code
    amount_won: PositiveWon


class TransferLimitsSet(Payload, kw_only=True):
    """Into which objects may no within-programme transfer (전용) lead this year? Beginnings of object codes.

    Without this event, none may lead into 203 (업무추진비).
    """

    closed_to_transfers: list[Annotated[str, Meta(pattern=r"^[0-9]{3}(-[0-9]{2})?(?!\n)$")]]


class ReassignedPair(Struct, forbid_unknown_fields=True, kw_only=True):
    """What moves from one division's line to another's, in won."""

    from_line_id: Code
    to_line_id: Code
    amount_won: PositiveWon


class Reassigned(Payload, kw_only=True):
    """A reassignment (이체) after a reorganisation, which is its `basis`: only the division changes."""

    pairs: Annotated[list[ReassignedPair], Meta(min_length=1)]


class RevenueSubstituted(Payload, kw_only=True):
    """Revenue beyond the estimate pays for the expense that earned it (수입대체경비)."""

    line_id: Code
    amount_won: PositiveWon
    revenue_id: Code
    excess_revenue_won: PositiveWon


class Adjusted(Payload, kw_only=True):
    """An adjustment inside one project (변경사용): zero-sum between two lines of the same fund."""

    from_line_id: Code
    to_line_id: Code
    amount_won: PositiveWon


class Allotted(Payload, kw_only=True):
    """An allotment (예산배정) for a quarter; negative takes back what is not yet obligated."""

    line_id: Code
    quarter: Annotated[int, Meta(ge=1, le=4)]
    amount_won: Won


class Reallotted(Payload, kw_only=True):
    """A re-allotment (재배정) of an allotted amount to a subordinate office; negative takes it back."""

    line_id: Code
    office: Code
    amount_won: Won


class ObligationIncurred(Payload, kw_only=True):
    """An obligation (지출원인행위) binds part of an allotment.

    With `contract_process_id` it stands behind a contract, whose instalment (default 1) it pays for.
    """

    obligation_id: Code
    line_id: Code
    amount_won: PositiveWon
    contract_process_id: Code | UnsetType = UNSET
    instalment: Annotated[int, Meta(ge=1, le=99)] | UnsetType = UNSET
    payee_kind: Literal["CORPORATION", "PUBLIC_BODY", "COMMITTED", "NOT_STATED"] | UnsetType = UNSET


class ObligationAdjusted(Payload, kw_only=True):
    """An obligation is made larger or smaller; never smaller than what was paid on it."""

    obligation_id: Code
    delta_won: Won
    reason_ko: Text


class Paid(Payload, kw_only=True):
    """An expenditure (지출) on an obligation.

    With `contract_paid_id` the payment belongs to a contract: the next entry of the same atomic batch is the
    `contract.paid.v1` or `contract.advance-paid.v1` of that id, for the same amount. Who pays is never who obliged
    (`actor_role` of both events).
    """

    payment_id: Code
    obligation_id: Code
    line_id: Code
    amount_won: PositiveWon
    payee: Party
    contract_paid_id: Code | UnsetType = UNSET
    method: Literal["TRANSFER", "CARD", "CHEQUE", "CASH", "OTHER"] | UnsetType = UNSET


class Returned(Payload, kw_only=True):
    """Money of a payment comes back in the same fiscal year (여입): the executed amount falls.

    With `contract_returned_id` the payment belongs to a contract: the next entry of the same atomic batch is the
    `contract.returned.v1` of that id, for the same amount.
    """

    return_id: Code
    payment_id: Code
    amount_won: PositiveWon
    reason_ko: Text
    contract_returned_id: Code | UnsetType = UNSET


class PriorYearRefunded(Payload, kw_only=True):
    """Money of a closed year comes back later (과년도 반납): as revenue, so the settlement stays as it is.

    A contract's payment stays paid as well: its stream says what left the budget, and revenue moves no budget.
    """

    refund_id: Code
    payment_id: Code
    amount_won: PositiveWon
    reason_ko: Text


class CarryoverDeclared(Payload, kw_only=True):
    """The council approves an explicit carry-over (명시이월) before the year ends; its resolution is the `basis`."""

    line_id: Code
    amount_won: PositiveWon


class PlanYear(Struct, forbid_unknown_fields=True, kw_only=True):
    """One year's part of a continuing expenditure, in won."""

    fiscal_year: FiscalYear
    amount_won: NonNegativeWon


class ContinuingPlanSet(Payload, kw_only=True):
    """A continuing expenditure (계속비): what one project may spend over several years, as the council resolved.

    It stands on the budget of its first year; what a year leaves unspent may be carried over until the last one.
    """

    plan_id: Code
    project_id: Code
    years: Annotated[list[PlanYear], Meta(min_length=2)]
    total_won: PositiveWon


class CarriedOver(Payload, kw_only=True):
    """Carried over (이월) to the next year: the closing year's half of an atomic pair.

    An accidental carry-over of money that no obligation binds says `ancillary` (부대경비). A continuing one names
    its plan: `plan_id` on the budget `plan_subject`.
    """

    line_id: Code
    to_subject: Text
    to_line_id: Code
    kind: CarryOverKind
    amount_won: PositiveWon
    carry_in_id: Code
    ancillary: bool | UnsetType = UNSET
    plan_subject: Text | UnsetType = UNSET
    plan_id: Code | UnsetType = UNSET


class CarryInReceived(Payload, kw_only=True):
    """Carried in from the year before: the opening year's half of the pair, next entry after the first half."""

    line_id: Code
    from_subject: Text
    from_line_id: Code
    kind: CarryOverKind
    amount_won: PositiveWon
    carried_over_id: Code


class Factor(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One factor of a calculation basis: a price in won, or a number with its unit (`8인`). Exactly one."""

    won: PositiveWon | UnsetType = UNSET
    n: PositiveCount | UnsetType = UNSET
    unit: Text | UnsetType = UNSET


class CostBasisRecorded(Payload, kw_only=True):
    """A line item with its calculation basis (산출기초): the product of the factors is the amount."""

    line_id: Code
    item_id: Code
    item_ko: Text
    factors: Annotated[list[Factor], Meta(min_length=1)]
    amount_won: NonNegativeWon
    basis_printed: Text | UnsetType = UNSET


class ScheduleStep(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One step of the year's schedule and the line items that it spends."""

    step_id: Code
    name_ko: Text
    start: Month
    end: Month
    amount_won: NonNegativeWon
    detail_ko: Text | UnsetType = UNSET
    item_ids: list[Code]


class ScheduleSet(Payload, kw_only=True):
    """The year's schedule (추진일정) of one project; the steps add up to the project's appropriation."""

    project_id: Code
    steps: Annotated[list[ScheduleStep], Meta(min_length=1)]
    total_won: NonNegativeWon


class FiscalYearClosed(Payload, kw_only=True):
    """The fiscal year is closed: no new allotment, obligation, expenditure or move."""

    closes_on: Date


class SettlementRow(Struct, forbid_unknown_fields=True, kw_only=True):
    """The seven columns of a settlement (결산) table for one project, in won."""

    project_id: Code
    final_budget_won: NonNegativeWon
    carried_in_won: NonNegativeWon
    budget_change_won: Won
    current_budget_won: NonNegativeWon
    executed_won: NonNegativeWon
    carried_out_won: NonNegativeWon
    unspent_won: Won


class SettlementPublished(Payload, kw_only=True):
    """The city's settlement of a closed year; it must equal what the events add up to."""

    rows: Annotated[list[SettlementRow], Meta(min_length=1)]


class Finding(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One finding of a settlement audit: what it is about, and the digest of its text.

    `event_id` names the event that the committee means, on whatever stream: its word, which no rule looks up.
    """

    event_id: Code | UnsetType = UNSET
    title_ko: Text
    sha256: Sha256Hex


class SettlementAudited(Payload, kw_only=True):
    """The audit committee has examined the settlement (결산검사)."""

    committee_ko: Text
    findings: list[Finding]


class SettlementApproved(Payload, kw_only=True):
    """The council approves the settlement (결산 승인); its resolution is the `basis`."""

    approved_on: Date


class Replacement(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What should have been posted: exactly one member, of the corrected event's own type."""

    appropriated: Appropriated | UnsetType = UNSET
    supplemented: Supplemented | UnsetType = UNSET
    pre_appropriation_used: PreAppropriationUsed | UnsetType = UNSET
    reserve_released: ReserveReleased | UnsetType = UNSET
    cross_transferred: CrossTransferred | UnsetType = UNSET
    transferred: Transferred | UnsetType = UNSET
    reassigned: Reassigned | UnsetType = UNSET
    adjusted: Adjusted | UnsetType = UNSET
    revenue_substituted: RevenueSubstituted | UnsetType = UNSET
    allotted: Allotted | UnsetType = UNSET
    reallotted: Reallotted | UnsetType = UNSET
    obligation_incurred: ObligationIncurred | UnsetType = UNSET
    obligation_adjusted: ObligationAdjusted | UnsetType = UNSET
    paid: Paid | UnsetType = UNSET
    returned: Returned | UnsetType = UNSET
    carryover_declared: CarryoverDeclared | UnsetType = UNSET
    cost_basis_recorded: CostBasisRecorded | UnsetType = UNSET
    schedule_set: ScheduleSet | UnsetType = UNSET


class Corrected(Payload, kw_only=True):
    """An earlier event of this budget is reversed, and replaced where `replacement` says by what (정정).

    `corrects` names it by its id. Both stay in the log and on the pages; what is added up counts the reversal
    and the replacement from this entry on. A payment on a contract is corrected on both streams at once:
    `contract_corrected_id` names the next entry of the same atomic batch, a `contract.corrected.v1`, and so does the
    replacement's `contract_paid_id`: that is the payment's half from now on.
    """

    reason: Literal["TYPO", "WRONG_LINE", "DUPLICATE", "LEGAL"]
    reason_ko: Text
    replacement: Replacement | UnsetType = UNSET
    contract_corrected_id: Code | UnsetType = UNSET


TYPES: dict[str, type[Payload]] = {
    "budget.fiscal-year-opened.v1": FiscalYearOpened,
    "budget.code-list-published.v1": CodeListPublished,
    "budget.line-defined.v1": LineDefined,
    "budget.opening-imported.v1": OpeningImported,
    "budget.appropriated.v1": Appropriated,
    "budget.provisional-authorised.v1": ProvisionalAuthorised,
    "budget.supplemented.v1": Supplemented,
    "budget.pre-appropriation-used.v1": PreAppropriationUsed,
    "budget.reserve-released.v1": ReserveReleased,
    "budget.cross-transferred.v1": CrossTransferred,
    "budget.transferred.v1": Transferred,
    "budget.transfer-limits-set.v1": TransferLimitsSet,
    "budget.reassigned.v1": Reassigned,
    "budget.adjusted.v1": Adjusted,
    "budget.revenue-substituted.v1": RevenueSubstituted,
    "budget.allotted.v1": Allotted,
    "budget.reallotted.v1": Reallotted,
    "budget.obligation-incurred.v1": ObligationIncurred,
    "budget.obligation-adjusted.v1": ObligationAdjusted,
    "budget.paid.v1": Paid,
    "budget.returned.v1": Returned,
    "budget.prior-year-refunded.v1": PriorYearRefunded,
    "budget.carryover-declared.v1": CarryoverDeclared,
    "budget.continuing-plan-set.v1": ContinuingPlanSet,
    "budget.carried-over.v1": CarriedOver,
    "budget.carry-in-received.v1": CarryInReceived,
    "budget.cost-basis-recorded.v1": CostBasisRecorded,
    "budget.schedule-set.v1": ScheduleSet,
    "budget.fiscal-year-closed.v1": FiscalYearClosed,
    "budget.settlement-published.v1": SettlementPublished,
    "budget.settlement-audited.v1": SettlementAudited,
    "budget.settlement-approved.v1": SettlementApproved,
    "budget.corrected.v1": Corrected,
}
