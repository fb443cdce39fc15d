"""May an earlier event of the contract be reversed and replaced (정정)? Never erased: both stay in the log.

The correction is tried on the state itself, with its own undo: the old posting is taken out, the replacement is
decided by the rule of its own type and put in, and then every identity of the contract must hold again, with all that
came after. Whatever the answer, the trial is taken back. A correction may be corrected in turn, by its own id.

The end of an instalment or of the contract does not stand in the way of the rule of the replaced type; it binds by the
identities: what was closed at its accepted amount still is. After the end a correction names its basis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.catalogue.common import Basis
from audit_service.catalogue.event import Event
from audit_service.rules import contract_amending as amending
from audit_service.rules import contract_payment as payment
from audit_service.rules import contract_performance as performance
from audit_service.rules.contract_backing import require_backed
from audit_service.rules.contract_basics import require_contract, stated_text
from audit_service.rules.contract_identities import require_sound
from audit_service.rules.contract_states import Posting
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.undo import Undo
from audit_service.rules.world import read_budget

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_service.catalogue.contract import ContractCorrected, PriorStepCompleted
    from audit_service.rules.contract_states import ContractState
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World

PRIOR_STEP = "contract.prior-step-completed.v1"
AMENDED = "contract.amended.v1"
INSPECTED = "contract.inspected.v1"
SUBCONTRACT = "contract.subcontract-approved.v1"
PAYMENTS = ("contract.advance-paid.v1", "contract.paid.v1")
# A posting that was taken back: its key is the correction's id.
_CORRECTED = ""


class _Rule(NamedTuple):
    decide: Callable[[World, ContractState, Event], None]
    evolve: Callable[[ContractState, Event, Changes], None]


_RULE_OF = {
    AMENDED: _Rule(amending.decide_amended, amending.evolve_amended),
    SUBCONTRACT: _Rule(performance.decide_subcontract, performance.evolve_subcontract),
    INSPECTED: _Rule(performance.decide_inspected, performance.evolve_inspected),
    "contract.accepted.v1": _Rule(performance.decide_accepted, performance.evolve_accepted),
    "contract.advance-paid.v1": _Rule(payment.decide_advance, payment.evolve_advance),
    "contract.paid.v1": _Rule(payment.decide_paid, payment.evolve_paid),
    "contract.subcontract-paid.v1": _Rule(payment.decide_subcontract_paid, payment.evolve_subcontract_paid),
    "contract.delay-damages-assessed.v1": _Rule(payment.decide_damages, payment.evolve_damages),
}


def decide_corrected(world: World, state: ContractState, event: Event) -> None:
    """May this correction be made? Of an event that stands, by one of its own type, leaving every identity whole."""
    contract = require_contract(state, event)
    data: ContractCorrected = event.data
    posting = _require_posting(state, event)
    replacement = _require_replacement(event, posting)
    if contract.ended is not None and not isinstance(data.basis, Basis):
        raise RuleBroken(
            "contract.correction-basis",
            "the contract has ended: a correction names its basis",
            stream=event.subject,
            columns={"ended": contract.ended},
            allowed="basis",
        )
    _require_pair(world, state, event, posting)
    trial = Undo()
    try:
        _try(world, state, event, posting, replacement, trial)
    finally:
        trial.rollback(to=0)


def _require_posting(state: ContractState, event: Event) -> Posting:
    corrects = stated_text(event.data.corrects)
    posting = None if corrects is None else state.postings.get(corrects)
    if posting is None:
        raise RuleBroken(
            "contract.correction-unknown",
            "the contract has no event of that id that could be corrected",
            stream=event.subject,
            allowed="corrects",
        )
    if posting.type == _CORRECTED:
        raise RuleBroken(
            "contract.corrected-twice",
            "the event is corrected; correct the correction",
            stream=event.subject,
            allowed=posting.key,
        )
    return posting


def _member_of(event_type: str) -> str:
    return event_type.split(".")[1].replace("-", "_")


def _replacement_of(event: Event, posting: Posting) -> Event | None:
    """The replacement, as the event that should have been posted; None where nothing should."""
    found = event.data.replacement
    data: Any = getattr(found, _member_of(posting.type), None)
    if not hasattr(data, "provenance"):
        return None
    return Event(
        type=posting.type,
        subject=event.subject,
        source=event.source,
        id=event.id,
        time=event.time,
        legal_date=event.legal_date,
        position=event.position,
        recorded_time=event.recorded_time,
        data=data,
        index=event.index,
    )


def _require_replacement(event: Event, posting: Posting) -> Event | None:
    found = event.data.replacement
    names = [name for name in getattr(found, "__struct_fields__", ()) if hasattr(getattr(found, name), "provenance")]
    stands = hasattr(found, "__struct_fields__")
    if stands and names != [_member_of(posting.type)]:
        raise RuleBroken(
            "contract.replacement-type",
            "a replacement is one event of the corrected event's own type",
            stream=event.subject,
            columns={"replacements": len(names)},
            allowed=_member_of(posting.type),
        )
    return _replacement_of(event, posting)


def _require_pair(world: World, state: ContractState, event: Event, posting: Posting) -> None:
    """Is a payment corrected on both streams at once, and is nothing else?"""
    data: ContractCorrected = event.data
    first_id, subject = stated_text(data.budget_corrected_id), stated_text(data.budget_subject)
    if posting.type not in PAYMENTS:
        if first_id is not None or subject is not None:
            raise RuleBroken(
                "contract.correction-pair",
                "only the correction of a payment has a half on the budget",
                stream=event.subject,
                columns={"corrected_type": posting.type},
            )
        return
    if first_id is None or subject is None or not posting.key.startswith(f"{subject} "):
        raise RuleBroken(
            "contract.correction-pair",
            "the correction of a payment names the budget's correction",
            stream=event.subject,
            allowed="budget_corrected_id and budget_subject",
        )
    paid = state.payments[posting.key]
    if paid is not None and paid.returned_won:
        raise RuleBroken(
            "contract.payment-returned",
            f"{paid.returned_won} won of the payment came back",
            stream=event.subject,
            columns={"returned_won": paid.returned_won},
            allowed="another payment or return",
        )
    _require_budget_half(world, state, event, posting, first_id=first_id, subject=subject)


def _require_budget_half(
    world: World, state: ContractState, event: Event, posting: Posting, *, first_id: str, subject: str
) -> None:
    """Does the budget's correction say the same: of which payment, on which contract, from what amount to what?"""
    budget = read_budget(world, subject)
    correction = None if budget is None else budget.corrections.get(first_id)
    if budget is None or correction is None:
        raise RuleBroken(
            "contract.correction-pair", "the budget has no such correction of a payment", stream=event.subject
        )
    old = state.payments[posting.key]
    replacement = _replacement_of(event, posting)
    new_won = 0 if replacement is None else replacement.data.amount_won
    paid = budget.payments[correction.payment_id]
    stays = paid.standing and paid.contract_paid_id is not None
    here = (old and old.budget_event_id, event.id, old and old.amount_won, new_won, event.subject, event.legal_date)
    there = (
        correction.corrects,
        correction.contract_corrected_id,
        correction.old_won,
        correction.new_won if stays else 0,
        f"contract/{correction.contract_process_id}",
        correction.legal_date,
    )
    names = ("corrects", "contract_corrected_id", "old_won", "new_won", "contract", "legal_date")
    columns = {
        name: {"stated": found, "expected": expected}
        for name, found, expected in zip(names, here, there, strict=True)
        if found != expected
    }
    if columns:
        raise RuleBroken(
            "contract.correction-differs",
            "the two halves of the correction do not say the same",
            stream=event.subject,
            columns=columns,
        )


