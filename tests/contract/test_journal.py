"""Do both journals, and both locks, keep the protocol that no log may be forked by?

One suite for the file of one host and for the database of several. What only a database can do (lose the answer to a
commit) follows at the end.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import exc

from audit_service.errors import (
    AnotherWriter,
    ConfigurationError,
    Fenced,
    JournalUnavailable,
    Quarantined,
    RecordingFailed,
)
from audit_service.ledger import Ledger
from audit_service.recording.migrations import upgrade_all
from audit_service.settings import Settings, read_url
from audit_service.signing.journal_format import SignState
from audit_service.signing.lock import require
from audit_service.signing.postgres_journal import PostgresJournal
from audit_service.signing.stores import open_journal, open_lock
from tests.support.postgres import drop_database, new_database
from tests.support.small_city import TIMEOUT_S, SmallCity, budget_year, obligation, small_city

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_service.signing.stores import Journal

ORIGIN = "log.example"


@pytest.fixture(autouse=True)
def database() -> None:
    """The databases of this suite are its own: the journal's decides."""


@pytest.fixture(params=["file", "postgresql"], autouse=True)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the journal of this run stands."""
    for name in ("AUDIT_DATABASE_URL", "AUDIT_JOURNAL_URL"):
        monkeypatch.delenv(name, raising=False)
    kind: str = request.param
    if kind == "file":
        yield kind
        return
    server: str = request.getfixturevalue("postgres_server")
    urls = [new_database(server), new_database(server)]
    monkeypatch.setenv("AUDIT_DATABASE_URL", urls[0].reveal())
    monkeypatch.setenv("AUDIT_JOURNAL_URL", urls[1].reveal())
    yield kind
    for url in urls:
        drop_database(url, server)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        data_dir=tmp_path,
        origin=ORIGIN,
        database_url=read_url("database_url"),
        journal_url=read_url("journal_url"),
    )
    upgrade_all(made)
    return made


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    opened = open_journal(settings)
    yield opened
    opened.close()


def record(epoch: int, size: int, *, entries: int, root: int = 0) -> SignState:
    return SignState(epoch, size, bytes([root or size]) * 32, b"note", [b"entry"] * entries)


def reopened(settings: Settings) -> tuple[int, list[SignState]]:
    journal = open_journal(settings)
    try:
        assert journal.damage is None
        return journal.epoch, journal.records
    finally:
        journal.close()


def test_a_new_journal_knows_nothing_and_nothing_can_be_appended(journal: Journal) -> None:
    assert (journal.epoch, journal.records, journal.last, journal.damage) == (0, [], None, None)
    with pytest.raises((Quarantined, Fenced)):
        journal.append(record(1, 1, entries=1), expected_epoch=1, expected_size=0)


def test_what_was_appended_is_there_for_whoever_opens_next(journal: Journal, settings: Settings) -> None:
    assert journal.take_over(1) == 1
    for size in (1, 3):
        journal.append(record(1, size, entries=size - size // 2), expected_epoch=1, expected_size=size // 2)
    epoch, records = reopened(settings)
    assert epoch == 1
    assert [(each.epoch, each.tree_size, len(each.entries)) for each in records] == [(1, 0, 0), (1, 1, 1), (1, 3, 2)]
    assert records[-1] == journal.last


@pytest.mark.parametrize(("epoch", "size"), [(1, 0), (1, 2), (2, 1), (0, 1)])
def test_an_append_that_expects_something_else_writes_nothing(
    journal: Journal, settings: Settings, epoch: int, size: int
) -> None:
    journal.take_over(1)
    journal.append(record(1, 1, entries=1), expected_epoch=1, expected_size=0)
    before = reopened(settings)
    with pytest.raises(Quarantined, match="the journal stands at epoch 1, size 1"):
        journal.append(record(1, size + 1, entries=1, root=9), expected_epoch=epoch, expected_size=size)
    assert reopened(settings) == before


def test_whoever_was_taken_over_from_is_out(journal: Journal, settings: Settings) -> None:
    journal.take_over(1)
    journal.append(record(1, 1, entries=1), expected_epoch=1, expected_size=0)
    newer = open_journal(settings)
    assert newer.take_over(1) == 2
    newer.require_mine()
    with pytest.raises(Fenced, match="epoch 2"):
        journal.require_mine()
    with pytest.raises(Fenced):
        journal.append(record(1, 2, entries=1, root=7), expected_epoch=1, expected_size=1)
    newer.append(record(2, 2, entries=1), expected_epoch=2, expected_size=1)
    newer.close()
    epoch, records = reopened(settings)
    assert (epoch, records[-1]) == (2, record(2, 2, entries=1))


@pytest.mark.parametrize("minimum", [1, 2, 7])
def test_a_takeover_begins_at_least_the_epoch_that_the_database_asks_for(journal: Journal, minimum: int) -> None:
    assert journal.take_over(minimum) == minimum
    assert journal.take_over(1) == minimum + 1
    last = journal.last
    assert last is not None
    assert (last.epoch, last.tree_size) == (minimum + 1, 0)


def test_what_is_published_is_forgotten_but_never_the_newest(journal: Journal, settings: Settings) -> None:
    journal.take_over(1)
    for size in (1, 2, 3):
        journal.append(record(1, size, entries=1), expected_epoch=1, expected_size=size - 1)
    journal.forget_published(2)
    assert [each.tree_size for each in journal.records] == [3]
    assert journal.records[0].entries == [b"entry"]
    journal.forget_published(3)
    assert [(each.tree_size, each.entries) for each in journal.records] == [(3, [])]
    journal.append(record(1, 4, entries=1), expected_epoch=1, expected_size=3)
    _, records = reopened(settings)
    assert records[-1] == record(1, 4, entries=1)


def test_two_that_append_at_once_are_one_that_appends(settings: Settings) -> None:
    """Both were opened at one state; whoever took over later writes."""
    journals = [open_journal(settings) for _ in range(2)]
    for journal in journals:
        journal.take_over(1)
    outcomes: list[str] = []

    def append(journal: Journal) -> None:
        try:
            journal.append(record(journal.epoch, 1, entries=1), expected_epoch=journal.epoch, expected_size=0)
            outcomes.append("appended")
        except (Fenced, Quarantined):
            outcomes.append("refused")

    threads = [threading.Thread(target=append, args=(journal,)) for journal in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    for journal in journals:
        journal.close()
    assert sorted(outcomes) == ["appended", "refused"]
    assert [each.tree_size for each in reopened(settings)[1]][-1] == 1


def test_only_one_has_the_lock(settings: Settings) -> None:
    first, second = open_lock(settings), open_lock(settings)
    require(first)
    require(first)  # having it already is fine
    assert not second.try_acquire()
    with pytest.raises(AnotherWriter):
        require(second)
    first.release()
    assert second.try_acquire()
    second.release()


def test_a_second_process_cannot_open_the_ledger(tmp_path: Path) -> None:
    with small_city(tmp_path / "city") as city, pytest.raises(AnotherWriter):
        Ledger(city.settings)


def test_a_ledger_goes_on_where_its_journal_says(tmp_path: Path) -> None:
    with small_city(tmp_path / "city") as city:
        city.post(*budget_year(appropriated_won=100))
        head = city.ledger.signed()
    with small_city(tmp_path / "city") as city:
        assert city.ledger.signed() == head
        assert city.post(obligation(1, amount_won=60)).head.size == head.size + 1


# --- what only a database can do ---


@pytest.fixture
def shared(store: str, tmp_path: Path) -> Iterator[SmallCity]:
    """A city on several hosts; on the file's run nothing is asked of it."""
    with small_city(tmp_path / "city") as city:
        if store == "postgresql":
            assert isinstance(city.ledger._journal, PostgresJournal)
        yield city


