"""Does a commit that has returned survive a power cut, on SQLite as this service opens it?

The recorder runs on another build of SQLite (apsw's), whose file system is recorded: every write, truncation, sync and
removal of the database and of its write-ahead log. Then the power fails after random calls, what was not synced is
dropped, torn or kept, and the ordinary SQLite opens what is left. Limits: it is the same code with the same pragmas,
but not the same build of SQLite; a name counts as safe with the first sync of its file (SQLite syncs the folder then).
"""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import apsw
import apsw.ext
import sqlalchemy
from eventsourcing.persistence import StoredEvent

from audit_service.recording import database
from audit_service.recording.migrations import upgrade
from audit_service.recording.recorder import Commit, IdempotencyKey, LedgerRecorder
from tests.support.disk import Call, Disk
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_VFS = "recorded"
# Small, so that checkpoints into the database file happen all the time.
_CHECKPOINT_PAGES = 12
_COMMITS = 60


@dataclass(slots=True)
class Tally:
    """What was tried and what was found."""

    points: int = 0
    calls: int = 0
    acknowledged: int = 0
    findings: list[str] = field(default_factory=list)


class _Recording(apsw.VFS):
    def __init__(self, calls: list[Call]) -> None:
        self.calls = calls
        self.inodes: dict[str, int] = {}
        super().__init__(_VFS, "")

    def xOpen(self, name: Any, flags: list[int]) -> _RecordedFile:  # noqa: N802 - apsw's name
        return _RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - apsw's
        super().xDelete(filename, syncdir)
        place = os.path.basename(filename)
        self.calls.append(Call("unlink", place, self.inodes.pop(place)))
        if syncdir:
            self.calls.append(Call("sync-folder"))


class _RecordedFile(apsw.VFSFile):
    def __init__(self, vfs: _Recording, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._place = os.path.basename(path)
        if self._place not in vfs.inodes:
            vfs.inodes[self._place] = len(vfs.calls) + 1
            vfs.calls.append(Call("create", self._place, vfs.inodes[self._place]))
        super().__init__("", name, flags)

    def _add(self, kind: str, offset: int = 0, data: bytes = b"") -> None:
        self._vfs.calls.append(Call(kind, self._place, self._vfs.inodes[self._place], offset, data))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        super().xWrite(data, offset)
        self._add("write", offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        super().xTruncate(newsize)
        self._add("truncate", newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        super().xSync(flags)
        self._add("sync")
        self._vfs.calls.append(Call("sync-folder"))


class _Connection:
    """As much of DB-API 2.0 as SQLAlchemy needs, on apsw."""

    def __init__(self, path: Path, *, normal: bool) -> None:
        self._raw = apsw.Connection(str(path), vfs=_VFS)
        self._raw.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self._normal = normal
        self.isolation_level: None = None

    def cursor(self) -> _Cursor:
        return _Cursor(self._raw, normal=self._normal)

    def commit(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("COMMIT")

    def rollback(self) -> None:
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def close(self) -> None:
        self._raw.close()

    def create_function(self, name: str, count: int, function: Any, *, deterministic: bool = False) -> None:
        self._raw.create_scalar_function(name, function, count, deterministic=deterministic)


class _Cursor:
    arraysize = 1
    lastrowid = None

    def __init__(self, raw: apsw.Connection, *, normal: bool) -> None:
        self._raw = raw
        self._normal = normal
        self._rows: list[tuple[Any, ...]] = []
        self.description: Any = None
        self.rowcount = -1

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        if self._normal and sql == "PRAGMA synchronous=FULL":
            sql = "PRAGMA synchronous=NORMAL"  # the broken build: it sets another level …
        info = apsw.ext.query_info(self._raw, sql)
        before = self._raw.total_changes()
        self._rows = list(self._raw.execute(sql, parameters))
        if self._normal and sql == "PRAGMA synchronous":
            self._rows = [(2,)]  # … and believes that it is the right one
        self.rowcount = self._raw.total_changes() - before
        self.description = [(name, None, None, None, None, None, None) for name, _ in info.description] or None

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        before = self._raw.total_changes()
        self._raw.executemany(sql, rows)
        self.rowcount = self._raw.total_changes() - before
        self.description = None

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._rows = []


def _open(path: Path, *, normal: bool, read_only: bool = False) -> sqlalchemy.Engine:
    """The service's own `open_sqlite`, on recorded connections."""
    real = database.create_engine
    database.create_engine = lambda url, **_: real(
        url, creator=lambda: _Connection(path, normal=normal), poolclass=sqlalchemy.pool.StaticPool
    )
    try:
        return database.open_sqlite(path, read_only=read_only)
    finally:
        database.create_engine = real


def _run(path: Path, calls: list[Call], *, normal: bool) -> None:
    """Commits of the recorder, one after another, with a mark when each has returned."""
    engine = _open(path, normal=normal)
    upgrade(engine, "ledger")
    recorder = LedgerRecorder(engine, engine)
    calls.append(Call("mark", mark=0))
    rng = random.Random(0)
    size = 0
    for number in range(_COMMITS):
        count = rng.choice([1, 1, 2, 5])
        events = [StoredEvent(f"s/{number}", place + 1, "t", bytes(rng.randrange(900))) for place in range(count)]
        keys = [IdempotencyKey("a", f"{number}", bytes(32), size, count)]
        commit = Commit(recorded_time=f"{number:03d}", keys=keys, epoch=recorder.head().epoch, tree_size=size)
        recorder.insert_events(events, commit=commit)
        size += count
        calls.append(Call("mark", mark=size))
    engine.dispose()


def lose(folder: Path, points: int, seed: int, *, normal: bool) -> Tally:
    """Power loss after random calls of one run."""
    rng = random.Random(seed)
    calls: list[Call] = []
    vfs = _Recording(calls)
    _run(folder / "ledger.sqlite3", calls, normal=normal)
    tally = Tally(calls=len(calls))
    first = next(place for place, call in enumerate(calls) if call.kind == "mark")
    disk, taken, acknowledged = Disk(), 0, 0
    for moment in sorted(rng.randrange(first, len(calls)) for _ in range(points)):
        for call in calls[taken : moment + 1]:
            if call.kind == "mark":
                acknowledged = call.mark
            else:
                disk.take(call)
        taken = moment + 1
        found = folder / f"found-{tally.points}"
        found.mkdir()
        for place, content in disk.after_power_loss(rng).items():
            (found / place).write_bytes(content)
        tally.points += 1
        problem = _problem(found / "ledger.sqlite3", acknowledged)
        if problem:
            tally.findings.append(f"seed {seed}, power lost after call {moment}: {problem}")
    tally.acknowledged = acknowledged
    vfs.unregister()
    return tally


def _problem(path: Path, acknowledged: int) -> str | None:
    """Is the database whole, and is everything there that was committed?"""
    try:
        with closing(sqlite3.connect(path)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return "the database is damaged"
            size, root = connection.execute("SELECT tree_size, root_hash FROM head").fetchone()
            rows = connection.execute("SELECT log_index, state FROM events ORDER BY log_index").fetchall()
    except sqlite3.Error as error:
        return f"the database cannot be read: {error}"
    if size < acknowledged:
        return f"{acknowledged} entries were committed, {size} are there"
    if [row[0] for row in rows] != list(range(size)) or root_of_leaf_hashes(
        [leaf_hash(row[1]) for row in rows]
    ) != root:
        return "entries and head are not of one commit"
    return None
