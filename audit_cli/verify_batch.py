"""Is this transaction in a sealed batch of the log? The part of `audit verify` that reads batch proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.batch_proofs import FORMAT, parse_batch_proof, verify_batch_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_cli.verify_row import Step


def is_batch_proof(data: bytes) -> bool:
    """Is this proof of a transaction's place in its sealed batch?"""
    return f'"format":"{FORMAT}"'.encode() in data


def batch_steps(proof: bytes, manifest_entry: bytes, *, log_steps: Iterator[Step]) -> Iterator[Step]:
    """The steps of a batch proof; `log_steps` are those that show the manifest's entry in the log, and come first."""
    parsed = parse_batch_proof(proof)
    yield f"the file is a batch proof: transaction {parsed.number} of {parsed.count}", {}
    found: dict[str, Any] = {}
    for line, facts in log_steps:
        found |= facts
        yield f"the manifest: {line}", facts
    proven = verify_batch_proof(proof, manifest_entry=manifest_entry, manifest_index=found["index"])
    yield (
        f"the submission leads, at number {proven.number} of {proven.batch.count}, to the manifest's submissions_root",
        {"batch_id": proven.batch.batch_id, "number": proven.number, "submission": proven.submission},
    )
