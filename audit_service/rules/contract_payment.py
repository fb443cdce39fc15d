"""May this be paid on the contract? Each payment answers one of the budget, from the instalment's own lines.

`contract.paid.v1` and `contract.advance-paid.v1` are second halves of a pair that `budget.paid.v1` opens (groups.py).
Cash never exceeds the instalment; cash and what advances had paid before never exceed what was accepted.

A payment leaves the budget from a line that the instalment names, or from a line of a later year into which the named
line's money was carried over: an instalment stays inside its year's lines, and a carry-over is how they reach on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.common import MAX_SAFE_INTEGER
from audit_service.rules.contract_basics import (
    bounds_won,
    is_imported,
    require_instalment,
    require_open_instalment,
    require_signed,
    require_standing,
    stated_text,
    stated_won,
)
from audit_service.rules.contract_performance import require_good_inspection
from audit_service.rules.contract_states import (
    DAMAGES_LIMIT_BP,
    WHOLE_BP,
    ContractPayment,
    ContractState,
    Damages,
    Instalment,
    Posting,
    SubcontractPayment,
)
from audit_service.rules.dates import day_text
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.contract import (
        AdvancePaid,
        ContractPaid,
        ContractReturned,
        DelayDamagesAssessed,
        SubcontractPaid,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.states import BudgetState, Payment
    from audit_service.rules.undo import Changes

PPM = 1_000_000


def payment_key(data: AdvancePaid | ContractPaid | ContractReturned) -> str:
    """Under which key is a payment kept? Its id is unique in one budget stream; a contract is paid from several."""
    return f"{data.budget_subject} {data.payment_id}"


# --- both kinds of payments -------------------------------------------------------------------------------


def _require_payment(world: World, state: ContractState, event: Event) -> None:
    """Is the payment new, and does it answer the budget's, from a line of the instalment?"""
    data: AdvancePaid | ContractPaid = event.data
    if state.payments.get(payment_key(data)) is not None:
        raise RuleBroken(
            "contract.payment-duplicate", f"payment {data.payment_id} is already shown", stream=event.subject
        )
    budget = read_budget(world, data.budget_subject)
    payment = None if budget is None else budget.payments.get(data.payment_id)
    if budget is None or payment is None or not payment.standing:
        raise RuleBroken("contract.payment-unknown", f"no budget has payment {data.payment_id}", stream=event.subject)
    _require_same(event, data, budget, payment)
    lines = state.instalments[data.instalment].lines
    line_id = budget.obligations[payment.obligation_id].line_id
    if not reaches_line(world, lines, subject=data.budget_subject, line_id=line_id):
        raise RuleBroken(
            "contract.payment-line",
            "the payment leaves a line that the instalment neither names nor was carried over into",
            stream=event.subject,
            columns={"budget_subject": data.budget_subject, "line_id": line_id, "named": len(lines)},
        )


def _require_same(event: Event, data: AdvancePaid | ContractPaid, budget: BudgetState, payment: Payment) -> None:
    obligation = budget.obligations[payment.obligation_id]
    here = (data.budget_paid_id, event.id, data.amount_won, data.instalment, event.subject, event.legal_date)
    there = (
        payment.event_id,
        payment.contract_paid_id,
        payment.amount_won,
        obligation.instalment,
        f"contract/{obligation.contract_process_id}",
        day_text(payment.legal_day),
    )
    names = ("budget_paid_id", "contract_paid_id", "amount_won", "instalment", "contract", "legal_date")
    columns = {
        name: {"stated": found, "expected": expected}
        for name, found, expected in zip(names, here, there, strict=True)
        if found != expected
    }
    if columns:
        raise RuleBroken(
            "contract.payment-differs",
            "the two halves of the payment do not say the same",
            stream=event.subject,
            columns=columns,
        )


def reaches_line(world: World, lines: tuple[tuple[str, str], ...], *, subject: str, line_id: str) -> bool:
    """Is this one of the lines, or did the money of one of them come into it by carry-overs, year after year?"""
    if (subject, line_id) in lines:
        return True
    agency, _, year = subject.rpartition("/")
    before = f"{agency}/{int(year) - 1:04}"
    # No line is older than the oldest that is named: there the search ends.
    if before < min(named for named, _ in lines):
        return False
    budget = read_budget(world, before)
    if budget is None:
        return False
    sources = {
        carried.line_id
        for carried in budget.carried_over.values()
        if carried.to_subject == subject and carried.to_line_id == line_id
    }
    return any(reaches_line(world, lines, subject=before, line_id=source) for source in sources)


