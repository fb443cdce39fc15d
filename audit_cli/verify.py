"""Is this entry, or this row, in the log that the pinned key signs? `audit verify`, offline, from one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_cli.verify_batch import batch_steps, is_batch_proof
from audit_cli.verify_row import is_json_proof, is_stream_proof, row_steps, stream_steps
from verifier.bundles import MAX_ENTRY_BYTES
from verifier.checkpoints import verify_checkpoint
from verifier.ed25519 import PUBLIC_KEY_BYTES
from verifier.encoding import parse_base64url
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
Check a proof with the log's verifier key, offline. The file says by itself which of the four it is; every step is
printed as it passes, and the first that does not hold is named and ends the check with exit code 1.

That an entry is in the log: the entry and its .tlog-proof file.
  1. the proof file is well-formed
  2. the log's key has signed the checkpoint, and the checkpoint is of this log
  3. the entry, byte for byte as it lies in the file, has this leaf hash
  4. the hashes of the proof lead from this leaf hash, at this index, to the root of the checkpoint
  5. the entry is an event in canonical form

That a report has a row, or none of that key: a row proof (`audit report proof`), nothing else. The checkpoint, the
entry that publishes the report, and the row's path to the report's root are checked, each bound to its index and size.

That an event stands at its place in its stream: a stream proof (/v1/events/INDEX/stream-proof), likewise.

That a transaction is in a sealed batch, at its number: a batch proof (/v1/events/INDEX/batch-proof), with --entry the
entry of the batch's manifest and --manifest-proof its .tlog-proof. The manifest is shown to be in the log as above,
then the submission's path to the manifest's submissions_root is checked, bound to its number and the manifest's count.

The verifier key must not come from whom you check: take it from print, or from somebody you trust.
What this does not show: that the agency's own signature and the budget's rules hold, and that a report is what the
entries add up to. `audit replay` does.
"""
_EPILOG = """\
examples:
  audit verify receipt.tlog-proof --entry entry.json --vkey @log.vkey
  audit verify receipt.tlog-proof --entry entry.json --vkey 'seoul-2021.ledger.example+0123abcd+AZ…'
  audit verify receipt.tlog-proof --entry entry.json --vkey @log.vkey --json
  audit verify 2019.row-proof.json --vkey @log.vkey --report settlement/seoul-smartcity \\
      --row settlements/2019/shared-admin
  audit verify 1234.batch-proof.json --entry manifest.json --manifest-proof manifest.tlog-proof --vkey @log.vkey
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit verify`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument(
        "proof", type=Path, metavar="FILE", help="the proof: a .tlog-proof file, or a row, stream or batch proof"
    )
    parser.add_argument(
        "--entry",
        type=Path,
        metavar="FILE",
        help="of a .tlog-proof: the entry as it was served; of a batch proof: the entry of the manifest",
    )
    parser.add_argument(
        "--manifest-proof", type=Path, metavar="FILE", help="of a batch proof: the .tlog-proof of the manifest"
    )
    parser.add_argument("--report", metavar="KIND/KEY", help="of a row proof: it must be of this report")
    parser.add_argument("--row", metavar="KEY", help="of a row proof: it must be of this row")
    parser.add_argument(
        "--publisher-key", metavar="KEY", help="of a row proof: who must have signed the report (base64url)"
    )
    parser.add_argument("--vkey", required=True, help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Check and report; returns the exit code."""
    out = Output.of(args)
    vkey = parse_vkey(args.vkey)
    proof = read_file(args.proof, max_bytes=MAX_PROOF_BYTES)
    steps = _steps_of(args, proof, vkey)
    report: dict[str, Any] = {"holds": True, "steps": []}
    number = 0
    try:
        for number, (line, facts) in enumerate(steps, start=1):
            out.step(f"{number}. {line}")
            report["steps"].append({"step": number, "says": line})
            report |= facts
    except VerificationError as error:
        failed = number + 1
        report |= {"holds": False, "failed_step": failed, "problem": str(error)}
        out.verdict(f"{failed}. DOES NOT HOLD: {error}")
        out.document(report)
        return EXIT_DOES_NOT_HOLD
    out.verdict(f"HOLDS: {_what(report)} of {report['origin']}, under the checkpoint of size {report['tree_size']}")
    out.document(report)
    return EXIT_HOLDS


def _steps_of(args: argparse.Namespace, proof: bytes, vkey: VerifierKey) -> Iterator[tuple[str, dict[str, Any]]]:
    """The steps for the kind of proof that this file is."""
    if not is_json_proof(proof):
        if args.entry is None:
            raise WrongUse("--entry is needed to check a .tlog-proof file")
        return _steps(proof, read_file(args.entry, max_bytes=MAX_ENTRY_BYTES), vkey)
    if is_batch_proof(proof):
        if args.entry is None or args.manifest_proof is None:
            raise WrongUse("--entry and --manifest-proof are needed to check a batch proof: both of its manifest")
        manifest = read_file(args.entry, max_bytes=MAX_ENTRY_BYTES)
        manifest_proof = read_file(args.manifest_proof, max_bytes=MAX_PROOF_BYTES)
        return batch_steps(proof, manifest, log_steps=_steps(manifest_proof, manifest, vkey))
    if is_stream_proof(proof):
        return stream_steps(proof, vkey)
    publisher = None if args.publisher_key is None else _parse_key(args.publisher_key)
    return row_steps(proof, vkey, report=args.report, row=args.row, publisher_key=publisher)


def _parse_key(text: str) -> bytes:
    try:
        return parse_base64url(text, name="--publisher-key", length=PUBLIC_KEY_BYTES)
    except VerificationError as error:
        raise WrongUse(str(error)) from error


def _what(report: dict[str, Any]) -> str:
    """What was shown, in a few words."""
    if "batch_id" in report:
        return f"transaction {report['number']} of batch {report['batch_id']}"
    if "events" in report:
        return f"event {report['position']} of {report['subject']}"
    if "row_key" in report:
        there = "no row" if report["row"] is None else "row"
        return f"{there} {report['row_key']} in report {report['kind']}/{report['key']}"
    return f"entry {report['index']}"


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
