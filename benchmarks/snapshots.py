"""How long does a stream of a hundred thousand events take to load, and does appending to it grow with its length?

One budget year, filled through a real ledger on disk (SQLite, WAL, synchronous=FULL) in atomic-free requests of 1,000
signed events: obligations and payments in turn. Loading from its snapshot is compared with loading from its events,
appending at the end with appending at the beginning; same process, same run.

    python benchmarks/snapshots.py [--events 100000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit_service.unit_of_work import Streams
from tests.support.small_city import (
    BUDGET,
    SmallCity,
    budget_year,
    obligation,
    payment,
    small_city,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PER_REQUEST = 1_000
REPEATS = 7


def pairs(first: int, count: int) -> list[dict[str, Any]]:
    """`count` events: an obligation, then its payment."""
    events: list[dict[str, Any]] = []
    for number in range(first, first + count // 2):
        events.append(obligation(number, amount_won=1))
        events.append(payment(number, of_obligation=number, amount_won=1))
    return events


def timed_ms(action: Callable[[], object]) -> float:
    """Milliseconds of computing for one call, in all threads of this process: others on the machine do not count."""
    began = time.process_time()
    action()
    return (time.process_time() - began) * 1000


def append_us(city: SmallCity, first: int) -> float:
    """Microseconds of this thread's and the writer's work for each of 1,000 appended events, median of several."""
    rounds = []
    for number in range(REPEATS):
        items = city.ledger.prepare_many(
            [city.sign(event) for event in pairs(first + number * PER_REQUEST, PER_REQUEST)]
        )
        rounds.append(
            timed_ms(lambda items=items: city.ledger.submit(items, atomic=False, dry_run=False).result())  # type: ignore[misc]
        )
    return statistics.median(rounds) * 1000 / PER_REQUEST


def load_ms(city: SmallCity) -> float:
    """Milliseconds until the stream's state is there, median of several."""
    application = city.ledger._streams.application  # noqa: SLF001 - what opening a stream does, without a service around it
    return statistics.median(timed_ms(lambda: Streams(application).aggregate(BUDGET)) for _ in range(REPEATS))


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=100_000)
    events: int = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "city"
        with small_city(data_dir) as city:
            city.post(*budget_year(appropriated_won=10 * events))
            early_us = append_us(city, 10 * events)
            for first in range(0, events // 2, PER_REQUEST // 2):
                city.post(*pairs(first, PER_REQUEST))
                print(f"\r{2 * first + PER_REQUEST:,} events", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            late_us = append_us(city, 20 * events)
        with small_city(data_dir) as city:
            snapshot_ms = load_ms(city)
            city.ledger._streams.application.stream_snapshots = None  # noqa: SLF001 - the same, without any
            events_ms = load_ms(city)
    print(f"one stream of {events:,} events and more")
    print(f"loading: from its snapshot {snapshot_ms:.1f} ms, from its events {events_ms:.0f} ms")
    print(f"from events / from the snapshot: {events_ms / snapshot_ms:.0f} (goal: the snapshot under 50 ms)")
    print(f"appending 1,000 at once: at the beginning {early_us:.0f} us each, at the end {late_us:.0f} us each")
    print(f"end / beginning: {late_us / early_us:.2f} (goal: does not grow with the length)")


if __name__ == "__main__":
    main()
