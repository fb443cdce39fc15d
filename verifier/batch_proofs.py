"""Is this transaction one of a sealed batch, at its place, checked from one file and the batch's manifest?

The transactions of a sealed batch carry no signature: the manifest (`service.batch-sealed.v1`) is signed, and its
`submissions_root` is the RFC 6962 root over their canonical submissions. The file (docs/report-proof.md) is the
canonical JSON of one object:

    format             "ledger-batch-proof/v1"
    index              the index of the manifest's entry in the log
    number             the transaction's number in the batch, from 1
    count              how many transactions the batch has
    submission         text: the canonical submission, the entry without `position` and `recordedtime`
    path               hashes in base64, the leaf's sibling first, to the root
    submissions_root   64 lower-case hexadecimal digits, as the manifest has it

What the file says of the batch is believed only where the manifest says the same, and whether that manifest is in the
log at `index` is the matter of its own proof (`proofs.verify_log_proof`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from verifier.canonical import encode_canonical
from verifier.envelope import parse_entry, parse_submission
from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import leaf_hash
from verifier.json_proofs import (
    encode_path,
    encode_text,
    parse_integer,
    parse_path,
    parse_proof_object,
    parse_text,
    require_format,
)
from verifier.tree import verify_inclusion

FORMAT = "ledger-batch-proof/v1"
MAX_BATCH_PROOF_BYTES = 262_144
MANIFEST_TYPE = "service.batch-sealed.v1"
TRANSACTION_TYPE = "service.transaction-recorded.v1"

_WHAT = "batch proof"
_MEMBERS = frozenset({"format", "index", "number", "count", "submission", "path", "submissions_root"})
_SHA256_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What a manifest says of its batch; `count` is the number of transactions, `root` the root over them."""

    batch_id: str
    source: str
    subject: str
    count: int
    root: bytes


@dataclass(frozen=True, slots=True)
class BatchProof:
    """A batch proof that was read and not yet believed."""

    index: int
    number: int
    count: int
    submission: bytes
    path: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class ProvenTransaction:
    """What `verify_batch_proof` found: transaction `number` of `batch`; `submission` holds its attributes.

    `index` is where the manifest stands in the log.
    """

    batch: SealedBatch
    index: int
    number: int
    submission: dict[str, Any]


def verify_batch_proof(proof: bytes, *, manifest_entry: bytes, manifest_index: int) -> ProvenTransaction:
    """Check a batch proof against the entry of the batch's manifest, which the caller has proven to be at its index.

    A root alone would not do: without the manifest's count a path is bound to no number.

    1. Read the file and the manifest.
    2. Index, count and root are those of the manifest.
    3. The submission is a transaction of this batch: source, subject, and the id `<batch id>/<number>`.
    4. It leads, at its number of `count`, to the root.

    Raises:
        MalformedInput: the file is no batch proof, the entry no manifest, or the submission no transaction.
        ProofDoesNotHold: the file speaks of another batch, or the path does not lead to the root.
    """
    parsed = parse_batch_proof(proof)
    batch = parse_manifest_entry(manifest_entry)
    if (parsed.index, parsed.count, parsed.root) != (manifest_index, batch.count, batch.root):
        raise ProofDoesNotHold("batch proof: its index, its count or its root is not the manifest's")
    submission = parse_submission(parsed.submission)
    if submission["type"] != TRANSACTION_TYPE:
        raise MalformedInput(f"batch proof: expected a submission of type {TRANSACTION_TYPE}")
    expected = (batch.source, batch.subject, f"{batch.batch_id}/{parsed.number}")
    if (submission["source"], submission["subject"], submission["id"]) != expected:
        raise ProofDoesNotHold("batch proof: the submission is not the batch's transaction of this number")
    verify_inclusion(
        leaf_hash(parsed.submission),
        index=parsed.number - 1,
        tree_size=batch.count,
        proof=parsed.path,
        root=batch.root,
    )
    return ProvenTransaction(batch, parsed.index, parsed.number, submission)


def parse_manifest_entry(entry: bytes) -> SealedBatch:
    """Read the entry of a manifest.

    Raises:
        MalformedInput: it is no entry, or not that of a sealed batch's manifest.
    """
    attributes = parse_entry(entry)
    data = attributes["data"]
    if attributes["type"] != MANIFEST_TYPE or not isinstance(data, dict):
        raise MalformedInput(f"manifest: expected an entry of type {MANIFEST_TYPE}")
    batch_id = data.get("batch_id")
    if not isinstance(batch_id, str) or attributes["id"] != f"{batch_id}/0":
        raise MalformedInput("manifest: expected the id <batch id>/0")
    return SealedBatch(
        batch_id=batch_id,
        source=attributes["source"],
        subject=attributes["subject"],
        count=parse_integer(data.get("count"), "count", least=1, what="manifest"),
        root=_root(data.get("submissions_root"), what="manifest"),
    )


# --- the file -------------------------------------------------------------------------------------------


def encode_batch_proof(proof: BatchProof) -> bytes:
    """Write the file of a batch proof.

    Raises:
        MalformedInput: the submission is no UTF-8 text.
    """
    return encode_canonical(
        {
            "format": FORMAT,
            "index": proof.index,
            "number": proof.number,
            "count": proof.count,
            "submission": encode_text(proof.submission, what=_WHAT),
            "path": encode_path(proof.path),
            "submissions_root": proof.root.hex(),
        }
    )


def parse_batch_proof(data: bytes) -> BatchProof:
    """Read a batch proof without believing it.

    Raises:
        MalformedInput: it is too long, not canonical, of another format, or a member is missing, unknown or not of
            its form.
    """
    value = parse_proof_object(data, what=_WHAT, members=_MEMBERS, max_bytes=MAX_BATCH_PROOF_BYTES)
    require_format(value["format"], FORMAT, what=_WHAT)
    count = parse_integer(value["count"], "count", least=1, what=_WHAT)
    number = parse_integer(value["number"], "number", least=1, what=_WHAT)
    if number > count:
        raise MalformedInput("batch proof: expected a number up to its count")
    return BatchProof(
        index=parse_integer(value["index"], "index", least=0, what=_WHAT),
        number=number,
        count=count,
        submission=parse_text(value["submission"], "submission", what=_WHAT),
        path=parse_path(value["path"], what=_WHAT),
        root=_root(value["submissions_root"], what=_WHAT),
    )


def _root(root: object, *, what: str) -> bytes:
    if not isinstance(root, str) or _SHA256_HEX.fullmatch(root) is None:
        raise MalformedInput(f"{what}: expected submissions_root to be 64 lower-case hexadecimal digits")
    return bytes.fromhex(root)
