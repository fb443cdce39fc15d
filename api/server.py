"""Which parts make one running service, and in which order do they start and stop?

Ledger first (its stores are checked before anything may be signed), then the read models that follow it, then the
application. Stopping goes the other way: no new requests, then the writer, then the publisher.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.app import create_app
from api.ports import Limits, Services
from api.report_publishing import PublishersDoor, ReportSchedule
from api.report_trees import ReportTrees, RowsOf
from audit_service.closed_trees import MerklelibTree
from audit_service.ledger import Ledger
from audit_service.recording.database import open_database
from audit_service.recording.migrations import require_newest
from projections.read_models.projector import Projector
from projections.read_models.queries import ReadModels
from projections.read_models.report_completion import complete_rows
from projections.read_models.report_requests import ReportRequests
from projections.read_models.reports import ReportRows
from projections.reports.publishing import ReportPublisher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from sqlalchemy import Engine

    from audit_service.settings import Settings
    from audit_service.signing.lock import WriterLock
    from projections.reports.definitions import ReportRef
    from projections.reports.found import FoundReport


class SignedEntries:
    """The log as the projections may see it: what is signed, so that no figure runs ahead of its proof."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def head_size(self) -> int:
        """The signed tree size; in quarantine, that of the newest checkpoint which the entries confirm."""
        return self._ledger.signed().size

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries [start, stop)."""
        return self._ledger.reader.entries(start, stop)


class Answers:
    """The read models as HTTP asks them (`api.ports.ReadModels`)."""

    def __init__(self, models: ReadModels, projector: Projector, entries: SignedEntries) -> None:
        self._models = models
        self._projector = projector
        self._entries = entries

    def position(self) -> int:
        """Answers cover the entries [0, position)."""
        return self._models.position()

    def keys(self, kind: str) -> list[str]:
        """Keys of one kind of answer, sorted."""
        return self._models.keys(kind)

    def answer(self, kind: str, key: str) -> dict[str, Any] | None:
        """The answer at the current position, or None."""
        return self._models.answer(kind, key)

    def answer_as_of(
        self, kind: str, key: str, *, tree_size: int | None, legal_date: str | None
    ) -> dict[str, Any] | None:
        """The answer from the entries [0, tree_size) with a legal date up to `legal_date`."""
        size = self._models.position() if tree_size is None else tree_size
        return self._models.answer_as_of(self._entries, kind, key, tree_size=size, legal_date=legal_date)

    def find_entries(
        self,
        *,
        subject: str | None,
        event_type: str | None,
        source: str | None,
        event_id: str | None,
        after: int,
        limit: int,
    ) -> list[int]:
        """Indexes above `after` of the entries that have all the given attributes."""
        found = self._models.find_entries(
            subject=subject, type=event_type, source=source, id=event_id, after=after, limit=limit
        )
        return [reference.index for reference in found]

    def stream_indexes(self, subject: str, tree_size: int) -> list[int]:
        """Indexes below a tree size of all entries of one stream, ascending."""
        return self._models.stream_indexes(subject, tree_size)

    def why_stopped(self) -> str | None:
        """Why the projection stopped (it never skips), or None."""
        return str(self._projector.failure) if self._projector.failure else None


@contextmanager
def open_services(settings: Settings, lock: WriterLock | None = None) -> Iterator[FastAPI]:
    """Start the service of one ledger and stop it again; gives the application to serve.

    A ledger in quarantine is served read-only. `lock` is one that the caller has waited for.

    Raises:
        ConfigurationError: the ledger cannot be opened; nothing was started.
        AnotherWriter: another process writes this log.
    """
    with Ledger(settings, lock=lock, serve_in_quarantine=True) as ledger:
        engine = open_database(settings, "projections")
        try:
            require_newest(engine, "projections")
            with _following(ledger, engine) as (answers, reports):
                limits = Limits(
                    requests_per_token_s=settings.requests_per_token_s,
                    requests_per_address_s=settings.requests_per_address_s,
                )
                yield create_app(
                    Services(ledger=ledger, read_models=answers, reports=reports, limits=limits, demo=settings.demo)
                )
        finally:
            engine.dispose()


class PublishedReports:
    """Published reports as HTTP asks for them (`api.ports.Reports`)."""

    def __init__(self, rows: ReportRows) -> None:
        self._rows = rows
        self._trees = ReportTrees(rows)

    def last_reports(self) -> list[FoundReport]:
        """The newest published report of each kind and key."""
        return self._rows.last_reports()

    def report(self, ref: ReportRef, tree_size: int | None) -> FoundReport | None:
        """The report of exactly this tree size, or the newest one."""
        return self._rows.report(ref, tree_size)

    def tree_sizes(self, ref: ReportRef, limit: int) -> list[int]:
        """Tree sizes of the newest reports, the newest first."""
        return self._rows.tree_sizes(ref, limit)

    def rows_of(self, found: FoundReport) -> RowsOf:
        """The rows of a published report with their checked tree."""
        return self._trees.rows_of(found)

    def changed_rows(self, ref: ReportRef, *, old: int, new: int) -> dict[str, tuple[bytes | None, bytes | None]]:
        """By key, the rows that differ between two tree sizes."""
        return self._rows.changed_rows(ref, old=old, new=new)


class _Completion:
    """Computes missing rows of published reports once the read models have caught up, then lets reports be published.

    In the schedule's own thread: a service that has to fold its whole log again answers everything else meanwhile.
    """

    def __init__(self, entries: SignedEntries, rows: ReportRows) -> None:
        self._entries = entries
        self._rows = rows

    def __call__(self) -> None:
        complete_rows(self._entries, self._rows)


@contextmanager
def _following(ledger: Ledger, engine: Engine) -> Iterator[tuple[Answers, PublishedReports]]:
    """Keep the read models up with the log while the block runs, and publish reports of them."""
    entries = SignedEntries(ledger)
    rows = ReportRows(engine)
    schedule: ReportSchedule | None = None
    projector = Projector(entries, engine, on_events=lambda events: schedule.look_at(events) if schedule else None)
    door = PublishersDoor.of(ledger)
    if door is not None:
        schedule = ReportSchedule(
            ReportPublisher(projector, rows, door, MerklelibTree),
            ReportRequests(engine),
            interval_s=ledger.settings.report_interval_s,
            before=_Completion(entries, rows),
            after=projector.catch_up,
        )
    stopping = threading.Event()
    thread = threading.Thread(target=projector.run, args=(stopping,), name="projector", daemon=True)
    ledger.follow(projector.wake)
    thread.start()
    if schedule is not None:
        schedule.start()
    try:
        yield Answers(ReadModels(engine), projector, entries), PublishedReports(rows)
    finally:
        if schedule is not None:
            schedule.stop()
        stopping.set()
        projector.wake()
        thread.join()
