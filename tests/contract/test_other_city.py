"""Whose stores are these? A ledger that is opened on another city's database or journal is refused, and left alone.

Each store is mixed up in turn, on both databases, with the journal as files and as a database. Another city's stores
are whole in themselves: what is shown is that nothing but the log's own key and origin tells them apart.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from audit_service import ledger as opening
from audit_service.errors import ConfigurationError
from audit_service.genesis import AgencyPlan, initialise
from audit_service.ledger import Ledger
from audit_service.recording.migrations import upgrade_all
from audit_service.settings import load_settings
from tests.support.postgres import drop_database, new_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_service.settings import Settings

CITIES = ("east", "west")


class TwoCities(NamedTuple):
    """Settings of two ledgers of their own, with as many entries each."""

    ours: Settings
    theirs: Settings


@pytest.fixture(autouse=True)
def database() -> None:
    """The databases of this suite are its own: two cities need several."""


@pytest.fixture(params=["files", "database on PostgreSQL", "journal on PostgreSQL too"])
def cities(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TwoCities]:
    urls = []
    server = "" if request.param == "files" else request.getfixturevalue("postgres_server")
    made = []
    for name in CITIES:
        database_url = new_database(server) if server else None
        journal_url = new_database(server) if "journal" in request.param else None
        urls += [url for url in (database_url, journal_url) if url]
        initialise(
            tmp_path / name,
            origin=f"ledger.example/{name}",
            city="city",
            database_url=database_url,
            journal_url=journal_url,
            agencies=[AgencyPlan(code="city", name_ko="시청", name_en="City hall", scopes=("registry.*",))],
        )
        settings = load_settings(tmp_path / name)
        made.append(replace(settings, database_url=database_url, journal_url=journal_url))
    yield TwoCities(*made)
    for url in urls:
        drop_database(url, server)


def take_database(cities: TwoCities) -> Settings:
    """Our settings, with the other city's database behind them."""
    if cities.theirs.database_url is None:
        shutil.copy(cities.theirs.ledger_database, cities.ours.ledger_database)
    return replace(cities.ours, database_url=cities.theirs.database_url)


def take_journal(cities: TwoCities) -> Settings:
    """Our settings, with the other city's journal behind them."""
    if cities.theirs.journal_url is None:
        shutil.rmtree(cities.ours.journal.parent)
        shutil.copytree(cities.theirs.journal.parent, cities.ours.journal.parent)
    return replace(cities.ours, journal_url=cities.theirs.journal_url)


def open_and_read(settings: Settings) -> tuple[int, bytes]:
    with Ledger(settings) as ledger:
        head = ledger.signed()
        return head.size, head.note


@pytest.mark.parametrize("quarantine", [False, True])
def test_another_citys_database_is_refused(cities: TwoCities, *, quarantine: bool) -> None:
    mixed = take_database(cities)
    with pytest.raises(ConfigurationError, match=r"database belongs to another log.*put back"):
        Ledger(mixed, serve_in_quarantine=quarantine)
    size, note = open_and_read(cities.theirs)
    assert (size, note.startswith(b"ledger.example/west\n")) == (1, True)


@pytest.mark.parametrize("quarantine", [False, True])
def test_another_citys_journal_is_refused(cities: TwoCities, *, quarantine: bool) -> None:
    mixed = take_journal(cities)
    with pytest.raises(ConfigurationError, match=r"journal belongs to another log.*put back"):
        Ledger(mixed, serve_in_quarantine=quarantine)
    size, note = open_and_read(cities.theirs)
    assert (size, note.startswith(b"ledger.example/west\n")) == (1, True)


def test_a_log_under_another_name_is_refused(cities: TwoCities) -> None:
    with pytest.raises(ConfigurationError, match="names another origin"):
        Ledger(replace(cities.ours, origin="ledger.example/renamed"))


def test_a_log_under_another_key_is_refused(cities: TwoCities) -> None:
    shutil.copy(cities.theirs.keys / "log.key", cities.ours.keys / "log.key")
    with pytest.raises(ConfigurationError, match="database belongs to another log"):
        Ledger(cities.ours)


def test_a_lost_database_is_filled_again_as_the_refusal_says(cities: TwoCities) -> None:
    if cities.ours.database_url is None:
        before = open_and_read(cities.ours)
        cities.ours.ledger_database.unlink()
        upgrade_all(cities.ours)
        assert open_and_read(cities.ours) == before


def test_without_the_comparison_the_other_citys_entries_would_be_ours(
    cities: TwoCities, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The negative control: with database and journal of the other city and no files published here, all agrees.
    monkeypatch.setattr(opening, "require_own_entries", lambda *_a, **_k: None)
    monkeypatch.setattr(opening, "require_own_journal", lambda *_a, **_k: None)
    take_database(cities)
    take_journal(cities)
    mixed = replace(cities.ours, database_url=cities.theirs.database_url, journal_url=cities.theirs.journal_url)
    shutil.rmtree(cities.ours.public)
    ledger = Ledger(mixed)
    try:
        assert ledger.quarantine is None
        assert b"ledger.example/west" in ledger.reader.entry(0)
    finally:
        ledger.stop()
