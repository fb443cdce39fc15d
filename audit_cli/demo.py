"""Does the whole way work on a real page? `audit demo`.

Creates the demo city, starts a real server, posts every event through HTTP as an agency would, fetches the answers
back and prints them beside what the page prints; then serves. Run again on the same directory it finds every event
recorded already and serves the same city.
"""

from __future__ import annotations

import argparse
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli import demo_city
from audit_cli.demo_client import DemoClient
from audit_cli.demo_comparison import compare_with_page
from audit_cli.demo_report import all_equal, format_anomalies, format_section, format_verdict, to_document
from audit_cli.demo_server import DemoServer, bind
from audit_cli.demo_transactions import TOTAL
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_cli.report_publishing import request_publication
from audit_service.errors import ConfigurationError
from audit_service.genesis import initialise
from audit_service.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

DEFAULT_PORT = 8000
_DESCRIPTION = """\
Rebuild one page of Seoul's 2021 budget book from events alone, and show it beside the page.

Creates a ledger in DIR with new keys, starts the server, posts 202 signed events and 71,062 synthetic transactions
through the HTTP API, fetches the answers back and compares them with the page, cell by cell. Then it serves until
Ctrl-C. Run again with the same DIR it serves the same city.
"""
_EPILOG = """\
examples:
  audit demo
  audit demo --data /tmp/city --port 8080
  audit demo --no-serve --json > comparison.json

exit codes: 0 every cell of the page is rebuilt, 1 one differs, 2 wrong use.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit demo`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("var/demo"),
        metavar="DIR",
        help="the ledger's data directory (default: %(default)s)",
    )
    parser.add_argument("--no-serve", action="store_true", help="return after the comparison")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        help=f"port to listen on (default: {DEFAULT_PORT}; with --no-serve any free one)",
    )
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Create, post, compare, serve; returns the exit code."""
    out = Output.of(args)
    default_port = 0 if args.no_serve else DEFAULT_PORT
    listener = bind(args.host, default_port if args.port is None else args.port)
    with listener, _stop_on_sigterm():
        started = time.monotonic()
        prepare_ledger(args.data, out)
        with DemoServer(args.data, listener) as server:
            client = DemoClient(server.address)
            server.wait_until_ready()
            post_everything(client, args.data, out)
            publish_reports(client, args.data, out)
            equal = compare(client, out)
            out.note(f"ready in {time.monotonic() - started:.1f} s")
            if not args.no_serve:
                _serve(server, out)
    return EXIT_HOLDS if equal else EXIT_DOES_NOT_HOLD


def prepare_ledger(data_dir: Path, out: Output) -> None:
    """Create the demo city's ledger, or go on with the one that is there.

    Raises:
        WrongUse: the directory holds something else; nothing of it was touched.
    """
    try:
        if not data_dir.exists() or not any(data_dir.iterdir()):
            out.note(f"creating the demo city in {data_dir}: keys, database, genesis entry")
            initialise(
                data_dir,
                origin=demo_city.ORIGIN,
                city=demo_city.CITY,
                agencies=demo_city.AGENCIES,
                demo=True,
            )
            return
        settings = load_settings(data_dir)
    except ConfigurationError as error:
        # The settings are written last: a demo that was interrupted while it began has none either.
        raise WrongUse(
            f"{data_dir} holds something else than a whole demo city; choose another --data, or remove it"
        ) from error
    if not settings.demo or settings.origin != demo_city.ORIGIN:
        raise WrongUse(f"{data_dir} holds another ledger ({settings.origin}); choose another --data")
    out.note(f"going on with the demo city in {data_dir}")


def post_everything(client: DemoClient, data_dir: Path, out: Output) -> None:
    """Post the page's events and the synthetic transactions; what is in the log already stays as it is."""
    keys = data_dir / "keys"
    credentials = {agency.code: demo_city.read_credentials(keys, agency.code) for agency in demo_city.AGENCIES}
    events = repeated = 0
    started = time.monotonic()
    for batch in demo_city.event_batches(credentials):
        answer = client.post(batch, credentials[batch.agency].token)
        events += answer["accepted"]
        repeated += answer["repeated"]
        out.progress(f"posting events of the page: {events} ({batch.name})")
    out.note(f"posted {events} events of the page in {time.monotonic() - started:.1f} s{_already(repeated)}")
    recorded = repeated = 0
    started = time.monotonic()
    for batch in demo_city.transaction_batches(credentials):
        answer = client.post(batch, credentials[batch.agency].token)
        # Each batch opens with its manifest, which is no transaction.
        recorded += answer["accepted"] - 1
        repeated += answer["repeated"]
        out.progress(f"posting synthetic transactions: {recorded:,} of {TOTAL:,} ({batch.name})")
    out.note(f"posted {recorded:,} synthetic transactions in {time.monotonic() - started:.1f} s{_already(repeated)}")


def compare(client: DemoClient, out: Output) -> bool:
    """Fetch the answers back and set them beside the page; returns whether every cell is equal."""
    log = client.get("/v1/log")
    client.wait_for_answers("/v1/answers", log["tree_size"])
    page = demo_city.load_page()
    sections = compare_with_page(client.get, page)
    out.step(f"{page['source']['title']} · {page['source']['document']}\n")
    for section in sections:
        out.step(format_section(section) + "\n")
    project = client.get(f"/v1/projects/{demo_city.PROJECT}")
    out.step(format_anomalies("쪽에서 맞지 않는 것 · what does not fit together on the page", project) + "\n")
    out.verdict(format_verdict(sections))
    for line in _log_lines(log, client.address):
        out.verdict(line)
    equal = all_equal(sections)
    out.document({"equal": equal, "address": client.address, "log": log, "sections": to_document(sections)})
    return equal


def publish_reports(client: DemoClient, data_dir: Path, out: Output) -> None:
    """Let the city bind itself to what was rebuilt: every kind of report, published into the log."""
    published = request_publication(load_settings(data_dir))
    reports = client.get("/v1/reports")["reports"]
    kinds = len({report["kind"] for report in reports})
    out.note(f"published {published} reports; there are {len(reports)} of {kinds} kinds at {client.address}/v1/reports")


def _log_lines(log: dict[str, Any], address: str) -> list[str]:
    return [
        f"origin     {log['origin']}",
        f"vkey       {log['verifier_keys'][0]}",
        f"tree size  {log['tree_size']}",
        f"root       {log['root_hash']}",
        f"address    {address}/",
    ]


def _serve(server: DemoServer, out: Output) -> None:
    try:
        out.note(f"serving {server.address}/ until Ctrl-C")
        server.wait()
    except KeyboardInterrupt:
        out.note("stopping")


def _already(repeated: int) -> str:
    return f" ({repeated:,} stood in the log already)" if repeated else ""


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, found {text!r}")
    return int(text)


@contextmanager
def _stop_on_sigterm() -> Iterator[None]:
    """Let `kill` end the demo as Ctrl-C does: with the server stopped, and nothing left running."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
