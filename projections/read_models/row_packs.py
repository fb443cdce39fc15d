"""How are the rows of a report kept, so that each stands from one tree size on until another?

A report has up to hundreds of thousands of rows that look alike. Neighbours are kept together, in packs: MessagePack of
[key, row] for each, compressed. The packs that stand at a tree size part its keys among them in order, each known by
its first key. A row that changes ends its pack, and another one with all of its rows follows.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, bindparam, delete, select, update

from audit_service.recording.database import Rows, insert_rows
from projections.read_models.tables import report_rows
from verifier.reports import MAX_ROW_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from projections.reports.definitions import ReportRef
    from projections.reports.publishing import KeptRows

PACK_ROWS = 32
_SPLIT_ROWS = 2 * PACK_ROWS
_MAX_PACK_BYTES = _SPLIT_ROWS * 2 * MAX_ROW_BYTES
# The quickest: rows that look alike become ten times smaller even so.
_LEVEL = 1
_TABLE = Rows(
    "report_rows",
    ("kind", "key", "row_key", "since", "until", "body"),
    ("text", "text", "text", "int8", "int8", "bytea"),
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode

KeyedRow = tuple[str, bytes]


def pack_rows(rows: Sequence[KeyedRow]) -> bytes:
    """Pack rows with their keys."""
    return zlib.compress(_encode(rows), _LEVEL)


def unpack_rows(body: object) -> list[KeyedRow]:
    """The rows of a pack. Who edits the database can put anything there: it is damaged, and rows are missing then."""
    if not isinstance(body, bytes | memoryview):
        return []
    try:
        pack = zlib.decompressobj()
        rows = _decode(pack.decompress(body, _MAX_PACK_BYTES))
    except (zlib.error, msgspec.MsgspecError, ValueError):
        return []
    return rows if pack.eof else []


def standing_rows(connection: Connection, standing: ColumnElement[bool]) -> list[KeyedRow]:
    """The rows of these packs, which stand together at one tree size, in order."""
    statement = select(report_rows.c.body).where(standing).order_by(report_rows.c.row_key)
    return [row for (body,) in connection.execute(statement) for row in unpack_rows(body)]


def keep_rows(connection: Connection, report: KeptRows) -> None:
    """Let these rows stand from the report's tree size on, in place of those that stood before."""
    ref, rows = report.ref, report.rows
    now = _stands_now(ref)
    places = select(report_rows.c.row_key, report_rows.c.since).where(now).order_by(report_rows.c.row_key)
    packs = [(first, since) for first, since in connection.execute(places)]
    if report.whole and packs:
        old = dict(standing_rows(connection, now))
        gone = dict.fromkeys(old.keys() - rows.keys())
        rows = {**gone, **{key: row for key, row in rows.items() if old.get(key) != row}}
    if packs:
        _replace(connection, ref, report.tree_size, packs, rows)
    else:
        _insert(connection, ref, report.tree_size, [(key, row) for key, row in rows.items() if row is not None])


def _replace(
    connection: Connection,
    ref: ReportRef,
    tree_size: int,
    packs: Sequence[tuple[str, int]],
    rows: Mapping[str, bytes | None],
) -> None:
    firsts = [first for first, _ in packs]
    changes: dict[int, dict[str, bytes | None]] = {}
    for key, row in rows.items():
        changes.setdefault(max(bisect_right(firsts, key) - 1, 0), {})[key] = row
    one = and_(_stands_now(ref), report_rows.c.row_key == bindparam("first"))
    body_of = select(report_rows.c.body).where(one)
    ended = update(report_rows).where(one).values(until=tree_size)
    for place, changed in changes.items():
        first, since = packs[place]
        whole: dict[str, bytes | None] = dict(unpack_rows(connection.execute(body_of, {"first": first}).scalar_one()))
        whole |= changed
        # A pack of this very tree size was kept for an entry that was never recorded: nobody asks for it.
        connection.execute(delete(report_rows).where(one) if since == tree_size else ended, {"first": first})
        _insert(connection, ref, tree_size, [(key, row) for key, row in whole.items() if row is not None])


def _insert(connection: Connection, ref: ReportRef, tree_size: int, rows: list[KeyedRow]) -> None:
    if rows:
        rows.sort()
        size = len(rows) if len(rows) <= _SPLIT_ROWS else PACK_ROWS
        insert_rows(connection, _TABLE, list(_packed(ref, tree_size, rows, size)))


def _packed(ref: ReportRef, tree_size: int, rows: Sequence[KeyedRow], size: int) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        yield ref.kind, ref.key, some[0][0], tree_size, None, pack_rows(some)


def _stands_now(ref: ReportRef) -> ColumnElement[bool]:
    return and_(report_rows.c.kind == ref.kind, report_rows.c.key == ref.key, report_rows.c.until.is_(None))
