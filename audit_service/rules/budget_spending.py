"""May a line be bound and spent? Obligations and payments: executed ≤ obligated ≤ allotted.

A payment on a contract moves two streams; the contract's half (`contract.paid.v1`) is the next entry
(groups.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.budget import overspent, require_line, require_open_year
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, BudgetState, Line, Obligation, Payment
from audit_service.rules.world import World, read_contract

if TYPE_CHECKING:
    from audit_service.catalogue.budget import ObligationIncurred, Paid
    from audit_service.catalogue.common import Party
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes


def stated(value: object) -> str | None:
    """Return an optional text of a payload, None where it is left out."""
    return value if isinstance(value, str) else None


def decide_obligation(world: World, state: BudgetState, event: Event) -> None:
    """May this obligation be incurred? Within what is allotted and free; its contract is planned."""
    require_open_year(state, event)
    data: ObligationIncurred = event.data
    line = require_line(state, event, data.line_id)
    if data.obligation_id in state.obligations:
        raise RuleBroken(
            "budget.obligation-duplicate",
            f"obligation {data.obligation_id} is already incurred",
            stream=event.subject,
        )
    available_won = line.allotted_won - line.obligated_won
    if data.amount_won > available_won:
        raise overspent(
            event,
            "obligations may not exceed allotments",
            asked_won=data.amount_won,
            available_won=available_won,
        )
    process_id = stated(data.contract_process_id)
    if process_id is not None:
        _require_contract(world, event, process_id)


def _require_contract(world: World, event: Event, process_id: str) -> None:
    contract_state = read_contract(world, process_id)
    contract = None if contract_state is None else contract_state.contract.get(ONLY)
    if contract is None:
        raise RuleBroken("budget.contract-unknown", "the contract is not planned", stream=event.subject)
    if contract.owner != event.source:
        raise RuleBroken(
            "budget.contract-not-own",
            "the contract belongs to another agency",
            stream=event.subject,
            allowed=contract.owner,
        )


def evolve_obligation(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the obligation on its line."""
    data: ObligationIncurred = event.data
    line = state.lines[data.line_id]
    undo.put(
        state.lines,
        data.line_id,
        line._replace(obligated_won=line.obligated_won + data.amount_won, moved=True),
    )
    undo.put(
        state.obligations,
        data.obligation_id,
        Obligation(data.line_id, data.amount_won, stated(data.contract_process_id)),
    )


def decide_paid(_: World, state: BudgetState, event: Event) -> None:
    """May this be paid? On an obligation of the same line, within what is left of it and of the line."""
    require_open_year(state, event)
    data: Paid = event.data
    line = require_line(state, event, data.line_id)
    if data.payment_id in state.payments:
        raise RuleBroken("budget.payment-duplicate", f"payment {data.payment_id} is already made", stream=event.subject)
    obligation = state.obligations.get(data.obligation_id)
    if obligation is None:
        raise RuleBroken(
            "budget.obligation-unknown",
            f"obligation {data.obligation_id} is not incurred",
            stream=event.subject,
        )
    if obligation.line_id != data.line_id:
        raise RuleBroken(
            "budget.line-differs",
            "the payment names another line than its obligation",
            stream=event.subject,
            columns={"line_id": {"stated": data.line_id, "expected": obligation.line_id}},
            allowed=obligation.line_id,
        )
    _require_payable(event, data.amount_won, obligation, line)
    _require_contract_half(event, data, obligation)
    _require_payee(event, data.payee)


def _require_payable(event: Event, amount_won: int, obligation: Obligation, line: Line) -> None:
    open_won = obligation.amount_won - obligation.paid_won
    if amount_won > open_won:
        raise RuleBroken(
            "budget.obligation-overpaid",
            f"{amount_won} won asked, {open_won} won left of the obligation",
            stream=event.subject,
            columns={"asked_won": amount_won, "available_won": open_won},
            allowed=open_won,
        )
    # An obligation's rest may have been carried over: then it is paid from the next year, not from this one.
    if amount_won > line.unspent_won:
        raise overspent(
            event,
            "the rest of the line is carried over",
            asked_won=amount_won,
            available_won=line.unspent_won,
        )


def _require_contract_half(event: Event, data: Paid, obligation: Obligation) -> None:
    # Otherwise a contract could be paid through the budget without its own stream ever showing it.
    if (stated(data.contract_paid_id) is None) != (obligation.contract_process_id is None):
        raise RuleBroken(
            "budget.contract-half-missing",
            "a payment has a contract's half exactly when its obligation names a contract",
            stream=event.subject,
        )


def _require_payee(event: Event, payee: Party) -> None:
    """Is a person or sole proprietor named by a commitment alone, an organisation by its code alone?"""
    expected = {
        "COMMITTED": (False, True),
        "CORPORATION": (True, False),
        "PUBLIC_BODY": (True, False),
        "NOT_STATED": (False, False),
    }[payee.kind]
    found = (stated(payee.organisation_id) is not None, stated(payee.commitment) is not None)
    if found != expected:
        raise RuleBroken(
            "budget.payee-form",
            f"a payee of kind {payee.kind} is identified otherwise",
            stream=event.subject,
            columns={
                "organisation_id": {"stated": found[0], "expected": expected[0]},
                "commitment": {"stated": found[1], "expected": expected[1]},
            },
        )


def evolve_paid(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the payment on its line and on its obligation."""
    data: Paid = event.data
    line = state.lines[data.line_id]
    obligation = state.obligations[data.obligation_id]
    undo.put(state.lines, data.line_id, line._replace(executed_won=line.executed_won + data.amount_won, moved=True))
    undo.put(
        state.obligations,
        data.obligation_id,
        obligation._replace(paid_won=obligation.paid_won + data.amount_won),
    )
    undo.put(
        state.payments,
        data.payment_id,
        Payment(event.id, data.obligation_id, data.amount_won, stated(data.contract_paid_id)),
    )
