"""Which inputs would somebody send who wishes us ill, or whose program is broken? All from one seed.

Three makers, from bytes upwards: `mutate` damages bytes of any format, `mutate_json` damages the values and the
spelling of a JSON document, `Requests` makes whole HTTP requests. `MARKER` goes into most of them: no answer may
ever contain it.
"""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

# "!" is in no identifier of this ledger: an answer that contains the marker repeats its input.
MARKER = "zq7!echo"

TOKENS = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u", b"\\ud800", b"\x00", b"\xff", b"\xc0\xaf",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"\n", b" ", b"\t", b"-", b"-0", b"1e5", b"1.0", b"0",
    b"00", b"9007199254740992", b"NaN", b"null", b"true", "\u202e".encode(), "\u0661".encode(),
    "e\u0301".encode(), b"=", b"==", b"+", b"/", b"..", b"%", b"x", b".p/", b"/256", "\u2014".encode(),
    MARKER.encode(), b"A" * 64, b"1" * 400,
)  # fmt: skip

HOSTILE_JSON = (
    "null", "true", "0", "-0", "-1", "1.0", "1e3", "1E400", "9007199254740992", "-9007199254740992",
    "1" * 400, "NaN", "Infinity", "-Infinity", "01", "+1", "0x10", '""', '"\\u0000"', '"\\ud800"',
    '"\\udc00\\ud800"', '"\u202e\u2066"', '"e\u0301"', '"\ufeff"', '"\u0661"', '"' + "A" * 3000 + '"', "[]",
    "{}", "[" * 40 + "]" * 40, '{"a":1,"a":2}', f'"{MARKER}"', f'{{"{MARKER}":1}}', f'["{MARKER}"]',
    f'"<script>{MARKER}</script>"', "'a'", "[1,]", "{,}", "\\", "",
)  # fmt: skip

STRANGE_TEXTS = (
    "", " ", "0", "-0", "-1", "+1", "00", "01", "1.0", "1e3", "0x10", "1_0", "NaN", "null", "true", "True",
    "[]", "{}", "9007199254740991", "9007199254740992", "18446744073709551616", "1" * 500, "\u0661\u0662",
    "\uff11", "\u00b2", "2021-02-30", "2021-13-01", "0000-00-00", "9999-12-31", "2021-01-01\n", "..", "../..",
    "..\\..", "/etc/passwd", "%2e%2e%2f", "a\x00b", "\x00", "\r\nX-Injected: 1", "\u202egnp", "e\u0301",
    "\U0001f600", "'", "' OR 1=1 --", '";--', "%", "%zz", "*", "?", "#", "&", "a" * 3000,
    f"<script>{MARKER}</script>", MARKER, f"x/{MARKER}/y", "{{7*7}}", "${7*7}", "x" * 201, "urn:kr:agency:",
    f"urn:kr:agency:{MARKER}", "budget/seoul-smartcity/2021", "budget/../2021", "full", "compact", "con", ".",
    "~", "\ud7ff",
)  # fmt: skip
# What cannot be written as text: broken UTF-8 and half escapes, as they stand on the wire.
STRANGE_OCTETS = (
    "%ff",
    "%c0%af",
    "%ed%a0%80",
    "%00",
    "%0a",
    "%0d%0a",
    "%e2%80%ae",
    "%2e%2e%2f",
    "..%2f",
    "%",
    "%4",
    "%25%32%65",
)


