"""Does everything in a contract's stream still add up? Asked after a correction, of the whole state.

Each ordinary rule looks at what it changes; a correction changes what others rest on, so here all identities are
asked again, from the single postings and not only from the sums that are kept beside them. The limits of advances and
of damages are no identities: they bind when one is paid or assessed, and a later amendment may make the amount smaller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_service.rules.contract_basics import bounds_won, contract_total_won
from audit_service.rules.contract_planning import LIVE_TENDER, REJECTED, open_steps
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import ContractState, Instalment

# What must hold, whether it does, and the figures.
Identity = tuple[str, bool, dict[str, Any]]


def require_sound(state: ContractState, event: Event) -> None:
    """Do all identities of the contract hold?

    Raises:
        RuleBroken: `contract.correction-breaks`, with the first identity that does not.
    """
    for name, holds, figures in identities(state):
        if not holds:
            raise RuleBroken(
                "contract.correction-breaks",
                f"after the correction this would not hold: {name}",
                stream=event.subject,
                columns=figures,
            )


def identities(state: ContractState) -> Iterator[Identity]:
    """Every identity of a contract, with its figures in won."""
    yield from _of_prior_steps(state)
    for number, instalment in state.instalments.items():
        yield from _of_instalment(state, number, instalment)
    yield from _of_subcontracts(state)
    if state.contract[ONLY].contract_type is not None:
        yield from _of_contract(state)


def _of_prior_steps(state: ContractState) -> Iterator[Identity]:
    for results in state.prior_steps.values():
        rounds = {"results": list(results)}
        yield "every round before the last was rejected", set(results[:-1]) <= {REJECTED}, rounds
        yield "every round has its result", "" not in results, rounds
    tender = state.tenders.get(state.contract[ONLY].tender_id or "")
    if tender is not None and tender.status in LIVE_TENDER:
        waiting = open_steps(state)
        yield "the tender's prior steps are passed", not waiting, {"prior_steps": waiting}


def _of_instalment(state: ContractState, number: int, one: Instalment) -> Iterator[Identity]:
    inspections = [each for each in state.inspections.values() if each is not None and each.instalment == number]
    accepted_won = sum(each.accepted_won or 0 for each in inspections)
    figures = {"instalment": number, "accepted_won": one.accepted_won, "paid_won": one.cash_won}
    yield "what is accepted stands on inspections", accepted_won == one.accepted_won, figures
    failed = [each for each in inspections if each.result == "FAIL" and each.accepted_won is not None]
    yield "no failed inspection is accepted", not failed, figures
    # Damages may be kept back before anything is accepted, so they are no part of this one.
    settled_won = one.paid_won + one.offset_won - one.exempt_won
    yield "work is settled only as it is accepted", settled_won <= one.accepted_won, figures
    offset = {**figures, "advance_won": one.advance_won, "advance_offset_won": one.offset_won}
    yield "no more is set off than was advanced", one.offset_won <= one.advance_won, offset
    bound_won = bounds_won(state, one)
    if one.amount_won is not None:
        yield "the amount is not negative", one.amount_won >= 0, {**figures, "amount_won": one.amount_won}
    if bound_won is not None:
        bounds = {**figures, "amount_won": bound_won, "kept_won": one.kept_won, "damages_won": one.damages_won}
        yield "no more is accepted than the instalment", one.accepted_won <= bound_won, bounds
        yield "no more is paid or kept back than the instalment", one.cash_won + one.kept_won <= bound_won, bounds
    if one.final_won is not None:
        final = {**figures, "final_won": one.final_won, "kept_won": one.kept_won}
        yield "no more is paid or kept back than the final amount", one.cash_won + one.kept_won <= one.final_won, final
        yield "the final amount is what was accepted", one.final_won >= one.accepted_won, final
        if one.passed_at_closing:
            yield "a final inspection passed", one.passed, final
            yield "the final amount is what was accepted", one.final_won == one.accepted_won, final


def _of_subcontracts(state: ContractState) -> Iterator[Identity]:
    paid_won: dict[str, int] = {}
    for payment in state.subcontract_payments.values():
        if payment is not None:
            paid_won[payment.subcontract_id] = paid_won.get(payment.subcontract_id, 0) + payment.amount_won
    for subcontract_id, won in paid_won.items():
        subcontract = state.subcontracts.get(subcontract_id)
        known = subcontract is not None and subcontract.paid_won == won
        yield "a subcontractor's payments stand on a subcontract", known, {"paid_won": won}
        amount_won = 0 if subcontract is None else subcontract.amount_won
        yield "no more is paid than the subcontract", won <= amount_won, {"paid_won": won, "amount_won": amount_won}
    for inspection_id in {one.inspection_id for one in state.payments.values() if one is not None}:
        inspection = state.inspections.get(inspection_id or "")
        good = inspection_id is None or (inspection is not None and inspection.result != "FAIL")
        yield "a payment's inspection stands", good, {}


def _of_contract(state: ContractState) -> Iterator[Identity]:
    contract = state.contract[ONLY]
    noted_won, total_won = contract.total_noted_won, contract_total_won(state)
    figures = {"instalments_won": contract.instalments_won, "total_noted_won": noted_won}
    yield "instalments stay within the total noted", noted_won is None or contract.instalments_won <= noted_won, figures
    subcontracts = {"subcontracts_won": contract.subcontracts_won, "contract_won": total_won}
    within = total_won is None or contract.subcontracts_won <= total_won
    yield "subcontracts stay within the contract", within, subcontracts
    paid_won = sum(one.cash_won for one in state.instalments.values())
    ended = {"paid_won": paid_won, "settled_won": contract.settled_won}
    if contract.ended == "CANCELLED":
        yield "no more is paid than the contract was settled at", paid_won <= (contract.settled_won or 0), ended
    if contract.ended == "COMPLETED" and contract.fully_paid:
        due_won = sum((one.final_won or 0) - one.kept_won for one in state.instalments.values())
        yield "a completed contract is paid", paid_won == due_won, {**ended, "due_won": due_won}
