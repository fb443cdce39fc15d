"""When does the service publish its reports, and how do they get into its log?

One thread beside the writer. It publishes on a schedule, at once when a fiscal year of an agency is closed or
settled, and whenever somebody asks for it (`audit report publish` leaves a request in the read models' database).
What could not be published stays due.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from audit_service.clock import format_time, now_utc
from audit_service.keys import PUBLISHER_KEY_FILE, SigningKey, read_seed
from projections.folds.budget_years import BUDGET_BOOK, SETTLEMENT
from projections.reports.definitions import ReportRef
from verifier.canonical import encode_canonical
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from audit_service.catalogue.event import Event
    from audit_service.ledger import Ledger
    from projections.read_models.report_requests import ReportRequests
    from projections.reports.publishing import Publication, ReportPublisher

logger = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.5
_RECORDING_TIMEOUT_S = 120
_PAUSE_AFTER_FAILURE_S = 10
_AT_ONCE = frozenset({"budget.fiscal-year-closed.v1", "budget.settlement-published.v1"})


class PublishersDoor:
    """The normal way into a ledger, for submissions that the publisher's key signs (`publishing.Ledger`)."""

    def __init__(self, ledger: Ledger, key: SigningKey) -> None:
        self._ledger = ledger
        self._key = key

    @classmethod
    def of(cls, ledger: Ledger) -> PublishersDoor | None:
        """The door, if the publisher's key is here; None otherwise: a service without it publishes nothing.

        Raises:
            ConfigurationError: the key's file does not hold a key.
        """
        path = ledger.settings.keys / PUBLISHER_KEY_FILE
        return cls(ledger, SigningKey.from_seed(read_seed(path))) if path.exists() else None

    def city(self) -> str:
        """The source of the city that created the log."""
        return self._ledger.city

    def now(self) -> str:
        """The moment, UTC with milliseconds."""
        return format_time(now_utc())

    def submit(self, submissions: list[dict[str, Any]]) -> list[int | Exception]:
        """Sign, submit, and wait until all is recorded and signed by the log."""
        bodies = [encode_canonical(sign_submission(one, self._key.private)) for one in submissions]
        prepared = self._ledger.prepare_many(bodies)
        try:
            result = self._ledger.submit(prepared, atomic=False, dry_run=False).result(_RECORDING_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - whatever failed, none of them is in the log for sure
            return [error] * len(submissions)
        return [
            outcome.index if outcome.error is None and outcome.index is not None else outcome.error or RuntimeError()
            for outcome in result.outcomes
        ]


class ReportSchedule:
    """The thread that publishes."""

    def __init__(
        self,
        publisher: ReportPublisher,
        requests: ReportRequests,
        *,
        interval_s: float,
        before: Callable[[], object] = lambda: None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        """`interval_s` is the time between two publications that nobody asked for; 0 leaves them out.

        `before` is done once, in the thread, before anything is published; `after` after every publication, so that
        what was published is also shown when somebody is told that it was.
        """
        self._before = before
        self._after = after
        self._publisher = publisher
        self._requests = requests
        self._interval_s = interval_s
        self._turn = threading.Lock()
        self._urgent: set[ReportRef] = set()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End; a publication that runs is finished."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_at(self, events: Iterable[Event]) -> None:
        """See what the read models have taken in: the end of a fiscal year is published at once."""
        if not self._interval_s:
            return
        closed = {event.subject for event in events if event.type in _AT_ONCE}
        for subject in closed:
            key = subject.removeprefix("budget/")
            self._urgent |= {ReportRef(BUDGET_BOOK, key), ReportRef(SETTLEMENT, key.partition("/")[0])}
        if closed:
            self._wake.set()

    def publish_now(self, only: set[ReportRef] | None = None) -> list[Publication]:
        """Publish what is due, in the caller's thread."""
        with self._turn:
            published = self._publisher.publish(only)
            if published:
                self._after()
            return published

    def _run(self) -> None:
        try:
            self._before()
        except Exception:
            logger.exception("rows of published reports could not be completed")
        while not self._stopping.is_set():
            self._wake.wait(POLL_INTERVAL_S)
            self._wake.clear()
            try:
                self._do_what_is_due()
            except Exception:
                # A report that cannot be computed must not stop the others from being tried later.
                logger.exception("publishing reports failed")
                self._stopping.wait(_PAUSE_AFTER_FAILURE_S)

    def _do_what_is_due(self) -> None:
        request = self._requests.waiting()
        if request is not None:
            self._requests.done(request, self._said(None))
            return
        urgent, self._urgent = self._urgent, set()
        if urgent:
            try:
                self._said(urgent)
            except Exception:
                self._urgent |= urgent
                raise
        if self._interval_s and time.monotonic() - self._last >= self._interval_s:
            self._last = time.monotonic()
            self._said(None)

    def _said(self, only: set[ReportRef] | None) -> int:
        published = self.publish_now(only)
        indexes = [one.index for one in published if one.index is not None]
        if published:
            logger.info("published reports", extra={"published": len(indexes), "failed": len(published) - len(indexes)})
        return len(indexes)
