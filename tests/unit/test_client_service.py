"""How often, how late and to whom does the client speak, when a service is busy, gone, or pretends?"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from audit_client.errors import EvidenceDoesNotHold, NoAnswer, NotUsable, Refused
from audit_client.service import LONGEST_WAIT_S, ONE, TRIES, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "0123456789abcdef.secret"
CUT = (0, {}, b"")


class Scripted(BaseHTTPRequestHandler):
    """Answers from a script, one answer for each request; the last one again and again."""

    script: ClassVar[list[tuple[int, dict[str, str], bytes]]] = []
    seen: ClassVar[list[tuple[str, str, str | None]]] = []

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.path, self.headers.get("Authorization")))
        status, headers, body = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.close_connection = True
        if status == 0:
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - the names of http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing."""


@contextmanager
def scripted(*script: tuple[int, dict[str, str], bytes]) -> Iterator[tuple[Service, list[float]]]:
    """A client and a server that follows a script; gives the waits of the client too."""
    handler = type("Handler", (Scripted,), {"script": list(script), "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    waits: list[float] = []
    service = Service(f"http://127.0.0.1:{server.server_port}", token=TOKEN, sleep=waits.append, draw=lambda: 1.0)
    service.seen = handler.seen  # type: ignore[attr-defined]  # for the test to look at
    try:
        yield service, waits
    finally:
        service._pool.clear()
        server.shutdown()
        server.server_close()
        thread.join()


def post(service: Service) -> dict[str, object]:
    return service.post(b"{}", ONE, recorded=lambda: None)


def requests(service: Service) -> int:
    return len(service.seen)  # type: ignore[attr-defined]


@pytest.mark.parametrize("trouble", [CUT, (503, {}, b""), (429, {}, b""), (500, {}, b"not json"), (502, {}, b"")])
def test_trouble_passes(trouble: tuple[int, dict[str, str], bytes]) -> None:
    with scripted(trouble, trouble, (201, {}, b'{"index":7}')) as (service, waits):
        assert post(service) == {"index": 7}
        assert requests(service) == 3
        assert waits == [0.5, 1.0]


def test_tries_are_bounded_and_the_message_keeps_token_and_address_to_itself() -> None:
    with scripted((503, {}, b"")) as (service, waits):
        with pytest.raises(NoAnswer) as caught:
            post(service)
        assert requests(service) == TRIES
        assert len(waits) == TRIES - 1
        assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(("asked", "waits_s"), [("3", 3.0), ("100000", LONGEST_WAIT_S), ("soon", 0.5), ("-1", 0.5)])
def test_a_service_that_asks_to_wait_is_obeyed_within_reason(asked: str, waits_s: float) -> None:
    with scripted((503, {"Retry-After": asked}, b""), (200, {}, b"{}")) as (service, waits):
        post(service)
        assert waits == [waits_s]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422])
def test_a_refusal_is_final_and_carries_its_rule(status: int) -> None:
    with scripted((status, {}, b'{"rule_id":"budget.not-owner","title":"no"}')) as (service, _):
        with pytest.raises(Refused) as caught:
            post(service)
        assert (caught.value.rule_id, requests(service)) == ("budget.not-owner", 1)


def test_a_redirect_does_not_take_the_token_anywhere() -> None:
    with scripted((307, {"Location": "http://127.0.0.1:1/"}, b"")) as (service, _):
        with pytest.raises(Refused):
            post(service)
        assert requests(service) == 1


def test_after_a_cut_what_was_recorded_is_asked_for_before_sending_again() -> None:
    with scripted(CUT, (201, {}, b'{"index":8}')) as (service, _):
        assert service.post(b"{}", ONE, recorded=lambda: {"first_index": 7}) == {"first_index": 7}
        assert requests(service) == 1
        assert service.post(b"{}", ONE, recorded=lambda: None) == {"index": 8}


def test_what_was_recorded_is_found_by_its_id() -> None:
    with scripted((200, {}, b'{"first_index":7}'), (404, {}, b"{}"), CUT) as (service, _):
        assert service.find_submission("2021/a:1", "urn:kr:agency:roads") == {"first_index": 7}
        assert service.find_submission("2021/a:1", "urn:kr:agency:roads") is None
        assert service.find_submission("2021/a:1", "urn:kr:agency:roads") is None
        method, path, token = service.seen[0]  # type: ignore[attr-defined]
        assert (method, path) == ("GET", "/v1/submissions/2021/a%3A1?source=urn%3Akr%3Aagency%3Aroads")
        assert token == f"Bearer {TOKEN}"


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff"])
def test_an_answer_that_is_no_object_proves_nothing(body: bytes) -> None:
    with scripted((200, {}, body)) as (service, _), pytest.raises(EvidenceDoesNotHold):
        post(service)


@pytest.mark.parametrize("url", ["https://ledger.example", "http://localhost:1", "http://127.0.0.1", "http://[::1]:8"])
def test_a_token_travels_encrypted_or_not_at_all(url: str) -> None:
    Service(url, token=TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        "http://ledger.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
        "ftp://h",
        "h",
        "https://",
        "https://u@h",
        "http://[::",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(NotUsable):
        Service(url, token=TOKEN)
    if url == "http://ledger.example":
        Service(url, token=TOKEN, plain_http=True)


@pytest.mark.parametrize("token", ["", "secret", "a.b\r\nX-Header: 1", "a.비밀", " a.b"])
def test_what_is_no_token_is_not_sent(token: str) -> None:
    with pytest.raises(NotUsable) as caught:
        Service("https://ledger.example", token=token)
    assert "비밀" not in str(caught.value)