def _try(
    world: World, state: ContractState, event: Event, posting: Posting, replacement: Event | None, trial: Undo
) -> None:
    """Put the correction in and ask everything again; whoever calls takes it back."""
    before = dict(state.instalments)
    contract = state.contract[ONLY]
    if replacement is not None and posting.type != PRIOR_STEP:
        lifted = Undo()
        _reverse(state, event, posting, lifted)
        _lift_end(state, lifted)
        try:
            _RULE_OF[posting.type].decide(world, state, replacement)
        finally:
            lifted.rollback(to=0)
    elif replacement is not None:
        _require_same_round(replacement, posting)
    evolve_corrected(state, event, trial)
    require_sound(state, event)
    if contract.contract_type is None:
        return
    for number, instalment in state.instalments.items():
        if (instalment.amount_won or 0) > (before[number].amount_won or 0):
            require_backed(world, state, event, number)


def _lift_end(state: ContractState, undo: Undo) -> None:
    contract = state.contract[ONLY]
    undo.put(state.contract, ONLY, contract._replace(ended=None))
    for number, instalment in list(state.instalments.items()):
        undo.put(state.instalments, number, instalment._replace(final_won=None))


def _require_same_round(replacement: Event, posting: Posting) -> None:
    data: PriorStepCompleted = replacement.data
    if (data.step, data.round) != (posting.key, posting.round):
        raise RuleBroken(
            "contract.replacement-type",
            "a prior step's round is replaced by the same round of the same step",
            stream=replacement.subject,
            columns={"round": {"stated": data.round, "expected": posting.round}},
            allowed=posting.round,
        )


