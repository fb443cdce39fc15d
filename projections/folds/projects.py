"""What does the register say about one project, beyond its money?

Organisation and roles, purposes, contents, funding (won), the plans it rests on, its history, activities,
assets and effects, and what does not fit together in the source: shown as it is. A corrected row stays, and says by
which event it is corrected; its new version has the id of the old one with `~2`, `~3`, … behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, UnsetType

from projections.folds.fold import Fold, Handler
from projections.folds.project_checks import CHECKS, Appropriation, BudgetSeen, Item, compute_checks
from projections.folds.rows import Row, cells_of, provenance_of, traced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue import budget, project
    from audit_service.catalogue.event import Event

PROJECT_REGISTER = "project-register"
RECORDED = (
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
TABLES = (*RECORDED, *CHECKS)
# Source of money: field of the payload, row id, the label that a budget book prints.
_FUNDING = (
    ("total_won", "total", "계"),
    ("national_won", "national", "국비"),
    ("city_won", "city", "시비"),
    ("district_won", "district", "구비"),
    ("other_won", "other", "기타"),
    ("off_budget_won", "off-budget", "기타 (예산 외)"),
)


class Fact(Struct, kw_only=True):
    """Where an event's rows stand, and which version of what it says it is, from 1."""

    rows: list[tuple[str, str]]
    version: int


class Project(Struct, kw_only=True):
    """One project: its rows by table and id, in the order in which they were recorded, and its budget so far."""

    tables: dict[str, dict[str, Row]] = {}
    facts: dict[str, Fact] = {}
    budget: BudgetSeen


