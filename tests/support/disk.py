"""What may a disk hold after the power failed? Anything that was not synced may be gone, torn, or there.

`Disk` takes the calls that a program made (writes, syncs, renames, …) one after another and can say at any moment what
might be found afterwards. A file's bytes are safe once the file was synced, a name once its folder was synced; of all
else any part may have reached the disk, in any order. `RecordingOs` stands in for the module `os` and writes the calls
down. What it does not do: errors of the medium itself, and a disk that lies about syncs (failpoints do that).
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from random import Random


_FOLDER = 0


class Call(NamedTuple):
    """One call that reached the disk, or a mark of what the world was told in between."""

    kind: str
    place: str = ""
    inode: int = 0
    offset: int = 0
    data: bytes = b""
    target: str = ""
    mark: Any = None


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    volatile: bytearray = field(default_factory=bytearray)
    pending: list[Call] = field(default_factory=list)


def _apply(content: bytearray, call: Call, data: bytes) -> None:
    if call.kind == "truncate":
        del content[call.offset :]
        content.extend(bytes(call.offset - len(content)))
        return
    if len(content) < call.offset:
        content.extend(bytes(call.offset - len(content)))
    content[call.offset : call.offset + len(data)] = data


class Disk:
    """The state of a disk while calls come in."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._durable_names: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._pending_names: dict[str, list[Call]] = {}

    def take(self, call: Call) -> None:
        """One call more."""
        match call.kind:
            case "write" | "truncate":
                file = self._files[call.inode]
                file.pending.append(call)
                _apply(file.volatile, call, call.data)
            case "sync":
                file = self._files[call.inode]
                file.durable[:] = file.volatile
                file.pending.clear()
            case "sync-folder":
                for change in self._pending_names.pop(call.place, []):
                    _rename(self._durable_names, change)
            case "create" | "rename" | "unlink" | "mkdir":
                self._files.setdefault(call.inode, _File())
                _rename(self._names, call)
                self._pending_names.setdefault(os.path.dirname(call.target or call.place), []).append(call)

    def content(self, place: str) -> bytes:
        """What a reader sees now."""
        return bytes(self._files[self._names[place]].volatile)

    def after_power_loss(self, rng: Random) -> dict[str, bytes]:
        """Path → bytes, as one of the many possible ends."""
        # Some ends lose all, some nothing, most a part: chances are drawn once for each end.
        keep_names, keep_bytes, tear = rng.choice([0.0, 0.5, 0.9]), rng.choice([0.0, 0.5, 0.9]), rng.random() / 2
        names = dict(self._durable_names)
        for changes in self._pending_names.values():
            for change in changes:
                if rng.random() < keep_names:
                    _rename(names, change)
        found: dict[int, bytes] = {}
        for inode in set(names.values()) - {_FOLDER}:
            file = self._files[inode]
            content = bytearray(file.durable)
            for call in file.pending:
                if rng.random() < keep_bytes:
                    end = rng.randrange(len(call.data) + 1) if rng.random() < tear else len(call.data)
                    _apply(content, call, call.data[:end])
            found[inode] = bytes(content)
        return {
            place: found[inode]
            for place, inode in names.items()
            # A file is where all the folders above it are.
            if inode != _FOLDER and all(str(folder) in names for folder in PurePosixPath(place).parents[:-1])
        }


def _rename(names: dict[str, int], call: Call) -> None:
    if call.kind == "mkdir":
        names[call.place] = _FOLDER
    elif call.kind == "create":
        names[call.place] = call.inode
    elif call.kind == "unlink":
        if names.get(call.place) == call.inode:
            del names[call.place]
    else:
        if names.get(call.place) == call.inode:
            del names[call.place]
        names[call.target] = call.inode


class RecordingOs:
    """The module `os`, with a list of all calls that change files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}/"
        self._lock = threading.RLock()
        self._inode_of: dict[str, int] = {}
        self._open: dict[int, tuple[str, int]] = {}
        self._next_inode = 1
        self.calls: list[Call] = []
        for folder, folders, files in os.walk(root):
            place = self._place(folder) if Path(folder) != root else ""
            self.calls += [Call("mkdir", os.path.join(place, name)) for name in folders]
            self.calls.append(Call("sync-folder", place))
            for name in files:
                self._adopt(Path(folder, name))

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def mark(self, mark: Any) -> None:
        """Write down what the world was told."""
        with self._lock:
            self.calls.append(Call("mark", mark=mark))

    def _adopt(self, path: Path) -> None:
        """A file that was there before is durable."""
        place = self._place(path)
        inode = self._new_inode(place)
        self.calls += [
            Call("create", place, inode),
            Call("write", place, inode, 0, path.read_bytes()),
            Call("sync", place, inode),
            Call("sync-folder", os.path.dirname(place)),
        ]

    def _place(self, path: Any) -> str:
        return "" if str(path) + "/" == self._root else str(path).removeprefix(self._root)

    def _new_inode(self, place: str) -> int:
        inode = self._inode_of[place] = self._next_inode
        self._next_inode += 1
        return inode

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        with self._lock:
            place = self._place(path)
            there = os.path.exists(path)
            descriptor = os.open(path, flags, mode)
            if flags & os.O_DIRECTORY:
                self._open[descriptor] = (place, 0)
                return descriptor
            if not there:
                self.calls.append(Call("create", place, self._new_inode(place)))
            inode = self._inode_of[place]
            if flags & os.O_TRUNC and there:
                self.calls.append(Call("truncate", place, inode, 0))
            self._open[descriptor] = (place, inode)
            return descriptor

    def close(self, descriptor: int) -> None:
        with self._lock:
            self._open.pop(descriptor, None)
            os.close(descriptor)

    def write(self, descriptor: int, data: Any) -> int:
        with self._lock:
            place, inode = self._open[descriptor]
            # All files are written at their end only.
            offset = os.fstat(descriptor).st_size
            written = os.write(descriptor, data)
            self.calls.append(Call("write", place, inode, offset, bytes(data[:written])))
            return written

    def ftruncate(self, descriptor: int, size: int) -> None:
        with self._lock:
            place, inode = self._open[descriptor]
            os.ftruncate(descriptor, size)
            self.calls.append(Call("truncate", place, inode, size))

    def fsync(self, descriptor: int) -> None:
        with self._lock:
            place, inode = self._open[descriptor]
            self.calls.append(Call("sync", place, inode) if inode else Call("sync-folder", place))

    fdatasync = fsync

    def replace(self, source: Any, target: Any) -> None:
        with self._lock:
            old, new = self._place(source), self._place(target)
            os.replace(source, target)
            inode = self._inode_of[new] = self._inode_of.pop(old)
            self.calls.append(Call("rename", old, inode, target=new))

    def mkdir(self, path: Any) -> None:
        with self._lock:
            os.mkdir(path)
            self.calls.append(Call("mkdir", self._place(path)))

    def rmdir(self, path: Any) -> None:
        """A folder that comes back after a power cut is an empty one at worst."""
        os.rmdir(path)

    def unlink(self, path: Any) -> None:
        with self._lock:
            place = self._place(path)
            os.unlink(path)
            self.calls.append(Call("unlink", place, self._inode_of.pop(place, 0)))
