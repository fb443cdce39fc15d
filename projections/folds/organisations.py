"""What is an organisation called, and since when? And what does the city say about its log?

Names change, codes do not. They come from the genesis entry (agencies that may write) and from
`registry/agency/<code>`; on the city's own stream also stand the schemas of types, who may look behind the log's
commitments, and incidents.
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
TABLES = ("names", "schemas", "accesses", "incidents")


class Organisation(Struct, kw_only=True):
    """All names of one code, and what it says about the log, in log order."""

    names: list[Row] = []
    schemas: list[Row] = []
    accesses: list[Row] = []
    incidents: dict[str, Row] = {}


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
            "registry.schema-published.v1": self._schema_published,
            "registry.access-granted.v1": self._access_granted,
            "registry.incident-declared.v1": self._incident_declared,
            "registry.incident-closed.v1": self._incident_closed,
            **dict.fromkeys(_WITHOUT_NAMES, _name_nobody),
            # Who may call the service changes no name and no figure.
            "registry.token-issued.v1": _pass_over,
            "registry.token-revoked.v1": _pass_over,
        }

    def keys(self, kind: str) -> list[str]:
        """Codes of organisations."""
        return sorted(self.parts) if kind == ORGANISATIONS else []

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """All names that this code ever had, oldest entry first, and what it says about the log."""
        state = self.parts.get(key)
        if state is None or kind != ORGANISATIONS:
            return []
        return [*state.names, *state.schemas, *state.accesses, *state.incidents.values()]

    def _touch(self, code: str) -> Organisation:
        state = self.parts.get(code)
        if state is None:
            state = self.parts[code] = Organisation()
        self.changed.add(code)
        self.dirty.add((ORGANISATIONS, code))
        return state

    def _add(self, code: str, index: int, provenance: str, cells: dict[str, Any]) -> None:
        names = self._touch(code).names
        names.append(traced(index, provenance).row("names", str(len(names) + 1), cells))

    def _of_stream(self, event: Event) -> Organisation:
        return self._touch(event.subject.rpartition("/")[2])

    def _schema_published(self, index: int, event: Event) -> None:
        data: registry.SchemaPublished = event.data
        row_id = f"{data.event_type}/{data.version}"
        row = traced(index, provenance_of(data)).row("schemas", row_id, cells_of(data))
        self._of_stream(event).schemas.append(row)

    def _access_granted(self, index: int, event: Event) -> None:
        data: registry.AccessGranted = event.data
        cells = cells_of(data, without=("access_id",))
        row = traced(index, provenance_of(data)).row("accesses", data.access_id, cells)
        self._of_stream(event).accesses.append(row)

    def _incident_declared(self, index: int, event: Event) -> None:
        data: registry.IncidentDeclared = event.data
        cells = cells_of(data, without=("incident_id",)) | _OPEN
        row = traced(index, provenance_of(data)).row("incidents", data.incident_id, cells)
        self._of_stream(event).incidents[data.incident_id] = row

    def _incident_closed(self, index: int, event: Event) -> None:
        data: registry.IncidentClosed = event.data
        row = self._of_stream(event).incidents.get(data.incident_id)
        if row is not None:
            row.body |= {"status": "closed", "closing_ko": data.text_ko, "closing_en": data.text_en}
            row.entries.append(index)
            row.provenance = sorted({*row.provenance, provenance_of(data)})

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


_OPEN = {"status": "open", "closing_ko": None, "closing_en": None}
_GENESIS_FIELDS = (
    "origin",
    "log_key",
    "root_keys",
    "root_threshold",
    "publisher_key",
    "policy",
    "agencies",
    "predecessor",
)
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
