"""What do other libraries make of the same events: how fast, with which proofs, and in how much memory?

The events are sealed service transactions. This log records them first; its entries are then given, byte for byte, to
every peer, each in a process of its own, all in one run:

  this log                  `Ledger.submit`: strict reading, rules, SQLite (FULL), journal fsync, signature, tiles
  this log, tree alone      its subtree hashes in memory: no disk, no rules (what the pure trees below do)
  merklelib                 a tree in memory, through the shim that the service uses for report trees
  pymerkle, in memory       the same, if it is installed
  pymerkle, SQLite          its durable tree, appended in bulk, if it is installed
  eventsourcing, SQLite     the same facts decoded and saved as aggregate events, 1,000 at a time: no tree, no proof

pymerkle is under the GPL, so this project does not depend on it: `pip install pymerkle` into an environment of your
own puts its rows into the table.

Columns: events per second in bulk, and microseconds of computing for each; microseconds of a single append at the
largest size (this log: a signed event under a signed checkpoint); median microseconds of an inclusion proof at each
size, caches warm; bytes of resident memory that each event added; whether the root is the signed one of this log (RFC
6962).

    python benchmarks/peers.py [--sizes 1000 10000 100000]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scale import ORIGIN, PERIODS, post, resident_mb
from sealed import AGENCY, MINIMUM_CELL, make_batch, register

from audit_service.genesis import AgencyPlan, initialise
from audit_service.keys import SigningKey, read_seed
from audit_service.ledger import Ledger
from verifier.bundles import decode_bundle, encode_bundle
from verifier.hashing import leaf_hash
from verifier.subtrees import SubtreeHashes
from verifier.tree import inclusion_proof

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_service.settings import Settings

BATCH = 5_000
SAVE_SIZE = 1_000
SINGLES = 20
PROOFS = 300
PROOF_TIME_S = 2.0
_FULL = 2
_COUNT_BYTES = 8


class Row(NamedTuple):
    """One peer's figures; proofs by size, None where the peer has none."""

    rate: float
    cpu_us: float
    single_us: float
    proof_us: dict[int, float | None]
    bytes_each: float
    root: bytes | None


class Peer(Protocol):
    """A library at one size, built from the first entries."""

    def append(self, entry: bytes) -> None:
        """Append one more."""

    def prove(self, index: int) -> object:
        """An inclusion proof of an entry, or None if there is no such thing."""

    def root(self) -> bytes | None:
        """The root hash, or None."""


class OwnTree:
    """Our subtree hashes, in memory."""

    def __init__(self, entries: Sequence[bytes], _folder: Path) -> None:
        self._tree = SubtreeHashes(map(leaf_hash, entries))

    def append(self, entry: bytes) -> None:
        """Append one more."""
        self._tree.extend([leaf_hash(entry)])

    def prove(self, index: int) -> object:
        """An inclusion proof, or None."""
        return inclusion_proof(index, tree_size=self._tree.size, read=self._tree.read)

    def root(self) -> bytes | None:
        """The root hash, or None."""
        return self._tree.root()


class Merklelib:
    """merklelib's tree; it finds a leaf by its bytes."""

    def __init__(self, entries: Sequence[bytes], _folder: Path) -> None:
        from audit_service.closed_trees import MerklelibTree  # noqa: PLC0415 - only its own process may bear its memory

        self._shimmed = MerklelibTree(entries)

    def append(self, entry: bytes) -> None:
        """Append one more."""
        self._shimmed._tree.append(entry)  # noqa: SLF001 - the service never appends to one

    def prove(self, index: int) -> object:
        """An inclusion proof, or None."""
        return self._shimmed.path(index)

    def root(self) -> bytes | None:
        """The root hash, or None."""
        return self._shimmed.root


class Pymerkle:
    """One of pymerkle's trees; indexes begin at 1."""

    backend = "InmemoryTree"

    def __init__(self, entries: Sequence[bytes], folder: Path) -> None:
        import pymerkle  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - perhaps not installed

        self._tree: Any = getattr(pymerkle, self.backend)(*self._where(folder, len(entries)))
        self._tree.append_entries(entries)

    def _where(self, _folder: Path, _size: int) -> tuple[str, ...]:
        return ()

    def append(self, entry: bytes) -> None:
        """Append one more."""
        self._tree.append_entry(entry)

    def prove(self, index: int) -> object:
        """An inclusion proof, or None."""
        return self._tree.prove_inclusion(index + 1)

    def root(self) -> bytes | None:
        """The root hash, or None."""
        return bytes(self._tree.get_state())


