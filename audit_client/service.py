"""How does an agency speak to the service, when connections break and services are busy?

Every request may be made again: the same submission gets the same index, so nothing is recorded twice. Tries are
bounded; between them the client waits a random part of a growing span (so that a thousand clients do not come back
together), and never less than `Retry-After` asks for. Redirects are not followed: the token is for one address.
"""

from __future__ import annotations

import json
import random
import re
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from audit_client.errors import EvidenceDoesNotHold, NoAnswer, NotUsable, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = "application/cloudevents+json"
LINES = "application/x-ndjson"
TRIES = 5
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
TIMEOUT_S = 120.0
# The service is busy, restarting or behind a gateway that lost it; every other answer stays the same when asked again.
_COME_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


_TOKEN = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9_-]+", re.ASCII)
_draw = random.SystemRandom().random


class Service:
    """One service at one address, with one agency's token.

    Args:
        url: the service's address, without `/v1`.
        token: `<id>.<secret>`; it says who calls and is never evidence.
        tries: how often a request is made at most.
        plain_http: let the token travel unencrypted to another host.
        sleep: waits; tests do not.
        draw: a number from 0 to 1 for the jitter.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        tries: int = TRIES,
        plain_http: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = _draw,
    ) -> None:
        self.url = url.rstrip("/")
        _require_private(self.url, plain_http=plain_http)
        if not _TOKEN.fullmatch(token):
            raise NotUsable("a token is ID.SECRET")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, application/problem+json"}
        self._tries = tries
        self._sleep = sleep
        self._draw = draw
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=TIMEOUT_S))

    def post(
        self, body: bytes, media_type: str, *, recorded: Callable[[], dict[str, Any] | None], **query: bool
    ) -> dict[str, Any]:
        """Submit. After a cut, `recorded` is asked before the body is sent again; what it finds is the answer.

        Raises:
            Refused: with the service's problem document.
            NoAnswer: after the last try.
        """
        parameters = urlencode({name: "true" for name, value in query.items() if value})
        path = "/v1/events" + (f"?{parameters}" if parameters else "")
        headers = {"Content-Type": media_type}
        return self._json("POST", path, body=body, headers=headers, after_cut=recorded)

    def find_submission(self, submission_id: str, source: str) -> dict[str, Any] | None:
        """What was recorded under this id? Asked once, after a cut: None also when there is no answer now."""
        path = f"/v1/submissions/{quote(submission_id, safe='/')}?{urlencode({'source': source})}"
        try:
            response = self._once("GET", path, None, {})
        except NoAnswer:
            return None
        return _document(response) if response.status == 200 else None

    def fetch_entry(self, index: int) -> bytes:
        """The bytes of an entry, as they were hashed."""
        return self._bytes(f"/v1/events/{index}", {})

    def fetch_proof(self, index: int) -> bytes:
        """The `.tlog-proof` of an entry under the newest signed checkpoint."""
        return self._bytes(f"/v1/events/{index}/proof", {"Accept": "text/plain"})

    def find_entries(self, **filters: str) -> list[dict[str, Any]]:
        """Entries by `subject`, `type`, `source` or `id`: the first page of `GET /v1/events`, unchecked."""
        found = self._json("GET", "/v1/events?" + urlencode(filters)).get("entries")
        if not isinstance(found, list):
            raise EvidenceDoesNotHold("GET /v1/events: expected a list of entries")
        return found

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._request(method, path, **options)
        return response if isinstance(response, dict) else _document(response)

    def _bytes(self, path: str, headers: dict[str, str]) -> bytes:
        response = self._request("GET", path, headers=headers)
        if isinstance(response, dict):
            raise TypeError("only a POST is answered by what was recorded")
        return response.data

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        after_cut: Callable[[], dict[str, Any] | None] | None = None,
    ) -> urllib3.BaseHTTPResponse | dict[str, Any]:
        reason = ""
        for attempt in range(self._tries):
            if attempt and after_cut is not None:
                found = after_cut()
                if found is not None:
                    return found
            wait_s = 0.0
            try:
                response = self._once(method, path, body, headers or {})
            except NoAnswer as cut:
                reason = str(cut)
            else:
                if response.status in {200, 201}:
                    return response
                if response.status not in _COME_AGAIN:
                    raise Refused(_problem(response))
                reason = f"the service answered {response.status}"
                wait_s = _retry_after(response)
            if attempt + 1 < self._tries:
                self._sleep(max(wait_s, self._draw() * min(FIRST_WAIT_S * 2**attempt, LONGEST_WAIT_S)))
        raise NoAnswer(f"{reason} ({self._tries} tries); send the same again: nothing is recorded twice")

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(method, self.url + path, body=body, headers={**self._headers, **headers})
        except urllib3.exceptions.HTTPError as error:
            # The class alone: messages of the library repeat the whole request.
            raise NoAnswer(f"no answer ({type(error).__name__})") from None


def _require_private(url: str, *, plain_http: bool) -> None:
    """A token in the clear is everybody's: https, or this very machine.

    Raises:
        NotUsable: neither.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or parts.username:
        raise NotUsable("the service's address is https://HOST[:PORT]")
    if parts.scheme == "http" and not plain_http and not _is_this_machine(host):
        raise NotUsable("over http the token would travel unencrypted; use https")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _retry_after(response: urllib3.BaseHTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else 0.0


def _document(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        found = json.loads(response.data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EvidenceDoesNotHold("the service answered with something else than a JSON object")
    return found


def _problem(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        found = json.loads(response.data)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"title": f"the service answered {response.status}"}
