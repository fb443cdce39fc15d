"""To which figures has the city bound itself, and can I take one away as evidence? `audit report`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, CommandError, WrongUse
from audit_cli.output import Output, add_output_arguments, table
from projections.differences import NOTHING, differences, show
from projections.log_mirror import write_atomically
from projections.log_source import MAX_JSON_BYTES, LogSourceError, SourceUnreachable, WebReader
from verifier.canonical import encode_canonical, parse_strict
from verifier.errors import VerificationError
from verifier.reports import is_report_name
from verifier.row_proofs import MAX_ROW_PROOF_BYTES, verify_row_proof
from verifier.stream_proofs import ALL, STREAM_HEADS, parse_stream_head, verify_stream_complete

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

_MAX_PAGES_BYTES = 512 * 1024 * 1024
_DESCRIPTION = """\
The city binds itself to reports: the root over a report's rows stands in its log. With these commands anybody

  list      sees which reports there are
  proof     fetches the proof of one row, or of its absence, checks it, and keeps it in a file for `audit verify`
  diff      sees which rows changed between two published tree sizes, and which entries caused it
  complete  checks that a list of all events of one stream leaves none out

and the city

  publish   publishes now every report whose rows have changed (beside the running service, or without it)
"""
_EPILOG = """\
examples:
  audit report list --service http://127.0.0.1:8000
  audit report proof --service http://127.0.0.1:8000 --vkey @log.vkey --report settlement/seoul-smartcity \\
      --row settlements/2019/shared-admin --out 2019.row-proof.json
  audit report diff --service http://127.0.0.1:8000 --report settlement/seoul-smartcity --from 120 --to 240
  audit report complete --service http://127.0.0.1:8000 --vkey @log.vkey --subject contract/maintenance
  audit report complete --vkey @log.vkey --subject contract/maintenance --proof heads.json --events page1.json
  audit report publish --data var/ledger

