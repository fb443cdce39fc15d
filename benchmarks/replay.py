"""How fast is a whole log replayed, in one process and with flat memory?

`python benchmarks/replay.py`

Makes a log of 10^6 sealed service transactions (not timed; kept with --dir), then measures, each in a process of
its own so that peak memory is its own:

  tree and tables   root checked, tables folded (audit replay --no-rules); the aim is 400,000 entries per second
  json baseline     the same reading and hashing, decoded with the json module and counted: what one would write first
  full check        all ten checks of `audit replay`: canonical form, order, batch roots, signatures, rules

Peak memory is compared between 10^5 and 10^6 entries. The machine's rate of SHA-256 over the same entries is
printed beside, since half of the work is hashing; so is the rate per second of processor time, since on a machine
that others use too the clock on the wall measures them as well.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

AIM = 400_000


def main() -> int:
    """Run and print; exit code 1 if a replay does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="size of the large log (default 10^6)")
    parser.add_argument("--dir", type=Path, help="keep the logs here and use them again")
    parser.add_argument("--repeat", type=int, default=3, help="best of so many runs (default 3)")
    parser.add_argument("--child", choices=[*MEASURES, "build"], help=argparse.SUPPRESS)
    parser.add_argument("--log", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_child(args.child, args.log, args.entries)))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        return _measure(args.dir or Path(temporary), args.entries, args.repeat)


def _measure(directory: Path, entries: int, repeat: int) -> int:
    large, small = directory / f"log-{entries}", directory / f"log-{entries // 10}"
    for log, size in ((large, entries), (small, entries // 10)):
        _run("build", log, size, 1)
    size_bytes = sum(path.stat().st_size for path in (large / "tile" / "entries").rglob("*") if path.is_file())
    print(f"{entries:,} entries of {size_bytes / entries:.0f} bytes on average; one process; best of {repeat}\n")
    rates, cpu_rates, peaks = {}, {}, {}
    for name in MEASURES:
        result = _run(name, large, entries, repeat)
        below = _run(name, small, entries // 10, 1)
        rates[name] = entries / result["seconds"]
        cpu_rates[name] = entries / result["cpu_seconds"]
        peaks[name] = result["peak_mib"], result["peak_mib"] - below["peak_mib"]
        if not (result["holds"] and below["holds"]):
            print(f"{name}: the replay does not hold", file=sys.stderr)
            return 1
    baseline = rates["json"]
    print(f"{'':24}{'entries/s':>12}{'x json':>8}{'x aim':>8}{'per cpu s':>12}{'peak MiB':>10}{'growth MiB':>12}")
    for name, (title, _function) in MEASURES.items():
        rate, (peak, growth) = rates[name], peaks[name]
        print(
            f"{title:24}{rate:12,.0f}{rate / baseline:8.2f}{rate / AIM:8.2f}"
            f"{cpu_rates[name]:12,.0f}{peak:10.1f}{growth:12.1f}"
        )
    print(
        f"\naim: {AIM:,} entries/s for tree and tables; growth: peak memory at {entries:,} entries "
        f"over that at {entries // 10:,}"
    )
    return 0


def _run(name: str, log: Path, entries: int, repeat: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, "--log", str(log), "--entries", str(entries)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(repeat)
    ]
    return min(runs, key=lambda run: run["seconds"])


def _child(name: str, log: Path, entries: int) -> dict[str, Any]:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    if name == "build":
        from replay_log import build_log  # noqa: PLC0415 - only the measured process's own imports count as memory

        build_log(log, entries)
        return {"seconds": 0.0}
    begin = time.process_time()
    seconds, holds = MEASURES[name][1](log)
    cpu_seconds = time.process_time() - begin
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "holds": holds, "peak_mib": peak_mib}


def _replay(log: Path, *, check_rules: bool) -> tuple[float, bool]:
    from projections.log_source import DirectoryLog  # noqa: PLC0415 - as above
    from projections.replay import replay  # noqa: PLC0415 - as above
    from verifier.notes import NoteSigner  # noqa: PLC0415 - as above

    signer = NoteSigner.from_seed("benchmark.ledger.example", hashlib.sha256(b"log").digest())
    verdict = replay(DirectoryLog(log), vkey=signer.vkey, check_rules=check_rules)
    for violation in verdict.violations:
        print(violation, file=sys.stderr)
    return verdict.seconds, verdict.holds


def _hash_and(log: Path, look: Callable[[list[bytes]], None]) -> tuple[float, bool]:
    """Read the log, check its root, and look at each bundle's entries."""
    from projections.log_source import DirectoryLog  # noqa: PLC0415 - as above
    from verifier.bundles import decode_bundle  # noqa: PLC0415 - as above
    from verifier.checkpoints import parse_checkpoint  # noqa: PLC0415 - as above
    from verifier.hashing import leaf_hash  # noqa: PLC0415 - as above
    from verifier.notes import parse_note  # noqa: PLC0415 - as above
    from verifier.right_edge import RightEdge  # noqa: PLC0415 - as above
    from verifier.tiles import bundles_for_size  # noqa: PLC0415 - as above

    begin = time.perf_counter()
    source = DirectoryLog(log)
    checkpoint = parse_checkpoint(parse_note(source.fetch_checkpoint()).text)
    edge = RightEdge()
    for bundle in bundles_for_size(0, checkpoint.tree_size):
        entries = decode_bundle(source.fetch_bundle(bundle.index, bundle.width), expected=bundle.width)
        edge.extend([leaf_hash(entry) for entry in entries])
        look(entries)
    return time.perf_counter() - begin, edge.root() == checkpoint.root_hash


def _json(log: Path) -> tuple[float, bool]:
    """The same root and the same counts with the json module."""
    counts: dict[tuple[str, str], int] = {}

    def count(entries: list[bytes]) -> None:
        for entry in entries:
            event = json.loads(entry)
            if event["type"] == "service.transaction-recorded.v1":
                cell = (event["subject"], event["data"]["kind"])
                counts[cell] = counts.get(cell, 0) + 1

    return _hash_and(log, count)


MEASURES = {
    "json": ("json baseline", _json),
    "hash": ("hashing alone", lambda log: _hash_and(log, lambda _entries: None)),
    "fold": ("tree and tables", lambda log: _replay(log, check_rules=False)),
    "full": ("full check", lambda log: _replay(log, check_rules=True)),
}

if __name__ == "__main__":
    sys.exit(main())
