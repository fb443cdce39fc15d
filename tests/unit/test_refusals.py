"""Which refusals leave an entry, what does it say, and which leave none?"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from audit_service.errors import SubmissionRefused
from audit_service.ledger import Ledger
from audit_service.refusals import PER_MINUTE
from audit_service.rules.errors import RuleBroken
from tests.support.numbered_city import (
    SetClock,
    close,
    entries_of,
    gaps_of,
    make_numbered_city,
    numbered,
    numbered_city,
    open_again,
    project,
    refusals_of,
    refused_one,
    verdict_of,
    wait_for_size,
)
from tests.support.small_city import TIMEOUT_S, SmallCity, sealed_batch, service
from verifier.envelope import submission_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with numbered_city(tmp_path / "ledger") as opened:
        opened.post(project())  # entry 1
        yield opened


def assert_nothing_follows(city: SmallCity, size: int) -> None:
    """The next commit would carry any entry that waits: it carries the next event alone."""
    assert city.post(numbered(None, event_id="next")).outcomes[0].index == size
    assert refusals_of(city) == []


def test_a_refused_submission_leaves_whose_which_and_why(city: SmallCity) -> None:
    submission = refused_one(4)
    answer = city.post(submission)
    assert isinstance(answer.outcomes[0].error, RuleBroken)
    wait_for_size(city, 3)
    assert refusals_of(city) == [
        {
            "source": "urn:kr:agency:roads",
            "id": "stranger-4",
            "digest": submission_digest(submission).hex(),
            "rule_id": "project.not-registered",
            "sequence": "4",
        }
    ]
    entry = json.loads(entries_of(city)[2])
    assert (entry["source"], entry["subject"]) == ("urn:kr:agency:city", "registry/agency/roads")
    assert "계획" not in entries_of(city)[2].decode(), "never what it said"
    assert verdict_of(city).holds


def test_the_entry_goes_with_the_next_commit(city: SmallCity) -> None:
    city.post(refused_one(1))
    outcome = city.post(numbered(2)).outcomes[0]
    assert outcome.index == 2, "the event that asked stands first"
    wait_for_size(city, 4)
    assert json.loads(entries_of(city)[3])["type"] == "registry.submission-refused.v1"


def test_the_same_submission_is_refused_in_the_log_once(city: SmallCity) -> None:
    for _ in range(3):
        city.post(refused_one(1))
        wait_for_size(city, 3)
    city.post(numbered(2))
    assert len(refusals_of(city)) == 1


def test_a_refused_number_may_come_again(city: SmallCity) -> None:
    city.post(refused_one(1))
    wait_for_size(city, 3)
    assert [row["sequence"] for row in gaps_of(city)["refused"]] == ["1"]
    assert city.post(numbered(1)).outcomes[0].index == 3
    assert gaps_of(city)["refused"] == []


def refused_before_any_rule() -> list[dict[str, Any]]:
    return [
        numbered(1) | {"data": {"title_ko": "계획"}},  # no date
        numbered(1) | {"data": {"title_ko": "계획", "date": "2021", "more": 1}},
        numbered(1) | {"type": "project.unheard-of.v1"},
        numbered(1) | {"legaldate": "2021-01-04"},
    ]


@pytest.mark.parametrize("submission", refused_before_any_rule())
@pytest.mark.parametrize("alone", [True, False])
def test_a_signed_submission_that_cannot_be_read_is_a_refusal_too(
    city: SmallCity, submission: dict[str, Any], *, alone: bool
) -> None:
    body = city.sign(submission)
    if alone:
        with pytest.raises((SubmissionRefused, RuleBroken)) as caught:
            city.ledger.prepare_one(body)
        city.ledger.note_refused(caught.value)
    else:
        city.send(body)
    wait_for_size(city, 3)
    (refusal,) = refusals_of(city)
    assert (refusal["id"], refusal["sequence"]) == ("plan-1", "1")


def test_of_personal_data_not_even_a_digest_is_told(city: SmallCity) -> None:
    city.send(city.sign(numbered(1) | {"data": {"title_ko": "문의 010-1234-5678", "date": "2021"}}))
    wait_for_size(city, 3)
    (refusal,) = refusals_of(city)
    assert refusal["rule_id"].startswith("privacy.")
    assert "digest" not in refusal


def test_a_dry_run_leaves_nothing(city: SmallCity) -> None:
    city.send(city.sign(refused_one(1)), dry_run=True)
    assert_nothing_follows(city, 2)


def test_what_fell_only_with_its_batch_leaves_nothing_of_its_own(city: SmallCity) -> None:
    city.post(numbered(1), refused_one(2), numbered(3), atomic=True)
    wait_for_size(city, 3)
    assert [refusal["sequence"] for refusal in refusals_of(city)] == ["2"]


def test_a_broken_sealed_batch_is_its_manifest_s_refusal(city: SmallCity) -> None:
    batch = sealed_batch(city, "b1", count=5)
    city.send(*batch, atomic=True)  # the service is not registered
    wait_for_size(city, 3)
    assert [refusal["id"] for refusal in refusals_of(city)] == ["b1/0"]


def test_a_recorded_manifest_with_other_transactions_was_not_refused(city: SmallCity) -> None:
    city.post(service())
    batch = sealed_batch(city, "b1", count=5)
    city.send(*batch, atomic=True)
    city.send(*batch[:4], atomic=True)
    assert_nothing_follows(city, 9)


def by_nobody(city: SmallCity) -> list[bytes]:
    """Bytes that anybody could send in the agency's name."""
    unsigned = numbered(1) | {"subject": "project/nobody"}
    forged = json.loads(city.sign(refused_one(1)))
    forged["data"]["title_ko"] = "다른 계획"
    foreign = city.sign(refused_one(1), by="city")
    return [json.dumps(unsigned).encode(), json.dumps(forged).encode(), foreign, b"{}", b"\xff", b"[" * 5000]


