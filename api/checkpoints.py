"""Which root did the log sign, when, and does a later one contain an earlier one?

`/v1/log` says what to pin; the archive keeps every published checkpoint, one a day (KST) as the root of the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api.caching import IMMUTABLE, NO_CACHE
from api.entries import head_at
from api.openapi import CHECKPOINT_DOCS, CONSISTENCY_DOCS, JSON_DOCS
from api.parameters import Parameter, documented, parse_date, path_index, read_query, refused
from audit_service.errors import NotInLog
from verifier.encoding import encode_base64

if TYPE_CHECKING:
    from api.ports import KeptCheckpoint, Ledger, Services

_FROM = Parameter("from", "The older tree size.", minimum=1)
_TO = Parameter("to", "The newer tree size; the newest signed one if absent.", minimum=1)
_AFTER = Parameter("after", "The last size already seen.")
_LIMIT = Parameter("limit", "How many checkpoints, 100 if absent.", minimum=1, maximum=1000)


def checkpoint_summary(kept: KeptCheckpoint) -> dict[str, Any]:
    """A kept checkpoint in a list."""
    return {
        "tree_size": kept.size,
        "root_hash": encode_base64(kept.root),
        "published_time": kept.published_time,
        "day": kept.day,
        "checkpoint_url": f"/v1/checkpoints/{kept.size}",
    }


def _log_document(ledger: Ledger) -> dict[str, Any]:
    head = ledger.signed()
    day = ledger.checkpoints.root_of_the_day()
    return {
        "origin": ledger.origin,
        "verifier_keys": [ledger.vkey],
        "witness_policy": None,
        "tree_size": head.size,
        "root_hash": encode_base64(head.root),
        "published_size": ledger.published_size,
        "last_published_time": None if day is None else day.published_time,
        "root_of_the_day": None if day is None else checkpoint_summary(day),
        "checkpoint": head.note.decode(),
        "log_url": "/log/",
    }


def _consistency(ledger: Ledger, request: Request) -> Response:
    query = read_query(request, _FROM, _TO)
    signed_size = ledger.signed().size
    old, new = query["from"], query["to"]
    if old is None:
        raise refused("from", "given")
    if new is None:
        new = signed_size
    if new > signed_size:
        raise NotInLog(f"the newest signed checkpoint has size {signed_size}")
    if old > new:
        raise refused("from", "at most `to`")
    document = {
        "from": old,
        "to": new,
        "hashes": [encode_base64(value) for value in ledger.consistency(old, new)],
    }
    cache = IMMUTABLE if query["to"] is not None else NO_CACHE
    return _json(document, cache=cache)


def _archive(ledger: Ledger, request: Request) -> Response:
    query = read_query(request, _AFTER, _LIMIT)
    limit = query["limit"] or 100
    kept = ledger.checkpoints.list(after=query["after"] or 0, limit=limit)
    following = f"/v1/checkpoints?after={kept[-1].size}&limit={limit}" if len(kept) == limit else None
    document = {"checkpoints": [checkpoint_summary(one) for one in kept], "next": following}
    links = {"Link": f'<{following}>; rel="next"'} if following else {}
    return _json(document, cache=NO_CACHE, headers=links)


def _json(document: dict[str, Any], *, cache: str, headers: dict[str, str] | None = None) -> Response:
    all_headers = {"Cache-Control": cache, **(headers or {})}
    return Response(msgspec.json.encode(document), headers=all_headers, media_type="application/json")


def _note(note: bytes, *, cache: str) -> Response:
    return Response(note, headers={"Cache-Control": cache}, media_type="text/plain")


def checkpoints_router(services: Services) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["log"])
    ledger = services.ledger

    @router.get("/v1/log", summary="The log: what to pin", openapi_extra=JSON_DOCS, response_class=Response)
    def read_log(request: Request) -> Response:
        """Origin, verifier key, tree size and root. Pin the key from another place than this one."""
        read_query(request)
        return _json(_log_document(ledger), cache=NO_CACHE)

    @router.get(
        "/v1/consistency",
        summary="The proof that nothing before was changed",
        openapi_extra=documented(_FROM, _TO, **CONSISTENCY_DOCS),
        response_class=Response,
    )
    def read_consistency(request: Request) -> Response:
        """RFC 6962 consistency proof between two sizes."""
        return _consistency(ledger, request)

    @router.get(
        "/v1/checkpoints",
        summary="Every published checkpoint",
        openapi_extra=documented(_AFTER, _LIMIT, **JSON_DOCS),
        response_class=Response,
    )
    def list_checkpoints(request: Request) -> Response:
        """The archive of published roots, by size."""
        return _archive(ledger, request)

    @router.get(
        "/v1/checkpoints/of-the-day/{day}",
        summary="The root of one day (KST)",
        openapi_extra=CHECKPOINT_DOCS,
        response_class=Response,
    )
    def read_root_of_the_day(day: str, request: Request) -> Response:
        """The last checkpoint that was published on that day in Korean time."""
        read_query(request)
        kept = ledger.checkpoints.root_of_the_day(parse_date(day, name="day"))
        if kept is None:
            raise NotInLog("no checkpoint was published on that day")
        return _note(kept.note, cache=NO_CACHE)

    @router.get(
        "/v1/checkpoints/{size}",
        summary="One published checkpoint",
        openapi_extra=CHECKPOINT_DOCS,
        response_class=Response,
    )
    def read_checkpoint(size: str, request: Request) -> Response:
        """The signed note, as it was published."""
        read_query(request)
        return _note(head_at(ledger, path_index(size)).note, cache=IMMUTABLE)

    return router
