"""Are the rows of every published report kept, and if not, which does the log give?

A read model that was deleted, restored from an older copy or edited lacks rows that the log commits to. They are folded
again from the first entry, once for all of them, and kept only if their root is the one in the log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from projections.reports.definitions import definition_of
from projections.reports.publishing import KeptRows
from projections.reports.reproduction import reproduce
from verifier.reports import compute_rows_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.read_models.projector import EntryReader
    from projections.read_models.reports import ReportRows
    from projections.reports.found import FoundReport

logger = logging.getLogger(__name__)

_PAGE = 2_000


def complete_rows(reader: EntryReader, rows: ReportRows, *, recheck: bool = False) -> list[FoundReport]:
    """Compute and keep what is missing; with `recheck` also what no longer has the root in the log.

    Returns the reports whose rows could not be computed as the log has them: of a definition that this version does not
    have, or a report that the city should not have published.
    """
    if recheck:
        _forget_damaged(rows)
    missing = rows.missing()
    if not missing:
        return []
    # The newest that is kept must stay the newest: rows are kept in the order of their tree sizes.
    for ref in {found.ref for reports in missing.values() for found in reports}:
        rows.forget_from(ref, min(size for size, reports in missing.items() if any(f.ref == ref for f in reports)))
    missing = rows.missing()
    differing = []
    wanted = {size: [found.ref for found in reports] for size, reports in missing.items()}
    for size, ref, computed in reproduce(_pages(reader, max(wanted)), wanted):
        found = next(found for found in missing[size] if found.ref == ref)
        report = found.report
        known = report.kind == ref.kind and report.definition == definition_of(ref.kind)
        if known and (computed.root, len(computed.rows)) == (report.rows_root, report.row_count):
            kept: dict[str, bytes | None] = dict(zip(computed.keys, computed.rows, strict=True))
            rows.keep([KeptRows(ref, size, kept, whole=True)])
        else:
            differing.append(found)
            logger.error("the report at index %d cannot be computed as the log has it", found.log_index)
    return differing


def _forget_damaged(rows: ReportRows) -> None:
    for last in rows.last_reports():
        for size in rows.tree_sizes(last.ref):
            found = rows.report(last.ref, size)
            kept = rows.rows(last.ref, size)
            if found is not None and kept is not None:
                root = compute_rows_root([row for _, row in kept])
                if root != found.report.rows_root:
                    logger.warning("kept rows of %s at %d are damaged", last.ref.subject, size)
                    rows.forget_from(last.ref, size)


def _pages(reader: EntryReader, stop: int) -> Iterator[list[bytes]]:
    for start in range(0, stop, _PAGE):
        yield reader.entries(start, min(stop, start + _PAGE))
