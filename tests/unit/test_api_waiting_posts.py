"""Is a post refused early when as many as may are waiting, and served again when they are answered?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.ports import Limits, Services
from api.problems import Problem
from api.submission import SubmissionDoor

MOST = 3


class Door(SubmissionDoor):
    """A door behind which every post waits until it is let go."""

    def __init__(self) -> None:
        parts: dict[str, Any] = {"ledger": None, "read_models": None}
        super().__init__(Services(**parts, limits=Limits(waiting_posts=MOST)))
        self.answer = asyncio.Event()

    async def _take(self, _: Request) -> Response:
        await self.answer.wait()
        return Response(b"answered")


def post() -> Request:
    return Request({"type": "http", "method": "POST", "path": "/v1/events", "headers": [], "query_string": b""})


def test_what_comes_while_as_many_as_may_are_waiting_is_told_to_come_again() -> None:
    async def crowd() -> None:
        door = Door()
        waiting = [asyncio.create_task(door.take(post())) for _ in range(MOST)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await door.take(post())
        assert (refused.value.type.status, refused.value.headers) == (503, {"Retry-After": "1"})
        waiting[0].cancel()  # who hangs up makes room
        await asyncio.sleep(0)
        again = asyncio.create_task(door.take(post()))
        await asyncio.sleep(0)
        door.answer.set()
        answers = await asyncio.gather(*waiting[1:], again)
        assert [answer.body for answer in answers] == [b"answered"] * MOST

    asyncio.run(crowd())
