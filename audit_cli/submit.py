"""Are these events in the log, with a receipt that holds? `audit submit`: sign, send, check, keep.

With `--dry-run` nothing is sent to be kept: the service says what it would do. With `--explain` a refusal comes with
the sentence of its rule, the figures that do not fit, and what would pass.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from audit_cli.arguments import parse_vkey, read_file
from audit_cli.errors import EXIT_DOES_NOT_HOLD, EXIT_HOLDS, CommandError, DoesNotHold, WrongUse
from audit_cli.output import Output, add_output_arguments
from audit_client.errors import ClientError, EvidenceDoesNotHold, NotUsable, Refused
from audit_client.receipts import ReceiptFolder
from audit_client.sealing import SealedBatch, Transaction, seal
from audit_client.service import Service
from audit_client.signing import approve, complete, encode, read_events, read_private_key, sign
from audit_client.submitting import Submitter
from audit_service.rules.rulebook import RULES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from audit_client.receipts import Receipt

MANIFEST = "service.batch-sealed.v1"
_MAX_FILE_BYTES = 64 * 1024 * 1024
_MAX_KEY_BYTES = 64 * 1024
_DESCRIPTION = """\
Sign events, send them, check the receipts against the pinned key of the log, and keep them.

FILE holds one event (a JSON object), an array of them, or one on each line; - is standard input. `specversion` and
`time` are filled in where they are missing. An event that is signed already is sent as it is.

What is sent is kept first, so after a cut or a crash the same command sends the same bytes: nothing is recorded
twice. Each receipt is two files for `audit verify`: the entry, and its .tlog-proof.

With --seal, FILE holds service transactions, one {"kind": …, "record": {…}} on each line. They leave as one sealed
batch of commitments; what opens them is written to --openings and never sent. Send a batch whose answer was
lost again by its file in --keep, NAME.batch.ndjson.
"""
_EPILOG = """\
examples:
  audit submit event.json --url https://ledger.example --key agency.key --token @agency.token --vkey @log.vkey
  audit submit event.json --url … --key agency.key --token @agency.token --vkey @log.vkey --explain
  audit submit event.json --key agency.key --sign-only > signed.json
  audit submit signed.json --approve-with second.key --url … --token @agency.token --vkey @log.vkey
  audit submit receipts/roads/ID.batch.ndjson --prove 17 --url … --token @agency.token --vkey @log.vkey
  audit submit day.ndjson --seal service/permits/2021-03 --openings day.openings --url … --key … --token … --vkey …

