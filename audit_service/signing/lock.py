"""Which one process may write this log?

The one that holds the lock. On one host that is a lock on a file, which the kernel gives back when its holder dies,
however it dies. The lock keeps two writers from disturbing each other; what makes a second writer *harmless* is the
epoch, which is compared in the head and in the journal.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.exc import SQLAlchemyError

from audit_service.errors import AnotherWriter
from audit_service.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STANDBY_INTERVAL_S = 0.2


class WriterLock(Protocol):
    """The right to write one log."""

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it."""

    def release(self) -> None:
        """Give the lock back."""


class FileLock:
    """The lock of a log whose journal is a file on this host."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it; having it already is fine."""
        if self._descriptor is not None:
            return True
        make_folder(self._path.parent)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def require(lock: WriterLock) -> None:
    """Take the lock now.

    Raises:
        AnotherWriter: another process holds it.
    """
    if not lock.try_acquire():
        raise AnotherWriter("another process is signing for this log")


def stand_by(lock: WriterLock, stopping: Callable[[], bool], *, interval_s: float = STANDBY_INTERVAL_S) -> bool:
    """Wait until the writer is gone and take the lock; False if told to stop before that."""
    while not stopping():
        # A lock that is a database may be away for a while: who waits goes on waiting.
        with suppress(SQLAlchemyError):
            if lock.try_acquire():
                return True
        time.sleep(interval_s)
    return False
