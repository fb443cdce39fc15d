"""Does a log of a million entries still take entries, prove, start and fit into memory as a log of ten thousand does?

Two real ledgers on disk (SQLite, WAL, synchronous=FULL), a small one and a large one, both filled with sealed batches
through `Ledger.submit`: strict reading, rules, one transaction, journal fsync, signature, publication. Each is then
opened in a process of its own, and everything is asked of both in turn, round by round; a figure of the large one
counts by its ratio to the small one's. The load generator stands in the same process, outside the measured parts.

  ingest      batches on top of what is there, until their signed checkpoint (reading the bytes included)
  proof       one inclusion proof under the newest checkpoint, from the subtree hashes in memory; every proof is checked
  from leaves what the same proof would cost at least, were the tree computed from its leaf hashes
  memory      resident set of the writer after start, and after ingest with every stream of the year in memory
  start       from the settings to a ledger that takes submissions, files in the page cache

`CPU` is computing in all threads of the measured process: others on the machine do not count. The exit code tells
whether the goals hold.

    python benchmarks/scale.py [--entries 1000000] [--small 10000] [--rounds 9]
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sealed import AGENCY, MINIMUM_CELL, make_batch, register

from audit_service.genesis import AgencyPlan, initialise
from audit_service.keys import SigningKey, read_seed
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from verifier.checkpoints import verify_checkpoint
from verifier.notes import VerifierKey
from verifier.tree import root_of_leaf_hashes, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection

ORIGIN = "ledger.example/scale"
# A year of twelve periods: as many streams, each loaded by its first batch.
PERIODS = [f"2021-{month:02}" for month in range(1, 13)]
FILL_BATCH = 5_000
ROUND_BATCH = 500
WARMING_BATCH = 50
PROOFS = 2_000
STARTS = 3
TIMEOUT_S = 600
# Memory and start are promised up to this size; ingest and proofs at any.
PROMISED_ENTRIES = 1_100_000
SLOWER_GOAL, PROOF_GOAL_US, MEMORY_GOAL_MB, START_GOAL_S = 1.20, 1_000.0, 400.0, 3.0


class Spent(NamedTuple):
    """Seconds: on the wall, and of computing in all threads of the process."""

    wall_s: float
    cpu_s: float


def spent(action: Callable[[], object]) -> Spent:
    """What one call takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def post(ledger: Ledger, bodies: list[bytes]) -> None:
    """Submit one atomic batch and wait for its signed checkpoint."""
    result = ledger.submit(ledger.prepare_many(bodies), atomic=True, dry_run=False).result(TIMEOUT_S)
    for outcome in result.outcomes:
        if outcome.error is not None:
            raise outcome.error


