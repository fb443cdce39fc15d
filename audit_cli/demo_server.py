"""How does the demo run a real server, and how does it end it?

The parent binds the address, so that "in use" is said before anything is created, and hands the listening
socket to `audit serve --fd`. The child is a process of its own: what the demo shows has gone through HTTP.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import urllib3

from audit_cli.errors import CommandError, WrongUse

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
_POLL_INTERVAL_S = 0.05


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 lets the system choose.

    Raises:
        WrongUse: the address is not usable, or in use.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise WrongUse(f"--host {host}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise WrongUse(f"{host}:{port}: {error.strerror}; choose another with --port") from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Under which address do clients reach it?"""
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"http://{host}:{port}"


class DemoServer:
    """`audit serve` on a socket that this process has bound; use it with `with`."""

    def __init__(self, data_dir: Path, listener: socket.socket) -> None:
        self._data_dir = data_dir
        self._messages = data_dir / "server.log"
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self.address = address_of(listener)

    def __enter__(self) -> Self:
        fd = self._listener.fileno()
        command = [sys.executable, "-m", "audit_cli.main", "serve", "--data", str(self._data_dir), "--fd", str(fd)]
        # Its messages are for its operator; here they would stand in the middle of the comparison.
        with self._messages.open("ab") as messages:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command, pass_fds=(fd,), stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
            )
        # The child has its own copy. With ours open, callers of a dead child would wait instead of being refused.
        self._listener.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def wait_until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until `/readyz` says 200.

        Raises:
            CommandError: the server ended, or was not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        pool = urllib3.PoolManager(retries=False, timeout=2.0)
        while time.monotonic() < deadline:
            self._require_running()
            try:
                if pool.request("GET", f"{self.address}/readyz").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass  # not listening to us yet; the deadline bounds this
            time.sleep(_POLL_INTERVAL_S)
        raise CommandError(f"the server was not ready after {timeout_s:.0f} s; see {self._messages}")

    def wait(self) -> None:
        """Wait until somebody tells the server to stop; Ctrl-C reaches it and us at once.

        Raises:
            CommandError: it ended by itself, which it should not.
        """
        if self._process is not None and self._process.wait() != 0:
            self._require_running()

    def stop(self) -> None:
        """End the server: ask, wait, and only then insist."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _require_running(self) -> None:
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise CommandError(f"the server ended with exit code {code}; see {self._messages}")
