"""Can an administrator issue, list and revoke tokens on a data directory, and does the log say so?

Beside a running service: `tests/threats/test_t6_stolen_token.py`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from alembic import command
from audit_cli.main import main
from audit_service.ledger import Ledger
from audit_service.recording import migrations
from audit_service.recording.database import open_sqlite
from audit_service.settings import load_settings
from audit_service.tokens import Caller, Tokens
from tests.support.small_city import make_small_city

if TYPE_CHECKING:
    from pathlib import Path

    from alembic.config import Config

ROADS = "urn:kr:agency:roads"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    make_small_city(tmp_path / "city")
    return tmp_path / "city"


def _caller_of(data_dir: Path, token: str) -> Caller | None:
    engine = open_sqlite(load_settings(data_dir).ledger_database)
    try:
        return Tokens(engine, engine).caller_of(token)
    finally:
        engine.dispose()


def _entry(data_dir: Path, index: int) -> Any:
    with Ledger(load_settings(data_dir)) as ledger:
        return json.loads(ledger.reader.entry(index))


def test_a_token_from_issue_to_revocation(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "roads.token"
    data = ["--data", str(data_dir)]
    issue = ["tokens", "issue", *data, "--agency", "roads", "--role", "approver", "--days", "30", "--out", str(file)]
    assert main(issue) == 0
    shown = capsys.readouterr().out
    token = file.read_text().strip()
    assert file.stat().st_mode & 0o777 == 0o600
    token_id, secret = token.split(".")
    assert shown == f"issued {token_id} to roads as approver: entry 1\n"
    assert _caller_of(data_dir, token) == Caller(ROADS, "approver", token_id)
    entry = _entry(data_dir, 1)
    assert (entry["type"], entry["subject"]) == ("registry.token-issued.v1", "registry/agency/roads")
    assert entry["data"]["expires_at"] > entry["recordedtime"]

    assert main(["tokens", "list", *data]) == 0
    listed = capsys.readouterr().out
    assert re.search(rf"^{token_id}  roads   approver   valid  20", listed, re.MULTILINE)
    assert secret not in listed

    assert main(["tokens", "revoke", *data, "--token-id", token_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"token_id": token_id, "index": 2}
    assert _caller_of(data_dir, token) is None
    assert _entry(data_dir, 2)["data"] == {"token_id": token_id, "agency": "roads"}
    assert main(["tokens", "list", *data, "--json"]) == 0
    states = {row["token_id"]: row["state"] for row in json.loads(capsys.readouterr().out)["tokens"]}
    assert states.pop(token_id) == "revoked"
    assert set(states.values()) == {"valid"}


def test_the_first_token_of_an_agency_can_be_revoked(data_dir: Path) -> None:
    token = (data_dir / "keys" / "roads.token").read_text().strip()
    assert _caller_of(data_dir, token) is not None
    assert main(["tokens", "revoke", "--token-id", token.partition(".")[0], "--data", str(data_dir)]) == 0
    assert _caller_of(data_dir, token) is None
    assert _entry(data_dir, 1)["type"] == "registry.token-revoked.v1"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["issue", "--agency", "roads"], "--role"),
        (["issue", "--role", "auditor"], "--agency"),
        (["issue", "--agency", "Roads", "--role", "auditor"], "small letters"),
        (["issue", "--agency", "roads", "--role", "root"], "invalid choice"),
        (["issue", "--agency", "roads", "--role", "auditor", "--days", "0"], "between 1 and"),
        (["revoke"], "id of the token"),
        (["revoke", "--token-id", "0" * 16], "no such token"),
        (["revoke", "--token-id=" + "-" * 16], "no such token"),
        (["issue", "--agency", "roads", "--role", "auditor", "--key", "roads.key"], "not the publisher's key"),
    ],
)
def test_wrong_use_makes_no_token(
    data_dir: Path, arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(data_dir / "keys" / text) if text.endswith(".key") else text for text in arguments]
    assert main(["tokens", *arguments, "--data", str(data_dir)]) == 2
    assert complaint in capsys.readouterr().err
    assert main(["tokens", "list", "--data", str(data_dir), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["tokens"]) == 2


def test_tokens_of_a_ledger_without_roles_become_submitters(tmp_path: Path) -> None:
    engine = open_sqlite(tmp_path / "ledger.sqlite3")
    digest = bytes.fromhex("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    with engine.begin() as connection:
        config: Config = migrations._config("ledger", connection)
        command.upgrade(config, "ledger_0001")
        connection.exec_driver_sql(
            "INSERT INTO tokens (token_id, secret_sha256, agency) VALUES (?, ?, 'roads')", ("a" * 16, digest)
        )
    migrations.upgrade(engine, "ledger")
    rows = Tokens(engine, engine).rows()
    engine.dispose()
    assert [(row.token_id, row.role, row.waiting) for row in rows] == [("a" * 16, "submitter", 0)]
