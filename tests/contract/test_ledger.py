"""What becomes of a submission: recorded, signed, published, refused, repeated?"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from audit_service.errors import BatchRefused, IdTaken, PositionTaken, SignatureRefused, SubmissionRefused
from audit_service.rules.errors import RuleBroken
from tests.support.small_city import (
    BUDGET,
    budget_year,
    obligation,
    payment,
    sealed_batch,
    service,
    small_city,
    submission,
)
from verifier.canonical import encode_canonical
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import parse_entry
from verifier.hashing import leaf_hash
from verifier.notes import VerifierKey
from verifier.tree import verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.small_city import SmallCity


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path / "ledger") as opened:
        yield opened


def refused(city: SmallCity, *bodies: bytes, atomic: bool = False) -> list[Exception]:
    """The errors of a request of which nothing may be recorded."""
    before = city.ledger.reader.tree_size
    result = city.send(*bodies, atomic=atomic)
    assert city.ledger.reader.tree_size == before
    errors = [outcome.error for outcome in result.outcomes]
    assert all(error is not None for error in errors)
    return [error for error in errors if error is not None]


def test_an_accepted_event_is_an_entry_under_a_signed_checkpoint(city: SmallCity) -> None:
    result = city.post(*budget_year())
    assert [outcome.index for outcome in result.outcomes] == [1, 2, 3, 4]
    assert [outcome.position for outcome in result.outcomes] == [1, 2, 3, 4]
    checkpoint = verify_checkpoint(result.head.note, vkey=VerifierKey.parse(city.ledger.vkey))
    assert checkpoint.tree_size == 5
    for index in range(1, 5):
        entry = city.ledger.reader.entry(index)
        attributes = parse_entry(entry)
        assert attributes["position"] == index
        verify_inclusion(
            leaf_hash(entry),
            index=index,
            tree_size=checkpoint.tree_size,
            proof=city.ledger.inclusion(index, checkpoint.tree_size),
            root=checkpoint.root_hash,
        )


def test_recorded_time_never_goes_back(city: SmallCity) -> None:
    for submitted in budget_year():
        city.post(submitted)
    times = [parse_entry(entry)["recordedtime"] for entry in city.ledger.reader.entries(0, 5)]
    assert times == sorted(times)


def test_a_repeat_gets_the_same_index_again(city: SmallCity) -> None:
    first = city.post(*budget_year())
    size = city.ledger.reader.tree_size
    again = city.post(*budget_year())
    assert [outcome.index for outcome in again.outcomes] == [outcome.index for outcome in first.outcomes]
    assert all(outcome.repeated for outcome in again.outcomes)
    assert city.ledger.reader.tree_size == size


def test_a_repeat_inside_one_request_is_one_entry(city: SmallCity) -> None:
    year = budget_year()[0]
    result = city.post(year, year)
    assert [outcome.index for outcome in result.outcomes] == [1, 1]
    assert [outcome.repeated for outcome in result.outcomes] == [False, True]
    assert city.ledger.reader.tree_size == 2


def test_the_same_id_with_other_content_is_refused(city: SmallCity) -> None:
    city.post(*budget_year())
    other = budget_year(appropriated_won=5)[2]
    (error,) = refused(city, city.sign(other))
    assert isinstance(error, IdTaken)


def test_overspending_is_refused_by_its_rule_and_changes_nothing(city: SmallCity) -> None:
    city.post(*budget_year(appropriated_won=100), obligation(1, amount_won=60))
    (error,) = refused(city, city.sign(obligation(2, amount_won=41)))
    assert isinstance(error, RuleBroken)
    assert error.stream == BUDGET
    # The negative control: one won less fits.
    assert city.post(obligation(2, amount_won=40)).outcomes[0].index is not None


def test_an_atomic_batch_is_all_or_nothing(city: SmallCity) -> None:
    city.post(*budget_year(appropriated_won=100))
    good, bad = obligation(1, amount_won=100), obligation(2, amount_won=1)
    errors = refused(city, city.sign(good), city.sign(bad), atomic=True)
    assert isinstance(errors[0], BatchRefused)
    assert isinstance(errors[1], RuleBroken)
    # What the refused batch had changed in memory is undone: the same obligation is possible afterwards.
    assert city.post(good).outcomes[0].position == 5


def test_a_batch_that_is_not_atomic_records_what_is_good(city: SmallCity) -> None:
    city.post(*budget_year(appropriated_won=100))
    result = city.post(
        obligation(1, amount_won=100), obligation(2, amount_won=1), payment(1, of_obligation=1, amount_won=7)
    )
    assert [outcome.index for outcome in result.outcomes] == [5, None, 6]


def test_a_dry_run_decides_and_records_nothing(city: SmallCity) -> None:
    city.post(*budget_year(appropriated_won=100))
    size = city.ledger.reader.tree_size
    ok = city.send(city.sign(obligation(1, amount_won=100)), dry_run=True)
    assert ok.outcomes[0].error is None
    assert ok.outcomes[0].index is None
    bad = city.send(city.sign(obligation(1, amount_won=101)), dry_run=True)
    assert isinstance(bad.outcomes[0].error, RuleBroken)
    assert city.ledger.reader.tree_size == size
    assert city.post(obligation(1, amount_won=100)).outcomes[0].index == size


def test_an_expected_position_that_is_taken_is_refused(city: SmallCity) -> None:
    year, line, *_ = budget_year()
    city.post({**year, "expectedposition": 1})
    (error,) = refused(city, city.sign({**line, "expectedposition": 1}))
    assert isinstance(error, PositionTaken)
    assert city.post({**line, "expectedposition": 2}).outcomes[0].position == 2


def test_an_event_from_the_future_is_refused(city: SmallCity) -> None:
    year = budget_year()[0]
    (error,) = refused(city, city.sign({**year, "time": "2999-01-01T00:00:00.000Z"}))
    assert isinstance(error, SubmissionRefused)
    assert error.rule_id == "envelope.time-in-future"


# --- signatures ---


def test_an_unsigned_event_is_refused(city: SmallCity) -> None:
    (error,) = refused(city, encode_canonical(budget_year()[0]))
    assert isinstance(error, SignatureRefused)
    assert error.rule_id == "submission.signature-missing"


def test_a_changed_event_no_longer_fits_its_signature(city: SmallCity) -> None:
    signed = json.loads(city.sign(budget_year()[2]))
    signed["data"]["total_won"] += 1
    (error,) = refused(city, encode_canonical(signed))
    assert isinstance(error, SignatureRefused)
    assert error.rule_id == "submission.signature-invalid"


def test_another_agencys_key_is_refused(city: SmallCity) -> None:
    (error,) = refused(city, city.sign(budget_year()[0], by="city"))
    assert isinstance(error, RuleBroken)
    assert error.rule_id == "registry.source-mismatch"


def test_a_key_outside_its_scope_is_refused(city: SmallCity) -> None:
    named = submission(
        "registry.organisation-named.v1", "registry/agency/roads", {"code": "roads", "name_ko": "도로과"}, event_id="n"
    )
    (error,) = refused(city, city.sign(named))
    assert isinstance(error, RuleBroken)
    assert error.rule_id == "registry.key-scope"


def test_nobody_can_begin_the_log_again(city: SmallCity) -> None:
    genesis = json.loads(city.ledger.reader.entry(0))
    again = {name: value for name, value in genesis.items() if name not in {"position", "recordedtime"}}
    again["id"] = "genesis-2"
    (error,) = refused(city, encode_canonical(again))
    assert isinstance(error, SignatureRefused)


# --- sealed batches ---


def test_a_sealed_batch_is_recorded_behind_its_manifest(city: SmallCity) -> None:
    city.post(service())
    batch = sealed_batch(city, "b1", count=20)
    result = city.send(*batch, atomic=True)
    assert [outcome.index for outcome in result.outcomes] == list(range(2, 23))
    again = city.send(*batch, atomic=True)
    assert [outcome.index for outcome in again.outcomes] == list(range(2, 23))
    assert all(outcome.repeated for outcome in again.outcomes)
    assert city.ledger.reader.tree_size == 23


def test_unsealed_transactions_are_refused(city: SmallCity) -> None:
    city.post(service())
    _, *transactions = sealed_batch(city, "b1", count=20)
    errors = refused(city, *transactions, atomic=True)
    assert {getattr(error, "rule_id", "") for error in errors} <= {"service.unsealed", "submission.batch-refused"}


def test_a_batch_with_another_transaction_than_it_was_sealed_with_is_refused(city: SmallCity) -> None:
    city.post(service())
    batch = sealed_batch(city, "b1", count=20)
    changed = json.loads(batch[7])
    changed["data"]["commitment"] = "ab" * 32
    batch[7] = encode_canonical(changed)
    errors = refused(city, *batch, atomic=True)
    assert errors[0].rule_id == "service.batch-root-differs"  # type: ignore[attr-defined] # a SubmissionRefused


def test_a_batch_that_lacks_a_transaction_is_refused(city: SmallCity) -> None:
    city.post(service())
    batch = sealed_batch(city, "b1", count=20)
    refused(city, *batch[:-1], atomic=True)


# --- publication, and opening again ---


def wait_until_published(city: SmallCity, size: int) -> None:
    deadline = time.monotonic() + 20
    while city.ledger.published_size < size:
        assert time.monotonic() < deadline, "not published in time"
        time.sleep(0.01)


def test_what_is_signed_is_published_and_kept(city: SmallCity) -> None:
    city.post(*budget_year())
    wait_until_published(city, 5)
    note = (city.settings.public / "log" / "checkpoint").read_bytes()
    assert verify_checkpoint(note, vkey=VerifierKey.parse(city.ledger.vkey)).tree_size == 5
    assert city.ledger.status(4) == "published"


def test_a_ledger_opens_again_where_it_stopped(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger") as city:
        city.post(*budget_year(appropriated_won=100), obligation(1, amount_won=60))
        head = city.ledger.signed()
    with small_city(tmp_path / "ledger") as city:
        assert city.ledger.signed() == head
        assert city.ledger.published_size == head.size
        kept = city.ledger.checkpoints.at(head.size)
        assert kept is not None
        assert kept.note == head.note
        assert city.ledger.checkpoints.root_of_the_day(kept.day) == kept
        # The state is rebuilt from the entries alone: the rules still know what was obligated.
        assert city.post(obligation(2, amount_won=41)).outcomes[0].error is not None
        assert city.post(obligation(2, amount_won=40)).outcomes[0].position == 6


# --- repeats inside larger requests ---


def test_an_atomic_batch_may_hold_what_is_recorded_already(city: SmallCity) -> None:
    year, line, appropriation, allotment = budget_year()
    city.post(year, line)
    result = city.post(year, line, appropriation, allotment, atomic=True)
    assert [outcome.index for outcome in result.outcomes] == [1, 2, 3, 4]
    assert [outcome.repeated for outcome in result.outcomes] == [True, True, False, False]


def test_a_recorded_manifest_does_not_vouch_for_other_transactions(city: SmallCity) -> None:
    city.post(service())
    batch = sealed_batch(city, "b1", count=20)
    city.send(*batch, atomic=True)
    changed = json.loads(batch[7])
    changed["data"]["commitment"] = "ab" * 32
    for forged in ([*batch[:7], encode_canonical(changed), *batch[8:]], batch[:5], [*batch[:-1], batch[1]]):
        refused(city, *forged, atomic=True)


def test_a_whole_batch_and_something_new_in_one_request(city: SmallCity) -> None:
    city.post(service())
    batch = sealed_batch(city, "b1", count=20)
    city.send(*batch, atomic=True)
    result = city.send(*batch, *sealed_batch(city, "b2", count=6), atomic=True)
    assert [outcome.index for outcome in result.outcomes] == list(range(2, 30))
    assert [outcome.repeated for outcome in result.outcomes] == [True] * 21 + [False] * 7


def test_refused_submissions_with_made_up_subjects_leave_nothing_in_memory(city: SmallCity) -> None:
    city.post(*budget_year())
    for number in range(50):
        made_up = {**budget_year()[1], "subject": f"budget/roads/{2100 + number}", "id": f"made-up-{number}"}
        assert city.post(made_up).outcomes[0].error is not None
    assert [subject for subject in city.ledger._streams._streams if subject.startswith("budget/")] == [BUDGET]
