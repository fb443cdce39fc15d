"""`audit serve` itself, killed at a labelled point while an agency posts: sent again, the event finds its one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from urllib3.exceptions import HTTPError

from audit_service.failpoints import VARIABLE
from tests.support.public_log import Receipt, judge
from tests.support.running_server import RunningServer
from tests.support.small_city import budget_year, obligation, small_city

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("point", ["record.before-commit", "sign.after-sync", "answer.before-answers"])
def test_the_service_is_killed_before_it_answers(tmp_path: Path, point: str) -> None:
    data_dir = tmp_path / "ledger"
    with small_city(data_dir) as city:
        city.post(*budget_year())
    body = city.sign(obligation(1, amount_won=1))
    killed = RunningServer(data_dir, {VARIABLE: f"{point}=kill"})
    killed.wait_until_ready()
    with pytest.raises(HTTPError):
        killed.post(body, agency="roads")
    assert killed.process.wait() == -9
    again = RunningServer(data_dir)
    try:
        again.wait_until_ready()
        answer = again.post(body, agency="roads")
        # Recorded before it was killed, or not: either way there is one entry, and it is the sixth.
        assert answer.status == (201 if point == "record.before-commit" else 200)
        assert answer.json()["index"] == 5
        again.wait_for("published_size", 6)
        receipt = Receipt("obligation-1", 5, again.get("/log/checkpoint"))
    finally:
        again.stop()
    log = judge(data_dir, receipts=[receipt])
    assert (log.size, log.findings) == (6, [])