exit codes: 0 holds, 1 does not hold, 2 wrong use.
"""
_ACTIONS = ("list", "proof", "diff", "complete", "publish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit report`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("--service", metavar="URL", help="the service's address")
    parser.add_argument("--vkey", help="proof, complete: the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    parser.add_argument("--report", metavar="KIND/KEY", help="proof, diff: which report")
    parser.add_argument("--row", metavar="KEY", help="proof: which row")
    parser.add_argument(
        "--tree-size", type=int, metavar="N", help="proof: of the report of this size (default: newest)"
    )
    parser.add_argument("--from", dest="old", type=int, metavar="N", help="diff: tree size of the older report")
    parser.add_argument("--to", dest="new", type=int, metavar="N", help="diff: of the newer one (default: newest)")
    parser.add_argument("--subject", metavar="SUBJECT", help="complete: which stream")
    parser.add_argument("--proof", type=Path, metavar="FILE", help="complete: the row proof of the stream's head")
    parser.add_argument(
        "--events", type=Path, nargs="+", metavar="FILE", help="complete: saved pages of /v1/events?subject=…"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="proof: keep it in this file")
    parser.add_argument("--data", type=Path, metavar="DIR", help="publish: the ledger's data directory")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    out = Output.of(args)
    if args.action == "publish":
        # Only here is anything of the city's server loaded: everybody else runs without it.
        publishing: Any = importlib.import_module("audit_cli.report_publishing")
        code: int = publishing.publish(_required(args.data, "--data"), out)
        return code
    actions: dict[str, Callable[[argparse.Namespace, Output], int]] = {
        "list": _list,
        "proof": _proof,
        "diff": _diff,
        "complete": _complete,
    }
    try:
        return actions[args.action](args, out)
    except SourceUnreachable as error:
        raise WrongUse(str(error)) from error
    except LogSourceError as error:
        raise CommandError(str(error)) from error


def _list(args: argparse.Namespace, out: Output) -> int:
    document = _get(args, "v1/reports")
    rows = [
        [each["kind"], each["key"], f"{each['tree_size']:,}", f"{each['row_count']:,}", f"{each['entry']:,}"]
        for each in document["reports"]
    ]
    headers = ["report", "key", "tree size", "rows", "entry"]
    out.verdict(table(headers, rows, right=frozenset({2, 3, 4})) if rows else "no report is published yet")
    out.document(document)
    return EXIT_HOLDS


def _proof(args: argparse.Namespace, out: Output) -> int:
    vkey = parse_vkey(_required(args.vkey, "--vkey"))
    kind, key = _report_name(args)
    row_key = _required(args.row, "--row")
    path = f"v1/reports/{kind}/{key}/rows/{quote(row_key)}/proof"
    if args.tree_size is not None:
        path += f"?tree_size={args.tree_size}"
    proof = WebReader(_required(args.service, "--service")).read(path, MAX_ROW_PROOF_BYTES)
    try:
        proven = verify_row_proof(proof, vkey=vkey, kind=kind, key=key, row_key=row_key)
    except VerificationError as error:
        return _does_not_hold(error, out)
    if args.out is not None:
        write_atomically(args.out, proof)
    for name, value in () if proven.row is None else sorted(proven.row.get("cells", proven.row).items()):
        out.step(f"  {name}: {show(value)}")
    size = proven.report.tree_size
    there = "no such row" if proven.row is None else "this row"
    out.verdict(f"HOLDS: {kind}/{key} has {there} at tree size {size}: {row_key} ({len(proof):,} bytes)")
    out.document({"holds": True, "kind": kind, "key": key, "row_key": row_key, "row": proven.row, "tree_size": size})
    return EXIT_HOLDS


def _diff(args: argparse.Namespace, out: Output) -> int:
    kind, key = _report_name(args)
    query = {"from": _required(args.old, "--from"), **({} if args.new is None else {"to": args.new})}
    document = _get(args, f"v1/reports/{kind}/{key}/diff?{urlencode(query)}")
    for change in document["changes"]:
        out.verdict(f"{change['key']} (entries {show(change['caused_by'])})")
        old, new = (NOTHING if change[name] is None else change[name] for name in ("old", "new"))
        for pointer, before, after in differences(old, new):
            out.step(f"  {pointer or '(the row)'}: {show(before)} → {show(after)}")
    old_size, new_size = document["from"]["tree_size"], document["to"]["tree_size"]
    out.verdict(f"{len(document['changes'])} rows differ between tree sizes {old_size} and {new_size}")
    out.document(document)
    return EXIT_HOLDS


def _complete(args: argparse.Namespace, out: Output) -> int:
    vkey = parse_vkey(_required(args.vkey, "--vkey"))
    subject = _required(args.subject, "--subject")
    try:
        proof, entries = _saved_stream(args) if args.proof is not None else _fetched_stream(args, subject, out)
        proven = verify_row_proof(proof, vkey=vkey, kind=STREAM_HEADS, key=ALL, row_key=subject)
        if proven.row is None:
            later, size = sum(1 for _ in entries), proven.report.tree_size
            out.verdict(f"HOLDS: {subject} had no event at tree size {size}; {later} came later")
            out.document({"holds": True, "subject": subject, "events": 0, "tree_size": size})
            return EXIT_HOLDS
        head = parse_stream_head(proven.row)
        events = verify_stream_complete(entries, head)
    except VerificationError as error:
        return _does_not_hold(error, out)
    size = proven.report.tree_size
    later = len(events) - head.events
    out.verdict(f"HOLDS: these are all {head.events} events of {subject} up to tree size {size}; {later} came later")
    facts = {"subject": subject, "events": head.events, "later": later, "tree_size": size, "root": head.root.hex()}
    out.document({"holds": True, **facts})
    return EXIT_HOLDS


def _saved_stream(args: argparse.Namespace) -> tuple[bytes, Iterator[bytes]]:
    files = _required(args.events, "--events")
    pages = (read_file(path, max_bytes=_MAX_PAGES_BYTES) for path in files)
    return read_file(args.proof, max_bytes=MAX_ROW_PROOF_BYTES), _entries_of(pages)


def _fetched_stream(args: argparse.Namespace, subject: str, out: Output) -> tuple[bytes, Iterator[bytes]]:
    web = WebReader(_required(args.service, "--service"))
    proof = web.read(f"v1/reports/{STREAM_HEADS}/{ALL}/rows/{quote(subject)}/proof", MAX_ROW_PROOF_BYTES)
    return proof, _entries_of(_pages(web, subject, out))


def _pages(web: WebReader, subject: str, out: Output) -> Iterator[bytes]:
    after: int | None = None
    fetched = 0
    while True:
        query = {"subject": subject, "limit": 1000, **({} if after is None else {"after": after})}
        page = web.read(f"v1/events?{urlencode(query)}", MAX_JSON_BYTES)
        yield page
        entries = _page_entries(page)
        fetched += len(entries)
        out.progress(f"events of {subject}: {fetched:,}")
        last = entries[-1].get("index") if entries else None
        if parse_strict(page).get("next") is None or type(last) is not int or (after is not None and last <= after):
            return
        after = last


def _entries_of(pages: Iterator[bytes]) -> Iterator[bytes]:
    """The entries of saved pages. An entry is its own canonical form: these are the bytes that were hashed."""
    for page in pages:
        for listed in _page_entries(page):
            yield encode_canonical(listed.get("entry"))


def _page_entries(page: bytes) -> list[dict[str, Any]]:
    document = parse_strict(page)
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise WrongUse("not a page of /v1/events")
    return entries


def _get(args: argparse.Namespace, path: str) -> Any:
    data = WebReader(_required(args.service, "--service")).read(path, MAX_JSON_BYTES)
    try:
        return parse_strict(data)
    except VerificationError as error:
        raise CommandError(f"{path}: {error}") from error


def _report_name(args: argparse.Namespace) -> tuple[str, str]:
    kind, _, key = _required(args.report, "--report").partition("/")
    if not is_report_name(kind, key):
        raise WrongUse("--report: expected KIND/KEY, such as settlement/seoul-smartcity")
    return kind, key


def _required(value: Any, name: str) -> Any:
    if value is None:
        raise WrongUse(f"{name} is needed here (see `audit report --help`)")
    return value


def _does_not_hold(error: VerificationError, out: Output) -> int:
    out.verdict(f"DOES NOT HOLD: {error}")
    out.document({"holds": False, "problem": str(error)})
    return EXIT_DOES_NOT_HOLD
