"""How does a result get from the writer's thread to those who wait on the event loop?

Waking the loop is a system call; a group of a thousand results needs one, not a thousand.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

T = TypeVar("T")


class Completions(Generic[T]):
    """Brings results of futures that another thread fulfils to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._done: deque[tuple[asyncio.Future[T], Future[T]]] = deque()
        self._woken = False

    def wait_for(self, future: Future[T]) -> asyncio.Future[T]:
        """Give what can be awaited. Whoever stops waiting cancels nothing: others in the group wait for it too."""
        waiter: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(lambda done: self._add(waiter, done))
        return waiter

    def _add(self, waiter: asyncio.Future[T], done: Future[T]) -> None:
        self._done.append((waiter, done))
        # Set before the wake-up and cleared before the queue is emptied: what is added in between wakes again.
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._done:
            waiter, done = self._done.popleft()
            if waiter.cancelled():
                continue
            error = done.exception()
            if error is None:
                waiter.set_result(done.result())
            else:
                waiter.set_exception(error)
