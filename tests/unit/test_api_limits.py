"""How many requests may one caller send, and what may its bodies hold together?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from api import problems
from api.body import BodyBudget, read_body
from api.limits import AddressLimit, RateLimiter, counted_address
from api.middleware import Doorkeeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_holds_ten_seconds_and_fills_again() -> None:
    clock = _Clock()
    limiter = RateLimiter(rate_per_s=2, clock=clock)
    assert [limiter.take("a") for _ in range(20)] == [0.0] * 20
    assert limiter.take("a") == pytest.approx(0.5)
    assert limiter.take("b") == 0.0
    clock.now = 0.5
    assert limiter.take("a") == 0.0
    assert limiter.take("a") == pytest.approx(0.5)
    clock.now = 1000
    assert [limiter.take("a") for _ in range(21)].count(0.0) == 20


def test_a_refused_request_costs_nothing_and_waiting_is_enough() -> None:
    clock = _Clock()
    limiter = RateLimiter(rate_per_s=0.05, clock=clock)
    assert limiter.take("a") == 0.0
    for _ in range(100):
        wait_s = limiter.take("a")
    assert wait_s == pytest.approx(20)
    clock.now = wait_s
    assert limiter.take("a") == 0.0


def test_no_rate_is_no_limit() -> None:
    limiter = RateLimiter(rate_per_s=0)
    assert {limiter.take("a") for _ in range(10_000)} == {0.0}


def test_memory_is_bounded_and_the_longest_silent_is_forgotten() -> None:
    limiter = RateLimiter(rate_per_s=0.1, max_callers=3, clock=_Clock())
    assert [limiter.take(caller) for caller in "abc"] == [0.0] * 3
    assert limiter.take("a") > 0
    assert limiter.take("d") == 0.0
    assert len(limiter._buckets) == 3
    assert limiter.take("a") > 0
    assert limiter.take("b") == 0.0


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("2001:db8:1:2::9", 1), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("testclient", 1), None),
        (("", 0), None),
        (None, None),
    ],
)
def test_an_address_counts_for_its_subscriber(client: tuple[str, int] | None, counted: str | None) -> None:
    assert counted_address({"type": "http", "client": client}) == counted


def test_an_address_that_sends_too_much_gets_a_problem_and_others_do_not() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b"here")(scope, receive, send)

    app = Doorkeeper(AddressLimit(application, rate_per_s=0.1), origin="ledger.example/x")
    greedy = TestClient(app, client=("192.0.2.1", 1))
    assert [greedy.get("/").status_code for _ in range(3)] == [200, 429, 429]
    refused = greedy.get("/v1/log")
    assert int(refused.headers["Retry-After"]) == 10
    assert refused.json()["type"] == "/docs/problems/too-many-requests"
    assert TestClient(app, client=("192.0.2.2", 1)).get("/").status_code == 200


def test_one_caller_cannot_take_the_memory_of_all() -> None:
    budget = BodyBudget(100, caller_limit_bytes=60)
    with budget.hold(40, caller="a"):
        with pytest.raises(problems.Problem) as caught, budget.hold(30, caller="a"):
            pass
        assert (caught.value.type.status, caught.value.headers["Retry-After"]) == (429, "1")
        with budget.hold(60, caller="b"):
            assert budget.free_bytes == 0
    assert budget.free_bytes == 100
    assert budget._held_bytes == {}
    with budget.hold(60, caller="a"):
        pass


class _Dripping:
    """A caller that sends so many bytes each hundredth of a second."""

    def __init__(self, step: int, total: int) -> None:
        self._step = step
        self._total = total

    async def stream(self) -> AsyncIterator[bytes]:
        for _ in range(0, self._total, self._step):
            yield b"x" * self._step
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("step", "complete"), [(1, False), (100, True)])
def test_a_body_that_trickles_is_cut_off_long_before_the_deadline(step: int, *, complete: bool) -> None:
    request: Any = _Dripping(step, total=step * 30)

    async def read() -> bytes:
        # 1,000 bytes a second: a hundred bytes each hundredth are ten times as fast, one byte is ten times too slow.
        return await read_body(request, cap_bytes=10_000, timeout_s=20, grace_s=0.1, bytes_per_s=1000)

    if complete:
        assert len(asyncio.run(read())) == 3000
        return
    with pytest.raises(problems.Problem) as caught:
        asyncio.run(read())
    assert (caught.value.type.status, caught.value.headers["Connection"]) == (408, "close")
