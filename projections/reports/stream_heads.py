"""How many events has each stream, and what is the root over them?

The report `stream-heads/all` has one row for every subject: {"events": …, "key": <subject>, "root": …}. The root is
the RFC 6962 root over the leaf hashes of the stream's entries, in the order of their positions. Whoever has all
events of one stream checks with its row that none is missing (`verifier.stream_proofs`), without the rest of the log.

For each stream only the right edge of its tree is kept: 32 bytes for every binary digit 1 of its length.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.hashing import LEAF_PREFIX
from verifier.right_edge import RightEdge
from verifier.stream_proofs import stream_head_row

if TYPE_CHECKING:
    from collections.abc import Iterable

STREAM_HEADS = "stream-heads"
_MAX_WAITING = 4096


class StreamHeads:
    """The right edge of every stream's tree; `changed` are the subjects since they were last taken."""

    def __init__(self) -> None:
        self._edges: dict[str, RightEdge] = {}
        self._waiting: dict[str, list[bytes]] = {}
        self.changed: set[str] = set()

    def append(self, subject: str, entry: bytes) -> None:
        """Take in the next entry of a stream."""
        self._wait(subject).append(sha256(LEAF_PREFIX + entry).digest())

    def extend(self, subject: str, entries: Iterable[bytes]) -> None:
        """Take in the next entries of a stream."""
        # Written out, as in `verifier.tree`: a call for each entry would be felt in a replay of millions.
        digest, prefix = sha256, LEAF_PREFIX
        self._wait(subject).extend([digest(prefix + entry).digest() for entry in entries])

    def _wait(self, subject: str) -> list[bytes]:
        """Leaf hashes that are not in their tree yet: many at once cost less than one by one."""
        waiting = self._waiting.get(subject)
        if waiting is not None and len(waiting) < _MAX_WAITING:
            return waiting
        if waiting is not None:
            self._settle_one(subject)
        self.changed.add(subject)
        waiting = self._waiting[subject] = []
        return waiting

    def settle(self) -> None:
        """Put all that waits into its trees."""
        for subject in list(self._waiting):
            self._settle_one(subject)

    def subjects(self) -> list[str]:
        """Every stream, sorted."""
        return sorted(self._edges.keys() | self._waiting.keys())

    def row(self, subject: str) -> bytes:
        """The row of one stream.

        Raises:
            KeyError: there is no such stream.
        """
        self._settle_one(subject)
        edge = self._edges[subject]
        return stream_head_row(subject, events=edge.size, root=edge.root())

    def part_to_bytes(self, subject: str) -> bytes:
        """Encode one stream's head; `load_part` reads it back."""
        self._settle_one(subject)
        edge = self._edges[subject]
        return edge.size.to_bytes(8, "big") + edge.to_bytes()

    def load_part(self, subject: str, data: bytes) -> None:
        """Take over one stream's head.

        Raises:
            MalformedInput: the bytes are none.
        """
        self._edges[subject] = RightEdge.from_bytes(int.from_bytes(data[:8], "big"), data[8:])

    def _settle_one(self, subject: str) -> None:
        waiting = self._waiting.pop(subject, None)
        if waiting:
            self._edge(subject).extend(waiting)

    def _edge(self, subject: str) -> RightEdge:
        edge = self._edges.get(subject)
        if edge is None:
            edge = self._edges[subject] = RightEdge()
        return edge
