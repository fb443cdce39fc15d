"""What do all folds have in common?

A fold takes entries in log order and keeps its state in *parts* (one budget year, one contract, …): so an
entry costs what its part costs, and a part can be stored alone. Nothing here knows a database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Struct

from audit_service.catalogue.event import Event

if TYPE_CHECKING:
    from projections.folds.rows import Row

Handler = Callable[[int, Event], None]
S = TypeVar("S", bound=Struct)


class Fold(ABC, Generic[S]):
    """State by part, which parts changed, and which tables must be computed again because of it.

    `dirty` holds (kind, key) of the tables, `changed` the parts, both since they were last taken.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    part_type: ClassVar[type[Any]]

    def __init__(self) -> None:
        self.parts: dict[str, S] = {}
        self.dirty: set[tuple[str, str]] = set()
        self.changed: set[str] = set()

    @abstractmethod
    def handlers(self) -> dict[str, Handler]:
        """Which types of events move this fold, and by which function?"""

    @abstractmethod
    def keys(self, kind: str) -> list[str]:
        """Which keys of a kind have rows? Sorted."""

    @abstractmethod
    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """Which rows has this key now? Empty for an unknown key. Changes nothing."""

    def settle(self) -> None:
        """Write down what is only kept at hand, before `dirty`, `changed` or the state are read."""

    def part_to_bytes(self, part: str) -> bytes:
        """Encode one part (MessagePack); `load_part` reads it back."""
        self.settle()
        return msgspec.msgpack.encode(self.parts[part])

    def load_part(self, part: str, data: bytes) -> None:
        """Take over a stored part.

        Raises:
            msgspec.DecodeError: the bytes are not a part of this fold.
        """
        self.settle()
        state: S = msgspec.msgpack.decode(data, type=self.part_type)
        self.parts[part] = state
