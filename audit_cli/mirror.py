"""How does anybody keep a verified copy of a log, and of what the service answered? `audit mirror`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import parse_vkey
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, DoesNotHold, WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_cli.service_answers import fetch_answers_into, fetch_reports_into, service_of, wait_for_checkpoint
from projections.log_mirror import MirrorRefused, mirror_log
from projections.log_source import SourceUnreachable, open_log

if TYPE_CHECKING:
    import argparse

    from projections.log_source import LogSource

_DESCRIPTION = """\
Copy a log into a directory: checkpoint, tiles and entry bundles, each checked before it is put in place. A second
run fetches only what is new, and refuses a log that went back or forked from what was mirrored before.

  DIR/log/checkpoint, DIR/log/tile/…     the log, in the same layout (any web server can serve it on)
  DIR/answers/KIND/KEY.json              what the service answered, byte for byte, for `audit replay` to compare
  DIR/reports/KIND/KEY.json              the newest published reports with their rows, likewise

They are saved when LOG_URL ends in /log and the service beside it lists them (/v1/answers, /v1/reports).
"""
_EPILOG = """\
examples:
  audit mirror http://127.0.0.1:8000/log ./copy --vkey @log.vkey
  audit mirror http://127.0.0.1:8000/log ./copy --vkey @log.vkey --no-answers
  audit mirror ./copy ./second-copy --vkey @log.vkey
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit mirror`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("log", metavar="LOG_URL", help="the log's address, or a directory that holds a log")
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the copy is kept")
    parser.add_argument("--vkey", help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument("--answers", metavar="URL", help="the service's address, if it is not beside the log")
    answers.add_argument("--no-answers", action="store_true", help="save no answers of the service")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Mirror and report; returns the exit code."""
    out = Output.of(args)
    vkey = None if args.vkey is None else parse_vkey(args.vkey)
    directory: Path = args.directory
    if directory.exists() and not directory.is_dir():
        raise WrongUse(f"{directory} is not a directory")
    service = None if args.no_answers else args.answers or service_of(args.log)
    if vkey is None:
        out.note("without --vkey the copy is checked against its checkpoint, but nobody's signature is")
    try:
        source = open_log(args.log)
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".answers-") as incoming:
            if service is not None:
                _fetch_answers(source, Path(incoming), service, out)
            mirrored = mirror_log(
                source,
                directory / "log",
                vkey=vkey,
                progress=lambda done, total: out.progress(f"mirror: {done:,} of {total:,} files"),
            )
            saved = _put_in_place(Path(incoming) / "answers", directory / "answers")
            reports = _put_in_place(Path(incoming) / "reports", directory / "reports")
    except SourceUnreachable as error:
        raise WrongUse(str(error)) from error
    except (MirrorRefused, DoesNotHold) as error:
        out.verdict(f"DOES NOT HOLD: {error}")
        out.document({"holds": False, "problem": str(error)})
        return EXIT_DOES_NOT_HOLD
    checkpoint = mirrored.checkpoint
    report: dict[str, Any] = {
        "holds": True,
        "origin": checkpoint.origin,
        "tree_size": checkpoint.tree_size,
        "root_hash": checkpoint.root_hash.hex(),
        "mirrored_before": mirrored.old_size,
        "files_fetched": mirrored.fetched,
        "files_kept": mirrored.kept,
        "answers_saved": saved,
        "reports_saved": reports,
        "signature_checked": vkey is not None,
    }
    out.step(f"{mirrored.fetched} files fetched, {mirrored.kept} kept, {saved} answers and {reports} reports saved")
    out.verdict(
        f"HOLDS: {directory} mirrors {checkpoint.origin} at size {checkpoint.tree_size} "
        f"(before: {mirrored.old_size}), root {checkpoint.root_hash.hex()}"
    )
    out.document(report)
    return EXIT_HOLDS


def _fetch_answers(source: LogSource, incoming: Path, service: str, out: Output) -> None:
    largest = fetch_answers_into(incoming / "answers", service, out)
    largest = max(largest, fetch_reports_into(incoming / "reports", service, out))
    if largest:
        wait_for_checkpoint(source, tree_size=largest, out=out)


def _put_in_place(incoming: Path, place: Path) -> int:
    """Move what the service said beside the log that now covers it; what went away stays as it was."""
    saved = 0
    for path in sorted(incoming.glob("*/*.json")):
        target = place / path.relative_to(incoming)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        saved += 1
    return saved
