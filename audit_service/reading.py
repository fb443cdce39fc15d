"""How are entries, hashes and proofs read, while one thread goes on writing?

Subtree hashes are in memory (64 bytes per entry), entries in the database. Complete subtrees never change, so
a proof for a signed size can be made while the log grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.errors import NotInLog, Quarantined
from audit_service.recording.recorder import IdempotencyKey
from verifier.subtrees import SubtreeHashes
from verifier.tree import consistency_proof, inclusion_proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from audit_service.recording.recorder import Head

_PAGE = 100_000
_KEYS_PER_STATEMENT = 400
_SELECT_KEY = (
    "SELECT s.source, s.submission_id, s.digest, s.first_index, s.entry_count FROM asked"
    " JOIN submissions AS s ON s.source = asked.source AND s.submission_id = asked.submission_id"
)


class LogReader:
    """Reads one log; safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._hashes = SubtreeHashes()

    def load(self, head: Head) -> None:
        """Read all leaf hashes and check them against the recorded head.

        Raises:
            Quarantined: the leaf hashes do not give the head's root hash.
        """
        with self._engine.connect() as connection:
            while self._hashes.size < head.tree_size:
                result = connection.exec_driver_sql(
                    "SELECT leaf_hash FROM events WHERE log_index >= ? ORDER BY log_index LIMIT ?",
                    (self._hashes.size, _PAGE),
                )
                # The driver's own tuples: a million SQLAlchemy rows would be half of the time of a start.
                rows = result.cursor.fetchall()
                if not rows:
                    break
                self._hashes.extend([row[0] for row in rows])
        if self._hashes.size != head.tree_size or self._hashes.root() != head.root_hash:
            raise Quarantined("the recorded leaf hashes do not give the recorded root hash")

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Take in what was recorded; called by the writer only."""
        self._hashes.extend(leaf_hashes)

    @property
    def tree_size(self) -> int:
        """Number of entries whose hashes are in memory."""
        return self._hashes.size

    def head_size(self) -> int:
        """How many entries may be read: the same, as those ask who follow the log."""
        return self.tree_size

    def root(self, size: int) -> bytes:
        """The RFC 6962 root hash of the first `size` entries."""
        return self._hashes.root(size)

    def subtree(self, level: int, index: int) -> bytes:
        """Hash of the complete subtree `index` of 2**level leaves (a `SubtreeReader`)."""
        return self._hashes.read(level, index)

    def subtree_row(self, level: int, first: int, count: int) -> bytes:
        """The hashes of `count` neighbouring complete subtrees of 2**level leaves, one after another."""
        return self._hashes.read_row(level, first, count)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Inclusion proof of one entry in the first `size` (RFC 6962 section 2.1.1).

        Raises:
            NotInLog: there is no such entry at that size.
        """
        if not 0 <= index < size <= self.tree_size:
            raise NotInLog(f"index must be below the tree size, which is at most {self.tree_size}")
        return inclusion_proof(index, tree_size=size, read=self.subtree)

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Consistency proof between two sizes (RFC 6962 section 2.1.2).

        Raises:
            NotInLog: the sizes are not in order, or beyond the log.
        """
        if not 1 <= old_size <= new_size <= self.tree_size:
            raise NotInLog(f"sizes must be in order, from 1 to {self.tree_size}")
        return consistency_proof(old_size=old_size, new_size=new_size, read=self.subtree)

    def entry(self, index: int) -> bytes:
        """One entry.

        Raises:
            NotInLog: the log is shorter.
        """
        found = self.entries(index, index + 1) if index >= 0 else []
        if not found:
            raise NotInLog(f"the log holds the entries 0 to {self.tree_size - 1}")
        return found[0]

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries [start, stop), fewer at the end of the log."""
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT state FROM events WHERE log_index >= ? AND log_index < ? ORDER BY log_index",
                (start, stop),
            ).all()
        return [row[0] for row in rows]

    def subject_entries(self, subject: str, *, after: int = -1, limit: int = 1000) -> list[tuple[int, bytes]]:
        """Entries of one stream with an index above `after`, as (index, entry), ascending."""
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT log_index, state FROM events WHERE originator_id = ? AND log_index > ?"
                " ORDER BY originator_version LIMIT ?",
                (subject, after, limit),
            ).all()
        return [(row[0], row[1]) for row in rows]

    def find_keys(self, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], IdempotencyKey | None]:
        """Where many submissions were recorded, by (source, id), in a few statements; None for those that were not."""
        found: dict[tuple[str, str], IdempotencyKey | None] = dict.fromkeys(asked)
        with self._engine.connect() as connection:
            for start in range(0, len(asked), _KEYS_PER_STATEMENT):
                some = asked[start : start + _KEYS_PER_STATEMENT]
                places = ", ".join(["(?, ?)"] * len(some))
                # A join: for a row value IN (VALUES …) SQLite reads the whole table instead of stepping down the index.
                rows = connection.exec_driver_sql(
                    f"WITH asked (source, submission_id) AS (VALUES {places}) {_SELECT_KEY}",
                    tuple(text for pair in some for text in pair),
                ).all()
                for row in rows:
                    found[row[0], row[1]] = IdempotencyKey(*row)
        return found

    def find_key(self, source: str, submission_id: str) -> IdempotencyKey | None:
        """Where a submission was recorded, by its source and id; a manifest's id stands for its batch."""
        with self._engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT source, submission_id, digest, first_index, entry_count FROM submissions"
                " WHERE source = ? AND submission_id = ?",
                (source, submission_id),
            ).one_or_none()
        return IdempotencyKey(*row) if row else None
