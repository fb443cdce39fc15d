"""Which reports does a log hold, and what does each say?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.reports.definitions import ReportRef
from verifier.errors import VerificationError
from verifier.reports import REPORT_TYPE, Report, parse_report_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What every canonical entry that publishes a report ends with; the last attribute of an entry is its type.
_END = f'"type":"{REPORT_TYPE}"}}'.encode()


class FoundReport(NamedTuple):
    """A report and the index of its entry."""

    log_index: int
    report: Report

    @property
    def ref(self) -> ReportRef:
        """Which report it is."""
        return ReportRef(self.report.kind, self.report.key)


def find_reports(first: int, entries: Sequence[bytes]) -> Iterator[FoundReport]:
    """The reports among these entries, of which the first has the index `first`.

    What only looks like one is passed over: whether entries are well-formed is another check's matter.
    """
    for index, entry in enumerate(entries, first):
        if entry.endswith(_END):
            try:
                report, _ = parse_report_entry(entry)
            except VerificationError:
                continue
            yield FoundReport(index, report)
