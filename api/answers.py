"""What do the entries add up to? Budgets, settlements, contracts, projects, services, as JSON.

An answer is canonical JSON: the same entries give the same bytes, so that an auditor's replay can be compared
byte for byte. `?tree_size=` and `?legal_date=` ask for the state as of then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time
from starlette.responses import Response

from api.caching import NO_CACHE
from api.negotiation import not_modified
from api.openapi import JSON_DOCS
from api.parameters import Parameter, documented, read_query
from api.problems import Problem
from audit_service.errors import NotInLog
from projections.folds.answers import answer_to_bytes

if TYPE_CHECKING:
    from api.ports import Services

TREE_SIZE = Parameter("tree_size", "As of the first so many entries.", minimum=1)
LEGAL_DATE = Parameter("legal_date", "Entries with a legal date up to this day (KST).", "date")

# Kind of answer -> the address of one of its keys. One place: the router, the list and the pages use it.
PATHS = {
    "budget-book": "/v1/budgets/{key}",
    "settlement": "/v1/settlements/{key}",
    "contract-register": "/v1/contracts/{key}",
    "project-register": "/v1/projects/{key}",
    "service-statistics": "/v1/services/{key}",
    "organisations": "/v1/organisations/{key}",
    "agency-gaps": "/v1/agencies/{key}/gaps",
    "contract-checks": "/v1/agencies/{key}/contract-checks",
}


def answer_url(kind: str, key: str) -> str:
    """Where is the answer of this kind and key?"""
    return PATHS[kind].format(key=key)


def read_answer(
    services: Services, kind: str, key: str, *, tree_size: int | None = None, legal_date: str | None = None
) -> dict[str, Any]:
    """Read one answer, now or as of a tree size and a legal date.

    Raises:
        NotInLog: the entries say nothing about this key, or the log is shorter than the tree size.
    """
    read_models = services.read_models
    position = read_models.position()
    if tree_size is not None and tree_size > position:
        raise NotInLog(f"answers cover the first {position} entries so far")
    if tree_size is None and legal_date is None:
        answer = read_models.answer(kind, key)
    else:
        answer = read_models.answer_as_of(kind, key, tree_size=tree_size, legal_date=legal_date)
    if answer is None:
        raise NotInLog("the entries asked about say nothing under this key")
    return answer


def etag_of(answer: dict[str, Any]) -> str:
    """Same tree size and same definition: same bytes."""
    definition = answer["definition"]
    return f'"{answer["tree_size"]}-{definition["name"]}-{definition["version"]}"'


def _respond(services: Services, request: Request, kind: str, key: str, *as_of: Parameter) -> Response:
    query = read_query(request, *(as_of or (TREE_SIZE, LEGAL_DATE)))
    answer = read_answer(services, kind, key, **query)
    headers = {"Cache-Control": NO_CACHE, "ETag": etag_of(answer)}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(answer_to_bytes(answer), headers=headers, media_type="application/json")


def _list(services: Services, request: Request, *kinds: str) -> Response:
    read_query(request)
    rows = [
        {"kind": kind, "key": key, "href": answer_url(kind, key)}
        for kind in kinds
        for key in services.read_models.keys(kind)
    ]
    document = {"tree_size": services.read_models.position(), "answers": rows}
    return Response(msgspec.json.encode(document), headers={"Cache-Control": NO_CACHE}, media_type="application/json")


def _fiscal_year(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Problem("not-found", "a fiscal year is four digits")
    return text


def answers_router(services: Services) -> APIRouter:
    """The routes of this module."""
    router = APIRouter(tags=["answers"])
    as_of = documented(TREE_SIZE, LEGAL_DATE, **JSON_DOCS)

    @router.get("/v1/answers", summary="Every answer", openapi_extra=JSON_DOCS, response_class=Response)
    def list_answers(request: Request) -> Response:
        """All kinds and keys: what a replay compares."""
        return _list(services, request, *PATHS)

    @router.get(
        "/v1/budgets/{agency}/{fiscal_year}",
        summary="A budget book",
        openapi_extra=as_of,
        response_class=Response,
    )
    def read_budget(agency: str, fiscal_year: str, request: Request) -> Response:
        """One agency's budget of one fiscal year: lines, items, schedule, amounts in won."""
        return _respond(services, request, "budget-book", f"{agency}/{_fiscal_year(fiscal_year)}")

    @router.get("/v1/settlements/{agency}", summary="A settlement", openapi_extra=as_of, response_class=Response)
    def read_settlement(agency: str, request: Request) -> Response:
        """One agency's settled years, with the identities that must hold."""
        return _respond(services, request, "settlement", agency)

    @router.get(
        "/v1/agencies/{code}/gaps",
        summary="An agency's missing numbers",
        openapi_extra=documented(TREE_SIZE, **JSON_DOCS),
        response_class=Response,
    )
    def read_gaps(code: str, request: Request) -> Response:
        """Missing numbers as ranges, refused ones, and every close with what arrived of it."""
        # Numbers have no legal date, so there is no other as-of than a tree size.
        return _respond(services, request, "agency-gaps", code, TREE_SIZE)

    @router.get(
        "/v1/agencies/{code}/contract-checks",
        summary="Do an agency's budgets and contracts agree?",
        openapi_extra=as_of,
        response_class=Response,
    )
    def read_contract_checks(code: str, request: Request) -> Response:
        """Contracts that a budget pays for and no stream plans, payments that differ, promises without obligations."""
        return _respond(services, request, "contract-checks", code)

    _add_register(router, services, "contract-register", "contracts", "contract")
    _add_register(router, services, "project-register", "projects", "project")
    _add_register(router, services, "service-statistics", "services", "service")
    _add_register(router, services, "organisations", "organisations", "organisation")
    return router


def _add_register(router: APIRouter, services: Services, kind: str, plural: str, noun: str) -> None:
    """A register has a list and one page for each key."""

    @router.get(
        f"/v1/{plural}",
        name=f"list_{plural}",
        operation_id=f"list_{plural}",
        summary=f"Every {noun}",
        openapi_extra=JSON_DOCS,
        response_class=Response,
    )
    def list_keys(request: Request) -> Response:
        """Keys and addresses."""
        return _list(services, request, kind)

    @router.get(
        f"/v1/{plural}/{{key}}",
        name=f"read_{noun}",
        operation_id=f"read_{noun}",
        summary=f"One {noun}",
        openapi_extra=documented(TREE_SIZE, LEGAL_DATE, **JSON_DOCS),
        response_class=Response,
    )
    def read_key(key: str, request: Request) -> Response:
        """Rebuilt from entries; every row names those it rests on."""
        return _respond(services, request, kind, key)
