"""Is money conserved? What the events say, added up without the rules' own state, and compared with it.

`recount` is a second, naive bookkeeping: it knows nothing of refusals and simply sums what happened. Won that
entered a budget (appropriated, imported) is spent, unspent, or on its way between two years.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from audit_service.rules.budget_year_end import compute_totals
from audit_service.rules.states import ONLY, BudgetState, ContractState, PeriodState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue.event import Event
    from audit_service.rules.world import Replica


def recount(events: Iterable[Event]) -> Counter[tuple[str, str, str]]:
    """Won by (subject, line, column), from the events alone."""
    won: Counter[tuple[str, str, str]] = Counter()
    for event in events:
        subject, data = event.subject, event.data
        match event.type:
            case "budget.appropriated.v1":
                for row in data.rows:
                    won[subject, row.line_id, "final_won"] += row.amount_won
            case "budget.opening-imported.v1":
                for row in data.rows:
                    won[subject, row.line_id, "carried_in_won"] += row.carried_in_won
            case "budget.carry-in-received.v1":
                won[subject, data.line_id, "carried_in_won"] += data.amount_won
            case "budget.adjusted.v1":
                won[subject, data.from_line_id, "change_won"] -= data.amount_won
                won[subject, data.to_line_id, "change_won"] += data.amount_won
            case "budget.allotted.v1":
                won[subject, data.line_id, "allotted_won"] += data.amount_won
            case "budget.obligation-incurred.v1":
                won[subject, data.line_id, "obligated_won"] += data.amount_won
            case "budget.paid.v1":
                won[subject, data.line_id, "executed_won"] += data.amount_won
            case "budget.carried-over.v1":
                won[subject, data.line_id, "carried_out_won"] += data.amount_won
    return won


COLUMNS = (
    "final_won",
    "carried_in_won",
    "change_won",
    "allotted_won",
    "obligated_won",
    "executed_won",
    "carried_out_won",
)


def check_conserved(world: Replica, events: list[Event]) -> None:
    """Hold every identity of every stream at this moment, after `events` were accepted."""
    won = recount(events)
    spent = unspent = 0
    for subject, state in world.streams.items():
        if isinstance(state, BudgetState):
            _check_budget(subject, state, won)
            lines = state.lines.values()
            spent += sum(line.executed_won for line in lines)
            unspent += sum(line.unspent_won for line in lines)
        elif isinstance(state, ContractState):
            _check_contract(state)
        elif isinstance(state, PeriodState) and state.sealing:
            assert len(state.commitments) <= state.sealing[ONLY].sealed
    assert _entered(events) == spent + unspent + sum(_travelling(events).values())


def _entered(events: list[Event]) -> int:
    """Won that came into the ledger from outside it."""
    won = 0
    for event in events:
        if event.type == "budget.appropriated.v1":
            won += event.data.total_won
        elif event.type == "budget.opening-imported.v1":
            won += sum(row.carried_in_won for row in event.data.rows)
    return won


def _travelling(events: list[Event]) -> Counter[str]:
    """Won carried over and not received yet, by the id of the carried-over event; never more than once."""
    won: Counter[str] = Counter()
    for event in events:
        if event.type == "budget.carried-over.v1":
            assert event.id not in won
            won[event.id] = event.data.amount_won
        elif event.type == "budget.carry-in-received.v1":
            won[event.data.carried_over_id] -= event.data.amount_won
    assert all(amount >= 0 for amount in won.values())
    return won


def _check_budget(subject: str, state: BudgetState, won: Counter[tuple[str, str, str]]) -> None:
    for line_id, line in state.lines.items():
        for column in COLUMNS:
            assert getattr(line, column) == won[subject, line_id, column], (subject, line_id, column)
        assert 0 <= line.executed_won <= line.obligated_won <= line.allotted_won <= line.current_won
        assert line.executed_won + line.carried_out_won <= line.current_won
        assert line.items_won >= 0
    for obligation in state.obligations.values():
        assert 0 <= obligation.paid_won <= obligation.amount_won
    for totals in compute_totals(state).values():
        assert totals.budget_change_won == 0, "adjustments are zero-sum inside a project"
        assert totals.current_budget_won == totals.final_budget_won + totals.carried_in_won
        assert totals.unspent_won == totals.current_budget_won - totals.executed_won - totals.carried_out_won >= 0
    if state.year:
        assert state.year[ONLY].current_won == sum(line.current_won for line in state.lines.values())


def _check_contract(state: ContractState) -> None:
    for instalment in state.instalments.values():
        assert instalment.amount_won is None or 0 <= instalment.paid_won <= instalment.amount_won
    assert sum(state.payments.values()) == sum(one.paid_won for one in state.instalments.values())
