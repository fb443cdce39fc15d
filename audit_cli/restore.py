"""How is a backup put back, without forking the log? `audit restore`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.backup import say
from audit_cli.errors import WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_service.backup import restore_backup
from audit_service.errors import AuditServiceError
from audit_service.settings import load_settings
from audit_service.signing.lock import require
from audit_service.signing.stores import open_lock

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit restore`."""
    parser.description = (
        "Put the database of a backup into a data directory whose own is lost or damaged (stop the service first).\n"
        "The database that is there is set aside. The sign-state journal and newer public files stay as they are, and\n"
        "what was signed after the backup comes back from them at the next start."
    )
    parser.epilog = "example:\n  audit restore --data var/ledger backups/2021-01-04"
    parser.add_argument("backup", type=Path, metavar="DIR", help="what `audit backup` has written")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Restore; returns the exit code."""
    output = Output.of(args)
    try:
        settings = load_settings(args.data if (args.data / "ledger.toml").exists() else args.backup)
        settings = replace(settings, data_dir=args.data)
        lock = open_lock(settings)
        require(lock)
        try:
            restored = restore_backup(args.backup, settings)
        finally:
            lock.release()
    except AuditServiceError as error:
        raise WrongUse(str(error)) from error
    say(output, "restored", restored)
    output.note(
        "the next start brings back what was signed later, and then `audit fsck` can tell that nothing is wrong"
    )
    return 0
