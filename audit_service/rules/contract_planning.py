"""May a procurement be planned, and has it passed what comes before the tender (사전절차)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.contract_basics import require_contract, require_period, require_unsigned
from audit_service.rules.contract_states import Contract, ContractState, Posting
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.contract import Planned, PriorStepCompleted
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World

REJECTED = "REJECTED"
# A tender in one of these states binds the contract; cancelled and failed ones are over.
LIVE_TENDER = ("PUBLISHED", "OPENED", "EVALUATED", "AWARDED")


def decide_planned(_: World, state: ContractState, event: Event) -> None:
    """May the procurement be planned? Once; as a plan may come before its budget, no line is read."""
    data: Planned = event.data
    if state.contract:
        require_contract(state, event)
        raise RuleBroken("contract.planned-twice", "the procurement is planned", stream=event.subject)
    require_period(event, data.start, data.end)


def evolve_planned(state: ContractState, event: Event, undo: Changes) -> None:
    """Begin the procurement; its first event's source owns the stream."""
    data: Planned = event.data
    steps = tuple(dict.fromkeys(data.prior_steps)) if isinstance(data.prior_steps, list) else ()
    undo.put(state.contract, ONLY, Contract(event.source, data.project_id, steps))


def decide_prior_step(_: World, state: ContractState, event: Event) -> None:
    """May this step have a result? The first round, or the next one after a rejection, while no tender runs."""
    contract = require_unsigned(state, event)
    data: PriorStepCompleted = event.data
    if contract.tender_id is not None and state.tenders[contract.tender_id].status in LIVE_TENDER:
        raise RuleBroken(
            "contract.prior-step-late",
            "a tender is published: its prior steps are over",
            stream=event.subject,
            columns={"status": state.tenders[contract.tender_id].status},
        )
    results = state.prior_steps.get(data.step, ())
    if results and results[-1] != REJECTED:
        raise RuleBroken(
            "contract.prior-step-round",
            f"the step has its result, in round {len(results)}",
            stream=event.subject,
            columns={"round": data.round, "result": results[-1]},
        )
    if data.round != len(results) + 1:
        raise RuleBroken(
            "contract.prior-step-round",
            f"the step's next round is {len(results) + 1}",
            stream=event.subject,
            columns={"round": {"stated": data.round, "expected": len(results) + 1}},
            allowed=len(results) + 1,
        )


def evolve_prior_step(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the result of this round."""
    data: PriorStepCompleted = event.data
    undo.put(state.prior_steps, data.step, (*state.prior_steps.get(data.step, ()), data.result))
    undo.put(state.postings, event.id, Posting(event.type, data.step, data.round))


def open_steps(state: ContractState) -> list[str]:
    """Which steps of the plan have not been passed yet? A conditional result and a waiver pass."""
    return [
        step
        for step in state.contract[ONLY].prior_steps
        if state.prior_steps.get(step, ("",))[-1:] in ((), ("",), (REJECTED,))
    ]
