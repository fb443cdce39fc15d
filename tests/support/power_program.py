"""Let the power fail at many moments of a run, and print as JSON what was found afterwards.

    python -m tests.support.power_program files --points 500 --seed 1
    python -m tests.support.power_program sqlite --points 500 --seed 1

`files`: journal and public files of a whole small city (its database is as durable as its commits said); each found
state is started again and judged by its public log. `sqlite`: the recorder's commits on a SQLite whose file system is
recorded; whatever was committed must be there.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import random
import shutil
import sqlite3
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_service import files
from audit_service.ledger import Ledger
from audit_service.recording.recorder import LedgerRecorder
from audit_service.settings import load_settings
from audit_service.signing import journal
from tests.support import recorded_sqlite
from tests.support.broken_builds import BROKEN
from tests.support.crash_city import INTERVAL, CrashCity, post_some, prepare
from tests.support.disk import Disk, RecordingOs
from tests.support.public_log import Receipt, judge
from tests.support.small_city import SmallCity, obligation

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FINDINGS = 20
# Groups of so many events; the full tile of 256 entries comes within the run.
GROUPS = (1, 7, 1, 60, 200, 1, 3, 90, 1, 2)
# Starts and stops in between, so that takeovers are cut off too.
RESTART_AFTER = (3, 7)


@dataclass(slots=True)
class Tally:
    """What the program prints."""

    points: int = 0
    calls: int = 0
    acknowledged: int = 0
    findings: list[str] = field(default_factory=list)


# --- journal and public files ---------------------------------------------------------------------------


class RecordedRun:
    """One run of a city: every call that reached the disk, and a copy of the database after every commit."""

    def __init__(self, folder: Path, broken: Callable[[Any], None] | None) -> None:
        self.data_dir = prepare(folder)
        self.databases: list[Path] = []
        self._folder = folder
        if broken is not None:
            broken(None)
        self.os = RecordingOs(self.data_dir)
        self._copy_after(LedgerRecorder, "insert_events")
        self._copy_after(LedgerRecorder, "begin_epoch")
        self._keep_database()
        modules: tuple[Any, ...] = (files, journal)
        for module in modules:
            module.os = self.os
        self._run()
        for module in modules:
            module.os = os

    def _copy_after(self, owner: type, name: str) -> None:
        real = getattr(owner, name)

        def copying(*args: Any, **options: Any) -> Any:
            result = real(*args, **options)
            self._keep_database()
            return result

        setattr(owner, name, copying)

    def _keep_database(self) -> None:
        copy = self._folder / f"database-{len(self.databases)}"
        source, target = sqlite3.connect(self.data_dir / "ledger.sqlite3"), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        self.databases.append(copy)
        self.os.mark(len(self.databases) - 1)

    def _run(self) -> None:
        number = 1
        settings = load_settings(self.data_dir, INTERVAL)
        ledger = Ledger(settings)
        ledger.start()
        for place, size in enumerate(GROUPS):
            city = SmallCity(settings, ledger)
            submissions = [obligation(number + i, amount_won=1) for i in range(size)]
            number += size
            result = city.post(*submissions)
            for submission, outcome in zip(submissions, result.outcomes, strict=True):
                if outcome.index is None:
                    raise AssertionError(outcome.error)
                self.os.mark(Receipt(submission["id"], outcome.index, result.head.note))
            if place in RESTART_AFTER:
                ledger.stop()
                ledger = Ledger(settings)
                ledger.start()
        ledger.stop()


def lose_files(folder: Path, points: int, seed: int, broken: Callable[[Any], None] | None) -> Tally:
    """Power loss after random calls of one run."""
    rng = random.Random(seed)
    run = RecordedRun(folder, broken)
    calls = run.os.calls
    tally = Tally(calls=len(calls))
    setup = next(place for place, call in enumerate(calls) if call.kind == "mark")
    moments = sorted(rng.randrange(setup, len(calls)) for _ in range(points))
    disk, receipts, notes, database = Disk(), [], set(), 0
    taken = 0
    for moment in moments:
        for call in calls[taken : moment + 1]:
            if isinstance(call.mark, Receipt):
                receipts.append(call.mark)
            elif call.kind == "mark":
                database = call.mark
            else:
                disk.take(call)
                if call.target == "public/log/checkpoint":
                    notes.add(disk.content(call.target))
        taken = moment + 1
        city = CrashCity(folder / f"found-{tally.points}", list(receipts), set(notes))
        _lay_out(city.data_dir, disk.after_power_loss(rng), run.databases[database])
        # What is published is whole before anybody repairs anything.
        before = judge(city.data_dir).findings
        number = 10**6 + tally.points
        life = city.live(post_some([number]))
        tally.points += 1
        name = f"seed {seed}, power lost after call {moment}"
        if life.failed or life.hung or life.quarantined or life.was_killed:
            tally.findings.append(f"{name}: {life.quarantined or life}")
        tally.findings += [f"{name}: {finding}" for finding in [*before, *city.findings()]]
        tally.acknowledged = len(receipts)
        shutil.rmtree(city.data_dir)
        if len(tally.findings) >= MAX_FINDINGS:
            break
    return tally


def _lay_out(data_dir: Path, found: dict[str, bytes], database: Path) -> None:
    for place, content in found.items():
        if ".sqlite3" in place:
            continue
        path = data_dir / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.copy(database, data_dir / "ledger.sqlite3")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["files", "sqlite"])
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broken", choices=[*BROKEN, "synchronous-normal"])
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    gc.freeze()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of our own in it
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        if args.kind == "files":
            tally = lose_files(Path(folder), args.points, args.seed, BROKEN.get(args.broken))
        else:
            tally = recorded_sqlite.lose(Path(folder), args.points, args.seed, normal=args.broken is not None)
    sys.stdout.write(json.dumps(asdict(tally)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
