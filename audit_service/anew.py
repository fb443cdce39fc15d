"""How is a ledger's database made anew, when its rows can no longer be trusted?

From tiles and journal, which hold every entry that was signed. The old database is set aside, never removed. Tokens,
waiting acts and the archive of checkpoints follow from no entry: they are carried over where the old database still
gives them.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sqlalchemy import exc

from audit_service.backup import set_aside
from audit_service.errors import Quarantined
from audit_service.keys import read_seed
from audit_service.ledger import LOG_KEY_FILE, Ledger
from audit_service.publication.layout import PublicFiles
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from audit_service.recovery import (
    OTHER_JOURNAL,
    REBUILD,
    MissingEntries,
    read_published,
    require_rebuildable,
)
from audit_service.signing.journal import SignStateJournal
from audit_service.signing.signer import SignedHead
from verifier.notes import NoteSigner

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.settings import Settings

logger = logging.getLogger(__name__)

_CARRIED_OVER = ("tokens", "acts", "checkpoints")


def needs_new_database(settings: Settings) -> bool:
    """Is this a case that a new database helps? Not one of the journal, nor of nothing at all."""
    try:
        ledger = Ledger(settings, serve_in_quarantine=True)
    except exc.DatabaseError:
        return True
    quarantine = ledger.quarantine
    ledger.stop()
    return quarantine is not None and quarantine.remedy == REBUILD


def make_database_anew(settings: Settings) -> int:
    """Set the database aside and record all signed entries in a new one; returns the tree size.

    Raises:
        Quarantined: journal and published files contradict each other, or bytes are missing; nothing was changed.
    """
    _require_all_bytes(settings)
    old = set_aside(settings.ledger_database)
    engine = open_sqlite(settings.ledger_database)
    upgrade(engine, "ledger")
    engine.dispose()
    if old is not None:
        _carry_over(old, settings.ledger_database)
    # A start rebuilds what is behind the journal: here, everything.
    with Ledger(settings) as ledger:
        return ledger.signed().size


def _require_all_bytes(settings: Settings) -> None:
    vkey = NoteSigner.from_seed(settings.origin, read_seed(settings.keys / LOG_KEY_FILE)).vkey
    journal = SignStateJournal(settings.journal)
    files = PublicFiles(settings.public)
    published = read_published(files, vkey)
    last = journal.last
    if journal.damage is not None or last is None or (published and published.size > last.tree_size):
        raise Quarantined("the journal is lost, damaged, or behind what is published", remedy=OTHER_JOURNAL)
    missing = MissingEntries(
        files,
        journal.records,
        published_size=published.size if published else 0,
        signed_size=last.tree_size,
    )
    require_rebuildable(missing, hashes=[], signed=SignedHead(last.tree_size, last.root_hash, last.note))


def _carry_over(old: Path, new: Path) -> None:
    """Copy what no entry tells; a table that cannot be read any more is left empty, and said so."""
    with closing(sqlite3.connect(new)) as target, closing(sqlite3.connect(f"file:{old}?mode=ro", uri=True)) as source:
        for table in _CARRIED_OVER:
            columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
            names = ", ".join(columns)
            try:
                rows = source.execute(f"SELECT {names} FROM {table}").fetchall()  # noqa: S608 - our own names
            except sqlite3.Error as error:
                logger.warning("the old database does not give its %s any more: %s", table, error)
                continue
            marks = ", ".join("?" * len(columns))
            target.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608
        target.commit()
