"""How do all folds run over the log together?

One dictionary from type to function: an entry costs one look-up and the work of the folds that listen to its type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from projections.folds.agency_gaps import AgencyGaps
from projections.folds.budget_years import BudgetYears
from projections.folds.contract_agreement import ContractChecks
from projections.folds.contracts import Contracts
from projections.folds.organisations import Organisations
from projections.folds.projects import Projects
from projections.folds.services import Services

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from projections.folds.fold import Fold, Handler
    from projections.folds.rows import Row


TRANSACTION = "service.transaction-recorded.v1"


class Changes(Struct, kw_only=True):
    """What moved since the last look: tables to compute again (kind, key), parts to store (fold, part)."""

    tables: list[tuple[str, str]]
    parts: list[tuple[str, str]]


class FoldSet:
    """Every fold, fed in log order.

    `handlers` may be read to dispatch outside (`handlers[type](index, event)`). `apply_transaction(index,
    subject, kind, provenance)` and `apply_transactions(first, subject, counts, provenance)` count
    transactions without an `Event`.
    """

    def __init__(self) -> None:
        years, contracts, services, gaps = BudgetYears(), Contracts(), Services(), AgencyGaps()
        # What compares two folds comes first: it settles before what they changed is taken.
        checks = ContractChecks(years, contracts)
        folds: list[Fold[Any]] = [checks, years, contracts, Projects(), services, Organisations(), gaps]
        self._by_name = {fold.name: fold for fold in folds}
        self._by_kind = {kind: fold for fold in folds for kind in fold.kinds}
        self.handlers: dict[str, Handler] = {}
        for fold in folds:
            for event_type, handler in fold.handlers().items():
                first = self.handlers.get(event_type)
                self.handlers[event_type] = handler if first is None else _both(first, handler)
        # A report says again what entries say: it moves no figure.
        self.handlers["report.published.v1"] = _pass_over
        for event_type, handler in self.handlers.items():
            if event_type != TRANSACTION:  # they come by the million, and their time says nothing
                self.handlers[event_type] = _both(handler, gaps.take_time)
        self._take_number = gaps.take_number
        self.apply_transaction = services.apply_transaction
        self.apply_transactions = services.apply_transactions

    def apply(self, index: int, event: Event) -> None:
        """Take in the entry at `index`.

        Raises:
            KeyError: no fold knows the type; it would be wrong to go on without it.
        """
        self.handlers[event.type](index, event)
        if event.sequence is not None:
            self._take_number(index, event, event.sequence)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which kinds of answers are there?"""
        return tuple(self._by_kind)

    def keys(self, kind: str) -> list[str]:
        """Which keys of a kind have an answer? Sorted.

        Raises:
            KeyError: there is no such kind.
        """
        return self._by_kind[kind].keys(kind)

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """Which rows has the answer? Empty for an unknown key.

        Raises:
            KeyError: there is no such kind.
        """
        return self._by_kind[kind].compute_rows(kind, key)

    def take_changes(self) -> Changes:
        """What moved since the last call? Sorted; asking clears it."""
        tables: set[tuple[str, str]] = set()
        parts: set[tuple[str, str]] = set()
        for name, fold in self._by_name.items():
            fold.settle()
            tables |= fold.dirty
            parts |= {(name, part) for part in fold.changed}
            fold.dirty.clear()
            fold.changed.clear()
        return Changes(tables=sorted(tables), parts=sorted(parts))

    def part_to_bytes(self, fold: str, part: str) -> bytes:
        """Encode one part of one fold's state, to store it alone."""
        return self._by_name[fold].part_to_bytes(part)

    def load_part(self, fold: str, part: str, data: bytes) -> None:
        """Take over one stored part.

        Raises:
            KeyError: there is no such fold.
            msgspec.DecodeError: the bytes are not a part of it.
        """
        self._by_name[fold].load_part(part, data)

    @property
    def state_schemas(self) -> bytes:
        """What does stored state look like? Two versions of the folds with other schemas cannot share it."""
        types = [fold.part_type for fold in self._by_name.values()]
        return msgspec.json.encode(msgspec.json.schema_components(types), order="sorted")

    def state_to_bytes(self) -> bytes:
        """Encode the whole state; `from_bytes` goes on where this stopped."""
        state = {name: {part: fold.part_to_bytes(part) for part in fold.parts} for name, fold in self._by_name.items()}
        return msgspec.msgpack.encode(state)

    @classmethod
    def from_bytes(cls, data: bytes) -> FoldSet:
        """Take over a whole state.

        Raises:
            KeyError: the state has a fold that this version does not know.
            msgspec.DecodeError: the bytes are not a state.
        """
        folds = cls()
        for name, parts in msgspec.msgpack.decode(data, type=dict[str, dict[str, bytes]]).items():
            for part, part_data in parts.items():
                folds.load_part(name, part, part_data)
        return folds


def _both(first: Handler, second: Handler) -> Handler:
    """Feed an entry to two folds; made once for a type that both listen to, so that no other type pays for it."""

    def both(index: int, event: Event) -> None:
        first(index, event)
        second(index, event)

    return both


def _pass_over(_index: int, _event: Event) -> None:
    """Leave every answer as it is."""


def fold_all() -> FoldSet:
    """Start all folds before the first entry."""
    return FoldSet()
