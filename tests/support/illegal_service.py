"""How is each rule of a service and its sealed batches broken, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.support.illegal import Built, Scene, Wrong, again, around, fields, item, like, stored, swap

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


VOIDED, ERASED = "service.transaction-voided.v1", "service.side-record-erased.v1"
BATCH_ERASED, PUBLISHED_SCHEME = "service.batch-records-erased.v1", "service.check-scheme-registered.v1"
OPENED, BOXED, TALLIED = "service.ballot-opened.v1", "service.ballot-sealed.v1", "service.ballot-tallied.v1"
ISSUED, REVOKED = "service.credential-issued.v1", "service.credential-revoked.v1"
NOWHERE = "0" * 64


def _other_kind(event: Event, _: Scene) -> Built:
    return swap(event, kind="return" if event.data.kind != "return" else "loan")


def _tally_early(event: Event, _: Scene) -> Built:
    tally = [{"option": name, "count": 0} for name in event.data.option_codes]
    return like(event, TALLIED, {"ballot_id": event.data.ballot_id, "tally": tally, "invalid_count": 0})


def _box_early(event: Event, _: Scene) -> Built:
    data = {"ballot_id": event.data.ballot_id, "ballots_cast": 1, "box_root": NOWHERE}
    return like(event, BOXED, data)


def _erase_more(event: Event, _: Scene) -> Built:
    return swap(event, count=event.data.count + 1)


def _same_place(event: Event, _: Scene) -> Built:
    return swap(event, commitment="f" * 64)


def _next_kind(event: Event, _: Scene) -> Built:
    return swap(event, status_index=event.data.status_index ^ 1, commitment="f" * 64, kind="return")


def _other_period(event: Event, _: Scene) -> Built:
    owner = event.subject.rpartition("/")[0]
    return replace(event, subject=f"{owner}/2020", data=replace(event.data, period="2020"))


def _no_period(event: Event, _: Scene) -> Built:
    owner = event.subject.rpartition("/")[0]
    return replace(event, subject=f"{owner}/0000-01", data=replace(event.data, period="0000-01"))


LATER = [
    Wrong("envelope.corrects-unexpected", BOXED, fields(corrects="x"), asked="envelope"),
    Wrong("service.correction-unknown", COUNTED, fields(corrects="nothing")),
    Wrong("service.period-invalid", SEALED, _no_period),
    Wrong("service.period-form", SEALED, _other_period),
    Wrong("service.provenance-differs", VOIDED, fields(provenance="printed")),
    Wrong("service.transaction-time", ISSUED, around(time="2020-01-05T06:00:00.000Z")),
    Wrong("service.commitment-unknown", VOIDED, fields(commitment=NOWHERE)),
    Wrong("service.void-kind-differs", VOIDED, _other_kind),
    Wrong("service.voided-twice", VOIDED, again, after=True),
    Wrong("service.erased-twice", ERASED, again, after=True),
    Wrong("service.batch-unknown", BATCH_ERASED, fields(batch_id="nothing")),
    Wrong("service.erased-count-differs", BATCH_ERASED, _erase_more),
    Wrong("service.date-invalid", ERASED, fields(erased_on="2020-02-30")),
    Wrong("service.ballot-duplicate", OPENED, again, after=True),
    Wrong("service.ballot-option-repeated", OPENED, fields(option_codes=["yes", "yes"])),
    Wrong("service.ballot-dates", OPENED, fields(closes_on="2019-01-01")),
    Wrong("service.ballot-unknown", BOXED, fields(ballot_id="nothing")),
    Wrong("service.ballot-not-over", OPENED, _box_early, after=True),
    Wrong("service.ballot-sealed-twice", BOXED, again, after=True),
    Wrong("service.ballot-exceeds-electorate", BOXED, fields(ballots_cast=10**9)),
    Wrong("service.ballot-not-sealed", OPENED, _tally_early, after=True),
    Wrong("service.ballot-tallied-twice", TALLIED, again, after=True),
    Wrong(
        "service.ballot-options-differ",
        TALLIED,
        fields(tally=lambda event, _: item(event.data.tally, 0, option="perhaps")),
    ),
    Wrong("service.tally-differs", TALLIED, fields(invalid_count=lambda event, _: event.data.invalid_count + 1)),
    Wrong("service.status-list-kind", ISSUED, _next_kind, after=True),
    Wrong("service.status-index-taken", ISSUED, _same_place, after=True),
    Wrong("service.credential-unknown", REVOKED, fields(status_list_id="nothing")),
    Wrong("service.credential-revoked-twice", REVOKED, again, after=True),
    Wrong("service.scheme-duplicate", PUBLISHED_SCHEME, again, after=True),
    Wrong("service.scheme-overlaps", PUBLISHED_SCHEME, fields(scheme_id="another"), after=True),
]
SERVICES = [
    *LATER,
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
