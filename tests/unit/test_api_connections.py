"""Does the server hang up on whoever never finishes a request's head, and only on them?

A real uvicorn in a thread, with a head timeout of half a second; beside it stock uvicorn, which waits for ever.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.connections import ImpatientProtocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

TIMEOUT_S = 0.5
MOST = 6
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


class _Quick(ImpatientProtocol):
    head_timeout_s: ClassVar[float] = TIMEOUT_S
    max_connections: ClassVar[int] = MOST


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * TIMEOUT_S)
    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def _serving(protocol: type[H11Protocol]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(_application, http=protocol, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _open_for(connection: socket.socket, *, dripping: bool = False, most_s: float = 6 * TIMEOUT_S) -> float:
    """How long until the server hangs up? At most so long."""
    begun = time.monotonic()
    connection.settimeout(TIMEOUT_S / 5)
    while time.monotonic() - begun < most_s:
        try:
            if dripping:
                connection.sendall(b"X")
            if not connection.recv(4096):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - begun


def _ask(connection: socket.socket, path: str, *, rest: bytes = b"") -> bytes:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + rest + b"\r\n")
    return _answer(connection)


def _answer(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\r\n\r\nok"):
        received += connection.recv(1)
    return received


def test_a_head_that_never_ends_is_cut_off_also_when_it_trickles() -> None:
    with _serving(_Quick) as port:
        for first, dripping in ((b"", False), (b"G", False), (HEAD, False), (HEAD + b"X-", True)):
            with _connect(port) as connection:
                connection.sendall(first)
                assert 0.5 * TIMEOUT_S < _open_for(connection, dripping=dripping) < 3 * TIMEOUT_S, first


def test_stock_uvicorn_waits_for_ever() -> None:
    with _serving(H11Protocol) as port, _connect(port) as connection:
        connection.sendall(HEAD)
        assert _open_for(connection) > 5 * TIMEOUT_S


def test_the_second_head_on_a_connection_has_a_deadline_too() -> None:
    with _serving(_Quick) as port, _connect(port) as connection:
        assert b"200 OK" in _ask(connection, "/")
        connection.sendall(HEAD)
        assert 0.5 * TIMEOUT_S < _open_for(connection) < 3 * TIMEOUT_S


def test_who_asks_again_in_time_is_served_again() -> None:
    with _serving(_Quick) as port, _connect(port) as connection:
        for _ in range(5):
            assert b"200 OK" in _ask(connection, "/")
            time.sleep(0.6 * TIMEOUT_S)


def test_a_slow_answer_is_waited_for_and_pipelined_requests_are_answered() -> None:
    with _serving(_Quick) as port, _connect(port) as connection:
        assert b"200 OK" in _ask(connection, "/slow")
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        assert [b"200 OK" in _answer(connection) for _ in range(2)] == [True, True]


def test_a_body_is_left_to_its_own_deadline() -> None:
    with _serving(_Quick) as port, _connect(port) as connection:
        connection.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx")
        time.sleep(2 * TIMEOUT_S)
        connection.sendall(b"x")
        assert b"200 OK" in _answer(connection)


def test_a_body_that_goes_on_after_the_answer_is_cut_off() -> None:
    with _serving(_Quick) as port, _connect(port) as connection:
        answer = _ask(connection, "/", rest=b"Content-Length: 100000\r\n")
        assert b"200 OK" in answer
        assert _open_for(connection, dripping=True) < 3 * TIMEOUT_S


def test_too_many_connections_are_closed_at_once_and_there_is_room_again() -> None:
    with _serving(_Quick) as port:
        held = [_connect(port) for _ in range(MOST)]
        time.sleep(0.1)
        with _connect(port) as connection:
            assert _open_for(connection) < 0.5 * TIMEOUT_S
        for connection in held:
            connection.close()
        time.sleep(0.1)
        with _connect(port) as connection:
            assert b"200 OK" in _ask(connection, "/")
