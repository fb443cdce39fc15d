"""Are these all events of a stream, and does this event stand at its place in it?

The report `stream-heads` has for every stream a row {"events": …, "key": <subject>, "root": …}: the number of its
events and the RFC 6962 root over their leaf hashes, in the order of their positions. A row proof (`row_proofs`) leads
from that row to the signed log. So the rest of the log is not needed to see that nothing was left out of a list, up
to the tree size at which the heads were computed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.canonical import MAX_SAFE_INTEGER, encode_canonical
from verifier.envelope import parse_entry
from verifier.errors import MalformedInput, ProofDoesNotHold
from verifier.hashing import leaf_hash
from verifier.json_proofs import (
    encode_path,
    encode_text,
    parse_path,
    parse_proof_object,
    parse_text,
    require_format,
)
from verifier.right_edge import RightEdge
from verifier.tree import verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

STREAM_HEADS = "stream-heads"
ALL = "all"
_SHA256_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StreamHead:
    """A stream's number of events, and the root over their leaf hashes."""

    subject: str
    events: int
    root: bytes


def stream_head_row(subject: str, *, events: int, root: bytes) -> bytes:
    """The row of one stream in the report `stream-heads`."""
    if subject.isascii() and '"' not in subject and "\\" not in subject:  # always, but for what no stream can have
        return b'{"events":%d,"key":"%s","root":"%s"}' % (events, subject.encode(), root.hex().encode())
    return encode_canonical({"events": events, "key": subject, "root": root.hex()})


def parse_stream_head(row: Mapping[str, Any]) -> StreamHead:
    """Read the row of one stream, as `row_proofs.verify_row_proof` proved it.

    Raises:
        MalformedInput: it is not such a row.
    """
    events, key, root = row.get("events"), row.get("key"), row.get("root")
    if row.keys() != {"events", "key", "root"} or not isinstance(key, str):
        raise MalformedInput("stream head: expected the members events, key and root")
    if type(events) is not int or not 1 <= events <= MAX_SAFE_INTEGER:
        raise MalformedInput("stream head: expected events to be an integer of 1 or more")
    if not isinstance(root, str) or _SHA256_HEX.fullmatch(root) is None:
        raise MalformedInput("stream head: expected a root of 64 hexadecimal digits")
    return StreamHead(key, events, bytes.fromhex(root))


def verify_stream_complete(entries: Iterable[bytes], head: StreamHead) -> list[dict[str, Any]]:
    """Are these, in this order, the first `head.events` events of the stream, none missing? Gives their attributes.

    Entries that come after them were recorded later than the head was computed; they are read and not bound by it.

    Raises:
        MalformedInput: an entry is none. ProofDoesNotHold: an entry is of another stream or at another position, some
        are missing, or the root is another.
    """
    edge = RightEdge()
    events = []
    root = None
    for entry in entries:
        attributes = parse_entry(entry)
        if attributes["subject"] != head.subject or attributes["position"] != edge.size + 1:
            raise ProofDoesNotHold(f"stream: expected event {edge.size + 1} of {head.subject}, found another")
        edge.append(leaf_hash(entry))
        events.append(attributes)
        if edge.size == head.events:
            root = edge.root()
    if root is None:
        raise ProofDoesNotHold(f"stream: expected {head.events} events of {head.subject}, found {edge.size}")
    if root != head.root:
        raise ProofDoesNotHold(f"stream: expected root {head.root.hex()}, found {root.hex()}")
    return events


def verify_event_in_stream(entry: bytes, head: StreamHead, *, path: Sequence[bytes]) -> dict[str, Any]:
    """Is this entry the event of the stream that its own position says? Gives its attributes.

    Raises:
        MalformedInput: it is no entry, or its position is beyond the head's number of events.
        ProofDoesNotHold: it is of another stream, or the path does not lead from it to the stream's root.
    """
    attributes = parse_entry(entry)
    if attributes["subject"] != head.subject:
        raise ProofDoesNotHold("stream: the entry is of another stream")
    verify_inclusion(
        leaf_hash(entry),
        index=attributes["position"] - 1,
        tree_size=head.events,
        proof=path,
        root=head.root,
    )
    return attributes


# --- one event's place, in one file ---------------------------------------------------------------------

FORMAT = "ledger-stream-proof/v1"
MAX_STREAM_PROOF_BYTES = 524_288
_WHAT = "stream proof"
_MEMBERS = frozenset({"format", "entry", "path", "row_proof"})


@dataclass(frozen=True, slots=True)
class StreamProof:
    """A stream proof that was read and not yet believed: an entry, its path in its stream, and the stream's row."""

    entry: bytes
    path: tuple[bytes, ...]
    row_proof: bytes


def encode_stream_proof(proof: StreamProof) -> bytes:
    """Write the file: canonical JSON of {format, entry, path, row_proof}; entry and row proof as texts.

    Raises:
        MalformedInput: a part is no UTF-8 text.
    """
    return encode_canonical(
        {
            "format": FORMAT,
            "entry": encode_text(proof.entry, what=_WHAT),
            "path": encode_path(proof.path),
            "row_proof": encode_text(proof.row_proof, what=_WHAT),
        }
    )


def parse_stream_proof(data: bytes) -> StreamProof:
    """Read the file without believing it.

    Raises:
        MalformedInput: it is too long, not canonical, or not of the form.
    """
    value = parse_proof_object(data, what=_WHAT, members=_MEMBERS, max_bytes=MAX_STREAM_PROOF_BYTES)
    require_format(value["format"], FORMAT, what=_WHAT)
    return StreamProof(
        entry=parse_text(value["entry"], "entry", what=_WHAT),
        path=parse_path(value["path"], what=_WHAT),
        row_proof=parse_text(value["row_proof"], "row proof", what=_WHAT),
    )
