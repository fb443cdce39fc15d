"""May work begin, pause, be subcontracted, inspected, accepted, closed? What is accepted may be paid.

Work is accepted (검수) only after an inspection (검사) that found it good, and an instalment closes (준공) only after a
final one. Imports of a printed or derived fact may close without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.contract_basics import (
    bounds_won,
    contract_total_won,
    is_imported,
    require_dates,
    require_instalment,
    require_open_instalment,
    require_party,
    require_signed,
    require_standing,
    stated_text,
)
from audit_service.rules.contract_states import ContractState, Inspection, Posting, Subcontract
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.contract import (
        Accepted,
        Inspected,
        InstalmentClosed,
        Started,
        SubcontractApproved,
        WarrantyClaimed,
        WarrantySet,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def _work_state(state: ContractState, event: Event, message: str) -> RuleBroken:
    started = [number for number, one in state.instalments.items() if one.started and one.final_won is None]
    columns = {"suspended": state.contract[ONLY].suspended, "under_way": started}
    return RuleBroken("contract.work-state", message, stream=event.subject, columns=columns)


def decide_started(_: World, state: ContractState, event: Event) -> None:
    """May work begin (착수)? Once for each instalment, while nothing is suspended."""
    contract = require_standing(state, event)
    data: Started = event.data
    if require_open_instalment(state, event, data.instalment).started:
        raise _work_state(state, event, "work on the instalment has begun")
    if contract.suspended:
        raise _work_state(state, event, "the work is suspended")


def evolve_started(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember that the instalment is under way."""
    data: Started = event.data
    undo.put(state.instalments, data.instalment, state.instalments[data.instalment]._replace(started=True))


def decide_suspended(_: World, state: ContractState, event: Event) -> None:
    """May work be suspended (중지)? While an instalment is under way."""
    if require_standing(state, event).suspended:
        raise _work_state(state, event, "the work is suspended")
    if not any(one.started and one.final_won is None for one in state.instalments.values()):
        raise _work_state(state, event, "no instalment is under way")