def mutate(chance: Random, data: bytes, *, most: int = 4) -> bytes:
    """Damage some bytes: one to `most` edits."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, most)):
        _EDITS[chance.randrange(len(_EDITS))](chance, damaged)
    return bytes(damaged)


def _place(chance: Random, data: bytearray) -> int:
    return chance.randrange(len(data) + 1)


def _flip(chance: Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _overwrite(chance: Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _insert(chance: Random, data: bytearray) -> None:
    place = _place(chance, data)
    data[place:place] = chance.choice(TOKENS)


def _replace(chance: Random, data: bytearray) -> None:
    place = _place(chance, data)
    token = chance.choice(TOKENS)
    data[place : place + len(token)] = token


def _delete(chance: Random, data: bytearray) -> None:
    place = _place(chance, data)
    del data[place : place + chance.choice((1, 1, 1, 2, 4, 16))]


def _repeat(chance: Random, data: bytearray) -> None:
    start = _place(chance, data)
    piece = data[start : start + chance.choice((1, 2, 8, 40))]
    place = _place(chance, data)
    data[place:place] = piece


def _cut(chance: Random, data: bytearray) -> None:
    if chance.random() < 0.3:
        del data[_place(chance, data) :]


_EDITS: tuple[Callable[[Random, bytearray], None],
    ...] = (
    _flip, _flip, _overwrite, _insert, _insert, _replace, _delete, _repeat, _cut,
)  # fmt: skip


# --- JSON -----------------------------------------------------------------------------------------------


def mutate_json(chance: Random, document: dict[str, Any]) -> bytes:
    """Damage one member of a JSON object, or only its layout; spelled in some way that JSON allows or not."""
    text = _layout(chance, document)
    what = chance.randrange(8)
    if what == 0:
        return text.encode("utf-8", "surrogatepass")
    path = _random_path(chance, document)
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    # The member is replaced by a unique text, which is then replaced by something that `json` would not write.
    hole = "\u0001hole\u0001"
    kept = parent[path[-1]]
    parent[path[-1]] = hole
    text = _layout(chance, document)
    parent[path[-1]] = kept
    hostile = chance.choice(HOSTILE_JSON)
    if what == 1:
        hostile = f'{json.dumps(kept, ensure_ascii=False)},"{path[-1]}":{hostile}'  # a key twice, in an object
    elif what == 2 and isinstance(kept, str):
        hostile = json.dumps(kept[: len(kept) // 2] + chance.choice(STRANGE_TEXTS) + kept[len(kept) // 2 :])
    return text.replace(json.dumps(hole), hostile).encode("utf-8", "surrogatepass")


def _random_path(chance: Random, document: Any) -> list[Any]:
    path: list[Any] = []
    value = document
    while isinstance(value, dict | list) and value and (not path or chance.random() < 0.7):
        step = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        path.append(step)
        value = value[step]
    return path


def _layout(chance: Random, document: Any) -> str:
    if chance.random() < 0.2:
        items = list(document.items())
        chance.shuffle(items)
        document = dict(items)
    return json.dumps(
        document,
        ensure_ascii=chance.random() < 0.3,
        sort_keys=chance.random() < 0.5,
        indent=chance.choice((None, None, 1)),
        separators=(",", ":") if chance.random() < 0.6 else None,
    )


# --- HTTP -----------------------------------------------------------------------------------------------


def strange_requests(openapi: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every route × each of its parameters × strange values, from the API's own description: method, target."""
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            parameters = operation.get("parameters", [])
            for strange in _as_written():
                yield method.upper(), f"{_fill(path, parameters, {})}?{strange}={strange}"
                for parameter in parameters:
                    name = parameter["name"]
                    if parameter["in"] == "path":
                        yield method.upper(), _fill(path, parameters, {name: strange})
                    else:
                        yield method.upper(), f"{_fill(path, parameters, {})}?{name}={strange}"
                        yield method.upper(), f"{_fill(path, parameters, {})}?{name}=1&{name}={strange}"


def _as_written() -> list[str]:
    return [quote(text, safe="") for text in STRANGE_TEXTS] + list(STRANGE_OCTETS)


def _fill(path: str, parameters: list[dict[str, Any]], values: dict[str, str]) -> str:
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", values.get(parameter["name"], "1"))
    return path


