"""Let one call to the operating system fail, as a full, failing or busy disk would: the k-th that writes files."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING, Any

from audit_service import files
from audit_service.signing import journal

if TYPE_CHECKING:
    from collections.abc import Callable

# `short`: a write writes only half, and says so.
FAILING = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "short": 0}
_CALLS = ("open", "write", "fsync", "fdatasync", "replace", "mkdir", "ftruncate", "unlink", "rmdir")
_APPEND = "journal write"


def must_end(kind: str, struck: str) -> bool:
    """Must the process end at once? When nobody knows what is on the disk: after a sync, or in the journal's middle."""
    return kind != "short" and (struck in {"fsync", "fdatasync"} or (struck, kind) == (_APPEND, "EIO"))


class FailingOs:
    """The module `os`, one call of which fails."""

    def __init__(self, kind: str, place: int, tell: Callable[[str], None]) -> None:
        self._kind = kind
        self._remaining = place
        self._tell = tell
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in _CALLS or (self._kind == "short" and name != "write"):
            return real

        def call(*args: Any, **options: Any) -> Any:
            with self._lock:
                self._remaining -= 1
                strike = self._remaining == -1
            if not strike:
                return real(*args, **options)
            self._tell(_APPEND if name == "write" and _is_append(args[0]) else name)
            if self._kind == "short":
                return real(args[0], bytes(args[1])[: max(1, len(args[1]) // 2)])
            raise OSError(FAILING[self._kind], os.strerror(FAILING[self._kind]))

        return call


def _is_append(descriptor: int) -> bool:
    """Is this the journal's own descriptor? Files that are replaced as a whole may be written again."""
    place = os.readlink(f"/proc/self/fd/{descriptor}")
    return "/journal/sign-state" in place and not place.endswith(".tmp")


def failing_calls(kind: str, place: int) -> Callable[[Any], None]:
    """Let call number `place` fail in this process."""

    def arm(teller: Any) -> None:
        failing = FailingOs(kind, place, lambda name: teller.tell(struck=name))
        files.os = journal.os = failing  # type: ignore[attr-defined]

    return arm