def lose_answer(city: SmallCity, monkeypatch: pytest.MonkeyPatch, *, applied: bool) -> None:
    """Let the journal's next commit fail: after it happened, or before."""
    journal: Any = city.ledger._journal
    dialect = journal._engine.dialect
    commit = dialect.do_commit
    left = [1]

    def do_commit(connection: Any) -> None:
        failing = bool(left)
        left.clear()
        if applied or not failing:
            commit(connection)
        if failing:
            raise exc.OperationalError("COMMIT", (), OSError(104, "Connection reset by peer"))

    monkeypatch.setattr(dialect, "do_commit", do_commit)


@pytest.mark.parametrize("applied", [True, False])
def test_a_signature_whose_answer_was_lost_is_never_contradicted(
    shared: SmallCity,
    store: str,
    applied: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared.post(*budget_year(appropriated_won=100))
    if store == "file":
        assert shared.ledger._journal.settle() is False, "a file is never in doubt"
        return
    # Publishing drops records with the same connections: only the append shall be hit.
    monkeypatch.setattr(shared.ledger._publication, "wake", lambda: None)
    lose_answer(shared, monkeypatch, applied=applied)
    with pytest.raises((JournalUnavailable, RecordingFailed)):
        shared.post(obligation(1, amount_won=60))
    repeated = shared.post(obligation(1, amount_won=60))
    assert (repeated.outcomes[0].index, repeated.outcomes[0].repeated, repeated.head.size) == (5, True, 6)
    assert shared.post(obligation(2, amount_won=40)).outcomes[0].index == 6
    sizes = [(each.epoch, each.tree_size) for each in shared.ledger._journal.records]
    assert sizes == sorted(set(sizes)), "no size was signed twice"
    assert shared.ledger.reader.root(7) == shared.ledger.signed().root


def test_a_journal_in_the_ledgers_own_database_is_refused(settings: Settings) -> None:
    url = settings.database_url or settings.journal_url
    if url is None:
        assert open_journal(settings).epoch == 0
        return
    own = Settings(data_dir=settings.data_dir, origin=ORIGIN, database_url=url, journal_url=url)
    with pytest.raises(ConfigurationError, match="another database"):
        open_journal(own)
    alone = Settings(data_dir=settings.data_dir, origin=ORIGIN, journal_url=url)
    with pytest.raises(ConfigurationError, match="another database"):
        open_journal(alone)
