"""What does the register say about one project, beyond its money?

Organisation and roles, purposes, contents, funding (won), the plans it rests on, its history, activities,
assets and effects, and what does not fit together in the source: shown as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, UnsetType

from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, cells_of, provenance_of, traced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue import project
    from audit_service.catalogue.event import Event

PROJECT_REGISTER = "project-register"
TABLES = (
    "registration",
    "roles",
    "purposes",
    "contents",
    "funding",
    "bases",
    "milestones",
    "activities",
    "assets",
    "effects",
    "anomalies",
)
# Source of money: field of the payload, row id, the label that a budget book prints.
_FUNDING = (
    ("total_won", "total", "계"),
    ("national_won", "national", "국비"),
    ("city_won", "city", "시비"),
    ("district_won", "district", "구비"),
    ("other_won", "other", "기타"),
    ("off_budget_won", "off-budget", "기타 (예산 외)"),
)


class Project(Struct, kw_only=True):
    """One project: its rows by table and id, in the order in which they were recorded."""

    tables: dict[str, dict[str, Row]] = {}


class Projects(Fold[Project]):
    """Folds every `project/<id>` stream."""

    name: ClassVar[str] = "projects"
    kinds: ClassVar[tuple[str, ...]] = (PROJECT_REGISTER,)
    part_type: ClassVar[type[Any]] = Project

    def handlers(self) -> dict[str, Handler]:
        """One function for each type of the stream."""
        return {
            "project.registered.v1": self._registered,
            "project.basis-recorded.v1": self._basis_recorded,
            "project.milestone-recorded.v1": self._milestone_recorded,
            "project.activity-recorded.v1": self._activity_recorded,
            "project.asset-registered.v1": self._asset_registered,
            "project.effect-stated.v1": self._effect_stated,
            "project.anomaly-noted.v1": self._anomaly_noted,
        }

    def keys(self, kind: str) -> list[str]:
        """Project ids."""
        return sorted(self.parts) if kind == PROJECT_REGISTER else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """All tables of one project, each in the order of the entries."""
        state = self.parts.get(key)
        if state is None or kind != PROJECT_REGISTER:
            return []
        return [row for table in TABLES for row in state.tables.get(table, {}).values()]

    def _put(self, event: Event, rows: Iterable[Row]) -> None:
        part = event.subject.removeprefix("project/")
        state = self.parts.get(part)
        if state is None:
            state = self.parts[part] = Project()
        for row in rows:
            state.tables.setdefault(row.table, {})[row.id] = row
        self.changed.add(part)
        self.dirty.add((PROJECT_REGISTER, part))

    def _count(self, event: Event, table: str) -> int:
        state = self.parts.get(event.subject.removeprefix("project/"))
        return 0 if state is None else len(state.tables.get(table, {}))

    def _registered(self, index: int, event: Event) -> None:
        data: project.Registered = event.data
        trace = traced(index, provenance_of(data))
        lists = ("roles", "purpose_ko", "contents_ko", "funding")
        rows = [trace.row("registration", "registration", cells_of(data, without=lists))]
        rows += [trace.row("roles", str(n), cells_of(role)) for n, role in enumerate(data.roles, start=1)]
        for table, texts in (("purposes", data.purpose_ko), ("contents", data.contents_ko)):
            rows += [trace.row(table, str(n), {"text_ko": text}) for n, text in enumerate(texts, start=1)]
        for field, row_id, label_ko in _FUNDING:
            amount_won: int | UnsetType = getattr(data.funding, field)
            body = {
                "fiscal_year": data.fiscal_year,
                "label_ko": label_ko,
                "amount_won": None if isinstance(amount_won, UnsetType) else amount_won,
            }
            rows.append(trace.row("funding", row_id, body))
        self._put(event, rows)

    def _basis_recorded(self, index: int, event: Event) -> None:
        data: project.BasisRecorded = event.data
        row_id = str(self._count(event, "bases") + 1)
        self._put(event, [traced(index, provenance_of(data)).row("bases", row_id, cells_of(data))])

    def _milestone_recorded(self, index: int, event: Event) -> None:
        data: project.MilestoneRecorded = event.data
        self._put(event, [_row("milestones", data.milestone_id, "milestone_id", index, data)])

    def _activity_recorded(self, index: int, event: Event) -> None:
        data: project.ActivityRecorded = event.data
        self._put(event, [_row("activities", data.activity_id, "activity_id", index, data)])

    def _asset_registered(self, index: int, event: Event) -> None:
        data: project.AssetRegistered = event.data
        row = _row("assets", data.asset_id, "asset_id", index, data)
        row.body["not_named"] = data.count - len(data.named)
        self._put(event, [row])

    def _effect_stated(self, index: int, event: Event) -> None:
        data: project.EffectStated = event.data
        row_id = str(self._count(event, "effects") + 1)
        self._put(event, [traced(index, provenance_of(data)).row("effects", row_id, cells_of(data))])

    def _anomaly_noted(self, index: int, event: Event) -> None:
        data: project.AnomalyNoted = event.data
        self._put(event, [_row("anomalies", data.anomaly_id, "anomaly_id", index, data)])


def _row(
    table: str,
    row_id: str,
    id_field: str,
    index: int,
    data: project.MilestoneRecorded | project.ActivityRecorded | project.AssetRegistered | project.AnomalyNoted,
) -> Row:
    return traced(index, provenance_of(data)).row(table, row_id, cells_of(data, without=(id_field,)))
