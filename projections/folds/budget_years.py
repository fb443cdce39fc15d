"""What happened to each budget line of each agency and fiscal year?

The fold behind the budget book and the settlement: it reads each `budget/<agency>/<fiscal year>` stream once. It is a
second bookkeeping beside the rules' own, which it never calls, so that the two can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from projections.folds.budget_book import compute_budget_book
from projections.folds.budget_corrections import correct
from projections.folds.budget_postings import POSTINGS, post
from projections.folds.budget_state import BudgetYear, Place, PublishedSettlement
from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, Trace, cells_of, provenance_of, traced
from projections.folds.settlement import compute_settlement

if TYPE_CHECKING:
    from audit_service.catalogue import budget
    from audit_service.catalogue.common import Basis, Document
    from audit_service.catalogue.event import Event

BUDGET_BOOK = "budget-book"
SETTLEMENT = "settlement"
# What the next year's book shows of this year: its lines, their appropriations, and what it carried over.
_SEEN_NEXT_YEAR = frozenset({"appropriated", "supplemented", "carried_over"})


class BudgetYears(Fold[BudgetYear]):
    """Folds every `budget/<agency>/<fiscal year>` stream."""

    name: ClassVar[str] = "budget-years"
    kinds: ClassVar[tuple[str, ...]] = (BUDGET_BOOK, SETTLEMENT)
    part_type: ClassVar[type[Any]] = BudgetYear

    def handlers(self) -> dict[str, Handler]:
        """One function for each type of the stream."""
        postings = {f"budget.{member.replace('_', '-')}.v1": self._post(member) for member in POSTINGS}
        return {
            **postings,
            "budget.fiscal-year-opened.v1": self._opened,
            "budget.code-list-published.v1": self._code_list_published,
            "budget.line-defined.v1": self._line_defined,
            "budget.transfer-limits-set.v1": self._transfer_limits_set,
            "budget.fiscal-year-closed.v1": self._closed,
            "budget.settlement-published.v1": self._settlement_published,
            "budget.settlement-audited.v1": self._settlement_audited,
            "budget.settlement-approved.v1": self._settlement_approved,
            "budget.corrected.v1": self._corrected,
        }

    def keys(self, kind: str) -> list[str]:
        """Budget books by `<agency>/<fiscal year>`, settlements by `<agency>`."""
        if kind == BUDGET_BOOK:
            return sorted(self.parts)
        return sorted({year.agency for year in self.parts.values()})

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """The tables of one budget book or of one agency's settlements."""
        if kind == BUDGET_BOOK:
            year = self.parts.get(key)
            if year is None:
                return []
            return compute_budget_book(year, self.parts.get(f"{year.agency}/{year.fiscal_year - 1}"))
        years = [year for year in self.parts.values() if year.agency == key]
        return compute_settlement(sorted(years, key=lambda year: year.fiscal_year))

    def _touch(self, index: int, event: Event) -> tuple[BudgetYear, Place]:
        part = event.subject.removeprefix("budget/")
        year = self.parts.get(part)
        if year is None:
            agency, _, fiscal_year = part.partition("/")
            year = self.parts[part] = BudgetYear(
                agency=agency, fiscal_year=int(fiscal_year), trace=Trace(), published_by=Trace()
            )
        self.changed.add(part)
        self.dirty.add((BUDGET_BOOK, part))
        self.dirty.add((SETTLEMENT, year.agency))
        data = event.data
        role = None if data.actor_role is UNSET else data.actor_role
        place = Place(index, event.id, event.legal_date, provenance_of(data), role)
        if data.basis is not UNSET or data.documents is not UNSET:
            year.rows.extend(_document_rows(event, place))
        return year, place

    def _touch_next_book(self, year: BudgetYear) -> None:
        following = f"{year.agency}/{year.fiscal_year + 1}"
        if following in self.parts:
            self.dirty.add((BUDGET_BOOK, following))

    def _post(self, member: str) -> Handler:
        seen_next_year = member in _SEEN_NEXT_YEAR

        def handle(index: int, event: Event) -> None:
            year, place = self._touch(index, event)
            post(year, place, member, event.data)
            if seen_next_year:
                self._touch_next_book(year)

        return handle

    def _corrected(self, index: int, event: Event) -> None:
        year, place = self._touch(index, event)
        correct(year, place, event.data)
        self._touch_next_book(year)

    def _opened(self, index: int, event: Event) -> None:
        data: budget.FiscalYearOpened = event.data
        year, place = self._touch(index, event)
        year.opening = cells_of(data)
        year.trace.add(index, place.provenance)
        self._touch_next_book(year)

    def _closed(self, index: int, event: Event) -> None:
        data: budget.FiscalYearClosed = event.data
        year, place = self._touch(index, event)
        year.closed_on = data.closes_on
        year.trace.add(index, place.provenance)

    def _transfer_limits_set(self, index: int, event: Event) -> None:
        data: budget.TransferLimitsSet = event.data
        year, place = self._touch(index, event)
        year.closed_to_transfers = data.closed_to_transfers
        year.trace.add(index, place.provenance)

    def _code_list_published(self, index: int, event: Event) -> None:
        data: budget.CodeListPublished = event.data
        year, place = self._touch(index, event)
        for entry in data.entries:
            cells = {"level": data.level, **cells_of(entry)}
            year.put("codes", f"{data.level}/{entry.code}", cells, place)

    def _line_defined(self, index: int, event: Event) -> None:
        data: budget.LineDefined = event.data
        year, place = self._touch(index, event)
        line = year.line(data.line_id)
        line.definition = cells_of(data, without=("line_id", "project_id"))
        line.project_id = data.project_id
        line.note("defined", place)
        self._touch_next_book(year)

    def _settlement_published(self, index: int, event: Event) -> None:
        data: budget.SettlementPublished = event.data
        year, place = self._touch(index, event)
        year.published_by.add(index, place.provenance)
        for row in data.rows:
            year.published[row.project_id] = PublishedSettlement(
                cells=cells_of(row, without=("project_id",)), trace=traced(index, place.provenance)
            )

    def _settlement_audited(self, index: int, event: Event) -> None:
        data: budget.SettlementAudited = event.data
        year, place = self._touch(index, event)
        trace = traced(index, place.provenance)
        head = {"fiscal_year": year.fiscal_year, "committee_ko": data.committee_ko, "legal_date": event.legal_date}
        year.audits.append(trace.row("audits", event.id, {**head, "findings": len(data.findings)}))
        for number, finding in enumerate(data.findings, start=1):
            body = {"fiscal_year": year.fiscal_year, **cells_of(finding)}
            year.findings.append(trace.row("findings", f"{event.id}/{number}", body))

    def _settlement_approved(self, index: int, event: Event) -> None:
        data: budget.SettlementApproved = event.data
        year, place = self._touch(index, event)
        body = {"fiscal_year": year.fiscal_year, **cells_of(data), "legal_date": event.legal_date}
        year.approvals.append(traced(index, place.provenance).row("approvals", event.id, body))


def _document_rows(event: Event, place: Place) -> list[Row]:
    """Which documents does an event rest on? Its basis first; bytes stay outside the log."""
    basis: Basis | UnsetType = event.data.basis
    documents: list[Document] | UnsetType = event.data.documents
    found: list[Basis | Document] = [] if isinstance(basis, UnsetType) else [basis]
    if not isinstance(documents, UnsetType):
        found.extend(documents)
    blank = {"document_number": None, "date": None, "sha256": None, "media_type": None, "size_bytes": None}
    head = {**blank, "event_id": event.id, "event_type": event.type, "legal_date": event.legal_date}
    return [
        traced(place.index, place.provenance).row(
            "documents",
            f"{place.index}/{number}",
            {**head, "is_basis": document is basis, **msgspec.to_builtins(document)},
        )
        for number, document in enumerate(found, start=1)
    ]
