"""When may the process not go on, not even to clean up?

When the disk has failed: after an fsync that failed nobody knows what is on the disk. The kernel may have dropped the
dirty pages and marked them clean, so a second fsync would report success for bytes that are gone. The process ends at
once; the next start reads from the disk what is truly there.
"""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

# sysexits.h, EX_OSERR: a supervisor can tell this end from all others.
EXIT_DISK_FAILED = 71
_SQLITE_IOERR = 10
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def end_process(why: str) -> NoReturn:
    """End this process now: no handlers, no flushing of files, no answers."""
    logger.critical("the process ends at once: %s", why)
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(EXIT_DISK_FAILED)


def is_no_space(error: BaseException) -> bool:
    """Is the disk merely full? Nothing is lost then, and it may have room again later."""
    return isinstance(error, OSError) and error.errno in _NO_SPACE


def end_if_disk_failed(error: BaseException) -> None:
    """End the process if SQLite reports that reading, writing or syncing failed (`SQLITE_IOERR…`)."""
    for each in _causes(error):
        # SQLAlchemy keeps the driver's own error in `orig`.
        code = getattr(getattr(each, "orig", each), "sqlite_errorcode", None)
        # The primary result code is the low byte (https://www.sqlite.org/rescode.html).
        if isinstance(code, int) and code & 0xFF == _SQLITE_IOERR:
            end_process(f"SQLite reports a failing disk (result code {code})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__
