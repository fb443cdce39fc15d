"""May this happen in one procurement? Planned, signed, an instalment for each further year, paid.

A contract never promises more than the budget lines that it names hold, nor pays more than its instalments;
every payment answers a payment of the budget (groups.py holds the two entries together).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY, Contract, ContractState, Instalment, Payment
from audit_service.rules.world import World, read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.contract import (
        BudgetLineRef,
        ContractPaid,
        InstalmentSigned,
        Planned,
        Signed,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes

IMPORTED = ("printed", "derived")


def _stated(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _require_contract(state: ContractState, event: Event) -> Contract:
    contract = state.contract.get(ONLY)
    if contract is None:
        raise RuleBroken("contract.not-planned", "the procurement is not planned", stream=event.subject)
    if event.source != contract.owner:
        raise RuleBroken(
            "contract.not-owner",
            "only the agency that planned the procurement may write to it",
            stream=event.subject,
            allowed=contract.owner,
        )
    return contract


def _require_signed(state: ContractState, event: Event) -> Contract:
    contract = _require_contract(state, event)
    if contract.contract_type is None:
        raise RuleBroken("contract.not-signed", "the contract is not signed", stream=event.subject)
    return contract


def _require_period(event: Event, start: object, end: object) -> None:
    if isinstance(start, str) and isinstance(end, str) and start > end:
        raise RuleBroken(
            "contract.period-dates",
            "the period ends before it starts",
            stream=event.subject,
            columns={"start": start, "end": end},
        )


def _require_lines(
    world: World, event: Event, refs: list[BudgetLineRef], *, fiscal_year: int, amount_won: int | None
) -> None:
    """Do the named budget lines exist in that fiscal year, and do they hold the amount together?"""
    seen: set[tuple[str, str]] = set()
    current_won = 0
    for ref in refs:
        if (ref.subject, ref.line_id) in seen:
            raise RuleBroken("contract.line-repeated", f"line {ref.line_id} is named twice", stream=event.subject)
        seen.add((ref.subject, ref.line_id))
        budget = read_budget(world, ref.subject)
        line = None if budget is None else budget.lines.get(ref.line_id)
        if budget is None or line is None:
            raise RuleBroken("contract.line-unknown", f"no budget defines line {ref.line_id}", stream=event.subject)
        line_year = budget.year[ONLY].fiscal_year
        if line_year != fiscal_year:
            raise RuleBroken(
                "contract.line-year-differs",
                f"the instalment is of {fiscal_year}, line {ref.line_id} of {line_year}",
                stream=event.subject,
                allowed=fiscal_year,
            )
        current_won += line.current_won
    if amount_won is not None and amount_won > current_won:
        raise RuleBroken(
            "contract.exceeds-budget-lines",
            f"{amount_won} won promised, the lines hold {current_won} won",
            stream=event.subject,
            columns={"amount_won": amount_won, "current_won": current_won},
            allowed=current_won,
        )


def _require_total_noted(event: Event, *, total_noted_won: int | None, instalments_won: int) -> None:
    if total_noted_won is not None and instalments_won > total_noted_won:
        raise RuleBroken(
            "contract.exceeds-total-noted",
            f"instalments of {instalments_won} won, the total noted is {total_noted_won} won",
            stream=event.subject,
            columns={"instalments_won": instalments_won, "total_noted_won": total_noted_won},
        )


def decide_planned(_: World, state: ContractState, event: Event) -> None:
    """May the procurement be planned? Once; as a plan may come before its budget, no line is read."""
    data: Planned = event.data
    if state.contract:
        _require_contract(state, event)
        raise RuleBroken("contract.planned-twice", "the procurement is planned", stream=event.subject)
    _require_period(event, data.start, data.end)


def evolve_planned(state: ContractState, event: Event, undo: Changes) -> None:
    """Begin the procurement; its first event's source owns the stream."""
    data: Planned = event.data
    undo.put(state.contract, ONLY, Contract(event.source, data.project_id))


def decide_signed(world: World, state: ContractState, event: Event) -> None:
    """May the contract be signed? Once, with its amounts; an import may lack what its source lacks."""
    contract = _require_contract(state, event)
    data: Signed = event.data
    if contract.contract_type is not None:
        raise RuleBroken("contract.signed-twice", "the contract is signed", stream=event.subject)
    _require_period(event, data.start, data.end)
    amount_won, total_noted_won = _stated(data.amount_won), _stated(data.total_noted_won)
    imported = data.provenance in IMPORTED
    if amount_won is None and not imported:
        raise RuleBroken("contract.amount-missing", "the amount is not stated", stream=event.subject)
    if data.contract_type == "LONG_TERM_CONTINUING" and total_noted_won is None and not imported:
        raise RuleBroken(
            "contract.total-noted-missing",
            "a long-term continuing contract notes its total price",
            stream=event.subject,
        )
    _require_total_noted(event, total_noted_won=total_noted_won, instalments_won=amount_won or 0)
    _require_lines(world, event, data.budget_lines, fiscal_year=data.fiscal_year, amount_won=amount_won)


