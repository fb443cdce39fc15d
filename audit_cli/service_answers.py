"""How does a command get the answers of the service beside a log, in step with the log's checkpoint?

Answers are computed from entries that are recorded; the checkpoint that covers them is published a moment
later. So answers are fetched first and the checkpoint is waited for, for a bounded time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audit_cli.errors import DoesNotHold
from projections.log_mirror import read_checkpoint, write_atomically
from projections.log_source import LogSource, ResourceMissing, ResourceUnacceptable
from projections.saved_answers import answer_path, fetch_answers, tree_size_of
from projections.saved_reports import fetch_reports, parse_saved_report, report_path
from verifier.errors import MalformedInput, VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_cli.output import Output
    from projections.reports.definitions import ReportRef

_WAIT_S = 30.0
_PAUSE_S = 0.5


def service_of(place: str) -> str | None:
    """The address of the service that publishes this log: `http://host/log` belongs to `http://host`."""
    address = place.rstrip("/")
    is_address = address.startswith(("http://", "https://"))
    return address.removesuffix("/log") if is_address and address.endswith("/log") else None


def fetch_answers_into(directory: Path, service: str, out: Output) -> int:
    """Save every answer of the service; returns the largest tree size, 0 if the service has no answers.

    Raises:
        DoesNotHold: the list or an answer is ill-formed, or a listed one is missing.
        SourceUnreachable: the service does not answer.
    """
    answers = (
        (tree_size_of(data), answer_path(directory, answer.kind, answer.key), data)
        for answer, data in fetch_answers(service)
    )
    return _save_all(answers, "answers", service, out)


def fetch_reports_into(directory: Path, service: str, out: Output) -> int:
    """Save the newest report of each kind and key with its rows; returns a size that covers all their entries.

    Raises:
        DoesNotHold: the list or a report is ill-formed, or a listed one is missing.
        SourceUnreachable: the service does not answer.
    """

    def well_formed(ref: ReportRef, data: bytes) -> bytes:
        parse_saved_report(data, where=ref.subject)
        return data

    reports = (
        (index + 1, report_path(directory, ref), well_formed(ref, data)) for ref, index, data in fetch_reports(service)
    )
    return _save_all(reports, "reports", service, out)


def _save_all(found: Iterator[tuple[int, Path, bytes]], what: str, service: str, out: Output) -> int:
    """Write what comes; the largest size that came with it."""
    largest = saved = 0
    try:
        for size, path, data in found:
            write_atomically(path, data)
            largest = max(largest, size)
            saved += 1
            out.progress(f"{what}: {saved}")
    except ResourceMissing as error:
        if saved:
            raise DoesNotHold(f"one of the {what} on the service's own list is missing: {error}") from error
        out.note(f"{service} lists no {what} ({error}): none are compared")
    except (ResourceUnacceptable, MalformedInput) as error:
        raise DoesNotHold(f"the {what} of {service} cannot be read: {error}") from error
    return largest


def wait_for_checkpoint(source: LogSource, *, tree_size: int, out: Output) -> None:
    """Wait until the log's checkpoint covers so many entries.

    Raises:
        DoesNotHold: it does not in time: the service answers from entries that it has not published.
    """
    deadline = time.monotonic() + _WAIT_S
    while (size := _published_size(source)) < tree_size:
        if time.monotonic() > deadline:
            raise DoesNotHold(
                f"the service's answers rest on {tree_size} entries, but after {_WAIT_S:.0f} s its checkpoint "
                f"still covers {size}: try again, or leave the answers out with --no-answers"
            )
        out.progress(f"waiting for the checkpoint to cover {tree_size} entries (now {size})")
        time.sleep(_PAUSE_S)


def _published_size(source: LogSource) -> int:
    try:
        # Only its size is looked at here; signature and root are checked by whoever reads the log.
        return read_checkpoint(source.fetch_checkpoint(), None).tree_size
    except (VerificationError, ResourceMissing, ResourceUnacceptable) as error:
        raise DoesNotHold(f"checkpoint: {error}") from error
