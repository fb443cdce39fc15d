"""Where does a log's sign-state journal stand, and what keeps a second process from writing the log?

On one host: files in the data directory, and a lock on a file. On several hosts: a PostgreSQL database that is not the
ledger's (`journal_url`), and an advisory lock in it. Both keep the same protocol; one suite of tests holds them to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from audit_service.errors import ConfigurationError
from audit_service.signing.journal import SignStateJournal
from audit_service.signing.lock import FileLock
from audit_service.signing.postgres_journal import PostgresJournal
from audit_service.signing.postgres_lock import PostgresLock

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.errors import Quarantined
    from audit_service.settings import Settings
    from audit_service.signing.journal_format import SignState
    from audit_service.signing.lock import WriterLock


class Journal(Protocol):
    """What a log has signed, newest last; every step compares epoch and size before it changes anything."""

    epoch: int
    records: list[SignState]
    damage: Quarantined | None

    @property
    def last(self) -> SignState | None:
        """The newest state, or None if this log has never been opened."""

    def take_over(self, minimum_epoch: int) -> int:
        """Begin a new epoch, at least the given one: nobody who came before can append any more."""

    def require_mine(self) -> None:
        """Raise `Fenced` if another process has taken over."""

    def settle(self) -> bool:
        """Find out what an append left whose answer was lost, and whether its record was taken in just now."""

    def append(self, record: SignState, *, expected_epoch: int, expected_size: int) -> None:
        """Make a signed state durable, if the journal still stands where the signer thinks it does."""

    def forget_published(self, published_size: int) -> None:
        """Drop what is published; the newest record always stays."""

    def close(self) -> None:
        """Release what is open."""


def open_journal(settings: Settings) -> Journal:
    """The journal of this ledger, as it stands; nothing is written.

    Raises:
        ConfigurationError: a journal in the ledger's own database would be rolled back together with it.
    """
    url = settings.journal_url
    if url is None:
        return SignStateJournal(settings.journal)
    if settings.database_url is None or url.same_database(settings.database_url):
        raise ConfigurationError(
            "`journal_url` must name another database than `database_url`: a journal that is restored together with "
            "the events forgets what was signed"
        )
    return PostgresJournal(url)


def open_lock(settings: Settings) -> WriterLock:
    """The lock of this ledger's writer; nobody holds it by having it."""
    if settings.journal_url is not None:
        return PostgresLock(settings.journal_url, origin=settings.origin)
    return FileLock(lock_path(settings))


def lock_path(settings: Settings) -> Path:
    """The file whose lock is the right to write a log on one host."""
    return settings.journal.with_name("lock")
