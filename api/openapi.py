"""How do the API pages describe what the routes take and give?

The routes read raw requests (nothing of a body is ever guessed), so their OpenAPI fragments stand here. The event
types come from the catalogue, the problem types from their table: neither is written down twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi.openapi.utils import get_openapi

from api.problem_types import PROBLEM_TYPES
from audit_service.catalogue.types import EVENT_TYPES

if TYPE_CHECKING:
    from fastapi import FastAPI

TITLE = "Public ledger of a city"
SUMMARY = (
    "Every event is a leaf of one Merkle log. Agencies post events and get receipts; anybody reads "
    "entries, proofs and rebuilt figures, and checks them offline."
)
_TAGS = [
    {"name": "submission", "description": "For agencies: events come in, receipts go out."},
    {"name": "entries", "description": "What was recorded, with its proofs."},
    {"name": "log", "description": "The Merkle log itself: checkpoints, consistency, tiles."},
    {"name": "answers", "description": "Budgets, settlements, contracts, projects, services: rebuilt from entries."},
    {"name": "reports", "description": "What the city bound itself to, row by row, with proofs."},
    {"name": "schemas", "description": "The catalogue of event types."},
    {"name": "health", "description": "For operators."},
]


def _json_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answers(description: str, content: dict[str, Any]) -> dict[str, Any]:
    problem = {"$ref": "#/components/responses/Problem"}
    return {"200": {"description": description, "content": content}, "default": problem}


_OBJECT = {"type": "object"}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_SUBMISSION_REF = {"$ref": "#/components/schemas/Submission"}
_RECEIPT_CONTENT = {**_json_of({"$ref": "#/components/schemas/Receipt"}), **_TEXT}

JSON_DOCS: dict[str, Any] = {"responses": _answers("As described.", _json_of(_OBJECT))}
METRICS_DOCS: dict[str, Any] = {"responses": _answers("Prometheus text format 0.0.4.", _TEXT)}
ENTRY_LIST_DOCS: dict[str, Any] = {
    "responses": _answers("A page of entries; `Link: rel=next` goes on.", _json_of(_OBJECT))
}
ENTRY_DOCS: dict[str, Any] = {
    "responses": _answers(
        "The entry's bytes.",
        {"application/cloudevents+json": {"schema": {"$ref": "#/components/schemas/Entry"}}},
    )
}
PROOF_DOCS: dict[str, Any] = {
    "responses": _answers("The proof, by `Accept`.", {**_TEXT, **_json_of(_OBJECT)}),
}
BATCH_PROOF_DOCS: dict[str, Any] = {
    "responses": _answers("The proof, as one file.", _json_of({"$ref": "#/components/schemas/BatchProof"}))
}
TEXT_DOCS: dict[str, Any] = {"responses": _answers("A text.", {"text/markdown": {"schema": {"type": "string"}}})}
CHECKPOINT_DOCS: dict[str, Any] = {"responses": _answers("A signed note (checkpoint).", _TEXT)}
CONSISTENCY_DOCS: dict[str, Any] = {
    "responses": _answers("Hashes in base64, as RFC 6962 section 2.1.2 orders them.", _json_of(_OBJECT))
}
TILE_DOCS: dict[str, Any] = {
    "responses": _answers(
        "Hashes of 32 bytes each, or uint16 lengths and entries.",
        {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    )
}
SUBMISSION_DOCS: dict[str, Any] = {
    "security": [{"bearer": []}],
    "requestBody": {
        "required": True,
        "description": (
            "One event (`application/cloudevents+json`, `application/json`), an array of them "
            "(`application/cloudevents-batch+json`) or one per line (`application/x-ndjson`). A sealed batch of "
            "service transactions is sent with `atomic=true`, its manifest first. OPTIONS states the limits."
        ),
        "content": {
            "application/cloudevents+json": {"schema": _SUBMISSION_REF},
            "application/json": {"schema": _SUBMISSION_REF},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": _SUBMISSION_REF}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    },
    "responses": {
        "201": {"description": "Recorded and signed: the receipt.", "content": _RECEIPT_CONTENT},
        "200": {
            "description": (
                "A repeat: the receipt again. Several events: results in input order. A dry run: what would be."
            ),
            "content": _json_of(
                {
                    "oneOf": [
                        {"$ref": "#/components/schemas/Receipt"},
                        {"$ref": "#/components/schemas/BatchResult"},
                    ]
                }
            ),
        },
        "default": {"$ref": "#/components/responses/Problem"},
    },
}

_RECEIPT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "index": {"type": "integer", "description": "Place in the log."},
        "status": {"enum": ["recorded", "signed", "published"]},
        "repeated": {"type": "boolean", "description": "The same submission was in the log already."},
        "position": {"type": ["integer", "null"], "description": "Place in its stream."},
        "leaf_hash": {"type": "string", "description": "base64 of SHA-256(0x00 || entry)."},
        "entry_url": {"type": "string"},
        "proof_url": {"type": "string"},
        "proof": {"type": "string", "description": "The `.tlog-proof` file (c2sp.org/tlog-proof)."},
        "checkpoint": {"type": "string", "description": "The signed note that the proof ends in."},
    },
}
_RANGE: dict[str, Any] = {
    "type": "object",
    "description": "Neighbouring items with one status and, where recorded, neighbouring indexes.",
    "properties": {
        "item": {"type": "integer", "description": "Number of the first, from 0."},
        "count": {"type": "integer"},
        "status": {"enum": ["signed", "repeated", "checked"]},
        "index": {"type": ["integer", "null"], "description": "Index of the first in the log."},
    },
}
_BATCH_RESULT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "items": {"type": "integer"},
        "accepted": {"type": "integer"},
        "repeated": {"type": "integer"},
        "refused": {"type": "integer"},
        "ranges": {"type": "array", "items": _RANGE},
        "results": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Refused items as problems with `item` and `id`; with `results=full` every item.",
        },
        "checkpoint": {"type": ["string", "null"], "description": "One signed note that covers every index."},
    },
}

_BATCH_PROOF: dict[str, Any] = {
    "type": "object",
    "properties": {
        "format": {"const": "ledger-batch-proof/v1"},
        "index": {"type": "integer", "description": "Index of the manifest's entry."},
        "number": {"type": "integer", "description": "The transaction's number in the batch, from 1."},
        "count": {"type": "integer", "description": "How many transactions the batch has."},
        "submission": {"type": "string", "description": "The canonical submission that is hashed."},
        "path": {"type": "array", "items": {"type": "string"}, "description": "Hashes in base64, to the root."},
        "submissions_root": {"type": "string", "description": "Hex, as the manifest has it."},
    },
}


def _event_schemas() -> dict[str, Any]:
    names = sorted(EVENT_TYPES)
    _, components = msgspec.json.schema_components(
        [EVENT_TYPES[name] for name in names], ref_template="#/components/schemas/{name}"
    )
    return components


def _envelope(*, entry: bool) -> dict[str, Any]:
    text = {"type": "string"}
    properties: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "pattern": "^[A-Za-z0-9._:/-]{1,128}$"},
        "source": {"type": "string", "pattern": "^urn:kr:agency:[a-z0-9-]{1,63}$"},
        "type": {"enum": sorted(EVENT_TYPES)},
        "subject": text,
        "time": {"type": "string", "format": "date-time"},
        "legaldate": {"type": "string", "format": "date"},
        "sequence": text,
        "expectedposition": {"type": "integer", "minimum": 1},
        "data": {"type": "object", "description": "As /v1/schemas/{type} says."},
        "signature": {"type": "string", "description": "Detached JWS over the canonical JSON."},
        "approval": text,
    }
    required = ["specversion", "id", "source", "type", "subject", "time", "data"]
    if entry:
        properties |= {"position": {"type": "integer"}, "recordedtime": {"type": "string"}}
        required += ["position", "recordedtime"]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _problem_response() -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "type": {"enum": [f"/docs/problems/{slug}" for slug in PROBLEM_TYPES]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "rule_id": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    }
    return {
        "description": "An RFC 9457 problem document; `type` is a page of these docs.",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _forget_validation(document: dict[str, Any]) -> None:
    """Take out FastAPI's own validation answers: parameters are read strictly here, and answer as problems."""
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, with the catalogue's schemas."""
    document = get_openapi(title=TITLE, version=app.version, summary=SUMMARY, routes=app.routes, tags=_TAGS)
    _forget_validation(document)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(
        {
            **_event_schemas(),
            "Submission": _envelope(entry=False),
            "Entry": _envelope(entry=True),
            "Receipt": _RECEIPT,
            "BatchResult": _BATCH_RESULT,
            "BatchProof": _BATCH_PROOF,
        }
    )
    components["responses"] = {"Problem": _problem_response()}
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return document
