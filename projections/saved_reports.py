"""How are the service's reports kept beside a mirrored log, so that a replay can name the row that is wrong?

    DIR/reports/<kind>/<key, percent-encoded>.json        the newest report of that key, as the service sent it

The log commits to a report by its root; the rows are here. The list of reports (`GET /v1/reports`) comes from the
service and is believed in nothing: addresses are built from kinds and keys of the right form, never taken over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from projections.log_source import MAX_JSON_BYTES, ResourceUnacceptable, WebReader
from projections.reports.definitions import ReportRef
from verifier.canonical import encode_canonical, parse_strict
from verifier.errors import MalformedInput
from verifier.reports import is_report_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORTS_PATH = "v1/reports"
MAX_REPORTS = 100_000
_MAX_REPORT_BYTES = 1024 * MAX_JSON_BYTES  # a register of a large city


@dataclass(frozen=True)
class SavedReport:
    """A report as the service showed it: its rows by key, in the bytes that are hashed. `where` names the file."""

    where: str
    ref: ReportRef
    tree_size: int
    rows_root: str
    rows: dict[str, bytes]


def fetch_reports(service: str) -> Iterator[tuple[ReportRef, int, bytes]]:
    """The newest report of each kind and key of the service at this address: the index of its entry, and its bytes.

    Raises:
        LogSourceError: the list or a report is missing, ill-formed, or out of reach.
    """
    web = WebReader(service)
    for ref, tree_size, index in _parse_list(web.read(REPORTS_PATH, MAX_JSON_BYTES)):
        path = f"{REPORTS_PATH}/{ref.kind}/{quote(ref.key)}?tree_size={tree_size}"
        yield ref, index, web.read(path, _MAX_REPORT_BYTES)


def _parse_list(data: bytes) -> list[tuple[ReportRef, int, int]]:
    try:
        document = parse_strict(data)
    except MalformedInput as error:
        raise ResourceUnacceptable(REPORTS_PATH, str(error)) from error
    rows = document.get("reports") if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) > MAX_REPORTS:
        raise ResourceUnacceptable(REPORTS_PATH, "not a list of reports")
    return [_parse_listed(row) for row in rows]


def _parse_listed(row: object) -> tuple[ReportRef, int, int]:
    fields = row if isinstance(row, dict) else {}
    kind, key, tree_size, index = (fields.get(name) for name in ("kind", "key", "tree_size", "entry"))
    if not (isinstance(kind, str) and isinstance(key, str) and is_report_name(kind, key)):
        raise ResourceUnacceptable(REPORTS_PATH, "a report whose kind or key cannot be one")
    if type(tree_size) is not int or tree_size < 1 or type(index) is not int or index < tree_size:
        raise ResourceUnacceptable(REPORTS_PATH, "a report without its tree size and the index of its entry")
    return ReportRef(kind, key), tree_size, index


def report_path(directory: Path, ref: ReportRef) -> Path:
    """Where is the report of this kind and key kept? Neither can lead outside: see `is_report_name`."""
    return directory / ref.kind / f"{quote(ref.key, safe='')}.json"


def saved_report_paths(directory: Path) -> list[Path]:
    """All reports in a directory, by kind and key; hidden files and other suffixes are passed over."""
    return [path for path in sorted(directory.glob("*/*.json")) if not path.name.startswith(".")]


def parse_saved_report(data: bytes, *, where: str) -> SavedReport:
    """Read a report as the service sends it.

    Raises:
        MalformedInput: it is none: a member is missing, or a row has no key or one that stands twice.
    """
    document = parse_strict(data)
    if not isinstance(document, dict) or not isinstance(document.get("rows"), list):
        raise MalformedInput("report: expected an object with its rows")
    kind, key, size, root = (document.get(name) for name in ("kind", "key", "tree_size", "rows_root"))
    if not (isinstance(kind, str) and isinstance(key, str) and is_report_name(kind, key)):
        raise MalformedInput("report: expected its kind and key")
    if type(size) is not int or size < 1 or not isinstance(root, str):
        raise MalformedInput("report: expected its tree_size and rows_root")
    rows: dict[str, bytes] = {}
    for row in document["rows"]:
        row_key = row.get("key") if isinstance(row, dict) else None
        if not isinstance(row_key, str) or row_key in rows:
            raise MalformedInput("report: a row without a key, or with a key that stands twice")
        # A row is its own canonical form: the bytes that were hashed are the only ones that it can have.
        rows[row_key] = encode_canonical(row)
    return SavedReport(where, ReportRef(kind, key), size, root, rows)
