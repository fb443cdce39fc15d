"""What is known about one project, beyond its money? Stream `project/<project id>`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from audit_service.catalogue.common import (
    Code,
    Count,
    FiscalYear,
    LongText,
    NonNegativeWon,
    PartialDate,
    Payload,
    Text,
)


class RoleCount(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How many officials act in a role; a role, never a name."""

    role_ko: Text
    role_en: Text | UnsetType = UNSET
    count: Count


class Funding(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Where a year's money comes from, in won; absent where the source leaves the cell blank."""

    total_won: NonNegativeWon
    national_won: NonNegativeWon | UnsetType = UNSET
    city_won: NonNegativeWon | UnsetType = UNSET
    district_won: NonNegativeWon | UnsetType = UNSET
    other_won: NonNegativeWon | UnsetType = UNSET
    off_budget_won: NonNegativeWon | UnsetType = UNSET


class Registered(Payload, kw_only=True):
    """A project (세부사업) with its organisation, account, recurrence, purpose, contents and funding."""

    name_ko: Text
    name_en: Text | UnsetType = UNSET
    bureau: Code
    division: Code
    roles: list[RoleCount]
    account_ko: Text
    recurrence_ko: Text
    purpose_ko: list[LongText]
    contents_ko: list[LongText]
    fiscal_year: FiscalYear
    funding: Funding


class BasisRecorded(Payload, kw_only=True):
    """A plan that the project rests on (사업근거)."""

    title_ko: Text
    date: PartialDate
    date_printed: Text | UnsetType = UNSET


class NamedCount(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A figure of the source, with its name and its unit."""

    name_ko: Text
    count: Count
    unit_ko: Text


class MilestoneRecorded(Payload, kw_only=True):
    """A step of the project's history (추진경위, 추진실적)."""

    milestone_id: Code
    title_ko: Text
    aliases_ko: list[Text] | UnsetType = UNSET
    year_heading: FiscalYear | UnsetType = UNSET
    start: PartialDate | UnsetType = UNSET
    end: PartialDate | UnsetType = UNSET
    details_ko: list[Text] | UnsetType = UNSET
    counts: list[NamedCount] | UnsetType = UNSET
    sections: Annotated[list[Literal["추진경위", "추진실적"]], Meta(min_length=1)]


class ActivityRecorded(Payload, kw_only=True):
    """An activity of the project: what is done, how often, and which line item pays for it."""

    activity_id: Code
    kind: Literal[
        "governance-meeting",
        "advice",
        "proposal-evaluation",
        "workshop",
        "training",
        "conference",
        "liaison",
        "maintenance",
        "development",
    ]
    description_ko: LongText
    start: PartialDate | UnsetType = UNSET
    end: PartialDate | UnsetType = UNSET
    times: Count | UnsetType = UNSET
    headcount: Count | UnsetType = UNSET
    item_id: Code | UnsetType = UNSET


class AssetRegistered(Payload, kw_only=True):
    """Assets that the project runs; `named` may be fewer than `count` where the source names only some."""

    asset_id: Code
    kind: Literal["platform", "commercial-software", "application"]
    name_ko: Text
    count: Count
    unit_ko: Text
    named: list[Text]
    contract_process_id: Code | UnsetType = UNSET


class EffectStated(Payload, kw_only=True):
    """An expected effect (향후 기대효과), in the source's words."""

    text_ko: LongText


class AnomalyNoted(Payload, kw_only=True):
    """Something in the source that does not fit together: shown as it is, never mended."""

    anomaly_id: Code
    text_ko: LongText
    text_en: LongText


TYPES: dict[str, type[Payload]] = {
    "project.registered.v1": Registered,
    "project.basis-recorded.v1": BasisRecorded,
    "project.milestone-recorded.v1": MilestoneRecorded,
    "project.activity-recorded.v1": ActivityRecorded,
    "project.asset-registered.v1": AssetRegistered,
    "project.effect-stated.v1": EffectStated,
    "project.anomaly-noted.v1": AnomalyNoted,
}
