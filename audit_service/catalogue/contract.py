"""What can happen in one procurement, from plan to payment? Stream `contract/<process id>`.

A long-term continuing contract (장기계속계약) is one stream with one instalment (차수) per fiscal year.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    Code,
    FiscalYear,
    Month,
    NonNegativeWon,
    Payload,
    PositiveWon,
    Text,
)


class BudgetLineRef(Struct, forbid_unknown_fields=True, kw_only=True):
    """A line of a budget stream, named from another stream."""

    subject: Text
    line_id: Code


class Planned(Payload, kw_only=True):
    """A procurement is planned (발주 계획)."""

    title_ko: Text
    title_en: Text | UnsetType = UNSET
    category: Literal["GOODS", "WORKS", "SERVICES"]
    project_id: Code
    budget_won: NonNegativeWon | UnsetType = UNSET
    budget_lines: list[BudgetLineRef]
    start: Month | UnsetType = UNSET
    end: Month | UnsetType = UNSET
    stage_ko: Text | UnsetType = UNSET


class Signed(Payload, kw_only=True):
    """The contract is signed (계약체결); for a long-term continuing contract this is its first instalment.

    Amounts are absent only where the source of an import does not state them (rule `contract.amount-missing`).
    """

    contract_type: Literal["SINGLE", "LONG_TERM_CONTINUING"]
    fiscal_year: FiscalYear
    amount_won: PositiveWon | UnsetType = UNSET
    total_noted_won: PositiveWon | UnsetType = UNSET
    start: Month
    end: Month
    budget_lines: Annotated[list[BudgetLineRef], Meta(min_length=1)]


class InstalmentSigned(Payload, kw_only=True):
    """The next year's instalment contract (차수계약) of a long-term continuing contract."""

    instalment: Annotated[int, Meta(ge=2, le=99)]
    fiscal_year: FiscalYear
    amount_won: PositiveWon
    start: Month
    end: Month
    budget_lines: Annotated[list[BudgetLineRef], Meta(min_length=1)]


class ContractPaid(Payload, kw_only=True):
    """A payment on one instalment: the contract's half of the pair that `budget.paid.v1` opens."""

    instalment: Annotated[int, Meta(ge=1, le=99)]
    payment_id: Code
    amount_won: PositiveWon
    budget_paid_id: Code
    budget_subject: Text


TYPES: dict[str, type[Payload]] = {
    "contract.planned.v1": Planned,
    "contract.signed.v1": Signed,
    "contract.instalment-signed.v1": InstalmentSigned,
    "contract.paid.v1": ContractPaid,
}
