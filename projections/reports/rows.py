"""Which bytes does a row of a fold become in a report?

    {"cells": …, "entries": …, "id": …, "key": …, "provenance": …, "table": …}          canonical JSON, no floats

`key` is `<table>/<id>`, in a register `<part>/<table>/<id>`. A list of entries that is longer than `MAX_ENTRIES` is
given by its count, first, last and SHA-256, in the row and in every figure of its cells: so a row stays a few
kilobytes however many payments stand behind it. The whole list is in the answer of the same name, and in the log.
`figures` have only the amounts that entries moved, and a provenance of their own only where it is not the row's.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from projections.folds.budget_columns import GROUPS
from verifier.canonical import MAX_SAFE_INTEGER
from verifier.reports import MAX_ROW_BYTES, require_row_key

if TYPE_CHECKING:
    from projections.folds.rows import Row

MAX_ENTRIES = 8
_MAX_DEPTH = 15
_MAX_NAMES = 10_000
_SURELY_SHORT = 128  # characters of at most four bytes
_NAMES: set[object] = set()
_SCALARS = frozenset({str, int, bool, type(None)})
_ALL_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_MANY_DIGITS = b"0" * 16
_encode = msgspec.json.Encoder(order="sorted").encode


class RowHasNoForm(Exception):
    """A fold made a row that has no canonical form: our own defect, never an entry's."""


def report_row(row: Row, *, part: str = "") -> tuple[str, bytes]:
    """The key and the bytes of one row; `part` stands before the table's name in a register.

    Raises:
        RowHasNoForm: the row holds a float, an integer beyond ±(2^53-1), a key outside ASCII, or is too long.
    """
    key = f"{part}/{row.table}/{row.id}" if part else f"{row.table}/{row.id}"
    cells = _plain_dict(row.body, _MAX_DEPTH, row.provenance)
    members = {
        "cells": cells,
        "entries": row.entries if len(row.entries) <= MAX_ENTRIES else _shortened(row.entries),
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
    # Looking at every integer would cost more than encoding them all; one that is too large has this many digits.
    if _MANY_DIGITS in data.translate(_ALL_DIGITS_ALIKE):
        _require_safe(cells)
    return key, data


def _plain_dict(value: dict[Any, Any], depth: int, provenance: list[str]) -> dict[Any, Any]:
    """The cells with short lists of entries; only what has a canonical form passes, integers of any size for now."""
    if not value.keys() <= _NAMES:
        for name in value:
            _require_name(name)
    if set(map(type, value.values())) <= _SCALARS:
        return value
    if not depth:
        raise RowHasNoForm("a row nested too deep")
    plain = value.copy()
    for name, member in value.items():
        kind = type(member)
        if kind is list:
            plain[name] = _shortened(member) if name == "entries" else _plain_list(member, depth - 1, provenance)
        elif kind is dict:
            form = _plain_figures if name == "figures" else _plain_dict
            plain[name] = form(member, depth - 1, provenance)
        elif kind not in _SCALARS:
            raise RowHasNoForm(f"no canonical form for {kind.__name__}")
    return plain


def _plain_list(value: list[Any], depth: int, provenance: list[str]) -> list[Any]:
    # Most lists hold words, such as provenances: they are what they are.
    if set(map(type, value)) <= _SCALARS:
        return value
    if not depth:
        raise RowHasNoForm("a row nested too deep")
    # An object with one member has the same form as its value alone, whatever that is.
    return [_plain_dict({"": member}, depth, provenance)[""] for member in value]


def _plain_figures(figures: dict[Any, Any], depth: int, provenance: list[str]) -> dict[Any, Any]:
    """What each amount rests on that entries moved, and its provenance where it is not that of the row.

    What adds other columns up rests on what they rest on.
    """
    plain = {}
    for name, figure in figures.items():
        entries = figure.get("entries")
        if entries and name not in GROUPS:
            plain[name] = {"entries": _shortened(entries)}
            if figure["provenance"] != provenance:
                plain[name]["provenance"] = _plain_list(figure["provenance"], depth, provenance)
    if not plain.keys() <= _NAMES:
        for name in plain:
            _require_name(name)
    return plain


def _require_safe(value: Any) -> None:
    if type(value) is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        raise RowHasNoForm("an integer beyond ±(2^53-1)")
    if type(value) in (dict, list):
        for member in value.values() if type(value) is dict else value:
            _require_safe(member)


def _require_name(name: object) -> None:
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