def evolve_signed(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the contract and its first instalment."""
    data: Signed = event.data
    amount_won = _stated(data.amount_won)
    contract = state.contract[ONLY]._replace(
        contract_type=data.contract_type,
        total_noted_won=_stated(data.total_noted_won),
        last_instalment=1,
        instalments_won=amount_won or 0,
    )
    undo.put(state.contract, ONLY, contract)
    undo.put(state.instalments, 1, Instalment(data.fiscal_year, amount_won))


def decide_instalment(world: World, state: ContractState, event: Event) -> None:
    """May the next instalment be signed? The next number, of a later year, within total and lines."""
    contract = _require_signed(state, event)
    data: InstalmentSigned = event.data
    if contract.contract_type != "LONG_TERM_CONTINUING":
        raise RuleBroken("contract.not-long-term", "a single contract has no further instalment", stream=event.subject)
    if data.instalment != contract.last_instalment + 1:
        raise RuleBroken(
            "contract.instalment-number",
            f"instalment {data.instalment} does not follow {contract.last_instalment}",
            stream=event.subject,
            allowed=contract.last_instalment + 1,
        )
    previous = state.instalments[contract.last_instalment]
    if data.fiscal_year <= previous.fiscal_year:
        raise RuleBroken(
            "contract.instalment-year",
            f"the instalment before is of {previous.fiscal_year} already",
            stream=event.subject,
            allowed=previous.fiscal_year + 1,
        )
    _require_period(event, data.start, data.end)
    _require_total_noted(
        event,
        total_noted_won=contract.total_noted_won,
        instalments_won=contract.instalments_won + data.amount_won,
    )
    _require_lines(world, event, data.budget_lines, fiscal_year=data.fiscal_year, amount_won=data.amount_won)


def evolve_instalment(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the instalment."""
    data: InstalmentSigned = event.data
    contract = state.contract[ONLY]
    undo.put(
        state.contract,
        ONLY,
        contract._replace(last_instalment=data.instalment, instalments_won=contract.instalments_won + data.amount_won),
    )
    undo.put(state.instalments, data.instalment, Instalment(data.fiscal_year, data.amount_won))


def _payment_key(data: ContractPaid) -> str:
    # A payment id is unique in one budget stream; a contract is paid from several years' streams.
    return f"{data.budget_subject} {data.payment_id}"


def decide_paid(world: World, state: ContractState, event: Event) -> None:
    """Does this payment answer the budget's? Once, in every figure, within its instalment."""
    _require_signed(state, event)
    data: ContractPaid = event.data
    instalment = state.instalments.get(data.instalment)
    if instalment is None:
        raise RuleBroken("contract.instalment-unknown", "the instalment is not signed", stream=event.subject)
    if _payment_key(data) in state.payments:
        raise RuleBroken(
            "contract.payment-duplicate", f"payment {data.payment_id} is already shown", stream=event.subject
        )
    _require_budget_half(world, event, data)
    if instalment.amount_won is not None and instalment.paid_won + data.amount_won > instalment.amount_won:
        open_won = instalment.amount_won - instalment.paid_won
        raise RuleBroken(
            "contract.instalment-overpaid",
            f"{data.amount_won} won asked, {open_won} won left of the instalment",
            stream=event.subject,
            columns={"asked_won": data.amount_won, "available_won": open_won},
            allowed=open_won,
        )


def _require_budget_half(world: World, event: Event, data: ContractPaid) -> None:
    budget = read_budget(world, data.budget_subject)
    payment = None if budget is None else budget.payments.get(data.payment_id)
    if budget is None or payment is None:
        raise RuleBroken("contract.payment-unknown", f"no budget has payment {data.payment_id}", stream=event.subject)
    process_id = budget.obligations[payment.obligation_id].contract_process_id
    here = (data.budget_paid_id, event.id, data.amount_won, event.subject)
    there = _as_answered(payment, process_id)
    names = ("budget_paid_id", "contract_paid_id", "amount_won", "contract")
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


def _as_answered(payment: Payment, process_id: str | None) -> tuple[str, str | None, int, str]:
    return (payment.event_id, payment.contract_paid_id, payment.amount_won, f"contract/{process_id}")


def evolve_paid(state: ContractState, event: Event, undo: Changes) -> None:
    """Book the payment on its instalment."""
    data: ContractPaid = event.data
    instalment = state.instalments[data.instalment]
    undo.put(
        state.instalments,
        data.instalment,
        instalment._replace(paid_won=instalment.paid_won + data.amount_won),
    )
    undo.put(state.payments, _payment_key(data), data.amount_won)
