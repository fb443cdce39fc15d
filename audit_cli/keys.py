"""Who may write to the log? `audit keys`: agencies and their keys registered and revoked, root keys rotated, listed.

Every change is an entry of the log, signed by two root keys; nothing here touches a server's files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, DoesNotHold, WrongUse
from audit_cli.governance import CODE, MAX_FILE_BYTES, add_act_arguments, read_key, record_act
from audit_cli.output import Output, add_output_arguments, table
from projections.log_source import LogSourceError, open_log
from projections.replay_registry import replay_registry
from verifier.canonical import parse_strict
from verifier.encoding import encode_base64url
from verifier.envelope import key_id
from verifier.errors import VerificationError
from verifier.possession import prove_possession, prove_root_possession

if TYPE_CHECKING:
    import argparse

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from audit_service.rules.states import LogState

ROLES = ("SUBMITTER", "APPROVER", "PUBLISHER")
_ROOT_KEYS = 3
_SCOPE = re.compile(r"[a-z]+\.(\*|[a-z0-9-]+\.v[0-9]+)", re.ASCII)
_KID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_DESCRIPTION = """\
Say in the log who may write to it. Every change is an entry, signed by one root key and approved by another.

  prove            an agency: what it hands to the city to have its key registered; the private key stays
  register-agency  a new agency
  register         an agency's key, from what the agency proved
  revoke           a key, from its entry on or from a later index on
  rotate-roots     three new root keys
  list             whose keys a log registers now, recomputed from the log itself

