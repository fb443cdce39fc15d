"""Is a whole log what it claims to be, and do its entries add up to what the service answered? `audit replay`."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.arguments import parse_vkey
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments, table
from audit_cli.service_answers import fetch_answers_into, fetch_reports_into, service_of, wait_for_checkpoint
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

Every published report is recomputed at its own tree size, and the verdict on each is shown. Where its rows are saved
(DIR/reports, see `audit mirror`), the row, the figure and the entries that differ are named.

Saved answers and reports are taken from DIR/answers and DIR/reports, or from the service beside LOG_URL. The replay
goes on after a violation, so that one run shows all of them; each names its place.
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
    answers.add_argument(
        "--answers", type=Path, metavar="DIR", help="compare with the answers saved here, and with reports beside them"
    )
    answers.add_argument("--no-answers", action="store_true", help="compare no answers and no rows of reports")
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
            answers, reports = _find_answers(args, source, out, stack)
            verdict = replay(
                source,
                vkey=vkey,
                answers=answers,
                reports=reports,
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


def _find_answers(
    args: argparse.Namespace, source: LogSource, out: Output, stack: ExitStack
) -> tuple[Path | None, Path | None]:
    """The directories of saved answers and reports: as asked, beside the mirror, or fetched from the service."""
    answers: Path | None = args.answers
    if args.no_answers:
        return None, None
    if answers is not None:
        if not answers.is_dir():
            raise WrongUse(f"--answers: {answers} is not a directory")
        return answers, _if_there(answers.parent / "reports")
    service = service_of(args.log)
    if service is None:
        if "://" in args.log:
            return None, None
        return _if_there(Path(args.log) / "answers"), _if_there(Path(args.log) / "reports")
    fetched = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="audit-answers-")))
    largest = fetch_answers_into(fetched / "answers", service, out)
    largest = max(largest, fetch_reports_into(fetched / "reports", service, out))
    if largest:
        wait_for_checkpoint(source, tree_size=largest, out=out)
    return _if_there(fetched / "answers"), _if_there(fetched / "reports")


def _if_there(directory: Path) -> Path | None:
    return directory if directory.is_dir() else None


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
    _print_reports(verdict, out)
    log = verdict.checkpoint
    what = "a log without a readable checkpoint" if log is None else f"{log.origin} at size {log.tree_size}"
    out.step(f"{verdict.entries:,} entries in {verdict.seconds:.2f} s: {verdict.entries_per_second:,} per second")
    total = sum(found.broken.values())
    out.verdict(f"HOLDS: {what}" if verdict.holds else f"DOES NOT HOLD: {what}; {total:,} violations")


def _print_reports(verdict: Verdict, out: Output) -> None:
    """One line for each published report; where there are many of one key, equal ones are counted together."""
    if not verdict.reports:
        return
    newest = {each.found.ref: each for each in verdict.reports}
    counts = Counter(each.found.ref for each in verdict.reports)
    shown = [each for each in verdict.reports if each.verdict != "equal" or newest[each.found.ref] is each]
    rows = [
        [
            each.found.report.kind,
            each.found.report.key,
            f"{each.found.report.tree_size:,}",
            f"{each.found.log_index:,}",
            f"{each.found.report.row_count:,}",
            f"{counts[each.found.ref]:,}",
            each.verdict + (f" in {len({row['row'] for row in each.rows})} rows" if each.rows else ""),
        ]
        for each in shown
    ]
    headers = ["report", "key", "tree size", "entry", "rows", "published", "verdict"]
    out.step(table(headers, rows, right=frozenset({2, 3, 4, 5})) + "\n")