def evolve_suspended(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the suspension, or its end."""
    suspended = event.type == "contract.suspended.v1"
    undo.put(state.contract, ONLY, state.contract[ONLY]._replace(suspended=suspended))


def decide_resumed(_: World, state: ContractState, event: Event) -> None:
    """May work go on (재개)? Only after a suspension."""
    if not require_standing(state, event).suspended:
        raise _work_state(state, event, "the work is not suspended")


def decide_subcontract(_: World, state: ContractState, event: Event) -> None:
    """May a subcontract be approved (하도급 승인)? All of them together stay within the contract."""
    contract = require_standing(state, event)
    data: SubcontractApproved = event.data
    require_party(event, data.supplier)
    if state.subcontracts.get(data.subcontract_id) is not None:
        raise RuleBroken("contract.subcontract-duplicate", "the subcontract's id is used", stream=event.subject)
    total_won = contract_total_won(state)
    if total_won is not None and contract.subcontracts_won + data.amount_won > total_won:
        left_won = total_won - contract.subcontracts_won
        raise RuleBroken(
            "contract.exceeds-contract",
            f"{data.amount_won} won asked, {left_won} won of the contract are not subcontracted",
            stream=event.subject,
            columns={"asked_won": data.amount_won, "available_won": left_won},
            allowed=left_won,
        )


def evolve_subcontract(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the subcontract."""
    data: SubcontractApproved = event.data
    contract = state.contract[ONLY]
    undo.put(state.subcontracts, data.subcontract_id, Subcontract(data.amount_won))
    undo.put(state.contract, ONLY, contract._replace(subcontracts_won=contract.subcontracts_won + data.amount_won))
    undo.put(state.postings, event.id, Posting(event.type, data.subcontract_id))


def decide_inspected(_: World, state: ContractState, event: Event) -> None:
    """May work be inspected (검사)? Of an instalment that is not closed, after it was notified."""
    require_standing(state, event)
    data: Inspected = event.data
    require_open_instalment(state, event, data.instalment)
    if state.inspections.get(data.inspection_id) is not None:
        raise RuleBroken("contract.inspection-duplicate", "the inspection's id is used", stream=event.subject)
    notified_on = stated_text(data.notified_on)
    require_dates(event, notified_on)
    if notified_on is not None and notified_on > (event.legal_date or ""):
        raise RuleBroken(
            "contract.date-invalid",
            "work is inspected before it was notified",
            stream=event.subject,
            columns={"notified_on": notified_on, "legal_date": event.legal_date},
        )


def evolve_inspected(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the inspection; a final one that passed lets the instalment close."""
    data: Inspected = event.data
    undo.put(state.inspections, data.inspection_id, Inspection(data.instalment, data.kind, data.result))
    undo.put(state.postings, event.id, Posting(event.type, data.inspection_id))
    if (data.kind, data.result) == ("FINAL", "PASS"):
        undo.put(state.instalments, data.instalment, state.instalments[data.instalment]._replace(passed=True))


def mark_passed(state: ContractState, undo: Changes, *, instalment: int) -> None:
    """Has an instalment still a final inspection that passed? Asked where one was taken back."""
    old = state.instalments[instalment]
    passed = any(
        one is not None and (one.instalment, one.kind, one.result) == (instalment, "FINAL", "PASS")
        for one in state.inspections.values()
    )
    undo.put(state.instalments, instalment, old._replace(passed=passed))


def decide_accepted(_: World, state: ContractState, event: Event) -> None:
    """May this be accepted (검수)? Once on an inspection that found the work good, within the instalment."""
    require_standing(state, event)
    data: Accepted = event.data
    instalment = require_open_instalment(state, event, data.instalment)
    inspection = require_good_inspection(state, event, data.inspection_id)
    if inspection.accepted_won is not None:
        raise RuleBroken(
            "contract.acceptance-duplicate",
            "the inspected work is accepted",
            stream=event.subject,
            columns={"accepted_won": inspection.accepted_won},
        )
    bound_won = bounds_won(state, instalment)
    if bound_won is not None and instalment.accepted_won + data.accepted_won > bound_won:
        left_won = bound_won - instalment.accepted_won
        raise RuleBroken(
            "contract.accepted-exceeds-instalment",
            f"{data.accepted_won} won accepted, {left_won} won are left of the instalment",
            stream=event.subject,
            columns={"asked_won": data.accepted_won, "available_won": left_won},
            allowed=left_won,
        )


def require_good_inspection(state: ContractState, event: Event, inspection_id: str) -> Inspection:
    """Is there such an inspection of the instalment that the event names, and did it not fail?

    Raises:
        RuleBroken: `contract.inspection-unknown` or `contract.inspection-failed`.
    """
    inspection = state.inspections.get(inspection_id)
    if inspection is None or inspection.instalment != event.data.instalment:
        raise RuleBroken(
            "contract.inspection-unknown", "the instalment has no inspection of that id", stream=event.subject
        )
    if inspection.result == "FAIL":
        raise RuleBroken(
            "contract.inspection-failed",
            "the inspection did not pass",
            stream=event.subject,
            columns={"result": inspection.result},
            allowed="PASS or PARTIAL",
        )
    return inspection


def evolve_accepted(state: ContractState, event: Event, undo: Changes) -> None:
    """Book what is accepted on its inspection and its instalment."""
    data: Accepted = event.data
    inspection = state.inspections[data.inspection_id]
    instalment = state.instalments[data.instalment]
    if inspection is None:
        raise AssertionError("decide_accepted refuses an acceptance without its inspection")
    undo.put(state.inspections, data.inspection_id, inspection._replace(accepted_won=data.accepted_won))
    undo.put(
        state.instalments,
        data.instalment,
        instalment._replace(accepted_won=instalment.accepted_won + data.accepted_won),
    )
    undo.put(state.postings, event.id, Posting(event.type, data.inspection_id))


def decide_closed(_: World, state: ContractState, event: Event) -> None:
    """May the instalment close (준공)? Its final inspection passed; its final amount is what was accepted."""
    require_standing(state, event)
    data: InstalmentClosed = event.data
    instalment = require_open_instalment(state, event, data.instalment)
    settled_won = instalment.cash_won + instalment.kept_won
    if is_imported(data):
        # The source of an import may be silent about inspections, never about less than was paid.
        fits = data.final_won >= max(settled_won, instalment.accepted_won)
    else:
        if not instalment.passed:
            raise RuleBroken(
                "contract.final-inspection-missing",
                "no final inspection passed",
                stream=event.subject,
                columns={"instalment": data.instalment},
                allowed="a FINAL inspection that PASSes",
            )
        fits = data.final_won == instalment.accepted_won >= settled_won
    if not fits:
        raise RuleBroken(
            "contract.final-differs",
            f"{data.final_won} won stated, {instalment.accepted_won} won accepted, {settled_won} won paid or kept back",
            stream=event.subject,
            columns={
                "final_won": data.final_won,
                "accepted_won": instalment.accepted_won,
                "settled_won": settled_won,
            },
            allowed=max(instalment.accepted_won, settled_won),
        )


def evolve_closed(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember what the instalment came to."""
    data: InstalmentClosed = event.data
    instalment = state.instalments[data.instalment]
    closed = instalment._replace(final_won=data.final_won, passed_at_closing=not is_imported(data))
    undo.put(state.instalments, data.instalment, closed)


# --- warranty: also after the end of the contract ---------------------------------------------------------


def decide_warranty(_: World, state: ContractState, event: Event) -> None:
    """May a warranty (하자담보) be set? It runs at least until the day of the event."""
    require_signed(state, event)
    data: WarrantySet = event.data
    require_instalment(state, event, data.instalment)
    require_dates(event, data.until)
    if data.until < (event.legal_date or ""):
        raise RuleBroken(
            "contract.warranty-over",
            "the warranty would end before it is set",
            stream=event.subject,
            columns={"until": data.until, "legal_date": event.legal_date},
            allowed=event.legal_date,
        )


def evolve_warranty(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember until when it runs."""
    data: WarrantySet = event.data
    undo.put(state.warranties, data.instalment, data.until)


def decide_claimed(_: World, state: ContractState, event: Event) -> None:
    """May a defect be claimed? While the instalment's warranty runs."""
    require_signed(state, event)
    data: WarrantyClaimed = event.data
    require_instalment(state, event, data.instalment)
    if data.claim_id in state.claims:
        raise RuleBroken("contract.claim-duplicate", "the claim's id is used", stream=event.subject)
    until = state.warranties.get(data.instalment)
    if until is None or until < (event.legal_date or ""):
        raise RuleBroken(
            "contract.warranty-over",
            "no warranty of the instalment runs on that day",
            stream=event.subject,
            columns={"until": until, "legal_date": event.legal_date},
            allowed=until,
        )


def evolve_claimed(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember that the claim's id is used."""
    data: WarrantyClaimed = event.data
    undo.put(state.claims, data.claim_id, None)