def _require_room(state: ContractState, event: Event, instalment: Instalment) -> None:
    """Is there enough left of the instalment, and of a terminated contract's settlement?"""
    data: AdvancePaid | ContractPaid = event.data
    bound_won = bounds_won(state, instalment) if instalment.final_won is None else instalment.final_won
    if bound_won is not None:
        open_won = bound_won - instalment.cash_won - instalment.kept_won
        if data.amount_won > open_won:
            raise RuleBroken(
                "contract.instalment-overpaid",
                f"{data.amount_won} won asked, {open_won} won left of the instalment",
                stream=event.subject,
                columns={"asked_won": data.amount_won, "available_won": open_won},
                allowed=open_won,
            )
    settled_won = state.contract[ONLY].settled_won
    if settled_won is None:
        return
    open_won = settled_won - sum(one.cash_won for one in state.instalments.values())
    if data.amount_won > open_won:
        raise RuleBroken(
            "contract.exceeds-settled",
            f"{data.amount_won} won asked, {max(open_won, 0)} won left of what the terminated contract was settled at",
            stream=event.subject,
            columns={"asked_won": data.amount_won, "available_won": open_won},
            allowed=max(open_won, 0),
        )


# --- advances ---------------------------------------------------------------------------------------------


def decide_advance(world: World, state: ContractState, event: Event) -> None:
    """May this advance (선금) be paid? Within the contract's limit, on an instalment that is not closed."""
    contract = require_standing(state, event)
    data: AdvancePaid = event.data
    instalment = require_open_instalment(state, event, data.instalment)
    _require_payment(world, state, event)
    _require_room(state, event, instalment)
    if instalment.amount_won is not None:
        limit_won = instalment.amount_won * contract.advance_limit_bp // WHOLE_BP
        if instalment.advance_won + data.amount_won > limit_won:
            raise RuleBroken(
                "contract.advance-limit",
                f"advances of {instalment.advance_won + data.amount_won} won, the limit is {limit_won} won",
                stream=event.subject,
                columns={"advance_won": instalment.advance_won + data.amount_won, "limit_won": limit_won},
                allowed=limit_won - instalment.advance_won,
            )


def evolve_advance(state: ContractState, event: Event, undo: Changes) -> None:
    """Book the advance on its instalment."""
    data: AdvancePaid = event.data
    _book(state, event, undo, ContractPayment(data.instalment, data.amount_won, data.budget_paid_id, advance=True))


# --- payments for accepted work ---------------------------------------------------------------------------


def decide_paid(world: World, state: ContractState, event: Event) -> None:
    """May this be paid? For accepted work, counting what advances had paid of it, within the instalment."""
    contract = require_signed(state, event)
    if contract.ended == "COMPLETED":
        require_standing(state, event)
    data: ContractPaid = event.data
    instalment = require_instalment(state, event, data.instalment)
    _require_payment(world, state, event)
    _require_room(state, event, instalment)
    inspection_id = stated_text(data.inspection_id)
    if inspection_id is not None:
        require_good_inspection(state, event, inspection_id)
    offset_won = stated_won(data.advance_offset_won) or 0
    open_won = instalment.advance_won - instalment.offset_won
    if offset_won > open_won:
        raise RuleBroken(
            "contract.offset-exceeds-advance",
            f"{offset_won} won set off, {open_won} won of advances are open",
            stream=event.subject,
            columns={"advance_offset_won": offset_won, "open_advance_won": open_won},
            allowed=open_won,
        )
    if not is_imported(data) and data.amount_won + offset_won > instalment.payable_won:
        raise RuleBroken(
            "contract.exceeds-accepted",
            f"{data.amount_won + offset_won} won asked, {instalment.payable_won} won accepted and not settled",
            stream=event.subject,
            columns={
                "amount_won": data.amount_won,
                "advance_offset_won": offset_won,
                "accepted_won": instalment.accepted_won,
                "payable_won": instalment.payable_won,
            },
            allowed=max(instalment.payable_won - offset_won, 0),
        )


def evolve_paid(state: ContractState, event: Event, undo: Changes) -> None:
    """Book the payment on its instalment."""
    data: ContractPaid = event.data
    offset_won = stated_won(data.advance_offset_won) or 0
    paid = ContractPayment(
        data.instalment,
        data.amount_won,
        data.budget_paid_id,
        offset_won,
        exempt=is_imported(data),
        inspection_id=stated_text(data.inspection_id),
    )
    _book(state, event, undo, paid)


def _book(state: ContractState, event: Event, undo: Changes, payment: ContractPayment) -> None:
    key = payment_key(event.data)
    undo.put(state.payments, key, payment)
    undo.put(state.postings, event.id, Posting(event.type, key))
    move_payment(state, undo, payment, sign=1)


def move_payment(state: ContractState, undo: Changes, payment: ContractPayment, *, sign: int) -> None:
    """Add a payment to its instalment (`sign` 1), or take it out again (-1)."""
    old = state.instalments[payment.instalment]
    cash_won, offset_won = sign * payment.amount_won, sign * payment.offset_won
    if payment.advance:
        new = old._replace(advance_won=old.advance_won + cash_won)
    else:
        new = old._replace(
            paid_won=old.paid_won + cash_won,
            offset_won=old.offset_won + offset_won,
            exempt_won=old.exempt_won + (cash_won + offset_won if payment.exempt else 0),
        )
    undo.put(state.instalments, payment.instalment, new)


# --- subcontractors ---------------------------------------------------------------------------------------


