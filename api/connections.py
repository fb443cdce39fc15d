"""How long may a connection stay open without saying what it wants?

uvicorn waits for ever for the end of a request's head. Here a connection must have sent a whole head within the
timeout, counted from its opening or from the end of the answer before; bytes that trickle in buy no time. While a
request is being answered the clock stands still: bodies have their own deadline (`body.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

HEAD_TIMEOUT_S = 10.0
# How long a body that nobody wants any more is still taken in, so that its sender can read why.
LINGER_S = 2.0
# Beyond it new connections are closed at once; `audit serve` asks for as many open files as that takes.
MAX_CONNECTIONS = 2048


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on whoever does not finish the head of a request."""

    head_timeout_s: ClassVar[float] = HEAD_TIMEOUT_S
    max_connections: ClassVar[int] = MAX_CONNECTIONS
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the clock, or hang up where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
            return
        self._start_clock(self.head_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; a head that is whole stops the clock."""
        super().data_received(data)
        if self._answering():
            self._stop_clock()

    def on_response_complete(self) -> None:
        """Start the clock for the next head, unless it is here already."""
        super().on_response_complete()
        self._stop_clock()
        if not self._answering():
            # Who was refused before its body was whole may read the answer, not go on pouring.
            pouring = self.conn.their_state is h11.SEND_BODY
            self._start_clock(min(self.head_timeout_s, LINGER_S) if pouring else self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn says that it is never None; it begins so
        return cycle is not None and not cycle.response_complete

    def _start_clock(self, timeout_s: float) -> None:
        if not self.transport.is_closing():
            self._head_deadline = self.loop.call_later(timeout_s, self._hang_up)

    def _stop_clock(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _hang_up(self) -> None:
        self._head_deadline = None
        # Abort, not close: a client that reads nothing must not keep the connection through our buffers.
        self.transport.abort()
