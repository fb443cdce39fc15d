"""Which doors does the service have? `create_app(services)` wires them all; each router is one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI

from api import problems
from api.access import Gate, require_declared
from api.answers import answers_router
from api.checkpoints import checkpoints_router
from api.docs import docs_router
from api.entries import entries_router
from api.health import health_router
from api.limits import AddressLimit
from api.metrics import metrics_router
from api.middleware import Doorkeeper
from api.openapi import TITLE
from api.portal.environment import portal_templates
from api.portal.routes import portal_router
from api.reports import reports_router
from api.schemas import schemas_router
from api.static_files import StaticFiles, static_router
from api.submission import submission_router
from api.tiles import tiles_router

if TYPE_CHECKING:
    from api.ports import Services

VERSION = "0.1.0"


def create_app(services: Services) -> FastAPI:
    """Build the application for one ledger.

    The ledger and the read models are opened, started and stopped by whoever calls this.
    """
    # FastAPI's own pages load scripts from elsewhere: api.docs has the same without.
    gate = Gate(services)
    app = FastAPI(
        title=TITLE,
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(gate)],
    )
    files = StaticFiles()
    templates = portal_templates(files)
    routers = (
        submission_router(services, gate),
        entries_router(services),
        checkpoints_router(services),
        tiles_router(services),
        answers_router(services),
        reports_router(services),
        schemas_router(),
        health_router(services),
        metrics_router(services),
        docs_router(app, templates),
        static_router(files),
        portal_router(services, templates),
    )
    require_declared(routers)
    for router in routers:
        app.include_router(router)
    problems.install(app)
    # The one that is added last stands outermost: the doorkeeper answers what the limit refuses.
    app.add_middleware(AddressLimit, rate_per_s=services.limits.requests_per_address_s)
    app.add_middleware(Doorkeeper, origin=services.ledger.origin, tree_size=lambda: services.ledger.signed().size)
    return app
