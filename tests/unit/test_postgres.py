"""What does the ledger ask of a PostgreSQL, and what may the service's own role do in it?"""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import exc

from audit_cli.main import main
from audit_service.database_url import DatabaseUrl
from audit_service.errors import ConfigurationError
from audit_service.genesis import AgencyPlan, initialise
from audit_service.ledger import Ledger
from audit_service.recording import postgres
from audit_service.recording.postgres import open_postgres
from audit_service.settings import load_settings
from tests.support.postgres import drop_database, new_database
from tests.support.small_city import BUDGET, ORIGIN, TIMEOUT_S, SmallCity, budget_year, make_small_city, small_city

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).parents[2] / "deploy"
ROLES = (DEPLOY / "postgres-roles.sql").read_text(encoding="utf-8")
JOURNAL_ROLES = (DEPLOY / "postgres-journal-roles.sql").read_text(encoding="utf-8")
PLAN = AgencyPlan(code="city", name_ko="시청", name_en="City hall", scopes=("registry.*",))
SECRET = "s3cret-of-a-test"


@pytest.fixture(autouse=True)
def on_postgres(postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_DATABASE_URL", postgres_url.reveal())


def run_script(url: DatabaseUrl, script: str) -> None:
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(script.encode())


# --- what the server must be ---


@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync", "full_page_writes"])
def test_a_server_that_could_lose_a_commit_is_refused(
    postgres_url: DatabaseUrl, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own setting for two of them, and what a check would read for the two that need a restart."""
    if setting == "synchronous_commit":
        monkeypatch.setattr(postgres, "_SYNCHRONOUS", ("remote_apply",))
    else:
        monkeypatch.setitem(postgres._DURABLE, setting, "off")
    engine = open_postgres(postgres_url, schema="ledger")
    with pytest.raises(ConfigurationError, match=f"{setting}=on"), engine.connect():
        pass
    engine.dispose()


def test_a_database_that_commits_without_waiting_is_told_to_wait(postgres_url: DatabaseUrl) -> None:
    name = urlsplit(postgres_url.reveal()).path[1:]
    run_script(postgres_url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine = open_postgres(postgres_url, schema="ledger")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    engine.dispose()


def test_an_old_server_is_refused(postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "OLDEST_VERSION", 999)
    engine = open_postgres(postgres_url, schema="ledger")
    with pytest.raises(ConfigurationError, match="999 or newer"), engine.connect():
        pass
    engine.dispose()


def test_a_missing_driver_is_said_so(postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(postgres, "create_engine", fail)
    with pytest.raises(ConfigurationError, match="extra `server`"):
        open_postgres(postgres_url, schema="ledger")


# --- one database, one ledger; its password nowhere ---


def test_a_database_that_holds_a_ledger_is_never_overwritten(tmp_path: Path) -> None:
    make_small_city(tmp_path / "first")
    with pytest.raises(ConfigurationError, match="in this database already"):
        make_small_city(tmp_path / "second")
    assert not (tmp_path / "second" / "ledger.toml").exists()


def test_the_password_is_not_written_down(tmp_path: Path, postgres_url: DatabaseUrl) -> None:
    make_small_city(tmp_path / "ledger")
    password = urlsplit(postgres_url.reveal()).password
    assert password
    assert f'database_url = "{postgres_url}"' in (tmp_path / "ledger" / "ledger.toml").read_text()
    for path in (tmp_path / "ledger").rglob("*"):
        assert path.is_dir() or password.encode() not in path.read_bytes()


@pytest.mark.parametrize("command", [["db", "upgrade"], ["tokens", "list"], ["serve", "--port", "0"]])
def test_a_refused_password_is_an_answer_without_it(
    tmp_path: Path,
    postgres_url: DatabaseUrl,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_small_city(tmp_path / "ledger")
    right = urlsplit(postgres_url.reveal()).password or ""
    monkeypatch.setenv("AUDIT_DATABASE_URL", postgres_url.reveal().replace(right, SECRET))
    assert main([*command, "--data", str(tmp_path / "ledger")]) == 2
    shown = capsys.readouterr()
    assert "password authentication failed" in shown.err
    assert SECRET not in shown.out + shown.err
    assert "Traceback" not in shown.err


def test_a_failed_statement_is_shown_without_its_values(tmp_path: Path) -> None:
    with small_city(tmp_path / "ledger") as city:
        with pytest.raises(exc.DBAPIError) as caught, city.ledger._writing.begin() as connection:
            connection.exec_driver_sql("UPDATE tokens SET nothing = ?", (SECRET,))
        assert SECRET not in str(caught.value)


# --- the service's role ---


@pytest.fixture
def as_service(
    tmp_path: Path, postgres_server: str, postgres_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SmallCity]:
    """A ledger on several hosts, made by the owner, opened by the role of the service."""
    journal_url = new_database(postgres_server)
    monkeypatch.setenv("AUDIT_JOURNAL_URL", journal_url.reveal())
    settings = make_small_city(tmp_path / "ledger")
    for _ in range(2):  # they may be run again
        run_script(postgres_url, ROLES)
        run_script(journal_url, JOURNAL_ROLES)
    run_script(postgres_url, f"ALTER ROLE audit_service PASSWORD '{SECRET}'")
    monkeypatch.setenv("AUDIT_DATABASE_URL", of_service(postgres_url))
    monkeypatch.setenv("AUDIT_JOURNAL_URL", of_service(journal_url))
    with Ledger(load_settings(settings.data_dir)) as ledger:
        yield SmallCity(settings, ledger)
    run_script(postgres_url, "DROP OWNED BY audit_service")
    run_script(journal_url, "DROP OWNED BY audit_service; DROP ROLE audit_service")
    drop_database(journal_url, postgres_server)


def of_service(url: DatabaseUrl) -> str:
    parts = urlsplit(url.reveal())
    return urlunsplit(parts._replace(netloc=f"audit_service:{SECRET}@{parts.netloc.rpartition('@')[2]}"))


def test_the_role_does_all_that_the_service_does(as_service: SmallCity) -> None:
    assert as_service.post(*budget_year()).head.size == 5
    assert as_service.post(*budget_year()).outcomes[0].repeated
    ledger = as_service.ledger
    assert len(ledger.reader.subject_entries(BUDGET)) == 4
    token = ledger.tokens.create("roads")
    assert ledger.tokens.caller_of(token) is not None
    ledger.tokens.revoke(token.partition(".")[0])
    assert ledger.tokens.caller_of(token) is None
    ledger._journal.forget_published(5)
    with ledger._writing.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar_one() == "audit_service"


FORBIDDEN = [
    f"{verb} {table}{rest}"
    for table, column in (("events", "topic"), ("submissions", "source"), ("checkpoints", "day"))
    for verb, rest in (
        ("UPDATE", f" SET {column} = ''"),
        ("DELETE FROM", ""),
        ("TRUNCATE", ""),
        ("DROP TABLE", ""),
        ("ALTER TABLE", " DISABLE TRIGGER ALL"),
    )
] + [
    "DELETE FROM head",
    "INSERT INTO head VALUES (2, 0, '', '', '')",
    "DELETE FROM tokens",
    "DELETE FROM acts",
    "UPDATE alembic_version SET version_num = 'ledger_0001'",
    "DROP FUNCTION refuse_change",
    "CREATE TABLE ledger.mine ()",
    "SET session_replication_role = replica",
]


def test_the_role_may_not_change_what_was_recorded(as_service: SmallCity) -> None:
    refused: dict[str, Any] = {}
    for statement in FORBIDDEN:
        try:
            with as_service.ledger._writing.begin() as connection:
                connection.exec_driver_sql(statement)
        except exc.ProgrammingError as error:
            refused[statement] = getattr(error.orig, "sqlstate", None)
    assert refused == dict.fromkeys(FORBIDDEN, "42501"), "42501 is `insufficient_privilege`"


def test_the_role_may_not_change_what_was_signed(as_service: SmallCity) -> None:
    journal: Any = as_service.ledger._journal
    for statement in ("UPDATE records SET record = ''", "TRUNCATE records", "DELETE FROM head", "DROP TABLE records"):
        refused = pytest.raises(exc.ProgrammingError, match=r"permission denied|must be owner")
        with refused, journal._engine.begin() as connection:
            connection.exec_driver_sql(statement)


def test_every_table_has_its_place_in_the_roles(as_service: SmallCity) -> None:
    """A new table must be thought about: a role that may not touch it fails at night."""
    with as_service.ledger._writing.connect() as connection:
        tables = connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'ledger' ORDER BY 1"
        ).scalars()
        assert {f"ledger.{name}" for name in tables} <= set(re.findall(r"ledger\.[a-z_]+", ROLES))
    journal: Any = as_service.ledger._journal
    with journal._engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'journal'").scalars()
        assert {f"journal.{name}" for name in tables} == set(re.findall(r"journal\.[a-z_]+", JOURNAL_ROLES))


def test_a_new_ledger_names_its_database(tmp_path: Path, postgres_url: DatabaseUrl) -> None:
    settings = initialise(tmp_path / "ledger", origin=ORIGIN, city="city", agencies=[PLAN], database_url=postgres_url)
    assert load_settings(settings.data_dir, {}).database_url == DatabaseUrl(postgres_url.without_password)
    assert not list(settings.data_dir.glob("*.sqlite3"))


# --- a commit that the server finishes later ---


@pytest.mark.parametrize("store", ["ledger", "journal"])
def test_what_a_commit_left_is_asked_only_when_it_is_over(as_service: SmallCity, store: str) -> None:
    """The connection is lost, the transaction is not: as long as it may still move the head, nobody may believe it."""
    journal: Any = as_service.ledger._journal
    engine = as_service.ledger._writing if store == "ledger" else journal._engine
    asking = threading.Thread(target=as_service.ledger._recorder.settled_head)
    if store == "journal":
        journal._settled = False
        asking = threading.Thread(target=journal.settle)
    with engine.begin() as unfinished:
        unfinished.exec_driver_sql("UPDATE head SET tree_size = tree_size")
        asking.start()
        with engine.connect() as watching:
            deadline = time.monotonic() + TIMEOUT_S
            while not watching.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one():
                assert asking.is_alive(), "it did not wait"
                assert time.monotonic() < deadline
                time.sleep(0.01)
    asking.join(TIMEOUT_S)
    assert not asking.is_alive()
