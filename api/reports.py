"""To which reports has the city bound itself, with which rows, and how does one take a row away as evidence?

A kind, and a key of as many segments as the kind has, name a report: `/v1/reports/budget-book/<agency>/<fiscal year>`,
`/v1/reports/settlement/<agency>`. Keys of rows hold slashes themselves, so they stand between `/rows/` and the last
`/proof`. What does not exist is answered with what does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api.caching import IMMUTABLE, NO_CACHE
from api.negotiation import not_modified
from api.openapi import JSON_DOCS, TEXT_DOCS
from api.parameters import Parameter, documented, read_query, refused
from api.problems import Problem
from api.report_trees import RowsOf, prove_row
from audit_service.errors import NotInLog
from projections.folds.budget_years import BUDGET_BOOK
from projections.reports.definitions import KINDS, ReportRef, definition_text
from verifier.errors import MalformedInput
from verifier.reports import require_row_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.ports import Reports, Services
    from projections.reports.found import FoundReport

_TREE_SIZE = Parameter("tree_size", "The report computed at exactly this size; the newest if absent.", minimum=1)
_FROM = Parameter("from", "Tree size of the older report.", minimum=1)
_TO = Parameter("to", "Tree size of the newer report; the newest if absent.", minimum=1)
_NAMED = 100  # so many keys or tree sizes a problem document says that there are


def report_url(ref: ReportRef) -> str:
    """Where is the newest report of this kind and key?"""
    return f"/v1/reports/{ref.kind}/{ref.key}"


def find_report(reports: Reports | None, ref: ReportRef, tree_size: int | None, *, log_size: int) -> FoundReport:
    """The report of a kind, a key and a tree size (None: the newest).

    Raises:
        NotInLog, Problem: there is none; it says what there is.
    """
    if reports is None:
        raise NotInLog("this service publishes no reports")
    if ref.kind not in KINDS:
        raise Problem("not-in-log", "there is no such kind of report", allowed=list(KINDS))
    if tree_size is not None and tree_size > log_size:
        raise NotInLog(f"the log has {log_size} entries so far")
    found = reports.report(ref, tree_size)
    if found is not None:
        return found
    sizes = reports.tree_sizes(ref, _NAMED)
    if sizes:
        raise Problem("not-in-log", "no report was published at this tree size; there are others", allowed=sizes)
    keys = [each.ref.key for each in reports.last_reports() if each.ref.kind == ref.kind]
    if keys:
        raise Problem("not-in-log", "no report of this key is published; there are others", allowed=keys[:_NAMED])
    raise NotInLog("no report of this kind is published yet")


def _facts(found: FoundReport) -> dict[str, Any]:
    report, definition = found.report, found.report.definition
    return {
        "kind": report.kind,
        "key": report.key,
        "tree_size": report.tree_size,
        "row_count": report.row_count,
        "rows_root": report.rows_root.hex(),
        "definition": {
            "name": definition.name,
            "version": definition.version,
            "sha256": definition.sha256,
            "href": f"/v1/reports/definitions/{definition.name}/{definition.version}",
        },
        "entry": found.log_index,
        "entry_url": f"/v1/events/{found.log_index}",
        "href": f"{report_url(found.ref)}?tree_size={report.tree_size}",
    }


def _document(known: RowsOf, sizes: Sequence[int]) -> bytes:
    """The report with its rows, each exactly the bytes that were hashed."""
    document = {
        **_facts(known.found),
        "tree_sizes": sizes,
        "rows": [msgspec.Raw(row) for row in known.rows],
    }
    return msgspec.json.encode(document)


def _json(data: bytes, caching: str, **headers: str) -> Response:
    return Response(data, headers={"Cache-Control": caching, **headers}, media_type="application/json")


class _Routes:
    """What the routes do, whatever form their addresses have."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def list_all(self, request: Request) -> Response:
        read_query(request)
        reports = self._services.reports
        found = [] if reports is None else reports.last_reports()
        size = self._services.ledger.signed().size
        document = {"tree_size": size, "kinds": list(KINDS), "reports": [_facts(each) for each in found]}
        return _json(msgspec.json.encode(document), NO_CACHE)

    def _found(self, ref: ReportRef, tree_size: int | None) -> tuple[FoundReport, Reports]:
        found = find_report(self._services.reports, ref, tree_size, log_size=self._services.ledger.signed().size)
        if self._services.reports is None:
            raise NotInLog("this service publishes no reports")
        return found, self._services.reports

    def read(self, ref: ReportRef, request: Request) -> Response:
        asked = read_query(request, _TREE_SIZE)["tree_size"]
        found, reports = self._found(ref, asked)
        sizes = reports.tree_sizes(ref, _NAMED)
        etag = f'"{found.log_index}-{sizes[0]}"'  # the list of sizes goes on when another one is published
        headers = {"ETag": etag}
        if not_modified(request, etag):
            return Response(status_code=304, headers={"Cache-Control": NO_CACHE, **headers})
        return _json(_document(reports.rows_of(found), sizes), NO_CACHE, **headers)

    def prove(self, ref: ReportRef, row: str, request: Request) -> Response:
        asked = read_query(request, _TREE_SIZE)["tree_size"]
        found, reports = self._found(ref, asked)
        try:
            row_key = require_row_key(row)
            proof = prove_row(self._services.ledger, reports.rows_of(found), row_key)
        except MalformedInput as error:
            raise Problem("not-found", "no row can have this key") from error
        name = f"{ref.kind}-{found.report.tree_size}.row-proof.json"
        return _json(proof, NO_CACHE, **{"Content-Disposition": f'inline; filename="{name}"'})

    def diff(self, ref: ReportRef, request: Request) -> Response:
        asked = read_query(request, _FROM, _TO)
        if asked["from"] is None:
            raise refused("from", "the tree size of an older report")
        new, reports = self._found(ref, asked["to"])
        old, _ = self._found(ref, asked["from"])
        if old.report.tree_size > new.report.tree_size:
            raise refused("from", "not above `to`")
        changes = reports.changed_rows(ref, old=old.report.tree_size, new=new.report.tree_size)
        document = {
            "from": _facts(old),
            "to": _facts(new),
            "changes": [
                {"key": key, "old": _raw(before), "new": _raw(after), "caused_by": _caused(before, after, old, new)}
                for key, (before, after) in changes.items()
            ],
        }
        return _json(msgspec.json.encode(document), IMMUTABLE if asked["to"] else NO_CACHE)


