"""How are the databases kept? `audit db upgrade`, `audit db rebuild`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.errors import WrongUse
from audit_cli.output import Output
from audit_service.errors import AuditServiceError
from audit_service.reading import LogReader
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from audit_service.recording.recorder import LedgerRecorder
from audit_service.settings import load_settings
from projections.read_models.projector import Projector
from projections.read_models.report_completion import complete_rows
from projections.read_models.reports import ReportRows

if TYPE_CHECKING:
    import argparse

    from audit_service.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit db`."""
    parser.description = (
        "upgrade: bring both databases to the newest revision.\n"
        "rebuild: fold the read models anew from the log's entries (stop the service first)."
    )
    parser.epilog = "example:\n  audit db rebuild --data var/demo"
    parser.add_argument("action", choices=["upgrade", "rebuild"])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    try:
        settings = load_settings(args.data)
        _upgrade(settings)
        if args.action == "rebuild":
            _rebuild(settings)
    except AuditServiceError as error:
        raise WrongUse(str(error)) from error
    return 0


def _upgrade(settings: Settings) -> None:
    for path, database in (
        (settings.ledger_database, "ledger"),
        (settings.projections_database, "projections"),
    ):
        engine = open_sqlite(path)
        upgrade(engine, "ledger" if database == "ledger" else "projections")
        engine.dispose()


def _rebuild(settings: Settings) -> None:
    output = Output()
    writing = open_sqlite(settings.ledger_database)
    reading = open_sqlite(settings.ledger_database, read_only=True)
    projections = open_sqlite(settings.projections_database)
    reader = LogReader(reading)
    reader.load(LedgerRecorder(writing, reading).head())
    Projector(reader, projections).rebuild()
    differing = complete_rows(reader, ReportRows(projections), recheck=True)
    output.verdict(f"rebuilt the read models from {reader.tree_size} entries")
    for found in differing:
        output.verdict(f"the report at index {found.log_index} cannot be computed as the log has it")
    for engine in (writing, reading, projections):
        engine.dispose()
