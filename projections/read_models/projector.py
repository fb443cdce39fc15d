"""How do the read models follow the log, without ever missing, repeating or skipping an entry?

One page of entries is one transaction: index rows, changed parts of the folds' state, rows of the answers that they
change, and the position, moved by compare-and-swap. A crash leaves the page before it. An entry that cannot be
folded stops the projector right in front of it; what came before it is kept.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from audit_service import metrics
from audit_service.recording.database import is_unavailable
from projections.folds.all import Changes
from projections.folds.answers import DEFINITIONS
from projections.read_models.errors import ProjectionStopped
from projections.read_models.reports import index_reports
from projections.read_models.runs import Run, read_page
from projections.read_models.tables import (
    LOG_POSITION,
    entry_index,
    entry_runs,
    fold_state,
    projection_rows,
    published_reports,
)
from projections.reports.found import find_reports
from projections.reports.state import LogState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

    from audit_service.catalogue.event import Event
    from projections.folds.all import FoldSet

logger = logging.getLogger(__name__)

PAGE_SIZE = 2_000
# After catching up, rest so many times as long as it took: at most a sixth of the time goes into answers.
_PAUSES = 5
_LONGEST_PAUSE_S = 2.0
RETRY_INTERVAL_S = 0.5
_to_json = msgspec.json.Encoder(order="sorted")


class EntryReader(Protocol):
    """The log as the projector reads it."""

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries [start, stop), in order."""
        ...

    def head_size(self) -> int:
        """How many entries may be read."""
        ...