def request_bytes(method: str, target: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """One HTTP/1.1 request for a connection that stays open."""
    lines = [f"{method} {target} HTTP/1.1", "Host: ledger.example", *(f"{name}: {value}" for name, value in headers)]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


class Requests:
    """Random requests: damaged submissions (of events that are recorded already), strange reads, odd headers."""

    def __init__(
        self, chance: Random, *, token: str, events: Sequence[bytes], targets: Sequence[tuple[str, str]]
    ) -> None:
        self._chance = chance
        self._token = token
        self._events = events
        self._documents = [json.loads(event) for event in events]
        self._targets = targets
        self._written = _as_written()

    def next(self) -> tuple[str, bytes]:
        """One well-framed request, whatever it says inside: its method and its bytes."""
        return self._post() if self._chance.random() < 0.5 else self._read()

    def _post(self) -> tuple[str, bytes]:
        chance = self._chance
        media_type = "application/cloudevents+json"
        number = chance.randrange(len(self._events))
        what = chance.randrange(10)
        if what < 5:
            body = mutate(chance, self._events[number])
        elif what < 9:
            body = mutate_json(chance, self._documents[number])
        else:
            media_type = chance.choice(("application/x-ndjson", "application/cloudevents-batch+json"))
            items = [mutate_json(chance, self._documents[number]) for _ in range(chance.randrange(4))]
            body = b"\n".join(items) if media_type.endswith("ndjson") else b"[" + b",".join(items) + b"]"
            if chance.random() < 0.3:
                body = mutate(chance, body)
        headers = [("Authorization", f"Bearer {self._token}"), ("Content-Type", media_type)]
        if chance.random() < 0.1:
            place = chance.randrange(2)
            headers[place] = (headers[place][0], chance.choice(_ODD_HEADER_VALUES))
        if chance.random() < 0.1:
            headers.append((chance.choice(_ODD_HEADERS), chance.choice(_ODD_HEADER_VALUES)))
        query = chance.choice(("", "", "", "?atomic=true", "?dry_run=true", f"?results={chance.choice(self._written)}"))
        return "POST", request_bytes("POST", f"/v1/events{query}", headers, body)

    def _read(self) -> tuple[str, bytes]:
        chance = self._chance
        method, target = chance.choice(self._targets)
        if chance.random() < 0.2:
            damaged = mutate(chance, target.encode(), most=2)
            target = "/" + quote(damaged, safe="/%?&=.:!*'();@+$,-_~").lstrip("/")
        if chance.random() < 0.1:
            method = chance.choice(("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "POST", "get"))
        headers = []
        if chance.random() < 0.3:
            headers.append((chance.choice(_ODD_HEADERS), chance.choice(_ODD_HEADER_VALUES)))
        return method, request_bytes(method, target, headers)


_ODD_HEADERS = (
    "Accept", "Accept-Language", "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range", "Cookie",
    "Origin", "Content-Type", "Content-Encoding", "X-Forwarded-For", "X-Request-Id", "X-Request-ID",
    "Traceparent", "Authorization",
)  # fmt: skip
_ODD_HEADER_VALUES = (
    "", ",", ";", "*", "*/*;q=2", "text/plain;q=nan", "a/b;q=1e400", '"', 'W/"', "bytes=0-", "bytes=-1,-2",
    "gzip", "identity", "application/json; charset=utf-16", "application/json;charset=utf-8;", "Bearer",
    "Bearer ", "Bearer x.y", f"Bearer {MARKER}", "Basic Og==", MARKER, f"text/{MARKER}", "\xff\xfe",
    "A" * 2000, ",".join(["text/html"] * 200), "0" * 300, "-1", "null",
)  # fmt: skip

# Whole connections whose framing is broken: sent as they are, then only the sending side is closed.
BROKEN_CONNECTIONS: tuple[bytes, ...] = (
    b"\r\n\r\n", b"\x00" * 64, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: 1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 20_000 + b"\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET http://elsewhere.example/ HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)  # fmt: skip


class Answer:
    """A status and everything that came with it."""

    def __init__(self, status: int, head: bytes, body: bytes) -> None:
        self.status = status
        self.head = head
        self.body = body

    @property
    def closes(self) -> bool:
        """Does the server close the connection behind this answer?"""
        return b"\r\nconnection: close" in self.head.lower()


class KeepAlive:
    """One connection that sends many requests at once and reads the answers one after another."""

    def __init__(self, port: int, *, timeout_s: float = 30) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._stream = self._socket.makefile("rb")

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self._socket.close()

    def exchange(self, requests: Sequence[tuple[str, bytes]]) -> list[Answer]:
        """Send all at once; the answers up to the one that closes the connection.

        Raises:
            TimeoutError: the server hangs.
            EOFError: the connection ended without an answer that says so.
        """
        self._socket.sendall(b"".join(data for _, data in requests))
        answers = []
        for method, _ in requests:
            answers.append(self._read(method))
            if answers[-1].closes:
                break
        return answers

    def _read(self, method: str) -> Answer:
        lines = [self._line()]
        status = int(lines[0].split(b" ", 2)[1])
        while lines[-1] not in {b"\r\n", b""}:
            lines.append(self._line())
        head = b"".join(lines)
        lower = head.lower()
        if method == "HEAD" or status in {204, 304} or status < 200:
            return Answer(status, head, b"")
        if b"\r\ntransfer-encoding: chunked" in lower:
            return Answer(status, head, self._chunks())
        length = int(lower.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0])
        return Answer(status, head, self._stream.read(length))

    def _line(self) -> bytes:
        line = self._stream.readline()
        if not line:
            raise EOFError("the connection ended without an answer")
        return line

    def _chunks(self) -> bytes:
        pieces = []
        while size := int(self._line(), 16):
            pieces.append(self._stream.read(size))
            self._line()
        self._line()
        return b"".join(pieces)


def exchange_broken(port: int, data: bytes, *, timeout_s: float = 30) -> bytes:
    """Send bytes that are no proper request, end the sending side, and read whatever comes until the end.

    Raises:
        TimeoutError: the server keeps the connection.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        pieces = []
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                pieces.append(piece)
        except (ConnectionResetError, BrokenPipeError):
            pass  # refused in the middle of what we sent: an answer too
        return b"".join(pieces)


def resident_bytes(process_id: int) -> int:
    """How much memory does this process hold now?"""
    with open(f"/proc/{process_id}/status", encoding="ascii") as status:  # noqa: PTH123 - no file, an answer of the kernel
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def processor_seconds(process_id: int) -> float:
    """How long has this process been computing since it began?"""
    with open(f"/proc/{process_id}/stat", encoding="ascii") as stat:  # noqa: PTH123 - the same
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