def test_what_the_agency_did_not_sign_leaves_nothing(city: SmallCity) -> None:
    for body in by_nobody(city):
        assert city.send(body).outcomes[0].error is not None
    assert_nothing_follows(city, 2)


def test_a_refused_refusal_leaves_nothing(city: SmallCity) -> None:
    data = {"source": "urn:kr:agency:roads", "id": "x", "rule_id": "budget.year-closed"}
    forged = numbered(1) | {
        "type": "registry.submission-refused.v1",
        "subject": "registry/agency/roads",
        "data": data,
    }
    assert city.post(forged).outcomes[0].error is not None
    assert city.post(forged | {"data": {}}).outcomes[0].error is not None
    assert_nothing_follows(city, 2)


def test_refusing_in_a_loop_does_not_fill_the_log(tmp_path: Path) -> None:
    clock = SetClock()
    with numbered_city(tmp_path / "ledger", clock=clock) as city:
        for _ in range(2):
            city.post(*[refused_one(number) for number in range(3 * PER_MINUTE)])
        wait_for_size(city, 1 + PER_MINUTE)
        city.post(project())
        assert len(refusals_of(city)) == PER_MINUTE
        clock.move(seconds=61)
        city.post(refused_one(1000))
        wait_for_size(city, 1 + PER_MINUTE + 2)


def test_what_waits_is_recorded_before_the_end(tmp_path: Path) -> None:
    settings = make_numbered_city(tmp_path / "ledger")
    with open_again(settings) as city:
        city.post(refused_one(1))
    with open_again(settings) as city:
        assert len(refusals_of(city)) == 1
        city.post(refused_one(1))
        city.post(project())
        assert len(refusals_of(city)) == 1, "a restart does not forget what was told"


def test_without_the_publisher_s_key_the_service_says_so_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = make_numbered_city(tmp_path / "ledger")
    (settings.keys / "publisher.key").unlink()
    with caplog.at_level(logging.WARNING), Ledger(settings) as ledger:
        assert "no publisher's key" in caplog.text
        city = SmallCity(settings, ledger)
        city.post(project(), refused_one(1))
        assert_nothing_follows(city, 2)


def test_used_numbers_outlive_a_restart(tmp_path: Path) -> None:
    settings = make_numbered_city(tmp_path / "ledger")
    with open_again(settings) as city:
        assert city.post(project(), numbered(1), numbered(2)).outcomes[2].index == 3
    with open_again(settings) as city:
        error = city.post(numbered(2, event_id="another")).outcomes[0].error
        assert isinstance(error, RuleBroken)
        assert error.rule_id == "registry.sequence-taken"
        assert city.post(numbered(3)).outcomes[0].index == 4


def test_an_atomic_batch_that_is_refused_gives_its_numbers_back(city: SmallCity) -> None:
    city.post(numbered(1), numbered(1, event_id="twice"), atomic=True)
    assert [outcome.error for outcome in city.post(numbered(1), close(1, 1)).outcomes] == [None, None]
    assert city.ledger.submit([], atomic=False, dry_run=False).result(TIMEOUT_S).outcomes == []
