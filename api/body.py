"""How does a request's body come in without costing more than it may?

Read as a stream, with a cap, a deadline and a bound on what all bodies together may hold in memory. The media
type decides how many events it is; what an event means is read elsewhere.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import ClientDisconnect

from api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

ONE = frozenset({"application/cloudevents+json", "application/json"})
ARRAY = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"
ALLOWED = (*sorted(ONE), ARRAY, LINES)

_array_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class BodyBudget:
    """How much memory bodies in flight may hold, together and for each caller; beyond it new ones come later."""

    def __init__(self, limit_bytes: int, *, caller_limit_bytes: int | None = None) -> None:
        self.free_bytes = limit_bytes
        self._caller_limit_bytes = limit_bytes if caller_limit_bytes is None else caller_limit_bytes
        # Only callers with a body on its way stand here.
        self._held_bytes: dict[str, int] = {}

    @contextmanager
    def hold(self, size_bytes: int, *, caller: str = "") -> Iterator[None]:
        """Set aside memory for one body.

        Raises:
            Problem: `overloaded`, or `too-many-requests` for a caller that would crowd out the others; early
                refusal keeps those that are served fast.
        """
        if size_bytes > self.free_bytes:
            raise Problem("overloaded", "too many bodies are on their way", headers={"Retry-After": "1"})
        held_bytes = self._held_bytes.get(caller, 0)
        if held_bytes + size_bytes > self._caller_limit_bytes:
            detail = "this token has too many bodies on their way"
            raise Problem("too-many-requests", detail, headers={"Retry-After": "1"})
        self.free_bytes -= size_bytes
        self._held_bytes[caller] = held_bytes + size_bytes
        try:
            yield
        finally:
            self.free_bytes += size_bytes
            # An empty body holds nothing, so another one of this caller may have taken the row away already.
            left_bytes = self._held_bytes.get(caller, 0) - size_bytes
            if left_bytes:
                self._held_bytes[caller] = left_bytes
            else:
                self._held_bytes.pop(caller, None)


def media_type_of(request: Request) -> str:
    """Which of the four media types is this body?

    Raises:
        Problem: `unsupported-media-type`.
    """
    content_type = request.headers.get("content-type", "")
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if (
        media_type not in ALLOWED
        or charset not in {"", "charset=utf-8"}
        or request.headers.get("content-encoding", "identity").lower() != "identity"
    ):
        raise Problem(
            "unsupported-media-type",
            "send UTF-8 without Content-Encoding, as one of the allowed media types",
            headers={"Accept-Post": ", ".join(ALLOWED)},
            allowed=list(ALLOWED),
        )
    return media_type


def announced_length(request: Request, *, cap_bytes: int) -> int:
    """How many bytes to expect: Content-Length, or the cap where the client does not say.

    Raises:
        Problem: `body-too-large` before a byte of it is read.
    """
    announced = request.headers.get("content-length")
    if announced is None:
        return cap_bytes
    # The server in front has already refused a Content-Length that is no number.
    length = int(announced) if announced.isascii() and announced.isdigit() else cap_bytes + 1
    if length > cap_bytes:
        raise _too_large(cap_bytes)
    return length


async def read_body(
    request: Request, *, cap_bytes: int, timeout_s: float, grace_s: float = math.inf, bytes_per_s: int = 1
) -> bytes:
    """Read the whole body: no more than the cap, no longer than the deadline, no slower than the minimum rate.

    Raises:
        Problem: `body-too-large`, `body-timeout`, `body-incomplete`.
    """
    chunks = []
    size = 0
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(begun + min(grace_s, timeout_s)) as deadline:
            async for chunk in request.stream():
                size += len(chunk)
                if size > cap_bytes:
                    raise _too_large(cap_bytes)
                chunks.append(chunk)
                # Bytes buy time at the minimum rate, up to the deadline: standing still and trickling both end.
                earned_s = grace_s + size / bytes_per_s
                deadline.reschedule(begun + min(earned_s, timeout_s))
    except TimeoutError as error:
        # The rest may still come: this connection cannot be used again.
        raise Problem(
            "body-timeout",
            f"the body did not arrive within {timeout_s:g} s, or came too slowly",
            headers={"Connection": "close"},
        ) from error
    except ClientDisconnect as error:
        raise Problem("body-incomplete", "the connection ended inside the body") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def split_events(body: bytes, media_type: str, *, max_items: int, max_bytes: int) -> list[bytes]:
    """Cut a batch into the bytes of its events, which are checked one by one afterwards.

    Raises:
        Problem: `malformed-submission` when it is no array (NDJSON lines are not looked into here),
            `too-many-items`, `too-large` naming the item.
    """
    items = _split_array(body) if media_type == ARRAY else _split_lines(body)
    if not items:
        raise _malformed("a batch holds at least one event", rule_id="batch.empty")
    if len(items) > max_items:
        raise Problem("too-many-items", f"at most {max_items} events in one request", allowed=max_items)
    if len(max(items, key=len)) > max_bytes:
        number = next(i for i, item in enumerate(items) if len(item) > max_bytes)
        raise Problem("too-large", f"one event may hold {max_bytes} bytes", item=number, allowed=max_bytes)
    return items


def _split_lines(body: bytes) -> list[bytes]:
    lines = body.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return lines


def _split_array(body: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _array_decoder.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed("the body is not a JSON array of events", rule_id="batch.array") from error


def _malformed(detail: str, *, rule_id: str) -> Problem:
    return Problem("malformed-submission", detail, rule_id=rule_id)


def _too_large(cap_bytes: int) -> Problem:
    return Problem(
        "body-too-large",
        f"this media type takes at most {cap_bytes} bytes",
        headers={"Connection": "close"},
        allowed=cap_bytes,
    )