class Projector:
    """Follows one log; the only writer of the read models' database.

    `failure` says why it stopped, if it did.
    """

    def __init__(
        self,
        reader: EntryReader,
        engine: Engine,
        *,
        page_size: int = PAGE_SIZE,
        on_events: Callable[[list[Event]], None] = lambda _events: None,
    ) -> None:
        self._reader = reader
        self._engine = engine
        self._page_size = page_size
        self._on_events = on_events
        self._state = LogState()
        self._position = 0
        self._moved: tuple[set[tuple[str, str]], set[tuple[str, str]]] = (set(), set())
        self._wake = threading.Event()
        # One page at a time, whoever calls: the thread, a command, a test.
        self._turn = threading.Lock()
        self.failure: ProjectionStopped | None = None
        self._digest = _code_digest(self._state.folds)
        self._stale = False
        self._load()

    @property
    def position(self) -> int:
        """How many entries have been taken in."""
        return self._position

    def catch_up(self, limit: int | None = None) -> int:
        """Take in entries up to the head, or at most `limit` of them; how many were taken in.

        Raises:
            ProjectionStopped: an entry could not be folded or stored, now or before.
        """
        with self._turn:
            if self.failure is not None:
                raise self.failure
            if self._stale:
                return self._rebuild()
            started = self._position
            try:
                head = self._reader.head_size()
                stop = head if limit is None else min(head, started + limit)
                while self._position < stop:
                    self._take_in(self._position, min(stop, self._position + self._page_size))
            except ProjectionStopped:
                raise
            except Exception as error:
                self.failure = ProjectionStopped(self._position, error)
                raise self.failure from error
            return self._position - started

    def rebuild(self) -> int:
        """Compute everything anew from the first entry, in one transaction; how many entries were taken in.

        Readers see the old tables until the new ones are complete; a failure leaves the old ones.

        Raises:
            ProjectionStopped: an entry could not be folded or stored.
        """
        with self._turn:
            return self._rebuild()

    def _rebuild(self) -> int:
        head = self._reader.head_size()
        state = LogState()
        position = 0
        try:
            with self._engine.begin() as connection:
                # The rows of published reports stay: they are what the city bound itself to, not a cache.
                for table in (entry_index, entry_runs, projection_rows, fold_state, published_reports):
                    connection.execute(delete(table))
                while position < head:
                    stop = min(head, position + self._page_size)
                    page = []
                    start, entries = position, self._read(position, stop)
                    for index, item in read_page(entries, first=start):
                        position = index
                        _apply(state, index, item, entries, start)
                        page.append((index, item))
                    _write_index(connection, start, page, entries)
                    state.heads.settle()
                    position = stop
                _write_changes(connection, state, state.take_changes(), position)
                log_position = {"name": LOG_POSITION, "position": position, "state": self._digest}
                connection.execute(insert(fold_state), [log_position])
        except Exception as error:
            raise ProjectionStopped(position, error) from error
        self._state, self._position, self.failure, self._stale = state, position, None, False
        return position

    @contextmanager
    def held(self) -> Iterator[tuple[LogState, int, Changes]]:
        """Catch up, then hold still; gives what the log adds up to, its size, and what changed since the last hold.

        Raises:
            ProjectionStopped: an entry could not be folded or stored, now or before.
        """
        self.catch_up()
        with self._turn:
            tables, parts = self._moved
            self._moved = (set(), set())
            yield self._state, self._position, Changes(tables=sorted(tables), parts=sorted(parts))

    def resume(self) -> None:
        """Forget a failure and go on from what is stored, after its cause was removed."""
        with self._turn:
            self._load()
            self.failure = None
        self._wake.set()

    def wake(self) -> None:
        """Say that the log has grown, or that `run` should look at its stop event."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Follow the log until `stop` is set and `wake` called; waits without polling.

        After a failure it waits, its position unmoved, until `resume` or `stop`. While a database does not answer it
        goes on trying by itself: nothing is wrong with what is stored.
        """
        while not stop.is_set():
            # Cleared before the head is read: a wake in between is not lost.
            self._wake.clear()
            pause_s = 0.0
            if self.failure is None:
                began = time.monotonic()
                try:
                    if self.catch_up():
                        pause_s = min(_LONGEST_PAUSE_S, _PAUSES * (time.monotonic() - began))
                except ProjectionStopped:
                    logger.exception("projection stopped", extra={"position": self._position})
            if stop.is_set():
                return
            if self._waits_for_database():
                self._wake.wait(RETRY_INTERVAL_S)
                with suppress(SQLAlchemyError):
                    self.resume()
                continue
            # Answers are computed anew from time to time, not for every commit: under load that would be all we do.
            if not stop.wait(pause_s):
                self._wake.wait()

    def _waits_for_database(self) -> bool:
        cause = self.failure.__cause__ if self.failure else None
        return isinstance(cause, Exception) and is_unavailable(cause)

    def _load(self) -> None:
        """Take over what is stored: the position and every part of the folds' state."""
        state = LogState()
        position = 0
        with self._engine.connect() as connection:
            # One statement, so that all parts and the position are of one moment.
            stored = connection.execute(select(fold_state)).all()
        for name, stored_position, part_state in stored:
            if name == LOG_POSITION:
                position = stored_position
                self._stale = position > 0 and part_state != self._digest
        if self._stale:
            # Other code computed these rows: they are shown until they are computed anew, never built upon.
            logger.info("the read models were written by another version and are rebuilt")
        else:
            for name, _, part_state in stored:
                if name != LOG_POSITION:
                    fold, _, part = name.partition("/")
                    state.load_part(fold, part, part_state)
        self._state, self._position = state, position

    def _read(self, start: int, stop: int) -> list[bytes]:
        entries = self._reader.entries(start, stop)
        if len(entries) != stop - start:
            raise ValueError(f"expected {stop - start} entries from {start}, found {len(entries)}")
        return entries

    @metrics.PROJECT.time()
    def _take_in(self, start: int, stop: int) -> None:
        """Take in one page; if one of its entries fails, what comes before that entry, and stop."""
        page: list[tuple[int, Event | Run]] = []
        reached = start
        try:
            entries = self._read(start, stop)
            for index, item in read_page(entries, first=start):
                reached = index
                _apply(self._state, index, item, entries, start)
                page.append((index, item))
                reached = index + (item.count if isinstance(item, Run) else 1)
            self._store(start, page, entries)
        except Exception as error:
            self.failure = ProjectionStopped(start, error)
            # The folds in memory may be ahead of what is stored: only what is stored counts.
            self._load()
            if start < reached < stop:
                self._take_in(start, reached)
            self.failure = ProjectionStopped(self._position, error)
            raise self.failure from error

    def _store(self, start: int, page: list[tuple[int, Event | Run]], entries: list[bytes]) -> None:
        position = start + len(entries)
        changes = self._state.take_changes()
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(fold_state)
                .where(fold_state.c.name == LOG_POSITION, fold_state.c.position == start)
                .values(position=position, state=self._digest)
            )
            if moved.rowcount != 1:
                # Two projectors on one database would write each entry twice.
                raise RuntimeError(f"the stored position is not {start}: another projector moved it")
            _write_index(connection, start, page, entries)
            _write_changes(connection, self._state, changes, position)
        self._position = position
        self._moved[0].update(changes.tables)
        self._moved[1].update(changes.parts)
        self._on_events([item for _, item in page if not isinstance(item, Run)])


