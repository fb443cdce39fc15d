"""How is each rule of a service and its sealed batches broken, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.support.illegal import Built, Scene, Wrong, again, around, fields, item, like, stored

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

REGISTERED, COUNTED = "service.registered.v1", "service.count-published.v1"
SEALED, TRANSACTION = "service.batch-sealed.v1", "service.transaction-recorded.v1"


def _not_operating(event: Event, scene: Scene) -> Built:
    registered = scene.last(REGISTERED, event.subject.rpartition("/")[0])
    if registered is None:
        return None
    data = {**stored(registered.data), "status": "planned"}
    return [
        like(event, REGISTERED, data, subject="service/planned"),
        replace(event, subject=f"service/planned/{event.data.period}"),
    ]


def _manifest(change: Any) -> Any:
    """The same batch under another id, changed."""

    def build(event: Event, scene: Scene) -> Built:
        other = replace(event, id="b-x/0", data=replace(event.data, batch_id="b-x"))
        return change(other, scene)

    return build


def _small_cell(event: Event, _: Scene) -> Built:
    cells = item(event.data.counts_by_kind, 0, count=1)
    return replace(event, data=replace(event.data, counts_by_kind=cells, count=sum(cell.count for cell in cells)))


def _raw(**changes: Any) -> Any:
    return lambda event, _: replace(event, data=replace(event.data, **changes))


def _first_of_batch(build: Any) -> Any:
    return lambda event, scene: build(event, scene) if event.id.endswith("/1") else None


def _with_manifest(build: Any) -> Any:
    """The manifest, then what `build` makes of the batch's first transaction."""

    def asked(event: Event, scene: Scene) -> Built:
        manifest = scene.last(SEALED, event.subject)
        return [manifest, build(event)] if manifest is not None and event.id.endswith("/1") else None

    return asked


def _more_than_counted(event: Event) -> Event:
    return replace(event, data=replace(event.data, kind="nothing"))


SERVICES = [
    Wrong("envelope.legal-date-unexpected", REGISTERED, around(legal_date="2020-01-01"), asked="envelope"),
    Wrong("service.not-owner", COUNTED, around(source="urn:kr:agency:city")),
    Wrong("service.not-registered", COUNTED, around(subject="service/nothing")),
    Wrong("service.registered-twice", REGISTERED, again, after=True),
    Wrong("service.kind-repeated", REGISTERED, fields(kinds=lambda event, _: event.data.kinds * 2)),
    Wrong("service.kind-unknown", COUNTED, fields(kind="nothing")),
    Wrong("service.unit-differs", COUNTED, fields(unit_ko="명")),
    Wrong("service.count-duplicate", COUNTED, again, after=True),
    Wrong("service.not-operating", SEALED, _not_operating),
    Wrong("service.period-differs", SEALED, _raw(period="2019-01")),
    Wrong("service.manifest-id", SEALED, around(id="b-x/9")),
    Wrong("service.batch-open", SEALED, _manifest(lambda event, _: event), after=True),
    Wrong("service.batch-duplicate", SEALED, lambda event, _: event, after=True),
    Wrong("service.counts-differ", SEALED, _raw(count=9_999)),
    Wrong("service.small-cell", SEALED, _small_cell),
    Wrong("service.unsealed", TRANSACTION, again, asked="groups"),
    Wrong("service.commitment-form", TRANSACTION, _first_of_batch(_raw(commitment="AB" * 32))),
    Wrong("service.commitment-duplicate", TRANSACTION, lambda event, _: event, after=True),
    Wrong("service.batch-incomplete", SEALED, lambda event, _: [event], asked="groups"),
    Wrong("service.batch-order", TRANSACTION, _with_manifest(lambda e: replace(e, id=f"{e.id}0")), asked="groups"),
    Wrong("service.batch-kinds-differ", TRANSACTION, _with_manifest(_more_than_counted), asked="groups"),
]
