"""How does a walk over a log not wait for every single answer of a distant server?

Work is given to a few threads a little ahead of where the walk is, and its results come back in order.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

J = TypeVar("J")
R = TypeVar("R")


def read_ahead(jobs: Iterable[J], work: Callable[[J], R], *, workers: int) -> Iterator[tuple[J, R]]:
    """Yield `(job, work(job))` in the order of the jobs; memory holds at most twice `workers` results.

    With `workers` 0 each job is done when it is asked for: files are read faster than threads change turns.
    What `work` raises is raised where its result would have come.
    """
    if not workers:
        for job in jobs:
            yield job, work(job)
        return
    waiting: deque[tuple[J, Future[R]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="read-ahead")
    try:
        for job in jobs:
            waiting.append((job, pool.submit(work, job)))
            if len(waiting) == 2 * workers:
                first, result = waiting.popleft()
                yield first, result.result()
        while waiting:
            first, result = waiting.popleft()
            yield first, result.result()
    finally:
        # Also when the walk is left early: what was not begun is not done.
        pool.shutdown(wait=True, cancel_futures=True)
