"""Is `audit demo` a command that one may run, interrupt, and run again? With real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.running_server import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STOPPED_WITHIN_S = 30
REPORTS = 15  # every kind, and each period of the statistics


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "audit_cli.main", "demo", *map(str, arguments)]


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, cwd=ROOT)


def compared(data: Path) -> dict[str, Any]:
    made = demo("--no-serve", "--json", "--data", data)
    assert made.returncode == 0, made.stderr
    report: dict[str, Any] = json.loads(made.stdout)
    return report


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "city"


@pytest.fixture(scope="module")
def first(data: Path) -> dict[str, Any]:
    return compared(data)


def test_every_cell_of_the_page_comes_back_over_http(first: dict[str, Any]) -> None:
    figures = [figure for section in first["sections"] for figure in section["figures"]]
    assert first["equal"] is True
    assert all(figure["equal"] for figure in figures)
    assert all(figure["provenance"] for figure in figures)
    # The genesis, 202 events, 9 manifests, 71,062 transactions and the reports.
    assert first["log"]["tree_size"] == 1 + 202 + 9 + 71_062 + REPORTS


def test_a_second_run_serves_the_same_city(first: dict[str, Any], data: Path) -> None:
    again = compared(data)
    assert again["log"]["root_hash"] == first["log"]["root_hash"]
    assert again["sections"] == first["sections"]


def test_private_keys_and_tokens_are_readable_by_their_owner_only(first: dict[str, Any], data: Path) -> None:
    assert first["equal"] is True
    secrets = list((data / "keys").iterdir())
    assert secrets
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}


def start(*arguments: object) -> subprocess.Popen[str]:
    """A demo in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        start_new_session=True,
    )


def wait_for_message(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the demo ended without saying {text!r}")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_served_demo_ends_with_its_server(first: dict[str, Any], data: Path, how: signal.Signals) -> None:
    assert first["equal"] is True
    with start("--data", data, "--port", 0) as process:
        wait_for_message(process, "serving")
        if how is signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does: the demo and its server
        else:
            process.send_signal(how)
        assert process.wait(STOPPED_WITHIN_S) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_interrupted_while_posting_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data = tmp_path / "city"
    with start("--no-serve", "--data", data) as process:
        wait_for_message(process, "events of the page")
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOPPED_WITHIN_S) == 130
    assert compared(data)["log"]["tree_size"] == 1 + 202 + 9 + 71_062 + REPORTS


def test_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years")
    refused = demo("--no-serve", "--data", tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_address_in_use_is_said_before_anything_is_created(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = demo("--data", tmp_path / "city", "--port", taken.getsockname()[1])
    assert refused.returncode == 2
    assert "in use" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "city").exists()


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "+1"], ["--host", ""], ["surplus"]])
def test_wrong_use_is_one_clear_line(arguments: list[str], tmp_path: Path) -> None:
    refused = demo("--data", tmp_path / "city", "--no-serve", *arguments)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "city").exists()
