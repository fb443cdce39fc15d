"""What happened to each budget line of each agency and fiscal year?

The fold behind the budget book and the settlement: it reads each `budget/<agency>/<fiscal year>` stream once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET, UnsetType

from audit_service.catalogue import budget
from projections.folds.budget_book import compute_budget_book
from projections.folds.budget_state import (
    BudgetYear,
    Item,
    Obligation,
    PublishedSettlement,
    Schedule,
    Step,
)
from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, Trace, cells_of, provenance_of, traced
from projections.folds.settlement import compute_settlement

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

BUDGET_BOOK = "budget-book"
SETTLEMENT = "settlement"


class BudgetYears(Fold[BudgetYear]):
    """Folds every `budget/<agency>/<fiscal year>` stream."""

    name: ClassVar[str] = "budget-years"
    kinds: ClassVar[tuple[str, ...]] = (BUDGET_BOOK, SETTLEMENT)
    part_type: ClassVar[type[Any]] = BudgetYear

    def handlers(self) -> dict[str, Handler]:
        """One function for each type of the stream."""
        return {
            "budget.fiscal-year-opened.v1": self._opened,
            "budget.line-defined.v1": self._line_defined,
            "budget.opening-imported.v1": self._opening_imported,
            "budget.appropriated.v1": self._appropriated,
            "budget.adjusted.v1": self._adjusted,
            "budget.allotted.v1": self._allotted,
            "budget.obligation-incurred.v1": self._obligation_incurred,
            "budget.paid.v1": self._paid,
            "budget.carried-over.v1": self._carried_over,
            "budget.carry-in-received.v1": self._carry_in_received,
            "budget.cost-basis-recorded.v1": self._cost_basis_recorded,
            "budget.schedule-set.v1": self._schedule_set,
            "budget.fiscal-year-closed.v1": self._closed,
            "budget.settlement-published.v1": self._settlement_published,
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

    def _touch(self, event: Event) -> BudgetYear:
        part = event.subject.removeprefix("budget/")
        year = self.parts.get(part)
        if year is None:
            agency, _, fiscal_year = part.partition("/")
            year = self.parts[part] = BudgetYear(
                agency=agency, fiscal_year=int(fiscal_year), trace=Trace(), appropriation=Trace()
            )
        self.changed.add(part)
        self.dirty.add((BUDGET_BOOK, part))
        self.dirty.add((SETTLEMENT, year.agency))
        return year

    def _touch_next_book(self, year: BudgetYear) -> None:
        # The next year's book shows this year's lines and appropriations beside its own.
        following = f"{year.agency}/{year.fiscal_year + 1}"
        if following in self.parts:
            self.dirty.add((BUDGET_BOOK, following))

    def _opened(self, index: int, event: Event) -> None:
        data: budget.FiscalYearOpened = event.data
        year = self._touch(event)
        year.opening = cells_of(data)
        year.trace.add(index, provenance_of(data))

    def _closed(self, index: int, event: Event) -> None:
        data: budget.FiscalYearClosed = event.data
        year = self._touch(event)
        year.closed_on = data.closes_on
        year.trace.add(index, provenance_of(data))

    def _line_defined(self, index: int, event: Event) -> None:
        data: budget.LineDefined = event.data
        year = self._touch(event)
        line = year.line(data.line_id)
        line.definition = cells_of(data, without=("line_id", "project_id"))
        line.project_id = data.project_id
        line.note("defined", index, provenance_of(data))
        self._touch_next_book(year)

    def _opening_imported(self, index: int, event: Event) -> None:
        data: budget.OpeningImported = event.data
        year = self._touch(event)
        for row in data.rows:
            line = year.line(row.line_id)
            line.carried_in_won[row.kind] = line.carried_in_won.get(row.kind, 0) + row.carried_in_won
            line.imported_won += row.carried_in_won
            line.fund(row.carried_in_won)
            line.note("carried_in_won", index, provenance_of(data))

    def _appropriated(self, index: int, event: Event) -> None:
        data: budget.Appropriated = event.data
        year = self._touch(event)
        provenance = provenance_of(data)
        year.appropriation.add(index, provenance)
        for row in data.rows:
            line = year.line(row.line_id)
            line.appropriated_won += row.amount_won
            line.fund(row.amount_won)
            line.note("appropriated_won", index, provenance)
        self._touch_next_book(year)

    def _adjusted(self, index: int, event: Event) -> None:
        data: budget.Adjusted = event.data
        year = self._touch(event)
        for line_id, amount_won in (
            (data.from_line_id, -data.amount_won),
            (data.to_line_id, data.amount_won),
        ):
            line = year.line(line_id)
            line.budget_change_won += amount_won
            line.fund(amount_won)
            line.note("budget_change_won", index, provenance_of(data))

    def _allotted(self, index: int, event: Event) -> None:
        data: budget.Allotted = event.data
        line = self._touch(event).line(data.line_id)
        line.allotted_won[data.quarter - 1] += data.amount_won
        line.note("allotted_won", index, provenance_of(data))

    def _obligation_incurred(self, index: int, event: Event) -> None:
        data: budget.ObligationIncurred = event.data
        year = self._touch(event)
        provenance = provenance_of(data)
        line = year.line(data.line_id)
        line.obligated_won += data.amount_won
        line.note("obligated_won", index, provenance)
        cells = cells_of(data, without=("obligation_id",))
        cells["legal_date"] = event.legal_date
        year.obligations[data.obligation_id] = Obligation(
            cells=cells, amount_won=data.amount_won, paid_won=0, trace=traced(index, provenance)
        )

    def _paid(self, index: int, event: Event) -> None:
        data: budget.Paid = event.data
        year = self._touch(event)
        provenance = provenance_of(data)
        line = year.line(data.line_id)
        line.executed_won += data.amount_won
        line.unspent_won -= data.amount_won
        line.note("executed_won", index, provenance)
        obligation = year.obligations.get(data.obligation_id)
        if obligation is not None:
            obligation.paid_won += data.amount_won
            obligation.trace.add(index, provenance)
        cells = cells_of(data, without=("payment_id", "payee"))
        organisation_id, commitment = data.payee.organisation_id, data.payee.commitment
        cells["payee_kind"] = data.payee.kind
        cells["payee_organisation_id"] = None if organisation_id is UNSET else organisation_id
        cells["payee_commitment"] = None if commitment is UNSET else commitment
        cells["legal_date"] = event.legal_date
        year.payments[data.payment_id] = traced(index, provenance).row("payments", data.payment_id, cells)

    def _carried_over(self, index: int, event: Event) -> None:
        data: budget.CarriedOver = event.data
        year = self._touch(event)
        line = year.line(data.line_id)
        line.carried_out_won[data.kind] = line.carried_out_won.get(data.kind, 0) + data.amount_won
        line.unspent_won -= data.amount_won
        line.note("carried_out_won", index, provenance_of(data))
        self._note_carry_over(year, index, event, direction="out")

    def _carry_in_received(self, index: int, event: Event) -> None:
        data: budget.CarryInReceived = event.data
        year = self._touch(event)
        line = year.line(data.line_id)
        line.carried_in_won[data.kind] = line.carried_in_won.get(data.kind, 0) + data.amount_won
        line.fund(data.amount_won)
        line.note("carried_in_won", index, provenance_of(data))
        self._note_carry_over(year, index, event, direction="in")

    def _note_carry_over(self, year: BudgetYear, index: int, event: Event, *, direction: str) -> None:
        data: budget.CarriedOver | budget.CarryInReceived = event.data
        if isinstance(data, budget.CarriedOver):
            other = {"other_subject": data.to_subject, "other_line_id": data.to_line_id}
            other["other_event_id"] = data.carry_in_id
        else:
            other = {"other_subject": data.from_subject, "other_line_id": data.from_line_id}
            other["other_event_id"] = data.carried_over_id
        body = {
            "direction": direction,
            "line_id": data.line_id,
            "kind": data.kind,
            "amount_won": data.amount_won,
            "event_id": event.id,
            "legal_date": event.legal_date,
            **other,
        }
        year.carry_overs.append(traced(index, provenance_of(data)).row("carry_overs", event.id, body))

    def _cost_basis_recorded(self, index: int, event: Event) -> None:
        data: budget.CostBasisRecorded = event.data
        product_won = 1
        for factor in data.factors:
            value = factor.n if isinstance(factor.won, UnsetType) else factor.won
            product_won *= 1 if isinstance(value, UnsetType) else value
        self._touch(event).items[data.item_id] = Item(
            line_id=data.line_id,
            amount_won=data.amount_won,
            product_won=product_won,
            cells=cells_of(data, without=("item_id",)),
            trace=traced(index, provenance_of(data)),
        )

    def _schedule_set(self, index: int, event: Event) -> None:
        data: budget.ScheduleSet = event.data
        steps = [
            Step(
                step_id=step.step_id,
                project_id=data.project_id,
                amount_won=step.amount_won,
                item_ids=step.item_ids,
                cells=cells_of(step, without=("step_id",)),
            )
            for step in data.steps
        ]
        self._touch(event).schedules[data.project_id] = Schedule(
            steps=steps, total_won=data.total_won, trace=traced(index, provenance_of(data))
        )

    def _settlement_published(self, index: int, event: Event) -> None:
        data: budget.SettlementPublished = event.data
        year = self._touch(event)
        for row in data.rows:
            year.published[row.project_id] = PublishedSettlement(
                cells=cells_of(row, without=("project_id",)), trace=traced(index, provenance_of(data))
            )
