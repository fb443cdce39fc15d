"""May the contract be signed, and its next instalment? Promises stay within award, total, lines and obligations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.catalogue.common import Basis, Party
from audit_service.rules.contract_backing import (
    CONTINUING,
    amounts_by_year,
    lines_of,
    require_lines,
    require_obligations,
    require_plan,
    require_total_noted,
)
from audit_service.rules.contract_basics import (
    is_imported,
    require_contract,
    require_party,
    require_period,
    require_standing,
    stated_text,
    stated_won,
)
from audit_service.rules.contract_states import (
    ADVANCE_LIMIT_BP,
    UNIT_PRICE,
    Award,
    Contract,
    ContractState,
    Instalment,
)
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.contract import InstalmentSigned, Signed
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World

MULTI_YEAR = ("LONG_TERM_CONTINUING", CONTINUING)

# --- the first instalment ---------------------------------------------------------------------------------


def decide_signed(world: World, state: ContractState, event: Event) -> None:
    """May the contract be signed? Once, with its amounts, behind award and obligations."""
    contract = require_contract(state, event)
    data: Signed = event.data
    if contract.contract_type is not None:
        raise RuleBroken("contract.signed-twice", "the contract is signed", stream=event.subject)
    require_period(event, data.start, data.end)
    amount_won, total_noted_won = stated_won(data.amount_won), stated_won(data.total_noted_won)
    _require_stated(event, data, amount_won=amount_won, total_noted_won=total_noted_won)
    require_total_noted(event, total_noted_won=total_noted_won, instalments_won=amount_won or 0)
    if isinstance(data.supplier, Party):
        require_party(event, data.supplier)
    _require_award(state, event, contract, promised_won=total_noted_won if total_noted_won is not None else amount_won)
    lines = lines_of(data.budget_lines)
    require_lines(world, event, lines, fiscal_year=data.fiscal_year, amount_won=amount_won)
    if data.contract_type != UNIT_PRICE:
        require_obligations(world, event, lines, instalment=1, amount_won=amount_won)
    if data.contract_type == CONTINUING:
        require_plan(world, event, contract, _plan_of(data), years={data.fiscal_year: amount_won or 0})


def _require_stated(event: Event, data: Signed, *, amount_won: int | None, total_noted_won: int | None) -> None:
    if is_imported(data):
        return
    if amount_won is None:
        raise RuleBroken(
            "contract.amount-missing", "the amount is not stated", stream=event.subject, allowed="amount_won"
        )
    if data.contract_type == "LONG_TERM_CONTINUING" and total_noted_won is None:
        raise RuleBroken(
            "contract.total-noted-missing",
            "a long-term continuing contract notes its total price",
            stream=event.subject,
            allowed="total_noted_won",
        )


def _require_award(state: ContractState, event: Event, contract: Contract, *, promised_won: int | None) -> None:
    """Does the contract answer the award of the tender that runs, by the winner, at most at its price?"""
    data: Signed = event.data
    award_id = stated_text(data.award_id)
    if award_id is None:
        if contract.tender_id is not None and not is_imported(data):
            raise RuleBroken(
                "contract.award-missing",
                "behind a tender, no award is named",
                stream=event.subject,
                columns={"status": state.tenders[contract.tender_id].status},
                allowed="award_id",
            )
        return
    award = state.awards.get(award_id)
    if award is None or award.tender_id != contract.tender_id or state.tenders[award.tender_id].status != "AWARDED":
        standing = [
            name
            for name, one in state.awards.items()
            if one.tender_id == contract.tender_id and state.tenders[one.tender_id].status == "AWARDED"
        ]
        raise RuleBroken(
            "contract.award-unknown",
            "no such award stands",
            stream=event.subject,
            columns={"awards": len(standing)},
            allowed=standing[0] if standing else None,
        )
    if isinstance(data.supplier, Party):
        _require_winner(event, award, data.supplier)
    negotiated = isinstance(data.basis, Basis)
    if promised_won is not None and promised_won > award.amount_won and not negotiated:
        raise RuleBroken(
            "contract.exceeds-award",
            f"{promised_won} won promised, {award.amount_won} won awarded, and no basis for the difference",
            stream=event.subject,
            columns={"promised_won": promised_won, "award_won": award.amount_won},
            allowed=award.amount_won,
        )


def _require_winner(event: Event, award: Award, supplier: Party) -> None:
    bid = award.bid
    if bid is None:
        return
    if (supplier.kind, stated_text(supplier.organisation_id)) != (bid.kind, bid.organisation_id):
        raise RuleBroken(
            "contract.supplier-differs",
            "the supplier is not the bidder who won",
            stream=event.subject,
            columns={"kind": {"stated": supplier.kind, "expected": bid.kind}},
        )


def _plan_of(data: Signed) -> tuple[str, str] | None:
    subject, plan_id = stated_text(data.plan_subject), stated_text(data.plan_id)
    return None if subject is None or plan_id is None else (subject, plan_id)


def evolve_signed(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the contract and its first instalment."""
    data: Signed = event.data
    amount_won, total_noted_won = stated_won(data.amount_won), stated_won(data.total_noted_won)
    limit_bp = stated_won(data.advance_limit_bp)
    contract = state.contract[ONLY]._replace(
        contract_type=data.contract_type,
        total_noted_won=total_noted_won,
        signed_total_won=total_noted_won,
        last_instalment=1,
        instalments_won=amount_won or 0,
        advance_limit_bp=ADVANCE_LIMIT_BP if limit_bp is None else limit_bp,
        plan=_plan_of(data),
    )
    undo.put(state.contract, ONLY, contract)
    lines, imported = lines_of(data.budget_lines), is_imported(data)
    first = Instalment(data.fiscal_year, amount_won, data.start, lines, imported=imported)
    undo.put(state.instalments, 1, first)


