"""Who may use which route? Every route of the application, with every role, and with none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response
from starlette.testclient import TestClient

from api import problems
from api.access import ACCESS, PUBLIC, Gate, UndeclaredRoute, require_declared, routes_of
from api.app import create_app
from api.ports import Limits, Services
from audit_service.tokens import ROLES, Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi.routing import APIRoute

NOBODY = "nobody"
MAY_POST = {"submitter", "approver", "publisher"}


class _Tokens:
    """A role is its own token here."""

    answers_at_once = True

    def caller_of(self, token: str) -> Caller | None:
        return Caller("urn:kr:agency:roads", token, token) if token in ROLES else None


class _Ledger:
    origin = "ledger.example/access"
    tokens = _Tokens()


def _services(**limits: Any) -> Services:
    parts: dict[str, Any] = {"ledger": _Ledger(), "read_models": None}
    return Services(**parts, limits=Limits(**limits))


def _routers_of(app: FastAPI) -> Iterator[APIRouter]:
    """The routers that FastAPI keeps, one for each that was included."""
    for route in app.routes:
        yield route.original_router  # type: ignore[attr-defined]  # FastAPI's private class has it


@pytest.fixture(scope="module")
def declared() -> dict[str, APIRoute]:
    """Every route that the application really has."""
    return routes_of(_routers_of(create_app(_services())))


def test_every_route_stands_in_the_table_and_no_row_is_left_over(declared: dict[str, APIRoute]) -> None:
    assert set(declared) == set(ACCESS)
    assert len(declared) > 35


@pytest.fixture(scope="module")
def client(declared: dict[str, APIRoute]) -> TestClient:
    """Every route behind the real gate; what it does is replaced by "you may"."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, dependencies=[Depends(Gate(_services()))])
    for row, route in declared.items():
        app.add_api_route(route.path, _you_may, methods=[row.partition(" ")[0]])
    problems.install(app)
    return TestClient(app)


def _you_may() -> Response:
    return Response(b"you may")


def _expected(row: str, role: str) -> int:
    """Said once more, apart from the table: only submissions ask who calls."""
    if row != "POST /v1/events" or role in MAY_POST:
        return 200
    return 401 if role == NOBODY else 403


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
@pytest.mark.parametrize("row", ACCESS)
def test_every_route_with_every_role(client: TestClient, row: str, role: str) -> None:
    method, _, path = row.partition(" ")
    for parameter, value in _VALUES.items():
        path = path.replace(parameter, value)
    headers = {} if role == NOBODY else {"Authorization": f"Bearer {role}"}
    response = client.request(method, path, headers=headers)
    assert response.status_code == _expected(row, role), response.text
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"


_VALUES = {
    "{batch:path}": "b",
    "{path:path}": "0/000",
    "{name:path}": "x.css",
    "{index}": "0",
    "{day}": "2021-01-01",
    "{size}": "1",
    "{agency}": "roads",
    "{fiscal_year}": "2021",
    "{key}": "k",
    "{kind}": "settlement",
    "{name}": "settlement",
    "{version}": "1",
    "{row:path}": "a/b",
    "{code}": "roads",
    "{event_type}": "budget.paid.v1",
    "{slug}": "not-found",
    "{digest}": "d",
    "{project_id}": "p",
}


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic submitter", "submitter", "Bearer root", "Bearer  submitter", "Bearer submitter "],
)
def test_what_is_no_bearer_token_is_nobody(client: TestClient, authorization: str) -> None:
    assert client.post("/v1/events", headers={"Authorization": authorization}).status_code == 401


def _with_undeclared(router: APIRouter) -> None:
    router.add_api_route("/v1/secrets", _you_may)


def _with_other_method(router: APIRouter) -> None:
    router.add_api_route("/v1/events", _you_may, methods=["DELETE"])


def _with_mount(router: APIRouter) -> None:
    router.mount("/everything", FastAPI())


@pytest.mark.parametrize("add", [_with_undeclared, _with_other_method, _with_mount])
def test_an_undeclared_route_keeps_the_application_from_starting(add: Callable[[APIRouter], None]) -> None:
    router = APIRouter()
    require_declared([router])
    add(router)
    with pytest.raises(UndeclaredRoute):
        require_declared([router])


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_a_route_that_comes_later_answers_nobody(role: str) -> None:
    app = create_app(_services())
    app.add_api_route("/v1/later", _you_may)
    response = TestClient(app).get("/v1/later", headers={"Authorization": f"Bearer {role}"})
    assert response.status_code == (401 if role == NOBODY else 403)


def test_a_token_that_sends_too_much_is_told_when_to_come_again() -> None:
    app = FastAPI(dependencies=[Depends(Gate(_services(requests_per_token_s=0.1)))])
    app.add_api_route("/v1/events", _you_may, methods=["POST"])
    app.add_api_route("/v1/log", _you_may)
    problems.install(app)
    client = TestClient(app)
    answers = [client.post("/v1/events", headers={"Authorization": "Bearer submitter"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 10
    assert answers[1].json()["type"] == "/docs/problems/too-many-requests"
    assert client.post("/v1/events", headers={"Authorization": "Bearer publisher"}).status_code == 200
    assert client.get("/v1/log").status_code == 200


def test_public_is_declared_and_not_assumed() -> None:
    assert {row for row, roles in ACCESS.items() if roles is not PUBLIC} == {"POST /v1/events"}
    assert all(roles for roles in ACCESS.values())
