"""How many single posts a second become entries under a signed receipt, and how long does each wait?

A real `audit serve` (its own process, SQLite, WAL, synchronous=FULL) and a load generator (its own process, the same
machine, the same two cores): N connections that stay open, each of which posts the next signed event as soon as it has
the receipt for the last one. A receipt is committed, signed and carries its inclusion proof; it is asked for as a
`.tlog-proof`. Some receipts are verified after the clock has stopped. Early refusals (503) are counted apart and are no
successes.

What bounds it is shown by the same server, generator and connections asking for `/healthz`, which computes nothing:
that is what HTTP and the framework take by themselves.

The other comparison is stock `eventsourcing` on SQLite (WAL, synchronous=FULL), one event a save, in this process
and without HTTP: what an embedded event store does with single events.

    python benchmarks/single_posts.py [--connections 64,1024] [--events 40000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit_service.keys import SigningKey, read_seed
from benchmarks.ingest import run_stock
from benchmarks.sealed import make_batch
from tests.support.small_city import BUDGET, budget_year, make_small_city, submission
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission
from verifier.notes import VerifierKey
from verifier.proofs import parse_log_proof, verify_log_proof

ROOT = Path(__file__).resolve().parents[1]
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
VERIFIED = 100
NO_LIMITS = {"AUDIT_REQUESTS_PER_TOKEN_S": "0", "AUDIT_REQUESTS_PER_ADDRESS_S": "0"}


class Load:
    """What the connections share: requests to send, and what came of them."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port = port
        self.waiting = iter(requests)
        self.latencies_s: list[float] = []
        self.statuses: dict[int, int] = {}
        self.failures = 0
        self.kept: list[bytes] = []

    async def run(self, connections: int) -> float:
        """Send everything; returns seconds from the first byte to the last answer."""
        opened = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(connections)]
        began = time.perf_counter()
        await asyncio.gather(*(self._one(reader, writer) for reader, writer in opened))
        elapsed_s = time.perf_counter() - began
        for _, writer in opened:
            writer.close()
        return elapsed_s

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in self.waiting:
            status = 503
            while status == 503:
                began = time.perf_counter()
                writer.write(request)
                try:
                    status, body = await asyncio.wait_for(_answer(reader), timeout=30)
                except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                    self.failures += 1
                    return
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status == 503:
                    await asyncio.sleep(1)  # as the service asks, in `Retry-After`
            if status == 201:
                self.latencies_s.append(time.perf_counter() - began)
                if len(self.kept) < VERIFIED:
                    self.kept.append(body)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)


def make_requests(key: SigningKey, token: str, name: str, count: int) -> list[bytes]:
    """Ready requests, each with a signed allotment of one won."""
    head = (
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n"
        f"Content-Type: application/cloudevents+json\r\nAuthorization: Bearer {token}\r\n"
    )
    requests = []
    for number in range(count):
        data = {"line_id": "201-02", "quarter": 1, "amount_won": 1}
        event = submission("budget.allotted.v1", BUDGET, data, event_id=f"{name}-{number}")
        body = encode_canonical(sign_submission(event, key.private))
        requests.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return requests


def cpu_s(pid: int) -> float:
    """Seconds of computing of a process so far, user and system (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def measure(connections: int, events: int) -> dict[str, Any]:
    """One server, one load."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        settings = make_small_city(Path(folder) / "city")
        key = SigningKey.from_seed(read_seed(settings.keys / "roads.key"))
        token = (settings.keys / "roads.token").read_text().strip()
        command = [sys.executable, "-m", "audit_cli.main", "serve", "--data", str(settings.data_dir)]
        process = subprocess.Popen(
            [*command, "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
            env={**NO_LIMITS, **os.environ, "PYTHONPATH": str(ROOT)},
        )
        port = listener.getsockname()[1]
        listener.close()
        try:
            first = make_requests(key, token, "warm", 200)
            asyncio.run(_open_year(port, key, token))
            asyncio.run(Load(port, first).run(8))
            idle = Load(port, [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"] * (events // 4))
            before_s = cpu_s(process.pid)
            idle_rate = (events // 4) / asyncio.run(idle.run(connections))
            idle_us = (cpu_s(process.pid) - before_s) / (events // 4) * 1e6
            load = Load(port, make_requests(key, token, "load", events))
            before_s = cpu_s(process.pid)
            elapsed_s = asyncio.run(load.run(connections))
            server_s = cpu_s(process.pid) - before_s
        finally:
            process.terminate()
            process.wait(60)
        verify(load, settings.ledger_database)
        latencies_ms = sorted(1000 * latency for latency in load.latencies_s)
        return {
            "rate": len(latencies_ms) / elapsed_s,
            "p50": latencies_ms[len(latencies_ms) // 2],
            "p99": latencies_ms[len(latencies_ms) * 99 // 100],
            "idle_rate": idle_rate,
            "idle_us": idle_us,
            "server_us": server_s / max(1, len(latencies_ms)) * 1e6,
            "statuses": load.statuses,
            "failures": load.failures,
        }


async def _open_year(port: int, key: SigningKey, token: str) -> None:
    for event in budget_year(appropriated_won=10**9)[:3]:
        body = encode_canonical(sign_submission(event, key.private))
        head = (
            "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + body)
        status, answer = await _answer(reader)
        if status != 201:
            raise SystemExit(f"the server answered {status}: {answer!r}")
        writer.close()


def verify(load: Load, database: Path) -> None:
    """Do kept receipts prove that their entries are in the log? With the log's key from the genesis entry."""
    if not load.kept:
        raise SystemExit(f"no receipt came back: {load.statuses}, {load.failures} failures")
    with closing(sqlite3.connect(database)) as connection:
        select = "SELECT state FROM events WHERE log_index = ?"
        genesis = json.loads(connection.execute(select, (0,)).fetchone()[0])
        vkey = VerifierKey.parse(genesis["data"]["log_key"])
        for proof in load.kept:
            (entry,) = connection.execute(select, (parse_log_proof(proof).index,)).fetchone()
            verify_log_proof(proof, entry=entry, vkey=vkey)


def main() -> None:
    """Measure, and print beside stock eventsourcing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", default="64,1024")
    parser.add_argument("--events", type=int, default=40_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        lines = make_batch(SigningKey.from_seed(bytes(32)), "stock", "2021-01", 4_000)[1:]
        stock, _ = run_stock(Path(name), lines, 1)
    print(f"stock eventsourcing, one event a save: {stock:,.0f}/s; {os.cpu_count()} cores, load generator on the same")
    for connections in map(int, args.connections.split(",")):
        found = measure(connections, args.events)
        print(
            f"{connections} connections: {found['rate']:,.0f}/s, p50 {found['p50']:.0f} ms, p99 {found['p99']:.0f} ms; "
            f"server {found['server_us']:.0f} us of computing each; answers {found['statuses']}, "
            f"{found['failures']} connections failed; ratio to stock {found['rate'] / stock:.2f}"
        )
        print(
            f"  GET /healthz on the same: {found['idle_rate']:,.0f}/s, {found['idle_us']:.0f} us of computing each; "
            f"a post takes {found['server_us'] / found['idle_us']:.1f} times as much (aim: 6,000 posts/s at 64 "
            "connections, p99 under 40 ms; at 1,024 no time-outs, p99 under 400 ms)"
        )


if __name__ == "__main__":
    main()
