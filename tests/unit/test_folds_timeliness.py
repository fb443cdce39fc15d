"""How late is an event recorded? In days of the calendar in Seoul, imports apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import fold_answer
from tests.support.events import PERIOD_END, batch, effect, opened, planned, transaction

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event


def timeliness(*events: Event) -> dict[str, dict[str, Any]]:
    folds = fold_all()
    for index, event in enumerate(events):
        folds.apply(index, event)
        folds = FoldSet.from_bytes(folds.state_to_bytes())
    answer = fold_answer(folds, "agency-gaps", "roads", tree_size=len(events))
    assert answer is not None
    return {row["id"]: row for row in answer["tables"]["timeliness"]}


@pytest.mark.parametrize(
    ("legal_date", "recorded", "days"),
    [
        ("2021-06-15", "2021-06-15T14:59:59.999Z", 0),
        ("2021-06-15", "2021-06-15T15:00:00.000Z", 1),  # past midnight in Seoul
        ("2021-06-15", "2021-06-14T15:00:00.000Z", 0),
        ("2021-06-15", "2021-06-01T00:00:00.000Z", 0),  # a legal date that lies ahead
        ("2020-02-28", "2021-02-28T00:00:00.000Z", 366),
    ],
)
def test_days_count_from_the_legal_date_in_korean_time(legal_date: str, recorded: str, days: int) -> None:
    row = timeliness(opened(legal_date=legal_date, recorded_time=recorded))["budget/actual"]
    assert (row["events"], row["days_total"], row["days_most"]) == (1, days, days)


def test_without_a_legal_date_days_count_from_the_time() -> None:
    event = effect(time="2021-03-31T15:00:00.000Z", recorded_time="2021-04-08T00:00:00.000Z")
    row = timeliness(event)["project/actual"]
    assert (row["days_most"], row["within_1"], row["within_7"], row["within_30"]) == (7, 0, 1, 1)


def test_kinds_and_provenances_have_rows_of_their_own() -> None:
    now = "2021-06-20T00:00:00.000Z"
    old = {"provenance": "printed"}
    rows = timeliness(
        opened(recorded_time=now),
        planned(recorded_time=now),
        planned(data=old, recorded_time=now, legal_date="2011-06-15"),
        planned(recorded_time=now, legal_date="2021-05-01"),
        planned(recorded_time=now),
    )
    assert set(rows) == {"budget/actual", "contract/actual", "contract/printed"}
    contract = rows["contract/actual"]
    assert (contract["events"], contract["days_total"], contract["days_most"]) == (3, 5 + 50 + 5, 50)
    assert contract["entries"] == [3, 4], "the slowest and the newest"
    assert contract["provenance"] == ["actual"]


def test_sealed_transactions_are_left_out() -> None:
    now = "2021-04-02T00:00:00.000Z"
    events = (batch({"loan": 5}, time=PERIOD_END, recorded_time=now), transaction(1, recorded_time=now))
    assert timeliness(*events)["service/actual"]["events"] == 1
