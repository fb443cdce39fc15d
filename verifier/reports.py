"""What does a published report commit to, and which root belongs to these rows?

A *report* is a list of rows. A *row* is the canonical JSON (`canonical`) of an object whose member `key` names it;
within one report a key stands once, and rows are sorted by the UTF-8 bytes of their keys. The *rows root* is the
RFC 6962 root over the rows: each row's bytes are a leaf.

The log holds the root: `report.published.v1` on the stream `report/<kind>/<key>` says

    kind, key       which report it is
    tree_size       computed from the entries [0, tree_size) and nothing else; never above the entry's own index
    row_count       how many rows there are: with it a path is bound to its index, and an absence can be shown
    rows_root       64 lower-case hexadecimal digits
    definition      name, version and sha256 of the published text that says how each row is computed
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.canonical import MAX_SAFE_INTEGER, encode_canonical, require_canonical
from verifier.envelope import parse_entry
from verifier.errors import MalformedInput
from verifier.hashing import EMPTY_ROOT, leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

REPORT_TYPE = "report.published.v1"
MAX_ROW_BYTES = 65_535
MAX_ROW_KEY_BYTES = 512

_MEMBERS = frozenset({"kind", "key", "tree_size", "row_count", "rows_root", "definition"})
# What the entry format lets any event say beside its own members.
_COMMON_MEMBERS = frozenset({"basis", "documents", "actor_role", "corrects", "provenance", "note_ko", "note_en"})
_DEFINITION_MEMBERS = frozenset({"name", "version", "sha256"})
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_KIND = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
_KEY = re.compile(rf"{_SEGMENT}(/{_SEGMENT})?", re.ASCII)
_SHA256_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Definition:
    """The published text by which the rows were computed: its name, version and SHA-256 (hexadecimal)."""

    name: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """What `report.published.v1` commits to."""

    kind: str
    key: str
    tree_size: int
    row_count: int
    rows_root: bytes
    definition: Definition


# --- rows -----------------------------------------------------------------------------------------------


def encode_row(row: Mapping[str, Any]) -> bytes:
    """Write a row: the bytes that are a leaf of its report.

    Raises:
        MalformedInput: it has no key, no canonical form, or is too long.
    """
    data = encode_canonical(dict(row))
    _require_row(row, data)
    return data


def parse_row(data: bytes) -> dict[str, Any]:
    """Read a row, which must be its own canonical form.

    Raises:
        MalformedInput: it is too long, not canonical, no object, or has no key.
    """
    if len(data) > MAX_ROW_BYTES:  # before anything is parsed
        raise MalformedInput(f"row: expected at most {MAX_ROW_BYTES} bytes, found {len(data)}")
    row = require_canonical(data)
    if not isinstance(row, dict):
        raise MalformedInput("row: expected a JSON object")
    _require_row(row, data)
    return row


def row_order(key: str) -> bytes:
    """By what are rows sorted? The UTF-8 bytes of the key; UTF-16 units, as JavaScript compares, differ."""
    return key.encode("utf-8")


def require_row_key(key: object) -> str:
    """Refuse what cannot name a row.

    Raises:
        MalformedInput: it is no text of 1 to `MAX_ROW_KEY_BYTES` bytes.
    """
    if not isinstance(key, str) or not key or len(key.encode("utf-8", "surrogatepass")) > MAX_ROW_KEY_BYTES:
        raise MalformedInput(f"row: expected a key of 1 to {MAX_ROW_KEY_BYTES} bytes")
    return key


def _require_row(row: Mapping[str, Any], data: bytes) -> None:
    require_row_key(row.get("key"))
    if len(data) > MAX_ROW_BYTES:
        raise MalformedInput(f"row: expected at most {MAX_ROW_BYTES} bytes, found {len(data)}")


def encode_rows(rows: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Write rows, in whatever order they come, as the sorted rows of a report.

    Raises:
        MalformedInput: one of them is no row, or two have the same key.
    """
    encoded = sorted((row_order(require_row_key(row.get("key"))), encode_row(row)) for row in rows)
    require_row_order([key for key, _ in encoded])
    return [data for _, data in encoded]


