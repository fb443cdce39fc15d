"""How does the city publish its reports now? `audit report publish`, beside the running service or without it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from api.server import open_services
from audit_cli.errors import EXIT_HOLDS, DoesNotHold, WrongUse
from audit_cli.server_errors import one_line_errors
from audit_service.errors import AnotherWriter
from audit_service.keys import PUBLISHER_KEY_FILE
from audit_service.recording.database import open_database
from audit_service.recording.migrations import require_newest
from audit_service.settings import load_settings
from projections.read_models.report_requests import ReportRequests

if TYPE_CHECKING:
    from pathlib import Path

    from audit_cli.output import Output
    from audit_service.settings import Settings

_TIMEOUT_S = 300.0
_POLL_INTERVAL_S = 0.05


def publish(data_dir: Path, out: Output) -> int:
    """Publish every report whose rows have changed; returns the exit code.

    Raises:
        WrongUse: there is no such ledger, or its publisher's key is not there.
        DoesNotHold: it was not done in time.
    """
    with one_line_errors():
        published = request_publication(load_settings(data_dir))
    out.verdict(f"published {published} reports")
    out.document({"published": published})
    return EXIT_HOLDS


def request_publication(settings: Settings) -> int:
    """Ask whoever writes the log to publish, and wait; how many reports were published?

    Raises:
        ConfigurationError, Quarantined: the ledger cannot be opened.
        DoesNotHold: nobody did it in time.
    """
    if not (settings.keys / PUBLISHER_KEY_FILE).exists():
        raise WrongUse(f"no publisher's key at {settings.keys / PUBLISHER_KEY_FILE}")
    engine = open_database(settings, "projections")
    try:
        require_newest(engine, "projections")
        requests = ReportRequests(engine)
        request = requests.add()
        return _wait(requests, request, settings)
    finally:
        engine.dispose()


def _wait(requests: ReportRequests, request: int, settings: Settings) -> int:
    deadline = time.monotonic() + _TIMEOUT_S
    try:
        # The service itself, without its doors: it sees the request as a running one would.
        with open_services(settings):
            return _wait_until_done(requests, request, deadline)
    except AnotherWriter:
        return _wait_until_done(requests, request, deadline)


def _wait_until_done(requests: ReportRequests, request: int, deadline: float) -> int:
    while (published := requests.published(request)) is None:
        if time.monotonic() > deadline:
            raise DoesNotHold("the service that holds the log has not published in time; the request goes on waiting")
        time.sleep(_POLL_INTERVAL_S)
    return published
