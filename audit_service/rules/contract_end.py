"""May the contract end? Completed when what its instalments came to is paid; terminated early for a stated reason.

After the end only warranties, damages and corrections follow, and after a termination payments up to what it was
settled at. A rescinded contract (해제) may be settled at less than was paid: the rest is to be given back, and shows
in the register. One that is cancelled from now on (해지) keeps at least what was paid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.contract_basics import is_imported, require_standing
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.contract import Completed, Terminated
    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import ContractState
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def decide_terminated(_: World, state: ContractState, event: Event) -> None:
    """May the contract be ended early? Its settlement covers what was paid, unless it is rescinded."""
    require_standing(state, event)
    data: Terminated = event.data
    paid_won = sum(one.cash_won for one in state.instalments.values())
    if data.kind == "CANCELLED" and data.settled_won < paid_won:
        raise RuleBroken(
            "contract.settled-below-paid",
            f"settled at {data.settled_won} won, {paid_won} won are paid",
            stream=event.subject,
            columns={"settled_won": data.settled_won, "paid_won": paid_won},
            allowed=paid_won,
        )
    amounts = [one.amount_won for one in state.instalments.values()]
    stated = [one for one in amounts if one is not None]
    if len(stated) == len(amounts) and data.settled_won > sum(stated):
        raise RuleBroken(
            "contract.settled-exceeds-contract",
            f"settled at {data.settled_won} won, the instalments are {sum(stated)} won",
            stream=event.subject,
            columns={"settled_won": data.settled_won, "instalments_won": sum(stated)},
            allowed=sum(stated),
        )


def evolve_terminated(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the end, and the most that is paid in all."""
    data: Terminated = event.data
    undo.put(state.contract, ONLY, state.contract[ONLY]._replace(ended=data.kind, settled_won=data.settled_won))


def decide_completed(_: World, state: ContractState, event: Event) -> None:
    """May the contract be completed? All instalments are closed, and paid but for damages kept back."""
    require_standing(state, event)
    data: Completed = event.data
    open_numbers = [number for number, one in state.instalments.items() if one.final_won is None]
    if open_numbers:
        raise RuleBroken(
            "contract.instalment-open",
            f"instalment {open_numbers[0]} is not closed",
            stream=event.subject,
            columns={"instalment": open_numbers[0]},
        )
    final_won = sum(one.final_won or 0 for one in state.instalments.values())
    if data.final_won != final_won:
        raise RuleBroken(
            "contract.final-differs",
            f"{data.final_won} won stated, the instalments came to {final_won} won",
            stream=event.subject,
            columns={"final_won": {"stated": data.final_won, "expected": final_won}},
            allowed=final_won,
        )
    paid_won = sum(one.cash_won for one in state.instalments.values())
    kept_won = sum(one.kept_won for one in state.instalments.values())
    if paid_won + kept_won != final_won and not is_imported(data):
        raise RuleBroken(
            "contract.completed-unpaid",
            f"{final_won} won final, {paid_won} won paid and {kept_won} won kept back",
            stream=event.subject,
            columns={"final_won": final_won, "paid_won": paid_won, "kept_won": kept_won},
        )


def evolve_completed(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the end."""
    paid = not is_imported(event.data)
    undo.put(state.contract, ONLY, state.contract[ONLY]._replace(ended="COMPLETED", fully_paid=paid))
