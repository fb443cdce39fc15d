"""What governs the log itself? `audit log`: its witness policy, its witnesses, who must approve, and its end.

Every change is an entry of the log, signed by two root keys.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import read_file
from audit_cli.errors import WrongUse
from audit_cli.governance import MAX_FILE_BYTES, add_act_arguments, record_act

if TYPE_CHECKING:
    import argparse

_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,128}", re.ASCII)
_VKEY = re.compile(r"[^+\s]{1,255}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{1,4096}", re.ASCII)
_DESCRIPTION = """\
Change what governs a log. Every change is an entry, signed by one root key and approved by another.

  policy          which witnesses must have seen a checkpoint (a C2SP tlog-policy file)
  enrol-witness   a witness, by its verifier key
  retire-witness  a witness no longer
  approvals       which events need a second signature; without options, none
  succeed         end this log: another one goes on, nothing is accepted here after it

An act is written to standard output or --out, or sent with --url, --token and --vkey. With --root-key alone it
waits for `audit submit act.json --sign-only --approve-with second.key`.
"""
_EPILOG = """\
examples:
  audit log policy policy.txt --city city --root-key r1.key --second-root-key r2.key --out act.json
  audit log enrol-witness council --witness-key @council.vkey --city city --root-key r1.key --second-root-key r2.key
  audit log approvals --amount-won 100000000 --late-days 30 --city city --root-key r1.key --second-root-key r2.key
  audit log succeed --origin ledger.example/city-2 --log-key @new.vkey --city city --root-key r1.key
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit log`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    policy = actions.add_parser("policy", help="change the witness policy", allow_abbrev=False)
    policy.add_argument("file", type=Path, metavar="FILE", help="the new policy")

    enrol = actions.add_parser("enrol-witness", help="enrol a witness", allow_abbrev=False)
    enrol.add_argument("name", metavar="NAME")
    enrol.add_argument("--witness-key", required=True, metavar="VKEY", help="NAME+ID+KEY, or @FILE that holds it")
    enrol.add_argument("--witness-url", metavar="URL", help="where it answers: https://…")

    retire = actions.add_parser("retire-witness", help="retire a witness", allow_abbrev=False)
    retire.add_argument("name", metavar="NAME")

    approvals = actions.add_parser("approvals", help="say which events need an approval", allow_abbrev=False)
    approvals.add_argument("--amount-won", type=int, metavar="WON", help="from this amount on")
    approvals.add_argument("--late-days", type=int, metavar="N", help="for what happened longer ago than this")

    succeed = actions.add_parser("succeed", help="end this log for another", allow_abbrev=False)
    succeed.add_argument("--origin", required=True, metavar="ORIGIN", help="the successor's origin")
    succeed.add_argument("--log-key", required=True, metavar="VKEY", help="the successor's key, or @FILE")

    for action in (policy, enrol, retire, approvals, succeed):
        add_act_arguments(action)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    name, data = {
        "policy": _policy,
        "enrol-witness": _enrolment,
        "retire-witness": _retirement,
        "approvals": _approvals,
        "succeed": _succession,
    }[args.action](args)
    return record_act(args, name, data)


def _policy(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    return "policy-changed", {"policy": _text(args.file)}


def _enrolment(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    url = {} if args.witness_url is None else {"url": args.witness_url}
    if url and not args.witness_url.startswith("https://"):
        raise WrongUse("--witness-url begins with https://")
    return "witness-enrolled", {"name": _name(args.name), "vkey": _vkey(args.witness_key, "--witness-key"), **url}


def _retirement(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    return "witness-retired", {"name": _name(args.name)}


def _approvals(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    members = {"amount_won": args.amount_won, "late_days": args.late_days}
    if any(value is not None and value < 0 for value in members.values()):
        raise WrongUse("--amount-won and --late-days are 0 or more")
    return "approval-policy-set", {name: value for name, value in members.items() if value is not None}


def _succession(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    return "log-succeeded", {
        "successor_origin": args.origin,
        "successor_log_key": _vkey(args.log_key, "--log-key"),
    }


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise WrongUse("NAME is 1 to 128 of A-Z a-z 0-9 . _ : / -")
    return text


def _vkey(text: str, option: str) -> str:
    """A verifier key of any kind: witnesses may have other kinds of keys than a log."""
    vkey = _text(Path(text[1:])).strip() if text.startswith("@") else text
    if not _VKEY.fullmatch(vkey):
        raise WrongUse(f"{option} is a verifier key, NAME+ID+KEY, or @FILE that holds one")
    return vkey


def _text(path: Path) -> str:
    try:
        return read_file(path, max_bytes=MAX_FILE_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongUse(f"{path} is not UTF-8 text") from error
