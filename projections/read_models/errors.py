"""What can go wrong with the read models?

ReadModelError
├── ProjectionStopped   an entry could not be folded or stored: our fault, or the log's; never skipped
└── NotYetProjected     the question is about entries that the read models have not taken in: ask again later
"""

from __future__ import annotations


class ReadModelError(Exception):
    """Something is wrong with the read models, not with the question."""


class ProjectionStopped(ReadModelError):
    """The projector stopped; `position` is the first entry that it did not take in."""

    def __init__(self, position: int, cause: Exception) -> None:
        super().__init__(f"the projection stopped before entry {position}: {type(cause).__name__}: {cause}")
        self.position = position


class NotYetProjected(ReadModelError):
    """The read models stand at an earlier position than the one asked for."""

    def __init__(self, *, asked: int, position: int) -> None:
        super().__init__(f"the read models stand at {position} entries, asked for {asked}")
        self.asked = asked
        self.position = position
