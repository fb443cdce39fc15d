"""What does the first page show? One project's sheet, gathered from the rebuilt answers.

Nothing is computed here that an answer does not say: the page shows what an auditor's replay compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from api.reports import report_url
from projections.folds.budget_years import SETTLEMENT
from projections.reports.definitions import ReportRef

if TYPE_CHECKING:
    from api.ports import ReadModels, Reports
    from projections.reports.found import FoundReport

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Book:
    """The project's part of a budget book, in the order of the printed tables."""

    fiscal_year: int
    total: Row
    lines: list[Row]
    items_by_line: list[tuple[Row, list[Row]]]
    steps: list[Row]
    item_names: dict[str, str]
    step_names: dict[str, str]
    line_item_checks: list[Row]
    step_item_checks: list[Row]
    schedule_checks: list[Row]
    payments: list[Row]


@dataclass(frozen=True, kw_only=True)
class ProvableRow:
    """A row of a published report, as a script asks for it and as a reader takes its proof home."""

    kind: str
    key: str
    row_key: str
    proof_url: str
    file_name: str


@dataclass(frozen=True, kw_only=True)
class ProjectPage:
    """Everything that the page of one project shows."""

    project_id: str
    tree_size: int
    project: Tables
    registration: Row
    activity_names: dict[str, str]
    names: dict[str, Row]
    book: Book | None
    settled: list[Row]
    open_years: list[Row]
    identities: list[Row]
    chain: list[Row]
    contracts: list[Tables]
    services: list[Tables]
    settlement: FoundReport | None

    def provable(self, row: Row) -> ProvableRow:
        """The row of the published settlement that a settled year of the page shows.

        Raises:
            LookupError: no settlement is published; a template asks too early.
        """
        if self.settlement is None:
            raise LookupError(f"no settlement is published for {row['id']}")
        report, row_key = report_url(self.settlement.ref), f"settlements/{row['id']}"
        return ProvableRow(
            kind=self.settlement.ref.kind,
            key=self.settlement.ref.key,
            row_key=row_key,
            # Of the report that stood when the page was made, so that page and proof speak of one time.
            proof_url=f"{report}/rows/{quote(row_key)}/proof?tree_size={self.settlement.report.tree_size}",
            file_name=f"settlement-{row['id'].replace('/', '-')}.row-proof.json",
        )


def load_project_page(read_models: ReadModels, reports: Reports | None, project_id: str) -> ProjectPage | None:
    """Gather one project's page; None when no entry registers the project. Reads the database."""
    answer = read_models.answer("project-register", project_id)
    if answer is None or not answer["tables"]["registration"]:
        return None
    project: Tables = answer["tables"] | {table: _in_force(answer["tables"][table]) for table in _ONE_VERSION}
    registration = project["registration"][0]
    division = registration["division"]
    settlement = _tables(read_models, SETTLEMENT, division)
    rows = _of_project(settlement.get("settlements", []), project_id)
    return ProjectPage(
        project_id=project_id,
        tree_size=answer["tree_size"],
        project=project,
        registration=registration,
        activity_names={row["id"]: row["description_ko"] for row in project["activities"]},
        names=_names(read_models, division),
        book=_book(read_models, f"{division}/{registration['fiscal_year']}", project_id),
        settled=[row for row in rows if row["status"] == "settled"],
        open_years=[row for row in rows if row["status"] != "settled"],
        identities=_of_project(settlement.get("identities", []), project_id),
        chain=_of_project(settlement.get("carry_over_chain", []), project_id),
        contracts=_registers(read_models, "contract-register", "plan", project_id),
        services=_registers(read_models, "service-statistics", "service", project_id),
        settlement=None if reports is None else reports.report(ReportRef(SETTLEMENT, division), None),
    )


# What the page says once, as it is now; the register itself shows both versions.
_ONE_VERSION = ("registration", "roles", "purposes", "contents", "funding")


def _in_force(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["corrected_by"] is None]


def _tables(read_models: ReadModels, kind: str, key: str) -> Tables:
    answer = read_models.answer(kind, key)
    return {} if answer is None else answer["tables"]


def _of_project(rows: list[Row], project_id: str) -> list[Row]:
    return [row for row in rows if row["project_id"] == project_id]


def _registers(read_models: ReadModels, kind: str, table: str, project_id: str) -> list[Tables]:
    """Every register of a kind whose head row names the project, as recorded (by first entry)."""
    found = [_tables(read_models, kind, key) | {"key": [{"id": key}]} for key in read_models.keys(kind)]
    own = [tables for tables in found if _of_project(tables.get(table, []), project_id)]
    return sorted(own, key=lambda tables: tables[table][0]["entries"][0])


def _names(read_models: ReadModels, division: str) -> dict[str, Row]:
    """The newest name of a division and of everything above it, from the top down."""
    names: dict[str, Row] = {}
    code: str | None = division
    while code is not None and code not in names:
        rows = _tables(read_models, "organisations", code).get("names", [])
        if not rows:
            break
        names[code] = rows[-1]
        code = rows[-1]["parent_code"]
    return dict(reversed(names.items()))


def _book(read_models: ReadModels, key: str, project_id: str) -> Book | None:
    answer = read_models.answer("budget-book", key)
    if answer is None:
        return None
    tables: Tables = answer["tables"]
    totals = _of_project(tables["totals"], project_id)
    if not totals:
        return None
    lines = _of_project(tables["lines"], project_id)
    items = tables["items"]
    by_line = [(line, [item for item in items if item["line_id"] == line["id"]]) for line in lines]
    line_ids = {line["id"] for line in lines}
    return Book(
        fiscal_year=tables["year"][0]["fiscal_year"],
        total=totals[0],
        lines=lines,
        items_by_line=[(line, own) for line, own in by_line if own],
        steps=_of_project(tables["steps"], project_id),
        # A corrected row has an id of its own: the names are those in force.
        item_names={item["id"]: item["item_ko"] for item in items},
        step_names={step["id"]: step["name_ko"] for step in tables["steps"]},
        line_item_checks=[row for row in tables["line_item_checks"] if row["id"] in line_ids],
        step_item_checks=tables["step_item_checks"],
        schedule_checks=[row for row in tables["schedule_checks"] if row["id"] == project_id],
        payments=[row for row in tables["payments"] if row["line_id"] in line_ids],
    )
