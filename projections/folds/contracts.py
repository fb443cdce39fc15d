"""What does the register say about one procurement: its plan, its instalments, its payments?

Amounts are won. Where the source of an import does not state an amount the cell is None and `amount_stated`
is false; sums say how many amounts are missing instead of treating them as zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, UnsetType

from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, Trace, cells_of, merged, provenance_of, traced

if TYPE_CHECKING:
    from audit_service.catalogue import contract
    from audit_service.catalogue.event import Event

CONTRACT_REGISTER = "contract-register"
TABLES = ("plan", "instalments", "payments", "sums")


class Instalment(Struct, kw_only=True):
    """One instalment (차수) and what was paid on it."""

    cells: dict[str, Any]
    amount_won: int | None
    paid_won: int = 0
    signed: Trace
    paid: Trace


class Contract(Struct, kw_only=True):
    """One procurement."""

    plan: Row | None = None
    contract_type: str | None = None
    total_noted_won: int | None = None
    instalments: dict[int, Instalment] = {}
    payments: dict[str, Row] = {}


class Contracts(Fold[Contract]):
    """Folds every `contract/<process id>` stream."""

    name: ClassVar[str] = "contracts"
    kinds: ClassVar[tuple[str, ...]] = (CONTRACT_REGISTER,)
    part_type: ClassVar[type[Any]] = Contract

    def handlers(self) -> dict[str, Handler]:
        """One function for each type of the stream."""
        return {
            "contract.planned.v1": self._planned,
            "contract.signed.v1": self._signed,
            "contract.instalment-signed.v1": self._instalment_signed,
            "contract.paid.v1": self._paid,
        }

    def keys(self, kind: str) -> list[str]:
        """Process ids."""
        return sorted(self.parts) if kind == CONTRACT_REGISTER else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """The four tables of one procurement."""
        state = self.parts.get(key)
        if state is None or kind != CONTRACT_REGISTER:
            return []
        rows = [] if state.plan is None else [state.plan]
        for number, instalment in sorted(state.instalments.items()):
            body = {
                **instalment.cells,
                "instalment": number,
                "amount_won": instalment.amount_won,
                "amount_stated": instalment.amount_won is not None,
                "paid_won": instalment.paid_won,
                "unpaid_won": None if instalment.amount_won is None else instalment.amount_won - instalment.paid_won,
                "figures": _figures(instalment),
            }
            rows.append(merged([instalment.signed, instalment.paid]).row("instalments", str(number), body))
        return [*rows, *state.payments.values(), _sums_row(state)]

    def _touch(self, event: Event) -> Contract:
        part = event.subject.removeprefix("contract/")
        state = self.parts.get(part)
        if state is None:
            state = self.parts[part] = Contract()
        self.changed.add(part)
        self.dirty.add((CONTRACT_REGISTER, part))
        return state

    def _planned(self, index: int, event: Event) -> None:
        data: contract.Planned = event.data
        body = {**cells_of(data), "legal_date": event.legal_date}
        self._touch(event).plan = traced(index, provenance_of(data)).row("plan", "plan", body)

    def _signed(self, index: int, event: Event) -> None:
        data: contract.Signed = event.data
        state = self._touch(event)
        state.contract_type = data.contract_type
        noted = data.total_noted_won
        state.total_noted_won = None if isinstance(noted, UnsetType) else noted
        self._sign(state, 1, index, event)

    def _instalment_signed(self, index: int, event: Event) -> None:
        data: contract.InstalmentSigned = event.data
        self._sign(self._touch(event), data.instalment, index, event)

    def _sign(self, state: Contract, number: int, index: int, event: Event) -> None:
        data: contract.Signed | contract.InstalmentSigned = event.data
        without = ("amount_won", "instalment", "contract_type", "total_noted_won")
        amount_won = data.amount_won
        cells = cells_of(data, without=without)
        cells["legal_date"] = event.legal_date
        state.instalments[number] = Instalment(
            cells=cells,
            amount_won=None if isinstance(amount_won, UnsetType) else amount_won,
            signed=traced(index, provenance_of(data)),
            paid=Trace(),
        )

    def _paid(self, index: int, event: Event) -> None:
        data: contract.ContractPaid = event.data
        state = self._touch(event)
        provenance = provenance_of(data)
        # As of an early legal date a payment may be there before the instalment that it pays.
        instalment = state.instalments.get(data.instalment)
        if instalment is not None:
            instalment.paid_won += data.amount_won
            instalment.paid.add(index, provenance)
        body = {
            **cells_of(data, without=("payment_id",)),
            "event_id": event.id,
            "legal_date": event.legal_date,
        }
        state.payments[data.payment_id] = traced(index, provenance).row("payments", data.payment_id, body)


def _figures(instalment: Instalment) -> dict[str, Any]:
    """Which entries does each amount rest on? A printed price keeps its own provenance beside later payments."""
    both = merged([instalment.signed, instalment.paid])
    return {
        "amount_won": {"provenance": instalment.signed.provenance, "entries": instalment.signed.entries},
        "paid_won": {"provenance": instalment.paid.provenance, "entries": instalment.paid.entries},
        "unpaid_won": {"provenance": both.provenance, "computed_from": ["amount_won", "paid_won"]},
    }


def _sums_row(state: Contract) -> Row:
    instalments = list(state.instalments.values())
    stated_won = [each.amount_won for each in instalments if each.amount_won is not None]
    missing = len(instalments) - len(stated_won)
    contracted_won = sum(stated_won)
    paid_won = sum(row.body["amount_won"] for row in state.payments.values())
    traces = [each.signed for each in instalments]
    traces += [_trace_of(row) for row in state.payments.values()]
    if state.plan is not None:
        traces.append(_trace_of(state.plan))
    body = {
        "contract_type": state.contract_type,
        "total_noted_won": state.total_noted_won,
        "instalments": len(instalments),
        "instalments_without_amount": missing,
        "contracted_won": contracted_won if stated_won else None,
        "payments": len(state.payments),
        "paid_won": paid_won,
        # What is left to pay is unknown as long as one instalment's amount is.
        "unpaid_won": None if missing or not stated_won else contracted_won - paid_won,
    }
    return merged(traces).row("sums", "sums", body)


def _trace_of(row: Row) -> Trace:
    return Trace(entries=[index for index in row.entries if isinstance(index, int)], provenance=list(row.provenance))
