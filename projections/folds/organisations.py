"""What is an organisation called, and since when? Names change, codes do not.

Names come from the genesis entry (agencies that may write) and from `registry/agency/<code>`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, cells_of, provenance_of, traced

if TYPE_CHECKING:
    from audit_service.catalogue import registry
    from audit_service.catalogue.event import Event

ORGANISATIONS = "organisations"
TABLES = ("names",)


class Organisation(Struct, kw_only=True):
    """All names of one code, in log order."""

    names: list[Row] = []


def _pass_over(_index: int, _event: Event) -> None:
    """Leave every answer as it is."""


class Organisations(Fold[Organisation]):
    """Folds `registry/log` and every `registry/agency/<code>` stream."""

    name: ClassVar[str] = "organisations"
    kinds: ClassVar[tuple[str, ...]] = (ORGANISATIONS,)
    part_type: ClassVar[type[Any]] = Organisation

    def handlers(self) -> dict[str, Handler]:
        """One function for each type that names somebody."""
        return {
            "registry.log-created.v1": self._log_created,
            "registry.agency-registered.v1": self._agency_registered,
            "registry.organisation-named.v1": self._organisation_named,
            **dict.fromkeys(_WITHOUT_NAMES, _name_nobody),
            # Who may call the service changes no name and no figure.
            "registry.token-issued.v1": _pass_over,
            "registry.token-revoked.v1": _pass_over,
        }

    def keys(self, kind: str) -> list[str]:
        """Codes of organisations."""
        return sorted(self.parts) if kind == ORGANISATIONS else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """All names that this code ever had, oldest entry first."""
        state = self.parts.get(key)
        return list(state.names) if state is not None and kind == ORGANISATIONS else []

    def _add(self, code: str, index: int, provenance: str, cells: dict[str, Any]) -> None:
        state = self.parts.get(code)
        if state is None:
            state = self.parts[code] = Organisation()
        row_id = str(len(state.names) + 1)
        state.names.append(traced(index, provenance).row("names", row_id, cells))
        self.changed.add(code)
        self.dirty.add((ORGANISATIONS, code))

    def _log_created(self, index: int, event: Event) -> None:
        data: registry.LogCreated = event.data
        for agency in data.agencies:
            cells: dict[str, Any] = {"name_ko": agency.name_ko, "name_en": agency.name_en}
            for absent in ("parent_code", "valid_from", "valid_until", "validity_ko"):
                cells[absent] = None
            cells |= cells_of(data, without=(*_GENESIS_FIELDS, "documents"))
            cells["documents"] = None
            self._add(agency.code, index, provenance_of(data), cells)

    def _agency_registered(self, index: int, event: Event) -> None:
        data: registry.AgencyRegistered = event.data
        cells: dict[str, Any] = {"name_ko": data.name_ko, "name_en": data.name_en}
        for absent in ("parent_code", "valid_from", "valid_until", "validity_ko"):
            cells[absent] = None
        self._add(data.code, index, provenance_of(data), cells | cells_of(data, without=("code", "name_ko", "name_en")))

    def _organisation_named(self, index: int, event: Event) -> None:
        data: registry.OrganisationNamed = event.data
        self._add(data.code, index, provenance_of(data), cells_of(data, without=("code",)))


_GENESIS_FIELDS = ("origin", "log_key", "root_keys", "root_threshold", "publisher_key", "policy", "agencies")
# Keys, witnesses and policies: the rules' state of `registry/log` is their account, no table repeats it.
_WITHOUT_NAMES = (
    "registry.key-registered.v1",
    "registry.key-revoked.v1",
    "registry.root-keys-rotated.v1",
    "registry.policy-changed.v1",
    "registry.witness-enrolled.v1",
    "registry.witness-retired.v1",
    "registry.approval-policy-set.v1",
    "registry.log-succeeded.v1",
)


def _name_nobody(index: int, event: Event) -> None:
    """Take in an entry that says nothing about what organisations are called."""
    del index, event
