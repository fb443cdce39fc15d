"""Which reports does the log hold, and which rows had each at its tree size?

A row stands from one tree size on, until another: a publication writes what changed, and every report that was ever
published can be read again. `kept_reports` says for which tree sizes the rows are complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update

from audit_service.recording.database import Rows, insert_rows
from projections.read_models.tables import entry_index, entry_runs, kept_reports, published_reports, report_rows
from projections.reports.found import FoundReport
from verifier.reports import REPORT_TYPE, Definition, Report

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Engine, Row

    from projections.reports.definitions import ReportRef
    from projections.reports.publishing import KeptRows

_CHUNK = 10_000
_ROWS = Rows(
    "report_rows",
    ("kind", "key", "row_key", "since", "until", "body"),
    ("text", "text", "text", "int8", "int8", "bytea"),
)


class ReportRows:
    """Reads and keeps the rows of reports; safe to read from many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- what the log holds ---

    def last_reports(self) -> list[FoundReport]:
        """The newest published report of each kind and key, sorted."""
        newest = (
            select(
                published_reports.c.kind, published_reports.c.key, func.max(published_reports.c.tree_size).label("n")
            )
            .group_by(published_reports.c.kind, published_reports.c.key)
            .subquery()
        )
        statement = (
            select(published_reports)
            .join(
                newest,
                and_(
                    published_reports.c.kind == newest.c.kind,
                    published_reports.c.key == newest.c.key,
                    published_reports.c.tree_size == newest.c.n,
                ),
            )
            .order_by(published_reports.c.kind, published_reports.c.key)
        )
        with self._engine.connect() as connection:
            return [_found(row) for row in connection.execute(statement)]

    def report(self, ref: ReportRef, tree_size: int | None = None) -> FoundReport | None:
        """The report of this tree size, or the newest one; None where there is none."""
        statement = (
            select(published_reports)
            .where(published_reports.c.kind == ref.kind, published_reports.c.key == ref.key)
            .order_by(published_reports.c.tree_size.desc())
            .limit(1)
        )
        if tree_size is not None:
            statement = statement.where(published_reports.c.tree_size == tree_size)
        with self._engine.connect() as connection:
            row = connection.execute(statement).first()
        return None if row is None else _found(row)

    def tree_sizes(self, ref: ReportRef, limit: int = 1000) -> list[int]:
        """The tree sizes of the newest reports of a kind and key, the newest first."""
        statement = (
            select(published_reports.c.tree_size)
            .where(published_reports.c.kind == ref.kind, published_reports.c.key == ref.key)
            .order_by(published_reports.c.tree_size.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(statement).scalars())

    def moved_since(self, tree_size: int) -> bool:
        """Is there an entry from this index on that publishes no report?"""
        events = select(entry_index.c.idx).where(entry_index.c.idx >= tree_size, entry_index.c.type != REPORT_TYPE)
        runs = select(entry_runs.c.first).where(entry_runs.c.first + entry_runs.c.count > tree_size)
        with self._engine.connect() as connection:
            return any(connection.execute(each.limit(1)).first() is not None for each in (events, runs))

    def missing(self) -> dict[int, list[FoundReport]]:
        """Which published reports have no kept rows? By tree size."""
        statement = (
            select(published_reports)
            .outerjoin(
                kept_reports,
                and_(
                    published_reports.c.kind == kept_reports.c.kind,
                    published_reports.c.key == kept_reports.c.key,
                    published_reports.c.tree_size == kept_reports.c.tree_size,
                ),
            )
            .where(kept_reports.c.tree_size.is_(None))
        )
        found: dict[int, list[FoundReport]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(statement):
                report = _found(row)
                found.setdefault(report.report.tree_size, []).append(report)
        return found

    # --- rows ---

    def rows(self, ref: ReportRef, tree_size: int) -> list[tuple[str, bytes]] | None:
        """Keys and bytes of all rows at a tree size, sorted; None where they are not kept."""
        kept = select(kept_reports.c.tree_size).where(
            kept_reports.c.kind == ref.kind, kept_reports.c.key == ref.key, kept_reports.c.tree_size == tree_size
        )
        statement = (
            select(report_rows.c.row_key, report_rows.c.body)
            .where(*_standing(ref, tree_size))
            .order_by(report_rows.c.row_key)
        )
        with self._engine.connect() as connection:
            if connection.execute(kept).first() is None:
                return None
            return [(key, _as_bytes(body)) for key, body in connection.execute(statement)]

    def changed_rows(self, ref: ReportRef, *, old: int, new: int) -> dict[str, tuple[bytes | None, bytes | None]]:
        """Which rows differ between two tree sizes? By key: old bytes and new ones, None where there is none."""
        moved = and_(
            report_rows.c.kind == ref.kind,
            report_rows.c.key == ref.key,
            or_(
                and_(report_rows.c.since > old, report_rows.c.since <= new),
                and_(report_rows.c.until > old, report_rows.c.until <= new),
            ),
        )
        statement = select(report_rows.c.row_key, report_rows.c.since, report_rows.c.until, report_rows.c.body).where(
            moved
        )
        before: dict[str, bytes] = {}
        after: dict[str, bytes] = {}
        with self._engine.connect() as connection:
            for key, since, until, body in connection.execute(statement):
                if since <= old and (until is None or until > old):
                    before[key] = _as_bytes(body)
                if since <= new and (until is None or until > new):
                    after[key] = _as_bytes(body)
        return {
            key: (before.get(key), after.get(key))
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        }

    def keep(self, reports: Iterable[KeptRows]) -> None:
        """Keep the rows of several reports, all or none."""
        with self._engine.begin() as connection:
            for report in reports:
                _keep(connection, report)

    def forget_from(self, ref: ReportRef, tree_size: int) -> None:
        """Forget what is kept of this tree size and of every later one, so that it can be kept again."""
        name = (report_rows.c.kind == ref.kind, report_rows.c.key == ref.key)
        with self._engine.begin() as connection:
            connection.execute(delete(report_rows).where(*name, report_rows.c.since >= tree_size))
            connection.execute(update(report_rows).where(*name, report_rows.c.until >= tree_size).values(until=None))
            connection.execute(
                delete(kept_reports).where(
                    kept_reports.c.kind == ref.kind,
                    kept_reports.c.key == ref.key,
                    kept_reports.c.tree_size >= tree_size,
                )
            )


def index_reports(connection: Connection, found: Iterable[FoundReport]) -> None:
    """Note the reports among the entries that are taken in."""
    rows = [
        {
            "kind": report.kind,
            "key": report.key,
            "tree_size": report.tree_size,
            "idx": index,
            "row_count": report.row_count,
            "rows_root": report.rows_root.hex(),
            "definition_name": report.definition.name,
            "definition_version": report.definition.version,
            "definition_sha256": report.definition.sha256,
        }
        for index, report in found
    ]
    if rows:
        connection.execute(insert(published_reports), rows)


def _keep(connection: Connection, report: KeptRows) -> None:
    ref, tree_size, rows = report.ref, report.tree_size, report.rows
    ended: Collection[str] = rows.keys()
    if report.whole:
        old = _standing_rows(connection, ref)
        rows = {key: body for key, body in rows.items() if old.get(key) != body}
        gone = old.keys() - report.rows.keys()
        ended = gone | (old.keys() & rows.keys())
    _end(connection, ref, tree_size, ended)
    new = [(ref.kind, ref.key, key, tree_size, None, body) for key, body in rows.items() if body is not None]
    for start in range(0, len(new), _CHUNK):
        insert_rows(connection, _ROWS, new[start : start + _CHUNK])
    # The second attempt at one tree size, after the entry could not be submitted, finds it kept.
    kept = and_(kept_reports.c.kind == ref.kind, kept_reports.c.key == ref.key, kept_reports.c.tree_size == tree_size)
    if connection.execute(select(kept_reports.c.tree_size).where(kept)).first() is None:
        connection.execute(insert(kept_reports), [{"kind": ref.kind, "key": ref.key, "tree_size": tree_size}])


def _standing_rows(connection: Connection, ref: ReportRef) -> dict[str, bytes]:
    standing = select(report_rows.c.row_key, report_rows.c.body).where(
        report_rows.c.kind == ref.kind, report_rows.c.key == ref.key, report_rows.c.until.is_(None)
    )
    return {key: _as_bytes(body) for key, body in connection.execute(standing)}


def _end(connection: Connection, ref: ReportRef, tree_size: int, keys: Collection[str]) -> None:
    """From this tree size on these rows do not stand any more as they were."""
    if keys:
        ended = update(report_rows).where(
            report_rows.c.kind == ref.kind,
            report_rows.c.key == ref.key,
            report_rows.c.row_key == bindparam("ended_key"),
            report_rows.c.until.is_(None),
        )
        connection.execute(ended.values(until=tree_size), [{"ended_key": key} for key in keys])


def _as_bytes(body: object) -> bytes:
    """A row as it is kept. SQLite lets anybody who edits the file put text there: it is damaged, not a crash."""
    return body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | memoryview) else b""


def _standing(ref: ReportRef, tree_size: int) -> tuple[Any, ...]:
    return (
        report_rows.c.kind == ref.kind,
        report_rows.c.key == ref.key,
        report_rows.c.since <= tree_size,
        or_(report_rows.c.until.is_(None), report_rows.c.until > tree_size),
    )


def _found(row: Row[Any]) -> FoundReport:
    return FoundReport(
        row.idx,
        Report(
            kind=row.kind,
            key=row.key,
            tree_size=row.tree_size,
            row_count=row.row_count,
            rows_root=bytes.fromhex(row.rows_root),
            definition=Definition(row.definition_name, row.definition_version, row.definition_sha256),
        ),
    )
