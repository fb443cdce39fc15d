"""How does a fiscal year end? Closing, then the settlement (결산): published, audited, approved.

All fall on the year's last day or later. The settlement must equal what the events add up to, the audit (결산검사)
follows its publication and the council's approval (결산 승인) follows the audit; each happens once and is final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.rules.budget_checks import (
    require_approver,
    require_basis,
    require_closed_year,
    require_distinct,
    require_legal_date,
    require_year,
)
from audit_service.rules.budget_roles import COUNCIL
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.budget import FiscalYearClosed, SettlementApproved, SettlementPublished, SettlementRow
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import BudgetState, Year
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


class Totals(NamedTuple):
    """The seven columns of a settlement table for one project, in won, in the order of the printed table."""

    final_budget_won: int
    carried_in_won: int
    budget_change_won: int
    current_budget_won: int
    executed_won: int
    carried_out_won: int
    unspent_won: int


def compute_totals(state: BudgetState) -> dict[str, Totals]:
    """What do the events of the year add up to, project by project?"""
    sums: dict[str, list[int]] = {}
    for line in state.lines.values():
        columns = sums.setdefault(line.project_id, [0] * 7)
        for place, won in enumerate(
            (
                line.budgeted_won,
                line.carried_in_won,
                line.change_won,
                line.current_won,
                line.executed_won,
                line.carried_out_won,
                line.unspent_won,
            )
        ):
            columns[place] += won
    return {project_id: Totals(*columns) for project_id, columns in sums.items()}


def decide_closed(_: World, state: BudgetState, event: Event) -> None:
    """May the year be closed? Once, on its last day or later."""
    year = require_year(state, event)
    data: FiscalYearClosed = event.data
    if year.closed:
        raise RuleBroken("budget.year-closed", "the fiscal year is closed already", stream=event.subject)
    if data.closes_on != year.closes_on:
        raise RuleBroken(
            "budget.year-dates",
            "the year closes on the day that its opening said",
            stream=event.subject,
            columns={"closes_on": {"stated": data.closes_on, "expected": year.closes_on}},
            allowed=year.closes_on,
        )
    require_legal_date(event, first=year.closes_on, last=None)
    for name, use in state.pre_appropriations.items():
        if use.standing and use.round is None:
            raise RuleBroken(
                "budget.pre-appropriation-open",
                f"no supplementary budget has taken in {name}",
                stream=event.subject,
                columns={"pre_appropriated_won": use.amount_won},
                allowed="budget.supplemented.v1",
            )


def evolve_closed(state: BudgetState, _: Event, undo: Changes) -> None:
    """Close the year."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(closed=True))


def decide_settlement(_: World, state: BudgetState, event: Event) -> None:
    """Is this the settlement of the closed year? Its identities hold, and it equals the events' totals."""
    require_year(state, event)
    require_closed_year(state, event)
    data: SettlementPublished = event.data
    require_distinct("budget.project-repeated", [row.project_id for row in data.rows], event)
    for row in data.rows:
        _require_identities(event, row)
    computed = compute_totals(state)
    stated = {row.project_id: _totals_of(row) for row in data.rows}
    for project_id in sorted(computed.keys() | stated.keys()):
        _require_equal(event, project_id, stated.get(project_id), computed.get(project_id))


def _totals_of(row: SettlementRow) -> Totals:
    return Totals(*(getattr(row, name) for name in Totals._fields))


def _require_identities(event: Event, row: SettlementRow) -> None:
    current_won = row.final_budget_won + row.carried_in_won + row.budget_change_won
    unspent_won = row.current_budget_won - row.executed_won - row.carried_out_won
    columns: dict[str, Any] = {}
    if row.current_budget_won != current_won:
        columns["current_budget_won"] = {"stated": row.current_budget_won, "computed": current_won}
    if row.unspent_won != unspent_won:
        columns["unspent_won"] = {"stated": row.unspent_won, "computed": unspent_won}
    if columns:
        raise RuleBroken(
            "budget.settlement-identity",
            f"the row of project {row.project_id} does not add up in itself",
            stream=event.subject,
            columns=columns,
        )


def _require_equal(event: Event, project_id: str, stated: Totals | None, computed: Totals | None) -> None:
    if stated == computed:
        return
    nothing = (None,) * len(Totals._fields)
    columns = {
        name: {"stated": found, "computed": expected}
        for name, found, expected in zip(Totals._fields, stated or nothing, computed or nothing, strict=True)
        if found != expected
    }
    raise RuleBroken(
        "budget.settlement-mismatch",
        f"the row of project {project_id} is not what the events add up to",
        stream=event.subject,
        columns=columns,
    )


def evolve_settlement(state: BudgetState, _: Event, undo: Changes) -> None:
    """Settle the year."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(settled=True))


def _require_settled(state: BudgetState, event: Event) -> Year:
    year = require_closed_year(state, event)
    if not year.settled:
        raise RuleBroken("budget.settlement-not-published", "there is no settlement yet", stream=event.subject)
    return year


def decide_audited(_: World, state: BudgetState, event: Event) -> None:
    """May the audit committee report? Once, on a published settlement."""
    year = _require_settled(state, event)
    if year.audited:
        raise RuleBroken("budget.settlement-audited-twice", "the settlement is audited", stream=event.subject)


def evolve_audited(state: BudgetState, _: Event, undo: Changes) -> None:
    """The settlement is audited."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(audited=True))


def decide_approved(_: World, state: BudgetState, event: Event) -> None:
    """May the council approve the settlement? Once, after the audit, by a resolution."""
    year = _require_settled(state, event)
    data: SettlementApproved = event.data
    if year.approved:
        raise RuleBroken("budget.settlement-approved-twice", "the settlement is approved", stream=event.subject)
    if not year.audited:
        raise RuleBroken("budget.settlement-not-audited", "the settlement is not audited yet", stream=event.subject)
    require_basis(event)
    require_approver(event, COUNCIL)
    if data.approved_on != event.legal_date:
        raise RuleBroken(
            "budget.approval-date",
            "the approval says another day than its legal date",
            stream=event.subject,
            columns={"approved_on": {"stated": data.approved_on, "expected": event.legal_date}},
            allowed=event.legal_date,
        )


def evolve_approved(state: BudgetState, _: Event, undo: Changes) -> None:
    """The settlement is approved."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(approved=True))
