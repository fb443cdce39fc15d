"""Are published counts and recounted transactions kept apart, and is a long run of transactions kept small?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import fold_answer
from tests.support.seed_city import (
    SEED,
    MemoryLog,
    period_of,
    publish_count,
    register_service,
    seal_batch,
    seed_log,
    service_id,
)

KINDS = ["record", "other", "record", "record", "other", "record"]


def fold(log: MemoryLog) -> FoldSet:
    folds = fold_all()
    for index, event in log.events():
        folds.apply(index, event)
    return folds


def statistics(folds: FoldSet, name: str) -> dict[str, dict[str, dict[str, Any]]]:
    answer = fold_answer(folds, "service-statistics", name, tree_size=0)
    assert answer is not None
    return {table: {row["id"]: row for row in rows} for table, rows in answer["tables"].items()}


@pytest.mark.parametrize("count", SEED["service_counts"], ids=lambda count: f"{count['service']}-{period_of(count)}")
def test_the_printed_counts_stay_unreconciled(count: dict[str, Any]) -> None:
    name = service_id(count["service"])
    published = statistics(fold(seed_log()), name)["published_counts"][f"{name}-{period_of(count)}-printed"]
    assert (published["count"], published["unit_ko"]) == (count["count"], count["unit_ko"])
    assert (published["status"], published["counted_transactions"]) == ("unreconciled", 0)


def test_synthetic_transactions_reconcile_a_synthetic_count_and_never_the_city_s() -> None:
    log = seed_log()
    used_car = next(count for count in SEED["service_counts"] if count["service"] == "used_car")
    seal_batch(log, "used-car", "2019", ["record"] * used_car["count"])
    publish_count(log, "used-car", used_car["count"], period="2019", provenance="synthetic")
    tables = statistics(fold(log), "used-car")
    published = tables["published_counts"]
    assert published["used-car-2019-printed"]["status"] == "unreconciled"
    assert published["used-car-2019-printed"]["counted_transactions"] == 0
    assert published["used-car-2019-synthetic"]["status"] == "reconciled"
    assert tables["transactions"]["2019/synthetic/record"]["count"] == used_car["count"]
    assert list(tables["transaction_totals"]) == ["synthetic"]


def test_a_count_is_compared_with_its_own_period_or_with_all() -> None:
    log = MemoryLog()
    register_service(log, "s", "서비스", "건")
    for period in ("2019-r1", "2019-r2"):
        seal_batch(log, "s", period, ["record"] * 5)
    for period, count in (("2019-r1", 5), ("2019-r2", 10), (None, 10)):
        publish_count(log, "s", count, period=period, provenance="synthetic")
    published = statistics(fold(log), "s")["published_counts"]
    assert {row_id: row["status"] for row_id, row in published.items()} == {
        "s-2019-r1-synthetic": "reconciled",
        "s-2019-r2-synthetic": "unreconciled",
        "s-None-synthetic": "reconciled",
    }


def test_neighbouring_batches_become_one_range_with_their_manifests() -> None:
    log = MemoryLog()
    register_service(log, "s", "서비스", "건")
    first = seal_batch(log, "s", "2019", KINDS)
    seal_batch(log, "s", "2019", KINDS)
    last = log.head_size() - 1
    publish_count(log, "s", 1, period="2019")
    again = seal_batch(log, "s", "2019", KINDS)
    row = statistics(fold(log), "s")["transactions"]["2019/synthetic/record"]
    assert row["entries"] == [[first, last], [again, log.head_size() - 1]]
    assert (row["count"], row["declared_count"], row["agrees"], row["batches"]) == (12, 12, True, 3)
    assert row["kind_ko"] == "기록"


def test_a_transaction_that_says_nothing_is_what_its_manifest_says() -> None:
    log = MemoryLog()
    seal_batch(log, "s", "2019", KINDS, said=False)
    rows = statistics(fold(log), "s")["transactions"]
    assert list(rows) == ["2019/synthetic/other", "2019/synthetic/record"]


def test_a_manifest_that_declares_more_than_it_holds_is_shown() -> None:
    log = MemoryLog()
    seal_batch(log, "s", "2019", KINDS)
    log.stored.pop()  # the last transaction, a "record", is missing
    rows = statistics(fold(log), "s")["transactions"]
    assert (rows["2019/synthetic/record"]["agrees"], rows["2019/synthetic/other"]["agrees"]) == (False, True)


def test_provenances_and_periods_and_services_are_told_apart() -> None:
    log = MemoryLog()
    seal_batch(log, "a", "2019", KINDS)
    seal_batch(log, "a", "2019", KINDS, provenance="illustrative")
    seal_batch(log, "a", "2020", KINDS)
    seal_batch(log, "b", "2019", KINDS)
    folds = fold(log)
    assert [row["entries"] for row in statistics(folds, "a")["transaction_totals"].values()] == [
        [[7, 13]],
        [[0, 6], [14, 20]],
    ]
    assert statistics(folds, "b")["transaction_totals"]["synthetic"]["count"] == len(KINDS)


def test_the_fast_entries_count_the_same() -> None:
    log = MemoryLog()
    register_service(log, "s", "서비스", "건")
    for period in ("2019", "2020", "2019"):
        seal_batch(log, "s", period, KINDS)
        seal_batch(log, "s", period, KINDS, said=False)
    one_by_one, in_runs = fold_all(), fold_all()
    run: list[str] = []
    for index, event in log.events():
        if event.type == "service.transaction-recorded.v1":
            said = event.data.provenance
            one_by_one.apply_transaction(index, event.subject, event.data.kind, said or None)
            run.append(event.data.kind)
            if len(run) == len(KINDS):
                first = index - len(KINDS) + 1
                in_runs.apply_transactions(first, event.subject, Counter(run), said)
                run = []
        else:
            one_by_one.apply(index, event)
            in_runs.apply(index, event)
    in_runs.apply_transactions(99, "service/s/2019", {}, None)  # nothing happened
    whole = fold(log).compute_rows("service-statistics", "s")
    assert one_by_one.compute_rows("service-statistics", "s") == whole
    assert in_runs.compute_rows("service-statistics", "s") == whole


def test_the_state_does_not_grow_with_the_number_of_transactions() -> None:
    sizes = []
    for count in (10, 1000):
        folds = fold_all()
        for index in range(count):
            folds.apply_transaction(index, "service/s/2019", KINDS[index % len(KINDS)], "synthetic")
        sizes.append(len(folds.state_to_bytes()))
    assert sizes[1] - sizes[0] < 10


def test_a_run_that_goes_on_after_a_look_is_announced_again() -> None:
    folds = fold_all()
    for index in range(3):
        folds.apply_transaction(index, "service/s/2019", "record", "synthetic")
        changes = folds.take_changes()
        assert changes.tables == [("service-statistics", "s")]
        assert changes.parts == [("services", "s")]
    assert statistics(folds, "s")["transaction_totals"]["synthetic"]["entries"] == [[0, 2]]
