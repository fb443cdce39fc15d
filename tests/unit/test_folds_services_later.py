"""Are counts gross and net, and what became of transactions, ballots, credentials and checks shown as it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import fold_answer
from tests.support.events import (
    ballot_opened,
    ballot_sealed,
    ballot_tallied,
    batch,
    batch_erased,
    count_published,
    credential_issued,
    credential_revoked,
    erased,
    scheme_registered,
    service_registered,
    transaction,
    voided,
)
from tests.support.given import given

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

REGISTERED = service_registered({"retention_months": 12})
FULL = (
    REGISTERED,
    batch({"loan": 6, "return": 5}),
    *(transaction(number) for number in range(1, 7)),
    *(transaction(number, kind="return") for number in range(7, 12)),
)


def tables(*events: Event) -> dict[str, dict[str, dict[str, Any]]]:
    """The tables of the service after these events, which the rules let pass, through a stored state and back."""
    given(*events)
    folds = fold_all()
    for index, event in enumerate(events):
        folds.apply(index, event)
        folds = FoldSet.from_bytes(folds.state_to_bytes())
    answer = fold_answer(folds, "service-statistics", "library", tree_size=len(events))
    assert answer is not None
    return {table: {row["id"]: row for row in rows} for table, rows in answer["tables"].items()}


def test_counts_are_gross_and_net() -> None:
    shown = tables(*FULL, voided(1), voided(2, {"reason_code": "TEST"}), voided(3, {"reason_code": "TEST"}))
    loans, returns = shown["transactions"]["2021-03/actual/loan"], shown["transactions"]["2021-03/actual/return"]
    assert (loans["count"], loans["voided"], loans["net"], loans["agrees"]) == (6, 3, 3, True)
    assert (returns["count"], returns["voided"], returns["net"]) == (5, 0, 5)
    total = shown["transaction_totals"]["actual"]
    assert (total["count"], total["voided"], total["net"]) == (11, 3, 8)
    assert {row["reason_code"]: row["count"] for row in shown["voided"].values()} == {"DUPLICATE": 1, "TEST": 2}
    # A figure rests on its voids too; those of another kind are not behind it.
    assert loans["entries"] == [[1, 12], 13, 14, 15]
    assert returns["entries"] == [[1, 12]]
    assert total["entries"] == [[1, 12], 13, 14, 15]


@pytest.mark.parametrize(("count", "status", "agrees_with"), [(6, "reconciled", "gross"), (5, "reconciled", "net")])
def test_a_published_count_may_be_gross_or_net(count: int, status: str, agrees_with: str) -> None:
    shown = tables(*FULL, voided(1), count_published({"count": count}))["published_counts"]["c1"]
    assert (shown["status"], shown["agrees_with"]) == (status, agrees_with)
    assert (shown["counted_transactions"], shown["counted_net"]) == (6, 5)


def test_a_count_that_equals_neither_is_unreconciled() -> None:
    shown = tables(*FULL, voided(1), count_published({"count": 7}))["published_counts"]["c1"]
    assert (shown["status"], shown["agrees_with"]) == ("unreconciled", None)


def test_both_versions_of_a_corrected_count_remain() -> None:
    first = count_published({"count": 7}, id="first")
    second = count_published({"count": 8, "corrects": "first"}, id="second")
    third = count_published({"count": 6, "corrects": "second"}, id="third")
    shown = tables(*FULL, first, second, third)["published_counts"]
    assert {row_id: (row["count"], row["corrects"], row["corrected_by"]) for row_id, row in shown.items()} == {
        "c1": (7, None, "second"),
        "c1~2": (8, "first", "third"),
        "c1~3": (6, "second", None),
    }
    assert shown["c1"]["entries"] == [13, 14]


def test_erased_side_records_leave_the_counts_as_they_are() -> None:
    shown = tables(*FULL, erased(1), erased(7, {"cause": "COURT"}))
    period = shown["periods"]["2021-03/actual"]
    assert (period["count"], period["side_records_erased"], period["side_records_left"]) == (11, 2, 9)
    assert {row["cause"]: row["count"] for row in shown["erased"].values()} == {"REQUEST": 1, "COURT": 1}
    assert shown["transactions"]["2021-03/actual/loan"]["net"] == 6
    rest = tables(*FULL, erased(1), batch_erased(10))["periods"]["2021-03/actual"]
    assert (rest["side_records_erased"], rest["side_records_left"]) == (11, 0)


def test_a_period_says_until_when_its_side_records_are_kept() -> None:
    period = tables(*FULL)["periods"]["2021-03/actual"]
    assert (period["ended_at"], period["side_records_kept_until"]) == ("2021-03-31T15:00:00.000Z", "2022-03-31")
    silent = tables(service_registered(), *FULL[1:])["periods"]["2021-03/actual"]
    assert silent["side_records_kept_until"] is None


def test_a_ballot_is_one_row_in_three_states() -> None:
    history = [
        REGISTERED,
        ballot_opened(),
        ballot_sealed(9),
        ballot_tallied({"yes": 5, "no": 3}, 1),
    ]
    states = [tables(*history[:end])["ballots"]["v1"] for end in (2, 3, 4)]
    assert [row["status"] for row in states] == ["opened", "sealed", "tallied"]
    assert [row["ballots_cast"] for row in states] == [None, 9, 9]
    assert states[2]["tally"] == [{"option": "yes", "count": 5}, {"option": "no", "count": 3}]
    assert states[2]["entries"] == [1, 2, 3]
    assert {frozenset(row) for row in states} == {frozenset(states[0])}, "every row has every column"


def test_a_wallet_finds_the_revoked_places_of_its_list() -> None:
    places = (0, 1, 2, 31, 32, 1_048_575, 7)
    revoked = (1, 2, 31, 32, 1_048_575)
    events = [credential_issued(place) for place in places] + [credential_revoked(place) for place in revoked]
    row = tables(REGISTERED, *events)["credentials"]["2021-03/l1"]
    assert (row["issued"], row["revoked"], row["valid"]) == (7, 5, 2)
    assert row["revoked_ranges"] == [[1, 2], [31, 32], [1_048_575, 1_048_575]]
    assert row["entries"] == [[1, 12]]


def test_checks_are_inferred_from_persons_and_never_counted() -> None:
    shown = tables(*FULL, scheme_registered({"round": "2021-03"}), voided(1))
    answer = shown["scheme_answers"]["s1/2021-03/actual/loan"]
    assert (answer["persons"], answer["checks_each"], answer["checks_inferred"]) == (5, 2, 10)
    assert answer["entries"] == [[1, 12], 13, 14]
    assert not tables(*FULL, scheme_registered({"round": "2021-04"}))["scheme_answers"]
    assert shown["schemes"]["s1"]["name_ko"] == "자격 확인"


def test_what_the_rules_refuse_is_folded_without_a_crash() -> None:
    """A replay also folds what it refuses: the service's tables held it too."""
    orphans = [
        voided(1),
        erased(1),
        batch_erased(3),
        ballot_sealed(4),
        ballot_tallied({"yes": 1, "no": 1}),
        credential_revoked(5),
        count_published({"corrects": "nobody"}),
        msgspec.structs.replace(batch({"loan": 5}), subject="service/library/9999"),
    ]
    folds = fold_all()
    for index, event in enumerate(orphans):
        folds.apply(index, event)
    rows = {row.table: row for row in folds.compute_rows("service-statistics", "library")}
    assert rows["ballots"].body["status"] == "tallied"
    assert rows["periods"].body["ended_at"] is None
