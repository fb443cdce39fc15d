"""What is kept about a log, so that every report can be computed: all folds, and every stream's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.folds.all import Changes, FoldSet, fold_all
from projections.reports.stream_heads import STREAM_HEADS, StreamHeads

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event


class LogState:
    """The folds and the stream heads of the same entries, stored in parts under one list of names."""

    def __init__(self, folds: FoldSet | None = None) -> None:
        """Start before the first entry, or with folds that somebody else feeds."""
        self.folds: FoldSet = fold_all() if folds is None else folds
        self.heads = StreamHeads()

    def apply(self, index: int, event: Event, entry: bytes) -> None:
        """Take in the entry at `index`.

        Raises:
            KeyError: no fold knows the type.
        """
        self.folds.apply(index, event)
        self.heads.append(event.subject, entry)

    def take_changes(self) -> Changes:
        """What moved since the last call? Asking clears it. Tables of stream heads are not among `tables`."""
        changes = self.folds.take_changes()
        self.heads.settle()  # what came after this counts as changed again
        changes.parts.extend((STREAM_HEADS, subject) for subject in sorted(self.heads.changed))
        self.heads.changed.clear()
        return changes

    def part_to_bytes(self, fold: str, part: str) -> bytes:
        """Encode one part, to store it alone."""
        return self.heads.part_to_bytes(part) if fold == STREAM_HEADS else self.folds.part_to_bytes(fold, part)

    def load_part(self, fold: str, part: str, data: bytes) -> None:
        """Take over one stored part.

        Raises:
            KeyError: there is no such fold.
            msgspec.DecodeError, MalformedInput: the bytes are not a part of it.
        """
        if fold == STREAM_HEADS:
            self.heads.load_part(part, data)
        else:
            self.folds.load_part(fold, part, data)