# --- further instalments ----------------------------------------------------------------------------------


def decide_instalment(world: World, state: ContractState, event: Event) -> None:
    """May the next instalment be signed? The next number, of a later year, once the one before is closed."""
    contract = require_standing(state, event)
    data: InstalmentSigned = event.data
    if contract.contract_type not in MULTI_YEAR:
        raise RuleBroken(
            "contract.not-long-term",
            "a single contract has no further instalment",
            stream=event.subject,
            columns={"contract_type": contract.contract_type},
            allowed=" or ".join(MULTI_YEAR),
        )
    if data.instalment != contract.last_instalment + 1:
        raise RuleBroken(
            "contract.instalment-number",
            f"instalment {data.instalment} does not follow {contract.last_instalment}",
            stream=event.subject,
            columns={"instalment": {"stated": data.instalment, "expected": contract.last_instalment + 1}},
            allowed=contract.last_instalment + 1,
        )
    previous = state.instalments[contract.last_instalment]
    if data.fiscal_year <= previous.fiscal_year:
        raise RuleBroken(
            "contract.instalment-year",
            f"the instalment before is of {previous.fiscal_year} already",
            stream=event.subject,
            columns={"fiscal_year": data.fiscal_year, "previous_fiscal_year": previous.fiscal_year},
            allowed=previous.fiscal_year + 1,
        )
    if previous.final_won is None and stated_text(data.overlap_reason_ko) is None and not is_imported(data):
        raise RuleBroken(
            "contract.instalment-open",
            "the instalment before is not closed, and no reason is given",
            stream=event.subject,
            columns={"instalment": contract.last_instalment},
        )
    require_period(event, data.start, data.end)
    require_total_noted(
        event,
        total_noted_won=contract.total_noted_won,
        instalments_won=contract.instalments_won + data.amount_won,
    )
    lines = lines_of(data.budget_lines)
    require_lines(world, event, lines, fiscal_year=data.fiscal_year, amount_won=data.amount_won)
    require_obligations(world, event, lines, instalment=data.instalment, amount_won=data.amount_won)
    if contract.contract_type == CONTINUING:
        years = amounts_by_year(state) | {data.fiscal_year: data.amount_won}
        require_plan(world, event, contract, contract.plan, years=years)


def evolve_instalment(state: ContractState, event: Event, undo: Changes) -> None:
    """Remember the instalment."""
    data: InstalmentSigned = event.data
    contract = state.contract[ONLY]
    undo.put(
        state.contract,
        ONLY,
        contract._replace(last_instalment=data.instalment, instalments_won=contract.instalments_won + data.amount_won),
    )
    lines, imported = lines_of(data.budget_lines), is_imported(data)
    following = Instalment(data.fiscal_year, data.amount_won, data.start, lines, imported=imported)
    undo.put(state.instalments, data.instalment, following)
