"""May an instalment be changed (변경계약)? Never below what is settled, nor above what stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.contract_backing import (
    CONTINUING,
    amounts_by_year,
    require_bindable,
    require_lines,
    require_plan,
    require_total_noted,
)
from audit_service.rules.contract_basics import (
    contract_total_won,
    require_open_instalment,
    require_period,
    require_standing,
    stated_text,
    stated_won,
)
from audit_service.rules.contract_states import UNIT_PRICE, Amendment, ContractState, Instalment, Posting
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.contract import Amended
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def decide_amended(world: World, state: ContractState, event: Event) -> None:
    """May the instalment be changed (변경계약)? Not below what is accepted or paid, nor above lines and obligations."""
    contract = require_standing(state, event)
    data: Amended = event.data
    instalment = require_open_instalment(state, event, data.instalment)
    new_total_won = stated_won(data.new_total_noted_won)
    if data.delta_won == 0 and new_total_won is None and stated_text(data.new_end) is None:
        raise RuleBroken(
            "contract.amendment-empty",
            "the amendment changes nothing",
            stream=event.subject,
            allowed="delta_won, new_end or new_total_noted_won",
        )
    require_period(event, instalment.start, data.new_end)
    amount_won = instalment.amount_won
    if amount_won is None:
        if data.delta_won != 0:
            raise RuleBroken(
                "contract.amount-missing",
                "an amount that is not stated cannot be changed by one",
                stream=event.subject,
                columns={"amount_won": None, "delta_won": data.delta_won},
                allowed=0,
            )
    else:
        _require_amount(world, state, event, instalment, amount_won=amount_won + data.delta_won)
    total_won = contract.total_noted_won if new_total_won is None else new_total_won
    instalments_won = contract.instalments_won + (data.delta_won if amount_won is not None else 0)
    require_total_noted(event, total_noted_won=total_won, instalments_won=instalments_won)
    _require_subcontracts(state, event, total_noted_won=total_won, instalments_won=instalments_won)
    if contract.contract_type == CONTINUING:
        years = amounts_by_year(state)
        years[instalment.fiscal_year] += data.delta_won
        require_plan(world, event, contract, contract.plan, years=years)


def _require_amount(
    world: World, state: ContractState, event: Event, instalment: Instalment, *, amount_won: int
) -> None:
    """May an instalment come to this amount?"""
    data: Amended = event.data
    floor_won = max(instalment.accepted_won, instalment.cash_won + instalment.kept_won)
    if amount_won < max(floor_won, 0):
        raise RuleBroken(
            "contract.amendment-below-settled",
            f"{amount_won} won would be left, {floor_won} won are accepted or paid",
            stream=event.subject,
            columns={
                "amount_won": amount_won,
                "accepted_won": instalment.accepted_won,
                "paid_won": instalment.cash_won,
                "kept_won": instalment.kept_won,
            },
            allowed=floor_won - (amount_won - data.delta_won),
        )
    if data.delta_won > 0:
        lines = instalment.lines
        require_lines(world, event, lines, fiscal_year=instalment.fiscal_year, amount_won=amount_won)
        if state.contract[ONLY].contract_type != UNIT_PRICE:
            require_bindable(world, event, lines, instalment=data.instalment, amount_won=amount_won)


def _require_subcontracts(
    state: ContractState, event: Event, *, total_noted_won: int | None, instalments_won: int
) -> None:
    contract = state.contract[ONLY]
    total_won = contract_total_won(state) if total_noted_won is None else total_noted_won
    if total_noted_won is None and total_won is not None:
        total_won = instalments_won
    if total_won is not None and contract.subcontracts_won > total_won:
        raise RuleBroken(
            "contract.exceeds-contract",
            f"subcontracts of {contract.subcontracts_won} won, {total_won} won would be left of the contract",
            stream=event.subject,
            columns={"subcontracts_won": contract.subcontracts_won, "contract_won": total_won},
            allowed=contract.subcontracts_won,
        )


def evolve_amended(state: ContractState, event: Event, undo: Changes) -> None:
    """Book the amendment behind the others."""
    apply_amendment(state, event, undo, order=len(state.amendments) + 1)


def apply_amendment(state: ContractState, event: Event, undo: Changes, *, order: int) -> None:
    """Book an amendment at its place in the order of amendments."""
    data: Amended = event.data
    amendment = Amendment(order, data.instalment, data.delta_won, stated_won(data.new_total_noted_won))
    undo.put(state.amendments, event.id, amendment)
    undo.put(state.postings, event.id, Posting(event.type, event.id))
    move_amount(state, undo, instalment=data.instalment, delta_won=data.delta_won)


def move_amount(state: ContractState, undo: Changes, *, instalment: int, delta_won: int) -> None:
    """Let an instalment's amount follow its amendments, and the total noted the last one that states it."""
    old = state.instalments[instalment]
    contract = state.contract[ONLY]
    if old.amount_won is not None:
        undo.put(state.instalments, instalment, old._replace(amount_won=old.amount_won + delta_won))
        contract = contract._replace(instalments_won=contract.instalments_won + delta_won)
    noted = [one for one in state.amendments.values() if one is not None and one.new_total_noted_won is not None]
    last = max(noted, key=lambda one: one.order, default=None)
    total_won = contract.signed_total_won if last is None else last.new_total_noted_won
    undo.put(state.contract, ONLY, contract._replace(total_noted_won=total_won))
