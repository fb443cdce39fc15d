"""Threat T18: does any spelling of a tile's path reach a file outside the public folder?

Every `open` of the process is recorded by an audit hook while the requests run: what is answered, and which
files were touched on the way.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

import pytest

from tests.support.api_city import open_api_city
from tests.support.fuzzing import STRANGE_OCTETS, STRANGE_TEXTS, mutate
from verifier.errors import MalformedInput
from verifier.tiles import BundleCoordinates, Tile, bundle_path, parse_path, tile_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Scope

    from tests.support.api_city import ApiCity

PATHS = (
    "../checkpoint",
    "..",
    ".",
    "0/..",
    "0/../../../etc/passwd",
    "0/000/../../../../etc/passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2fetc%2fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "..\\..\\etc\\passwd",
    "%252e%252e%252fetc%252fpasswd",
    "%c0%ae%c0%ae/etc/passwd",
    "%uff0e%uff0e/etc/passwd",
    "0/000%00",
    "0/000%00.p/1",
    "%00",
    "0/000%0a",
    "0/000%0d%0a",
    "0/000%20",
    "0/000/",
    "0//000",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "0/%D9%A0%D9%A0%D9%A0",  # Arabic digits
    "%D9%A0/000",
    "0/%EF%BC%90%EF%BC%90%EF%BC%90",  # full-width digits
    "0/00%C2%B2",
    "00/000",
    "01/000",
    "-1/000",
    "+0/000",
    "64/000",
    "100/000",
    "0/0",
    "0/00",
    "0/0000",
    "0/x000/000",
    "0/X001/000",
    "0/x001/x000",
    "0/" + "x999/" * 7 + "999",
    "0/" + "x999/" * 200 + "999",
    "0/000.p/0",
    "0/000.p/00",
    "0/000.p/01",
    "0/000.p/256",
    "0/000.p/-1",
    "0/000.p/1.0",
    "0/000.p/1/..",
    "0/000.P/1",
    "0/000.p",
    "0/000.p/",
    "0/000.p/%D9%A1",
    "entries",
    "entries/",
    "entries/..",
    "entries/000.p/0",
    "Entries/000",
    "entries/000%2f..%2f..%2fcheckpoint",
    "0/000;a=b",
    "0/000?x",
    "0/000%3fx",
    "0/000%23x",
    "~root",
    "con",
    "0" * 5000,
    "%ff%fe",
    "%",
    "%2",
)


class Opened:
    """Which files were opened while it listened? A hook cannot be taken out again, so it is switched."""

    def __init__(self) -> None:
        self.listening = False
        self.paths: list[str] = []
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event == "open" and isinstance(arguments[0], str | bytes):
            self.paths.append(arguments[0] if isinstance(arguments[0], str) else arguments[0].decode())

    @contextmanager
    def listen(self) -> Iterator[list[str]]:
        self.paths = []
        self.listening = True
        try:
            yield self.paths
        finally:
            self.listening = False


OPENED = Opened()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiCity]:
    with open_api_city(tmp_path_factory.mktemp("tiles") / "city", with_page=False) as opened:
        assert ask(opened, [b"/log/tile/9", b"/log/tile/0/000.p/1"]) == [
            404,
            200,
        ]  # what a first request loads is loaded
        yield opened


def outside(paths: list[str], city: ApiCity) -> list[str]:
    """What was opened that is neither a public tile nor the checkpoint (which the publisher writes beside us)."""
    public = city.public.resolve()
    return [path for path in paths if not Path(path).resolve().is_relative_to(public)]


def ask(city: ApiCity, targets: list[bytes]) -> list[int]:
    """The statuses for raw targets, each handed to the application as a server does: decoded once."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask_one(target: bytes) -> int:
        raw, _, query = target.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"testserver")],
            "client": ("127.0.0.1", 1),
            "server": ("testserver", 80),
        }
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        await city.client.app(scope, receive, send)
        assert b"root:" not in b"".join(message.get("body", b"") for message in messages)
        status: int = messages[0]["status"]
        return status

    async def ask_all() -> list[int]:
        return [await ask_one(target) for target in targets]

    return asyncio.run(ask_all())


def test_every_spelling_is_refused_and_opens_nothing_else(city: ApiCity) -> None:
    targets = [f"/log/tile/{path}".encode() for path in PATHS]
    with OPENED.listen() as paths:
        statuses = ask(city, targets)
    answers = dict(zip(PATHS, statuses, strict=True))
    # A query is no part of a path: this one is the full tile 0, which a log of one entry does not have.
    assert {path for path, status in answers.items() if status not in {400, 404}} == set()
    assert outside(paths, city) == []


def test_what_exists_is_served_from_the_public_folder(city: ApiCity) -> None:
    """Without this the test above would also hold for a service that serves nothing, or a hook that hears nothing."""
    with OPENED.listen() as paths:
        assert ask(city, [b"/log/tile/0/000.p/1", b"/log/tile/entries/000.p/1", b"/log/checkpoint"]) == [200] * 3
    assert {path.removeprefix(f"{city.public}/") for path in paths if path.startswith(str(city.public))} >= {
        "log/tile/0/000.p/1",
        "log/tile/entries/000.p/1",
        "log/checkpoint",
    }


def test_a_file_outside_is_heard(city: ApiCity) -> None:
    with OPENED.listen() as paths:
        Path("/etc/hostname").exists()
        with Path("/dev/null").open("rb"):
            pass
    assert outside(paths, city) == ["/dev/null"]


def test_damaged_paths_are_refused_and_open_nothing_else(city: ApiCity) -> None:
    chance = Random(18)
    seeds = [path.encode() for path in ("0/000.p/1", "entries/000.p/1", "1/x001/234.p/17", "..%2f..%2fcheckpoint")]
    seeds += [quote(text, safe="").encode() for text in STRANGE_TEXTS] + [text.encode() for text in STRANGE_OCTETS]
    targets = [b"/log/tile/" + mutate(chance, chance.choice(seeds)) for _ in range(3000)]
    with OPENED.listen() as paths:
        statuses = ask(city, targets)
    assert outside(paths, city) == []
    for target, status in zip(targets, statuses, strict=True):
        if status == 200:  # then it is spelled as one of the two tiles that there are
            path = unquote_to_bytes(target.partition(b"?")[0].removeprefix(b"/log/")).decode()
            assert parse_path(path) in {Tile(0, 0, 1), BundleCoordinates(0, 1)}
        else:
            assert status in {400, 404}


def test_a_path_is_what_it_names_or_refused() -> None:
    chance = Random(181)
    seeds = [b"tile/0/000", b"tile/63/x123/456.p/255", b"tile/entries/x001/x234/067.p/9", b"tile/8/x001/000"]
    accepted = 0
    for _ in range(100_000):
        path = mutate(chance, chance.choice(seeds), most=2).decode("utf-8", "replace")
        try:
            named = parse_path(path)
        except MalformedInput:
            continue
        accepted += 1
        assert path == (tile_path(named) if isinstance(named, Tile) else bundle_path(named.index, named.width))
        assert path.isascii()
        assert ".." not in path
    assert accepted > 1000
