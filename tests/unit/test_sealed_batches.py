"""Does the way of a whole batch at once refuse what the way one by one does, and leave what later events need?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from audit_service import submission as submissions
from audit_service.rules.service_states import PeriodState
from tests.support.small_city import SmallCity, sealed_batch, service, small_city, submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERIOD = "service/permits/2021-01"
WRONG: dict[str, dict[str, Any]] = {
    "service.transaction-time": {"time": "2021-01-17T05:31:00.000Z"},
    "service.provenance-differs": {"provenance": "synthetic"},
}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SmallCity]:
    with small_city(tmp_path) as city:
        city.post(service())
        yield city


def rule_ids(city: SmallCity, lines: list[bytes]) -> set[str]:
    return {getattr(one.error, "rule_id", "") for one in city.send(*lines, atomic=True).outcomes if one.error}


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("rule_id", WRONG)
def test_a_batch_that_tells_too_much_is_refused_on_both_ways(
    city: SmallCity, rule_id: str, monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    lines = sealed_batch(city, "b1", count=20, **WRONG[rule_id])
    # Its form is that of a whole batch: it is the rule that refuses it.
    assert any(isinstance(one, submissions.SealedItem) for one in city.ledger.prepare_many(lines))
    if not at_once:
        monkeypatch.setattr(submissions, "read_sealed_run", lambda *_: None)
    size = city.ledger.reader.tree_size
    assert rule_id in rule_ids(city, lines)
    assert city.ledger.reader.tree_size == size


def test_transactions_that_came_at_once_can_be_voided_and_erased(city: SmallCity) -> None:
    assert not rule_ids(city, sealed_batch(city, "b1", count=20))
    commitment = hashlib.sha256(b"b1/7").hexdigest()
    erased = {"cause": "REQUEST", "erased_on": "2021-03-02", "deletion_receipt_sha256": "d" * 64}
    for name, data in {
        "service.transaction-voided.v1": {"kind": "permit", "reason_code": "TEST"},
        "service.side-record-erased.v1": erased,
    }.items():
        event = submission(name, PERIOD, {"commitment": commitment, **data}, event_id=name)
        assert not rule_ids(city, [city.sign(event)])
        again = submission(name, PERIOD, {"commitment": commitment, **data}, event_id=name + "-again")
        assert rule_ids(city, [city.sign(again)]) & {"service.voided-twice", "service.erased-twice"}
    state = city.ledger._streams.stream(PERIOD)
    assert isinstance(state, PeriodState)
    assert len({id(number) for number in state.commitments.values()}) == 1
