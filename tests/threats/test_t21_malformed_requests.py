"""Threat T21: can a malformed request make the service fail, hang, grow, record something, or repeat its input?

Real server processes, keep-alive connections, requests in batches without waiting for answers. The number of
requests is FUZZ_REQUESTS (`make torture` asks for a million); the seed is fixed, so a failure comes again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from api.body import BodyBudget
from audit_cli.demo_city import AGENCIES, CITY, DIVISION, ORIGIN, event_batches, read_credentials
from audit_service.genesis import initialise
from tests.support.fuzzing import (
    BROKEN_CONNECTIONS,
    MARKER,
    Answer,
    KeepAlive,
    Requests,
    exchange_broken,
    processor_seconds,
    request_bytes,
    resident_bytes,
    strange_requests,
)
from tests.support.running_server import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.running_server import RunningServer

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "100000"))
CONNECTIONS = 2  # to each server
TOGETHER = 40  # requests on their way at once on one connection
MOST_GROWTH_BYTES = 50 * 2**20
SEED = 21


class City:
    """A served city, one agency's token, and events of it that are recorded."""

    def __init__(self, server: RunningServer, token: str, events: list[bytes]) -> None:
        self.server = server
        self.token = token
        self.events = events

    def tree_size(self) -> int:
        size: int = self.server.get_json("/v1/log")["tree_size"]
        return size


@contextmanager
def open_city(data_dir: Path) -> Iterator[City]:
    settings = initialise(data_dir, origin=ORIGIN, city=CITY, agencies=AGENCIES, demo=True)
    credentials = {agency.code: read_credentials(settings.keys, agency.code) for agency in AGENCIES}
    with running_server(data_dir) as server:
        events = []
        for batch in event_batches(credentials):
            answer = server.post(
                b"\n".join(batch.lines), agency=batch.agency, media_type="application/x-ndjson", query="?atomic=true"
            )
            assert answer.status == 200, answer.data
            # A few of others, for whom our token does not speak.
            events.extend(batch.lines if batch.agency == DIVISION else batch.lines[:5])
        yield City(server, credentials[DIVISION].token, events)


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[City]]:
    """Two servers, so that both cores of a small machine have something to do."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with open_city(folder / "one") as one, open_city(folder / "two") as two:
        yield [one, two]


@pytest.fixture
def city(cities: list[City]) -> City:
    return cities[0]


class Tally:
    """What the answers were, and everything that none may be."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []

    def take(self, request: bytes, answer: Answer) -> None:
        self.statuses[answer.status] += 1
        if answer.status >= 500:
            self.wrong.append(f"{answer.status} for {request!r}")
        if MARKER.encode() in answer.head or MARKER.encode() in answer.body:
            self.wrong.append(f"the answer to {request!r} repeats the marker: {answer.head!r} {answer.body[:500]!r}")

    def require_clean(self) -> None:
        assert not self.wrong, f"{len(self.wrong)} wrong answers, the first: {self.wrong[0]}"


def send_all(port: int, requests: Sequence[tuple[str, bytes]], tally: Tally, connection: KeepAlive) -> KeepAlive:
    """Send these requests, on further connections where the server closes one; gives the one that is open."""
    waiting = list(requests)
    while waiting:
        answers = connection.exchange(waiting)
        for (_, data), answer in zip(waiting, answers, strict=False):
            tally.take(data, answer)
        del waiting[: len(answers)]
        if answers[-1].closes:
            connection.close()
            connection = KeepAlive(port)
    return connection


def fuzz(city: City, requests: Requests, number: int, tally: Tally) -> None:
    connection = KeepAlive(city.server.port)
    sent = 0
    while sent < number and not tally.wrong:
        batch = [requests.next() for _ in range(min(TOGETHER, number - sent))]
        connection = send_all(city.server.port, batch, tally, connection)
        sent += len(batch)
    connection.close()


