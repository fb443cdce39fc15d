"""How is a refused atomic batch undone exactly?

A state consists of dictionaries that hold immutable values, and `put` is the only way to change one. So the
list of (dictionary, key, old value) is all that is needed to go back: to the very state, order of keys
included.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ABSENT: Any = object()
_MANY_ABSENT: Any = object()


class Changes(Protocol):
    """What `evolve` writes through."""

    def put(self, mapping: dict[K, V], key: K, value: V) -> None:
        """Set `mapping[key] = value`."""
        ...

    def put_new(self, mapping: dict[K, V], added: dict[K, V]) -> None:
        """Add all these, none of whose keys stands there."""
        ...


class Undo:
    """Changes that can be taken back, newest first.

    >>> lines, undo = {"a": 1}, Undo()
    >>> mark = undo.mark()
    >>> undo.put(lines, "a", 2)
    >>> undo.put(lines, "b", 3)
    >>> undo.rollback(to=mark)
    >>> lines
    {'a': 1}
    """

    __slots__ = ("_done",)

    def __init__(self) -> None:
        # Three items for each change: mapping, key, old value. A flat list, because tens of thousands of tuples
        # alive at once make the garbage collector walk them again and again.
        self._done: list[Any] = []

    def put(self, mapping: dict[K, V], key: K, value: V) -> None:
        """Set `mapping[key] = value` and remember what stood there."""
        self._done += (mapping, key, mapping.get(key, _ABSENT))
        mapping[key] = value

    def put_new(self, mapping: dict[K, V], added: dict[K, V]) -> None:
        """Add all these, none of whose keys stands there; one step to take back."""
        self._done += (mapping, added, _MANY_ABSENT)
        mapping.update(added)

    def mark(self) -> int:
        """Which point can `rollback` return to? Taken before a submission or an atomic batch begins."""
        return len(self._done)

    def rollback(self, *, to: int) -> None:
        """Take back everything since the mark `to`."""
        done = self._done
        while len(done) > to:
            old, key, mapping = done.pop(), done.pop(), done.pop()
            if old is _ABSENT:
                del mapping[key]
            elif old is _MANY_ABSENT:
                for one in reversed(key):
                    del mapping[one]
            else:
                mapping[key] = old

    def clear(self) -> None:
        """Forget what could be undone: it is committed."""
        self._done.clear()


class NoUndo:
    """Changes that stand: for replay, where a log is read and nothing is refused halfway."""

    __slots__ = ()

    def put(self, mapping: dict[K, V], key: K, value: V) -> None:
        """Set `mapping[key] = value`."""
        mapping[key] = value

    def put_new(self, mapping: dict[K, V], added: dict[K, V]) -> None:
        """Add all these."""
        mapping.update(added)


NO_UNDO = NoUndo()
