"""Is this entry in the log that this key signs, checked from one file without network?

https://c2sp.org/tlog-proof: what a receipt is, and what a citizen keeps beside an entry.

    c2sp.org/tlog-proof@v1
    extra <base64>                       at most once; not authenticated
    index <decimal>
    <base64 hash>                        any number, the leaf's sibling first
                                         (an empty line)
    <signed checkpoint, verbatim>
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.checkpoints import Checkpoint, verify_checkpoint
from verifier.encoding import encode_base64, parse_base64, parse_decimal
from verifier.errors import MalformedInput
from verifier.hashing import HASH_BYTES, leaf_hash, require_hash
from verifier.tree import verify_inclusion

if TYPE_CHECKING:
    from verifier.notes import VerifierKey

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63  # a path in a tree of fewer than 2**63 leaves
MAX_PROOF_BYTES = 1_100_000  # the largest note, and the lines before it


@dataclass(frozen=True, slots=True)
class LogProof:
    """The inclusion proof of entry `index` under a checkpoint (the bytes of its note)."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """What `verify_log_proof` found: the entry is number `index` of the log at this checkpoint."""

    index: int
    checkpoint: Checkpoint


def verify_log_proof(proof: bytes, *, entry: bytes, vkey: VerifierKey, origin: str | None = None) -> VerifiedEntry:
    """Check an entry against a `.tlog-proof` file; key and origin are pinned by the caller.

    1. Read the file: index, hashes, checkpoint.
    2. Check that the log's key has signed the checkpoint, and that it is of this origin.
    3. Hash the entry, as the bytes it came in, as a leaf.
    4. Follow the hashes from that leaf, at this index, to the root of the checkpoint.

    Raises:
        MalformedInput: the file is no such proof, or of another origin or size.
        SignatureDoesNotHold: the key has not signed the checkpoint.
        ProofDoesNotHold: the hashes do not lead from this entry to the root.
    """
    # 1.
    parsed = parse_log_proof(proof)
    # 2.
    checkpoint = verify_checkpoint(parsed.checkpoint, vkey=vkey, origin=origin)
    # 3.
    leaf = leaf_hash(entry)
    # 4.
    verify_inclusion(
        leaf,
        index=parsed.index,
        tree_size=checkpoint.tree_size,
        proof=parsed.hashes,
        root=checkpoint.root_hash,
    )
    return VerifiedEntry(parsed.index, checkpoint)


def encode_log_proof(proof: LogProof) -> bytes:
    """Write a `.tlog-proof` file.

    Raises:
        MalformedInput: the index is negative, or a hash is not 32 bytes.
    """
    if proof.index < 0:
        raise MalformedInput(f"proof: expected an index of 0 or more, found {proof.index}")
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {encode_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    for value in proof.hashes:
        require_hash(value, name="hash of the proof")
        lines.append(encode_base64(value))
    return "\n".join([*lines, "", ""]).encode("ascii") + proof.checkpoint


def parse_log_proof(data: bytes) -> LogProof:
    """Read a `.tlog-proof` file without believing it.

    Raises:
        MalformedInput: it is spelled otherwise.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise MalformedInput(f"proof: expected at most {MAX_PROOF_BYTES} bytes, found {len(data)}")
    # The first empty line divides: the checkpoint after it has an empty line of its own.
    head, divider, checkpoint = data.partition(b"\n\n")
    if not divider or not checkpoint:
        raise MalformedInput("proof: expected an empty line and a checkpoint after the hashes")
    if not head.isascii():
        raise MalformedInput("proof: expected ASCII before the checkpoint")
    lines = head.decode("ascii").split("\n")
    if lines[0] != HEADER:
        raise MalformedInput(f"proof: expected the first line {HEADER}")
    del lines[0]
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "), name="proof's extra data")
    if not lines or not lines[0].startswith("index "):
        raise MalformedInput("proof: expected a line with the index")
    index = parse_decimal(lines.pop(0).removeprefix("index "), name="proof's index")
    if len(lines) > MAX_HASHES:
        raise MalformedInput(f"proof: expected at most {MAX_HASHES} hashes, found {len(lines)}")
    hashes = tuple(parse_base64(line, name="hash of the proof", length=HASH_BYTES) for line in lines)
    return LogProof(index=index, hashes=hashes, checkpoint=checkpoint, extra=extra)
