"""Is every report that the city bound itself to what the entries before its tree size add up to?

1. Before the walk: at which tree sizes do rows have to be computed? Read off the bundles, believed in nothing.
2. During the walk, when exactly so many entries are folded: the rows of the reports of that size, and their root.
3. At the entry of a report: its root and row count are those that were computed; else the report lies. Where the
   rows that the service showed are saved, each is compared, so that the row, the figure and the entries behind it are
   named.
4. At the end: nobody was shown a report that the log does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from projections.differences import NOTHING, differences, show
from projections.log_source import ResourceMissing, ResourceUnacceptable
from projections.read_ahead import read_ahead
from projections.reports.definitions import KINDS, ReportRef, definition_of
from projections.reports.found import FoundReport, find_reports
from projections.reports.state import LogState
from projections.reports.stream_heads import STREAM_HEADS, StreamHeads
from projections.reports.tables import ReportTables, Rows
from projections.saved_reports import SavedReport, parse_saved_report, saved_report_paths
from verifier.bundles import decode_bundle
from verifier.errors import MalformedInput
from verifier.reports import REPORT_TYPE, compute_rows_root
from verifier.tiles import TILE_WIDTH, bundles_for_size

if TYPE_CHECKING:
    from pathlib import Path

    from projections.folds.all import FoldSet
    from projections.log_source import LogSource
    from projections.replay_verdict import Findings

CHECK = "reports"
_MARK = REPORT_TYPE.encode()
_MAX_DIFFERENCES = 10  # of one report, word by word
_NO_ROWS = Rows([], [], [])

Name = tuple[ReportRef, int]


def find_tree_sizes(source: LogSource, tree_size: int, *, workers: int = 0) -> dict[int, list[ReportRef]]:
    """Step 1: the tree sizes of all reports of a log, each with its reports.

    Nothing is checked here: a bundle that cannot be read is passed over, the walk says what is wrong with it.

    Raises:
        SourceUnreachable: the source does not answer.
    """

    def fetch(bundle: Any) -> bytes:
        try:
            return source.fetch_bundle(bundle.index, bundle.width)
        except (ResourceMissing, ResourceUnacceptable):
            return b""

    wanted: dict[int, list[ReportRef]] = {}
    for bundle, data in read_ahead(bundles_for_size(0, tree_size), fetch, workers=workers):
        if _MARK not in data:
            continue
        try:
            entries = decode_bundle(data, expected=bundle.width)
        except MalformedInput:
            continue
        for found in find_reports(bundle.index * TILE_WIDTH, entries):
            if found.report.tree_size <= found.log_index and found.report.kind in KINDS:
                wanted.setdefault(found.report.tree_size, []).append(found.ref)
    return wanted


@dataclass
class ReportVerdict:
    """What became of one published report: `equal`, `differs` or `not recomputed`, and the rows that differ."""

    found: FoundReport
    verdict: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def as_document(self) -> dict[str, Any]:
        """The verdict as JSON."""
        report = self.found.report
        return {
            "kind": report.kind,
            "key": report.key,
            "tree_size": report.tree_size,
            "index": self.found.log_index,
            "row_count": report.row_count,
            "rows_root": report.rows_root.hex(),
            "verdict": self.verdict,
            **({"rows": self.rows} if self.rows else {}),
        }


@dataclass(frozen=True)
class _Computed:
    """What the entries give for one report: root and count; and what is wrong with the rows that were shown."""

    root: bytes
    row_count: int
    shown_differ: list[dict[str, Any]]


class ReportsCheck:
    """The published reports of one log, waiting for the tree sizes that they were computed at.

    Args:
        wanted: what `find_tree_sizes` found.
        saved: `DIR/reports`, as `audit mirror` writes it; None where no rows were saved.
        findings: where violations go.
    """

    def __init__(self, wanted: dict[int, list[ReportRef]], saved: Path | None, findings: Findings) -> None:
        self._wanted = wanted
        self._findings = findings
        self._computed: dict[Name, _Computed] = {}
        self._saved: dict[Name, SavedReport] = {}
        self._judged: set[Name] = set()
        self._tables: ReportTables | None = None
        self._state: LogState | None = None
        self._last_heads = max((size for size, refs in wanted.items() if _has_heads(refs)), default=0)
        self.heads = StreamHeads() if self._last_heads else None
        self.stops = sorted(wanted, reverse=True)
        self.verdicts: list[ReportVerdict] = []
        for path in saved_report_paths(saved) if saved is not None else []:
            self._read(path, where=f"reports/{path.relative_to(saved or path)}")

    def _read(self, path: Path, *, where: str) -> None:
        try:
            report = parse_saved_report(path.read_bytes(), where=where)
        except (MalformedInput, OSError) as error:
            self._findings.violate(CHECK, where, str(error))
            return
        self._saved[report.ref, report.tree_size] = report

    # --- step 2 -----------------------------------------------------------------------------------------

    def compute(self, tree_size: int, folds: FoldSet) -> None:
        """Compute the reports of this size; `folds` and `heads` took in exactly that many entries."""
        try:
            tables = self._refresh(folds)
        except Exception as error:  # noqa: BLE001 - after hostile entries too, a replay goes on to its verdict
            self._findings.violate(CHECK, f"tree size {tree_size}", f"reports fail with {type(error).__name__}")
            self._tables = None
            return
        known = set(tables.refs())
        for ref in self._wanted[tree_size]:
            rows = tables.rows(ref) if ref in known else _NO_ROWS
            saved = self._saved.get((ref, tree_size))
            differ = [] if saved is None else list(_compare_rows(rows, saved.rows))
            self._computed[ref, tree_size] = _Computed(rows.root, len(rows.rows), differ)
        if tree_size >= self._last_heads:
            self.heads = None  # nothing later asks for them

    def _refresh(self, folds: FoldSet) -> ReportTables:
        if self._state is None:
            self._state = LogState(folds)
        if self.heads is not None:
            self._state.heads = self.heads
        if self._tables is None:
            self._tables = ReportTables(self._state)
        else:
            self._tables.take_in(self._state.take_changes())
        return self._tables

    # --- step 3 -----------------------------------------------------------------------------------------

    def judge(self, first: int, entries: list[bytes]) -> None:
        """Judge every report among these entries."""
        for found in find_reports(first, entries):
            self._findings.examine(CHECK)
            verdict = self._judge(found)
            self.verdicts.append(verdict)

    def _judge(self, found: FoundReport) -> ReportVerdict:
        report, where = found.report, f"entry {found.log_index}"
        name = (found.ref, report.tree_size)
        self._judged.add(name)
        said = f"{found.ref.subject} at tree size {report.tree_size}"
        if report.kind not in KINDS or report.definition != definition_of(report.kind):
            self._violate(found, where, f"{said}: of a definition that this version does not have")
            return ReportVerdict(found, "not recomputed")
        computed = self._computed.get(name)
        if computed is None:
            self._violate(found, where, f"{said}: not recomputed; the entries before it could not be folded")
            return ReportVerdict(found, "not recomputed")
        equal = (computed.root, computed.row_count) == (report.rows_root, report.row_count)
        if not equal:
            self._violate(
                found,
                where,
                f"{said}: the entries give {computed.row_count} rows with root {computed.root.hex()}, "
                f"published are {report.row_count} with root {report.rows_root.hex()}",
            )
        shown = self._judge_shown(found, computed, said)
        return ReportVerdict(found, "equal" if equal and not shown else "differs", shown)

    def _judge_shown(self, found: FoundReport, computed: _Computed, said: str) -> list[dict[str, Any]]:
        saved = self._saved.get((found.ref, found.report.tree_size))
        if saved is None:
            return []
        root = compute_rows_root([saved.rows[key] for key in sorted(saved.rows)])
        if root != found.report.rows_root:
            self._violate(found, saved.where, f"{said}: the rows shown are not those that the city is bound to")
        for number, difference in enumerate(computed.shown_differ):
            if number == _MAX_DIFFERENCES:
                more = len(computed.shown_differ) - number
                self._violate(found, saved.where, f"{said}: and {more} more differences")
                break
            message = (
                f"{said}: row {difference['row']}{difference['pointer']}: expected {show(difference['expected'])}, "
                f"found {show(difference['found'])}; entries {show(difference['entries'])}"
            )
            self._violate(found, saved.where, message, **difference)
        return computed.shown_differ

    def _violate(self, report: FoundReport, where: str, message: str, **details: Any) -> None:
        self._findings.violate(CHECK, where, message, index=report.log_index, **details)

    # --- step 4 -----------------------------------------------------------------------------------------

    def finish(self) -> None:
        """The end of what could be read: a report that was shown stands in the log."""
        for name, saved in self._saved.items():
            if name not in self._judged:
                self._findings.examine(CHECK)
                self._findings.violate(CHECK, saved.where, "the log holds no such report at this tree size")


def _has_heads(refs: list[ReportRef]) -> bool:
    return any(ref.kind == STREAM_HEADS for ref in refs)


def _compare_rows(computed: Rows, shown: dict[str, bytes]) -> list[dict[str, Any]]:
    """Where shown rows differ from computed ones: row, JSON pointer, expected, found, and the entries behind it."""
    expected = dict(zip(computed.keys, computed.rows, strict=True))
    found: list[dict[str, Any]] = []
    for key in sorted(expected.keys() | shown.keys()):
        right, wrong = expected.get(key), shown.get(key)
        if right == wrong:
            continue
        row = NOTHING if right is None else msgspec.json.decode(right)
        other = NOTHING if wrong is None else msgspec.json.decode(wrong)
        entries = msgspec.json.decode(right or wrong or b"{}").get("entries", [])
        for pointer, wanted, had in differences(row, other):
            values = {"expected": wanted, "found": had}
            plain = {name: None if value is NOTHING else value for name, value in values.items()}
            found.append({"row": key, "pointer": pointer, **plain, "entries": entries})
    return found
