"""What does a log say in another standard's form? `audit export`: written only after a replay that holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import parse_vkey
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments
from projections.exports.ocds import export_records, record_package
from projections.exports.ocds_words import PLACEHOLDER_PREFIX
from projections.log_source import SourceUnreachable, open_log
from projections.replay import replay

if TYPE_CHECKING:
    import argparse

    from audit_service.catalogue.event import Event
    from projections.replay_verdict import Verdict

_DESCRIPTION = """\
Write every contract of a log as a record package of the Open Contracting Data Standard (OCDS 1.1.5).

An event is a release; a record holds a process's releases and what they add up to. The log is replayed first, with
every check but the comparison of answers; where something does not hold, nothing is written. Works on a copied log
without any network.
"""
_EPILOG = f"""\
examples:
  audit export ocds ./copy --vkey @log.vkey --out contracts.json
  audit export ocds ./copy --vkey @log.vkey --prefix ocds-abc123     a prefix that the publisher has registered

Without --prefix, processes are called {PLACEHOLDER_PREFIX}-<process>: a placeholder, which is registered to nobody.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit export`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("form", choices=["ocds"], metavar="ocds", help="the standard to write")
    parser.add_argument("log", metavar="LOG_URL|DIR", help="the log's address, or a directory that holds a log")
    parser.add_argument("--vkey", required=True, help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the record package")
    parser.add_argument("--prefix", default=PLACEHOLDER_PREFIX, help="the publisher's registered ocid prefix")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Replay, then write; returns the exit code."""
    out = Output.of(args)
    vkey = parse_vkey(args.vkey)
    events: list[Event] = []
    names: dict[str, str] = {}

    def keep(_: int, event: Event) -> None:
        if event.type.startswith("contract."):
            events.append(event)
        elif event.type == "registry.organisation-named.v1":
            names[event.data.code] = event.data.name_ko

    try:
        verdict = replay(
            open_log(args.log),
            vkey=vkey,
            progress=lambda done, total: out.progress(f"export: {done:,} of {total:,} entries"),
            also=keep,
        )
    except SourceUnreachable as error:
        raise WrongUse(str(error)) from error
    out.end_progress()
    if not verdict.holds:
        first = verdict.violations[0]
        out.verdict(f"the log does not hold, nothing was written: {first}")
        out.document({"holds": False, "written": 0, "violation": str(first)})
        return EXIT_DOES_NOT_HOLD
    _write(args, out, _package(verdict, events, names, prefix=args.prefix))
    return EXIT_HOLDS


def _package(verdict: Verdict, events: list[Event], names: dict[str, str], *, prefix: str) -> dict[str, Any]:
    checkpoint = verdict.checkpoint
    origin, size = ("", 0) if checkpoint is None else (checkpoint.origin, checkpoint.tree_size)
    published = max((event.recorded_time for event in events), default="1970-01-01T00:00:00.000Z")
    return record_package(
        export_records(events, prefix=prefix, names=names),
        uri=f"urn:ledger:{origin}:{size}",
        publisher=origin,
        published=published,
    )


def _write(args: argparse.Namespace, out: Output, package: dict[str, Any]) -> None:
    args.out.write_text(json.dumps(package, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    count = len(package["records"])
    out.verdict(f"{count} contracting processes written to {args.out}")
    out.document({"holds": True, "written": count})
