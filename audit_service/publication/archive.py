"""Which checkpoints were published, and which one is the root of the day?

Every published checkpoint is kept for ever, so that a proof against any of them can be asked for later. The
root of the day is the last checkpoint published on a calendar day in Korean time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_service.clock import format_time, korean_day
from audit_service.recording.recorder import end_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from audit_service.signing.signer import SignedHead

_KEEP = (
    "INSERT INTO checkpoints (tree_size, root_hash, note, published_time, day) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (tree_size) DO NOTHING"
)
_SELECT = "SELECT tree_size, root_hash, note, published_time, day FROM checkpoints "


class KeptCheckpoint(NamedTuple):
    """A published checkpoint: tree size, root hash, note, when it was published, and on which Korean day."""

    size: int
    root: bytes
    note: bytes
    published_time: str
    day: str


class CheckpointArchive:
    """The published checkpoints, in the ledger's database."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader

    def keep(self, head: SignedHead, moment: datetime, *, failpoint: str) -> None:
        """Keep a checkpoint; one that is kept already (a crash came in between) stays as it is.

        `failpoint` is come to before the commit.
        """
        with self._writer.begin() as connection:
            connection.exec_driver_sql(
                _KEEP,
                (head.size, head.root, head.note, format_time(moment), korean_day(moment)),
            )
            end_transaction(connection, failpoint)

    def list(self, *, after: int, limit: int) -> Sequence[KeptCheckpoint]:
        """Kept checkpoints with a tree size above `after`, ascending."""
        return self._select("WHERE tree_size > ? ORDER BY tree_size LIMIT ?", (after, limit))

    def at(self, size: int) -> KeptCheckpoint | None:
        """The checkpoint of exactly this tree size, if one was published."""
        return self._first("WHERE tree_size = ?", (size,))

    def root_of_the_day(self, day: str | None = None) -> KeptCheckpoint | None:
        """The last checkpoint of a Korean day (`YYYY-MM-DD`); without a day, the newest of all."""
        if day is None:
            return self._first("ORDER BY tree_size DESC LIMIT 1", ())
        return self._first("WHERE day = ? ORDER BY tree_size DESC LIMIT 1", (day,))

    def _first(self, clause: str, parameters: tuple[object, ...]) -> KeptCheckpoint | None:
        found = self._select(clause, parameters)
        return found[0] if found else None

    def _select(self, clause: str, parameters: tuple[object, ...]) -> Sequence[KeptCheckpoint]:
        with self._reader.connect() as connection:
            rows = connection.exec_driver_sql(_SELECT + clause, parameters).all()
        return [KeptCheckpoint(*row) for row in rows]
