"""Is a whole log what it claims to be, and do its entries add up to what the service answered? `audit replay`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.arguments import parse_vkey
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments, table
from audit_cli.service_answers import fetch_answers_into, service_of, wait_for_checkpoint
from projections.log_source import SourceUnreachable, open_log
from projections.replay import replay
from projections.replay_verdict import CHECKS, MAX_VIOLATIONS

if TYPE_CHECKING:
    import argparse

    from projections.log_source import LogSource
    from projections.replay_verdict import Verdict

_READ_AHEAD_WORKERS = 8

_DESCRIPTION = f"""\
Recompute everything from the log's entries, without the city's database, and compare. The checks:

{chr(10).join(f"  {number:2}. {name:<11} {means}" for number, (name, means) in enumerate(CHECKS.items(), start=1))}

Saved answers are taken from DIR/answers (see `audit mirror`), or from the service beside LOG_URL. The replay goes
on after a violation, so that one run shows all of them; each names its place.
"""
_EPILOG = """\
examples:
  audit replay ./copy --vkey @log.vkey
  audit replay http://127.0.0.1:8000/log --vkey @log.vkey
  audit replay ./copy --vkey @log.vkey --json > verdict.json
  audit replay ./copy --vkey @log.vkey --no-rules        tree, tables and answers only: faster
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit replay`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("log", metavar="LOG_URL|DIR", help="the log's address, or a directory that holds a log")
    parser.add_argument("--vkey", required=True, help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument("--answers", type=Path, metavar="DIR", help="compare with the answers saved here")
    answers.add_argument("--no-answers", action="store_true", help="compare no answers")
    parser.add_argument("--no-rules", action="store_true", help="leave out the checks 3 to 8: genesis, form, … rules")
    parser.add_argument("--no-signatures", action="store_true", help="leave out check 7: signatures")
    parser.add_argument(
        "--max-violations",
        type=int,
        default=MAX_VIOLATIONS,
        metavar="N",
        help=f"show at most so many violations; all are counted (default {MAX_VIOLATIONS})",
    )
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Replay and report; returns the exit code."""
    out = Output.of(args)
    vkey = parse_vkey(args.vkey)
    if args.max_violations < 1:
        raise WrongUse("--max-violations must be 1 or more")
    try:
        with ExitStack() as stack:
            source = open_log(args.log)
            verdict = replay(
                source,
                vkey=vkey,
                answers=_find_answers(args, source, out, stack),
                check_rules=not args.no_rules,
                check_signatures=not args.no_signatures,
                max_violations=args.max_violations,
                workers=_READ_AHEAD_WORKERS if "://" in args.log else 0,
                progress=lambda done, total: out.progress(f"replay: {done:,} of {total:,} entries"),
            )
    except SourceUnreachable as error:
        raise WrongUse(str(error)) from error
    _print(verdict, out)
    out.document(verdict.as_document())
    return EXIT_HOLDS if verdict.holds else EXIT_DOES_NOT_HOLD


def _find_answers(args: argparse.Namespace, source: LogSource, out: Output, stack: ExitStack) -> Path | None:
    """The directory of saved answers: as asked, beside the mirror, or fetched from the running service."""
    answers: Path | None = args.answers
    if args.no_answers:
        return None
    if answers is not None:
        if not answers.is_dir():
            raise WrongUse(f"--answers: {answers} is not a directory")
        return answers
    service = service_of(args.log)
    if service is None:
        beside = Path(args.log) / "answers"
        return beside if "://" not in args.log and beside.is_dir() else None
    fetched = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="audit-answers-")))
    largest = fetch_answers_into(fetched, service, out)
    if not largest:
        return None
    wait_for_checkpoint(source, tree_size=largest, out=out)
    return fetched


def _print(verdict: Verdict, out: Output) -> None:
    found = verdict.findings
    for number, violation in enumerate(verdict.violations, start=1):
        out.verdict(f"violation {number}: {violation}")
    if verdict.more_violations:
        out.verdict(f"… and {verdict.more_violations:,} more violations")
    if found.content_ends_at is not None:
        out.verdict(f"from entry {found.content_ends_at} on, what entries say could not be checked")
    rows = [
        [
            name,
            verdict.status(name),
            f"{found.examined[name]:,}",
            f"{found.broken[name]:,}",
            found.skipped.get(name, means),
        ]
        for name, means in CHECKS.items()
    ]
    headers = ["check", "verdict", "examined", "violations", "what it means"]
    out.step("\n" + table(headers, rows, right=frozenset({2, 3})) + "\n")
    log = verdict.checkpoint
    what = "a log without a readable checkpoint" if log is None else f"{log.origin} at size {log.tree_size}"
    out.step(f"{verdict.entries:,} entries in {verdict.seconds:.2f} s: {verdict.entries_per_second:,} per second")
    total = sum(found.broken.values())
    out.verdict(f"HOLDS: {what}" if verdict.holds else f"DOES NOT HOLD: {what}; {total:,} violations")
