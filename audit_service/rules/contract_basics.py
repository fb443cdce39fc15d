"""What do the rules of every phase of a contract ask first? Whose it is, whether it stands, whom and when it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_service.rules.contract_states import UNIT_PRICE, Contract, ContractState, Instalment
from audit_service.rules.dates import is_calendar_date
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.common import Party
    from audit_service.catalogue.event import Event

IMPORTED = ("printed", "derived")


def is_imported(data: Any) -> bool:
    """Was this fact taken over from a source that may leave things out, and says so by its provenance?"""
    return data.provenance in IMPORTED


def stated_won(value: object) -> int | None:
    """Return an optional amount of a payload in won, None where it is left out."""
    return value if isinstance(value, int) else None


def stated_text(value: object) -> str | None:
    """Return an optional text of a payload, None where it is left out."""
    return value if isinstance(value, str) else None


def require_contract(state: ContractState, event: Event) -> Contract:
    """Is the procurement planned, and by this source?

    Raises:
        RuleBroken: `contract.not-planned` or `contract.not-owner`.
    """
    contract = state.contract.get(ONLY)
    if contract is None:
        raise RuleBroken("contract.not-planned", "the procurement is not planned", stream=event.subject)
    if event.source != contract.owner:
        raise RuleBroken(
            "contract.not-owner",
            "only the agency that planned the procurement may write to it",
            stream=event.subject,
            allowed=contract.owner,
        )
    return contract


def require_unsigned(state: ContractState, event: Event) -> Contract:
    """Is the contract still to be signed?

    Raises:
        RuleBroken: `contract.signed-already`, or as `require_contract`.
    """
    contract = require_contract(state, event)
    if contract.contract_type is not None:
        raise RuleBroken(
            "contract.signed-already",
            "the contract is signed",
            stream=event.subject,
            columns={"contract_type": contract.contract_type},
        )
    return contract


def require_signed(state: ContractState, event: Event) -> Contract:
    """Is the contract signed?

    Raises:
        RuleBroken: `contract.not-signed`, or as `require_contract`.
    """
    contract = require_contract(state, event)
    if contract.contract_type is None:
        raise RuleBroken("contract.not-signed", "the contract is not signed", stream=event.subject)
    return contract


def require_standing(state: ContractState, event: Event) -> Contract:
    """Is the contract signed and neither completed nor terminated?

    Raises:
        RuleBroken: `contract.ended`, or as `require_signed`.
    """
    contract = require_signed(state, event)
    if contract.ended is not None:
        raise RuleBroken(
            "contract.ended",
            "the contract is completed or terminated",
            stream=event.subject,
            columns={"ended": contract.ended},
        )
    return contract


def require_instalment(state: ContractState, event: Event, number: int) -> Instalment:
    """Is this instalment signed?

    Raises:
        RuleBroken: `contract.instalment-unknown`.
    """
    instalment = state.instalments.get(number)
    if instalment is None:
        raise RuleBroken(
            "contract.instalment-unknown",
            "the instalment is not signed",
            stream=event.subject,
            columns={"instalment": number, "signed": len(state.instalments)},
        )
    return instalment


def require_open_instalment(state: ContractState, event: Event, number: int) -> Instalment:
    """Is this instalment signed and not closed?

    Raises:
        RuleBroken: `contract.instalment-closed` or `contract.instalment-unknown`.
    """
    instalment = require_instalment(state, event, number)
    if instalment.final_won is not None:
        raise RuleBroken(
            "contract.instalment-closed",
            "the instalment is closed",
            stream=event.subject,
            columns={"instalment": number},
        )
    return instalment


def require_period(event: Event, start: object, end: object) -> None:
    """Does a period of months end when it starts, or later, where both are stated?

    Raises:
        RuleBroken: `contract.period-dates`.
    """
    if isinstance(start, str) and isinstance(end, str) and start > end:
        raise RuleBroken(
            "contract.period-dates",
            "the period ends before it starts",
            stream=event.subject,
            columns={"start": start, "end": end},
            allowed=start,
        )


def require_dates(event: Event, *days: str | None) -> None:
    """Are these days of the calendar?

    Raises:
        RuleBroken: `contract.date-invalid`.
    """
    wrong = [day for day in days if day is not None and not is_calendar_date(day)]
    if wrong:
        # Of the form of a date, by its type: nothing else could be repeated here.
        raise RuleBroken(
            "contract.date-invalid",
            "a date is not a day of the calendar",
            stream=event.subject,
            columns={"dates": wrong},
        )


def require_party(event: Event, party: Party) -> None:
    """Is an organisation named by its code alone, a sole proprietor by a commitment alone?

    Raises:
        RuleBroken: `contract.party-form`.
    """
    expected = {
        "COMMITTED": (False, True),
        "CORPORATION": (True, False),
        "PUBLIC_BODY": (True, False),
        "NOT_STATED": (False, False),
    }[party.kind]
    found = (stated_text(party.organisation_id) is not None, stated_text(party.commitment) is not None)
    silent = party.kind == "NOT_STATED" and not is_imported(event.data)
    if found != expected or silent:
        raise RuleBroken(
            "contract.party-form",
            f"a party of kind {party.kind} is identified otherwise",
            stream=event.subject,
            columns={
                "organisation_id": {"stated": found[0], "expected": expected[0]},
                "commitment": {"stated": found[1], "expected": expected[1]},
            },
        )


def contract_total_won(state: ContractState) -> int | None:
    """What does the contract come to in won? None where an import leaves it open, or the price is only per unit."""
    contract = state.contract[ONLY]
    if contract.contract_type == UNIT_PRICE:
        return None
    if contract.total_noted_won is not None:
        return contract.total_noted_won
    if any(one.amount_won is None for one in state.instalments.values()):
        return None
    return contract.instalments_won


def bounds_won(state: ContractState, instalment: Instalment) -> int | None:
    """Which amount bounds acceptances and payments of an instalment? None where there is none.

    A unit-price contract (단가계약) states an estimate: what is accepted and what the lines hold bound it.
    """
    return None if state.contract[ONLY].contract_type == UNIT_PRICE else instalment.amount_won