def fuzz_in_parallel(cities: list[City], number: int, *, seed: int) -> Tally:
    targets = list(strange_requests(cities[0].server.get_json("/openapi.json")))
    tallies = [Tally() for _ in range(CONNECTIONS * len(cities))]
    failures: list[BaseException] = []

    def run(place: int) -> None:
        city = cities[place % len(cities)]
        requests = Requests(Random(f"{seed} {place}"), token=city.token, events=city.events, targets=targets)
        try:
            fuzz(city, requests, number // len(tallies), tallies[place])
        except BaseException as error:  # noqa: BLE001 - shown by the test, not lost with the thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(tallies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    total = Tally()
    for tally in tallies:
        total.statuses += tally.statuses
        total.wrong += tally.wrong
    return total


def test_nothing_malformed_is_recorded_repeated_or_too_much(cities: list[City]) -> None:
    processes = [city.server.process.pid for city in cities]
    sizes = [city.tree_size() for city in cities]
    warm_up = REQUESTS // 10
    fuzz_in_parallel(cities, warm_up, seed=SEED).require_clean()
    before = [resident_bytes(process) for process in processes]
    started, computed = time.monotonic(), sum(map(processor_seconds, processes))
    tally = fuzz_in_parallel(cities, REQUESTS - warm_up, seed=SEED + 1)
    seconds = time.monotonic() - started
    computed = sum(map(processor_seconds, processes)) - computed
    growth = max(resident_bytes(process) - was for process, was in zip(processes, before, strict=True))
    answers = sum(tally.statuses.values())
    print(f"{answers:,} answers in {seconds:.0f} s, of which the servers computed {computed:.0f} s")  # noqa: T201
    print(f"{dict(sorted(tally.statuses.items()))}; memory {growth / 2**20:+.1f} MiB")  # noqa: T201
    tally.require_clean()
    assert [city.tree_size() for city in cities] == sizes
    assert growth < MOST_GROWTH_BYTES, f"{growth / 2**20:.0f} MiB more after {REQUESTS} requests"
    threads = CONNECTIONS * len(cities)
    assert answers == (REQUESTS - warm_up) // threads * threads
    # The fuzzer reaches every depth: form, signature, repeats, parameters, routes, methods.
    assert {200, 400, 401, 403, 404, 405, 415, 422} <= set(tally.statuses)
    assert tally.statuses[429] == 0


def test_every_route_with_strange_parameters(city: City) -> None:
    size = city.tree_size()
    requests = [
        (method, request_bytes(method, target, [("Authorization", f"Bearer {city.token}")]))
        for method, target in strange_requests(city.server.get_json("/openapi.json"))
    ]
    assert len(requests) > 3000
    tally = Tally()
    connection = KeepAlive(city.server.port)
    for start in range(0, len(requests), TOGETHER):
        connection = send_all(city.server.port, requests[start : start + TOGETHER], tally, connection)
    connection.close()
    tally.require_clean()
    assert city.tree_size() == size


@pytest.mark.parametrize("number", range(len(BROKEN_CONNECTIONS)))
def test_a_connection_with_broken_framing_is_answered_or_closed(city: City, number: int) -> None:
    answer = exchange_broken(city.server.port, BROKEN_CONNECTIONS[number])
    assert not answer.startswith(b"HTTP/1.1 5"), answer
    assert city.server.request("GET", "/healthz").status == 200


def test_two_empty_bodies_of_one_caller_end_in_any_order() -> None:
    budget = BodyBudget(100)
    with budget.hold(0, caller="a"), budget.hold(40, caller="a"):
        with budget.hold(0, caller="a"):
            pass
        with budget.hold(0, caller="b"), budget.hold(0, caller="b"):
            pass
        assert budget.free_bytes == 60
    assert budget.free_bytes == 100


# --- would it be noticed? -------------------------------------------------------------------------------


def test_the_tally_notices_a_failure_and_an_echo() -> None:
    for answer in (Answer(500, b"", b""), Answer(400, b"", f'"{MARKER}"'.encode()), Answer(200, MARKER.encode(), b"")):
        tally = Tally()
        tally.take(b"", answer)
        with pytest.raises(AssertionError):
            tally.require_clean()


def test_memory_that_is_held_is_noticed() -> None:
    before = resident_bytes(os.getpid())
    held: Any = bytearray(os.urandom(1)) * (2 * MOST_GROWTH_BYTES)
    assert resident_bytes(os.getpid()) - before > MOST_GROWTH_BYTES
    del held
