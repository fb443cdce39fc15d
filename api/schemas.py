"""Which types of events are there, and what does each hold? `/v1/schemas` says so.

JSON Schema 2020-12, generated from the catalogue that also validates, folds and replays.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api.caching import NO_CACHE
from api.openapi import JSON_DOCS
from api.parameters import read_query
from api.problems import Problem
from audit_service.catalogue.types import EVENT_TYPES, requires_legal_date, subject_pattern


@cache
def schema_of(event_type: str) -> dict[str, Any]:
    """The JSON Schema of one type's `data`.

    Raises:
        KeyError: the type is not in the catalogue.
    """
    schema = msgspec.json.schema(EVENT_TYPES[event_type])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/v1/schemas/{event_type}",
        **schema,
    }


def _summary(event_type: str) -> dict[str, Any]:
    doc = EVENT_TYPES[event_type].__doc__ or ""
    return {
        "type": event_type,
        "summary": doc.partition("\n")[0],
        "subject_pattern": f"^{subject_pattern(event_type).pattern}$",
        "legal_date_required": requires_legal_date(event_type),
        "schema_url": f"/v1/schemas/{event_type}",
    }


def _respond(document: dict[str, Any], media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(document), headers={"Cache-Control": NO_CACHE}, media_type=media_type)


def schemas_router() -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["schemas"])

    @router.get("/v1/schemas", summary="The catalogue", openapi_extra=JSON_DOCS, response_class=Response)
    def list_schemas(request: Request) -> Response:
        """Every event type, with the stream that it may stand on."""
        read_query(request)
        return _respond({"types": [_summary(event_type) for event_type in sorted(EVENT_TYPES)]})

    @router.get(
        "/v1/schemas/{event_type}",
        summary="The schema of one type",
        openapi_extra=JSON_DOCS,
        response_class=Response,
    )
    def read_schema(event_type: str, request: Request) -> Response:
        """JSON Schema of the type's `data`."""
        read_query(request)
        if event_type not in EVENT_TYPES:
            raise Problem("not-found", "no such type; /v1/schemas lists them")
        return _respond(schema_of(event_type), "application/schema+json")

    return router
