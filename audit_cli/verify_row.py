"""Is this row, or no such row, in a report that the pinned key's log holds? `audit verify` on a row or stream proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.errors import MalformedInput, VerificationError
from verifier.row_proofs import verify_row_proof
from verifier.stream_proofs import ALL, STREAM_HEADS, parse_stream_head, parse_stream_proof, verify_event_in_stream
from verifier.stream_proofs import FORMAT as STREAM_FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.notes import VerifierKey
    from verifier.row_proofs import ProvenRow

Step = tuple[str, dict[str, Any]]


def is_json_proof(data: bytes) -> bool:
    """Is this one of the proofs in JSON, and not a `.tlog-proof`?"""
    return data[:1] == b"{"


def is_stream_proof(data: bytes) -> bool:
    """Is this proof of an event's place in its stream, rather than a row proof?"""
    return f'"format":"{STREAM_FORMAT}"'.encode() in data


def row_steps(
    proof: bytes, vkey: VerifierKey, *, report: str | None, row: str | None, publisher_key: bytes | None
) -> Iterator[Step]:
    """The steps that pass, each with its line; the last one with the facts. Raises after the last that passed."""
    kind, _, key = (report or "").partition("/")
    lines: list[str] = []
    try:
        proven = verify_row_proof(
            proof,
            vkey=vkey,
            publisher_key=publisher_key,
            kind=kind or None,
            key=key or None,
            row_key=row,
            on_step=lines.append,
        )
    except VerificationError:
        for line in lines:
            yield line, {}
        raise
    *before, last = lines
    for line in before:
        yield line, {}
    yield last, _facts(proven)


def _facts(proven: ProvenRow) -> dict[str, Any]:
    checkpoint, report = proven.checkpoint, proven.report
    return {
        "origin": checkpoint.origin,
        "tree_size": checkpoint.tree_size,
        "root_hash": checkpoint.root_hash.hex(),
        "index": proven.index,
        "kind": report.kind,
        "key": report.key,
        "report_tree_size": report.tree_size,
        "row_key": proven.row_key,
        "row": proven.row,
    }


def stream_steps(proof: bytes, vkey: VerifierKey) -> Iterator[Step]:
    """The steps for one event's place in its stream: those of its stream's row, and the event's own."""
    parsed = parse_stream_proof(proof)
    facts: dict[str, Any] = {}
    steps = row_steps(parsed.row_proof, vkey, report=f"{STREAM_HEADS}/{ALL}", row=None, publisher_key=None)
    for line, some in steps:
        facts |= some
        yield line, some
    if facts["row"] is None:
        raise MalformedInput("stream proof: it shows that there is no such stream")
    head = parse_stream_head(facts["row"])
    event = verify_event_in_stream(parsed.entry, head, path=parsed.path)
    yield (
        f"the entry is event {event['position']} of the {head.events} of {head.subject}: {event['type']}",
        {"position": event["position"], "events": head.events, "subject": head.subject},
    )
