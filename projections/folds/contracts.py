"""What does the register say about one procurement: its plan, tender, instalments, work, payments, end?

Amounts are won. Where the source of an import does not state an amount the cell is None and `amount_stated`
is false; sums say how many amounts are missing instead of treating them as zero. What a correction took back stays in
its table beside what replaced it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec import Struct, UnsetType

from projections.folds.contract_checks import CHECK_TABLES
from projections.folds.contract_register import REGISTER_TABLES, compute_register
from projections.folds.contract_state import CORRECTED, REVERSED, Contract, Fact
from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, cells_of, provenance_of

if TYPE_CHECKING:
    from audit_service.catalogue import contract
    from audit_service.catalogue.event import Event

CONTRACT_REGISTER = "contract-register"
TABLES = (*REGISTER_TABLES, *CHECK_TABLES)


class _Kind(NamedTuple):
    """In which table does a type's fact stand, and which of its fields is its id there ("" for the event's own)?"""

    table: str
    id_field: str = ""


_KINDS = {
    "contract.planned.v1": _Kind("plan"),
    "contract.prior-step-completed.v1": _Kind("prior_steps", "step"),
    "contract.tender-published.v1": _Kind("tenders", "tender_id"),
    "contract.tender-amended.v1": _Kind("tender_changes"),
    "contract.tender-cancelled.v1": _Kind("tender_changes"),
    "contract.tender-failed.v1": _Kind("tender_changes"),
    "contract.awarded.v1": _Kind("awards", "award_id"),
    "contract.signed.v1": _Kind("signings"),
    "contract.instalment-signed.v1": _Kind("signings"),
    "contract.amended.v1": _Kind("amendments"),
    "contract.started.v1": _Kind("periods"),
    "contract.suspended.v1": _Kind("periods"),
    "contract.resumed.v1": _Kind("periods"),
    "contract.subcontract-approved.v1": _Kind("subcontracts", "subcontract_id"),
    "contract.inspected.v1": _Kind("inspections", "inspection_id"),
    "contract.accepted.v1": _Kind("acceptances", "inspection_id"),
    "contract.instalment-closed.v1": _Kind("closings"),
    "contract.advance-paid.v1": _Kind("advances", "payment_id"),
    "contract.paid.v1": _Kind("payments", "payment_id"),
    "contract.returned.v1": _Kind("returns", "return_id"),
    "contract.subcontract-paid.v1": _Kind("subcontract_payments", "payment_id"),
    "contract.delay-damages-assessed.v1": _Kind("damages", "assessment_id"),
    "contract.terminated.v1": _Kind("ends"),
    "contract.warranty-set.v1": _Kind("warranty"),
    "contract.warranty-claimed.v1": _Kind("warranty_claims", "claim_id"),
    "contract.completed.v1": _Kind("ends"),
}


class Contracts(Fold[Contract]):
    """Folds every `contract/<process id>` stream."""

    name: ClassVar[str] = "contracts"
    kinds: ClassVar[tuple[str, ...]] = (CONTRACT_REGISTER,)
    part_type: ClassVar[type[Any]] = Contract

    def handlers(self) -> dict[str, Handler]:
        """One function for each type of the stream; most types are written down as they are."""
        return {
            **dict.fromkeys(_KINDS, self._said),
            "contract.bids-opened.v1": self._bids_opened,
            "contract.proposals-evaluated.v1": self._evaluated,
            "contract.corrected.v1": self._corrected,
        }

    def keys(self, kind: str) -> list[str]:
        """Process ids."""
        return sorted(self.parts) if kind == CONTRACT_REGISTER else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """The tables of one procurement."""
        state = self.parts.get(key)
        return [] if state is None or kind != CONTRACT_REGISTER else compute_register(state)

    def _touch(self, event: Event) -> Contract:
        part = event.subject.removeprefix("contract/")
        state = self.parts.get(part)
        if state is None:
            state = self.parts[part] = Contract(owner=event.source)
        self.changed.add(part)
        self.dirty.add((CONTRACT_REGISTER, part))
        return state

    def _said(self, index: int, event: Event) -> None:
        _write(self._touch(event), index, event, event.type, event.data)

    def _bids_opened(self, index: int, event: Event) -> None:
        data: contract.BidsOpened = event.data
        state = self._touch(event)
        for bid in data.bids:
            cells = {"tender_id": data.tender_id, **cells_of(bid), "opened_on": data.opened_on}
            _add(state, "bids", index, event, row_id=f"{data.tender_id}/{bid.bidder_id}", cells=cells)

    def _evaluated(self, index: int, event: Event) -> None:
        data: contract.ProposalsEvaluated = event.data
        state = self._touch(event)
        common = cells_of(data, without=("scores",))
        for score in data.scores:
            cells = {**common, **cells_of(score), "points": score.technical_points + score.price_points}
            _add(state, "evaluations", index, event, row_id=f"{data.tender_id}/{score.bidder_id}", cells=cells)

    def _corrected(self, index: int, event: Event) -> None:
        data: contract.ContractCorrected = event.data
        state = self._touch(event)
        corrects = data.corrects if isinstance(data.corrects, str) else None
        member, replacement = _replacement(data)
        status = REVERSED if replacement is None else CORRECTED
        found = _standing(state, corrects)
        for table, fact in found:
            state.retire(table, fact, status=status, by=index)
        cells = {
            "target_event_id": corrects,
            "target_index": found[0][1].index if found else None,
            "target_table": found[0][0] if found else None,
            # As of a legal date at which the target does not count yet, what replaces it has not happened either.
            "counted": bool(found),
            **cells_of(data, without=("replacement",)),
            "replacement": None if replacement is None else cells_of(replacement),
        }
        _add(state, "corrections", index, event, row_id=event.id, cells=cells)
        if found and member is not None and replacement is not None:
            _write(state, index, event, _type_of(member), replacement).corrects = corrects


def _standing(state: Contract, event_id: str | None) -> list[tuple[str, Fact]]:
    """What did an event say that still counts? With the tables it stands in; a correction's own row is none of it."""
    return [
        (table, fact)
        for table, facts in state.facts.items()
        for fact in facts
        if table != "corrections" and fact.event_id == event_id and fact.counts
    ]


