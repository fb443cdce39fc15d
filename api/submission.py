"""How does an agency's event come in? Through `POST /v1/events`.

Who are you, may you, how much; then the bytes go to the intake and the submissions to the ledger, which answers
when they are *signed*. A crash before that answer leaves the caller without a receipt: it repeats the same
submission and gets the same index again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api import body as bodies
from api.completions import Completions
from api.hot import hot_route
from api.negotiation import choose
from api.openapi import JSON_DOCS, SUBMISSION_DOCS
from api.parameters import Parameter, documented, read_query
from api.problems import NOT_THE_CALLERS, Problem, problem_document, problem_of
from api.receipts import entry_status, proof_text, receipt_document
from audit_service.errors import NotInLog, SubmissionRefused
from audit_service.rules.errors import RuleBroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.access import Gate
    from api.ports import Caller, Outcome, Prepared, Services, SubmissionResult

_ATOMIC = Parameter("atomic", "All events of the batch are recorded, or none.", "boolean")
_DRY_RUN = Parameter("dry_run", "Decide as if, record nothing.", "boolean")
_RESULTS = Parameter(
    "results",
    "`compact`: accepted events as ranges, refused ones listed; `full`: every event is listed.",
    "enum",
    values=("compact", "full"),
)
_SOURCE = Parameter(
    "source",
    "The agency that submitted it: `urn:kr:agency:<code>`; required.",
    "text",
    pattern=r"urn:kr:agency:[a-z0-9-]{1,63}",
)


class SubmissionDoor:
    """One request through the door: caller, body, submissions, result."""

    def __init__(self, services: Services) -> None:
        self._services = services
        limits = services.limits
        self._budget = bodies.BodyBudget(limits.buffered_bytes, caller_limit_bytes=limits.token_buffered_bytes)
        self._waiting = 0
        self._completions: tuple[asyncio.AbstractEventLoop, Completions[SubmissionResult]] | None = None

    async def take(self, request: Request) -> Response:
        """Answer POST /v1/events, unless as many as may are waiting already."""
        if self._waiting >= self._services.limits.waiting_posts:
            raise Problem("overloaded", "too many posts are waiting", headers={"Retry-After": "1"})
        self._waiting += 1
        try:
            return await self._take(request)
        finally:
            self._waiting -= 1

    async def _take(self, request: Request) -> Response:
        query = read_query(request, _ATOMIC, _DRY_RUN, _RESULTS)
        caller: Caller = request.state.caller
        source = caller.source
        media_type = bodies.media_type_of(request)
        limits = self._services.limits
        one = media_type in bodies.ONE
        cap_bytes = limits.event_bytes if one else limits.batch_bytes
        size_bytes = bodies.announced_length(request, cap_bytes=cap_bytes)
        with self._budget.hold(size_bytes, caller=caller.token_id):
            body = await bodies.read_body(
                request,
                cap_bytes=cap_bytes,
                timeout_s=limits.body_timeout_s,
                grace_s=limits.body_grace_s,
                bytes_per_s=limits.body_bytes_per_s,
            )
            if one:
                return await self._take_one(request, body, source, dry_run=bool(query["dry_run"]))
            return await self._take_many(body, media_type, source, query)

    async def _take_one(self, request: Request, body: bytes, source: str, *, dry_run: bool) -> Response:
        wanted = choose(request, "application/json", "text/plain")
        prepared = self._prepare_one(body, dry_run=dry_run)
        _require_own(prepared, source)
        result = await self._submit([prepared], atomic=False, dry_run=dry_run)
        outcome = result.outcomes[0]
        if outcome.error is not None:
            raise outcome.error
        if outcome.index is None:
            return _json({"id": prepared.id, "status": "checked"})
        return self._receipt(prepared, outcome, result, wanted)

    def _prepare_one(self, body: bytes, *, dry_run: bool) -> Prepared:
        """Read one submission; a refusal goes to the caller and, if it was truly signed, also into the log."""
        try:
            prepared: Prepared = self._services.ledger.prepare_one(body)
        except (SubmissionRefused, RuleBroken) as error:
            if not dry_run:
                self._services.ledger.note_refused(error)
            raise
        return prepared

    def _receipt(self, prepared: Prepared, outcome: Outcome, result: SubmissionResult, wanted: str) -> Response:
        ledger = self._services.ledger
        index = outcome.index
        if index is None:
            raise TypeError("a receipt needs an index")
        headers = {"Location": f"/v1/events/{index}"}
        status_code = 200 if outcome.repeated else 201
        if wanted == "text/plain":
            proof = proof_text(ledger, index, result.head)
            return Response(proof, status_code, headers, media_type="text/plain")
        document = receipt_document(ledger, prepared.id, outcome, result.head)
        return _json(document, status_code=status_code, headers=headers)

    async def _take_many(self, body: bytes, media_type: str, source: str, query: dict[str, Any]) -> Response:
        limits = self._services.limits
        atomic, dry_run = bool(query["atomic"]), bool(query["dry_run"])
        # Ten thousand events take a while to read: the loop stays free for others.
        items = await run_in_threadpool(
            bodies.split_events,
            body,
            media_type,
            max_items=limits.batch_items,
            max_bytes=limits.event_bytes,
        )
        prepared = await run_in_threadpool(self._prepare, items, source)
        result = await self._submit(prepared, atomic=atomic, dry_run=dry_run)
        if atomic:
            _raise_first(result.outcomes)
        return await run_in_threadpool(
            _batch_answer, prepared, result, dry_run=dry_run, full=query["results"] == "full"
        )

    def _prepare(self, items: list[bytes], source: str) -> list[Prepared | Exception]:
        """Read every item; what is refused, also for its source, stands in its place as an exception."""
        prepared: list[Prepared | Exception] = self._services.ledger.prepare_many(items)
        for number, item in enumerate(prepared):
            if not isinstance(item, Exception) and item.source != source:
                prepared[number] = _not_own()
        return prepared

    async def _submit(self, items: Sequence[Prepared | Exception], *, atomic: bool, dry_run: bool) -> SubmissionResult:
        loop = asyncio.get_running_loop()
        if self._completions is None or self._completions[0] is not loop:
            self._completions = loop, Completions(loop)
        future = self._services.ledger.submit(items, atomic=atomic, dry_run=dry_run)
        return await self._completions[1].wait_for(future)


def _not_own() -> SubmissionRefused:
    return SubmissionRefused("the token belongs to another agency than `source`", rule_id=NOT_THE_CALLERS)


def _require_own(prepared: Prepared, source: str) -> None:
    if prepared.source != source:
        raise _not_own()


def _raise_first(outcomes: Sequence[Outcome]) -> None:
    """Of a refused atomic batch, name the item that broke it, not those that merely fell with it."""
    errors = [(number, o.error) for number, o in enumerate(outcomes) if o.error is not None]
    if not errors:
        return
    own = [pair for pair in errors if getattr(pair[1], "slug", "") != "batch-refused"]
    number, error = (own or errors)[0]
    raise _item_problem(error, number) from error


def _item_problem(error: Exception, number: int) -> Problem:
    problem = problem_of(error)
    problem.members["item"] = number
    return problem


def _batch_answer(
    prepared: list[Prepared | Exception], result: SubmissionResult, *, dry_run: bool, full: bool
) -> Response:
    """Results in input order: ranges of accepted items, and one row for each that is not (or for all)."""
    rows = []
    ranges: list[dict[str, Any]] = []
    repeated = refused = 0
    for number, (item, outcome) in enumerate(zip(prepared, result.outcomes, strict=True)):
        event_id = None if isinstance(item, Exception) or not (full or outcome.error) else item.id
        if outcome.error is not None:
            refused += 1
            rows.append(_refused_row(number, event_id, outcome.error))
            continue
        repeated += outcome.repeated
        status = "repeated" if outcome.repeated else "checked" if outcome.index is None else "signed"
        if full:
            rows.append({"item": number, "id": event_id, "status": status, "index": outcome.index})
        _extend_ranges(ranges, number, outcome.index, status)
    return _json(
        {
            "items": len(prepared),
            "accepted": len(prepared) - refused,
            "repeated": repeated,
            "refused": refused,
            "ranges": ranges,
            "results": rows,
            "checkpoint": None if dry_run else result.head.note.decode(),
        }
    )


def _extend_ranges(ranges: list[dict[str, Any]], number: int, index: int | None, status: str) -> None:
    last = ranges[-1] if ranges else None
    if (
        last is not None
        and last["status"] == status
        and last["item"] + last["count"] == number
        and (index is None or last["index"] + last["count"] == index)
    ):
        last["count"] += 1
    else:
        ranges.append({"item": number, "count": 1, "status": status, "index": index})


def _refused_row(number: int, event_id: str | None, error: Exception) -> dict[str, Any]:
    problem = problem_of(error)
    if problem.type.status >= 500:
        raise error
    document = problem_document(problem)
    del document["status"]
    return {"item": number, "id": event_id, "status": "refused", **document}


def _json(document: dict[str, Any], *, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(document), status_code, headers, media_type="application/json")


def _recorded(services: Services, batch: str, source: str | None) -> Response:
    """What became of a submission whose answer was lost: recorded, and where, or not recorded at all."""
    if source is None:
        raise Problem("invalid-parameter", "`source` is missing: ids are unique per agency only", parameter="source")
    reader = services.ledger.reader
    key = reader.find_key(source, f"{batch}/0") or reader.find_key(source, batch)
    if key is None:
        raise NotInLog("nothing was recorded under this id; the same submission may be sent again")
    last = key.first_index + key.entry_count - 1
    return _json(
        {
            "id": batch,
            "source": key.source,
            "status": entry_status(services.ledger, last),
            "first_index": key.first_index,
            "count": key.entry_count,
            "entry_url": f"/v1/events/{key.first_index}",
            "proof_url": f"/v1/events/{key.first_index}/proof",
        }
    )


def submission_router(services: Services, gate: Gate) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["submission"])
    door = SubmissionDoor(services)
    limits = services.limits

    async def submit_events(request: Request) -> Response:
        """Record one event, or many. The answer comes when what was recorded is *signed*."""
        return await door.take(request)

    router.add_api_route(
        "/v1/events",
        submit_events,
        methods=["POST"],
        summary="Submit events",
        openapi_extra=documented(_ATOMIC, _DRY_RUN, _RESULTS, **SUBMISSION_DOCS),
        response_class=Response,
        route_class_override=hot_route(gate, door.take),
    )

    @router.get(
        "/v1/submissions/{batch:path}",
        summary="What became of a submission",
        openapi_extra=documented(_SOURCE, **JSON_DOCS),
        response_class=Response,
    )
    def recorded_submission(request: Request, batch: str) -> Response:
        """Say whether an id was recorded, and where: for a caller whose connection was cut before the answer.

        A sealed batch is asked for by its `batch_id`, any other event by its `id`.
        """
        query = read_query(request, _SOURCE)
        return _recorded(services, batch, query["source"])

    @router.options("/v1/events", summary="What one request may hold", response_class=Response)
    async def submission_limits() -> Response:
        """State the limits of POST /v1/events."""
        document = {
            "media_types": list(bodies.ALLOWED),
            "event_bytes": limits.event_bytes,
            "batch_bytes": limits.batch_bytes,
            "batch_items": limits.batch_items,
            "body_timeout_s": limits.body_timeout_s,
            "body_bytes_per_s": limits.body_bytes_per_s,
            "waiting_posts": limits.waiting_posts,
            "requests_per_token_s": limits.requests_per_token_s,
            "requests_per_address_s": limits.requests_per_address_s,
        }
        headers = {"Allow": "GET, HEAD, OPTIONS, POST", "Accept-Post": ", ".join(bodies.ALLOWED)}
        return _json(document, headers=headers)

    return router
