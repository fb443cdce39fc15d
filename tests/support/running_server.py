"""A real `audit serve` in its own process, and a small HTTP client for it.

The socket is bound here, so there is no port to guess and no moment when it is not there.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_SERVE = (sys.executable, "-m", "audit_cli.main", "serve")
_NO_LIMITS = {"AUDIT_REQUESTS_PER_TOKEN_S": "0", "AUDIT_REQUESTS_PER_ADDRESS_S": "0"}
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30


class RunningServer:
    """One running service: its address, and requests to it.

    Tests come all from one address, so the limits of requests are off unless `environment` says otherwise.
    """

    def __init__(
        self, data_dir: Path, environment: dict[str, str] | None = None, options: tuple[str, ...] = ()
    ) -> None:
        self.data_dir = data_dir
        self.timeout_s = 60.0
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
            self.log_file = data_dir / "server.log"
            with self.log_file.open("ab") as log:
                self.process = subprocess.Popen(
                    [*_SERVE, "--data", str(data_dir), "--fd", str(listener.fileno()), *options],
                    pass_fds=[listener.fileno()],
                    stdout=log,
                    stderr=log,
                    env={**_NO_LIMITS, **os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                )
        self.url = f"http://127.0.0.1:{self.port}"
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", self.port, retries=False, maxsize=16)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log_file.read_text()}")
            if self.request("GET", "/readyz").status == 200:
                return
            assert time.monotonic() < deadline, self.log_file.read_text()
            time.sleep(0.02)

    def request(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return self._pool.request(method, path, **{"timeout": self.timeout_s, **options})

    def get(self, path: str, *, accept: str | None = None) -> bytes:
        answer = self.request("GET", path, headers={"Accept": accept} if accept else {})
        assert answer.status == 200, (path, answer.status, answer.data)
        return answer.data

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(
        self, body: bytes, *, agency: str, media_type: str = "application/cloudevents+json", query: str = ""
    ) -> urllib3.BaseHTTPResponse:
        token = (self.data_dir / "keys" / f"{agency}.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
        return self.request("POST", f"/v1/events{query}", body=body, headers=headers)

    def wait_for(self, what: str, size: int) -> None:
        """Wait until `published_size` or `projected_size` has reached a tree size."""
        deadline = time.monotonic() + 20
        while self.get_json("/readyz")[what] < size:
            assert time.monotonic() < deadline, f"{what} did not reach {size}"
            time.sleep(0.02)

    def close(self) -> None:
        self._pool.close()

    def stop(self) -> None:
        self.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_TIMEOUT_S) == 0, self.log_file.read_text()


@contextmanager
def running_server(data_dir: Path, environment: dict[str, str] | None = None) -> Iterator[RunningServer]:
    server = RunningServer(data_dir, environment)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
