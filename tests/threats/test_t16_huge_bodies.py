"""Threat T16: how much memory can bodies that are too large cost?

A real server, and many connections with a valid token that send chunked bodies without an end. Each is refused at its
cap while it still streams; the server's resident memory (`/proc/<pid>/status`) may meanwhile grow by so much.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.running_server import running_server
from tests.support.small_city import make_small_city

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running_server import RunningServer

MIB = 2**20
ONE = "application/cloudevents+json"
NDJSON = "application/x-ndjson"
# 64 KiB each, and what the sockets hold: nothing that adds up.
ONE_GROWTH = 50 * MIB
ONE_BODIES = 400
# A token may have 64 MiB on their way; a body that is joined from its pieces stands in memory twice.
LINES_GROWTH = 200 * MIB
LINES_BODIES = 24
THREADS = 8
# A body is read for 30 seconds at most; whoever pours as fast as a machine can is refused long before.
LONGEST_S = 15.0
CHUNK = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    make_small_city(tmp_path / "city")
    with running_server(tmp_path / "city") as server:
        yield server


class Memory:
    """Watches the resident memory of a process; `growth` is its highest since the beginning."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/status")
        self._before = self._highest = self._resident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _resident(self) -> int:
        found = re.search(r"^VmRSS:\s+(\d+) kB$", self._file.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self._highest = max(self._highest, self._resident())

    def growth(self) -> int:
        self._stop.set()
        self._thread.join()
        return max(self._highest, self._resident()) - self._before


def _connect(server: RunningServer, media_type: str) -> socket.socket:
    token = (server.data_dir / "keys" / "roads.token").read_text().strip()
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(
        f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    return connection


def _pour(server: RunningServer, media_type: str) -> tuple[int, float]:
    """Send without an end until the server hangs up: its answer, and how long that took."""
    begun = time.monotonic()
    with _connect(server, media_type) as connection:
        try:
            while time.monotonic() - begun < LONGEST_S:
                connection.sendall(CHUNK)
        except ConnectionError:
            pass
        try:
            answer = connection.recv(4096)
        except ConnectionError:  # the answer was overtaken by the end of the connection
            answer = b""
    found = re.match(rb"HTTP/1.1 (\d{3}) ", answer)
    return (int(found[1]) if found else 0), time.monotonic() - begun


def _pour_many(server: RunningServer, media_type: str, count: int) -> tuple[Counter[int], float]:
    statuses: Counter[int] = Counter()
    longest_s = 0.0
    lock = threading.Lock()

    def work() -> None:
        nonlocal longest_s
        for _ in range(count // THREADS):
            status, took_s = _pour(server, media_type)
            with lock:
                statuses[status] += 1
                longest_s = max(longest_s, took_s)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, longest_s


@pytest.mark.parametrize(
    ("media_type", "count", "most_growth"),
    [(ONE, ONE_BODIES, ONE_GROWTH), (NDJSON, LINES_BODIES, LINES_GROWTH)],
)
def test_t16_bodies_without_an_end_are_refused_and_memory_stays_flat(
    server: RunningServer, media_type: str, count: int, most_growth: int
) -> None:
    before = server.get_json("/v1/log")["tree_size"]
    memory = Memory(server.process.pid)
    statuses, longest_s = _pour_many(server, media_type, count)
    assert memory.growth() < most_growth
    # 0: the connection was cut before the answer could be read. Nobody is told anything but "too much".
    assert set(statuses) <= {0, 413, 429}
    assert statuses[413] > 0
    assert longest_s < LONGEST_S
    assert server.get_json("/v1/log")["tree_size"] == before
    assert json.loads(server.get("/readyz"))["status"] == "ready"


def test_t16_the_measure_sees_what_bodies_hold(server: RunningServer) -> None:
    memory = Memory(server.process.pid)
    with _connect(server, NDJSON) as first, _connect(server, NDJSON) as second:
        for connection in (first, second):
            for _ in range(24 * 16):
                connection.sendall(CHUNK)
        time.sleep(0.5)
        assert memory.growth() > 40 * MIB
