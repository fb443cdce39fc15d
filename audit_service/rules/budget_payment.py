"""May an obligation be paid, and may money come back? Payments, returns in the year, refunds after it.

A payment on a contract moves two streams; the contract's half (`contract.paid.v1`, `contract.advance-paid.v1`)
is the next entry (groups.py), and so is that of a return (여입) on one (`contract.returned.v1`). A return makes room
on the obligation again; a refund (과년도 반납) is revenue of a later year and moves no column: the payment stays
executed, and paid on its contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.budget_checks import (
    overspent,
    require_after,
    require_legal_date,
    require_line,
    require_open_year,
    require_opened_year,
    stated,
)
from audit_service.rules.budget_postings import post
from audit_service.rules.budget_spending import require_obligation
from audit_service.rules.budget_states import BudgetState, Line, Obligation, Payment, Return
from audit_service.rules.dates import day_number
from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from audit_service.catalogue.budget import Paid, PriorYearRefunded, Returned
    from audit_service.catalogue.common import Party
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import Posting
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World

_PAYEE_FORMS = {
    "COMMITTED": (False, True),
    "CORPORATION": (True, False),
    "PUBLIC_BODY": (True, False),
    "NOT_STATED": (False, False),
}


def decide_paid(_: World, state: BudgetState, event: Event) -> None:
    """May this be paid? On an obligation of the same line, within what is left of it and of the line."""
    require_open_year(state, event)
    data: Paid = event.data
    line = require_line(state, event, data.line_id)
    known = state.payments.get(data.payment_id)
    if known is not None and known.standing:
        raise RuleBroken("budget.payment-duplicate", f"payment {data.payment_id} is already made", stream=event.subject)
    obligation = require_obligation(state, event, data.obligation_id)
    if obligation.line_id != data.line_id:
        raise RuleBroken(
            "budget.line-differs",
            "the payment names another line than its obligation",
            stream=event.subject,
            columns={"line_id": {"stated": data.line_id, "expected": obligation.line_id}},
            allowed=obligation.line_id,
        )
    require_after(event, obligation.legal_day)
    _require_payable(event, data.amount_won, obligation, line)
    _require_two_roles(event, stated(data.actor_role), obligation.role)
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
    if amount_won > line.payable_won:
        raise overspent(
            event,
            "the rest of the line is carried over",
            asked_won=amount_won,
            available_won=line.payable_won,
        )


def _require_two_roles(event: Event, payer: str | None, obliger: str | None) -> None:
    """Who pays is never who obliged (지출기관과 출납기관의 분리 [K]): asked where both roles are stated."""
    if payer is not None and payer == obliger:
        raise RuleBroken(
            "budget.same-role",
            "the role that incurred the obligation also pays it",
            stream=event.subject,
            allowed="another role",
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
    expected = _PAYEE_FORMS[payee.kind]
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
    """Book the payment on its line and on its obligation; one that a correction took back comes back changed."""
    data: Paid = event.data
    _pay(state, undo, data.obligation_id, won=data.amount_won, uses=1)
    known, day = state.payments.get(data.payment_id), day_number(event.legal_date)
    returned_won, uses = (0, 0) if known is None else (known.returned_won, known.uses)
    undo.put(
        state.payments,
        data.payment_id,
        Payment(
            event.id,
            data.obligation_id,
            data.amount_won,
            stated(data.contract_paid_id),
            returned_won,
            uses,
            legal_day=day if known is None else min(day, known.legal_day),
        ),
    )
    post(state, event, undo, (data.line_id, "executed_won", data.amount_won), named=data.payment_id)


def _pay(state: BudgetState, undo: Changes, obligation_id: str, *, won: int, uses: int = 0) -> None:
    obligation = state.obligations[obligation_id]
    undo.put(
        state.obligations,
        obligation_id,
        obligation._replace(paid_won=obligation.paid_won + won, uses=obligation.uses + uses),
    )


def reverse_paid(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the payment back: its obligation is open again by that amount."""
    payment = state.payments[posting.named]
    _pay(state, undo, payment.obligation_id, won=-payment.amount_won, uses=-1)
    undo.put(state.payments, posting.named, payment._replace(standing=False))


