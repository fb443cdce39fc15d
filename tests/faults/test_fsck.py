"""Every flipped bit is named: rows of the database, tiles, bundles, checkpoint, archive, head, journal, read models."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli.main import main
from tests.support.running_server import running_server
from tests.support.small_city import budget_year, obligation, sealed_batch, service, small_city

if TYPE_CHECKING:
    from pathlib import Path

FLIPS = int(os.environ.get("TORTURE_FLIPS", "150"))
# Columns that follow from the entries. Tokens and waiting acts do not; the epoch is what recovery compares.
COLUMNS = {
    "events": ("log_index", "originator_id", "originator_version", "topic", "state", "leaf_hash"),
    "submissions": ("source", "submission_id", "digest", "first_index", "entry_count"),
    "head": ("tree_size", "root_hash", "right_edge", "recorded_time"),
    "checkpoints": ("tree_size", "root_hash", "note", "day"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of more than one tile, with a batch, an archive, read models, and entries that only the journal has."""
    data_dir = tmp_path_factory.mktemp("fsck") / "ledger"
    with small_city(data_dir) as city:
        city.post(*budget_year())
        city.post(service())
        city.send(*sealed_batch(city, "batch-1", count=300), atomic=True)
    with running_server(data_dir) as server:
        server.wait_for("projected_size", 307)
    with small_city(data_dir) as city:
        for number in range(3):
            city.post(obligation(number, amount_won=1))
    return data_dir


@pytest.fixture
def ledger(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "ledger")


def fsck(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main(["fsck", "--data", str(data_dir), "--json", "--quiet"])
    return code, json.loads(capsys.readouterr().out)["findings"]


def flip(data: bytes, rng: random.Random) -> tuple[bytes, int]:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :], place


def test_a_whole_ledger_has_no_findings(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fsck(ledger, capsys) == (0, [])


def flip_in_files(data_dir: Path, rng: random.Random) -> tuple[str, int | None]:
    paths = sorted(path for path in (data_dir / "public/log").rglob("*") if path.is_file())
    path = rng.choice(paths)
    data, place = flip(path.read_bytes(), rng)
    path.write_bytes(data)
    return str(path.relative_to(data_dir / "public/log")), place


def flip_in_journal(data_dir: Path, rng: random.Random) -> tuple[str, int | None]:
    path = rng.choice(sorted((data_dir / "journal").glob("sign-state*")))
    data, _ = flip(path.read_bytes(), rng)
    path.write_bytes(data)
    return f"journal/{path.name}", None


def flip_in_database(data_dir: Path, rng: random.Random) -> tuple[str, int | None]:
    """One bit of one value; a value of text is replaced by another text of the same length."""
    connection = sqlite3.connect(data_dir / "ledger.sqlite3")
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    table = rng.choice(list(COLUMNS))
    column = rng.choice(COLUMNS[table])
    key = {"events": "log_index", "submissions": "submission_id", "head": "id", "checkpoints": "tree_size"}[table]
    keys = connection.execute(f"SELECT {key} FROM {table} ORDER BY {key}").fetchall()  # noqa: S608 - our own names
    (chosen,) = rng.choice(keys)
    select = f"SELECT {column} FROM {table} WHERE {key} = ?"  # noqa: S608 - our own names
    (value,) = connection.execute(select, (chosen,)).fetchone()
    place: int | None = None
    if isinstance(value, bytes):
        value, place = flip(value, rng)
    elif isinstance(value, int):
        value ^= 1 << rng.randrange(12, 30)
    else:
        position = rng.randrange(len(value))
        value = value[:position] + chr(ord(value[position]) ^ 1) + value[position + 1 :]
    update = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"  # noqa: S608 - our own names
    connection.execute(update, (value, chosen))
    connection.commit()
    connection.close()
    if (table, column) == ("checkpoints", "tree_size"):
        chosen = value  # the row is found under its new key
    names = {"events": f"events {chosen}.{column}", "head": f"head.{column}", "checkpoints": f"checkpoints {chosen}"}
    return names.get(table, "submissions"), place if table == "events" else None


@pytest.mark.parametrize("flipping", [flip_in_files, flip_in_journal, flip_in_database])
def test_every_flipped_bit_is_named(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flipping: Any
) -> None:
    rng = random.Random(7)
    missed = []
    for number in range(FLIPS // 3):
        data_dir = shutil.copytree(whole, tmp_path / f"flipped-{number}")
        place, offset = flipping(data_dir, rng)
        code, findings = fsck(data_dir, capsys)
        named = [finding for finding in findings if finding["place"].startswith(place.partition(".log_index")[0])]
        if code != 1 or not named or (offset is not None and offset not in {each["offset"] for each in named}):
            missed.append((place, offset, findings[:3]))
        shutil.rmtree(data_dir)
    assert missed == []


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("entry_index", "subject = subject || 'x'"),
        ("projection_rows", "body = replace(body, '1', '2')"),
        ("fold_state", "state = x'00'"),
    ],
)
def test_a_read_model_that_lies_is_named(
    ledger: Path, capsys: pytest.CaptureFixture[str], table: str, change: str
) -> None:
    connection = sqlite3.connect(ledger / "projections.sqlite3")
    connection.execute(f"UPDATE {table} SET {change} WHERE rowid = (SELECT max(rowid) FROM {table})")  # noqa: S608
    connection.commit()
    connection.close()
    code, findings = fsck(ledger, capsys)
    assert code == 1
    assert all(finding["place"].startswith(f"projections: {table} (") for finding in findings)


def test_it_does_not_run_beside_the_service(ledger: Path) -> None:
    with small_city(ledger):
        assert main(["fsck", "--data", str(ledger)]) == 2


def test_a_folder_without_a_ledger_is_wrong_use(tmp_path: Path) -> None:
    assert main(["fsck", "--data", str(tmp_path)]) == 2
