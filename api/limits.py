"""How many requests may one caller send? Token buckets in memory: per bearer token, and per address.

A bucket holds ten seconds' worth of requests and is filled again at the rate. Memory is bounded: beyond so many
callers the one that was silent longest is forgotten, which at worst gives it a full bucket.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

BURST_S = 10
MAX_CALLERS = 50_000
# One subscriber has 2**64 addresses of IPv6: they count as one.
_IPV6_PREFIX = 64


class RateLimiter:
    """The buckets of one kind of caller; a rate of 0 lets everything through."""

    def __init__(
        self,
        *,
        rate_per_s: float,
        max_callers: int = MAX_CALLERS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate_per_s = rate_per_s
        # At least one, or nobody would ever pass.
        self._burst = max(1.0, rate_per_s * BURST_S)
        self._max_callers = max_callers
        self._clock = clock
        # Caller -> (requests left, when that was), the longest silent first.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Count one request; 0 lets it pass, else so many seconds must pass before the next one may."""
        if self._rate_per_s <= 0:
            return 0.0
        now = self._clock()
        left, then = self._buckets.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate_per_s)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._rate_per_s
        self._buckets[caller] = (left if wait_s else left - 1, now)
        if len(self._buckets) > self._max_callers:
            self._buckets.popitem(last=False)
        return wait_s


def too_many(detail: str, wait_s: float) -> Problem:
    """429 with Retry-After in whole seconds (RFC 6585 section 4)."""
    return Problem("too-many-requests", detail, headers={"Retry-After": str(math.ceil(wait_s))})


def counted_address(scope: Scope) -> str | None:
    """Which address does a connection count for? None where there is none (a Unix socket, a test client)."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address) if address is not None else None


class AddressLimit:
    """Application that lets each address send only so many requests."""

    def __init__(self, app: ASGIApp, *, rate_per_s: float) -> None:
        self._app = app
        self._limiter = RateLimiter(rate_per_s=rate_per_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            Problem: `too-many-requests`.
        """
        if scope["type"] == "http":
            address = counted_address(scope)
            wait_s = self._limiter.take(address) if address is not None else 0.0
            if wait_s:
                raise too_many("this address sends more requests than it may", wait_s)
        await self._app(scope, receive, send)
