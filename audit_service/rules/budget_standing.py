"""Does everything still stand after a correction? The lines it touched, and whatever later events built on its target.

Each ordinary rule looks at what it changes; a correction changes what others rest on, so their invariants are
asked again: the columns of each line, the obligations behind payments, the amount that a contract is signed for, what
offices hold, rounds, uses before appropriation, items of a schedule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.rules.budget_postings import find_broken, lines_of, posting_of
from audit_service.rules.budget_spending import obligated_for, require_backing
from audit_service.rules.budget_states import TAKEN_BACK, BudgetState, Posting
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_contract

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import Obligation, Year

OBLIGED = ("budget.obligation-incurred.v1", "budget.obligation-adjusted.v1")
# While something stands on one of these, a correction leaves the rest of it as it is.
KEPT = {
    "obligation": ("line_id", "contract_process_id", "instalment", "role"),
    "payment": ("obligation_id",),
    "item": ("line_id",),
}


class Before(NamedTuple):
    """The target as it stood: its posting, what it brought into being (by kind), and its obligations' sums."""

    target: Posting
    built: dict[str, Any]
    bound: dict[str, int]


def remember(state: BudgetState, target: Posting) -> Before:
    """What did the target bring into being, as it stands now? What stands on it must find it again."""
    tables: dict[str, tuple[str, dict[str, Any]]] = {
        "budget.obligation-incurred.v1": ("obligation", state.obligations),
        "budget.paid.v1": ("payment", state.payments),
        "budget.cost-basis-recorded.v1": ("item", state.items),
        "budget.pre-appropriation-used.v1": ("use", state.pre_appropriations),
    }
    built = {}
    if target.event_type in tables and target.named != TAKEN_BACK:
        kind, table = tables[target.event_type]
        built[kind] = table[target.named]
    bound = dict(state.bound) if target.event_type in OBLIGED else {}
    return Before(target, built, bound)


def _breaks(event: Event, message: str, columns: dict[str, Any]) -> RuleBroken:
    return RuleBroken("budget.correction-breaks", message, stream=event.subject, columns=columns)


def require_standing(world: World, state: BudgetState, event: Event, before: Before, *, year: Year) -> None:
    """Does everything that the correction touched stand as it must, and all that stood on it? `year`: before it.

    Raises:
        RuleBroken: `budget.correction-breaks`, with the columns that would not stand, or
            `budget.obligation-backs-contract`.
    """
    new = posting_of(state, event.id)
    touched = lines_of(before.target.moves) + (() if new is None else lines_of(new.moves))
    for line_id in dict.fromkeys(touched):
        columns = find_broken(state.lines[line_id])
        if columns:
            raise _breaks(event, f"line {line_id} would not stand", columns)
    for kind, old in before.built.items():
        _require_found_again(state, event, before.target, kind, old)
    _require_paid_within(state, event, before.target)
    _require_signed_for(world, state, event, before)
    if before.target.event_type == "budget.reallotted.v1":
        _require_offices(state, event)
    _require_rounds(state, event, closed=year.closed)


def _require_rounds(state: BudgetState, event: Event, *, closed: bool) -> None:
    year = state.year[ONLY]
    if year.rounds and not year.appropriated:
        raise _breaks(event, "supplementary budgets stand on the original one", {"round": year.rounds})
    if any(ids is None and number <= year.rounds for number, ids in state.rounds.items()):
        raise _breaks(event, "later supplementary budgets follow this round", {"round": year.rounds})
    if closed:
        for use in state.pre_appropriations.values():
            if use.standing and use.round is None:
                columns = {"pre_appropriated_won": use.amount_won}
                raise _breaks(event, "a closed year leaves no use before appropriation open", columns)


def _require_offices(state: BudgetState, event: Event) -> None:
    for won in state.offices.values():
        if won < 0:
            raise _breaks(event, "an office would have given back more than it had", {"reallotted_won": won})


def _require_signed_for(world: World, state: BudgetState, event: Event, before: Before) -> None:
    """Where the correction binds more or less for an instalment than before: is that what it is signed for?"""
    if before.target.event_type not in OBLIGED:
        return
    for key, won in state.bound.items():
        process_id, number, *on_line = key.split(" ")
        if on_line and won < before.bound.get(key, 0):
            instalment = int(number)
            require_backing(
                world, state, event, process_id=process_id, instalment=instalment, line_id=on_line[0], less_won=0
            )
        if on_line or won <= before.bound.get(key, 0):
            continue
        contract = read_contract(world, process_id)
        signed = None if contract is None else contract.instalments.get(int(number))
        bound_won = obligated_for(state, process_id, int(number))
        if signed is not None and signed.amount_won is not None and bound_won > signed.amount_won:
            columns = {"obligated_won": {"computed": bound_won, "most": signed.amount_won}}
            raise _breaks(event, "more would be obligated than the contract is signed for", columns)


def _require_found_again(state: BudgetState, event: Event, target: Posting, kind: str, old: Any) -> None:
    """While something stands on an obligation, payment, item or use, only its amount is corrected."""
    name = target.named
    if kind == "use":
        if old.round is not None:
            raise _breaks(event, f"round {old.round} has taken this use in", {"round": old.round})
        return
    if not old.uses:
        return
    tables: dict[str, dict[str, Any]] = {
        "obligation": state.obligations,
        "payment": state.payments,
        "item": state.items,
    }
    new = tables[kind][name]
    columns = {
        column: {"stated": getattr(new, column), "expected": getattr(old, column)}
        for column in (*KEPT[kind], "standing")
        if getattr(new, column) != getattr(old, column)
    }
    if kind == "payment" and new.returned_won > new.amount_won:
        columns["returned_won"] = {"computed": new.returned_won, "most": new.amount_won}
    if columns:
        raise _breaks(event, f"{old.uses} later events stand on this {kind}", columns)


def _require_paid_within(state: BudgetState, event: Event, target: Posting) -> None:
    """Is the obligation behind the target still at least what is paid on it?"""
    obligation_id = target.named
    if target.event_type == "budget.returned.v1" and target.named != TAKEN_BACK:
        obligation_id = state.payments[target.named.split(" ")[1]].obligation_id
    obligation: Obligation | None = state.obligations.get(obligation_id)
    spends = (*OBLIGED, "budget.returned.v1")
    if target.event_type in spends and obligation is not None and obligation.paid_won > obligation.amount_won:
        raise _breaks(
            event,
            f"more than obligation {obligation_id} would be paid",
            {"paid_won": {"computed": obligation.paid_won, "most": obligation.amount_won}},
        )
