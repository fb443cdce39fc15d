"""How does anybody read an entry, and get the proof that it is in the log?

An entry is answered with its bytes as they were hashed: `curl` it, hash it, check it. Lists embed the same
bytes and go by cursor (the last index seen), RFC 8288 `Link`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api.batch_proofs import BatchTrees
from api.caching import IMMUTABLE, NO_CACHE
from api.negotiation import choose
from api.openapi import BATCH_PROOF_DOCS, ENTRY_DOCS, ENTRY_LIST_DOCS, JSON_DOCS, PROOF_DOCS
from api.parameters import Parameter, documented, path_index, read_query
from api.receipts import entry_status, log_proof, proof_document
from api.report_trees import prove_row
from api.reports import find_report
from audit_service.errors import NotInLog
from projections.reports.definitions import ReportRef
from verifier.envelope import parse_entry
from verifier.proofs import encode_log_proof
from verifier.stream_proofs import ALL, STREAM_HEADS, StreamProof, encode_stream_proof
from verifier.tree import inclusion_proof, root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.ports import KeptCheckpoint, Ledger, Services, SignedHead
    from verifier.tree import SubtreeReader

ENTRY_MEDIA_TYPE = "application/cloudevents+json"
_MAX_LIMIT = 1000
_MAX_PAGE_BYTES = 4 * 1024 * 1024

_SUBJECT = Parameter("subject", "Entries of this stream.", "text", pattern=r"[A-Za-z0-9._:/-]{1,200}")
_TYPE = Parameter("type", "Entries of this type.", "text", pattern=r"[a-z0-9.-]{1,100}")
_SOURCE = Parameter("source", "Entries of this agency.", "text", pattern=r"urn:kr:agency:[a-z0-9-]{1,63}")
_ID = Parameter("id", "Entries with this id.", "text", pattern=r"[A-Za-z0-9._:/-]{1,128}")
_AFTER = Parameter("after", "The last index already seen.")
_LIMIT = Parameter("limit", "How many entries, 100 if absent.", minimum=1, maximum=_MAX_LIMIT)
_TREE_SIZE = Parameter("tree_size", "Prove under the kept checkpoint of exactly this size.", minimum=1)


class _ListedEntry(msgspec.Struct):
    index: int
    status: str
    entry_url: str
    proof_url: str
    entry: msgspec.Raw


class _EntryPage(msgspec.Struct):
    tree_size: int
    entries: list[_ListedEntry]
    next: str | None


def head_at(ledger: Ledger, size: int | None) -> SignedHead | KeptCheckpoint:
    """The signed head to prove under: the newest, or the kept one of exactly `size`.

    Raises:
        NotInLog: no checkpoint of that size was published.
    """
    if size is None:
        return ledger.signed()
    kept = ledger.checkpoints.at(size)
    if kept is None:
        raise NotInLog(f"no checkpoint of size {size} was published; /v1/checkpoints lists those that were")
    return kept


def read_signed_entry(ledger: Ledger, index: int, size: int) -> bytes:
    """Read an entry that a tree of this size covers.

    Raises:
        NotInLog: it does not.
    """
    if index >= size:
        raise NotInLog(f"the tree of size {size} ends before index {index}")
    return ledger.reader.entry(index)


def _find(services: Services, query: dict[str, Any], *, after: int, limit: int) -> Sequence[int]:
    size = services.ledger.signed().size
    filters = {name: query[name] for name in ("subject", "type", "source", "id")}
    if not any(filters.values()):
        return range(after + 1, min(after + 1 + limit, size))
    found = services.read_models.find_entries(
        subject=filters["subject"],
        event_type=filters["type"],
        source=filters["source"],
        event_id=filters["id"],
        after=after,
        limit=limit,
    )
    return [index for index in found if index < size]


def _page(services: Services, request: Request) -> Response:
    query = read_query(request, _SUBJECT, _TYPE, _SOURCE, _ID, _AFTER, _LIMIT)
    after = -1 if query["after"] is None else query["after"]
    limit = query["limit"] or 100
    indexes = _find(services, query, after=after, limit=limit)
    ledger = services.ledger
    rows: list[_ListedEntry] = []
    size_bytes = 0
    for index in indexes:
        entry = ledger.reader.entry(index)
        size_bytes += len(entry)
        # A page is bounded in bytes too; the cursor goes on from the last one that fitted.
        if rows and size_bytes > _MAX_PAGE_BYTES:
            break
        path = f"/v1/events/{index}"
        status = entry_status(ledger, index)
        rows.append(_ListedEntry(index, status, path, f"{path}/proof", msgspec.Raw(entry)))
    following = None
    if rows and (len(rows) == limit or len(rows) < len(indexes)):
        kept = {name: value for name, value in query.items() if value is not None}
        following = "/v1/events?" + urlencode({**kept, "after": rows[-1].index, "limit": limit})
    page = _EntryPage(tree_size=ledger.signed().size, entries=rows, next=following)
    headers = {"Cache-Control": NO_CACHE}
    if following:
        headers["Link"] = f'<{following}>; rel="next"'
    return Response(msgspec.json.encode(page), headers=headers, media_type="application/json")


def _entry(ledger: Ledger, index: int) -> Response:
    entry = read_signed_entry(ledger, index, ledger.signed().size)
    headers = {
        "Cache-Control": IMMUTABLE,
        "Link": f'</v1/events/{index}/proof>; rel="describedby"',
        "Entry-Status": entry_status(ledger, index),
    }
    return Response(entry, headers=headers, media_type=ENTRY_MEDIA_TYPE)


def _proof(ledger: Ledger, index: int, request: Request) -> Response:
    size = read_query(request, _TREE_SIZE)["tree_size"]
    wanted = choose(request, "text/plain", "application/json")
    head = head_at(ledger, size)
    entry = read_signed_entry(ledger, index, head.size)
    proof = log_proof(ledger, index, head.size, head.note)
    headers = {"Cache-Control": NO_CACHE if size is None else IMMUTABLE, "Vary": "Accept"}
    if wanted == "text/plain":
        headers["Content-Disposition"] = f'inline; filename="{index}.tlog-proof"'
        return Response(encode_log_proof(proof), headers=headers, media_type="text/plain")
    document = proof_document(proof, entry=entry, head=head)
    return Response(msgspec.json.encode(document), headers=headers, media_type="application/json")


def _stream_proof(services: Services, index: int) -> Response:
    ledger = services.ledger
    entry = read_signed_entry(ledger, index, ledger.signed().size)
    found = find_report(services.reports, ReportRef(STREAM_HEADS, ALL), None, log_size=ledger.signed().size)
    if services.reports is None or index >= found.report.tree_size:
        raise NotInLog(f"the newest stream heads cover the first {found.report.tree_size} entries")
    attributes = parse_entry(entry)
    subject = attributes["subject"]
    indexes = services.read_models.stream_indexes(subject, found.report.tree_size)
    path = inclusion_proof(
        attributes["position"] - 1,
        tree_size=len(indexes),
        read=_subtrees_of([ledger.reader.subtree(0, each) for each in indexes]),
    )
    row_proof = prove_row(ledger, services.reports.rows_of(found), subject)
    proof = encode_stream_proof(StreamProof(entry=entry, path=tuple(path), row_proof=row_proof))
    headers = {"Cache-Control": NO_CACHE, "Content-Disposition": f'inline; filename="{index}.stream-proof.json"'}
    return Response(proof, headers=headers, media_type="application/json")


def _batch_proof(ledger: Ledger, batches: BatchTrees, index: int) -> Response:
    if index >= (size := ledger.signed().size):
        raise NotInLog(f"the tree of size {size} ends before index {index}")
    headers = {"Cache-Control": IMMUTABLE, "Content-Disposition": f'inline; filename="{index}.batch-proof.json"'}
    return Response(batches.prove(index), headers=headers, media_type="application/json")


def _subtrees_of(leaf_hashes: list[bytes]) -> SubtreeReader:
    """Complete subtrees of a stream's tree, computed as they are asked for."""

    def read(level: int, number: int) -> bytes:
        return root_of_leaf_hashes(leaf_hashes[number << level : (number + 1) << level])

    return read


