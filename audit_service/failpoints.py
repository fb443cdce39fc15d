"""Where can a fault be asked for, so that a test sees what it leaves behind?

Every step that writes has a labelled point before it and one after it; `POINTS` is the table of them, and
`docs/reliability.md` says the same. A point does nothing but look into an empty dictionary, unless the environment
variable `AUDIT_FAILPOINTS` of this very process names it:

    AUDIT_FAILPOINTS='record.before-commit=kill, publish.before-checkpoint=lost@2'

    kill     the process ends at once, as by SIGKILL: nothing is flushed, closed or answered
    lost     the write behind the point does not happen, and nobody is told (a disk that lies); only where there is one
    error    an error is raised here: before a write it did not happen; after it, it was applied but an error returned

`@n` waits for the n-th time that the point is reached. No request can arm a point.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

VARIABLE = "AUDIT_FAILPOINTS"
Mode = Literal["kill", "lost", "error"]
MODES: tuple[Mode, ...] = ("kill", "lost", "error")

# name → what the process has done when it comes here. A name ending in `before-…` stands before a write.
POINTS: Mapping[str, str] = MappingProxyType(
    {
        "record.before-commit": "all rows of the group are written in the open transaction",
        "record.after-commit": "entries and head are committed; nobody was told",
        "sign.before-append": "the note is signed and stands nowhere yet",
        "sign.before-sync": "the journal's record is written, not synced",
        "sign.after-sync": "the journal's record is durable",
        "answer.before-answers": "signed; no caller has a receipt",
        "answer.after-answers": "every caller has a receipt",
        "publish.before-tiles": "a signed head is to be published; no file is written",
        "publish.before-bundles": "the tiles are written, their names not synced",
        "publish.before-sync": "tiles and bundles are written, their names not synced",
        "publish.before-checkpoint": "tiles and bundles are durable; the checkpoint is the old one",
        "publish.after-checkpoint": "the checkpoint is public; the archive lacks it",
        "publish.before-archive": "the archive's row is written in the open transaction",
        "publish.after-archive": "the archive has the checkpoint",
        "publish.before-sweep": "published; partial files whose full one is durable still stand",
        "publish.before-forget": "published; the journal still holds the entries",
        "publish.after-forget": "the journal has forgotten what is published",
        "recover.before-seal": "the stores tell one story; the new epoch stands nowhere",
        "recover.after-seal": "the journal of the new epoch exists and is empty: the old one is sealed",
        "recover.before-epoch-record": "the sealed journal was read",
        "recover.after-epoch-record": "the journal of the new epoch is whole; the older file still stands",
        "recover.before-database-epoch": "the journal has the new epoch; the database's is in an open transaction",
        "recover.after-database-epoch": "both have the new epoch",
        "recover.before-rebuild": "the missing entries of a part are in an open transaction",
        "recover.after-rebuild": "a part of the missing entries is committed",
        "recover.before-sign": "recorded entries without a signature were found",
        "recover.after-sign": "they are signed",
        "recover.before-archive": "the archive lacks the published checkpoint",
        "recover.before-mend": "public files are missing below the published size",
    }
)


class FaultInjected(OSError):
    """An error that a failpoint was asked for."""


@dataclass(slots=True)
class _Armed:
    mode: Mode
    remaining: int


def parse_spec(text: str) -> dict[str, tuple[Mode, int]]:
    """Read the environment variable: point → mode and count.

    Raises:
        ValueError: there is no such point, mode or count, or `lost` is asked for where no write follows.
    """
    armed: dict[str, tuple[Mode, int]] = {}
    for part in filter(None, (item.strip() for item in text.split(","))):
        name, _, rest = part.partition("=")
        mode, _, count = rest.partition("@")
        if name not in POINTS or mode not in MODES or not (count or "1").isdecimal():
            raise ValueError(f"{VARIABLE}: no such failpoint: {part!r}")
        if mode == "lost" and ".before-" not in name:
            raise ValueError(f"{VARIABLE}: no write follows {name}, so none can be lost")
        armed[name] = (mode, int(count or 1))
    return armed


def arm(environment: Mapping[str, str] = os.environ) -> None:
    """Arm what the environment names; called once, when this module is loaded."""
    _armed.clear()
    _armed.update({name: _Armed(*fault) for name, fault in parse_spec(environment.get(VARIABLE, "")).items()})
    if _armed:
        logger.critical("faults are asked for by %s: %s. Never in production", VARIABLE, ", ".join(_armed))


def reach(name: str) -> bool:
    """Come to a point; True if the write behind it shall be lost.

    Raises:
        FaultInjected: an error was asked for here.
    """
    return name in _armed and _strike(name, _armed[name])


def _strike(name: str, fault: _Armed) -> bool:
    fault.remaining -= 1
    if fault.remaining:
        return False
    del _armed[name]
    if fault.mode == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault.mode == "error":
        raise FaultInjected(errno.EIO, f"failpoint {name}")
    return True


_armed: dict[str, _Armed] = {}
arm()
