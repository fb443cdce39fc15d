"""May a mistake be taken back (정정)? Reverse what an event posted, then let the replacement pass its own rule.

`budget.corrected.v1` never erases: both events stay in the log, the state counts the reversal and the
replacement from here on. The rule tries it out on the stream's own state and rolls it back, so that deciding
leaves no trace; `docs/adr/0008` says why. In this order:

1. the target is an event of this budget whose type can be corrected, and no correction took it back;
2. the replacement, if any, is of the target's type; a payment on a contract has its contract's half, and a return on
   one is not corrected at all;
3. reversed, then replaced by the type's own rule, as if the year were open;
4. every line, obligation, payment, item, round and use that was touched still stands as it must.

A correction is itself corrected under its own id: its replacement is then the target, and it may bring back what
it had taken away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.catalogue.budget import Replacement
from audit_service.catalogue.common import Basis, Payload
from audit_service.catalogue.event import Event
from audit_service.rules import budget_allotment as allotment
from audit_service.rules import budget_appropriation as money
from audit_service.rules import budget_book as book
from audit_service.rules import budget_carry_over as carry_over
from audit_service.rules import budget_moves as moves
from audit_service.rules import budget_payment as payment
from audit_service.rules import budget_spending as spending
from audit_service.rules.budget_checks import require_legal_date, require_opened_year, stated
from audit_service.rules.budget_postings import book as book_moves
from audit_service.rules.budget_postings import keep, known_posting, posting_of
from audit_service.rules.budget_standing import remember, require_standing
from audit_service.rules.budget_states import TAKEN_BACK, BudgetState, Correction, Payment, Posting
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.undo import Undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_service.catalogue.budget import Corrected
    from audit_service.rules.budget_states import Year
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def _nothing_else(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Columns were all that it moved."""


class Correctable(NamedTuple):
    """A type that can be corrected: its rule, and how its effects beside the columns are reversed."""

    decide: Callable[[World, BudgetState, Event], None]
    evolve: Callable[[BudgetState, Event, Changes], None]
    reverse: Callable[[BudgetState, Posting, Changes], None] = _nothing_else


CORRECTABLE: dict[str, Correctable] = {
    "budget.appropriated.v1": Correctable(money.decide_original, money.evolve_original, money.reverse_original),
    "budget.supplemented.v1": Correctable(money.decide_supplement, money.evolve_supplement, money.reverse_supplement),
    "budget.pre-appropriation-used.v1": Correctable(
        money.decide_early_use, money.evolve_early_use, money.reverse_early_use
    ),
    "budget.revenue-substituted.v1": Correctable(
        money.decide_substitute, money.evolve_substitute, money.reverse_substitute
    ),
    "budget.reserve-released.v1": Correctable(moves.decide_reserve, moves.evolve_reserve),
    "budget.cross-transferred.v1": Correctable(moves.decide_crossed, moves.evolve_crossed),
    "budget.transferred.v1": Correctable(moves.decide_transferred, moves.evolve_transferred),
    "budget.reassigned.v1": Correctable(moves.decide_reassigned, moves.evolve_reassigned),
    "budget.adjusted.v1": Correctable(moves.decide_adjusted, moves.evolve_adjusted),
    "budget.allotted.v1": Correctable(allotment.decide_allotted, allotment.evolve_allotted),
    "budget.reallotted.v1": Correctable(
        allotment.decide_reallotted, allotment.evolve_reallotted, allotment.reverse_reallotted
    ),
    "budget.obligation-incurred.v1": Correctable(
        spending.decide_obligation, spending.evolve_obligation, spending.reverse_obligation
    ),
    "budget.obligation-adjusted.v1": Correctable(
        spending.decide_change, spending.evolve_change, spending.reverse_change
    ),
    "budget.paid.v1": Correctable(payment.decide_paid, payment.evolve_paid, payment.reverse_paid),
    "budget.returned.v1": Correctable(payment.decide_returned, payment.evolve_returned, payment.reverse_returned),
    "budget.carryover-declared.v1": Correctable(carry_over.decide_declared, carry_over.evolve_declared),
    "budget.cost-basis-recorded.v1": Correctable(
        book.decide_cost_basis, book.evolve_cost_basis, book.reverse_cost_basis
    ),
    "budget.schedule-set.v1": Correctable(book.decide_schedule, book.evolve_schedule, book.reverse_schedule),
}


