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
    Payload,
    PositiveCount,
    PositiveWon,
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


class ObligationIncurred(Payload, kw_only=True):
    """An obligation (지출원인행위) binds part of an allotment."""

    obligation_id: Code
    line_id: Code
    amount_won: PositiveWon
    contract_process_id: Code | UnsetType = UNSET


class Payee(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Who is paid: an organisation by its public code, or a salted commitment; never a person's name."""

    kind: Literal["CORPORATION", "PUBLIC_BODY", "COMMITTED", "NOT_STATED"]
    organisation_id: Code | UnsetType = UNSET
    commitment: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")] | UnsetType = UNSET


class Paid(Payload, kw_only=True):
    """An expenditure (지출) on an obligation.

    With `contract_paid_id` the payment belongs to a contract: the next entry of the same atomic batch is
    the `contract.paid.v1` of that id, for the same amount.
    """

    payment_id: Code
    obligation_id: Code
    line_id: Code
    amount_won: PositiveWon
    payee: Payee
    contract_paid_id: Code | UnsetType = UNSET


class CarriedOver(Payload, kw_only=True):
    """Carried over (이월) to the next year: the closing year's half of an atomic pair."""

    line_id: Code
    to_subject: Text
    to_line_id: Code
    kind: CarryOverKind
    amount_won: PositiveWon
    carry_in_id: Code


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


TYPES: dict[str, type[Payload]] = {
    "budget.fiscal-year-opened.v1": FiscalYearOpened,
    "budget.line-defined.v1": LineDefined,
    "budget.opening-imported.v1": OpeningImported,
    "budget.appropriated.v1": Appropriated,
    "budget.adjusted.v1": Adjusted,
    "budget.allotted.v1": Allotted,
    "budget.obligation-incurred.v1": ObligationIncurred,
    "budget.paid.v1": Paid,
    "budget.carried-over.v1": CarriedOver,
    "budget.carry-in-received.v1": CarryInReceived,
    "budget.cost-basis-recorded.v1": CostBasisRecorded,
    "budget.schedule-set.v1": ScheduleSet,
    "budget.fiscal-year-closed.v1": FiscalYearClosed,
    "budget.settlement-published.v1": SettlementPublished,
}