def _code_digest(folds: FoldSet) -> bytes:
    """Which version of the folds and of the answers' definitions wrote the read models?"""
    versions = {kind: definition.version for kind, definition in DEFINITIONS.items()} | {"stream-heads": 1}
    return hashlib.sha256(folds.state_schemas + _to_json.encode(versions)).digest()


_RUN_COLUMNS = tuple(column.name for column in entry_runs.columns)


def _apply(state: LogState, index: int, item: Event | Run, entries: list[bytes], start: int) -> None:
    """Take in one item of a page whose entries begin at index `start`."""
    place = index - start
    if isinstance(item, Run):
        item.apply_to(state.folds)
        state.heads.extend(item.subject, entries[place : place + item.count])
    else:
        state.apply(index, item, entries[place])


def _write_index(connection: Connection, start: int, page: list[tuple[int, Event | Run]], entries: list[bytes]) -> None:
    rows = [
        {
            "idx": index,
            "subject": event.subject,
            "type": event.type,
            "source": event.source,
            "id": event.id,
            "legal_date": event.legal_date,
        }
        for index, event in page
        if not isinstance(event, Run)
    ]
    runs = [{name: getattr(run, name) for name in _RUN_COLUMNS} for _, run in page if isinstance(run, Run)]
    if rows:
        connection.execute(insert(entry_index), rows)
    if runs:
        connection.execute(insert(entry_runs), runs)
    index_reports(connection, find_reports(start, entries))


def _write_changes(connection: Connection, state: LogState, changes: Changes, position: int) -> None:
    """Replace the stored parts and the rows of the answers that changed."""
    if changes.parts:
        states: list[dict[str, Any]] = [
            {"name": f"{fold}/{part}", "position": position, "state": state.part_to_bytes(fold, part)}
            for fold, part in changes.parts
        ]
        gone = delete(fold_state).where(fold_state.c.name == bindparam("old"))
        connection.execute(gone, [{"old": state["name"]} for state in states])
        connection.execute(insert(fold_state), states)
    if changes.tables:
        gone = delete(projection_rows).where(
            projection_rows.c.kind == bindparam("old_kind"), projection_rows.c.key == bindparam("old_key")
        )
        connection.execute(gone, [{"old_kind": kind, "old_key": key} for kind, key in changes.tables])
        rows = [
            {
                "kind": kind,
                "key": key,
                "place": place,
                "row_table": row.table,
                "row_id": row.id,
                "body": _to_json.encode(row).decode(),
            }
            for kind, key in changes.tables
            for place, row in enumerate(state.folds.compute_rows(kind, key))
        ]
        if rows:
            connection.execute(insert(projection_rows), rows)
