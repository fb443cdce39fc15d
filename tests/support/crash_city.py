"""A small city whose process is killed, again and again: a fork server, so that a crash costs milliseconds.

The parent has everything imported and no threads; each life of the city is a forked child, a real process that is
truly killed. What it acknowledges comes through a pipe, one line per receipt, so the parent knows exactly what the
world had been told when the child died.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from audit_service import failpoints
from audit_service.errors import AuditServiceError
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from audit_service.signing.lock import FileLock
from tests.support.public_log import Receipt, judge, read_checkpoint
from tests.support.small_city import SmallCity, budget_year, obligation, service, small_city

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Work = Callable[["Teller", Path], None]
    Breaking = Callable[["Teller"], None]

# A life that neither ends nor says anything for so long hangs: that is a finding, never a wait.
HANG_S = 20.0
INTERVAL = {"AUDIT_PUBLICATION_INTERVAL_S": "0.01"}


@dataclass(slots=True)
class Life:
    """What became of one process: how it ended, what it had said, and how long it took to start."""

    status: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    started_s: float | None = None
    quarantined: str | None = None
    failed: str | None = None
    armed: list[str] = field(default_factory=list)
    struck: str | None = None
    hung: bool = False

    @property
    def was_killed(self) -> bool:
        return os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGKILL

    @property
    def exit_code(self) -> int | None:
        return os.WEXITSTATUS(self.status) if os.WIFEXITED(self.status) else None


@dataclass(slots=True)
class CrashCity:
    """One data directory and everything that the world was ever told about it."""

    data_dir: Path
    receipts: list[Receipt] = field(default_factory=list)
    notes: set[bytes] = field(default_factory=set)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def live(
        self,
        work: Work,
        *,
        faults: str = "",
        kill_after_s: float | None = None,
        kill_from_fork: bool = False,
        broken: Breaking | None = None,
    ) -> Life:
        """Fork one life and see it end; `kill_after_s` counts from when it has started, or from when it was forked."""
        listening = self._fork(work, faults, broken)
        if kill_after_s is not None and kill_from_fork:
            listening.kill_at = listening.begun + kill_after_s
        listening.kill_after_s = kill_after_s
        try:
            listening.until_end()
        finally:
            listening.end()
        self._remember(listening.life)
        return listening.life

    def race(
        self,
        first: Work,
        second: Work,
        *,
        stop_after_s: float | None,
        delay_s: float,
        broken: Breaking | None = None,
    ) -> list[Life]:
        """Two lives at once, the second a little later; with `stop_after_s` the first is stopped while it writes."""
        listening = self._fork(first, "", broken)
        waker = None
        if stop_after_s is not None:
            # Stopped somewhere in its work, and woken when the other one has done all of its own.
            listening.until_end(or_started=True)
            time.sleep(stop_after_s)
            os.kill(listening.pid, signal.SIGSTOP)
            waker = _wake_later(listening.pid)
        else:
            time.sleep(delay_s)
        later = self.live(second, broken=broken)
        if waker is not None:
            os.waitpid(waker, 0)
        listening.until_end()
        listening.end()
        self._remember(listening.life)
        return [listening.life, later]

    def _fork(self, work: Work, faults: str, broken: Breaking | None) -> _Listening:
        """A new process, and the end of the pipe through which it tells."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(work, Teller(writing), self.data_dir, faults, broken)
        os.close(writing)
        return _Listening(Life(), reading, pid)

    def _remember(self, life: Life) -> None:
        self.receipts += life.receipts
        note = read_checkpoint(self.data_dir)
        if note is not None:
            self.notes.add(note)

    def findings(self) -> list[str]:
        """What is wrong with the public log, as anybody may see it."""
        return judge(self.data_dir, receipts=self.receipts, notes=self.notes).findings


class Teller:
    """How a life tells the parent what it has told the world; a line is whole or not there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, **message: Any) -> None:
        os.write(self._descriptor, json.dumps(message).encode() + b"\n")

    def receipt(self, event_id: str, index: int, note: bytes) -> None:
        self.tell(id=event_id, index=index, note=base64.b64encode(note).decode())


def _live(
    work: Work,
    teller: Teller,
    data_dir: Path,
    faults: str,
    broken: Breaking | None,
) -> None:
    """The child: never returns into the parent's code."""
    try:
        failpoints.arm({failpoints.VARIABLE: faults})
        if broken is not None:
            broken(teller)
        work(teller, data_dir)
    except BaseException:  # noqa: BLE001 - told to the parent, which judges it
        teller.tell(failed=traceback.format_exc())
    finally:
        teller.tell(armed=list(failpoints._armed))
        os._exit(0)


