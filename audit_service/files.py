"""How does a file get onto the disk so that it is there, whole, after a power cut?

Write to a temporary name, fsync, rename, fsync the folder. An fsync that fails is never tried again: the
process ends (`audit_service.fatal`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from audit_service.fatal import end_process

if TYPE_CHECKING:
    from pathlib import Path


def sync(descriptor: int) -> None:
    """Make a file's or a folder's content durable, or end the process."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        end_process(f"fsync failed: {error}")


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, each name durable in its own parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        os.mkdir(folder)  # noqa: PTH102 - one API for everything that reaches the disk
    fsync_folder(folder.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder of files; after a power cut any of them may be there again, which harms nobody."""
    for path in folder.iterdir():
        os.unlink(path)  # noqa: PTH108 - one API for everything that reaches the disk
    os.rmdir(folder)  # noqa: PTH106 - the same


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the bytes, however many calls that takes.

    Raises:
        OSError: the disk is full or failing; some of the bytes may be written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_durably(path: Path, data: bytes, *, mode: int = 0o644, sync_folder: bool = True) -> None:
    """Replace a file at once; readers see the old bytes or the new ones, never a part.

    With `sync_folder=False` the caller makes the names durable later, once for many files.

    Raises:
        OSError: the disk is full or failing; the old file stands as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        write_all(descriptor, data)
        sync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)  # noqa: PTH105 - one API for everything that reaches the disk
    if sync_folder:
        fsync_folder(path.parent)
