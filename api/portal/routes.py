"""Which pages are there? The sheet of a project, and one page for each entry; in Korean and in English."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import HTMLResponse, Response

from api.caching import NO_CACHE
from api.parameters import path_index, read_query
from api.portal.entry_page import base_url, load_entry_page, newest_entries
from api.portal.language import ENGLISH, KOREAN, Language
from api.portal.project_page import load_project_page
from api.problems import Problem
from audit_service.errors import NotInLog

if TYPE_CHECKING:
    from jinja2 import Environment

    from api.ports import Services

_NEWEST = 8


class Portal:
    """Renders pages of one service."""

    def __init__(self, services: Services, templates: Environment) -> None:
        self._services = services
        self._templates = templates

    def first(self, request: Request, language: Language) -> Response:
        """The first project's sheet; before there is one, a page that says so."""
        projects = list(self._services.read_models.keys("project-register"))
        if not projects:
            return self._message(request, language, "none_yet", "none_yet", HTTPStatus.OK)
        return self.project(request, language, projects[0], path="/")

    def project(self, request: Request, language: Language, project_id: str, *, path: str | None = None) -> Response:
        """One project's sheet."""
        read_query(request)
        page = load_project_page(self._services.read_models, self._services.reports, project_id)
        if page is None:
            return self.not_found(request, language)
        ledger = self._services.ledger
        return self._render(
            "project.html",
            request,
            language,
            path=path or f"/projects/{project_id}",
            page=page,
            head=ledger.signed(),
            seal=ledger.checkpoints.root_of_the_day(),
            newest=newest_entries(ledger, _NEWEST),
        )

    def entry(self, request: Request, language: Language, index: str) -> Response:
        """One entry."""
        read_query(request)
        try:
            page = load_entry_page(self._services.ledger, path_index(index))
        except (NotInLog, Problem):
            return self.not_found(request, language)
        return self._render("entry.html", request, language, path=f"/entries/{page.index}", page=page)

    def not_found(self, request: Request, language: Language) -> Response:
        """A page for people who followed a wrong link."""
        return self._message(request, language, "not_found_title", "not_found_text", HTTPStatus.NOT_FOUND)

    def _message(self, request: Request, language: Language, title: str, body: str, status: HTTPStatus) -> Response:
        return self._render("message.html", request, language, path="/", title=title, body=body, status=status)

    def _render(
        self,
        template: str,
        request: Request,
        language: Language,
        *,
        path: str,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        html = self._templates.get_template(template).render(
            L=language,
            path=path,
            base_url=base_url(request),
            demo=self._services.demo,
            vkey=self._services.ledger.vkey,
            **values,
        )
        return HTMLResponse(html, status_code=status, headers={"Cache-Control": NO_CACHE})


def portal_router(services: Services, templates: Environment) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(include_in_schema=False)
    portal = Portal(services, templates)
    for language in (KOREAN, ENGLISH):
        _add_pages(router, portal, language)
    return router


def _add_pages(router: APIRouter, portal: Portal, language: Language) -> None:
    prefix = language.prefix

    @router.get(prefix or "/", name=f"first_{language.code}", response_class=Response)
    def first(request: Request) -> Response:
        """The first page."""
        return portal.first(request, language)

    @router.get(f"{prefix}/projects/{{project_id}}", name=f"project_{language.code}", response_class=Response)
    def project(project_id: str, request: Request) -> Response:
        """The sheet of one project."""
        return portal.project(request, language, project_id)

    @router.get(f"{prefix}/entries/{{index}}", name=f"entry_{language.code}", response_class=Response)
    def entry(index: str, request: Request) -> Response:
        """One entry."""
        return portal.entry(request, language, index)