def require_row_order(keys: Sequence[bytes]) -> None:
    """Refuse keys (`row_order`) that are not strictly ascending: a key stands once in a report.

    Raises:
        MalformedInput: two neighbours are equal or the wrong way round.
    """
    for number in range(1, len(keys)):
        if keys[number - 1] >= keys[number]:
            raise MalformedInput(f"rows: the key of row {number} does not come after the one before it")


def compute_rows_root(rows: Sequence[bytes]) -> bytes:
    """What is the rows root (RFC 6962 section 2.1) of these rows, which are sorted already?"""
    return root_of_leaf_hashes([leaf_hash(row) for row in rows])


# --- the entry ------------------------------------------------------------------------------------------


def parse_report_entry(entry: bytes) -> tuple[Report, dict[str, Any]]:
    """Read an entry of the log that publishes a report; gives the report and the entry's attributes.

    Its place in the log is not in it: `require_report_place` checks the two against each other.

    Raises:
        MalformedInput: it is no entry, of another type, of another stream than its kind and key say, unsigned,
            or its payload is not of the form.
    """
    attributes = parse_entry(entry)
    if attributes["type"] != REPORT_TYPE:
        raise MalformedInput(f"report: expected an entry of type {REPORT_TYPE}")
    if "signature" not in attributes:
        raise MalformedInput("report: expected a signed entry")
    report = parse_report(attributes["data"])
    if attributes["subject"] != f"report/{report.kind}/{report.key}":
        raise MalformedInput("report: its kind and key are not those of its stream")
    return report, attributes


def parse_report(data: Mapping[str, Any]) -> Report:
    """Read the payload of `report.published.v1`.

    Raises:
        MalformedInput: a member is missing, unknown, or not of its form.
    """
    if _MEMBERS - data.keys() or data.keys() - _MEMBERS - _COMMON_MEMBERS:
        raise MalformedInput("report: a member is missing or unknown")
    root = _matching(data["rows_root"], _SHA256_HEX, "rows_root")
    report = Report(
        kind=_matching(data["kind"], _KIND, "kind"),
        key=_matching(data["key"], _KEY, "key"),
        tree_size=_integer(data["tree_size"], "tree_size", minimum=1),
        row_count=_integer(data["row_count"], "row_count", minimum=0),
        rows_root=bytes.fromhex(root),
        definition=_parse_definition(data["definition"]),
    )
    if not report.row_count and report.rows_root != EMPTY_ROOT:
        raise MalformedInput("report: no rows, with a root that is not the empty tree's")
    return report


def is_report_name(kind: str, key: str) -> bool:
    """Can these name a report? Then they can stand in a path or a file name as they are."""
    return _KIND.fullmatch(kind) is not None and _KEY.fullmatch(key) is not None


def require_report_place(report: Report, *, index: int) -> None:
    """Refuse a report that says it was computed from entries which come after its own.

    Raises:
        MalformedInput: its tree size is above the index of its entry.
    """
    if report.tree_size > index:
        raise MalformedInput(f"report: computed at tree size {report.tree_size}, but published at index {index}")


def _parse_definition(value: object) -> Definition:
    if not isinstance(value, dict) or value.keys() != _DEFINITION_MEMBERS:
        raise MalformedInput("report: expected a definition of name, version and sha256")
    return Definition(
        name=_matching(value["name"], _KIND, "definition's name"),
        version=_integer(value["version"], "definition's version", minimum=1),
        sha256=_matching(value["sha256"], _SHA256_HEX, "definition's sha256"),
    )


def _matching(value: object, form: re.Pattern[str], name: str) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise MalformedInput(f"report: its {name} is not of its form")
    return value


def _integer(value: object, name: str, *, minimum: int) -> int:
    # Not isinstance: True is an int to it.
    if type(value) is not int or not minimum <= value <= MAX_SAFE_INTEGER:
        raise MalformedInput(f"report: expected {name} to be an integer of {minimum} or more")
    return value
