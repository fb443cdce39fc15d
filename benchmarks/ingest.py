"""How fast do bulk service transactions become entries under a signed receipt, beside stock eventsourcing?

Ours: NDJSON over HTTP into a real server process (its own process, the same machine): strict parsing, the batch
root, the rules, one transaction (SQLite, WAL, synchronous=FULL), journal fsync, signed checkpoint, answer. The load
generator is this process, on the same two cores; what it sends is made before the clock starts.

Stock: the same events through `eventsourcing` with its own SQLite recorder (WAL, synchronous=FULL, read back), in
this process, without HTTP: decoding the same JSON lines and generating aggregate events are inside the timed part.
The rate of saving alone is printed too. Both run in turn, several rounds; the ratio is taken round by round.

    python benchmarks/ingest.py [--batches 4] [--batch-size 20000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import urllib3
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from sealed import AGENCY, make_batch, register

from audit_service.genesis import AgencyPlan, initialise
from audit_service.keys import SigningKey, read_seed
from verifier.checkpoints import verify_checkpoint
from verifier.notes import VerifierKey
from verifier.tiles import bundle_path

ORIGIN = "ledger.example/benchmark"
PERIOD = "2021-01"
STOCK_SAVE_SIZES = (1_000, 5_000)


class Server:
    """A real `audit serve` on a socket that this process has bound."""

    def __init__(self, data_dir: Path) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        command = [sys.executable, "-m", "audit_cli.main", "serve", "--data", str(data_dir)]
        self._process = subprocess.Popen(
            [*command, "--fd", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )
        listener.close()
        token = (data_dir / "keys" / f"{AGENCY}.token").read_text().strip()
        self._pool = urllib3.HTTPConnectionPool(
            "127.0.0.1",
            self.port,
            headers={"Authorization": f"Bearer {token}"},
            retries=urllib3.Retry(connect=50, backoff_factor=0.1, backoff_max=0.5),
        )

    def post(self, body: bytes, media_type: str, query: str = "") -> dict[str, Any]:
        """Post and require a receipt."""
        answer = self._pool.request("POST", f"/v1/events{query}", body=body, headers=self._headers(media_type))
        document: dict[str, Any] = answer.json()
        if answer.status not in (200, 201):
            raise SystemExit(f"the server answered {answer.status}: {document}")
        return document

    def _headers(self, media_type: str) -> dict[str, str]:
        return {**dict(self._pool.headers), "Content-Type": media_type}

    def stop(self) -> None:
        """End the server and wait for it."""
        self._process.terminate()
        self._process.wait(30)


def run_ours(folder: Path, batches: int, size: int) -> float:
    """Events per second from the first byte sent to the last signed receipt."""
    plan = AgencyPlan(code=AGENCY, name_ko="시험", name_en="Benchmark", scopes=("service.*", "registry.*"))
    settings = initialise(folder / "ledger", origin=ORIGIN, city=AGENCY, agencies=[plan])
    key = SigningKey.from_seed(read_seed(settings.keys / f"{AGENCY}.key"))
    bodies = [b"\n".join(make_batch(key, f"b{number}", PERIOD, size)) for number in range(batches)]
    server = Server(settings.data_dir)
    try:
        server.post(register(key, "service/permits", "reg"), "application/cloudevents+json")
        started = time.perf_counter()
        answers = [server.post(body, "application/x-ndjson", "?atomic=true") for body in bodies]
        elapsed_s = time.perf_counter() - started
    finally:
        server.stop()
    size_signed = signed_size(settings.public, answers[-1]["checkpoint"])
    if size_signed != 2 + batches * (size + 1):
        raise SystemExit(f"the last receipt covers {size_signed} entries")
    return batches * (size + 1) / elapsed_s


def signed_size(public: Path, note: str) -> int:
    """The tree size of a receipt's checkpoint, verified with the log's key from the genesis entry."""
    first_bundle = (public / "log" / bundle_path(0)).read_bytes()
    genesis = json.loads(first_bundle[2 : 2 + int.from_bytes(first_bundle[:2])])
    vkey = VerifierKey.parse(genesis["data"]["log_key"])
    return verify_checkpoint(note.encode(), vkey=vkey).tree_size


class Period(Aggregate):
    """The stock aggregate: one period of one service, with the leanest event class that the library offers."""

    class Recorded(Aggregate.Event):
        """One transaction, with what our entry says about it."""

        commitment: str
        kind: str
        period: str
        source: str
        number: str
        at: str


def run_stock(folder: Path, lines: list[bytes], save_size: int) -> tuple[float, float]:
    """Events per second of stock eventsourcing: with decoding and event generation, and saving alone."""
    database = folder / f"stock-{save_size}.sqlite3"
    application: Application[Any] = Application(
        env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(database)}
    )
    period = Period()
    application.save(period)
    connection = sqlite3.connect(database)
    if connection.execute("PRAGMA synchronous").fetchone()[0] != 2:
        raise SystemExit("this SQLite does not default to synchronous=FULL; the comparison would not be fair")
    connection.close()
    saving_s = 0.0
    started = time.perf_counter()
    for first in range(0, len(lines), save_size):
        for line in lines[first : first + save_size]:
            value = json.loads(line)
            data = value["data"]
            period.trigger_event(
                Period.Recorded,
                commitment=data["commitment"],
                kind=data["kind"],
                period=data["period"],
                source=value["source"],
                number=value["id"],
                at=value["time"],
            )
        before = time.perf_counter()
        application.save(period)
        saving_s += time.perf_counter() - before
    elapsed_s = time.perf_counter() - started
    application.close()
    return len(lines) / elapsed_s, len(lines) / saving_s


def main() -> None:
    """Run the rounds and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{args.batches} atomic batches of {args.batch_size} transactions and a manifest; {os.cpu_count()} cores;")
    print("load generator: one connection from this process, same machine; stock: inside this process, no HTTP")
    ratios, saving_ratios = [], []
    for number in range(args.rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ours = run_ours(folder, args.batches, args.batch_size)
            key = SigningKey.from_seed(bytes(32))
            lines = [
                line for b in range(args.batches) for line in make_batch(key, f"s{b}", PERIOD, args.batch_size)[1:]
            ]
            stock = {size: run_stock(folder, lines, size) for size in STOCK_SAVE_SIZES}
        whole = max(rates[0] for rates in stock.values())
        saving = max(rates[1] for rates in stock.values())
        ratios.append(ours / whole)
        saving_ratios.append(ours / saving)
        print(
            f"round {number + 1}: ours {ours:,.0f}/s, stock with decoding and events {whole:,.0f}/s, "
            f"stock saving only {saving:,.0f}/s"
        )
    print(f"ours / stock with decoding and events: {statistics.median(ratios):.2f} (goal: at least 1.50)")
    print(f"ours / stock saving only:              {statistics.median(saving_ratios):.2f}")


if __name__ == "__main__":
    main()