def _type_of(member: str) -> str:
    return f"contract.{member.replace('_', '-')}.v1"


def _replacement(data: contract.ContractCorrected) -> tuple[str | None, Any]:
    members = data.replacement
    if isinstance(members, Struct):
        for name in members.__struct_fields__:
            found = getattr(members, name)
            if isinstance(found, Struct):
                return name, found
    return None, None


def _write(state: Contract, index: int, event: Event, event_type: str, data: Any) -> Fact:
    """Write down what a payload says, in its type's table."""
    kind = _KINDS[event_type]
    cells = cells_of(data)
    if kind.table in ("periods", "tender_changes", "ends"):
        cells["what"] = event_type.split(".")[1]
    return _add(state, kind.table, index, event, row_id=cells.get(kind.id_field) or event.id, cells=cells, data=data)


def _add(
    state: Contract,
    table: str,
    index: int,
    event: Event,
    *,
    row_id: str,
    cells: dict[str, Any],
    data: Any = None,
) -> Fact:
    facts = state.facts.setdefault(table, [])
    # An id may come again: in the next round, in another budget's stream, or where a correction took it back.
    unique_id = f"{row_id}/{event.id}" if f"{table} {row_id}" in state.used else row_id
    state.used[f"{table} {unique_id}"] = None
    fact = Fact(
        row_id=unique_id,
        event_id=event.id,
        cells=cells,
        index=index,
        provenance=_provenance(event, data),
        legal_date=event.legal_date,
    )
    facts.append(fact)
    return fact


def _provenance(event: Event, data: Any) -> str:
    """A replacement that says nothing about its provenance has its correction's."""
    said = provenance_of(event.data)
    return said if data is None or isinstance(data.provenance, UnsetType) else provenance_of(data)
