"""At which places do two JSON values differ, and how is a value shown in one line?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING = object()
_MAX_SHOWN_CHARACTERS = 120


def differences(expected: Any, found: Any, pointer: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every place where two JSON values differ: (JSON pointer of RFC 6901, expected, found); NOTHING where none is."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            escaped = name.replace("~", "~0").replace("/", "~1")
            yield from differences(expected.get(name, NOTHING), found.get(name, NOTHING), f"{pointer}/{escaped}")
    elif isinstance(expected, list) and isinstance(found, list):
        for number in range(max(len(expected), len(found))):
            yield from differences(
                expected[number] if number < len(expected) else NOTHING,
                found[number] if number < len(found) else NOTHING,
                f"{pointer}/{number}",
            )
    # The types as well: true equals 1 in Python.
    elif type(expected) is not type(found) or expected != found:
        yield pointer, expected, found


def show(value: Any) -> str:
    """A value in one line, cut where it is long."""
    if value is NOTHING:
        return "nothing"
    text = f"{value:,}" if type(value) is int else repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else text[:_MAX_SHOWN_CHARACTERS] + "…"
