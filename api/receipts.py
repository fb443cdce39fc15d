"""What does one take away as evidence: a receipt, or a proof that can be checked offline?

The receipt's checkpoint belongs to the receipt: it is signed, and `/log/checkpoint` reaches it a moment later.
The `.tlog-proof` text is https://c2sp.org/tlog-proof; `audit verify` reads it without this service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.encoding import encode_base64
from verifier.hashing import leaf_hash
from verifier.proofs import LogProof, encode_log_proof

if TYPE_CHECKING:
    from api.ports import EntryStatus, KeptCheckpoint, Ledger, Outcome, SignedHead


def log_proof(ledger: Ledger, index: int, size: int, note: bytes) -> LogProof:
    """The inclusion proof of an entry under the checkpoint `note` of `size` entries. Reads the log."""
    return LogProof(index=index, hashes=tuple(ledger.inclusion(index, size)), checkpoint=note)


def proof_text(ledger: Ledger, index: int, head: SignedHead) -> bytes:
    """A `.tlog-proof` file under a signed checkpoint."""
    return encode_log_proof(log_proof(ledger, index, head.size, head.note))


def entry_status(ledger: Ledger, index: int) -> EntryStatus:
    """How far on its way is this entry? *recorded, signed, published*, in this order."""
    if index < ledger.published_size:
        return "published"
    return "signed" if index < ledger.signed().size else "recorded"


def receipt_document(ledger: Ledger, event_id: str, outcome: Outcome, head: SignedHead) -> dict[str, Any]:
    """The receipt of one submission as JSON."""
    index = outcome.index
    if index is None:
        raise TypeError("a receipt needs an index")
    return {
        "id": event_id,
        "index": index,
        "status": entry_status(ledger, index),
        "repeated": outcome.repeated,
        "position": outcome.position,
        "leaf_hash": encode_base64(ledger.reader.subtree(0, index)),
        "entry_url": f"/v1/events/{index}",
        "proof_url": f"/v1/events/{index}/proof",
        "proof": proof_text(ledger, index, head).decode(),
        "checkpoint": head.note.decode(),
    }


def proof_document(proof: LogProof, *, entry: bytes, head: SignedHead | KeptCheckpoint) -> dict[str, Any]:
    """An inclusion proof as JSON: the same facts as the `.tlog-proof` text, for programs."""
    return {
        "index": proof.index,
        "tree_size": head.size,
        "leaf_hash": encode_base64(leaf_hash(entry)),
        "root_hash": encode_base64(head.root),
        "hashes": [encode_base64(value) for value in proof.hashes],
        "checkpoint": head.note.decode(),
        "entry_url": f"/v1/events/{proof.index}",
    }
