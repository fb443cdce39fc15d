"""How does an act of the city become an entry: built, signed by two root keys, and written to a file or sent?

Root keys lie apart from each other and from every server, so an act can be made in three places: built and signed
by the first key into a file, approved there by the second (`audit submit --sign-only --approve-with`), sent from a
third.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import CommandError, DoesNotHold, WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_client.errors import ClientError, EvidenceDoesNotHold, NotUsable, Refused
from audit_client.receipts import ReceiptFolder
from audit_client.service import Service
from audit_client.signing import approve, complete, encode, read_private_key, sign
from audit_client.submitting import Submitter

if TYPE_CHECKING:
    import argparse

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_FILE_BYTES = 64 * 1024
_TOKEN = re.compile(r"[a-z0-9]+\.[A-Za-z0-9_-]+", re.ASCII)
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def add_act_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of every act: who it comes from, who signs it, where it goes."""
    parser.add_argument(
        "--city", required=True, metavar="CODE", help="the agency that keeps the log (its genesis says)"
    )
    parser.add_argument("--root-key", type=Path, required=True, metavar="FILE", help="sign with this root key")
    parser.add_argument(
        "--second-root-key", type=Path, metavar="FILE", help="approve with this one; without it, somebody else must"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the act there (default: standard output)")
    parser.add_argument("--url", help="send it to this service instead")
    parser.add_argument("--token", help="with --url: the city's token, ID.SECRET or @FILE")
    parser.add_argument("--vkey", help="with --url: the log's verifier key, NAME+ID+KEY or @FILE")
    parser.add_argument("--keep", type=Path, default=Path("receipts"), metavar="DIR", help="where receipts are kept")
    parser.add_argument("--plain-http", action="store_true", help="let the token travel unencrypted (a test network)")
    add_output_arguments(parser)


def read_key(path: Path) -> Ed25519PrivateKey:
    """A private key from its file.

    Raises:
        WrongUse: it holds none.
    """
    try:
        return read_private_key(read_file(path, max_bytes=MAX_FILE_BYTES))
    except NotUsable as error:
        raise WrongUse(f"{path}: {error}") from error


def record_act(args: argparse.Namespace, name: str, data: dict[str, Any]) -> int:
    """Build the act, sign it, and write or send it; returns the exit code."""
    out = Output.of(args)
    if not CODE.fullmatch(args.city):
        raise WrongUse("--city is a code of small letters, digits and `-`")
    try:
        act = _signed(args, name, data)
        if args.url is not None:
            return _send(args, act, out)
    except (Refused, EvidenceDoesNotHold) as error:
        raise DoesNotHold(str(error)) from error
    except NotUsable as error:
        raise WrongUse(str(error)) from error
    except ClientError as error:
        raise CommandError(str(error)) from error
    line = encode(act).decode() + "\n"
    if args.out is None:
        sys.stdout.write(line)
    else:
        args.out.write_text(line, encoding="utf-8")
        out.verdict(f"{act['id']}: written to {args.out}, {_next_step(act)}")
    return 0


def _signed(args: argparse.Namespace, name: str, data: dict[str, Any]) -> dict[str, Any]:
    act = complete(
        {
            "source": f"urn:kr:agency:{args.city}",
            "type": f"registry.{name}.v1",
            "subject": "registry/log",
            "data": data,
        }
    )
    # The same act twice at the same moment is one act; at another moment it is another.
    digest = hashlib.sha256(encode(act)).hexdigest()[:16]
    act = sign({**act, "id": f"{name}-{digest}"}, read_key(args.root_key))
    return act if args.second_root_key is None else approve(act, read_key(args.second_root_key))


def _next_step(act: dict[str, Any]) -> str:
    return "send it with `audit submit`" if "approval" in act else "the second root key has to approve it"


def _send(args: argparse.Namespace, act: dict[str, Any], out: Output) -> int:
    if args.token is None or args.vkey is None:
        raise WrongUse("--url needs --token and --vkey")
    token: str = args.token
    if token.startswith("@"):
        token = read_file(Path(token[1:]), max_bytes=MAX_FILE_BYTES).decode("ascii", errors="replace").strip()
    if not _TOKEN.fullmatch(token):
        raise WrongUse("--token is ID.SECRET, or @FILE that holds it")
    submitter = Submitter(
        Service(args.url, token=token, plain_http=args.plain_http),
        vkey=parse_vkey(args.vkey),
        folder=ReceiptFolder(args.keep),
    )
    receipt = submitter.submit(act)
    out.verdict(f"{act['id']}: entry {receipt.index} of the log; the receipt holds")
    out.document({"id": act["id"], "index": receipt.index})
    return 0
