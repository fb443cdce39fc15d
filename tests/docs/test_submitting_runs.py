"""Does what docs/submitting.md tells a shell and a Java program to do end in a receipt that holds?"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from audit_client.receipts import check_receipt
from tests.support.running_server import ROOT, running_server
from tests.support.small_city import make_small_city
from verifier.canonical import parse_strict
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    python = shlex.quote(sys.executable)
    for name in ("curl", "openssl"):
        if shutil.which(name) is None:
            script = f'{name}() {{ {python} -m tests.support.{name} "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_agency_with_a_shell_or_with_java_gets_a_receipt_that_holds(tmp_path: Path) -> None:
    settings = make_small_city(tmp_path / "city")
    desk = tmp_path / "desk"
    desk.mkdir()
    shutil.copy(settings.keys / "city.key", desk / "agency.key")
    shutil.copy(settings.keys / "city.token", desk / "agency.token")
    vkey = VerifierKey.parse((settings.data_dir / "log.vkey").read_text().strip())
    *steps, from_seed = _BLOCK.findall((ROOT / "docs" / "submitting.md").read_text(encoding="utf-8"))
    assert _shell(from_seed, desk).returncode == 0

    with running_server(settings.data_dir) as server:
        ended = _shell("\n".join([f"url={server.url}", *steps, 'printf "%s\n%s" "$kid" "$payload" > payload']), desk)
        assert ended.returncode == 0, ended.stderr
        kid, payload = (desk / "payload").read_text(encoding="utf-8").split("\n")
        receipt = check_receipt(
            parse_strict(payload.encode()),
            entry=(desk / "entry.json").read_bytes(),
            proof=(desk / "receipt.tlog-proof").read_bytes(),
            vkey=vkey,
        )
        assert receipt.index == 1

        if shutil.which("java"):
            again = desk / "payload.json"
            again.write_text(payload.replace("bridges-1", "bridges-2"), encoding="utf-8")
            java = ["java", str(ROOT / "examples" / "Submit.java"), "agency.pem", kid, "payload.json", server.url]
            sent = subprocess.run(
                [*java, "agency.token"], cwd=desk, capture_output=True, text=True, encoding="utf-8", check=False
            )
            assert sent.returncode == 0, sent.stdout + sent.stderr
            entry = server.get("/v1/events/2")
            assert (
                check_receipt(
                    parse_strict(again.read_bytes()), entry=entry, proof=sent.stdout.encode(), vkey=vkey
                ).index
                == 2
            )
