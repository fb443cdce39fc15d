"""Threat T20: can somebody who writes a URL into a request make the server fetch it?

The server fetches nothing. No module of `api/` or `audit_service/` imports anything that opens a connection, and
while a city takes events full of URLs and answers every kind of request, no socket is connected and no name is looked
up. (Witnesses will be asked by a process of its own, from addresses in a file of the operator.)
"""

from __future__ import annotations

import ast
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.api_city import NDJSON, ApiCity, open_api_city

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "audit_service")
# Whatever can open a connection, of the standard library and of what the extras install.
FETCHING = frozenset(
    [
        *("aiohttp", "ftplib", "http.client", "httpcore", "httpx", "httpx2", "imaplib", "nntplib", "poplib"),
        *("requests", "smtplib", "socket", "socketserver", "ssl", "subprocess", "telnetlib", "urllib.request"),
        *("urllib3", "webbrowser", "websockets", "xmlrpc"),
    ]
)
# Calls that open one without an import of their own.
CALLS = frozenset({"create_connection", "create_unix_connection", "open_connection", "open_unix_connection", "urlopen"})
EVENTS = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"})
URLS = (
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://127.0.0.1:{port}/x",
    "https://0x7f.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "//127.0.0.1:{port}/",
)


def _fetching(source: str) -> set[str]:
    """Which names of a module could open a connection?"""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute) and node.attr in CALLS:
            found.add(node.attr)
            continue
        else:
            continue
        found |= {name for name in names if any(name == each or name.startswith(f"{each}.") for each in FETCHING)}
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_t20_no_module_of_the_server_can_fetch(package: str) -> None:
    modules = sorted((ROOT / package).rglob("*.py"))
    assert len(modules) > 20
    found = {str(path.relative_to(ROOT)): _fetching(path.read_text(encoding="utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import urllib3",
        "import http.client as c",
        "from urllib import request",
        "from urllib.request import urlopen",
        "def f():\n    import socket",
        "async def f(loop):\n    await loop.create_connection(None, 'x', 1)",
    ],
)
def test_t20_the_search_finds_what_can_fetch(source: str) -> None:
    assert _fetching(source)
    assert not _fetching("from urllib.parse import urlencode\nfrom http import HTTPStatus\nimport asyncio")


class _Watch:
    """An audit hook cannot be taken away again, so it only listens while it is asked to."""

    def __init__(self) -> None:
        self.listening = False
        self.seen: list[tuple[str, Any]] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event in EVENTS:
            self.seen.append((event, arguments[-1]))

    @contextmanager
    def __call__(self) -> Iterator[list[tuple[str, Any]]]:
        self.seen = []
        self.listening = True
        try:
            yield self.seen
        finally:
            self.listening = False


@pytest.fixture(scope="module")
def watch() -> _Watch:
    return _Watch()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiCity]:
    with open_api_city(tmp_path_factory.mktemp("ssrf") / "city") as city:
        yield city


def test_t20_no_connection_is_opened_whatever_a_request_says(city: ApiCity, watch: _Watch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, watch() as seen:
        listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        urls = [url.format(port=listener.getsockname()[1]) for url in URLS]
        for number, url in enumerate(urls):
            event = city.effect(1000 + number, text=url)
            assert city.post(event, **{"X-Forwarded-For": url, "Referer": url}).status_code == 201
            assert city.post(event, NDJSON, query="?dry_run=true").status_code == 200
            assert city.post(f'{{"$ref":"{url}","$schema":"{url}"}}'.encode()).status_code == 422
            for path in (f"/v1/events?subject={url}", f"/v1/contracts/{url}", f"/log/tile/{url}", f"/{url}"):
                city.client.get(path, headers={"Accept": url, "X-Request-Id": url, "Host": "127.0.0.1"})
        city.wait_until_published()
        for path in ("/", "/en", "/docs", "/openapi.json", "/v1/answers", "/v1/log", "/readyz"):
            assert city.client.get(path).status_code == 200
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert seen == []


def test_t20_the_watch_sees_a_connection(watch: _Watch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, watch() as seen:
        socket.create_connection(listener.getsockname()).close()
    assert {event for event, _ in seen} == {"socket.connect", "socket.getaddrinfo"}
