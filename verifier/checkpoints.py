"""How large is the log, and what is its root, in the log's own signed words?

https://c2sp.org/tlog-checkpoint v1.0.0: the text of a note of three lines.

    <origin>
    <tree size, decimal>
    <root hash, base64>

Extension lines are refused: this log never signs any, witnesses refuse them, and what nobody reads could
say anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.encoding import MAX_SIZE, encode_base64, parse_base64, parse_decimal
from verifier.errors import MalformedInput
from verifier.hashing import EMPTY_ROOT, HASH_BYTES, require_hash
from verifier.notes import verify_note

if TYPE_CHECKING:
    from verifier.notes import VerifierKey


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its origin (name), its tree size in entries, and its root hash."""

    origin: str
    tree_size: int
    root_hash: bytes


def encode_checkpoint(checkpoint: Checkpoint) -> str:
    """Write the text that the log signs.

    Raises:
        MalformedInput: no checkpoint has such an origin, size or root.
    """
    _require_checkpoint(checkpoint)
    return f"{checkpoint.origin}\n{checkpoint.tree_size}\n{encode_base64(checkpoint.root_hash)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note as a checkpoint.

    Raises:
        MalformedInput: it is not one.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedInput("checkpoint: expected three lines (origin, tree size, root hash) and no extension")
    checkpoint = Checkpoint(
        origin=lines[0],
        tree_size=parse_decimal(lines[1], name="checkpoint's tree size"),
        root_hash=parse_base64(lines[2], name="checkpoint's root hash", length=HASH_BYTES),
    )
    _require_checkpoint(checkpoint)
    return checkpoint


def verify_checkpoint(note: bytes, *, vkey: VerifierKey, origin: str | None = None) -> Checkpoint:
    """Read a checkpoint that the log with this key has signed; key and origin are pinned by the caller.

    `origin` is the name of the key if not given (tlog-checkpoint: they SHOULD be equal).

    Raises:
        MalformedInput: the bytes are no signed checkpoint, or one of another origin.
        SignatureDoesNotHold: the key has not signed it.
    """
    checkpoint = parse_checkpoint(verify_note(note, [vkey]))
    expected = vkey.name if origin is None else origin
    if checkpoint.origin != expected:
        raise MalformedInput(f"checkpoint: expected origin {expected!r}, found {checkpoint.origin!r}")
    return checkpoint


def _require_checkpoint(checkpoint: Checkpoint) -> None:
    if not checkpoint.origin or "\n" in checkpoint.origin:
        raise MalformedInput("checkpoint: expected an origin of one line")
    if not 0 <= checkpoint.tree_size <= MAX_SIZE:
        raise MalformedInput(f"checkpoint: expected a size of 0 to {MAX_SIZE}, found {checkpoint.tree_size}")
    require_hash(checkpoint.root_hash, name="checkpoint's root hash")
    if checkpoint.tree_size == 0 and checkpoint.root_hash != EMPTY_ROOT:
        raise MalformedInput("checkpoint: size 0 with a root that is not the empty log's")
