"""Threat T7: what do a thousand copies of one submission, all at once, leave in the log? One leaf, one index.

Through HTTP, against a real `audit serve`, over a thousand connections. A copy that the service puts off (429, 503) or
hangs up on (too many connections of one address) is sent again, as a client does. The negative control are
submissions that differ: a leaf for each.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.numbered_city import entries_of, make_numbered_city, numbered, open_again, project
from tests.support.running_server import running_server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_service.settings import Settings
    from tests.support.running_server import RunningServer
    from tests.support.small_city import SmallCity

COPIES = 1_000
DIFFERENT = 200
PUT_OFF = (429, 503)


def request_of(server: RunningServer, body: bytes) -> bytes:
    token = (server.data_dir / "keys" / "roads.token").read_text().strip()
    head = (
        "POST /v1/events HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n"
        "Content-Type: application/cloudevents+json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(port: int, request: bytes, start: asyncio.Event) -> tuple[int, Any]:
    """Connect, wait for the common start, send, and read the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await start.wait()
        writer.write(request)
        answer = await reader.read()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    if not answer:
        raise ConnectionError("hung up without an answer")
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), json.loads(body)


async def until_taken(port: int, request: bytes, start: asyncio.Event) -> tuple[int, Any]:
    for _ in range(60):
        try:
            status, document = await exchange(port, request, start)
        except OSError:
            status = PUT_OFF[0]
        if status not in PUT_OFF:
            return status, document
        await asyncio.sleep(0.2)
    raise AssertionError("the service put a submission off for too long")


async def all_at_once(server: RunningServer, bodies: Sequence[bytes]) -> list[tuple[int, Any]]:
    start = asyncio.Event()
    tasks = [asyncio.create_task(until_taken(server.port, request_of(server, body), start)) for body in bodies]
    await asyncio.sleep(0.5)
    start.set()
    return await asyncio.gather(*tasks)


def signed(settings: Settings, *submissions: dict[str, Any]) -> list[bytes]:
    with open_again(settings) as city:
        return [city.sign(submission) for submission in submissions]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = make_numbered_city(tmp_path / "ledger")
    with open_again(settings) as city:
        assert city.post(project()).outcomes[0].index == 1
    return settings


def leaves_of(city: SmallCity, event_id: str) -> list[int]:
    return [index for index, entry in enumerate(entries_of(city)) if json.loads(entry)["id"] == event_id]


def test_a_thousand_copies_are_one_leaf_and_everybody_gets_its_index(settings: Settings) -> None:
    (body,) = signed(settings, numbered(1))
    with running_server(settings.data_dir) as server:
        answers = asyncio.run(all_at_once(server, [body] * COPIES))
    statuses = [status for status, _ in answers]
    assert (statuses.count(201), statuses.count(200)) == (1, COPIES - 1)
    assert {document["index"] for _, document in answers} == {2}
    with open_again(settings) as city:
        assert leaves_of(city, "plan-1") == [2]
        assert city.ledger.reader.tree_size == 3


def test_the_same_id_with_other_bytes_is_a_conflict_and_the_first_stays(settings: Settings) -> None:
    first, second = signed(
        settings,
        numbered(1),
        numbered(2, event_id="plan-1"),
    )
    with running_server(settings.data_dir) as server:
        answers = asyncio.run(all_at_once(server, [first, second] * 20))
        again = server.post(first, agency="roads"), server.post(second, agency="roads")
    taken = {json.dumps(document["index"]) for status, document in answers if status in (200, 201)}
    refused = [document for status, document in answers if status == 409]
    assert len(refused) == 20, "one of the two won; every copy of the other one is refused"
    assert {document["rule_id"] for document in refused} == {"envelope.id-taken"}
    assert sorted(answer.status for answer in again) == [200, 409]
    assert len(taken) == 1
    with open_again(settings) as city:
        assert leaves_of(city, "plan-1") == [int(taken.pop())]


def test_control_submissions_that_differ_are_leaves_of_their_own(settings: Settings) -> None:
    bodies = signed(settings, *(numbered(number) for number in range(DIFFERENT)))
    with running_server(settings.data_dir) as server:
        answers = asyncio.run(all_at_once(server, bodies))
    assert {status for status, _ in answers} == {201}
    assert sorted(document["index"] for _, document in answers) == list(range(2, DIFFERENT + 2))
