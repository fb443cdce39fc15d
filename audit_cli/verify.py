"""Is this entry in the log that the pinned key signs? `audit verify`, offline, from one proof file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS
from audit_cli.output import Output, add_output_arguments
from verifier.bundles import MAX_ENTRY_BYTES
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import parse_entry
from verifier.errors import VerificationError
from verifier.hashing import leaf_hash
from verifier.proofs import MAX_PROOF_BYTES, parse_log_proof
from verifier.tree import verify_inclusion

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from verifier.notes import VerifierKey

_DESCRIPTION = """\
Check that an entry is in the log: with the entry, its .tlog-proof file and the log's verifier key, offline.

Five steps, printed as they pass; the first that does not hold is named and ends the check with exit code 1:
  1. the proof file is well-formed
  2. the log's key has signed the checkpoint, and the checkpoint is of this log
  3. the entry, byte for byte as it lies in the file, has this leaf hash
  4. the hashes of the proof lead from this leaf hash, at this index, to the root of the checkpoint
  5. the entry is an event in canonical form

The verifier key must not come from whom you check: take it from print, or from somebody you trust.
What this does not show: that the agency's own signature and the budget's rules hold. `audit replay` does.
"""
_EPILOG = """\
examples:
  audit verify receipt.tlog-proof --entry entry.json --vkey @log.vkey
  audit verify receipt.tlog-proof --entry entry.json --vkey 'seoul-2021.ledger.example+0123abcd+AZ…'
  audit verify receipt.tlog-proof --entry entry.json --vkey @log.vkey --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit verify`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("proof", type=Path, metavar="FILE", help="the proof: a .tlog-proof file")
    parser.add_argument("--entry", type=Path, required=True, metavar="FILE", help="the entry as it was served")
    parser.add_argument("--vkey", required=True, help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Check and report; returns the exit code."""
    out = Output.of(args)
    vkey = parse_vkey(args.vkey)
    proof = read_file(args.proof, max_bytes=MAX_PROOF_BYTES)
    entry = read_file(args.entry, max_bytes=MAX_ENTRY_BYTES)
    report: dict[str, Any] = {"holds": True, "steps": []}
    number = 0
    try:
        for number, (line, facts) in enumerate(_steps(proof, entry, vkey), start=1):
            out.step(f"{number}. {line}")
            report["steps"].append({"step": number, "says": line})
            report |= facts
    except VerificationError as error:
        failed = number + 1
        report |= {"holds": False, "failed_step": failed, "problem": str(error)}
        out.verdict(f"{failed}. DOES NOT HOLD: {error}")
        out.document(report)
        return EXIT_DOES_NOT_HOLD
    out.verdict(
        f"HOLDS: entry {report['index']} of {report['origin']}, under the checkpoint of size {report['tree_size']}"
    )
    out.document(report)
    return EXIT_HOLDS


def _steps(proof: bytes, entry: bytes, vkey: VerifierKey) -> Iterator[tuple[str, dict[str, Any]]]:
    """The steps of the description, each with its line and its facts; raises at the first that fails."""
    parsed = parse_log_proof(proof)
    yield (
        f"the proof file is well-formed: index {parsed.index}, {len(parsed.hashes)} hashes",
        {"index": parsed.index},
    )
    checkpoint = verify_checkpoint(parsed.checkpoint, vkey=vkey)
    yield (
        f"{vkey.name} signed the checkpoint: size {checkpoint.tree_size}, root {checkpoint.root_hash.hex()}",
        {
            "origin": checkpoint.origin,
            "tree_size": checkpoint.tree_size,
            "root_hash": checkpoint.root_hash.hex(),
        },
    )
    leaf = leaf_hash(entry)
    hint = " (it ends with a newline, which no entry does)" if entry.endswith(b"\n") else ""
    yield f"the entry's {len(entry)} bytes{hint} have leaf hash {leaf.hex()}", {"leaf_hash": leaf.hex()}
    verify_inclusion(
        leaf,
        index=parsed.index,
        tree_size=checkpoint.tree_size,
        proof=parsed.hashes,
        root=checkpoint.root_hash,
    )
    yield f"the proof leads from it, at index {parsed.index}, to that root", {}
    event = parse_entry(entry)
    facts = {name: event[name] for name in ("type", "subject", "source", "id", "position", "recordedtime")}
    place = f"event {event['position']} of {event['subject']}"
    yield f"the entry is {place}: {event['type']} by {event['source']}", {"event": facts}
