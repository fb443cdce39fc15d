"""May a line be bound? Obligations (지출원인행위) and their adjustment: paid ≤ obligated ≤ allotted.

An obligation behind a contract comes before the signing, stays within what its instalment is signed for, and does not
sink below it until the contract ends: the two streams ask each other (`obligated_for`, `ContractState.instalments`).
Payments are in `budget_payment`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.budget_checks import overspent, require_in_force, require_line, require_open_year, stated
from audit_service.rules.budget_postings import post
from audit_service.rules.budget_states import BudgetState, Line, Obligation
from audit_service.rules.contract_states import UNIT_PRICE
from audit_service.rules.dates import day_number
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_budget, read_contract

if TYPE_CHECKING:
    from audit_service.catalogue.budget import ObligationAdjusted, ObligationIncurred
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import Posting
    from audit_service.rules.undo import Changes


def obligated_for(state: BudgetState, process_id: str, instalment: int, line_id: str | None = None) -> int:
    """How much do this budget's obligations bind for one instalment of a contract, in won? On one line, or on all."""
    key = f"{process_id} {instalment}"
    return state.bound.get(key if line_id is None else f"{key} {line_id}", 0)


def instalment_of(data: ObligationIncurred) -> int:
    """Which instalment of its contract does an obligation pay for? The first, where none is stated."""
    return data.instalment if isinstance(data.instalment, int) else 1


def require_obligation(state: BudgetState, event: Event, obligation_id: str) -> Obligation:
    """Which obligation of this budget is meant?

    Raises:
        RuleBroken: `budget.obligation-unknown`.
    """
    obligation = state.obligations.get(obligation_id)
    if obligation is None or not obligation.standing:
        raise RuleBroken(
            "budget.obligation-unknown",
            f"obligation {obligation_id} is not incurred",
            stream=event.subject,
        )
    return obligation


def decide_obligation(world: World, state: BudgetState, event: Event) -> None:
    """May this obligation be incurred? Within what is allotted and free; its contract is planned."""
    year = require_open_year(state, event)
    data: ObligationIncurred = event.data
    line = require_line(state, event, data.line_id)
    require_in_force(year, event, line)
    known = state.obligations.get(data.obligation_id)
    if known is not None and known.standing:
        raise RuleBroken(
            "budget.obligation-duplicate",
            f"obligation {data.obligation_id} is already incurred",
            stream=event.subject,
        )
    _require_allotted(event, line, won=data.amount_won)
    process_id, instalment = stated(data.contract_process_id), instalment_of(data)
    if process_id is not None:
        _require_contract(world, event, process_id)
        _require_instalment(world, state, event, process_id=process_id, instalment=instalment, won=data.amount_won)
    elif isinstance(data.instalment, int):
        raise RuleBroken("budget.instalment-alone", "an instalment of no contract", stream=event.subject)


def _require_allotted(event: Event, line: Line, *, won: int) -> None:
    available_won = line.allotted_won - line.obligated_won
    if won > available_won:
        raise overspent(event, "obligations may not exceed allotments", asked_won=won, available_won=available_won)


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


def _require_instalment(
    world: World, state: BudgetState, event: Event, *, process_id: str, instalment: int, won: int
) -> None:
    """Do the obligations for an instalment stay within what it is signed for? Before the signing nothing binds them."""
    contract = read_contract(world, process_id)
    signed = None if contract is None else contract.instalments.get(instalment)
    if signed is None or signed.amount_won is None:
        return
    bound_won = obligated_for(state, process_id, instalment)
    if bound_won + won > signed.amount_won:
        raise RuleBroken(
            "budget.contract-exceeded",
            f"obligations of {bound_won + won} won for an instalment signed for {signed.amount_won} won",
            stream=event.subject,
            columns={"obligated_won": bound_won + won, "signed_won": signed.amount_won},
            allowed=signed.amount_won - bound_won,
        )


def require_backing(
    world: World, state: BudgetState, event: Event, *, process_id: str, instalment: int, line_id: str, less_won: int
) -> None:
    """Is what the city owes for a signed instalment still obligated, with so much less on this line?

    Asked of the lines that the instalment names: one into which its money was carried backs no signing.

    Raises:
        RuleBroken: `budget.obligation-backs-contract`.
    """
    contract = read_contract(world, process_id)
    signed = None if contract is None else contract.instalments.get(instalment)
    if contract is None or signed is None or signed.owed_won is None:
        return
    known = contract.contract[ONLY]
    if known.ended is not None or known.contract_type == UNIT_PRICE or (event.subject, line_id) not in signed.lines:
        return
    bound_won = 0
    for subject, named in signed.lines:
        budget = state if subject == event.subject else read_budget(world, subject)
        bound_won += 0 if budget is None else obligated_for(budget, process_id, instalment, named)
    if bound_won - less_won < signed.owed_won:
        raise RuleBroken(
            "budget.obligation-backs-contract",
            f"{bound_won - less_won} won would be obligated for an instalment of {signed.owed_won} won",
            stream=event.subject,
            columns={"obligated_won": bound_won - less_won, "signed_won": signed.owed_won, "instalment": instalment},
            # An adjustment may take so much; after a correction so much must be obligated.
            allowed=min(signed.owed_won - bound_won, 0) if less_won else signed.owed_won,
        )


