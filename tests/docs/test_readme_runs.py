"""Does what the README tells a reader to type work, against a real server, with the results that it promises?"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from audit_cli.demo import prepare_ledger
from audit_cli.demo_city import AGENCIES, event_batches, read_credentials
from audit_cli.output import Output
from audit_cli.report_publishing import request_publication
from audit_service.settings import load_settings
from tests.support.running_server import ROOT, running_server

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks() -> list[str]:
    """The README's commands after the two that set everything up, which is what this test runs in."""
    return _BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))[1:]


def _shell(script: str, folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    python = shlex.quote(sys.executable)
    script = (
        script.replace("http://127.0.0.1:8000", address)
        .replace(".venv/bin/audit", f"{python} -m audit_cli.main")
        .replace(".venv/bin/python examples", f"{python} {shlex.quote(str(ROOT))}/examples")
    )
    if shutil.which("curl") is None:
        script = f'curl() {{ {python} -m tests.support.curl "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_who_types_what_the_readme_says(tmp_path: Path) -> None:
    data_dir = tmp_path / "var" / "demo"
    prepare_ledger(data_dir, Output(quiet=True))
    keys = data_dir / "keys"
    credentials = {agency.code: read_credentials(keys, agency.code) for agency in AGENCIES}
    post, verify, replay, prove = _blocks()

    with running_server(data_dir) as server:
        for batch in event_batches(credentials):
            body = b"[" + b",".join(batch.lines) + b"]"
            media_type = "application/cloudevents-batch+json"
            answer = server.post(body, agency=batch.agency, media_type=media_type, query="?atomic=true")
            assert answer.status == 200, answer.data
        posted = _shell(post, tmp_path, server.url)
        assert posted.returncode == 0, posted.stderr
        copied = _shell(replay, tmp_path, server.url)
        assert copied.returncode == 0, copied.stdout + copied.stderr
        assert "HOLDS" in copied.stdout
        # As `audit demo` does at its end.
        assert request_publication(load_settings(data_dir)) > 5
        proven = _shell(prove, tmp_path, server.url)
        assert proven.returncode == 0, proven.stdout + proven.stderr
        assert "unspent_won: 541,831,000" in proven.stdout
        address = server.url

    # "Stop the server if you like."
    checked = _shell(verify, tmp_path, address)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "budget.allotted.v1" in checked.stdout

    # "Change one byte of entry.json, and the check says which step does not hold."
    entry = tmp_path / "entry.json"
    entry.write_bytes(entry.read_bytes().replace(b"1000000", b"1000001"))
    checked = _shell(verify, tmp_path, address)
    assert checked.returncode == 1
    assert "DOES NOT HOLD" in checked.stdout