def fill(data_dir: Path, entries: int) -> None:
    """Make a ledger and fill it; ends when everything is signed and published."""
    plan = AgencyPlan(code=AGENCY, name_ko="시험", name_en="Benchmark", scopes=("service.*", "registry.*"))
    settings = initialise(data_dir, origin=ORIGIN, city=AGENCY, agencies=[plan])
    key = SigningKey.from_seed(read_seed(settings.keys / f"{AGENCY}.key"))
    batch = min(FILL_BATCH, max(1, entries // len(PERIODS)))
    with Ledger(settings) as ledger:
        post(ledger, [register(key, "service/permits", "reg")])
        number = 0
        while (missing := entries - ledger.recorded_size) > MINIMUM_CELL:
            count = min(batch, missing - 1)
            post(ledger, make_batch(key, f"fill-{number}", PERIODS[number % len(PERIODS)], count))
            number += 1
            if sys.stderr.isatty():
                print(f"\r{ledger.recorded_size:,} entries", end="", file=sys.stderr, flush=True)


def resident_mb(field: str = "VmRSS") -> float:
    """Resident memory of this process in MB (2**20 bytes), now (`VmRSS`) or at most so far (`VmHWM`)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}")


class Measured:
    """One open ledger in a process of its own, and what may be asked of it."""

    def __init__(self, data_dir: Path) -> None:
        settings = load_settings(data_dir)
        self._key = SigningKey.from_seed(read_seed(settings.keys / f"{AGENCY}.key"))
        self._vkey = VerifierKey.parse((data_dir / "log.vkey").read_text().strip())
        self._batches = 0
        self._run = os.urandom(4).hex()
        wall, cpu = time.perf_counter(), time.process_time()
        self.ledger = Ledger(settings)
        self.ledger.start()
        self.started = Spent(time.perf_counter() - wall, time.process_time() - cpu)
        self.mb_after_start = resident_mb()

    def ask(self, name: str) -> Any:
        """Answer one question of the parent's."""
        return getattr(self, name)()

    def start(self) -> tuple[Spent, float, int]:
        """How long did starting take, how much memory was there then (MB), and how many entries are there?"""
        return self.started, self.mb_after_start, self.ledger.recorded_size

    def _next_batch(self, count: int) -> list[bytes]:
        period = PERIODS[self._batches % len(PERIODS)]
        self._batches += 1
        return make_batch(self._key, f"{self._run}-{self._batches}", period, count)

    def warm(self) -> float:
        """One batch to each stream, which loads it; returns the longest wait in seconds."""
        batches = [self._next_batch(WARMING_BATCH) for _ in PERIODS]
        return max(spent(lambda bodies=bodies: post(self.ledger, bodies)).wall_s for bodies in batches)  # type: ignore[misc]

    def _post_all(self, batches: list[list[bytes]]) -> None:
        for bodies in batches:
            post(self.ledger, bodies)

    def ingest(self) -> Spent:
        """What each entry of one batch for each stream costs."""
        batches = [self._next_batch(ROUND_BATCH) for _ in PERIODS]
        whole = spent(lambda: self._post_all(batches))
        entries = sum(map(len, batches))
        return Spent(whole.wall_s / entries, whole.cpu_s / entries)

    def prove(self) -> tuple[float, float, int]:
        """Microseconds of one inclusion proof (median and 99th percentile), and the hashes in the longest one."""
        head = verify_checkpoint(self.ledger.signed().note, vkey=self._vkey)
        chosen = random.Random(head.tree_size)
        indexes = [chosen.randrange(head.tree_size) for _ in range(PROOFS)]
        took, proofs = [], []
        for index in indexes:
            began = time.perf_counter()
            proofs.append(self.ledger.inclusion(index, head.tree_size))
            took.append((time.perf_counter() - began) * 1e6)
        for index, proof in zip(indexes, proofs, strict=True):
            leaf = self.ledger.reader.subtree(0, index)
            verify_inclusion(leaf, index=index, tree_size=head.tree_size, proof=proof, root=head.root_hash)
        took.sort()
        return statistics.median(took), took[len(took) * 99 // 100], max(map(len, proofs))

    def from_leaves(self) -> float:
        """Microseconds to compute the tree from its leaf hashes, which lie ready: a proof without subtree hashes."""
        size = self.ledger.recorded_size
        row = self.ledger.reader.subtree_row(0, 0, size)
        leaves = [row[start : start + 32] for start in range(0, len(row), 32)]
        return spent(lambda: root_of_leaf_hashes(leaves)).wall_s * 1e6

    def memory(self) -> tuple[float, float]:
        """Resident MB now, and at most so far."""
        return resident_mb(), resident_mb("VmHWM")

    def stop(self) -> None:
        """Close the ledger."""
        self.ledger.stop()


def serve(data_dir: Path, questions: Connection) -> None:
    """The measured process: open, answer, end after `stop`."""
    measured = Measured(data_dir)
    while True:
        name = questions.recv()
        questions.send(measured.ask(name))
        if name == "stop":
            return


class Remote:
    """The parent's end of a measured process."""

    def __init__(self, data_dir: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(data_dir, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, name: str) -> Any:
        """Ask, and wait for the answer."""
        self._pipe.send(name)
        return self._pipe.recv()

    def stop(self) -> None:
        """Close its ledger and end it."""
        self.ask("stop")
        self._process.join(TIMEOUT_S)


def fill_elsewhere(data_dir: Path, entries: int) -> float:
    """Fill in a process of its own, whose memory ends with it; returns seconds."""
    filler = multiprocessing.get_context("spawn").Process(target=fill, args=(data_dir, entries))
    began = time.perf_counter()
    filler.start()
    filler.join()
    if filler.exitcode != 0:
        raise SystemExit("filling the ledger failed")
    return time.perf_counter() - began


def measure_starts(folders: list[Path]) -> list[list[tuple[Spent, float, int]]]:
    """Start each ledger several times, in turn: duration, memory, entries."""
    found: list[list[tuple[Spent, float, int]]] = [[] for _ in folders]
    for _ in range(STARTS):
        for place, folder in enumerate(folders):
            remote = Remote(folder)
            found[place].append(remote.ask("start"))
            remote.stop()
    return found


def row(name: str, figures: Iterable[float], unit: str, goal: str = "", *, holds: bool = True) -> bool:
    """Print one line of the table, small and large; returns whether its goal holds."""
    small, large = figures
    print(f"{name:36}{small:12,.1f}{large:12,.1f} {unit:6}{large / small:8.2f}   {goal}{'' if holds else '  MISSED'}")
    return holds


def main() -> int:
    """Fill, measure, print; returns 1 if a goal does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / "small", Path(name) / "large"]
        for folder, entries in zip(folders, (args.small, args.entries), strict=True):
            took_s = fill_elsewhere(folder, entries)
            # The largest child so far, and they come in ascending order.
            peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(
                f"filled with {entries:,} entries in {took_s:.1f} s, made and signed and published; at most "
                f"{peak_mb:.0f} MB with the load generator"
            )
        starts = measure_starts(folders)
        large = Remote(folders[1])
        first_s = [0.0, large.ask("warm")]
        ingests: list[list[Spent]] = [[], []]
        for number in range(args.rounds):
            # A fresh copy for each round: the small one shall stay small.
            copy = Path(name) / f"small-{number}"
            shutil.copytree(folders[0], copy)
            small = Remote(copy)
            first_s[0] = max(first_s[0], small.ask("warm"))
            for found, remote in zip(ingests, (small, large), strict=True):
                found.append(remote.ask("ingest"))
            if number < args.rounds - 1:
                small.stop()
        remotes = [small, large]
        memory = [remote.ask("memory") for remote in remotes]
        proofs = [remote.ask("prove") for remote in remotes]
        leaves_us = [remote.ask("from_leaves") for remote in remotes]
        for remote in remotes:
            remote.stop()
    return report(starts, first_s, ingests, memory, proofs, leaves_us)


def report(
    starts: list[list[tuple[Spent, float, int]]],
    first_s: list[float],
    ingests: list[list[Spent]],
    memory: list[tuple[float, float]],
    proofs: list[tuple[float, float, int]],
    leaves_us: list[float],
) -> int:
    """Print the table of both ledgers; returns 1 if a goal does not hold."""
    sizes = [found[0][2] for found in starts]
    print(f"\n{os.cpu_count()} cores; {'':22}{sizes[0]:>12,}{sizes[1]:>12,} entries   ratio   goal for the large one")
    wall = [statistics.median(one.wall_s for one in found) * 1e6 for found in ingests]
    cpu = [statistics.median(one.cpu_s for one in found) * 1e6 for found in ingests]
    ratios = [large.cpu_s / small.cpu_s for small, large in zip(*ingests, strict=True)]
    start = [[statistics.median(one[0][part] for one in found) * 1e3 for found in starts] for part in (0, 1)]
    promised = sizes[1] <= PROMISED_ENTRIES
    goal_start = f"under {START_GOAL_S:.0f} s" if promised else ""
    goal_memory = f"under {MEMORY_GOAL_MB:.0f} MB" if promised else ""
    slower = statistics.median(ratios)
    started_mb, now_mb, most_mb = [found[-1][1] for found in starts], *zip(*memory, strict=True)
    median_us, slow_us, hashes = zip(*proofs, strict=True)
    start_wall_ms, start_cpu_ms = start
    start_limit_ms = START_GOAL_S * 1e3 if promised else math.inf
    memory_limit_mb = MEMORY_GOAL_MB if promised else math.inf
    holds = [
        row("ingest, CPU of an entry", cpu, "us", f"ratio at most {SLOWER_GOAL}", holds=slower <= SLOWER_GOAL),
        row("ingest, wall of an entry", wall, "us"),
        row("first batch to a stream after start", [one * 1e3 for one in first_s], "ms"),
        row("inclusion proof, median", median_us, "us"),
        row("inclusion proof, 99th percentile", slow_us, "us", "under 1 ms", holds=slow_us[1] < PROOF_GOAL_US),
        row("hashes in the longest proof", hashes, ""),
        row("the same from leaves, at least", leaves_us, "us"),
        row("start, wall", start_wall_ms, "ms", goal_start, holds=start_wall_ms[1] < start_limit_ms),
        row("start, CPU", start_cpu_ms, "ms", goal_start, holds=start_cpu_ms[1] < start_limit_ms),
        row("memory after start", started_mb, "MB", goal_memory, holds=started_mb[1] < memory_limit_mb),
        row("memory after ingest, all streams", now_mb, "MB", goal_memory, holds=now_mb[1] < memory_limit_mb),
        row("memory, most so far", most_mb, "MB"),
    ]
    print(f"ingest, round by round: large / small {', '.join(f'{ratio:.2f}' for ratio in ratios)} (CPU)")
    print(f"from leaves / from subtree hashes: {leaves_us[1] / proofs[1][0]:,.0f} at {sizes[1]:,} entries")
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
