"""What does every answer carry, and what is written down about every request?

Security headers, a request id, one line in the access log, and a problem document where everything else failed. Plain
ASGI: no copy of bodies, no task per request.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

from api.logs import REQUEST_ID
from api.problems import Problem, response_to
from audit_service.errors import Quarantined
from audit_service.metrics import HTTP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# What anybody may check from anywhere: also a verifier that runs in a page of another site.
_PUBLIC_PREFIXES = ("/log/", "/v1/", "/openapi.json")
_METHODS = frozenset({"GET", "POST", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

access_log = logging.getLogger("api.access")
_error_log = logging.getLogger("api.errors")


class Doorkeeper:
    """Outermost application: wraps every HTTP request."""

    def __init__(self, app: ASGIApp, *, origin: str, tree_size: Callable[[], int | None] = lambda: None) -> None:
        self._app = app
        self._origin = origin
        self._tree_size = tree_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headless = scope["method"] == "HEAD"
        if headless:
            # HEAD is GET without the content (RFC 9110 section 9.3.2), for every route alike.
            scope = {**scope, "method": "GET"}
        visit = _Visit(scope, send, headless=headless)
        # Whatever is logged on the way of this request names it, in threads too.
        REQUEST_ID.set(visit.request_id)
        try:
            if not scope["path"].isprintable():
                # The router's patterns end in `$`, which would let a line feed at the end through.
                raise Problem("not-found", "an address holds no control characters")
            await self._app(scope, receive, visit.send)
        except Exception as error:
            if visit.status:
                # The answer has begun: only cutting the connection says that it is not whole.
                raise
            if not isinstance(error, Problem):
                _error_log.error("unhandled", exc_info=error, extra={"request_id": visit.request_id})
            await response_to(error)(scope, receive, visit.send)
        finally:
            visit.measure()
            if access_log.isEnabledFor(logging.INFO):
                access_log.info("request", extra=visit.facts(self._origin) | self._signed_size())

    def _signed_size(self) -> dict[str, int | None]:
        try:
            return {"tree_size": self._tree_size()}
        except Quarantined:
            return {"tree_size": None}


class _Visit:
    """One request on its way out."""

    def __init__(self, scope: Scope, send: Send, *, headless: bool) -> None:
        given = Headers(scope=scope).get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self.status = 0
        self._scope = scope
        self._send = send
        self._headless = headless
        self._bytes = 0
        self._begun = time.perf_counter()

    async def send(self, message: Message) -> None:
        """Pass a message on, with the headers that every answer carries."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers[name] = value
            headers["X-Request-Id"] = self.request_id
            if self._scope["path"].startswith(_PUBLIC_PREFIXES):
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            else:
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
        elif message["type"] == "http.response.body":
            self._bytes += len(message.get("body", b""))
            if self._headless:
                message = {**message, "body": b""}
        await self._send(message)

    def measure(self) -> None:
        """Count this request. A route is counted by its pattern: addresses that callers make up are one."""
        route = getattr(self._scope.get("route"), "path", "none")
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        HTTP_SECONDS.labels(method, route, f"{self.status // 100}xx").observe(time.perf_counter() - self._begun)

    def facts(self, origin: str) -> dict[str, Any]:
        """What the access log says about this request; never its headers, query or body."""
        route = self._scope.get("route")
        return {
            "request_id": self.request_id,
            "method": "HEAD" if self._headless else self._scope["method"],
            "route": getattr(route, "path", None),
            "status": self.status,
            "bytes": self._bytes,
            "duration_ms": round((time.perf_counter() - self._begun) * 1000, 3),
            "origin": origin,
        }