def _wake_later(pid: int) -> int:
    """Another process that wakes a stopped one; usually the other writer has done all of its work by then.

    Not always: a process that was stopped inside a transaction holds the database's lock, and whoever takes over waits.
    """
    waker = os.fork()
    if waker == 0:
        time.sleep(0.3)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        os._exit(0)
    return waker


@dataclass(slots=True)
class _Listening:
    """The parent's end of one life's pipe."""

    life: Life
    reading: int
    pid: int
    begun: float = field(default_factory=time.monotonic)
    kill_at: float | None = None
    kill_after_s: float | None = None
    waiting: bytes = b""

    def until_end(self, *, or_started: bool = False) -> None:
        """Take in what the life tells until it has ended; kill it when its time has come, or if it hangs."""
        life = self.life
        while not (or_started and life.started_s is not None):
            timeout = HANG_S if self.kill_at is None else max(0.0, self.kill_at - time.monotonic())
            if not select.select([self.reading], [], [], timeout)[0]:
                life.hung = self.kill_at is None
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
                self.kill_at = self.kill_after_s = None
                continue
            data = os.read(self.reading, 65536)
            if not data:
                return
            *lines, self.waiting = (self.waiting + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        life = self.life
        if "id" in message:
            life.receipts.append(Receipt(message["id"], message["index"], base64.b64decode(message["note"])))
        elif "struck" in message:
            life.struck = message["struck"]
        elif "failed" in message:
            life.failed = message["failed"]
        elif "armed" in message:
            life.armed = message["armed"]
        elif "started" in message:
            life.started_s = time.monotonic() - self.begun
            life.quarantined = message["started"]
            if self.kill_after_s is not None and self.kill_at is None:
                self.kill_at = time.monotonic() + self.kill_after_s

    def end(self) -> None:
        """The life has ended: how?"""
        os.close(self.reading)
        self.life.status = os.waitpid(self.pid, 0)[1]


def prepare(folder: Path, *, entries: int = 5) -> Path:
    """A city with a budget year, to be copied for each chain of crashes."""
    template = folder / "template"
    with small_city(template) as city:
        city.post(*budget_year(appropriated_won=10**12))
        for number in range(5, entries):
            city.post(obligation(10**9 + number, amount_won=1))
    return template


def copy_of(template: Path, target: Path) -> CrashCity:
    shutil.copytree(template, target)
    return CrashCity(target)


# --- what a life does -----------------------------------------------------------------------------------


def start(teller: Teller, data_dir: Path) -> Ledger:
    """Open and start; say so."""
    ledger = Ledger(load_settings(data_dir, INTERVAL), serve_in_quarantine=True)
    ledger.start()
    teller.tell(started=ledger.why_quarantined())
    return ledger


def post(teller: Teller, city: SmallCity, number: int) -> bool:
    """Post one obligation, again if it was not acknowledged, as an agency would; was it acknowledged?"""
    return _post(teller, city, obligation(number, amount_won=1), tries=2)


def _post(teller: Teller, city: SmallCity, submission: dict[str, Any], *, tries: int) -> bool:
    for _ in range(tries):
        with suppress(AuditServiceError, TimeoutError):
            result = city.post(submission)
            index = result.outcomes[0].index
            if index is None:
                raise AssertionError(f"refused: {result.outcomes[0].error}")
            teller.receipt(submission["id"], index, result.head.note)
            return True
    return False


def post_some(numbers: list[int]) -> Work:
    """A life that posts a few events one after another, and stops, which publishes them."""

    def work(teller: Teller, data_dir: Path) -> None:
        ledger = start(teller, data_dir)
        if ledger.quarantine is None:
            city = SmallCity(ledger.settings, ledger)
            for number in numbers:
                if not post(teller, city, number):
                    break
        ledger.stop()

    return work


def post_under_load(first: int, *, clients: int = 4) -> Work:
    """A life that posts from several threads until it is killed."""

    def work(teller: Teller, data_dir: Path) -> None:
        ledger = start(teller, data_dir)
        city = SmallCity(ledger.settings, ledger)
        numbers = count(first)

        def client() -> None:
            while post(teller, city, next(numbers)):
                pass

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return work


RACE_EVENTS = 12


def post_without_lock(first: int) -> Work:
    """A life that writes although another one may: its lock is a file of its own, as if the lock were broken."""

    def work(teller: Teller, data_dir: Path) -> None:
        lock = FileLock(data_dir / f"lock-{os.getpid()}")
        ledger = Ledger(load_settings(data_dir, INTERVAL), lock=lock)
        ledger.start()
        teller.tell(started=None)
        city = SmallCity(ledger.settings, ledger)
        for number in range(first, first + RACE_EVENTS):
            # Each on a stream of its own: no position could be taken twice, so nothing but the epoch holds.
            event = service() | {"id": f"service-{number}", "subject": f"service/{number}"}
            if not _post(teller, city, event, tries=1):
                break
        ledger.stop()

    return work
