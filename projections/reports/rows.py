"""Which bytes does a row of a fold become in a report?

    {"cells": …, "entries": …, "id": …, "key": …, "provenance": …, "table": …}          canonical JSON, no floats

`key` is `<table>/<id>`, in a register `<part>/<table>/<id>`. A list of entries that is longer than `MAX_ENTRIES` is
given by its count, first, last and SHA-256, in the row and in every figure of its cells: so a row stays a few
kilobytes however many payments stand behind it. The whole list is in the answer of the same name, and in the log.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from verifier.canonical import MAX_SAFE_INTEGER
from verifier.reports import MAX_ROW_BYTES, require_row_key

if TYPE_CHECKING:
    from projections.folds.rows import Row

MAX_ENTRIES = 8
_MAX_DEPTH = 15
_MAX_NAMES = 10_000
_SURELY_SHORT = 128  # characters of at most four bytes
_NAMES: set[object] = set()
_TEXT = frozenset({str})
_encode = msgspec.json.Encoder(order="sorted").encode


class RowHasNoForm(Exception):
    """A fold made a row that has no canonical form: our own defect, never an entry's."""


def report_row(row: Row, *, part: str = "") -> tuple[str, bytes]:
    """The key and the bytes of one row; `part` stands before the table's name in a register.

    Raises:
        RowHasNoForm: the row holds a float, an integer beyond ±(2^53-1), a key outside ASCII, or is too long.
    """
    key = f"{part}/{row.table}/{row.id}" if part else f"{row.table}/{row.id}"
    members = {
        "cells": _plain(row.body, _MAX_DEPTH),
        "entries": _shortened(row.entries),
        "id": row.id,
        "key": key if len(key) < _SURELY_SHORT else require_row_key(key),
        "provenance": row.provenance,
        "table": row.table,
    }
    data = _encode(members)
    if len(data) > MAX_ROW_BYTES:
        raise RowHasNoForm(f"the row {key} has {len(data)} bytes")
    # Brackets, quotes and commas combine with nothing: text is in NFC when all of its strings are.
    if not data.isascii() and not unicodedata.is_normalized("NFC", data.decode()):
        raise RowHasNoForm(f"the row {key} has text outside NFC")
    return key, data


def _plain(value: Any, depth: int) -> Any:
    """The value with short lists of entries; only what has a canonical form passes."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            raise RowHasNoForm("an integer beyond ±(2^53-1)")
        return value
    if not depth:
        raise RowHasNoForm("a row nested too deep")
    if kind is dict:
        plain = {}
        for name, member in value.items():
            if name not in _NAMES:
                _learn_name(name)
            # Written out for what most cells are: a call for each would be felt in 10^6 of them.
            kind = type(member)
            if member is None or kind is str or (kind is int and -MAX_SAFE_INTEGER <= member <= MAX_SAFE_INTEGER):
                plain[name] = member
            elif kind is list:
                plain[name] = _shortened(member) if name == "entries" else _plain_list(member, depth - 1)
            else:
                plain[name] = _plain(member, depth - 1)
        return plain
    if kind is list:
        return _plain_list(value, depth)
    raise RowHasNoForm(f"no canonical form for {kind.__name__}")


def _plain_list(value: list[Any], depth: int) -> list[Any]:
    if not depth:
        raise RowHasNoForm("a row nested too deep")
    # Most lists hold words, such as provenances: they are what they are.
    return value if set(map(type, value)) <= _TEXT else [_plain(member, depth - 1) for member in value]


def _learn_name(name: object) -> None:
    """Remember the name of a cell, so that it is looked at once; there are as many as there are columns."""
    if type(name) is not str or not name.isascii():
        raise RowHasNoForm("a key outside ASCII")
    if len(_NAMES) < _MAX_NAMES:
        _NAMES.add(name)


def _shortened(entries: list[Any]) -> Any:
    """A list of log indexes, or of ranges of them, as it is or by its digest."""
    if len(entries) <= MAX_ENTRIES:
        return entries
    first, last = entries[0], entries[-1]
    return {
        "count": len(entries),
        "first": first[0] if type(first) is list else first,
        "last": last[-1] if type(last) is list else last,
        "sha256": sha256(_encode(entries)).hexdigest(),
    }
