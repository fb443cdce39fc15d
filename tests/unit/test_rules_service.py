"""Which counts and transactions are refused? One unit per service, sealed batches, no small cells."""

from __future__ import annotations

import pytest

from audit_service.rules.decide import decide
from tests.support.events import (
    PARKS,
    ROADS,
    batch,
    count_published,
    service_registered,
    transaction,
)
from tests.support.given import Refusal, given, name_of, refuses

SERVICE = (service_registered(),)
SEALED = (*SERVICE, batch({"loan": 5}))
FULL = (*SEALED, *(transaction(number) for number in range(1, 6)))
COUNT = count_published(id="first")
MONTHLY = (service_registered({"period_form": "MONTH"}),)
YEAR_ZERO = {"subject": "service/library/0000"}

REFUSALS = (
    Refusal("service.registered-twice", "it is registered", SERVICE, service_registered()),
    Refusal("service.not-owner", "another agency registers it", SERVICE, service_registered(source=PARKS), ROADS),
    Refusal(
        "service.kind-repeated",
        "a kind of the service",
        (),
        service_registered({"kinds": [{"code": "x", "name_ko": "가"}, {"code": "x", "name_ko": "나"}]}),
    ),
    # Published counts.
    Refusal("service.not-registered", "counted first", (), count_published()),
    Refusal("service.not-owner", "another agency counts", SERVICE, count_published(source=PARKS), ROADS),
    Refusal("service.count-duplicate", "the id is taken", (*SERVICE, count_published()), count_published()),
    Refusal("service.kind-unknown", "no such kind", SERVICE, count_published({"kind": "z"})),
    Refusal("service.small-cell", "four readers, first hand", SERVICE, count_published({"count": 4}), 5),
    Refusal(
        "service.small-cell",
        "four that were made up",
        SERVICE,
        count_published({"count": 4, "provenance": "synthetic"}),
    ),
    Refusal(
        "service.correction-unknown",
        "nothing to correct",
        SERVICE,
        count_published({"corrects": "first"}),
    ),
    Refusal(
        "service.correction-unknown",
        "the count of another id",
        (*SERVICE, COUNT),
        count_published({"count_id": "c2", "corrects": "first"}),
    ),
    Refusal(
        "service.correction-unknown",
        "corrected before",
        (*SERVICE, COUNT, count_published({"count": 19354, "corrects": "first"}, id="second")),
        count_published({"corrects": "first"}),
        "second",
    ),
    Refusal("service.unit-differs", "persons are not cases", SERVICE, count_published({"unit_ko": "명"}), "건"),
    # Manifests.
    Refusal("service.not-registered", "sealed first", (), batch({"loan": 5})),
    Refusal("service.not-owner", "another agency seals", SERVICE, batch({"loan": 5}, source=PARKS), ROADS),
    Refusal("service.not-operating", "only planned", (service_registered({"status": "planned"}),), batch({"loan": 5})),
    Refusal("service.period-differs", "another month", SERVICE, batch({"loan": 5}, {"period": "2021-04"}), "2021-03"),
    Refusal(
        "service.period-form",
        "a month of a yearly service",
        (service_registered({"period_form": "YEAR"}),),
        batch({"loan": 5}),
        "YEAR",
    ),
    Refusal(
        "service.period-form",
        "a round of a year of a monthly service",
        MONTHLY,
        batch({"loan": 5}, {"period": "2021-r1"}, subject="service/library/2021-r1"),
        "MONTH",
    ),
    Refusal("service.period-invalid", "no such year", SERVICE, batch({"loan": 5}, {"period": "0000"}, **YEAR_ZERO)),
    Refusal(
        "service.period-invalid",
        "it never ends",
        SERVICE,
        batch({"loan": 5}, {"period": "9999-12"}, subject="service/library/9999-12"),
    ),
    Refusal("service.manifest-id", "an id of its own", SERVICE, batch({"loan": 5}, id="m"), "b1/0"),
    Refusal("service.batch-duplicate", "sealed twice", FULL, batch({"loan": 5})),
    Refusal("service.batch-open", "the one before lacks all", SEALED, batch({"loan": 5}, {"batch_id": "b2"})),
    Refusal("service.batch-open", "the one before lacks one", FULL[:-1], batch({"loan": 5}, {"batch_id": "b2"})),
    Refusal("service.kind-repeated", "a kind of the manifest", SERVICE, batch([("loan", 5), ("loan", 5)])),
    Refusal("service.kind-unknown", "no such kind to seal", SERVICE, batch({"z": 5})),
    Refusal("service.small-cell", "four readers", SERVICE, batch({"loan": 5, "return": 4}), 5),
    Refusal("service.small-cell", "four readers alone", SERVICE, batch({"loan": 4}), 5),
    Refusal("service.counts-differ", "one more than its kinds", SERVICE, batch({"loan": 5}, {"count": 6}), 5),
    # Transactions.
    Refusal("service.unsealed", "no batch at all", SERVICE, transaction(1)),
    Refusal("service.unsealed", "the batch is full", FULL, transaction(6)),
    Refusal("service.not-owner", "another agency's transaction", SEALED, transaction(1, source=PARKS), ROADS),
    Refusal("service.period-differs", "another month inside", SEALED, transaction(1, data={"period": "2021-04"})),
    *(
        Refusal("service.transaction-time", why, SEALED, transaction(1, time=time), "2021-03-31T15:00:00.000Z")
        for why, time in {
            "the minute it happened": "2021-03-17T05:31:00.000Z",
            "midnight in London": "2021-04-01T00:00:00.000Z",
            "a millisecond before": "2021-03-31T14:59:59.999Z",
        }.items()
    ),
    Refusal(
        "service.provenance-differs",
        "made up among real ones",
        SEALED,
        transaction(1, data={"provenance": "synthetic"}),
    ),
    Refusal(
        "service.provenance-differs",
        "of another provenance than its manifest",
        (*SERVICE, batch({"loan": 5}, {"provenance": "synthetic"})),
        transaction(1, data={"provenance": "illustrative"}),
        "synthetic",
    ),
    Refusal("service.kind-unknown", "no such kind inside", SEALED, transaction(1, kind="z")),
    Refusal("service.kind-unknown", "a kind that is not sealed", SEALED, transaction(1, kind="return")),
    Refusal("service.commitment-duplicate", "the same again", FULL[:-1], transaction(1, id="b1/5")),
    *(
        Refusal("service.commitment-form", why, SEALED, transaction(1, data={"commitment": text}))
        for why, text in {
            "nothing": "",
            "63 digits": "a" * 63,
            "62 digits": "a" * 62,
            "66 digits": "a" * 66,
            "capital letters": "A" * 64,
            "a blank between bytes": "a" * 62 + " " + "a",
            "blanks around 64 digits": " " + "a" * 64,
            "a letter beyond f": "g" * 64,
            "a sign": "-" + "a" * 63,
            "digits of another script": "１" * 64,
        }.items()
    ),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_batch_after_batch() -> None:
    world = given(*FULL, batch({"return": 5}, {"batch_id": "b2"}))
    decide(world, transaction(6, batch_id="b2", kind="return"))


def test_a_transaction_may_say_what_its_manifest_says() -> None:
    world = given(*SERVICE, batch({"loan": 5}, {"provenance": "synthetic"}))
    decide(world, transaction(1, data={"provenance": "synthetic"}))
    decide(world, transaction(1))


def test_a_round_ends_with_its_period() -> None:
    subject = {"subject": "service/library/2021-Q1-r2"}
    world = given(*SERVICE, batch({"loan": 5}, {"period": "2021-Q1-r2"}, **subject))
    decide(world, transaction(1, data={"period": "2021-Q1-r2"}, **subject))


def test_a_period_of_the_form_that_is_stated() -> None:
    given(*MONTHLY, batch({"loan": 5}))


def test_an_imported_count_may_be_small_and_a_count_may_be_nothing() -> None:
    given(*SERVICE, count_published({"count": 1, "provenance": "printed"}))
    given(*SERVICE, count_published({"count": 0}))


def test_a_correction_may_be_corrected() -> None:
    again = count_published({"count": 19354, "corrects": "first"}, id="second")
    given(*SERVICE, COUNT, again, count_published({"count": 19355, "corrects": "second"}))


def test_a_planned_service_may_publish_a_count() -> None:
    given(service_registered({"status": "planned"}), count_published())
