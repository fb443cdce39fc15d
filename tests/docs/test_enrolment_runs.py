"""Does an agency that does what docs/enrolment.md says get from nothing to a receipt that holds?"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.running_server import ROOT, running_server
from tests.support.small_city import ORIGIN, make_small_city

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    python = shlex.quote(sys.executable)
    commands = {"audit": f"{python} -m audit_cli.main"}
    if shutil.which("openssl") is None:
        commands["openssl"] = f"{python} -m tests.support.openssl"
    functions = "".join(f'{name}() {{ {command} "$@"; }}\n' for name, command in commands.items())
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", functions + script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_a_new_agency_gets_its_first_receipt(tmp_path: Path) -> None:
    settings = make_small_city(tmp_path / "city")
    desk = tmp_path / "desk"
    desk.mkdir()
    for name in ("root-1.key", "root-2.key", "city.token"):
        shutil.copy(settings.keys / name, desk / name)
    shutil.copy(settings.data_dir / "log.vkey", desk / "log.vkey")
    blocks = _BLOCK.findall((ROOT / "docs" / "enrolment.md").read_text(encoding="utf-8"))

    with running_server(settings.data_dir) as server:
        names = f"url={server.url} origin={ORIGIN} data={shlex.quote(str(settings.data_dir))}\n"
        # The event before its agency is enrolled: it is refused, so that what follows is what lets it in.
        *steps, submitting, checking = blocks
        making, *registering, issuing = steps
        done = _shell(names + making, desk)
        assert done.returncode == 0, done.stderr
        shutil.copy(settings.keys / "city.token", desk / "parks.token")
        assert _shell(names + submitting, desk).returncode == 1
        (desk / "parks.token").unlink()
        for step in (*registering, issuing, submitting):
            done = _shell(names + step, desk)
            assert done.returncode == 0, done.stdout + done.stderr
        assert "would be recorded" in done.stdout
        assert "the receipt holds" in done.stdout
        server.wait_for("published_size", server.get_json("/v1/log")["tree_size"])
        done = _shell(names + checking, desk)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "parks" in done.stdout
