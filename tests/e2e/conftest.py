"""The demo city, made once by the installed wheel and mirrored while its server ran."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import urllib3

from tests.support.installed import Installation, build_wheel, install

if TYPE_CHECKING:
    from pathlib import Path

SERVED_WITHIN_S = 60
STOPPED_WITHIN_S = 30


@dataclass(frozen=True)
class DemoCity:
    """What the demo printed, and what a stranger took away before its server was stopped."""

    printed: str
    exit_code: int
    taken: Path
    vkey: str


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def auditor(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel with the base dependencies only."""
    return install(wheel, ".venv-auditor", tmp_path_factory.mktemp("auditor"))


@pytest.fixture(scope="session")
def city(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel with the dependencies of the extra `server`."""
    return install(wheel, ".venv-city", tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="session")
def demo(city: Installation, auditor: Installation, tmp_path_factory: pytest.TempPathFactory) -> DemoCity:
    """`audit demo` as a new user runs it, then a stranger's mirror and one entry with its proof."""
    data = tmp_path_factory.mktemp("demo") / "city"
    taken = tmp_path_factory.mktemp("taken")
    made = city.audit("demo", "--no-serve", "--data", data)
    log_key = (data / "log.vkey").read_text().strip()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = subprocess.Popen(
            city.command("serve", "--data", data, "--fd", str(listener.fileno())),
            pass_fds=[listener.fileno()],
            env=city.environment,
            cwd=city.elsewhere,
            stderr=subprocess.DEVNULL,
        )
    try:
        _wait_until_ready(port)
        address = f"http://127.0.0.1:{port}"
        mirrored = auditor.audit("mirror", f"{address}/log", taken / "copy", "--vkey", log_key, "--quiet")
        assert mirrored.returncode == 0, mirrored.stderr
        http = urllib3.PoolManager(timeout=30)
        found = http.request("GET", f"{address}/v1/events?type=contract.instalment-signed.v1").json()
        index = found["entries"][0]["index"]
        (taken / "entry.json").write_bytes(http.request("GET", f"{address}/v1/events/{index}").data)
        proof = http.request("GET", f"{address}/v1/events/{index}/proof", headers={"Accept": "text/plain"})
        (taken / "entry.tlog-proof").write_bytes(proof.data)
        row = f"{address}/v1/reports/settlement/seoul-smartcity/rows/settlements/2019/shared-admin/proof"
        (taken / "2019.row-proof.json").write_bytes(http.request("GET", row).data)
        http.clear()
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(STOPPED_WITHIN_S) == 0
    return DemoCity(printed=made.stdout, exit_code=made.returncode, taken=taken, vkey=log_key)


def _wait_until_ready(port: int) -> None:
    http = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False, timeout=30)
    deadline = time.monotonic() + SERVED_WITHIN_S
    while http.request("GET", "/readyz").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    http.close()
