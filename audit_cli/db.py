"""How are the databases kept? `audit db upgrade`, `audit db rebuild`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.output import Output
from audit_cli.server_errors import one_line_errors
from audit_service.anew import make_database_anew, needs_new_database
from audit_service.reading import LogReader
from audit_service.recording.database import open_database
from audit_service.recording.migrations import upgrade_all
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
        "upgrade: bring every database to the newest revision.\n"
        "rebuild: fold the read models anew from the log's entries (stop the service first). If the ledger's own\n"
        "database is damaged, or behind what was signed, it is made anew before, from tiles and journal."
    )
    parser.epilog = "example:\n  audit db rebuild --data var/demo"
    parser.add_argument(
        "--ledger", action="store_true", help="with rebuild: make the ledger's database anew although it looks whole"
    )
    parser.add_argument("action", choices=["upgrade", "rebuild"])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    with one_line_errors():
        settings = load_settings(args.data)
        if args.action == "rebuild":
            _make_ledger_anew(settings, always=args.ledger)
        upgrade_all(settings)
        if args.action == "rebuild":
            _rebuild(settings)
    return 0


def _make_ledger_anew(settings: Settings, *, always: bool) -> None:
    if always or needs_new_database(settings):
        size = make_database_anew(settings)
        Output().verdict(f"made the ledger's database anew from tiles and journal: {size} entries")


def _rebuild(settings: Settings) -> None:
    output = Output()
    writing = open_database(settings, "ledger")
    reading = open_database(settings, "ledger", read_only=True)
    projections = open_database(settings, "projections")
    reader = LogReader(reading)
    reader.load(LedgerRecorder(writing, reading).head())
    Projector(reader, projections).rebuild()
    differing = complete_rows(reader, ReportRows(projections), recheck=True)
    output.verdict(f"rebuilt the read models from {reader.tree_size} entries")
    for found in differing:
        output.verdict(f"the report at index {found.log_index} cannot be computed as the log has it")
    for engine in (writing, reading, projections):
        engine.dispose()
