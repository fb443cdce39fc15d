"""How does the city run its ledger? `audit serve`.

Opens the ledger (which checks its stores before anything may be signed), starts the read models, and serves
the API, the log's static files and the pages until it is told to stop. With `--standby` it first waits until the
process that writes the log is gone. Stores that contradict each other are served read-only. On SIGTERM or Ctrl-C it
answers what waits, publishes what is signed, and ends.
"""

from __future__ import annotations

import gc
import logging
import resource
import signal
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from api.connections import MAX_CONNECTIONS, ImpatientProtocol
from api.logs import log_as_json
from api.server import open_services
from audit_cli.errors import WrongUse
from audit_cli.server_errors import one_line_errors
from audit_service.settings import load_settings
from audit_service.signing.lock import stand_by
from audit_service.signing.stores import open_lock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from audit_service.settings import Settings
    from audit_service.signing.lock import WriterLock

logger = logging.getLogger(__name__)

_SHUTDOWN_TIMEOUT_S = 20
_BACKLOG = 2048
# Connections, and what the ledger and its databases hold open.
_OPEN_FILES = MAX_CONNECTIONS + 512


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit serve`."""
    parser.description = "Serve the API, the public log and the pages of one ledger."
    parser.epilog = "example:\n  audit serve --data var/demo --port 8000"
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--fd", type=int, metavar="N", help="serve on a socket that the parent has opened")
    parser.add_argument(
        "--standby",
        action="store_true",
        help="wait until no other process writes this log, then take it over and serve; the address may be the same",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop; returns the exit code."""
    log_as_json()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with one_line_errors():
        settings = load_settings(args.data)
    log_as_json(origin=settings.origin)
    lock = open_lock(settings)
    if args.standby and not _stand_by(lock):
        return 0
    listener = socket.socket(fileno=args.fd) if args.fd is not None else _listen(args.host, args.port)
    with listener, one_line_errors():
        _serve(settings, lock, listener)
    return 0


def _serve(settings: Settings, lock: WriterLock, listener: socket.socket) -> None:
    with open_services(settings, lock) as app:
        _collect_garbage_less_often()
        _allow_open_files(_OPEN_FILES)
        config = uvicorn.Config(
            app,
            http=ImpatientProtocol,
            loop="uvloop",
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_TIMEOUT_S,
        )
        _Server(config).run(sockets=[listener])


def _collect_garbage_less_often() -> None:
    """A batch of 20,000 events makes some 100,000 objects that live until it is answered.

    With the default thresholds the collector walks over them again and again, which costs a third of the time of a
    batch. What lives as long as the process is taken out of its sight.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _allow_open_files(wanted: int) -> None:
    """Ask for as many open files as the connections take; a system that allows fewer has fewer connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        logger.warning("only %d files may be open: connections beyond that are refused", allowed)


def _stand_by(lock: WriterLock) -> bool:
    """Wait for the lock; False if told to stop before. Whoever takes over has all modules loaded by then."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    logger.info("standing by: another process may be writing this log")
    try:
        return stand_by(lock, stopping.is_set)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """A server that ends its loop on a signal and leaves the rest to us.

    uvicorn raises the signal again when it has ended, which would kill the process before the ledger is closed.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the loop, once each."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket before the ledger, so that a taken port is said at once.

    Raises:
        WrongUse: the address cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise WrongUse(f"cannot listen on {host} port {port}: {error}") from error
    return listener