class PymerkleSqlite(Pymerkle):
    """The durable one."""

    backend = "SqliteTree"

    def _where(self, folder: Path, size: int) -> tuple[str, ...]:
        return (str(folder / f"pymerkle-{size}.sqlite3"),)


class Stock:
    """eventsourcing's own SQLite recorder; `ingest.py` has the fairest comparison with it, over HTTP."""

    def __init__(self, entries: Sequence[bytes], folder: Path) -> None:
        from eventsourcing.application import Application  # noqa: PLC0415 - as above
        from ingest import Period  # noqa: PLC0415

        database = folder / f"stock-{len(entries)}.sqlite3"
        self._application: Application[Any] = Application(
            env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(database)}
        )
        self._event = Period.Recorded
        self._period = Period()
        for start in range(0, len(entries), SAVE_SIZE):
            for entry in entries[start : start + SAVE_SIZE]:
                self._trigger(entry)
            self._application.save(self._period)
        with sqlite3.connect(database) as connection:
            if connection.execute("PRAGMA synchronous").fetchone()[0] != _FULL:
                raise SystemExit("this SQLite does not default to synchronous=FULL; the comparison would not be fair")

    def _trigger(self, entry: bytes) -> None:
        value = json.loads(entry)
        data = value["data"]
        self._period.trigger_event(
            self._event,
            commitment=data.get("commitment", ""),
            kind=data.get("kind", ""),
            period=data.get("period", ""),
            source=value["source"],
            number=value["id"],
            at=value["time"],
        )

    def append(self, entry: bytes) -> None:
        """Append one more."""
        self._trigger(entry)
        self._application.save(self._period)

    def prove(self, _index: int) -> object:
        """An inclusion proof, or None."""
        return None

    def root(self) -> bytes | None:
        """The root hash, or None."""
        return None


PEERS: dict[str, Callable[[Sequence[bytes], Path], Peer]] = {
    "this log, tree alone": OwnTree,
    "merklelib": Merklelib,
    "pymerkle, in memory": Pymerkle,
    "pymerkle, SQLite": PymerkleSqlite,
    "eventsourcing, SQLite": Stock,
}


def median_proof_us(prove: Callable[[int], object], size: int) -> float | None:
    """Median microseconds of proofs of entries chosen at random; few of them where one takes long."""
    chosen = random.Random(size)
    took: list[float] = []
    until = time.perf_counter() + PROOF_TIME_S
    while len(took) < PROOFS and (time.perf_counter() < until or not took):
        index = chosen.randrange(size)
        began = time.perf_counter()
        if prove(index) is None:
            return None
        took.append((time.perf_counter() - began) * 1e6)
    return statistics.median(took)


def prove_in(ledger: Ledger, size: int, index: int) -> object:
    """This log's inclusion proof under a size."""
    return ledger.inclusion(index, size)


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall and of computing."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure_log(settings: Settings, sizes: list[int], entries_file: Path) -> Row:
    """Fill this log, stop at each size to prove, and write down its entries."""
    key = SigningKey.from_seed(read_seed(settings.keys / f"{AGENCY}.key"))
    proof_us: dict[int, float | None] = {}
    wall_s = cpu_s = 0.0
    with Ledger(settings) as ledger:
        post(ledger, [register(key, "service/permits", "reg")])
        before_mb, number = resident_mb(), 0
        for size in sizes:
            while (missing := size - ledger.recorded_size) > MINIMUM_CELL:
                bodies = make_batch(key, f"b{number}", PERIODS[number % len(PERIODS)], min(BATCH, missing - 1))
                number += 1
                wall, cpu = timed(partial(post, ledger, bodies))
                wall_s, cpu_s = wall_s + wall, cpu_s + cpu
            size_now = ledger.signed().size
            proof_us[size] = median_proof_us(partial(prove_in, ledger, size_now), size_now)
        grown_mb = resident_mb() - before_mb
        head = ledger.signed()
        singles = [[register(key, f"service/s{number}", f"single-{number}")] for number in range(SINGLES)]
        single_s = statistics.median([timed(partial(post, ledger, one))[0] for one in singles])
        entries = ledger.reader.entries(0, head.size)
    write_entries(entries_file, entries)
    count = len(entries)
    return Row(count / wall_s, cpu_s * 1e6 / count, single_s * 1e6, proof_us, grown_mb * 2**20 / count, head.root)