exit codes: 0 in the log, and the receipts hold; 1 refused, or a receipt does not hold; 2 wrong use or no answer
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `audit submit`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("file", metavar="FILE", help="the events, or - for standard input")
    parser.add_argument("--url", help="the service's address, such as https://ledger.example")
    parser.add_argument("--token", help="the agency's token: ID.SECRET, or @FILE that holds it")
    parser.add_argument("--vkey", metavar="VKEY", help="the log's verifier key: NAME+ID+KEY, or @FILE that holds it")
    parser.add_argument("--key", type=Path, metavar="FILE", help="sign with this Ed25519 key: PEM, or a base64 seed")
    parser.add_argument("--approve-with", type=Path, metavar="FILE", help="approve with this second key")
    parser.add_argument("--keep", type=Path, default=Path("receipts"), metavar="DIR", help="where receipts are kept")
    parser.add_argument("--atomic", action="store_true", help="all events of the file, or none")
    parser.add_argument("--plain-http", action="store_true", help="let the token travel unencrypted (a test network)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="ask what the service would do; nothing is recorded")
    what.add_argument("--explain", action="store_true", help="the same, with the rule, its figures and what would pass")
    what.add_argument("--sign-only", action="store_true", help="print the signed events; send nothing")
    what.add_argument("--seal", metavar="SUBJECT", help="send transactions of service/ID/PERIOD as one sealed batch")
    what.add_argument(
        "--prove", type=int, action="append", metavar="N", help="FILE is a kept batch: keep the proof of transaction N"
    )
    parser.add_argument("--other-kind", metavar="KIND", help="with --seal: merge small cells into this kind")
    parser.add_argument("--openings", type=Path, metavar="FILE", help="with --seal: a new file for what opens them")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Sign, send, check, keep; returns the exit code."""
    out = Output.of(args)
    try:
        if args.seal:
            return _seal(args, out)
        return _submit(args, out)
    except (Refused, EvidenceDoesNotHold) as error:
        if isinstance(error, Refused):
            out.document({"refused": error.problem})
        raise DoesNotHold(str(error)) from error
    except NotUsable as error:
        raise WrongUse(str(error)) from error
    except ClientError as error:
        raise CommandError(str(error)) from error


def _submit(args: argparse.Namespace, out: Output) -> int:
    folder = ReceiptFolder(args.keep)
    events = [folder.resume(event) or event for event in read_events(_read(args.file))]
    if events[0].get("type") == MANIFEST:
        submitter, batch = _submitter(args, folder), SealedBatch.of_events(events)
        return _prove(submitter, batch, args.prove, out) if args.prove else _send_batch(submitter, batch, out)
    if args.prove:
        raise WrongUse("--prove takes a sealed batch that was kept, NAME.batch.ndjson")
    events = _signed(events, args)
    if args.sign_only:
        sys.stdout.write("".join(encode(event).decode() + "\n" for event in events))
        return EXIT_HOLDS
    submitter = _submitter(args, folder)
    if args.dry_run or args.explain:
        return _dry_run(submitter, events, args, out)
    if len(events) == 1:
        results: Sequence[Receipt | Refused] = [submitter.submit(events[0])]
    else:
        results = submitter.submit_many(events, atomic=args.atomic)
    rows = []
    for event, result in zip(events, results, strict=True):
        if isinstance(result, Refused):
            out.verdict(f"{event['id']}: refused: {result}")
            rows.append({"id": event["id"], "refused": result.problem})
            continue
        again = ", as before" if result.repeated else ""
        out.verdict(f"{event['id']}: entry {result.index} of the log{again}; the receipt holds")
        rows.append({"id": event["id"], "index": result.index, "repeated": result.repeated})
    out.step(f"receipts are in {args.keep}")
    out.document({"events": rows})
    return EXIT_DOES_NOT_HOLD if any(isinstance(result, Refused) for result in results) else EXIT_HOLDS


def _signed(events: list[dict[str, Any]], args: argparse.Namespace) -> list[dict[str, Any]]:
    key = _key(args.key)
    approver = _key(args.approve_with)
    signed = []
    for event in events:
        done = complete(event)
        if "signature" not in done:
            if key is None:
                raise WrongUse("--key is missing: an event without a signature proves nothing")
            done = sign(done, key)
        if approver is not None and "approval" not in done:
            done = approve(done, approver)
        signed.append(done)
    return signed


def _dry_run(submitter: Submitter, events: list[dict[str, Any]], args: argparse.Namespace, out: Output) -> int:
    results = submitter.dry_run(events, atomic=args.atomic)
    rows: list[dict[str, Any]] = []
    for event, refused in zip(events, results, strict=True):
        if refused is None:
            out.verdict(f"{event['id']}: would be recorded")
            rows.append({"id": event["id"], "would_be": "recorded"})
            continue
        out.verdict(f"{event['id']}: would be refused: {refused}")
        sentence = RULES.get(refused.rule_id or "")
        rows.append({"id": event["id"], "would_be": "refused", "problem": refused.problem, "sentence": sentence})
        if args.explain:
            for line in explanation(refused):
                out.verdict(f"  {line}")
    out.document({"events": rows})
    return EXIT_DOES_NOT_HOLD if any(results) else EXIT_HOLDS


def explanation(refused: Refused) -> list[str]:
    """What does a refusal say: the rule and its sentence, where, which figures, and what would pass?"""
    problem = refused.problem
    sentence = RULES.get(refused.rule_id or "", "")
    figures = {
        "rule": f"{refused.rule_id}: {sentence}" if sentence else refused.rule_id,
        "stream": problem.get("stream"),
        "columns": problem.get("columns"),
        "would pass": problem.get("allowed"),
    }
    return [
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in figures.items()
        if value not in (None, "", {})
    ]


# --- sealed batches -------------------------------------------------------------------------------------


def _seal(args: argparse.Namespace, out: Output) -> int:
    kind, _, rest = args.seal.partition("/")
    service_id, _, period = rest.partition("/")
    if kind != "service" or not service_id or not period:
        raise WrongUse("--seal takes the subject of the batch, service/ID/PERIOD")
    if args.openings is None or args.key is None:
        raise WrongUse("--seal needs --key, which signs the manifest, and --openings, a new file")
    folder = ReceiptFolder(args.keep)
    submitter = _submitter(args, folder)
    registered = submitter.fetch_rules(service_id)
    unfinished = folder.unfinished_batches(registered.owner)
    if unfinished:
        raise WrongUse(f"{unfinished[0]} has no receipt yet: submit that file first, or its transactions count twice")
    batch = seal(
        _transactions(_read(args.file)),
        rules=registered,
        period=period,
        key=cast("Ed25519PrivateKey", _key(args.key)),
        other_kind=args.other_kind,
    )
    _write_openings(args.openings, batch)
    return _send_batch(submitter, batch, out)


def _transactions(data: bytes) -> list[Transaction]:
    rows = read_events(data)
    if not all(set(row) == {"kind", "record"} and isinstance(row["record"], dict) for row in rows):
        raise WrongUse('a transaction is {"kind": …, "record": {…}}, one on each line')
    return [Transaction(kind=str(row["kind"]), record=row["record"]) for row in rows]


def _write_openings(path: Path, batch: SealedBatch) -> None:
    """Readable by its owner alone, and never over an older one: with it lost, no commitment can be opened again."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WrongUse(f"{path} exists; openings are never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        for opening in batch.openings:
            row = {
                "id": f"{batch.batch_id}/{opening.number}",
                "commitment": opening.commitment,
                "random": opening.random,
                "kind": opening.kind,
                "record": opening.record,
            }
            file.write(encode(row) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _send_batch(submitter: Submitter, batch: SealedBatch, out: Output) -> int:
    receipt = submitter.submit_sealed(batch)
    first, last = receipt.first_index, receipt.first_index + receipt.count
    out.verdict(f"{receipt.batch_id}: {receipt.count} transactions, entries {first} to {last}; the receipt holds")
    out.document({"batch_id": receipt.batch_id, "first_index": first, "count": receipt.count})
    return EXIT_HOLDS


def _prove(submitter: Submitter, batch: SealedBatch, numbers: list[int], out: Output) -> int:
    rows = []
    for number in numbers:
        receipt = submitter.prove_item(batch.manifest["source"], batch.batch_id, number)
        out.verdict(f"{receipt.id}: entry {receipt.index} of the log; the receipt holds")
        rows.append({"id": receipt.id, "index": receipt.index})
    out.document({"events": rows})
    return EXIT_HOLDS


# --- what the options name ------------------------------------------------------------------------------


def _submitter(args: argparse.Namespace, folder: ReceiptFolder) -> Submitter:
    missing = [f"--{name}" for name in ("url", "token", "vkey") if getattr(args, name) is None]
    if missing:
        raise WrongUse(f"required: {', '.join(missing)}")
    token = args.token
    if token.startswith("@"):
        token = read_file(Path(token[1:]), max_bytes=_MAX_KEY_BYTES).decode("ascii", errors="replace").strip()
    vkey = parse_vkey(args.vkey)
    return Submitter(Service(args.url, token=token, plain_http=args.plain_http), vkey=vkey, folder=folder)


def _key(path: Path | None) -> Ed25519PrivateKey | None:
    return None if path is None else read_private_key(read_file(path, max_bytes=_MAX_KEY_BYTES))


def _read(name: str) -> bytes:
    if name == "-":
        data = sys.stdin.buffer.read(_MAX_FILE_BYTES + 1)
        if len(data) > _MAX_FILE_BYTES:
            raise WrongUse(f"standard input is longer than {_MAX_FILE_BYTES} bytes; send it in parts")
        return data
    return read_file(Path(name), max_bytes=_MAX_FILE_BYTES)
