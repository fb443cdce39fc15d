"""What do the rules and the folds cost for each event of a whole city?

`python benchmarks/domain.py [--events 100000]`

A simulated city (`tests/support/city_generator.py`) of about so many events goes by in one process: each entry is
decoded, decided and evolved by the rules, and folded, in this order and timed apart, for three classes of events:

  bulk       transactions of sealed batches; the rules cost at most 3 µs for each
  budget     every event of `budget/...`
  contract   every event of `contract/...`

Every ratio is against decoding the same entries (msgspec). Making the city is not timed. Times are of the
processor, so that a machine that others use too is measured less.

Then one agency's year with ten times as many payments: what a payment costs in the fold, in the rows of the budget
book and in the stored state, against the same year with a tenth of them. A ratio far above 1 would mean that a large
year costs more than its size. The exit code tells whether the limit holds.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit_service.catalogue.event import decode_event
from audit_service.rules.decide import decide, evolve
from audit_service.rules.undo import Undo
from audit_service.rules.world import Replica
from projections.folds.all import fold_all
from tests.support.city_agenda import to_event
from tests.support.city_generator import FIRST_YEAR, CityPlan, entries, submissions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_service.catalogue.event import Event

BULK_LIMIT_US = 3.0
PAGE = 5_000
# For each of ten lines and eleven months: some 100,000 in the year.
PAYMENTS = 900
CLASSES = ("bulk", "budget", "contract", "other")
STEPS = ("decode", "rules", "folds")


class Clock:
    """Processor time by class and step, less what looking at the clock costs."""

    def __init__(self) -> None:
        self.spent_ns = {(name, step): 0 for name in CLASSES for step in STEPS}
        self.counts = dict.fromkeys(CLASSES, 0)
        looks = [time.process_time_ns() for _ in range(10_001)]
        self._look_ns = (looks[-1] - looks[0]) // 10_000

    def time(self, name: str, step: str, work: Callable[[], Any]) -> Any:
        """Do some work of one class and one step."""
        begin = time.process_time_ns()
        result = work()
        self.spent_ns[name, step] += max(0, time.process_time_ns() - begin - self._look_ns)
        return result

    def each_us(self, name: str, step: str) -> float:
        """What one event of the class costs in this step."""
        return self.spent_ns[name, step] / max(1, self.counts[name]) / 1_000


class Measured:
    """A replica and the folds, fed page by page."""

    def __init__(self) -> None:
        self.clock, self.world, self.folds, self.undo = Clock(), Replica(), fold_all(), Undo()
        self.index = 0

    def feed(self, page: list[bytes]) -> None:
        """Take in a page: runs of one class are timed as a whole, so that the clock is looked at seldom."""
        start = 0
        for name, run in groupby(page, key=_class_of):
            own = list(run)
            events = self.clock.time(name, "decode", lambda own=own: [decode_event(entry) for entry in own])
            first = self.index + start
            self.clock.time(name, "rules", lambda events=events: self._decide(events))
            self.clock.time(name, "folds", lambda events=events, first=first: self._fold(events, first))
            self.clock.counts[name] += len(own)
            start += len(own)
        self.index += len(page)

    def _decide(self, events: list[Event]) -> None:
        world, undo = self.world, self.undo
        for event in events:
            decide(world, event)
            evolve(world, event, undo)
        # As the unit of work does after a commit: what cannot be undone any more is forgotten.
        undo.clear()

    def _fold(self, events: list[Event], first: int) -> None:
        apply = self.folds.apply
        for index, event in enumerate(events, start=first):
            apply(index, event)


def _class_of(entry: bytes) -> str:
    # The type ends a canonical entry.
    kind = entry[entry.rindex(b'"type":"') + 8 :]
    if kind.startswith(b"service.transaction"):
        return "bulk"
    name = kind.partition(b".")[0].decode()
    return name if name in CLASSES else "other"


class Year(NamedTuple):
    """What one payment costs, in µs and in bytes."""

    payments: int
    fold_us: float
    rows_us: float
    state_bytes: float


def measure_year(monthly: int) -> Year:
    """Fold one year of one agency, then compute its budget book."""
    plan = CityPlan(years=1, contracts=0, transactions=0, payments=monthly)
    events = [to_event(made) for made in submissions(plan) if made.subject.startswith("budget/")]
    payments = sum(event.type == "budget.paid.v1" for event in events)
    folds = fold_all()
    begin = time.process_time()
    for index, event in enumerate(events):
        folds.apply(index, event)
    folded = time.process_time()
    folds.compute_rows("budget-book", f"{plan.codes[0]}/{FIRST_YEAR}")
    computed = time.process_time()
    state = folds.part_to_bytes("budget-years", f"{plan.codes[0]}/{FIRST_YEAR}")
    each_us = 1e6 / payments
    return Year(payments, (folded - begin) * each_us, (computed - folded) * each_us, len(state) / payments)


def main() -> int:
    """Run and print; exit code 1 where the rules cost more than they may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000, help="about so many events (default 10^5)")
    parser.add_argument("--seed", type=int, default=1, help="of the city (default 1)")
    args = parser.parse_args()
    plan = CityPlan.for_size(args.events, seed=args.seed)
    measured = Measured()
    for page in _pages(plan):
        measured.feed(page)
    _print(measured, plan)
    _print_years(measure_year(PAYMENTS // 10), measure_year(PAYMENTS))
    return 0 if measured.clock.each_us("bulk", "rules") <= BULK_LIMIT_US else 1


def _pages(plan: CityPlan) -> Iterator[list[bytes]]:
    page: list[bytes] = []
    for entry in entries(submissions(plan)):
        page.append(entry)
        if len(page) == PAGE:
            yield page
            page = []
    yield page


def _print(measured: Measured, plan: CityPlan) -> None:
    clock = measured.clock
    print(f"{measured.index:,} events of {plan.agencies} agencies in {plan.years} years; processor time\n")
    print(f"{'':10}{'events':>10}{'decode µs':>11}{'rules µs':>10}{'x decode':>10}{'folds µs':>10}{'x decode':>10}")
    for name in CLASSES:
        if clock.counts[name]:
            decode, rules, folds = (clock.each_us(name, step) for step in STEPS)
            print(
                f"{name:10}{clock.counts[name]:10,}{decode:11.2f}{rules:10.2f}{rules / decode:10.2f}"
                f"{folds:10.2f}{folds / decode:10.2f}"
            )
    print(f"\nlimit: rules at most {BULK_LIMIT_US:g} µs for a bulk event")


def _print_years(small: Year, large: Year) -> None:
    print("\none agency's year; each payment with its obligation and all that goes with it\n")
    print(f"{'':10}{'payments':>10}{'fold µs':>11}{'rows µs':>10}{'state bytes':>14}")
    for name, year in (("small", small), ("large", large)):
        print(f"{name:10}{year.payments:10,}{year.fold_us:11.2f}{year.rows_us:10.2f}{year.state_bytes:14.0f}")
    ratios = (large.fold_us / small.fold_us, large.rows_us / small.rows_us, large.state_bytes / small.state_bytes)
    print(f"{'ratio':10}{'':10}{ratios[0]:11.2f}{ratios[1]:10.2f}{ratios[2]:14.2f}")


if __name__ == "__main__":
    sys.exit(main())