def measure_peer(name: str, sizes: list[int], entries_file: Path, folder: Path) -> Row:
    """Build a peer at each size, the largest first, while the process's memory is its own."""
    entries = read_entries(entries_file)
    proof_us: dict[int, float | None] = {}
    rate = cpu_us = single_us = grown = 0.0
    root: bytes | None = None
    for size in sorted(sizes, reverse=True):
        part = entries[:size]
        before_mb = resident_mb()
        wall, cpu = time.perf_counter(), time.process_time()
        peer = PEERS[name](part, folder)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        proof_us[size] = median_proof_us(peer.prove, len(part))
        if not rate:
            rate, cpu_us = len(part) / wall, cpu * 1e6 / len(part)
            grown = (resident_mb() - before_mb) * 2**20 / len(part)
            root = peer.root()
            more = [
                entry.replace(b'"commitment":"', b'"commitment":"%02d' % n) for n, entry in enumerate(part[-SINGLES:])
            ]
            single_us = statistics.median([timed(partial(peer.append, one))[0] * 1e6 for one in more])
        del peer
    return Row(rate, cpu_us, single_us, proof_us, grown, root)


def write_entries(path: Path, entries: list[bytes]) -> None:
    """Their number, then all of them as one bundle."""
    path.write_bytes(len(entries).to_bytes(_COUNT_BYTES) + encode_bundle(entries))


def read_entries(path: Path) -> list[bytes]:
    """The same, read."""
    data = path.read_bytes()
    return decode_bundle(data[_COUNT_BYTES:], expected=int.from_bytes(data[:_COUNT_BYTES]))


def in_process(function: Callable[..., Row], *arguments: Any) -> Row:
    """Call in a process of its own, whose memory ends with it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> int:
    """Run all peers and print the table; returns 1 if a tree has another root."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    sizes = sorted(parser.parse_args().sizes)
    absent = find_spec("pymerkle") is None
    with tempfile.TemporaryDirectory() as name:
        folder, entries_file = Path(name), Path(name) / "entries"
        plan = AgencyPlan(code=AGENCY, name_ko="시험", name_en="Benchmark", scopes=("service.*", "registry.*"))
        settings = initialise(folder / "ledger", origin=ORIGIN, city=AGENCY, agencies=[plan])
        rows = {"this log": in_process(measure_log, settings, sizes, entries_file)}
        for peer in PEERS:
            if not (absent and peer.startswith("pymerkle")):
                rows[peer] = in_process(measure_peer, peer, sizes, entries_file, folder)
        each = entries_file.stat().st_size / sizes[-1]
    print(f"{sizes[-1]:,} events of {each:.0f} bytes; {os.cpu_count()} cores; one process each, one after another\n")
    holds = print_table(rows, sizes)
    if absent:
        print("\npymerkle is not installed here, so its rows are missing: `pip install pymerkle` (GPLv3+) adds them")
    return 0 if holds else 1


def print_table(rows: dict[str, Row], sizes: list[int]) -> bool:
    """Print figures, then ratios to this log; returns whether every tree has its root."""
    ours = rows["this log"]
    proofs = "".join(f"{f'proof {size:,}':>15}" for size in sizes)
    print(f"{'':24}{'events/s':>10}{'CPU us':>8}{'one us':>10}{proofs}{'bytes each':>12}  root")
    holds = True
    for name, row in rows.items():
        shown = "".join(_proof(row.proof_us[size]) for size in sizes)
        root = "-" if row.root is None else "same" if row.root == ours.root else "ANOTHER"
        holds &= root != "ANOTHER"
        print(
            f"{name:24}{row.rate:10,.0f}{row.cpu_us:8.1f}{row.single_us:10,.0f}{shown}{row.bytes_each:12,.0f}  {root}"
        )
    print("\nratio to this log: events/s (more is faster), single append, proof at the largest size (less is faster)")
    for name, row in rows.items():
        theirs, own = row.proof_us[sizes[-1]], ours.proof_us[sizes[-1]]
        proof = f"{theirs / own:.1f}" if theirs and own else "-"
        print(f"{name:24}{row.rate / ours.rate:10.2f}{row.single_us / ours.single_us:10.2f}{proof:>10}")
    return holds


def _proof(proof_us: float | None) -> str:
    return f"{'none':>15}" if proof_us is None else f"{proof_us:15,.1f}"


if __name__ == "__main__":
    sys.exit(main())
