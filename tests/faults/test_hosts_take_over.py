"""Several hosts share a log: one writes, one stands by. Whatever happens to the first, the log is never forked.

Each host is a data directory and a process of its own; they share the databases, and no file. Judged by the public
files of the host that goes on, held against the receipts of both.
"""

from __future__ import annotations

import shutil
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from audit_service.ledger import Ledger
from tests.support.insistent_clients import InsistentClients
from tests.support.numbered_city import make_numbered_city, project
from tests.support.postgres import drop_database, new_database
from tests.support.public_log import judge
from tests.support.running_server import RunningServer
from tests.support.small_city import TIMEOUT_S, SmallCity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_service.database_url import DatabaseUrl


class Hosts:
    """The writer, the one that stands by, and a city that knows the agency's key."""

    def __init__(self, city: SmallCity, journal: DatabaseUrl, first: RunningServer, second: RunningServer) -> None:
        self.city = city
        self.journal = journal
        self.first = first
        self.second = second

    def end_lock_session(self) -> None:
        """What an operator does about a host that hangs: end the session that holds the lock."""
        with psycopg.connect(self.journal.reveal(), autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            ).fetchall()
        assert ended, "nobody had the lock"


@pytest.fixture
def hosts(postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    urls = [new_database(postgres_server), new_database(postgres_server)]
    for variable, url in zip(("AUDIT_DATABASE_URL", "AUDIT_JOURNAL_URL"), urls, strict=True):
        monkeypatch.setenv(variable, url.reveal())
    settings = make_numbered_city(tmp_path / "first")
    with Ledger(settings) as ledger:
        city = SmallCity(settings, ledger)
        city.post(project())
    # The second host gets the settings and the keys; nothing else of the first one's files.
    (tmp_path / "second").mkdir()
    for name in ("ledger.toml", "log.vkey"):
        shutil.copy(settings.data_dir / name, tmp_path / "second" / name)
    shutil.copytree(settings.keys, tmp_path / "second" / "keys")
    with _running(settings.data_dir) as first:
        first.wait_until_ready()
        with _running(tmp_path / "second", "--standby") as second:
            wait_for_log(second, "standing by")
            yield Hosts(city, urls[1], first, second)
    for url in urls:
        drop_database(url, postgres_server)


@contextmanager
def _running(data_dir: Path, *arguments: str) -> Iterator[RunningServer]:
    server = RunningServer(data_dir, options=arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait(TIMEOUT_S)
        server.close()


def wait_for_log(server: RunningServer, words: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while words not in server.log_file.read_text():
        assert server.process.poll() is None, server.log_file.read_text()
        assert time.monotonic() < deadline, server.log_file.read_text()
        time.sleep(0.02)


def require_one_log(hosts: Hosts, clients: InsistentClients) -> None:
    hosts.second.wait_until_ready()
    hosts.second.wait_for("published_size", hosts.second.get_json("/readyz")["signed_size"])
    notes = [(hosts.first.data_dir / "public/log/checkpoint").read_bytes()]
    assert judge(hosts.second.data_dir, receipts=clients.receipts, notes=notes).findings == []


def test_a_killed_writer_is_followed_by_the_one_that_stood_by(hosts: Hosts) -> None:
    clients = InsistentClients([hosts.first, hosts.second], hosts.city)
    clients.during(hosts.first.process.kill)
    require_one_log(hosts, clients)


def test_a_writer_that_was_asleep_during_the_takeover_writes_nothing_more(hosts: Hosts) -> None:
    clients = InsistentClients([hosts.second, hosts.first], hosts.city)

    def sleep_and_wake() -> None:
        hosts.first.process.send_signal(signal.SIGSTOP)
        hosts.end_lock_session()
        wait_for_log(hosts.second, '"message":"signed"')
        hosts.first.process.send_signal(signal.SIGCONT)

    # Clients that wait for the sleeper must not wait for ever.
    hosts.first.timeout_s = hosts.second.timeout_s = 2
    clients.during(sleep_and_wake)
    wait_for_log(hosts.first, "another process has taken over")
    require_one_log(hosts, clients)


def test_a_host_without_the_lock_does_not_write(hosts: Hosts) -> None:
    with _running(hosts.second.data_dir) as third:
        assert third.process.wait(TIMEOUT_S) == 2
        assert "another process" in third.log_file.read_text()
    hosts.first.wait_until_ready()
