"""The wheel, installed outside the checkout into environments that hold nothing else.

`make test` prepares two environments without the project: `.venv-auditor` with the base dependencies and
`.venv-city` with those of the extra `server`. The wheel is built from the checkout and put beside them, so what runs
is what a stranger would get.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 180
_PIP_INSTALL = (
    sys.executable,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--no-deps",
    "--no-index",
    "--disable-pip-version-check",
)


@dataclass(frozen=True)
class Installation:
    """One environment with the wheel in it."""

    python: Path
    site: Path
    elsewhere: Path

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.python), "-m", "audit_cli.main", *map(str, arguments)]

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {**kept, "PYTHONPATH": str(self.site)}

    def run(self, code_or_module: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            code_or_module,
            cwd=self.elsewhere,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def audit(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return self.run(self.command(*arguments))

    def imports(self, module: str) -> bool:
        return self.run([str(self.python), "-c", f"import {module}"]).returncode == 0


def build_wheel(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, environment: str, folder: Path) -> Installation:
    """Put the wheel beside one of the prepared environments; `folder` is outside the checkout."""
    python = ROOT / environment / "bin" / "python"
    assert python.exists(), f"{environment} is missing: run `make test`, which prepares it"
    site, elsewhere = folder / "site", folder / "elsewhere"
    elsewhere.mkdir(parents=True)
    subprocess.run(
        [*_PIP_INSTALL, "--target", str(site), str(wheel)],
        check=True,
        capture_output=True,
    )
    return Installation(python=python, site=site, elsewhere=elsewhere)
