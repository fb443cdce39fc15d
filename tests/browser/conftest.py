"""A real Chromium before a real server with the demo city's page (and the smallest synthetic batches)."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.support.api_city import open_api_city
from tests.support.running_server import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# Chromium's own background traffic would look like the page's.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP plain.example 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("browser") / "city"
    with open_api_city(data_dir):
        pass
    with running_server(data_dir, {"AUDIT_REPORT_INTERVAL_S": "0.5"}) as server:
        deadline = time.monotonic() + 30
        while server.request("GET", "/v1/reports/settlement/seoul-smartcity").status != 200:
            assert time.monotonic() < deadline, "the settlement is not published"
            time.sleep(0.05)
        yield server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "these tests need a Chromium: .ci/run installs one"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=list(_QUIET))
        yield opened
        opened.close()