An act is written to standard output or --out, or sent with --url, --token and --vkey. With --root-key alone it
waits for `audit submit act.json --sign-only --approve-with second.key`.
"""
_EPILOG = """\
examples:
  audit keys prove --key roads.key --origin ledger.example/city --agency roads --scope 'budget.*' > roads.proof
  audit keys register --proof roads.proof --city city --root-key r1.key --second-root-key r2.key --out act.json
  audit keys revoke KID --reason 'the laptop was stolen' --city city --root-key r1.key --second-root-key r2.key
  audit keys list ./copy --vkey @log.vkey
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit keys`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    prove = actions.add_parser("prove", help="prove possession of an agency's key", allow_abbrev=False)
    prove.add_argument("--key", type=Path, required=True, metavar="FILE", help="the agency's private key")
    prove.add_argument("--origin", required=True, help="the log's origin")
    prove.add_argument("--agency", required=True, metavar="CODE", help="whose key it is")
    prove.add_argument("--scope", action="append", required=True, help="a type or a kind, `budget.*`; repeatable")

    agency = actions.add_parser("register-agency", help="register an agency", allow_abbrev=False)
    agency.add_argument("code", metavar="CODE")
    agency.add_argument("--name-ko", required=True, metavar="NAME")
    agency.add_argument("--name-en", required=True, metavar="NAME")
    add_act_arguments(agency)

    register = actions.add_parser("register", help="register an agency's key", allow_abbrev=False)
    register.add_argument("--proof", type=Path, required=True, metavar="FILE", help="what `audit keys prove` printed")
    register.add_argument("--role", choices=ROLES, default="SUBMITTER", help="what the key is for")
    register.add_argument("--subject", action="append", metavar="PREFIX", help="only these streams; repeatable")
    add_act_arguments(register)

    revoke = actions.add_parser("revoke", help="revoke a key", allow_abbrev=False)
    revoke.add_argument("kid", metavar="KID")
    revoke.add_argument("--reason", required=True, metavar="TEXT", help="public, for ever; no names")
    revoke.add_argument("--from-index", type=int, metavar="N", help="from this index of the log on")
    add_act_arguments(revoke)

    rotate = actions.add_parser("rotate-roots", help="let three new root keys take over", allow_abbrev=False)
    rotate.add_argument("--origin", required=True, help="the log's origin")
    rotate.add_argument(
        "--new-root", type=Path, action="append", required=True, metavar="FILE", help="a new root key; three times"
    )
    add_act_arguments(rotate)

    listing = actions.add_parser("list", help="list the keys of a log", allow_abbrev=False)
    listing.add_argument("log", metavar="LOG_URL|DIR", help="the log's address, or a directory that holds a log")
    listing.add_argument("--vkey", required=True, help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    add_output_arguments(listing)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if args.action == "prove":
        return _prove(args)
    if args.action == "list":
        return _list(args)
    name, data = {
        "register-agency": _agency,
        "register": _registration,
        "revoke": _revocation,
        "rotate-roots": _rotation,
    }[args.action](args)
    return record_act(args, name, data)


# --- acts -----------------------------------------------------------------------------------------------


def _prove(args: argparse.Namespace) -> int:
    _require_code(args.agency, "--agency")
    if not all(_SCOPE.fullmatch(scope) for scope in args.scope):
        raise WrongUse("--scope is a type such as budget.paid.v1, or a kind such as 'budget.*'")
    key = read_key(args.key)
    possession = prove_possession(key, origin=args.origin, agency=args.agency, scopes=args.scope)
    proof = {"agency": args.agency, **_public(key), "scopes": args.scope, "possession": possession}
    print(json.dumps(proof, indent=2))
    return EXIT_HOLDS


def _agency(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    _require_code(args.code, "CODE")
    return "agency-registered", {"code": args.code, "name_ko": args.name_ko, "name_en": args.name_en}


def _registration(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    try:
        proof = parse_strict(read_file(args.proof, max_bytes=MAX_FILE_BYTES))
    except VerificationError as error:
        raise WrongUse(f"{args.proof}: {error}") from error
    if not isinstance(proof, dict) or set(proof) != {"agency", "kid", "public_key", "scopes", "possession"}:
        raise WrongUse(f"{args.proof} is not what `audit keys prove` prints")
    return "key-registered", {**proof, "role": args.role, **({"subjects": args.subject} if args.subject else {})}


def _revocation(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    if not _KID.fullmatch(args.kid):
        raise WrongUse("KID is the id of a key: 43 characters, see `audit keys list`")
    start = {} if args.from_index is None else {"from_index": args.from_index}
    return "key-revoked", {"kid": args.kid, "reason": args.reason, **start}


def _rotation(args: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    if len(args.new_root) != _ROOT_KEYS:
        raise WrongUse("--new-root stands three times: a log has three root keys")
    keys = [read_key(path) for path in args.new_root]
    publics = [_public(key) for key in keys]
    kids = [public["kid"] for public in publics]
    if len(set(kids)) != _ROOT_KEYS:
        raise WrongUse("--new-root names one key twice")
    proofs = [prove_root_possession(key, origin=args.origin, root_kids=kids) for key in keys]
    return "root-keys-rotated", {"root_keys": publics, "possessions": proofs}


def _require_code(code: str, what: str) -> None:
    if not CODE.fullmatch(code):
        raise WrongUse(f"{what} is a code of small letters, digits and `-`")


def _public(key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes_raw()
    return {"kid": key_id(raw), "public_key": encode_base64url(raw)}


# --- what a log says ------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    out = Output.of(args)
    try:
        view = replay_registry(open_log(args.log), vkey=parse_vkey(args.vkey))
    except LogSourceError as error:
        raise WrongUse(str(error)) from error
    except VerificationError as error:
        raise DoesNotHold(str(error)) from error
    rows = _rows(view.state)
    out.verdict(table(list(rows[0]) if rows else ["kid"], [list(row.values()) for row in rows]))
    for violation in view.violations:
        out.verdict(str(violation))
    out.document(
        {
            "origin": view.checkpoint.origin,
            "tree_size": view.checkpoint.tree_size,
            "keys": rows,
            "violations": [violation.as_document() for violation in view.violations],
        }
    )
    return EXIT_DOES_NOT_HOLD if view.violations else EXIT_HOLDS


def _rows(state: LogState) -> list[dict[str, str]]:
    rows = [
        {
            "kid": kid,
            "holder": "(root)",
            "role": "ROOT",
            "scopes": "",
            "streams": "",
            "from": "",
            "until": "retired" if key.retired else "",
        }
        for kid, key in state.root_keys.items()
    ]
    rows += [
        {
            "kid": kid,
            "holder": key.agency,
            "role": key.role,
            "scopes": ",".join(sorted(key.scopes)),
            "streams": ",".join(key.subjects or ()),
            "from": str(key.from_index),
            "until": "" if key.until_index is None else str(key.until_index),
        }
        for kid, key in state.keys.items()
    ]
    return rows
