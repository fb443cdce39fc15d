"""Programs of the fault tests, run beside each other: one for each core, each with its share of the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHARES = 2


def run_program(module: str, *arguments: str) -> list[dict[str, Any]]:
    """Run one program once for each list of arguments that differs in `{share}`; what each printed as JSON."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, *(argument.format(share=share) for argument in arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for share in range(SHARES if any("{share}" in argument for argument in arguments) else 1)
    ]
    results = []
    for process in processes:
        output, complaints = process.communicate()
        assert process.returncode == 0, complaints[-4000:]
        results.append(json.loads(output))
    return results


def merged(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums of what several programs counted, and all that they found."""
    total = dict(results[0])
    for result in results[1:]:
        total = {name: value + result[name] for name, value in total.items()}
    return total
