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
from audit_service.ledger import Ledger
from audit_service.recording.database import open_database
from audit_service.recording.migrations import require_newest
from projections.read_models.projector import Projector
from projections.read_models.queries import ReadModels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from sqlalchemy import Engine

    from audit_service.settings import Settings
    from audit_service.signing.lock import WriterLock


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
            with _following(ledger, engine) as answers:
                limits = Limits(
                    requests_per_token_s=settings.requests_per_token_s,
                    requests_per_address_s=settings.requests_per_address_s,
                )
                yield create_app(Services(ledger=ledger, read_models=answers, limits=limits, demo=settings.demo))
        finally:
            engine.dispose()


@contextmanager
def _following(ledger: Ledger, engine: Engine) -> Iterator[Answers]:
    """Keep the read models up with the log while the block runs."""
    entries = SignedEntries(ledger)
    projector = Projector(entries, engine)
    stopping = threading.Event()
    thread = threading.Thread(target=projector.run, args=(stopping,), name="projector", daemon=True)
    ledger.follow(projector.wake)
    thread.start()
    try:
        yield Answers(ReadModels(engine), projector, entries)
    finally:
        stopping.set()
        projector.wake()
        thread.join()
