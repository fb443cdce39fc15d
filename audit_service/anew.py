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
from audit_service.recording.database import is_unavailable, open_database
from audit_service.recording.migrations import upgrade
from audit_service.recovery import (
    OTHER_JOURNAL,
    REBUILD,
    MissingEntries,
    read_published,
    require_rebuildable,
)
from audit_service.signing.signer import SignedHead
from audit_service.signing.stores import open_journal
from verifier.notes import NoteSigner

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from audit_service.settings import Settings

logger = logging.getLogger(__name__)

_CARRIED_OVER = ("tokens", "acts", "checkpoints")


def needs_new_database(settings: Settings) -> bool:
    """Is this a case that a new database helps? Not one of the journal, nor of nothing at all."""
    try:
        ledger = Ledger(settings, serve_in_quarantine=True)
    except exc.DatabaseError as error:
        if settings.database_url is not None and is_unavailable(error):
            # A server that is away is no damaged database.
            raise
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
    if settings.database_url is None:
        old = set_aside(settings.ledger_database)
        _make_tables(settings)
        if old is not None:
            _carry_over(old, settings.ledger_database)
    else:
        _make_schema_anew(settings)
    # A start rebuilds what is behind the journal: here, everything.
    with Ledger(settings) as ledger:
        return ledger.signed().size


def _make_tables(settings: Settings) -> None:
    engine = open_database(settings, "ledger")
    try:
        upgrade(engine, "ledger")
    finally:
        engine.dispose()


def _make_schema_anew(settings: Settings) -> None:
    """The same on PostgreSQL: the old schema gets another name, and what no entry tells is copied from it."""
    engine = open_database(settings, "ledger")
    try:
        with engine.begin() as connection:
            old = _free_name(connection)
            connection.exec_driver_sql(f"ALTER SCHEMA ledger RENAME TO {old}")
        upgrade(engine, "ledger")
        with engine.begin() as connection:
            for table in _CARRIED_OVER:
                names = ", ".join(
                    connection.exec_driver_sql(
                        "SELECT column_name FROM information_schema.columns"
                        " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
                        (old, table),
                    ).scalars()
                )
                connection.exec_driver_sql(
                    f"INSERT INTO {table} ({names}) SELECT {names} FROM {old}.{table} ON CONFLICT DO NOTHING"  # noqa: S608
                )
            # An act that comes later gets a number after those that were copied.
            connection.exec_driver_sql(
                "SELECT setval('acts_act_id_seq', (SELECT coalesce(max(act_id), 0) + 1 FROM acts), false)"
            )
    finally:
        engine.dispose()


def _free_name(connection: Connection) -> str:
    number = 1
    while connection.exec_driver_sql("SELECT to_regnamespace(?)", (f"ledger_set_aside_{number}",)).scalar_one():
        number += 1
    return f"ledger_set_aside_{number}"


def _require_all_bytes(settings: Settings) -> None:
    vkey = NoteSigner.from_seed(settings.origin, read_seed(settings.keys / LOG_KEY_FILE)).vkey
    journal = open_journal(settings)
    journal.close()
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