def _raw(row: bytes | None) -> msgspec.Raw | None:
    return None if row is None else msgspec.Raw(row)


def _caused(before: bytes | None, after: bytes | None, old: FoundReport, new: FoundReport) -> list[Any]:
    """Which entries behind the row came between the two sizes? Of the row as it is now, or was before it went."""
    row = msgspec.json.decode(after if after is not None else before or b"{}")
    entries = row.get("entries", [])
    if isinstance(entries, dict):  # a long list is given by its ends
        entries = [entries["first"], entries["last"]]
    span = range(old.report.tree_size, new.report.tree_size)
    return [entry for entry in entries if (entry[-1] if isinstance(entry, list) else entry) in span]


def reports_router(services: Services) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["reports"])
    routes = _Routes(services)

    @router.get("/v1/reports", summary="Every published report", openapi_extra=JSON_DOCS, response_class=Response)
    def list_reports(request: Request) -> Response:
        """The newest report of each kind and key, and where its entry is."""
        return routes.list_all(request)

    @router.get(
        "/v1/reports/definitions/{name}/{version}",
        summary="The text by which rows are computed",
        openapi_extra=TEXT_DOCS,
        response_class=Response,
    )
    def read_definition(name: str, version: str, request: Request) -> Response:
        """Its SHA-256 stands in every report that was computed by it."""
        read_query(request)
        try:
            text = definition_text(name, int(version) if version.isascii() and version.isdigit() else 0)
        except (KeyError, ValueError) as error:
            raise Problem("not-found", "there is no such definition") from error
        return Response(text, headers={"Cache-Control": IMMUTABLE}, media_type="text/markdown")

    @router.get(
        "/v1/reports/budget-book/{agency}/{fiscal_year}",
        summary="A budget book, as published",
        openapi_extra=documented(_TREE_SIZE, **JSON_DOCS),
        response_class=Response,
    )
    def read_book(agency: str, fiscal_year: str, request: Request) -> Response:
        """The report's entry and its rows, each exactly as it was hashed."""
        return routes.read(ReportRef(BUDGET_BOOK, f"{agency}/{fiscal_year}"), request)

    @router.get(
        "/v1/reports/budget-book/{agency}/{fiscal_year}/diff",
        summary="What changed in a budget book",
        openapi_extra=documented(_FROM, _TO, **JSON_DOCS),
        response_class=Response,
    )
    def diff_book(agency: str, fiscal_year: str, request: Request) -> Response:
        """Rows that differ between two published tree sizes, with the entries that caused it."""
        return routes.diff(ReportRef(BUDGET_BOOK, f"{agency}/{fiscal_year}"), request)

    @router.get(
        "/v1/reports/budget-book/{agency}/{fiscal_year}/rows/{row:path}/proof",
        summary="The proof of one row of a budget book",
        openapi_extra=documented(_TREE_SIZE, **JSON_DOCS),
        response_class=Response,
    )
    def prove_in_book(agency: str, fiscal_year: str, row: str, request: Request) -> Response:
        """One file from the row, or its absence, to the signed checkpoint."""
        return routes.prove(ReportRef(BUDGET_BOOK, f"{agency}/{fiscal_year}"), row, request)

    @router.get(
        "/v1/reports/{kind}/{key}",
        summary="A report, as published",
        openapi_extra=documented(_TREE_SIZE, **JSON_DOCS),
        response_class=Response,
    )
    def read_report(kind: str, key: str, request: Request) -> Response:
        """The report's entry and its rows, each exactly as it was hashed."""
        return routes.read(ReportRef(kind, key), request)

    @router.get(
        "/v1/reports/{kind}/{key}/diff",
        summary="What changed in a report",
        openapi_extra=documented(_FROM, _TO, **JSON_DOCS),
        response_class=Response,
    )
    def diff_report(kind: str, key: str, request: Request) -> Response:
        """Rows that differ between two published tree sizes, with the entries that caused it."""
        return routes.diff(ReportRef(kind, key), request)

    @router.get(
        "/v1/reports/{kind}/{key}/rows/{row:path}/proof",
        summary="The proof of one row of a report",
        openapi_extra=documented(_TREE_SIZE, **JSON_DOCS),
        response_class=Response,
    )
    def prove_in_report(kind: str, key: str, row: str, request: Request) -> Response:
        """One file from the row, or its absence, to the signed checkpoint."""
        return routes.prove(ReportRef(kind, key), row, request)

    return router
