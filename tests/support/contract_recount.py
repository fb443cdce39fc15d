"""What does a contract come to, from its events alone? A naive bookkeeping that knows neither refusals nor states.

Each event that moves an amount leaves movements under its id; a correction takes those of the corrected event away and
leaves its replacement's under its own. Sums of what is left are compared with what the rules keep, and with the folds.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue.event import Event
    from audit_service.rules.contract_states import ContractState

Movement = tuple[str, int, int]
OF_AN_INSTALMENT = (
    "amount_won",
    "accepted_won",
    "paid_won",
    "offset_won",
    "advance_won",
    "damages_won",
    "kept_won",
)


_PAID_AS = {"contract.advance-paid.v1": "advance_won", "contract.paid.v1": "paid_won"}


def movements(event_type: str, data: Any) -> list[Movement]:
    """What does one payload move? By column, instalment (0: the contract) and won."""
    number = getattr(data, "instalment", 1)
    match event_type:
        case "contract.signed.v1" | "contract.instalment-signed.v1":
            return [("amount_won", number, data.amount_won)] if isinstance(data.amount_won, int) else []
        case "contract.amended.v1":
            return [("amount_won", number, data.delta_won)]
        case "contract.accepted.v1":
            return [("accepted_won", number, data.accepted_won)]
        case "contract.advance-paid.v1":
            return [("advance_won", number, data.amount_won)]
        case "contract.paid.v1":
            offset = data.advance_offset_won
            paid = ("paid_won", number, data.amount_won)
            return [paid, ("offset_won", number, offset if isinstance(offset, int) else 0)]
        case "contract.delay-damages-assessed.v1":
            kept = data.amount_won if data.settled_by == "OFFSET" else 0
            return [("damages_won", number, data.amount_won), ("kept_won", number, kept)]
        case "contract.subcontract-approved.v1":
            return [("subcontracts_won", 0, data.amount_won)]
        case "contract.subcontract-paid.v1":
            return [("subcontract_paid_won", 0, data.amount_won)]
    return []


def recount_contract(events: Iterable[Event]) -> Counter[tuple[str, int]]:
    """Won by (column, instalment) of one contract, from its events alone."""
    moved: dict[str, list[Movement]] = {}
    # A payment of which money came back is not corrected any more: it stays of its kind.
    paid_as: dict[tuple[str, str], str] = {}
    returns: list[Any] = []
    for event in events:
        event_type, data = event.type, event.data
        if event_type == "contract.corrected.v1":
            moved.pop(data.corrects, None)
            members = data.replacement
            for name in getattr(members, "__struct_fields__", ()):
                if isinstance(getattr(members, name), msgspec.Struct):
                    event_type, data = f"contract.{name.replace('_', '-')}.v1", getattr(members, name)
        if event_type in _PAID_AS:
            paid_as[data.budget_subject, data.payment_id] = _PAID_AS[event_type]
        elif event_type == "contract.returned.v1":
            returns.append(data)
        moved[event.id] = movements(event_type, data)
    won: Counter[tuple[str, int]] = Counter()
    for data in returns:
        won[paid_as[data.budget_subject, data.payment_id], data.instalment] -= data.amount_won
    for every in moved.values():
        for column, number, amount in every:
            won[column, number] += amount
    return won


def check_recounted(state: ContractState, events: list[Event]) -> None:
    """Hold every sum that the rules keep of a contract against its events."""
    won = recount_contract(events)
    for number, instalment in state.instalments.items():
        for column in OF_AN_INSTALMENT:
            assert (getattr(instalment, column) or 0) == won[column, number], (column, number)
    subcontracts = [one for one in state.subcontracts.values() if one is not None]
    assert sum(one.amount_won for one in subcontracts) == won["subcontracts_won", 0]
    assert sum(one.paid_won for one in subcontracts) == won["subcontract_paid_won", 0]
    for contract in state.contract.values():
        assert contract.subcontracts_won == won["subcontracts_won", 0]
        assert contract.instalments_won == sum(amount for (column, _), amount in won.items() if column == "amount_won")
