"""How is each rule about a signed contract broken, and nothing else? Work, payments, damages, the end, corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from audit_service.catalogue.contract import ContractReplacement
from tests.support.illegal import Built, Scene, Wrong, again, fields, like, swap

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import Instalment


def _at(kind: str) -> str:
    return f"contract.{kind}.v1"


def _part(event: Event, scene: Scene) -> Instalment:
    return scene.contract(event.subject).instalments[event.data.instalment]


# --- work -----------------------------------------------------------------------------------------------


def _accept_failed(event: Event, _: Scene) -> Built:
    if event.data.result != "FAIL":
        return None
    data = {"inspection_id": event.data.inspection_id, "instalment": event.data.instalment, "accepted_won": 1}
    return like(event, _at("accepted"), data)


def _close_early(event: Event, scene: Scene) -> Built:
    part = _part(event, scene)
    data = {"instalment": event.data.instalment, "final_won": part.accepted_won}
    return None if part.passed else like(event, _at("instalment-closed"), data)


def _complete_unpaid(event: Event, scene: Scene) -> Built:
    part, state = _part(event, scene), scene.contract(event.subject)
    if not part.passed or state.contract["only"].contract_type != "SINGLE":
        return None
    final = {"final_won": part.accepted_won}
    return [
        like(event, _at("instalment-closed"), {**final, "instalment": event.data.instalment}),
        like(event, _at("completed"), final),
    ]


def _below_accepted(event: Event, scene: Scene) -> Built:
    part = _part(event, scene)
    return swap(event, delta_won=-(part.amount_won or 0)) if part.accepted_won else None


def _work_at(kind: str, name: str, build: Any, *, after: bool = False) -> Wrong:
    return Wrong(f"contract.{name}", _at(kind), build, after)


WORK = [
    _work_at("started", "instalment-unknown", fields(instalment=9)),
    _work_at(
        "instalment-closed",
        "instalment-closed",
        lambda event, _: like(event, _at("started"), {"instalment": event.data.instalment}),
        after=True,
    ),
    _work_at("amended", "amendment-empty", fields(delta_won=0, new_end=UNSET)),
    _work_at(
        "amended",
        "amendment-below-settled",
        _below_accepted,
    ),
    _work_at("started", "work-state", again, after=True),
    _work_at("subcontract-approved", "subcontract-duplicate", again, after=True),
    _work_at("subcontract-paid", "subcontract-unknown", fields(subcontract_id="nothing")),
    _work_at("subcontract-paid", "subcontract-overpaid", fields(amount_won=lambda e, _: e.data.amount_won * 9)),
    _work_at("subcontract-approved", "exceeds-contract", fields(amount_won=lambda e, _: e.data.amount_won * 99)),
    _work_at("inspected", "inspection-duplicate", again, after=True),
    _work_at("accepted", "inspection-unknown", fields(inspection_id="nothing")),
    _work_at("inspected", "inspection-failed", _accept_failed, after=True),
    _work_at("accepted", "acceptance-duplicate", again, after=True),
    _work_at(
        "accepted",
        "accepted-exceeds-instalment",
        lambda e, scene: swap(e, accepted_won=(_part(e, scene).amount_won or 0) + 1),
    ),
    _work_at("accepted", "final-inspection-missing", _close_early, after=True),
    _work_at("instalment-closed", "final-differs", fields(final_won=lambda e, _: e.data.final_won + 1)),
    _work_at("accepted", "completed-unpaid", _complete_unpaid, after=True),
]

# --- payments -------------------------------------------------------------------------------------------


def _pair(event: Event, scene: Scene, kind: str, won: int, *, instalment: int = 1) -> list[Event]:
    """A payment on the contract's obligation, and its half on the contract."""
    process_id = event.subject.removeprefix("contract/")
    subject = scene.contract(event.subject).instalments[instalment].lines[0][0]
    found = scene.budget(subject).obligations.items()
    name, obligation = next(
        (name, one) for name, one in found if (one.contract_process_id, one.instalment) == (process_id, instalment)
    )
    paid = {"payment_id": "x", "obligation_id": name, "line_id": obligation.line_id, "amount_won": won}
    paid |= {"payee": {"kind": "NOT_STATED"}, "contract_paid_id": "cp-x"}
    half = {"payment_id": "x", "amount_won": won, "budget_paid_id": "bp-x", "budget_subject": subject}
    return [
        like(event, "budget.paid.v1", paid, subject=subject, id="bp-x"),
        like(event, _at(kind), {**half, "instalment": instalment}, id="cp-x"),
    ]


