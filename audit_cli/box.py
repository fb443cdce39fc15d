"""Does a ballot lie in the sealed ballot box, and how does an agency seal one? `audit box`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import read_file
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments
from verifier.ballot_boxes import MAX_BOX_PATH_BYTES, parse_commitment, verify_box_path
from verifier.errors import MalformedInput, VerificationError

if TYPE_CHECKING:
    import argparse

_DESCRIPTION = """\
A sealed ballot box is the number of ballots and one root hash over them, both in the log before anybody counts
(service.ballot-sealed.v1: ballots_cast, box_root). With these commands

  build   an agency makes the root from its ballots' commitments, and a small path file for each ballot
          (needs the extra: audit-service[server])
  verify  anybody checks, offline, that a ballot of this path file lies in the box with this root and number of ballots

FILE for `build` has one commitment on each line: 64 lower-case hexadecimal digits, each line ended by a newline, no
commitment twice. Commitments are sorted before they are numbered, so neither the numbers nor the files tell in which
order ballots came. Path files are named by number (00000017.box-path.json), never by voter.

Root and number of ballots must come from the log: the entry service.ballot-sealed.v1, which `audit verify` checks.

A path file shows "a ballot of mine is in the box". It never shows the choice: a receipt that opened the choice could
be sold. So it must be handed out without the random bytes behind the commitment.
"""
_EPILOG = """\
examples:
  audit box build commitments.txt --out box
  audit verify sealed.tlog-proof --entry sealed.json --vkey @log.vkey
  audit box verify box/00000017.box-path.json --root 5f…e1 --count 420

exit codes: 0 holds, 1 does not hold, 2 wrong use.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit box`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("action", choices=("build", "verify"))
    parser.add_argument("file", type=Path, metavar="FILE", help="build: the commitments; verify: a path file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="build: where path files go; new or empty")
    parser.add_argument("--root", metavar="HEX", help="verify: box_root, as the log has it")
    parser.add_argument("--count", type=int, metavar="N", help="verify: ballots_cast, as the log has it")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    out = Output.of(args)
    if args.action == "verify":
        return _verify(args, out)
    if args.out is None:
        raise WrongUse("--out is needed to build a box")
    try:
        # Only here is anything of the city's server loaded: whoever checks a ballot runs without it.
        building: Any = importlib.import_module("audit_cli.box_building")
    except ModuleNotFoundError as error:
        raise WrongUse(
            f"`{error.name}` is not installed; `build` needs the extra: pip install 'audit-service[server]'"
        ) from error
    code: int = building.build(args.file, args.out, out)
    return code


def _verify(args: argparse.Namespace, out: Output) -> int:
    if args.root is None or args.count is None:
        raise WrongUse("--root and --count are needed to check a ballot: box_root and ballots_cast of the log")
    try:
        root = parse_commitment(args.root)
    except MalformedInput as error:
        raise WrongUse(f"--root: {error}") from error
    if args.count < 1:
        raise WrongUse("--count: expected 1 or more: an empty box holds no ballot")
    data = read_file(args.file, max_bytes=MAX_BOX_PATH_BYTES)
    try:
        proven = verify_box_path(data, box_root=root, ballots_cast=args.count)
    except VerificationError as error:
        out.verdict(f"DOES NOT HOLD: {error}")
        out.document({"holds": False, "problem": str(error)})
        return EXIT_DOES_NOT_HOLD
    commitment = proven.commitment.hex()
    out.verdict(f"HOLDS: ballot {proven.number} of {args.count}, commitment {commitment}, is in the box")
    out.document({"holds": True, "number": proven.number, "ballots_cast": args.count, "commitment": commitment})
    return EXIT_HOLDS
