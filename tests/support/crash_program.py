"""Crash a small city many times over, and print as JSON what came of it. Run by the tests in `tests/faults/`.

A program of its own, because it forks: it must have no threads, and a test runner may have some.

    python -m tests.support.crash_program failpoints --share 0/2
    python -m tests.support.crash_program pairs --share 0/2
    python -m tests.support.crash_program random --points 500 --seed 1
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import random
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_service import ledger
from audit_service.failpoints import MODES, POINTS
from audit_service.fatal import EXIT_DISK_FAILED
from tests.support.broken_builds import BROKEN
from tests.support.crash_city import (
    RACE_EVENTS,
    CrashCity,
    copy_of,
    post_some,
    post_under_load,
    post_without_lock,
    prepare,
)
from tests.support.failing_calls import FAILING, failing_calls, must_end
from tests.support.public_log import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.support.crash_city import Life

# A chain of random crashes in one data directory: the log grows, and the whole of it is read after each.
CHAIN = 20
# A broken build would fill the screen.
MAX_FINDINGS = 20
# A disk that loses the journal's record and says nothing has made the journal the oldest of the three stores. What was
# published then is ahead of it, and nobody may sign: the only honest way out is the operator's.
MAY_QUARANTINE = frozenset({"sign.before-append=lost"})


@dataclass(slots=True)
class Tally:
    """What the program prints."""

    points: int = 0
    crashed: int = 0
    acknowledged: int = 0
    quarantined: int = 0
    slowest_start_s: float = 0.0
    not_reached: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def faults_of_every_point() -> list[str]:
    """Each point with each mode that it can have."""
    return [f"{point}={mode}" for point in POINTS for mode in MODES if mode != "lost" or ".before-" in point]


class Runner:
    """Lives and dies in one folder."""

    def __init__(self, folder: Path, broken: Callable[[Any], None] | None) -> None:
        self._folder = folder
        self._broken = broken
        self._numbers = Numbers()
        self.tally = Tally()
        self._templates = {"plain": prepare(folder)}
        self._templates |= {kind: self._state(kind) for kind in ("ahead", "behind", "hole")}

    def _state(self, kind: str) -> Path:
        """A city that a start has something to recover in."""
        target = self._folder / kind
        city = copy_of(self._templates["plain"], target)
        if kind == "ahead":
            city.live(post_some([1]), faults="sign.before-append=kill")
        if kind == "behind":
            before = self._folder / "before"
            shutil.copytree(target, before)
            city.live(post_some([1, 2, 3]))
            for path in target.glob("ledger.sqlite3*"):
                path.unlink()
            for path in before.glob("ledger.sqlite3*"):
                shutil.copy(path, target / path.name)
        if kind == "hole":
            shutil.rmtree(target / "public/log/tile/0")
        return target

    def _city_for(self, faults: str) -> CrashCity:
        kind = "plain"
        if "rebuild" in faults:
            kind = "behind"
        elif ".before-sign" in faults or ".after-sign=" in faults:
            kind = "ahead"
        elif "mend" in faults:
            kind = "hole"
        return copy_of(self._templates[kind], self._folder / f"city-{self.tally.points}")

    def crash_at(self, *faults: str) -> None:
        """One life for each fault, then one without; then the whole public log is read."""
        tally, name = self.tally, " then ".join(faults)
        city = self._city_for(name)
        posted: list[int] = []
        for fault in faults:
            # One event, where crashes come in pairs: these are many.
            posted += [self._numbers.take(1) for _ in range(3 - len(faults))]
            life = city.live(post_some(posted), faults=fault, broken=self._broken)
            if life.armed:
                tally.not_reached.append(f"{name}: {fault}")
            if life.was_killed != ("=kill" in fault and not life.armed) or life.hung:
                tally.findings.append(f"{name}: the life with {fault} ended in another way: {life}")
            tally.crashed += life.was_killed
            if "=lost" not in fault and "mend" not in name:
                # A reader may come at any moment: what is published is whole before anybody repairs anything.
                tally.findings += [f"{name}, before the start: {finding}" for finding in judge(city.data_dir).findings]
        # Another event first: what was acknowledged must have kept its place, not get it again by being sent again.
        posted.insert(0, self._numbers.take(1))
        last = city.live(post_some(posted), broken=self._broken)
        tally.points += 1
        self._judge(name, city, last, posted, may_quarantine=bool(MAY_QUARANTINE & set(faults)))
        tally.acknowledged += len({receipt.event_id for receipt in city.receipts})
        shutil.rmtree(city.data_dir)

    def _judge(
        self, name: str, city: CrashCity, last: Life, posted: Sequence[int], *, may_quarantine: bool = False
    ) -> None:
        """The last life had no fault: it must have started, taken all, published all, and contradicted nothing."""
        tally = self.tally
        tally.slowest_start_s = max(tally.slowest_start_s, last.started_s or 0.0)
        if last.hung or last.failed or last.was_killed:
            tally.findings.append(f"{name}: the last life did not end well: {last}")
        if last.quarantined:
            tally.quarantined += 1
            if not may_quarantine:
                tally.findings.append(f"{name}: {last.quarantined}")
        else:
            known = {receipt.event_id for receipt in last.receipts}
            missing = [number for number in posted if f"obligation-{number}" not in known]
            if missing:
                tally.findings.append(f"{name}: never acknowledged, though sent again: {missing}")
        tally.findings += [f"{name}: {finding}" for finding in city.findings()]

    def crash_at_random(self, points: int, seed: int) -> None:
        """Kill under load at random moments, also while starting, in chains of crashes of one city.

        After each crash the city starts once without one, and the whole public log is read.
        """
        rng = random.Random(seed)
        tally = self.tally
        while tally.points < points and len(tally.findings) < MAX_FINDINGS:
            city = copy_of(self._templates["plain"], self._folder / f"chain-{tally.points}")
            for _ in range(min(CHAIN, points - tally.points)):
                name = f"seed {seed}, crash {tally.points}"
                while_starting = rng.random() < 0.3
                life = city.live(
                    post_under_load(self._numbers.take(100_000)),
                    kill_after_s=rng.random() * (0.03 if while_starting else 0.05),
                    kill_from_fork=while_starting,
                    broken=self._broken,
                )
                tally.points += 1
                tally.crashed += life.was_killed
                if life.hung or life.failed or life.quarantined:
                    tally.findings.append(f"{name}: {life}")
                tally.findings += [f"{name}, before the start: {finding}" for finding in judge(city.data_dir).findings]
                posted = [self._numbers.take(1)]
                self._judge(name, city, city.live(post_some(posted), broken=self._broken), posted)
            tally.acknowledged += len(city.receipts)
            shutil.rmtree(city.data_dir)

    def fail_each_call(self, kind: str, share: int, shares: int) -> None:
        """Let the k-th call that writes journal or public files fail, for every k that a life comes to."""
        place = share
        while len(self.tally.findings) < MAX_FINDINGS:
            name = f"{kind} at call {place}"
            city = copy_of(self._templates["plain"], self._folder / f"calls-{place}")
            posted = [self._numbers.take(1) for _ in range(2)]
            life = city.live(post_some(posted), broken=failing_calls(kind, place))
            if not life.struck:
                shutil.rmtree(city.data_dir)
                return
            if life.hung or life.was_killed or life.quarantined:
                self.tally.findings.append(f"{name}: {life}")
            if (life.exit_code == EXIT_DISK_FAILED) != must_end(kind, life.struck):
                self.tally.findings.append(f"{name} ({life.struck}): the process ended with {life.exit_code}")
            if kind == "short" and (life.failed or len(life.receipts) < len(posted)):
                self.tally.findings.append(f"{name}: a short write is no error: {life}")
            posted.insert(0, self._numbers.take(1))
            self.tally.points += 1
            self._judge(name, city, city.live(post_some(posted)), posted)
            shutil.rmtree(city.data_dir)
            place += shares

    def race(self, races: int, seed: int, *, stopped: bool) -> None:
        """Two writers on one log whose lock is gone; with `stopped`, one sleeps while the other takes over."""
        rng = random.Random(seed)
        for number in range(races):
            city = copy_of(self._templates["plain"], self._folder / f"race-{number}")
            name = f"seed {seed}, race {number}"
            first, second = self._numbers.take(1000), self._numbers.take(1000)
            lives = city.race(
                post_without_lock(first),
                post_without_lock(second),
                stop_after_s=rng.random() * 0.02 if stopped else None,
                delay_s=rng.random() * 0.03,
                broken=self._broken,
            )
            self.tally.points += 1
            for life in lives:
                if life.hung or life.was_killed:
                    self.tally.findings.append(f"{name}: {life}")
            whole = [life for life in lives if len(life.receipts) == RACE_EVENTS]
            if not whole:
                self.tally.findings.append(f"{name}: no writer kept working: {lives}")
            self.tally.crashed += 2 - len(whole)
            posted = [self._numbers.take(1)]
            self._judge(name, city, city.live(post_some(posted)), posted)
            self.tally.acknowledged += len(city.receipts)
            shutil.rmtree(city.data_dir)
            if len(self.tally.findings) >= MAX_FINDINGS:
                return


class Numbers:
    """Numbers of obligations: none is used twice."""

    def __init__(self) -> None:
        self._next = 1000

    def take(self, count: int) -> int:
        """The first of `count` numbers."""
        self._next += count
        return self._next - count


def pairs_of_points() -> Iterator[tuple[str, str]]:
    """Two crashes in a row: at every point, and then at every point."""
    for first, second in product(POINTS, POINTS):
        yield f"{first}=kill", f"{second}=kill"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["failpoints", "pairs", "random", "calls", "races", "stopped"])
    parser.add_argument("--share", default="0/1", help="which part of the work: i/n")
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broken", choices=BROKEN)
    parser.add_argument("--only", default="", help="failpoints whose names begin so")
    args = parser.parse_args()
    # What the service logs about injected faults would be thousands of lines; findings carry what matters.
    logging.disable(logging.CRITICAL)
    share, shares = map(int, args.share.split("/"))
    # The city was made by this very program: its thousands of starts need not read the migrations each time.
    ledger.require_newest = lambda *_: None
    # What is imported by now is not walked over again, nor copied, in each of thousands of children.
    gc.freeze()
    # A killed process takes nothing out of the page cache: memory is as good as a disk here, and does not wait for one.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of our own in it
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        runner = Runner(Path(folder), BROKEN.get(args.broken))
        if args.kind == "random":
            runner.crash_at_random(args.points, args.seed)
        elif args.kind == "calls":
            for kind in FAILING:
                runner.fail_each_call(kind, share, shares)
        elif args.kind in {"races", "stopped"}:
            runner.race(args.points, args.seed, stopped=args.kind == "stopped")
        else:
            cases = [(fault,) for fault in faults_of_every_point()] if args.kind == "failpoints" else pairs_of_points()
            chosen = [faults for faults in cases if faults[0].startswith(args.only)]
            for faults in chosen[share::shares]:
                runner.crash_at(*faults)
    sys.stdout.write(json.dumps(asdict(runner.tally)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