def evolve_obligation(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the obligation on its line, and for its contract; one that a correction took back comes back changed."""
    data: ObligationIncurred = event.data
    process_id, instalment = stated(data.contract_process_id), instalment_of(data)
    known, day = state.obligations.get(data.obligation_id), day_number(event.legal_date)
    amount_won, paid_won, uses = (0, 0, 0) if known is None else (known.amount_won, known.paid_won, known.uses)
    undo.put(
        state.obligations,
        data.obligation_id,
        Obligation(
            data.line_id,
            amount_won + data.amount_won,
            process_id,
            instalment,
            stated(data.actor_role),
            paid_won,
            uses,
            # What is paid on it stays after it, though a correction posts it anew.
            legal_day=day if known is None else min(day, known.legal_day),
        ),
    )
    _bind(state, undo, state.obligations[data.obligation_id], data.amount_won)
    post(state, event, undo, (data.line_id, "obligated_won", data.amount_won), named=data.obligation_id)


def _bind(state: BudgetState, undo: Changes, obligation: Obligation, won: int) -> None:
    if obligation.contract_process_id is None:
        return
    whole = f"{obligation.contract_process_id} {obligation.instalment}"
    for key in (whole, f"{whole} {obligation.line_id}"):
        undo.put(state.bound, key, state.bound.get(key, 0) + won)


def reverse_obligation(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the obligation back; what was paid and adjusted on it waits for the replacement."""
    obligation = state.obligations[posting.named]
    won = int(posting.moves[2])
    undo.put(
        state.obligations,
        posting.named,
        obligation._replace(amount_won=obligation.amount_won - won, standing=False),
    )
    _bind(state, undo, obligation, -won)


def decide_change(world: World, state: BudgetState, event: Event) -> None:
    """May the obligation be made larger or smaller? Not beyond allotment and contract, not below what is paid."""
    year = require_open_year(state, event)
    data: ObligationAdjusted = event.data
    obligation = require_obligation(state, event, data.obligation_id)
    if data.delta_won == 0:
        raise RuleBroken("budget.amount-zero", "nothing would be moved", stream=event.subject)
    line = state.lines[obligation.line_id]
    if data.delta_won > 0:
        require_in_force(year, event, line)
        _require_allotted(event, line, won=data.delta_won)
        if obligation.contract_process_id is not None:
            _require_instalment(
                world,
                state,
                event,
                process_id=obligation.contract_process_id,
                instalment=obligation.instalment,
                won=data.delta_won,
            )
    elif obligation.contract_process_id is not None:
        require_backing(
            world,
            state,
            event,
            process_id=obligation.contract_process_id,
            instalment=obligation.instalment,
            line_id=obligation.line_id,
            less_won=-data.delta_won,
        )
    if obligation.amount_won + data.delta_won < obligation.paid_won:
        raise RuleBroken(
            "budget.obligation-paid",
            f"{obligation.paid_won} won of {obligation.amount_won} won obligated are paid",
            stream=event.subject,
            columns={"obligated_won": obligation.amount_won, "paid_won": obligation.paid_won},
            allowed=obligation.paid_won - obligation.amount_won,
        )
    if line.obligated_won + data.delta_won < line.executed_won + line.bound_out_won:
        raise RuleBroken(
            "budget.obligation-carried-over",
            "the rest of the line's obligations is carried over",
            stream=event.subject,
            columns={"obligated_won": line.obligated_won, "carried_out_won": line.bound_out_won},
            allowed=line.executed_won + line.bound_out_won - line.obligated_won,
        )


def evolve_change(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the change on the obligation, its line and its contract."""
    data: ObligationAdjusted = event.data
    obligation = _adjust(state, undo, data.obligation_id, won=data.delta_won, uses=1)
    post(state, event, undo, (obligation.line_id, "obligated_won", data.delta_won), named=data.obligation_id)


def reverse_change(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the change back from the obligation and its contract."""
    _adjust(state, undo, posting.named, won=-int(posting.moves[2]), uses=-1)


def _adjust(state: BudgetState, undo: Changes, obligation_id: str, *, won: int, uses: int) -> Obligation:
    obligation = state.obligations[obligation_id]
    changed = obligation._replace(amount_won=obligation.amount_won + won, uses=obligation.uses + uses)
    undo.put(state.obligations, obligation_id, changed)
    _bind(state, undo, obligation, won)
    return changed
