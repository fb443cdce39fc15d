"""Which reports does the log hold, and which rows had each at its tree size?

A row stands from one tree size on, until another (`row_packs`): a publication writes what changed, and every report
that was ever published can be read again. `kept_reports` says for which tree sizes the rows are complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, or_, select, update

from projections.read_models.row_packs import keep_rows, standing_rows, unpack_rows
from projections.read_models.tables import entry_index, entry_runs, kept_reports, published_reports, report_rows
from projections.reports.found import FoundReport
from verifier.reports import REPORT_TYPE, Definition, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from projections.reports.definitions import ReportRef
    from projections.reports.publishing import KeptRows


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
        with self._engine.connect() as connection:
            if connection.execute(kept).first() is None:
                return None
            return standing_rows(connection, _standing(ref, tree_size))

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
        statement = select(report_rows.c.since, report_rows.c.until, report_rows.c.body).where(moved)
        before: dict[str, bytes] = {}
        after: dict[str, bytes] = {}
        with self._engine.connect() as connection:
            for since, until, body in connection.execute(statement):
                if since <= old and (until is None or until > old):
                    before.update(unpack_rows(body))
                if since <= new and (until is None or until > new):
                    after.update(unpack_rows(body))
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
    ref, tree_size = report.ref, report.tree_size
    keep_rows(connection, report)
    # The second attempt at one tree size, after the entry could not be submitted, finds it kept.
    kept = and_(kept_reports.c.kind == ref.kind, kept_reports.c.key == ref.key, kept_reports.c.tree_size == tree_size)
    if connection.execute(select(kept_reports.c.tree_size).where(kept)).first() is None:
        connection.execute(insert(kept_reports), [{"kind": ref.kind, "key": ref.key, "tree_size": tree_size}])


def _standing(ref: ReportRef, tree_size: int) -> ColumnElement[bool]:
    return and_(
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
