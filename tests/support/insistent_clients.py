"""Several clients that post to a service whose stores come and go, as the documentation tells them to.

Each sends a submission until it has a receipt; nothing but 503 with `Retry-After` is an excuse. What they were told is
kept, so that the public log can be held against it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import urllib3

from tests.support.numbered_city import numbered
from tests.support.public_log import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.running_server import RunningServer
    from tests.support.small_city import SmallCity

CLIENTS = 6
DEADLINE_S = 60


@dataclass
class InsistentClients:
    """Clients of one log; with several services they ask the next one when one does not answer."""

    services: Sequence[RunningServer]
    city: SmallCity
    receipts: list[Receipt] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def during(self, disturb: Callable[[], None]) -> None:
        """Keep posting while something is disturbed, and until every client has been answered again."""
        clients = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            self.wait_for_receipts(20)
            disturb()
            self.wait_for_receipts(20)
        finally:
            self.stopping.set()
            for client in clients:
                client.join(DEADLINE_S)
        assert self.unexpected == []

    def wait_for_receipts(self, count: int) -> None:
        """Wait until so many more submissions were acknowledged."""
        wanted, deadline = len(self.receipts) + count, time.monotonic() + DEADLINE_S
        while len(self.receipts) < wanted:
            assert not self.unexpected, self.unexpected
            assert time.monotonic() < deadline, f"no more receipts; refused: {self.refused}"
            time.sleep(0.01)

    def _run(self, number: int) -> None:
        count = 0
        while not self.stopping.is_set() and not self.unexpected:
            count += 1
            self.insist(f"c{number}-{count}")

    def insist(self, event_id: str) -> None:
        """Send one submission again and again until it is recorded."""
        body = self.city.sign(numbered(None, event_id=event_id))
        deadline = time.monotonic() + DEADLINE_S
        told = "nobody answers"
        while time.monotonic() < deadline:
            for service in self.services:
                answer = self._ask(service, body)
                if answer is None:
                    continue
                if answer.status in {200, 201}:
                    receipt = json.loads(answer.data)
                    self.receipts.append(Receipt(event_id, receipt["index"], receipt["checkpoint"].encode()))
                    return
                self.refused[answer.status] += 1
                told = f"{answer.status} {answer.data!r} {dict(answer.headers)}"
                if answer.status != 503 or not int(answer.headers.get("Retry-After", "0")):
                    self.unexpected.append(f"{event_id}: {told}")
                    return
            time.sleep(0.02)  # a patient client would wait as long as it was told
        self.unexpected.append(f"{event_id}: {told}")

    def _ask(self, service: RunningServer, body: bytes) -> urllib3.BaseHTTPResponse | None:
        if len(self.services) == 1:
            return service.post(body, agency="roads")
        with suppress(urllib3.exceptions.HTTPError):  # a host that is gone answers nothing
            return service.post(body, agency="roads")
        return None
