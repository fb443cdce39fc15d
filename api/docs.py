"""Where does a developer read about this API, without leaving this server?

Swagger UI from files of this package: no CDN, no inline script, so the strict content security policy holds. The
pages that problem documents name (`type`) stand here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import HTMLResponse, Response

from api.caching import NO_CACHE
from api.openapi import build_openapi
from api.problem_types import PROBLEM_TYPES
from api.problems import Problem

if TYPE_CHECKING:
    from fastapi import FastAPI
    from jinja2 import Environment

SWAGGER_UI = "vendor/swagger-ui-5.35.0"


def docs_router(app: FastAPI, templates: Environment) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(include_in_schema=False)
    headers = {"Cache-Control": NO_CACHE}
    built: list[bytes] = []

    @router.get("/openapi.json", response_class=Response)
    def read_openapi() -> Response:
        """The OpenAPI document."""
        if not built:
            built.append(msgspec.json.encode(build_openapi(app), order="sorted"))
        return Response(built[0], headers=headers, media_type="application/json")

    @router.get("/docs", response_class=Response)
    def read_docs() -> Response:
        """The API pages."""
        page = templates.get_template("swagger.html").render(swagger_ui=SWAGGER_UI)
        return HTMLResponse(page, headers=headers)

    @router.get("/docs/problems", response_class=Response)
    def list_problems() -> Response:
        """Every type of problem."""
        page = templates.get_template("problems.html").render(rows=PROBLEM_TYPES.values(), chosen=None)
        return HTMLResponse(page, headers=headers)

    @router.get("/docs/problems/{slug}", response_class=Response)
    def read_problem(slug: str, _request: Request) -> Response:
        """One type of problem."""
        chosen = PROBLEM_TYPES.get(slug)
        if chosen is None:
            raise Problem("not-found", "no such type of problem; /docs/problems lists them")
        page = templates.get_template("problems.html").render(rows=[chosen], chosen=chosen)
        return HTMLResponse(page, headers=headers)

    return router
