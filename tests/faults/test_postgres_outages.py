"""PostgreSQL is stopped, killed, and cuts its connections while agencies post: nothing is lost, nothing is doubled.

A real service, a real server, several clients at once, and one judge: the public log, read as anybody reads it.
Callers are answered 503 with `Retry-After` while the database is away; they send the same submission again, as the
documentation tells them to. The service is never restarted: it recovers by itself.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audit_service.ledger import Ledger
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.numbered_city import make_numbered_city, numbered, project
from tests.support.postgres import PostgresServer, new_database, own_server
from tests.support.running_server import RunningServer, running_server
from tests.support.small_city import SmallCity
from verifier.bundles import decode_bundle
from verifier.checkpoints import verify_checkpoint
from verifier.notes import VerifierKey
from verifier.tiles import bundles_for_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_service.database_url import DatabaseUrl

CLIENTS = 6
DEADLINE_S = 60


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own: it is stopped and killed."""
    with own_server() as running:
        yield running


@dataclass
class Load:
    """What several agencies' clients were told, until they are told to stop."""

    service: RunningServer
    city: SmallCity
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run_client(self, number: int) -> None:
        count = 0
        while not self.stopping.is_set() and not self.unexpected:
            count += 1
            self.insist(f"c{number}-{count}")

    def insist(self, event_id: str) -> None:
        """Send one submission again and again until it is recorded."""
        body = self.city.sign(numbered(None, event_id=event_id))
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            answer = self.service.post(body, agency="roads")
            if answer.status in {200, 201}:
                self.receipts[event_id] = json.loads(answer.data)
                return
            self.refused[answer.status] += 1
            if answer.status != 503 or not int(answer.headers.get("Retry-After", "0")):
                break
            time.sleep(0.02)  # a patient client would wait as long as it was told
        self.unexpected.append(f"{event_id}: {answer.status} {answer.data!r} {dict(answer.headers)}")

    def during(self, disturb: Callable[[], None]) -> None:
        """Keep the load up while the database is disturbed, and until every client has been answered again."""
        clients = [threading.Thread(target=self.run_client, args=(number,)) for number in range(CLIENTS)]
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

    def wait_for_receipts(self, count: int) -> None:
        """Wait until so many more submissions were acknowledged."""
        wanted, deadline = len(self.receipts) + count, time.monotonic() + DEADLINE_S
        while len(self.receipts) < wanted:
            assert not self.unexpected, self.unexpected
            assert time.monotonic() < deadline, f"no more receipts; refused: {self.refused}"
            time.sleep(0.01)


def stop_and_start(load: Load, server: PostgresServer, _url: DatabaseUrl) -> None:
    for _ in range(2):
        server.stop()
        time.sleep(0.3)  # the outage itself
        server.start()
        load.wait_for_receipts(10)


def kill_and_start(load: Load, server: PostgresServer, _url: DatabaseUrl) -> None:
    for _ in range(4):
        server.kill()
        server.start()
        load.wait_for_receipts(10)


def cut_connections(load: Load, _server: PostgresServer, url: DatabaseUrl) -> None:
    for _ in range(25):
        with psycopg.connect(url.reveal(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        load.wait_for_receipts(5)


def public_entries(public: Path, vkey: VerifierKey) -> list[bytes]:
    log = DirectoryLog(public)
    size = verify_checkpoint(log.fetch_checkpoint(), vkey=vkey).tree_size
    entries: list[bytes] = []
    for bundle in bundles_for_size(0, size):
        entries += decode_bundle(log.fetch_bundle(bundle.index, bundle.width), expected=bundle.width)
    return entries


def judge(load: Load, public: Path, vkey: VerifierKey) -> None:
    """Every acknowledged event stands where its receipt says, once; the whole log passes an auditor's replay."""
    entries = [json.loads(entry) for entry in public_entries(public, vkey)]
    for event_id, receipt in load.receipts.items():
        assert entries[receipt["index"]]["id"] == event_id
    doubled = [key for key, count in Counter((e["source"], e["id"]) for e in entries).items() if count > 1]
    assert doubled == []
    verdict = replay(DirectoryLog(public), vkey=vkey)
    assert verdict.holds, verdict.violations
    assert verdict.entries == len(entries)


@pytest.mark.parametrize("disturb", [stop_and_start, kill_and_start, cut_connections])
def test_nothing_is_lost_and_nothing_is_doubled(
    tmp_path: Path,
    server: PostgresServer,
    disturb: Callable[[Load, PostgresServer, DatabaseUrl], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = new_database(server.url)
    monkeypatch.setenv("AUDIT_DATABASE_URL", url.reveal())
    settings = make_numbered_city(tmp_path / "city")
    with Ledger(settings) as ledger:
        city = SmallCity(settings, ledger)
        assert city.post(project()).outcomes[0].error is None
        vkey = VerifierKey.parse(ledger.vkey)
    with running_server(settings.data_dir) as service:
        load = Load(service, city)
        load.during(lambda: disturb(load, server, url))
        assert load.unexpected == []
        assert load.refused[503], "the database was away and nobody noticed: the test disturbs nothing"
        service.wait_until_ready()
        size = service.get_json("/readyz")["signed_size"]
        service.wait_for("published_size", size)
        service.wait_for("projected_size", size)
        log = service.log_file.read_text()
    judge(load, settings.public / "log", vkey)
    assert url.reveal() not in log


def test_control_the_judge_sees_a_lost_and_a_doubled_event(tmp_path: Path) -> None:
    """An answer before the commit would leave a receipt without its entry; no idempotency key, a doubled entry."""
    settings = make_numbered_city(tmp_path / "city")
    with Ledger(settings) as ledger:
        city, vkey = SmallCity(settings, ledger), VerifierKey.parse(ledger.vkey)
        first = city.post(project()).outcomes[0].index
    load = Load(None, city, receipts={"project": {"index": first}})  # type: ignore[arg-type] # no service is asked
    judge(load, settings.public / "log", vkey)
    for told in ({"plan-1": {"index": first}}, {"project": {"index": 0}}):
        load.receipts = told
        with pytest.raises(AssertionError):
            judge(load, settings.public / "log", vkey)
