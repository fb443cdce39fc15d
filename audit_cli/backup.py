"""How is a ledger copied while it runs? `audit backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.errors import WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_service.backup import Backup, write_backup
from audit_service.errors import AuditServiceError
from audit_service.settings import load_settings

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit backup`."""
    parser.description = (
        "Copy database, public files and settings into a new folder, while the service runs. The sign-state journal\n"
        "and the private keys are never part of it."
    )
    parser.epilog = "example:\n  audit backup --data var/ledger backups/2021-01-04"
    parser.add_argument("target", type=Path, metavar="DIR", help="the folder to write; it must not be there yet")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Write the backup; returns the exit code."""
    output = Output.of(args)
    try:
        made = write_backup(load_settings(args.data), args.target)
    except AuditServiceError as error:
        raise WrongUse(str(error)) from error
    say(output, "backed up", made)
    return 0


def say(output: Output, done: str, backup: Backup) -> None:
    """Say what was copied."""
    output.verdict(f"{done}: {backup.tree_size} entries, {backup.published_size} of them published")
    output.document(backup._asdict())
