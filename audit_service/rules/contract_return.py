"""May money come back on the contract (여입)? Each return answers one of the budget, of a payment shown here.

`contract.returned.v1` is the second half of a pair that `budget.returned.v1` opens (groups.py). What came back may be
paid again: accepted work is then open, and the obligation behind it too. An advance comes back only as far as no
accepted work was set off against it. A return stands: one that was wrong is made good by a payment on both streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.contract_basics import require_signed, require_standing
from audit_service.rules.contract_payment import payment_key
from audit_service.rules.errors import RuleBroken
from audit_service.rules.world import World, read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.contract import ContractReturned
    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import ContractPayment, ContractState
    from audit_service.rules.undo import Changes


def _return_key(data: ContractReturned) -> str:
    return f"{data.budget_subject} {data.return_id}"


def decide_returned(world: World, state: ContractState, event: Event) -> None:
    """May this money come back? Of a payment that the contract shows, as its budget says, before the completion."""
    contract = require_signed(state, event)
    if contract.ended == "COMPLETED":
        require_standing(state, event)
    data: ContractReturned = event.data
    if _return_key(data) in state.returns:
        raise RuleBroken("contract.return-duplicate", f"return {data.return_id} is already shown", stream=event.subject)
    payment = state.payments.get(payment_key(data))
    if payment is None:
        raise RuleBroken(
            "contract.payment-unknown", f"the contract does not show payment {data.payment_id}", stream=event.subject
        )
    _require_same(world, event, payment)
    if payment.advance:
        _require_not_set_off(state, event)


def _require_same(world: World, event: Event, payment: ContractPayment) -> None:
    """Does the budget's return say the same: of which payment and instalment, and how much?"""
    data: ContractReturned = event.data
    budget = read_budget(world, data.budget_subject)
    there = None if budget is None else budget.returns.get(data.return_id)
    names = ("budget_returned_id", "contract_returned_id", "payment_id", "amount_won", "legal_date", "instalment")
    said = (data.budget_returned_id, event.id, data.payment_id, data.amount_won, event.legal_date, data.instalment)
    expected: tuple[object, ...] = (None,) * len(names)
    if there is not None and there.standing:
        expected = (
            there.event_id,
            there.contract_returned_id,
            there.payment_id,
            there.amount_won,
            there.legal_date,
            payment.instalment,
        )
    columns = {
        name: {"stated": here, "expected": other}
        for name, here, other in zip(names, said, expected, strict=True)
        if here != other
    }
    if columns:
        raise RuleBroken(
            "contract.return-differs",
            "the two halves of the return do not say the same",
            stream=event.subject,
            columns=columns,
        )


def _require_not_set_off(state: ContractState, event: Event) -> None:
    data: ContractReturned = event.data
    instalment = state.instalments[data.instalment]
    open_won = instalment.advance_won - instalment.offset_won
    if data.amount_won > open_won:
        raise RuleBroken(
            "contract.return-set-off",
            f"{data.amount_won} won would come back, {open_won} won of advances are not set off",
            stream=event.subject,
            columns={"amount_won": data.amount_won, "open_advance_won": open_won},
            allowed=open_won,
        )


def evolve_returned(state: ContractState, event: Event, undo: Changes) -> None:
    """Take the money out of what was paid on the instalment."""
    data: ContractReturned = event.data
    key, won = payment_key(data), data.amount_won
    payment = state.payments[key]
    if payment is None:
        raise AssertionError("decide_returned lets money come back only of a payment that stands")
    undo.put(state.payments, key, payment._replace(returned_won=payment.returned_won + won))
    undo.put(state.returns, _return_key(data), won)
    old = state.instalments[payment.instalment]
    if payment.advance:
        new = old._replace(advance_won=old.advance_won - won)
    else:
        # What was imported without acceptances stays outside of what is compared with them.
        new = old._replace(paid_won=old.paid_won - won, exempt_won=old.exempt_won - (won if payment.exempt else 0))
    undo.put(state.instalments, payment.instalment, new)
