"""How fast do ready entries become rows, on either database and in each way that a driver offers?

Recording alone: our recorder with everything that its transaction holds (position checks, leaf hashes, right edge,
head), in groups, on SQLite (WAL, synchronous=FULL) and on a PostgreSQL that starts for this run (fsync on, over TCP, on
the same disk). On PostgreSQL the rows enter by binary COPY, by the driver's executemany, and by SQLAlchemy's insert().
Beside them the recorders that eventsourcing brings, which write the same rows without hashes, head or positions. All in
one process, in turn, several rounds; what counts is the ratio within a round.

    python benchmarks/databases.py [--groups 20] [--group-size 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore
from sqlalchemy import column, insert, table

from audit_service.recording import recorder as recording
from audit_service.recording.database import Rows, open_database
from audit_service.recording.migrations import upgrade
from audit_service.recording.recorder import Commit, LedgerRecorder
from audit_service.settings import Settings
from tests.support.postgres import new_database, own_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from audit_service.database_url import DatabaseUrl

STREAMS = 10
ENTRY_BYTES = 350
Groups = list[list[StoredEvent]]


def make_groups(groups: int, size: int, *, as_uuid: bool) -> Groups:
    """Entries of a usual length on a few streams, as they reach a recorder."""
    positions = [0] * STREAMS
    names: list[Any] = [f"service/permits/2021-{number:02}" for number in range(STREAMS)]
    if as_uuid:
        names = [uuid5(NAMESPACE_URL, name) for name in names]
    made: Groups = []
    for group in range(groups):
        events = []
        for number in range(size):
            stream = number % STREAMS
            positions[stream] += 1
            state = f"{group}/{number}/".encode().ljust(ENTRY_BYTES, b"x")
            events.append(StoredEvent(names[stream], positions[stream], "service.transaction-recorded.v1", state))
        made.append(events)
    return made


def by_executemany(connection: Connection, into: Rows, rows: Any) -> None:
    """The driver's own executemany."""
    marks = ", ".join("?" * len(into.columns))
    sql = f"INSERT INTO {into.table} ({', '.join(into.columns)}) VALUES ({marks})"  # noqa: S608 - our own names
    connection.exec_driver_sql(sql, list(rows))


def by_insert(connection: Connection, into: Rows, rows: Any) -> None:
    """SQLAlchemy's insert()."""
    target = table(into.table, *[column(name) for name in into.columns])
    connection.execute(insert(target), [dict(zip(into.columns, row, strict=True)) for row in rows])


def run_ours(folder: Path, url: DatabaseUrl | None, groups: Groups, way: Callable[..., None] | None) -> float:
    """Events per second of our recorder; `way` replaces how rows enter."""
    settings = Settings(data_dir=folder, origin="log.example", database_url=url)
    writer, reader = open_database(settings, "ledger"), open_database(settings, "ledger", read_only=True)
    upgrade(writer, "ledger")
    recorder = LedgerRecorder(writer, reader)
    epoch, size = recorder.head().epoch, 0
    with mock.patch.object(recording, "insert_rows", way or recording.insert_rows):
        began = time.perf_counter()
        for group in groups:
            recorder.insert_events(group, commit=Commit(recorded_time="", keys=[], epoch=epoch, tree_size=size))
            size += len(group)
        elapsed_s = time.perf_counter() - began
    for engine in (writer, reader):
        engine.dispose()
    return size / elapsed_s


def run_stock(recorder: Any, groups: Groups) -> float:
    """Events per second of a recorder that eventsourcing brings."""
    recorder.create_table()
    began = time.perf_counter()
    for group in groups:
        recorder.insert_events(group)
    elapsed_s = time.perf_counter() - began
    recorder.datastore.close()
    return sum(map(len, groups)) / elapsed_s


@contextmanager
def server_on_disk() -> Iterator[str]:
    """A PostgreSQL whose commits wait for the same disk as SQLite's."""
    with own_server(in_memory=False) as server:
        yield server.url


def stock_postgres(url: DatabaseUrl) -> PostgresApplicationRecorder:
    """Eventsourcing's own recorder on a database of its own."""
    parts = urlsplit(url.reveal())
    store = PostgresDatastore(
        dbname=parts.path[1:],
        host=parts.hostname or "",
        port=str(parts.port),
        user=parts.username or "",
        password=parts.password or "",
    )
    return PostgresApplicationRecorder(store, events_table_name="stored_events")


def main() -> None:
    """Run the rounds and print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--group-size", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ours = make_groups(args.groups, args.group_size, as_uuid=False)
    stock = make_groups(args.groups, args.group_size, as_uuid=True)
    ratios: dict[str, list[float]] = {}
    print(
        f"{args.groups} groups of {args.group_size} entries of {ENTRY_BYTES} bytes; {os.cpu_count()} cores; one process"
    )
    with server_on_disk() as url:
        for number in range(args.rounds):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                sqlite = SQLiteApplicationRecorder(SQLiteDatastore(str(folder / "stock.sqlite3")))
                rates = {
                    "SQLite, ours": run_ours(folder, None, ours, None),
                    "SQLite, stock": run_stock(sqlite, stock),
                    "PostgreSQL, ours by COPY": run_ours(folder, new_database(url), ours, None),
                    "PostgreSQL, ours by executemany": run_ours(folder, new_database(url), ours, by_executemany),
                    "PostgreSQL, ours by insert()": run_ours(folder, new_database(url), ours, by_insert),
                    "PostgreSQL, stock": run_stock(stock_postgres(new_database(url)), stock),
                }
            print(f"round {number + 1}: " + "; ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
            for kind in ("SQLite", "PostgreSQL"):
                base = rates[f"{kind}, stock"]
                for name, rate in rates.items():
                    if name.startswith(f"{kind}, ours"):
                        ratios.setdefault(f"{name} / {kind}, stock", []).append(rate / base)
    for name, found in ratios.items():
        print(f"{name}: {statistics.median(found):.2f}")


if __name__ == "__main__":
    main()
