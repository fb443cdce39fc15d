"""Which byte of a ledger is wrong? `audit fsck`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_cli.server_errors import one_line_errors
from audit_service.fsck import LedgerCheck
from audit_service.fsck_journal import check_journal, check_shared_journal
from audit_service.fsck_places import Finding
from audit_service.keys import read_seed
from audit_service.ledger import LOG_KEY_FILE
from audit_service.publication.layout import PublicFiles
from audit_service.recording.database import open_database
from audit_service.recording.migrations import require_newest
from audit_service.settings import load_settings
from audit_service.signing.lock import require
from audit_service.signing.stores import open_journal, open_lock
from projections.read_models.compare import differing_rows
from verifier.errors import VerificationError
from verifier.notes import NoteSigner, VerifierKey

if TYPE_CHECKING:
    import argparse

    from audit_service.fsck_journal import JournalReader
    from audit_service.settings import Settings

_SHOWN = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit fsck`."""
    parser.description = (
        "Recompute everything from the entries (database, tiles, bundles, journal, head, archive, read models) and\n"
        "name the place of every wrong byte. Stop the service first. Nothing is changed."
    )
    parser.epilog = (
        "example:\n  audit fsck --data var/ledger\n\nexit codes: 0 all is well, 1 something is wrong, 2 wrong use."
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")
    parser.add_argument("--vkey", metavar="VKEY", help="the log's verifier key, if keys/log.key is not to be read")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Check and say what is wrong; returns the exit code."""
    output = Output.of(args)
    with ExitStack() as opened, one_line_errors():
        try:
            settings = load_settings(args.data)
            lock = open_lock(settings)
            opened.callback(lock.release)
            require(lock)
            findings = _check(settings, _vkey(settings, args.vkey), output, opened)
        except VerificationError as error:
            raise WrongUse(str(error)) from error
    for finding in findings[:_SHOWN]:
        output.verdict(str(finding))
    if len(findings) > _SHOWN:
        output.verdict(f"… and {len(findings) - _SHOWN} more places (--json names them all)")
    output.verdict("every byte is as it must be" if not findings else f"{len(findings)} places are wrong")
    output.document({"holds": not findings, "findings": [asdict(finding) for finding in findings]})
    return EXIT_DOES_NOT_HOLD if findings else EXIT_HOLDS


def _vkey(settings: Settings, text: str | None) -> VerifierKey:
    if text is not None:
        return VerifierKey.parse(text)
    return NoteSigner.from_seed(settings.origin, read_seed(settings.keys / LOG_KEY_FILE)).vkey


def _journal_reader(settings: Settings) -> JournalReader:
    if settings.journal_url is None:
        return partial(check_journal, settings.journal)
    journal = open_journal(settings)
    journal.close()
    return partial(check_shared_journal, journal)


def _check(settings: Settings, vkey: VerifierKey, output: Output, opened: ExitStack) -> list[Finding]:
    engine = open_database(settings, "ledger", read_only=True)
    opened.callback(engine.dispose)
    require_newest(engine, "ledger")
    check = LedgerCheck(
        engine=engine,
        files=PublicFiles(settings.public),
        read_journal=_journal_reader(settings),
        vkey=vkey,
        progress=lambda done, size: output.progress(f"{done} of {size} entries"),
    )
    findings = check.run()
    projections = open_database(settings, "projections", read_only=True)
    opened.callback(projections.dispose)
    require_newest(projections, "projections")
    output.progress("folding the read models again")
    if not findings:
        # From wrong entries nothing right can be folded.
        findings += [
            Finding(place=f"projections: {place}", index=None, offset=None, what="not what the entries fold to")
            for place in differing_rows(engine, projections)
        ]
    return findings