def member_of(event_type: str) -> str:
    """Which member of a `Replacement` replaces an event of this type?

    >>> member_of("budget.cost-basis-recorded.v1")
    'cost_basis_recorded'
    """
    return event_type.split(".")[1].replace("-", "_")


def decide_corrected(world: World, state: BudgetState, event: Event) -> None:
    """May this event be taken back, and replaced by that? Tried out, looked at, and rolled back."""
    year = require_opened_year(state, event)
    _require_day(event, year)
    target_id, target = _require_target(state, event)
    replacement = _require_replacement(event, target)
    _require_contract_half(state, event, target, replacement)
    _require_no_return_on_contract(state, event, target, replacement)
    undo = Undo()
    try:
        _try(world, state, event, undo, target_id=target_id, replacement=replacement, year=year)
    finally:
        undo.rollback(to=0)


def _require_day(event: Event, year: Year) -> None:
    """Own legal date: in an open year inside it, afterwards on its last day or later and by an audit's document."""
    if not year.closed:
        require_legal_date(event, first=year.opens_on, last=year.closes_on)
        return
    require_legal_date(event, first=year.closes_on, last=None)
    if not isinstance(event.data.basis, Basis):
        raise RuleBroken(
            "budget.correction-basis",
            "a closed year is corrected only on an audit's document",
            stream=event.subject,
            allowed="basis",
        )


def _require_target(state: BudgetState, event: Event) -> tuple[str, Posting]:
    target_id = stated(event.data.corrects)
    target = None if target_id is None else posting_of(state, target_id)
    if target_id is None or target is None:
        raise RuleBroken(
            "budget.correction-target",
            "no event of this budget that can be corrected has the id in `corrects`",
            stream=event.subject,
            allowed="corrects",
        )
    if target_id in state.corrected:
        raise RuleBroken(
            "budget.corrected-twice",
            "the event is corrected already; correct the correction",
            stream=event.subject,
            allowed=state.corrected[target_id],
        )
    return target_id, target


def _require_replacement(event: Event, target: Posting) -> Any:
    """Which payload replaces the target? None where the event is only taken back."""
    data: Corrected = event.data
    if not isinstance(data.replacement, Replacement):
        return None
    members = {name: getattr(data.replacement, name) for name in data.replacement.__struct_fields__}
    found = {name: value for name, value in members.items() if isinstance(value, Payload)}
    expected = member_of(target.event_type)
    if list(found) != [expected]:
        raise RuleBroken(
            "budget.correction-replacement",
            "a replacement is one payload of the corrected event's own type",
            stream=event.subject,
            columns={"replacement": {"stated": sorted(found), "expected": [expected]}},
            allowed=expected,
        )
    return found[expected]


def _payment_of(state: BudgetState, target: Posting) -> Payment | None:
    """Which standing payment would the correction take back?"""
    if target.event_type != "budget.paid.v1" or target.named == TAKEN_BACK:
        return None
    return state.payments[target.named]


def _require_contract_half(state: BudgetState, event: Event, target: Posting, replacement: Any) -> None:
    """Is the contract told, exactly when the payment is on one? Its half is the replacement's half from now on."""
    data: Corrected = event.data
    half = stated(data.contract_corrected_id)
    old = _payment_of(state, target)
    on_contract = old is not None and old.contract_paid_id is not None
    new_half = None
    if target.event_type == "budget.paid.v1" and replacement is not None:
        new_half = stated(replacement.contract_paid_id)
    fits = (half is not None) == on_contract and new_half in (None, half)
    if not fits:
        raise RuleBroken(
            "budget.contract-half-missing",
            "a payment on a contract is corrected on both streams, and its replacement names that half",
            stream=event.subject,
            columns={
                "contract_corrected_id": {"stated": half is not None, "expected": on_contract},
                "contract_paid_id": {"stated": new_half, "expected": half},
            },
            allowed=half,
        )
    if old is None or replacement is None:
        return
    before = state.obligations[old.obligation_id].contract_process_id
    after = state.obligations.get(replacement.obligation_id)
    if after is not None and after.contract_process_id not in (None, before):
        raise RuleBroken(
            "budget.correction-contract",
            "a corrected payment stays on its contract, or leaves it",
            stream=event.subject,
            allowed=before,
        )