def entries_router(services: Services) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["entries"])
    ledger = services.ledger
    batches = BatchTrees(ledger)

    @router.get(
        "/v1/events",
        summary="Entries, by cursor",
        openapi_extra=documented(_SUBJECT, _TYPE, _SOURCE, _ID, _AFTER, _LIMIT, **ENTRY_LIST_DOCS),
        response_class=Response,
    )
    def list_entries(request: Request) -> Response:
        """Entries in the order of the log, each with its bytes, its index and where its proof is."""
        return _page(services, request)

    @router.get(
        "/v1/events/{index}",
        summary="One entry, as it was hashed",
        openapi_extra=ENTRY_DOCS,
        response_class=Response,
    )
    def read_entry(index: str, request: Request) -> Response:
        """The bytes of the entry: SHA-256(0x00 || bytes) is its leaf hash."""
        read_query(request)
        return _entry(ledger, path_index(index))

    @router.get(
        "/v1/events/{index}/proof",
        summary="The proof that an entry is in the log",
        openapi_extra=documented(_TREE_SIZE, **PROOF_DOCS),
        response_class=Response,
    )
    def read_proof(index: str, request: Request) -> Response:
        """A `.tlog-proof` file (text/plain), or the same as JSON."""
        return _proof(ledger, path_index(index), request)

    @router.get(
        "/v1/events/{index}/stream-proof",
        summary="The proof of an event's place in its stream",
        openapi_extra=JSON_DOCS,
        response_class=Response,
    )
    def read_stream_proof(index: str, request: Request) -> Response:
        """The entry, its path in its stream, and the row of the newest stream heads that covers it."""
        read_query(request)
        return _stream_proof(services, path_index(index))

    @router.get(
        "/v1/events/{index}/batch-proof",
        summary="The proof of a transaction's place in its sealed batch",
        openapi_extra=BATCH_PROOF_DOCS,
        response_class=Response,
    )
    def read_batch_proof(index: str, request: Request) -> Response:
        """The transaction's submission, its number in the batch, and its path to the root that the manifest signs."""
        read_query(request)
        return _batch_proof(ledger, batches, path_index(index))

    return router
