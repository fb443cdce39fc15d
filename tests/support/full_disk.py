"""A disk with little room: a small tmpfs where mounting is allowed, else a count of the bytes that files may take.

The count covers what the service writes through `os` (journal, tiles, bundles, checkpoint) and, by SQLite's own limit
of pages, the database; what it cannot show is a write-ahead log that finds no room.

    python -m tests.support.full_disk DATA_DIR

is a process that posts until its disk is full, is given room again, and posts everything once more.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

from audit_service import files
from audit_service.errors import AuditServiceError
from audit_service.ledger import Ledger
from audit_service.settings import load_settings
from audit_service.signing import journal
from tests.support.small_city import SmallCity, obligation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BALLAST = "ballast"
_ROOM_BYTES = 60_000


@contextmanager
def small_file_system(folder: Path, *, kib: int) -> Iterator[Path]:
    """A folder with so much room; an ordinary one for 0, and where nothing may be mounted."""
    folder.mkdir()
    mount = shutil.which("mount") if kib else None
    mounted = (
        mount is not None
        and not subprocess.run(
            [mount, "-t", "tmpfs", "-o", f"size={kib}k", "none", str(folder)], capture_output=True, check=False
        ).returncode
    )
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def fill(data_dir: Path) -> Callable[[], None]:
    """Leave little room; returns how to give it back."""
    if os.path.ismount(data_dir.parent):
        ballast = data_dir.parent / _BALLAST
        room = shutil.disk_usage(data_dir).free
        ballast.write_bytes(bytes(max(0, room - _ROOM_BYTES)))
        return ballast.unlink
    counted = _CountingOs()
    files.os = journal.os = counted  # type: ignore[attr-defined]
    return counted.free


class _CountingOs:
    """The module `os`; writes take room."""

    def __init__(self) -> None:
        self._room = _ROOM_BYTES
        self._pages = 60
        event.listen(Engine, "begin", self._limit_pages)

    def _limit_pages(self, connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={self._pages}")

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, descriptor: int, data: Any) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data)

    def free(self) -> None:
        self._room = 10**9
        self._pages = 10**6


REFUSALS = 5


def main(data_dir: Path) -> None:
    """Print what was acknowledged and how it was refused while there was no room."""
    logging.disable(logging.CRITICAL)
    free = fill(data_dir)
    settings = load_settings(data_dir, {"AUDIT_PUBLICATION_INTERVAL_S": "0.01"})
    acknowledged: dict[str, int | None] = {}
    errors: list[str] = []
    with Ledger(settings) as ledger:
        city = SmallCity(settings, ledger)

        def post(number: int) -> str | None:
            try:
                result = city.post(obligation(number, amount_won=1))
            except AuditServiceError as error:
                return type(error).__name__
            acknowledged[f"obligation-{number}"] = result.outcomes[0].index
            return None

        number = 0
        while len(errors) < REFUSALS:
            number += 1
            error = post(number)
            if error:
                errors.append(error)
        # Full: what was acknowledged is read all the same.
        read = len(ledger.reader.entries(0, 5))
        free()
        refused = [error for error in map(post, range(1, number + 3)) if error]
    sys.stdout.write(
        json.dumps({"acknowledged": acknowledged, "errors": errors, "read": read, "refused_later": refused}) + "\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
