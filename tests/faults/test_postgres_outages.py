"""PostgreSQL is stopped, killed, and cuts its connections while agencies post: nothing is lost, nothing is doubled.

A real service, a real server, several clients at once, and one judge: the public log, read as anybody reads it.
Callers are answered 503 with `Retry-After` while the database is away. The service is never restarted: it recovers by
itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from audit_service.ledger import Ledger
from projections.log_source import DirectoryLog
from projections.replay import replay
from tests.support.insistent_clients import InsistentClients
from tests.support.numbered_city import make_numbered_city, project
from tests.support.postgres import PostgresServer, new_database, own_server
from tests.support.public_log import judge
from tests.support.running_server import running_server
from tests.support.small_city import SmallCity
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_service.database_url import DatabaseUrl

    Disturbance = Callable[[InsistentClients, PostgresServer, DatabaseUrl], None]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own: it is stopped and killed."""
    with own_server() as running:
        yield running


def stop_and_start(clients: InsistentClients, server: PostgresServer, _url: DatabaseUrl) -> None:
    for _ in range(2):
        server.stop()
        time.sleep(0.3)  # the outage itself
        server.start()
        clients.wait_for_receipts(10)


def kill_and_start(clients: InsistentClients, server: PostgresServer, _url: DatabaseUrl) -> None:
    for _ in range(2):
        server.kill()
        server.start()
        clients.wait_for_receipts(10)


def cut_connections(clients: InsistentClients, _server: PostgresServer, url: DatabaseUrl) -> None:
    for _ in range(12):
        with psycopg.connect(url.reveal(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        clients.wait_for_receipts(5)


@pytest.mark.parametrize("journal", ["file", "postgresql"])
@pytest.mark.parametrize("disturb", [stop_and_start, kill_and_start, cut_connections])
def test_nothing_is_lost_and_nothing_is_doubled(
    tmp_path: Path, server: PostgresServer, disturb: Disturbance, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(server.url)
    monkeypatch.setenv("AUDIT_DATABASE_URL", url.reveal())
    if journal == "postgresql":
        # On the same server, so that both are away at once; its connections are cut in turn.
        journal_url = new_database(server.url)
        monkeypatch.setenv("AUDIT_JOURNAL_URL", journal_url.reveal())
    settings = make_numbered_city(tmp_path / "city")
    with Ledger(settings) as ledger:
        city = SmallCity(settings, ledger)
        assert city.post(project()).outcomes[0].error is None
    with running_server(settings.data_dir) as service:
        clients = InsistentClients([service], city)
        cut = journal_url if journal == "postgresql" and disturb is cut_connections else url
        clients.during(lambda: disturb(clients, server, cut))
        assert clients.refused[503], "a store was away and nobody noticed: the test disturbs nothing"
        service.wait_until_ready()
        size = service.get_json("/readyz")["signed_size"]
        service.wait_for("published_size", size)
        service.wait_for("projected_size", size)
        log = service.log_file.read_text()
    assert judge(settings.data_dir, receipts=clients.receipts).findings == []
    vkey = VerifierKey.parse((settings.data_dir / "log.vkey").read_text().strip())
    verdict = replay(DirectoryLog(settings.public / "log"), vkey=vkey)
    assert verdict.holds, verdict.violations
    password = urlsplit(url.reveal()).password
    assert password
    assert password not in log, "every kind of error of a database was logged, and none with its password"