def _require_payment(state: BudgetState, event: Event, payment_id: str) -> Payment:
    payment = state.payments.get(payment_id)
    if payment is None or not payment.standing:
        raise RuleBroken("budget.payment-unknown", f"payment {payment_id} is not made", stream=event.subject)
    return payment


def _require_returnable(event: Event, payment: Payment, *, won: int) -> None:
    open_won = payment.amount_won - payment.returned_won
    if won > open_won:
        raise RuleBroken(
            "budget.return-exceeded",
            f"{won} won would come back of {open_won} won that are left of the payment",
            stream=event.subject,
            columns={"asked_won": won, "available_won": open_won},
            allowed=open_won,
        )


def decide_returned(_: World, state: BudgetState, event: Event) -> None:
    """May money of a payment come back (여입)? In the same open year, no more than was paid."""
    require_open_year(state, event)
    data: Returned = event.data
    known = state.returns.get(data.return_id)
    if known is not None and known.standing:
        raise RuleBroken("budget.return-duplicate", f"return {data.return_id} is already booked", stream=event.subject)
    payment = _require_payment(state, event, data.payment_id)
    # Otherwise the contract would show cash as paid that came back long ago.
    if (stated(data.contract_returned_id) is None) != (payment.contract_paid_id is None):
        raise RuleBroken(
            "budget.return-on-contract",
            "a return has a contract's half exactly when its payment has one",
            stream=event.subject,
            columns={
                "contract_returned_id": {
                    "stated": stated(data.contract_returned_id) is not None,
                    "expected": payment.contract_paid_id is not None,
                }
            },
            allowed="contract_returned_id" if payment.contract_paid_id is not None else None,
        )
    require_after(event, payment.legal_day)
    _require_returnable(event, payment, won=data.amount_won)


def evolve_returned(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the return: executed falls, and the obligation is open again."""
    data: Returned = event.data
    payment = state.payments[data.payment_id]
    line_id = state.obligations[payment.obligation_id].line_id
    _give_back(state, undo, data.payment_id, won=data.amount_won, uses=1)
    _pay(state, undo, payment.obligation_id, won=-data.amount_won)
    returned = Return(
        event.id, data.payment_id, data.amount_won, stated(data.contract_returned_id), event.legal_date or ""
    )
    undo.put(state.returns, data.return_id, returned)
    post(
        state,
        event,
        undo,
        (line_id, "executed_won", -data.amount_won),
        # A return is known by its own id and by the payment's: neither holds a space.
        named=f"{data.return_id} {data.payment_id}",
    )


def _give_back(state: BudgetState, undo: Changes, payment_id: str, *, won: int, uses: int) -> None:
    payment = state.payments[payment_id]
    undo.put(
        state.payments,
        payment_id,
        payment._replace(returned_won=payment.returned_won + won, uses=payment.uses + uses),
    )


def reverse_returned(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the return back: the money is paid after all."""
    return_id, payment_id = posting.named.split(" ")
    won = -int(posting.moves[2])
    _give_back(state, undo, payment_id, won=-won, uses=-1)
    _pay(state, undo, state.payments[payment_id].obligation_id, won=won)
    undo.put(state.returns, return_id, state.returns[return_id]._replace(standing=False))


def decide_refunded(_: World, state: BudgetState, event: Event) -> None:
    """May money of a closed year come back (과년도 반납)? After its end, no more than is left of the payment."""
    year = require_opened_year(state, event)
    data: PriorYearRefunded = event.data
    if not year.closed:
        raise RuleBroken("budget.year-not-closed", "in an open year money comes back as a return", stream=event.subject)
    require_legal_date(event, first=f"{year.fiscal_year + 1}-01-01", last=None)
    if state.refunds.get(data.refund_id):
        raise RuleBroken("budget.refund-duplicate", f"refund {data.refund_id} is already booked", stream=event.subject)
    _require_returnable(event, _require_payment(state, event, data.payment_id), won=data.amount_won)


def evolve_refunded(state: BudgetState, event: Event, undo: Changes) -> None:
    """Remember what came back; the columns of the closed year stay as they are."""
    data: PriorYearRefunded = event.data
    _give_back(state, undo, data.payment_id, won=data.amount_won, uses=1)
    undo.put(state.refunds, data.refund_id, data.amount_won)