def decide_subcontract_paid(_: World, state: ContractState, event: Event) -> None:
    """May a subcontractor be paid this? Within the approved subcontract."""
    require_standing(state, event)
    data: SubcontractPaid = event.data
    subcontract = state.subcontracts.get(data.subcontract_id)
    if subcontract is None:
        raise RuleBroken("contract.subcontract-unknown", "no such subcontract is approved", stream=event.subject)
    if state.subcontract_payments.get(data.payment_id) is not None:
        raise RuleBroken("contract.payment-duplicate", "the payment is already shown", stream=event.subject)
    open_won = subcontract.amount_won - subcontract.paid_won
    if data.amount_won > open_won:
        raise RuleBroken(
            "contract.subcontract-overpaid",
            f"{data.amount_won} won asked, {open_won} won left of the subcontract",
            stream=event.subject,
            columns={"asked_won": data.amount_won, "available_won": open_won},
            allowed=open_won,
        )


def evolve_subcontract_paid(state: ContractState, event: Event, undo: Changes) -> None:
    """Book the payment on its subcontract."""
    data: SubcontractPaid = event.data
    undo.put(state.subcontract_payments, data.payment_id, SubcontractPayment(data.subcontract_id, data.amount_won))
    undo.put(state.postings, event.id, Posting(event.type, data.payment_id))
    move_subcontract(state, undo, subcontract_id=data.subcontract_id, paid_won=data.amount_won)


def move_subcontract(state: ContractState, undo: Changes, *, subcontract_id: str, paid_won: int) -> None:
    """Add to what was paid on a subcontract; a negative amount takes it out again."""
    old = state.subcontracts[subcontract_id]
    if old is not None:
        undo.put(state.subcontracts, subcontract_id, old._replace(paid_won=old.paid_won + paid_won))


# --- damages for delay ------------------------------------------------------------------------------------


def decide_damages(_: World, state: ContractState, event: Event) -> None:
    """May damages for delay (지체상금) be assessed so? Base, days and rate make the amount, up to the limit."""
    require_signed(state, event)
    data: DelayDamagesAssessed = event.data
    instalment = require_instalment(state, event, data.instalment)
    if state.damages.get(data.assessment_id) is not None:
        raise RuleBroken("contract.assessment-duplicate", "the assessment's id is used", stream=event.subject)
    bound_won = bounds_won(state, instalment)
    if bound_won is not None and data.base_won > bound_won:
        raise RuleBroken(
            "contract.damages-base",
            f"a base of {data.base_won} won, the instalment is {bound_won} won",
            stream=event.subject,
            columns={"base_won": data.base_won, "amount_won": bound_won},
            allowed=bound_won,
        )
    # Three large factors make a figure that no answer could carry; more than the limit it is in any case.
    computed_won = min(data.base_won * data.days * data.rate_ppm // PPM, MAX_SAFE_INTEGER)
    limit_won = (data.base_won if bound_won is None else bound_won) * DAMAGES_LIMIT_BP // WHOLE_BP
    left_won = limit_won - instalment.damages_won
    if data.amount_won != min(computed_won, left_won):
        over = data.amount_won > left_won
        raise RuleBroken(
            "contract.damages-limit" if over else "contract.damages-differ",
            f"base, days and rate make {computed_won} won, up to {left_won} won",
            stream=event.subject,
            columns={"amount_won": data.amount_won, "computed_won": computed_won, "limit_won": left_won},
            allowed=min(computed_won, left_won),
        )
    if data.settled_by == "OFFSET":
        _require_kept(state, event, instalment)


def _require_kept(state: ContractState, event: Event, instalment: Instalment) -> None:
    """Is there anything left to keep the damages back from?"""
    data: DelayDamagesAssessed = event.data
    bound_won = bounds_won(state, instalment)
    if instalment.final_won is not None:
        bound_won = instalment.final_won
    if bound_won is not None and data.amount_won > bound_won - instalment.cash_won - instalment.kept_won:
        left_won = bound_won - instalment.cash_won - instalment.kept_won
        raise RuleBroken(
            "contract.damages-not-kept",
            f"{data.amount_won} won cannot be kept back of {left_won} won still to pay: they are revenue",
            stream=event.subject,
            columns={"amount_won": data.amount_won, "unpaid_won": left_won},
            allowed=left_won,
        )


def evolve_damages(state: ContractState, event: Event, undo: Changes) -> None:
    """Book the damages on their instalment."""
    data: DelayDamagesAssessed = event.data
    damages = Damages(data.instalment, data.amount_won, data.settled_by == "OFFSET")
    undo.put(state.damages, data.assessment_id, damages)
    undo.put(state.postings, event.id, Posting(event.type, data.assessment_id))
    move_damages(state, undo, damages, sign=1)


def move_damages(state: ContractState, undo: Changes, damages: Damages, *, sign: int) -> None:
    """Add damages to their instalment (`sign` 1), or take them out again (-1)."""
    old = state.instalments[damages.instalment]
    amount_won = sign * damages.amount_won
    new = old._replace(
        damages_won=old.damages_won + amount_won,
        kept_won=old.kept_won + (amount_won if damages.kept else 0),
    )
    undo.put(state.instalments, damages.instalment, new)
