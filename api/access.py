"""Who may use which route? One declared table, route by role, and one place that enforces it.

Default deny: an application with a route that stands in no row does not start, and a route added later answers
nobody. Public routes are declared public. A role opens a door, no more: whether an event is accepted is a matter
of its signature.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations at run time

from api.limits import RateLimiter, too_many
from audit_service.errors import NotAuthorised
from audit_service.tokens import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import APIRouter

    from api.ports import Caller, Services

# Open to anybody, with or without a token: reading is what this ledger is for.
PUBLIC = frozenset({"public"})
# Auditors, privacy officers and administrators read what everybody reads; they post nothing.
_POSTING = frozenset({"submitter", "approver", "publisher"})

ACCESS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "POST /v1/events": _POSTING,
        "OPTIONS /v1/events": PUBLIC,
        "GET /v1/submissions/{batch:path}": PUBLIC,
        "GET /v1/events": PUBLIC,
        "GET /v1/events/{index}": PUBLIC,
        "GET /v1/events/{index}/proof": PUBLIC,
        "GET /v1/events/{index}/stream-proof": PUBLIC,
        "GET /v1/events/{index}/batch-proof": PUBLIC,
        "GET /v1/log": PUBLIC,
        "GET /v1/consistency": PUBLIC,
        "GET /v1/checkpoints": PUBLIC,
        "GET /v1/checkpoints/of-the-day/{day}": PUBLIC,
        "GET /v1/checkpoints/{size}": PUBLIC,
        "GET /log/checkpoint": PUBLIC,
        "GET /log/tile/{path:path}": PUBLIC,
        "GET /v1/answers": PUBLIC,
        "GET /v1/budgets/{agency}/{fiscal_year}": PUBLIC,
        "GET /v1/settlements/{agency}": PUBLIC,
        "GET /v1/contracts": PUBLIC,
        "GET /v1/contracts/{key}": PUBLIC,
        "GET /v1/projects": PUBLIC,
        "GET /v1/projects/{key}": PUBLIC,
        "GET /v1/services": PUBLIC,
        "GET /v1/services/{key}": PUBLIC,
        "GET /v1/organisations": PUBLIC,
        "GET /v1/organisations/{key}": PUBLIC,
        "GET /v1/agencies/{code}/contract-checks": PUBLIC,
        "GET /v1/agencies/{code}/gaps": PUBLIC,
        "GET /v1/reports": PUBLIC,
        "GET /v1/reports/definitions/{name}/{version}": PUBLIC,
        "GET /v1/reports/budget-book/{agency}/{fiscal_year}": PUBLIC,
        "GET /v1/reports/budget-book/{agency}/{fiscal_year}/diff": PUBLIC,
        "GET /v1/reports/budget-book/{agency}/{fiscal_year}/rows/{row:path}/proof": PUBLIC,
        "GET /v1/reports/{kind}/{key}": PUBLIC,
        "GET /v1/reports/{kind}/{key}/diff": PUBLIC,
        "GET /v1/reports/{kind}/{key}/rows/{row:path}/proof": PUBLIC,
        "GET /v1/schemas": PUBLIC,
        "GET /v1/schemas/{event_type}": PUBLIC,
        "GET /healthz": PUBLIC,
        "GET /readyz": PUBLIC,
        "GET /metrics": PUBLIC,
        "GET /openapi.json": PUBLIC,
        "GET /docs": PUBLIC,
        "GET /docs/problems": PUBLIC,
        "GET /docs/problems/{slug}": PUBLIC,
        "GET /static/{digest}/{name:path}": PUBLIC,
        "GET /": PUBLIC,
        "GET /projects/{project_id}": PUBLIC,
        "GET /entries/{index}": PUBLIC,
        "GET /en": PUBLIC,
        "GET /en/projects/{project_id}": PUBLIC,
        "GET /en/entries/{index}": PUBLIC,
    }
)


class UndeclaredRoute(Exception):
    """A route stands in no row of the table: the application does not start."""


def routes_of(routers: Iterable[APIRouter]) -> dict[str, APIRoute]:
    """Every route by its row in the table, `METHOD path`.

    Raises:
        UndeclaredRoute: a mount or another kind of route, which the gate would not see.
    """
    found = {}
    for router in routers:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise UndeclaredRoute(f"{route} is not a route that the gate stands before")
            found.update({f"{method} {route.path}": route for method in route.methods or ()})
    return found


def require_declared(routers: Iterable[APIRouter]) -> None:
    """Refuse to start with a route that nobody has decided about.

    Raises:
        UndeclaredRoute: it names the routes.
    """
    undeclared = sorted(set(routes_of(routers)) - set(ACCESS))
    if undeclared:
        raise UndeclaredRoute(f"declare in api/access.py who may use: {', '.join(undeclared)}")
    unknown = {role for roles in ACCESS.values() if roles != PUBLIC for role in roles} - set(ROLES)
    if unknown:
        raise UndeclaredRoute(f"no such roles: {', '.join(sorted(unknown))}")


class Gate:
    """Stands before every route of the application (a dependency of all of them)."""

    def __init__(self, services: Services) -> None:
        self._tokens = services.ledger.tokens
        self._limiter = RateLimiter(rate_per_s=services.limits.requests_per_token_s)

    async def __call__(self, request: Request) -> None:
        """Let the request pass, with `request.state.caller` where the route asks who calls.

        Raises:
            NotAuthorised: no valid token, or one of another role.
            Problem: `too-many-requests`.
        """
        route = request.scope.get("route")
        path = route.path if isinstance(route, APIRoute) else ""
        roles = ACCESS.get(f"{request.method} {path}", frozenset())
        if roles is PUBLIC:
            return
        # A thread for a look-up that is one read by key in a file would cost several times as much.
        at_once = self._tokens.answers_at_once
        caller = self._caller(request) if at_once else await run_in_threadpool(self._caller, request)
        if caller.role not in roles:
            raise NotAuthorised("the token's role may not do this", authenticated=True)
        wait_s = self._limiter.take(caller.token_id)
        if wait_s:
            raise too_many("this token sends more requests than it may", wait_s)
        request.state.caller = caller

    def _caller(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        caller = self._tokens.caller_of(token) if scheme.lower() == "bearer" else None
        if caller is None:
            raise NotAuthorised("a valid bearer token is required", authenticated=False)
        return caller
