"""How does a city begin a ledger? `audit init`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import WrongUse
from audit_cli.server_errors import one_line_errors
from audit_service.genesis import AgencyPlan, Predecessor, initialise
from audit_service.ledger import Ledger
from audit_service.settings import read_url

if TYPE_CHECKING:
    import argparse

_AGENCY = re.compile(r"([a-z0-9][a-z0-9-]{0,62})=([^=]{1,200})=([a-z.*0-9,-]{1,500})", re.ASCII)
_SCOPE = re.compile(r"[a-z]+\.(\*|[a-z0-9-]+\.v[0-9]+)", re.ASCII)
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
# The key name of a signed note: no space, no plus sign (C2SP signed-note).
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9./-]{0,199}", re.ASCII)
_MAX_NOTE_BYTES = 64 * 1024
_EPILOG = """\
examples:
  audit init --data var/ledger --origin ledger.example/city --city city \\
      --agency 'city=City hall=registry.*' \\
      --agency 'roads=Road works=budget.*,contract.*,project.*,service.*'

The tables are made in DIR, or in the PostgreSQL database that AUDIT_DATABASE_URL names; with AUDIT_JOURNAL_URL,
which names another one, several hosts can take the log over from each other.
Private keys and tokens end up in DIR/keys, readable by their owner only. Take the three root keys away from
this machine, give each agency its key and token, and publish the verifier key that is printed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit init`."""
    parser.description = "Create a ledger: keys, tables, tokens and the genesis entry, signed by two root keys."
    parser.epilog = _EPILOG
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="an empty or new directory")
    parser.add_argument("--origin", required=True, help="the log's name for ever: a URL without its scheme")
    parser.add_argument("--city", required=True, metavar="CODE", help="code of the agency that keeps the log")
    parser.add_argument(
        "--agency",
        action="append",
        required=True,
        metavar="CODE=NAME=SCOPES",
        help="an agency that may write, and what: types or kinds of streams, divided by commas; repeatable",
    )
    parser.add_argument(
        "--succeeds",
        type=Path,
        metavar="CHECKPOINT",
        help="the last known checkpoint of a log that cannot go on: the genesis of the new one embeds it",
    )
    parser.add_argument("--succeeds-key", metavar="VKEY", help="that log's verifier key, or @FILE that holds it")


def _predecessor(args: argparse.Namespace) -> Predecessor | None:
    if args.succeeds is None and args.succeeds_key is None:
        return None
    if args.succeeds is None or args.succeeds_key is None:
        raise WrongUse("--succeeds and --succeeds-key go together")
    return Predecessor(str(parse_vkey(args.succeeds_key)), read_file(args.succeeds, max_bytes=_MAX_NOTE_BYTES))


def run(args: argparse.Namespace) -> int:
    """Create the ledger and print its origin and verifier key."""
    if not _ORIGIN.fullmatch(args.origin):
        raise WrongUse("--origin must be a URL without its scheme: small letters, digits, `.`, `/`, `-`")
    if not _CODE.fullmatch(args.city):
        raise WrongUse("--city must be a code of small letters, digits and `-`")
    agencies = [_agency(text) for text in args.agency]
    with one_line_errors():
        settings = initialise(
            args.data,
            origin=args.origin,
            city=args.city,
            agencies=agencies,
            database_url=read_url("database_url"),
            journal_url=read_url("journal_url"),
            predecessor=_predecessor(args),
        )
        with Ledger(settings) as ledger:
            vkey = ledger.vkey
    print(f"origin        {args.origin}")
    print(f"verifier key  {vkey}")
    print(f"keys, tokens  {settings.keys}")
    return 0


def _agency(text: str) -> AgencyPlan:
    match = _AGENCY.fullmatch(text)
    if match is None or not all(_SCOPE.fullmatch(scope) for scope in match[3].split(",")):
        raise WrongUse("--agency must be CODE=NAME=SCOPES, such as 'roads=Road works=budget.*,contract.*'")
    return AgencyPlan(code=match[1], name_ko=match[2], name_en=match[2], scopes=tuple(match[3].split(",")))
