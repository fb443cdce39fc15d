"""Can a stranger check the demo city with nothing but a copy of its files, the printed key and the base package?

The server is stopped, the files are copied elsewhere, and no eventsourcing, SQLAlchemy or FastAPI is installed. What
was served holds; then one byte is changed, each time somewhere else, and the check fails and names the place.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import DemoCity
    from tests.support.installed import Installation


@pytest.fixture
def copy(demo: DemoCity, tmp_path: Path) -> Path:
    """The stranger's files, copied to a place of their own."""
    shutil.copytree(demo.taken, tmp_path / "taken")
    return tmp_path / "taken"


def replay(auditor: Installation, copy: Path, vkey: str) -> tuple[int, str]:
    done = auditor.audit("replay", copy / "copy", "--vkey", vkey, "--quiet")
    return done.returncode, done.stdout + done.stderr


def verify(auditor: Installation, copy: Path, vkey: str) -> tuple[int, str]:
    done = auditor.audit("verify", copy / "entry.tlog-proof", "--entry", copy / "entry.json", "--vkey", vkey, "--quiet")
    return done.returncode, done.stdout + done.stderr


def test_the_demo_rebuilds_the_page(demo: DemoCity) -> None:
    assert demo.exit_code == 0, demo.printed
    assert "△495,398" in demo.printed
    assert "71,062" in demo.printed


def test_the_strangers_environment_is_empty(auditor: Installation) -> None:
    assert auditor.imports("projections.replay")
    for module in ("eventsourcing", "sqlalchemy", "fastapi", "alembic", "merklelib", "uvicorn", "jinja2"):
        assert not auditor.imports(module), module


def test_what_was_served_holds(auditor: Installation, demo: DemoCity, copy: Path) -> None:
    assert verify(auditor, copy, demo.vkey)[0] == 0
    code, said = replay(auditor, copy, demo.vkey)
    assert code == 0, said


def test_the_settlement_of_2019_is_proven_from_one_file(auditor: Installation, demo: DemoCity, copy: Path) -> None:
    """Unspent 541,831 thousand won, with the server stopped and nothing of it installed."""
    file = copy / "2019.row-proof.json"
    asked = ("--report", "settlement/seoul-smartcity", "--row", "settlements/2019/shared-admin")
    done = auditor.audit("verify", file, "--vkey", demo.vkey, *asked, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["row"]["cells"]["unspent_won"] == 541_831_000
    assert file.stat().st_size < 8192
    file.write_bytes(file.read_bytes().replace(b"541831000", b"541831001"))
    assert auditor.audit("verify", file, "--vkey", demo.vkey).returncode == 1


def test_every_published_report_is_recomputed(auditor: Installation, demo: DemoCity, copy: Path) -> None:
    done = auditor.audit("replay", copy / "copy", "--vkey", demo.vkey, "--json", "--quiet")
    reports = json.loads(done.stdout)["reports"]
    assert {report["kind"] for report in reports} == {
        "budget-book", "settlement", "contract-register", "project-register", "service-statistics", "stream-heads",
    }  # fmt: skip
    assert {report["verdict"] for report in reports} == {"equal"}


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def test_one_changed_byte_of_the_entry_is_found(auditor: Installation, demo: DemoCity, copy: Path) -> None:
    data = (copy / "entry.json").read_bytes()
    assert b'"amount_won":282451000' in data
    (copy / "entry.json").write_bytes(data.replace(b'"amount_won":282451000', b'"amount_won":282451001'))
    code, said = verify(auditor, copy, demo.vkey)
    assert code == 1
    assert "DOES NOT HOLD" in said


def test_one_changed_byte_of_the_receipts_signature_is_found(auditor: Installation, copy: Path, demo: DemoCity) -> None:
    flip(copy / "entry.tlog-proof", -10)
    code, said = verify(auditor, copy, demo.vkey)
    assert code == 1
    assert "signature" in said


def change_tile(copy: Path) -> str:
    flip(copy / "copy/log/tile/0/003", 40)
    return "tile/0/003"


def change_upper_tile(copy: Path) -> str:
    flip(copy / "copy/log/tile/1/000", 40)
    return "tile/1/000"


def change_bundle(copy: Path) -> str:
    flip(copy / "copy/log/tile/entries/002", 700)
    return "2"


def change_checkpoint(copy: Path) -> str:
    path = copy / "copy/log/checkpoint"
    lines = path.read_bytes().split(b"\n")
    lines[1] = str(int(lines[1]) - 1).encode()
    path.write_bytes(b"\n".join(lines))
    return "checkpoint"


def change_checkpoint_signature(copy: Path) -> str:
    path = copy / "copy/log/checkpoint"
    data = path.read_bytes()
    last = data.rstrip().rfind(b" ") + 12
    swapped = b"B" if data[last : last + 1] != b"B" else b"C"
    path.write_bytes(data[:last] + swapped + data[last + 1 :])
    return "checkpoint"


def change_one_won_of_a_figure(copy: Path) -> str:
    (path,) = [path for path in (copy / "copy/answers").rglob("*.json") if "settlement" in str(path)]
    answer = json.loads(path.read_bytes())
    row = next(row for row in answer["tables"]["settlements"] if row["unspent_won"] == 541_831_000)
    row["unspent_won"] += 1
    path.write_bytes(json.dumps(answer, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode())
    return "unspent_won"


def change_one_won_of_a_report(copy: Path) -> str:
    path = copy / "copy/reports/settlement/seoul-smartcity.json"
    report = json.loads(path.read_bytes())
    (row,) = [row for row in report["rows"] if row["key"] == "settlements/2019/shared-admin"]
    assert row["cells"]["unspent_won"] == 541_831_000
    row["cells"]["unspent_won"] += 1
    path.write_bytes(json.dumps(report, ensure_ascii=False).encode())
    return "row settlements/2019/shared-admin/cells/unspent_won: expected 541,831,000, found 541,831,001"


def leave_a_row_out_of_a_report(copy: Path) -> str:
    path = copy / "copy/reports/contract-register/all.json"
    report = json.loads(path.read_bytes())
    left_out = report["rows"].pop(2)
    path.write_bytes(json.dumps(report, ensure_ascii=False).encode())
    return f"row {left_out['key']}"


@pytest.mark.parametrize(
    "change",
    [
        change_tile,
        change_upper_tile,
        change_bundle,
        change_checkpoint,
        change_checkpoint_signature,
        change_one_won_of_a_figure,
        change_one_won_of_a_report,
        leave_a_row_out_of_a_report,
    ],
)
def test_one_change_in_the_copy_is_found_and_named(
    auditor: Installation, demo: DemoCity, copy: Path, change: Callable[[Path], str]
) -> None:
    named = change(copy)
    code, said = replay(auditor, copy, demo.vkey)
    assert code == 1, said
    assert named in said
