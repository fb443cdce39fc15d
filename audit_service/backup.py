"""How is a ledger copied while it runs, and put back without ever forking it?

A backup holds the database (by the database's own online copy), the public files, the settings and the verifier key. It
never holds the sign-state journal: an old journal makes a log forget what it has signed. It never holds private keys
either: these are kept once, apart from everything else.

Restoring goes by what was signed: the journal of the target stays as it is, and public files are never replaced by
older ones. What was signed after the backup comes back from journal and tiles at the next start. Where the journal is
lost, the log cannot go on: restoring then gives a copy to read, and the next start says so.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from audit_service.errors import ConfigurationError
from audit_service.files import fsync_folder, make_folder, sync, write_durably
from audit_service.publication.layout import PublicFiles
from verifier.checkpoints import Checkpoint, parse_checkpoint, verify_checkpoint
from verifier.errors import VerificationError
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.settings import Settings

_SETTINGS, _VKEY, _DATABASE, _PUBLIC = "ledger.toml", "log.vkey", "ledger.sqlite3", "public"


class Backup(NamedTuple):
    """What a backup holds: recorded entries, and the size of the published checkpoint in it (0 for none)."""

    tree_size: int
    published_size: int


def write_backup(settings: Settings, target: Path) -> Backup:
    """Copy a ledger into a new folder; the service may run meanwhile.

    The checkpoint is copied first and the database after it, so that the copy holds every entry that it names.

    Raises:
        ConfigurationError: the folder is there already, or the events are in PostgreSQL.
        OSError, sqlite3.Error: the copy could not be written whole; it has no settings then, and is no backup.
    """
    _require_files(settings)
    if target.exists():
        raise ConfigurationError("the folder of the backup is there already: a backup is never written over another")
    make_folder(target)
    files = PublicFiles(settings.public)
    note = files.checkpoint.read_bytes() if files.checkpoint.exists() else None
    _copy_database(settings.ledger_database, target / _DATABASE)
    if note is not None:
        _copy_public(settings.public, target / _PUBLIC)
        write_durably(PublicFiles(target / _PUBLIC).checkpoint, note)
    write_durably(target / _VKEY, (settings.data_dir / _VKEY).read_bytes())
    # Last: a folder with settings is a whole backup.
    write_durably(target / _SETTINGS, (settings.data_dir / _SETTINGS).read_bytes())
    return Backup(_tree_size(target / _DATABASE), _published_size(target / _PUBLIC))


def _require_files(settings: Settings) -> None:
    if settings.database_url is not None:
        raise ConfigurationError(
            "the events of this ledger are in PostgreSQL, which copies them better: `pg_dump -n ledger`, or base"
            " backups and archived WAL; never of the journal. `audit mirror` copies the public log"
        )


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    _sync_file(target)


def _copy_public(source: Path, target: Path) -> None:
    """Copy tiles and bundles; those that are removed meanwhile are partial ones whose full one is there."""
    for folder, _, names in os.walk(source):
        place = target / os.path.relpath(folder, source)
        make_folder(place)
        for name in names:
            if name.startswith("."):
                continue
            try:
                shutil.copyfile(os.path.join(folder, name), place / name)  # noqa: PTH118 - os.walk gives text
            except FileNotFoundError:
                continue
            _sync_file(place / name)
        fsync_folder(place)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def restore_backup(backup: Path, settings: Settings) -> Backup:
    """Put the database of a backup into a data directory, and those public files that are missing there.

    The journal is left as it is. The database that was there is set aside, never removed.

    Raises:
        ConfigurationError: the folder is no whole backup, or of another log, or the events are in PostgreSQL; nothing
            was changed.
    """
    _require_files(settings)
    if not (backup / _SETTINGS).exists():
        raise ConfigurationError("this is not a whole backup: it has no settings")
    vkey = (backup / _VKEY).read_text(encoding="utf-8").strip()
    own = settings.data_dir / _VKEY
    if own.exists() and own.read_text(encoding="utf-8").strip() != vkey:
        raise ConfigurationError("this backup is of another log")
    ours = _verified(settings.public, vkey)
    theirs = _verified(backup / _PUBLIC, vkey)
    set_aside(settings.ledger_database)
    make_folder(settings.data_dir)
    write_durably(settings.ledger_database, (backup / _DATABASE).read_bytes())
    if theirs is not None:
        _fill_in(backup / _PUBLIC, settings.public)
        if ours is None or theirs.tree_size > ours.tree_size:
            note = PublicFiles(backup / _PUBLIC).checkpoint.read_bytes()
            write_durably(PublicFiles(settings.public).checkpoint, note)
    for name in (_VKEY, _SETTINGS):
        if not (settings.data_dir / name).exists():
            write_durably(settings.data_dir / name, (backup / name).read_bytes())
    return Backup(_tree_size(settings.ledger_database), _published_size(settings.public))


def set_aside(database: Path) -> Path | None:
    """Give a database and its write-ahead log another name; returns it, or None if there is no database."""
    if not database.exists():
        return None
    number = 1
    while (target := database.with_name(f"{database.name}.set-aside-{number}")).exists():
        number += 1
    # The log first: without it the database is an older one, and with another one's log it is no database at all.
    for suffix in ("-wal", "-shm", ""):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
    fsync_folder(database.parent)
    return target


def _fill_in(source: Path, target: Path) -> None:
    for folder, _, names in os.walk(source):
        place = target / os.path.relpath(folder, source)
        make_folder(place)
        for name in names:
            if name != "checkpoint" and not (place / name).exists():
                write_durably(place / name, (source / os.path.relpath(folder, source) / name).read_bytes())


def _verified(public: Path, vkey: str) -> Checkpoint | None:
    path = PublicFiles(public).checkpoint
    if not path.exists():
        return None
    try:
        return verify_checkpoint(path.read_bytes(), vkey=VerifierKey.parse(vkey))
    except VerificationError as error:
        raise ConfigurationError(f"a published checkpoint is not of this log: {error}") from error


def _published_size(public: Path) -> int:
    path = PublicFiles(public).checkpoint
    if not path.exists():
        return 0
    return parse_checkpoint(path.read_text(encoding="utf-8").partition("\n\n")[0] + "\n").tree_size


def _tree_size(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        size: int = connection.execute("SELECT tree_size FROM head").fetchone()[0]
        return size