def _require_no_return_on_contract(state: BudgetState, event: Event, target: Posting, replacement: Any) -> None:
    """Is no return corrected that a contract shows too? It is made good by a payment on both streams."""
    if target.event_type != "budget.returned.v1":
        return
    shown = target.named != TAKEN_BACK and state.returns[target.named.split(" ")[0]].contract_returned_id is not None
    if shown or (replacement is not None and stated(replacement.contract_returned_id) is not None):
        raise RuleBroken(
            "budget.return-on-contract",
            "a return on a contract is not corrected: what came back wrongly is paid again",
            stream=event.subject,
            columns={"corrected_type": target.event_type},
            allowed="budget.paid.v1",
        )


def _try(
    world: World,
    state: BudgetState,
    event: Event,
    undo: Undo,
    *,
    target_id: str,
    replacement: Any,
    year: Year,
) -> None:
    before = remember(state, known_posting(state, target_id))
    _reverse(state, undo, target_id)
    posting = known_posting(state, target_id)
    if replacement is not None:
        now = state.year[ONLY]
        # What was wrong in time may be put right later: the end of the year, or of a provisional budget, is lifted.
        undo.put(state.year, ONLY, now._replace(closed=False, settled=False, provisional_until=year.closes_on))
        day = year.closes_on if year.closed else event.legal_date
        step = _as_replaced(event, posting.event_type, replacement, legal_date=day)
        rule = CORRECTABLE[posting.event_type]
        rule.decide(world, state, step)
        rule.evolve(state, step, undo)
    require_standing(world, state, event, before, year=year)


def _as_replaced(event: Event, event_type: str, replacement: Any, *, legal_date: str | None) -> Event:
    """The event that the replacement would have been: under the correction's id, on its stream, by its source."""
    return Event(
        type=event_type,
        subject=event.subject,
        source=event.source,
        id=event.id,
        time=event.time,
        legal_date=legal_date,
        position=event.position,
        recorded_time=event.recorded_time,
        data=replacement,
        index=event.index,
        sequence=event.sequence,
    )


def _reverse(state: BudgetState, undo: Changes, target_id: str) -> None:
    """Take back what the target posted; where it only took back itself, nothing is left to reverse."""
    target = known_posting(state, target_id)
    if target.named == TAKEN_BACK and not target.moves:
        return
    book_moves(state, undo, target.moves, sign=-1)
    CORRECTABLE[target.event_type].reverse(state, target, undo)


def evolve_corrected(state: BudgetState, event: Event, undo: Changes) -> None:
    """Reverse the target, post the replacement under the correction's id, and remember who took back whom."""
    data: Corrected = event.data
    target_id = str(data.corrects)
    target = known_posting(state, target_id)
    old = _payment_of(state, target)
    _reverse(state, undo, target_id)
    undo.put(state.corrected, target_id, event.id)
    if isinstance(data.replacement, Replacement):
        rule = CORRECTABLE[target.event_type]
        payload = getattr(data.replacement, member_of(target.event_type))
        rule.evolve(state, _as_replaced(event, target.event_type, payload, legal_date=event.legal_date), undo)
    else:
        keep(state, event.id, undo, Posting(target.event_type, TAKEN_BACK, ()))
    if target.event_type == "budget.paid.v1":
        undo.put(state.corrections, event.id, _correction_of(state, event, target_id, old))


def _correction_of(state: BudgetState, event: Event, target_id: str, old: Payment | None) -> Correction:
    """What the contract's half must answer: the payment's old and new amount, and its contract before."""
    new = _payment_of(state, known_posting(state, event.id))
    either = old or new
    process_id = None
    if old is not None:
        process_id = state.obligations[old.obligation_id].contract_process_id
    return Correction(
        corrects=target_id,
        payment_id=known_posting(state, event.id).named or known_posting(state, target_id).named,
        old_won=0 if old is None else old.amount_won,
        new_won=0 if new is None else new.amount_won,
        contract_process_id=process_id if either is not None else None,
        contract_corrected_id=stated(event.data.contract_corrected_id),
        legal_date=event.legal_date or "",
    )
