"""Is this row, or no such row, in a report that the pinned key's log holds? `audit verify` on a row or stream proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.checkpoints import verify_checkpoint
from verifier.envelope import parse_entry, signature_kid, verify_signature
from verifier.errors import MalformedInput
from verifier.hashing import leaf_hash
from verifier.reports import parse_report_entry, require_report_place
from verifier.row_proofs import parse_row_proof, verify_rows
from verifier.stream_proofs import FORMAT as STREAM_FORMAT
from verifier.stream_proofs import parse_stream_head, parse_stream_proof, verify_event_in_stream
from verifier.tree import verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.notes import VerifierKey

Step = tuple[str, dict[str, Any]]


def is_json_proof(data: bytes) -> bool:
    """Is this one of the proofs in JSON, and not a `.tlog-proof`?"""
    return data[:1] == b"{"


def row_steps(
    proof: bytes, vkey: VerifierKey, *, report: str | None, row: str | None, publisher_key: bytes | None
) -> Iterator[Step]:
    """The steps of the check, each with its line and its facts; raises at the first that fails.

    The same as `verifier.row_proofs.verify_row_proof`, with a word at every step.
    """
    parsed = parse_row_proof(proof)
    yield f"the file is a row proof: claims that the row is {parsed.claim}", {"claim": parsed.claim}
    checkpoint = verify_checkpoint(parsed.checkpoint, vkey=vkey)
    yield (
        f"{vkey.name} signed the checkpoint: size {checkpoint.tree_size}, root {checkpoint.root_hash.hex()}",
        {
            "origin": checkpoint.origin,
            "tree_size": checkpoint.tree_size,
            "root_hash": checkpoint.root_hash.hex(),
        },
    )
    verify_inclusion(
        leaf_hash(parsed.entry),
        index=parsed.index,
        tree_size=checkpoint.tree_size,
        proof=parsed.inclusion,
        root=checkpoint.root_hash,
    )
    yield f"entry {parsed.index} leads to that root", {"index": parsed.index}
    published, attributes = parse_report_entry(parsed.entry)
    require_report_place(published, index=parsed.index)
    name = f"{published.kind}/{published.key}"
    computed = f"{published.row_count} rows, computed from the first {published.tree_size} entries"
    definition = f"definition {published.definition.name} version {published.definition.version}"
    yield (
        f"it publishes report {name} by {attributes['source']}: {computed}, {definition}",
        {"kind": published.kind, "key": published.key, "report_tree_size": published.tree_size},
    )
    _require_asked("report", report, name)
    _require_asked("row", row, parsed.row_key)
    if publisher_key is not None:
        verify_signature(attributes, public_key=publisher_key)
        yield f"the pinned publisher's key signed it ({signature_kid(attributes['signature'])})", {}
    found = verify_rows(parsed.rows, claim=parsed.claim, row_key=parsed.row_key, report=published)
    if found is None:
        yield f"no row of that report has the key {parsed.row_key}", {"row_key": parsed.row_key, "row": None}
    else:
        place = f"row {parsed.rows[0].index} of {published.row_count}"
        yield f"{place} is {parsed.row_key}", {"row_key": parsed.row_key, "row": found}


def stream_steps(proof: bytes, vkey: VerifierKey) -> Iterator[Step]:
    """The steps for one event's place in its stream: those of its stream's row, and the event's own."""
    parsed = parse_stream_proof(proof)
    facts: dict[str, Any] = {}
    for line, some in row_steps(parsed.row_proof, vkey, report="stream-heads/all", row=None, publisher_key=None):
        facts |= some
        yield line, some
    if facts["row"] is None:
        raise MalformedInput("stream proof: it shows that there is no such stream")
    head = parse_stream_head(facts["row"])
    event = verify_event_in_stream(parsed.entry, head, path=parsed.path)
    attributes = parse_entry(parsed.entry)
    yield (
        f"the entry is event {event['position']} of the {head.events} of {head.subject}: {attributes['type']}",
        {"position": event["position"], "events": head.events, "subject": head.subject},
    )


def is_stream_proof(data: bytes) -> bool:
    """Is this proof of an event's place in its stream, rather than a row proof?"""
    return STREAM_FORMAT.encode() in data


def _require_asked(name: str, asked: str | None, found: str) -> None:
    if asked is not None and asked != found:
        raise MalformedInput(f"the proof is of another {name} than the one that was asked for")