class Projects(Fold[Project]):
    """Folds every `project/<id>` stream, and of the budgets what the checks compare with."""

    name: ClassVar[str] = "projects"
    kinds: ClassVar[tuple[str, ...]] = (PROJECT_REGISTER,)
    part_type: ClassVar[type[Any]] = Project

    def __init__(self) -> None:
        super().__init__()
        self._project_of_line: dict[tuple[str, str], str] = {}
        self._projects_of_event: dict[tuple[str, str], set[str]] = {}

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
            "budget.line-defined.v1": self._line_defined,
            "budget.appropriated.v1": self._appropriated,
            "budget.cost-basis-recorded.v1": self._cost_basis_recorded,
            "budget.corrected.v1": self._budget_corrected,
        }

    def keys(self, kind: str) -> list[str]:
        """Ids of projects that say something about themselves; a budget alone makes no register."""
        return sorted(part for part, state in self.parts.items() if state.tables) if kind == PROJECT_REGISTER else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """All tables of one project, each in the order of the entries."""
        state = self.parts.get(key)
        if state is None or kind != PROJECT_REGISTER:
            return []
        rows = [row for table in RECORDED for row in state.tables.get(table, {}).values()]
        return [*rows, *compute_checks(state.tables, state.budget)]

    def load_part(self, part: str, data: bytes) -> None:
        """Take over a stored part, and find its budget lines again."""
        super().load_part(part, data)
        budget = self.parts[part].budget
        for subject, line_id in budget.lines:
            self._project_of_line[subject, line_id] = part
        for subject, event_id in (*budget.appropriations, *budget.items):
            self._projects_of_event.setdefault((subject, event_id), set()).add(part)

    def _project(self, part: str) -> Project:
        state = self.parts.get(part)
        if state is None:
            state = self.parts[part] = Project(budget=BudgetSeen())
        return state

    def _put(self, index: int, event: Event, rows: Iterable[Row]) -> None:
        """Write down the rows of an event; those that it corrects stay, and say by what they are corrected."""
        part = event.subject.removeprefix("project/")
        state = self._project(part)
        corrects = None if isinstance(event.data.corrects, UnsetType) else event.data.corrects
        earlier = None if corrects is None else state.facts.get(corrects)
        fact = state.facts[event.id] = Fact(rows=[], version=1 if earlier is None else earlier.version + 1)
        for table, row_id in () if earlier is None else earlier.rows:
            row = state.tables[table][row_id]
            row.body["corrected_by"] = event.id
            row.entries.append(index)
            row.provenance = sorted({*row.provenance, provenance_of(event.data)})
        for row in rows:
            if fact.version > 1:
                row.id = f"{row.id}~{fact.version}"
            row.body |= {"corrects": corrects, "corrected_by": None}
            state.tables.setdefault(row.table, {})[row.id] = row
            fact.rows.append((row.table, row.id))
        self._changed(part)

    def _changed(self, part: str) -> None:
        self.changed.add(part)
        if self.parts[part].tables:
            self.dirty.add((PROJECT_REGISTER, part))

    def _number(self, event: Event, table: str) -> str:
        """The next number in a table whose rows have no ids of their own; a correction keeps that of its first."""
        state = self._project(event.subject.removeprefix("project/"))
        earlier = state.facts.get(event.data.corrects)
        if earlier is not None and earlier.rows:
            return earlier.rows[0][1].partition("~")[0]
        return str(sum("~" not in row_id for row_id in state.tables.get(table, {})) + 1)

    # --- what the checks compare with -------------------------------------------------------------------

    def _line_defined(self, index: int, event: Event) -> None:
        data: budget.LineDefined = event.data
        self._project(data.project_id).budget.lines[event.subject, data.line_id] = index
        self._project_of_line[event.subject, data.line_id] = data.project_id
        self._changed(data.project_id)

    def _appropriated(self, index: int, event: Event) -> None:
        self._take_appropriation(index, event, event.data)

    def _take_appropriation(self, index: int, event: Event, data: budget.Appropriated) -> None:
        for row in data.rows:
            part = self._project_of_line.get((event.subject, row.line_id))
            if part is not None:
                seen = self._seen(part, event)
                already = seen.appropriations.get((event.subject, event.id))
                amount_won = row.amount_won + (0 if already is None else already.amount_won)
                seen.appropriations[event.subject, event.id] = Appropriation(
                    amount_won=amount_won, trace=traced(index, provenance_of(event.data))
                )

    def _cost_basis_recorded(self, index: int, event: Event) -> None:
        self._take_item(index, event, event.data)

    def _take_item(self, index: int, event: Event, data: budget.CostBasisRecorded) -> None:
        part = self._project_of_line.get((event.subject, data.line_id))
        if part is not None:
            factors = [(factor.unit, factor.n) for factor in data.factors]
            self._seen(part, event).items[event.subject, event.id] = Item(
                item_id=data.item_id,
                counts={unit: n for unit, n in factors if isinstance(unit, str) and isinstance(n, int)},
                amount_won=data.amount_won,
                trace=traced(index, provenance_of(event.data)),
            )

    def _seen(self, part: str, event: Event) -> BudgetSeen:
        self._projects_of_event.setdefault((event.subject, event.id), set()).add(part)
        self._changed(part)
        return self.parts[part].budget

    def _budget_corrected(self, index: int, event: Event) -> None:
        """Forget what is reversed; take in what replaces it."""
        data: budget.Corrected = event.data
        if isinstance(data.corrects, str):
            reversed_event = (event.subject, data.corrects)
            for part in self._projects_of_event.pop(reversed_event, ()):
                self.parts[part].budget.appropriations.pop(reversed_event, None)
                self.parts[part].budget.items.pop(reversed_event, None)
                self._changed(part)
        if isinstance(data.replacement, UnsetType):
            return
        if not isinstance(data.replacement.appropriated, UnsetType):
            self._take_appropriation(index, event, data.replacement.appropriated)
        if not isinstance(data.replacement.cost_basis_recorded, UnsetType):
            self._take_item(index, event, data.replacement.cost_basis_recorded)

    # --- what the project says --------------------------------------------------------------------------

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
        self._put(index, event, rows)

    def _basis_recorded(self, index: int, event: Event) -> None:
        data: project.BasisRecorded = event.data
        row_id = self._number(event, "bases")
        self._put(index, event, [traced(index, provenance_of(data)).row("bases", row_id, cells_of(data))])

    def _milestone_recorded(self, index: int, event: Event) -> None:
        data: project.MilestoneRecorded = event.data
        self._put(index, event, [_row("milestones", data.milestone_id, "milestone_id", index, data)])

    def _activity_recorded(self, index: int, event: Event) -> None:
        data: project.ActivityRecorded = event.data
        self._put(index, event, [_row("activities", data.activity_id, "activity_id", index, data)])

    def _asset_registered(self, index: int, event: Event) -> None:
        data: project.AssetRegistered = event.data
        row = _row("assets", data.asset_id, "asset_id", index, data)
        row.body["not_named"] = data.count - len(data.named)
        self._put(index, event, [row])

    def _effect_stated(self, index: int, event: Event) -> None:
        data: project.EffectStated = event.data
        row_id = self._number(event, "effects")
        self._put(index, event, [traced(index, provenance_of(data)).row("effects", row_id, cells_of(data))])

    def _anomaly_noted(self, index: int, event: Event) -> None:
        data: project.AnomalyNoted = event.data
        self._put(index, event, [_row("anomalies", data.anomaly_id, "anomaly_id", index, data)])


def _row(
    table: str,
    row_id: str,
    id_field: str,
    index: int,
    data: project.MilestoneRecorded | project.ActivityRecorded | project.AssetRegistered | project.AnomalyNoted,
) -> Row:
    return traced(index, provenance_of(data)).row(table, row_id, cells_of(data, without=(id_field,)))
