"""Is the process alive, and is it fit to serve? `/healthz` and `/readyz` say so.

Live says only that this process answers. Fit means that submissions would be recorded, signed and published,
and that answers follow the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api.caching import NO_STORE
from api.openapi import JSON_DOCS

if TYPE_CHECKING:
    from api.ports import Services


def readiness(services: Services) -> dict[str, Any]:
    """How do the parts of the service stand? Touches database and signer: a part that fails says so."""
    quarantine = services.ledger.why_quarantined()
    if quarantine is not None:
        return {"status": "quarantined", "reasons": [quarantine], "published_size": services.ledger.published_size}
    try:
        head = services.ledger.signed()
        services.ledger.reader.entries(0, 1)
        reasons = [services.ledger.why_unfit(), services.read_models.why_stopped()]
        position = services.read_models.position()
    except Exception as error:  # noqa: BLE001  whatever fails here makes the service unfit, and is named
        return {"status": "unfit", "reasons": [type(error).__name__]}
    # The rest of a reason may name files and hosts: it stands in the operator's log.
    unfit = [reason.partition(":")[0] for reason in reasons if reason]
    return {
        "status": "unfit" if unfit else "ready",
        "reasons": unfit,
        "signed_size": head.size,
        "published_size": services.ledger.published_size,
        "projected_size": position,
    }


def health_router(services: Services) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Alive?", openapi_extra=JSON_DOCS, response_class=Response)
    async def live() -> Response:
        """Always 200 while the process answers."""
        return Response(b'{"status":"live"}', headers={"Cache-Control": NO_STORE}, media_type="application/json")

    @router.get("/readyz", summary="Fit to serve?", openapi_extra=JSON_DOCS, response_class=Response)
    def ready() -> Response:
        """200 when fit, 503 with reasons when not."""
        document = readiness(services)
        return Response(
            msgspec.json.encode(document),
            status_code=200 if document["status"] == "ready" else 503,
            headers={"Cache-Control": NO_STORE},
            media_type="application/json",
        )

    return router