def evolve_corrected(state: ContractState, event: Event, undo: Changes) -> None:
    """Take the old posting out, and put the replacement in under the correction's id."""
    corrects = event.data.corrects
    posting = state.postings[corrects]
    replacement = _replacement_of(event, posting)
    kept = _reverse(state, event, posting, undo)
    if replacement is None:
        return
    if posting.type == PRIOR_STEP:
        _put_round(state, undo, posting, replacement.data.result)
        undo.put(state.postings, event.id, posting)
        return
    if posting.type == AMENDED:
        amending.apply_amendment(state, replacement, undo, order=kept.order)
        return
    _RULE_OF[posting.type].evolve(state, replacement, undo)
    _keep_what_rests_on_it(state, undo, posting, kept)


def _put_round(state: ContractState, undo: Changes, posting: Posting, result: str) -> None:
    """Set one round's result; an empty one at the end is as if the round had not been."""
    results = list(state.prior_steps[posting.key])
    # A round that a correction took out and another puts back may lie behind the end.
    results += [""] * (posting.round - len(results))
    results[posting.round - 1] = result
    while results and not results[-1]:
        results.pop()
    undo.put(state.prior_steps, posting.key, tuple(results))


def _reverse(state: ContractState, event: Event, posting: Posting, undo: Changes) -> Any:
    """Take a posting out of the state; what it was, for those that replace it."""
    undo.put(state.postings, event.data.corrects, Posting(_CORRECTED, event.id))
    if posting.type == PRIOR_STEP:
        _put_round(state, undo, posting, "")
        return None
    return _REVERSE_OF[posting.type](state, posting.key, undo)


def _take(mapping: dict[str, Any], key: str, undo: Changes) -> Any:
    found = mapping[key]
    undo.put(mapping, key, None)
    return found


def _reverse_amended(state: ContractState, key: str, undo: Changes) -> Any:
    found = _take(state.amendments, key, undo)
    amending.move_amount(state, undo, instalment=found.instalment, delta_won=-found.delta_won)
    return found


def _reverse_subcontract(state: ContractState, key: str, undo: Changes) -> Any:
    found = _take(state.subcontracts, key, undo)
    contract = state.contract[ONLY]
    undo.put(state.contract, ONLY, contract._replace(subcontracts_won=contract.subcontracts_won - found.amount_won))
    return found


def _reverse_inspected(state: ContractState, key: str, undo: Changes) -> Any:
    found = _take(state.inspections, key, undo)
    performance.mark_passed(state, undo, instalment=found.instalment)
    return found


def _reverse_accepted(state: ContractState, key: str, undo: Changes) -> Any:
    found = state.inspections[key]
    if found is None:
        raise AssertionError("require_sound refuses to take an inspection from under its acceptance")
    undo.put(state.inspections, key, found._replace(accepted_won=None))
    old = state.instalments[found.instalment]
    new = old._replace(accepted_won=old.accepted_won - (found.accepted_won or 0))
    undo.put(state.instalments, found.instalment, new)
    return found


def _reverse_payment(state: ContractState, key: str, undo: Changes) -> Any:
    found = _take(state.payments, key, undo)
    payment.move_payment(state, undo, found, sign=-1)
    return found


def _reverse_subcontract_payment(state: ContractState, key: str, undo: Changes) -> Any:
    found = _take(state.subcontract_payments, key, undo)
    payment.move_subcontract(state, undo, subcontract_id=found.subcontract_id, paid_won=-found.amount_won)
    return found


def _reverse_damages(state: ContractState, key: str, undo: Changes) -> Any:
    found = _take(state.damages, key, undo)
    payment.move_damages(state, undo, found, sign=-1)
    return found


_REVERSE_OF: dict[str, Callable[[ContractState, str, Changes], Any]] = {
    AMENDED: _reverse_amended,
    SUBCONTRACT: _reverse_subcontract,
    INSPECTED: _reverse_inspected,
    "contract.accepted.v1": _reverse_accepted,
    "contract.advance-paid.v1": _reverse_payment,
    "contract.paid.v1": _reverse_payment,
    "contract.subcontract-paid.v1": _reverse_subcontract_payment,
    "contract.delay-damages-assessed.v1": _reverse_damages,
}


def _keep_what_rests_on_it(state: ContractState, undo: Changes, posting: Posting, kept: Any) -> None:
    """Let an inspection replaced under its id keep its acceptance, a subcontract what was paid on it."""
    if posting.type == INSPECTED:
        inspection = state.inspections[posting.key]
        if inspection is not None and inspection.instalment == kept.instalment:
            undo.put(state.inspections, posting.key, inspection._replace(accepted_won=kept.accepted_won))
    elif posting.type == SUBCONTRACT:
        subcontract = state.subcontracts[posting.key]
        if subcontract is not None:
            undo.put(state.subcontracts, posting.key, subcontract._replace(paid_won=kept.paid_won))