def _open_won(event: Event, scene: Scene, instalment: int) -> int:
    process_id = event.subject.removeprefix("contract/")
    subject = scene.contract(event.subject).instalments[instalment].lines[0][0]
    for one in scene.budget(subject).obligations.values():
        if (one.contract_process_id, one.instalment) == (process_id, instalment):
            return one.amount_won - one.paid_won
    return 0


def _beyond_amended(event: Event, scene: Scene) -> Built:
    number = event.data.instalment
    part, open_won = _part(event, scene), _open_won(event, scene, number)
    if event.data.delta_won >= 0 or open_won <= (part.amount_won or 0) - part.cash_won - part.kept_won:
        return None
    return _pair(event, scene, "paid", open_won, instalment=number)


def _large_advance(event: Event, scene: Scene) -> Built:
    return _pair(event, scene, "advance-paid", event.data.amount_won * 8 // 10)


def _beyond_settled(event: Event, scene: Scene) -> Built:
    part = scene.contract(event.subject).instalments[1]
    if not part.payable_won:
        return _pair(event, scene, "paid", 1) if part.accepted_won else None
    return _pair(event, scene, "paid", 1)


def _set_off(event: Event, scene: Scene) -> Built:
    """All of the advance comes back, though one won of accepted work was set off against it."""
    data, part = event.data, _part(event, scene)
    paid = scene.budget(data.budget_subject).payments[data.payment_id]
    obligation = scene.budget(data.budget_subject).obligations[paid.obligation_id]
    if obligation.amount_won <= obligation.paid_won or (part.amount_won or 0) - part.accepted_won < 2:
        return None
    inspected = {"inspection_id": "x", "instalment": data.instalment, "kind": "PROGRESS", "result": "PASS"}
    worked = {"inspection_id": "x", "instalment": data.instalment, "accepted_won": 2}
    first, half = _pair(event, scene, "paid", 1, instalment=data.instalment)
    back = {"return_id": "x", "payment_id": data.payment_id, "amount_won": data.amount_won}
    shown = {**back, "instalment": data.instalment, "budget_returned_id": "br-x", "budget_subject": data.budget_subject}
    lawful = {**back, "reason_ko": "반납", "contract_returned_id": "cr-x"}
    return [
        like(event, _at("inspected"), inspected),
        like(event, _at("accepted"), worked),
        first,
        replace(half, data=replace(half.data, advance_offset_won=1)),
        like(event, "budget.returned.v1", lawful, subject=data.budget_subject, id="br-x"),
        like(event, _at("returned"), shown, id="cr-x"),
    ]


def _corrected_after_return(event: Event, scene: Scene) -> Built:
    """The payment that was given back in part is taken back on the contract, as if nothing had been."""
    data = event.data
    paid = scene.last(_at("paid"), event.subject)
    if paid is None or paid.data.payment_id != data.payment_id:
        return None
    why = {"reason": "TYPO", "reason_ko": "오기", "budget_corrected_id": "x", "budget_subject": data.budget_subject}
    return like(event, _at("corrected"), {"corrects": paid.id, **why})


PAYMENTS = [
    _work_at("paid", "payment-unknown", fields(payment_id="nothing")),
    Wrong(
        "contract.payment-differs",
        _at("paid"),
        lambda event, _: replace(event, data=replace(event.data, amount_won=event.data.amount_won - 1)),
    ),
    _work_at("paid", "payment-duplicate", again, after=True),
    Wrong("contract.payment-alone", _at("paid"), again, asked="groups"),
    _work_at("returned", "return-duplicate", again, after=True),
    _work_at("returned", "return-differs", fields(amount_won=lambda e, _: e.data.amount_won + 1)),
    _work_at("advance-paid", "return-set-off", _set_off, after=True),
    _work_at("returned", "payment-returned", _corrected_after_return, after=True),
    _work_at("amended", "instalment-overpaid", _beyond_amended, after=True),
    _work_at("signed", "advance-limit", _large_advance, after=True),
    Wrong(
        "contract.offset-exceeds-advance",
        _at("paid"),
        lambda e, scene: replace(
            e,
            data=replace(e.data, advance_offset_won=_part(e, scene).advance_won - _part(e, scene).offset_won + 1),
        ),
    ),
    _work_at("signed", "exceeds-accepted", lambda e, scene: _pair(e, scene, "paid", 1), after=True),
    _work_at("terminated", "exceeds-settled", _beyond_settled, after=True),
]

# --- damages, the end, the warranty ---------------------------------------------------------------------


def _late_at_the_end(event: Event, scene: Scene) -> Built:
    part = _part(event, scene)
    base = part.amount_won or 0
    data = {"assessment_id": "x", "instalment": event.data.instalment, "days": 1, "base_won": base}
    won = base * 1_250 // 1_000_000
    return like(
        event,
        _at("delay-damages-assessed"),
        {**data, "rate_ppm": 1_250, "amount_won": won, "settled_by": "OFFSET"},
    )


def _endless(event: Event, _: Scene) -> Built:
    days = 10_000
    won = event.data.base_won * days * event.data.rate_ppm // 1_000_000
    return swap(event, days=days, amount_won=won)


ENDING = [
    _work_at("delay-damages-assessed", "assessment-duplicate", again, after=True),
    _work_at("delay-damages-assessed", "damages-base", fields(base_won=lambda e, _: e.data.base_won + 1)),
    _work_at("delay-damages-assessed", "damages-differ", fields(amount_won=lambda e, _: e.data.amount_won - 1)),
    _work_at("delay-damages-assessed", "damages-limit", _endless),
    _work_at("instalment-closed", "damages-not-kept", _late_at_the_end, after=True),
    _work_at("completed", "ended", lambda event, _: like(event, _at("started"), {"instalment": 1}), after=True),
    _work_at(
        "terminated",
        "settled-below-paid",
        lambda e, _: swap(e, settled_won=e.data.settled_won - 1) if e.data.settled_won else None,
    ),
    _work_at("terminated", "settled-exceeds-contract", fields(settled_won=10**15)),
    _work_at("warranty-set", "warranty-over", fields(until="2019-12-31")),
    _work_at("warranty-claimed", "claim-duplicate", again, after=True),
]

# --- corrections ----------------------------------------------------------------------------------------


def _no_basis(event: Event, scene: Scene) -> Built:
    accepted = scene.last(_at("accepted"), event.subject)
    posting = None if accepted is None else scene.contract(event.subject).postings.get(accepted.id)
    # What a correction has taken back is known by another type.
    if accepted is None or posting is None or posting.type != accepted.type:
        return None
    data = {"corrects": accepted.id, "reason": "TYPO", "reason_ko": "오기"}
    return like(event, _at("corrected"), data)


def _unaccepted(event: Event, scene: Scene) -> Built:
    return _no_basis(event, scene) if isinstance(event.data.inspection_id, str) else None


def _one_won_less(event: Event, _: Scene) -> Built:
    paid = event.data.replacement.paid
    if event.data.budget_corrected_id is UNSET or paid is UNSET:
        return None
    replaced = ContractReplacement(paid=replace(paid, amount_won=paid.amount_won - 1))
    return replace(event, data=replace(event.data, replacement=replaced))


def _alone(build: Any) -> Any:
    return lambda event, scene: build(event, scene) if event.data.budget_corrected_id is UNSET else None


def _other_type(event: Event, _: Scene) -> Built:
    inspected = event.data.replacement.amended is UNSET
    return swap(event, replacement=_EMPTY) if inspected else None


_EMPTY = ContractReplacement()
FIXES = [
    _work_at("corrected", "correction-unknown", _alone(fields(corrects="nothing"))),
    _work_at("corrected", "corrected-twice", _alone(again), after=True),
    _work_at("corrected", "replacement-type", _alone(_other_type)),
    _work_at("completed", "correction-basis", _no_basis, after=True),
    _work_at("corrected", "correction-pair", _alone(fields(budget_corrected_id="x", budget_subject="budget/x/2020"))),
    _work_at("corrected", "correction-differs", _one_won_less),
    _work_at("paid", "correction-breaks", _unaccepted, after=True),
]
WORKING = [*WORK, *PAYMENTS, *ENDING, *FIXES]
