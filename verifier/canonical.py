"""Which bytes does a value have, and are these bytes read by everybody alike?

Canonical JSON (RFC 8785), restricted to what has one meaning in every language: strings, booleans, null,
arrays, objects with ASCII keys, and integers within ±(2^53-1) (RFC 8785 section 3.2.2.3; I-JSON, RFC 7493
section 2.2). No floats. Text is in Unicode normalisation form C. Within these limits sorting by code point
is RFC 8785's sorting by UTF-16 unit, and the escapes of the standard library are those of section 3.2.2.2.

    parse_strict        outside bytes -> value, or a reason that never repeats the input
    encode_canonical    value -> the one form of its bytes
    require_canonical   both: the bytes are their own canonical form
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any, NoReturn, TypeAlias

from verifier.errors import MalformedInput

# dict[str, JSON] | list[JSON] | str | int | bool | None: whoever reads a member checks its type there.
JSON: TypeAlias = Any

MAX_SAFE_INTEGER = 2**53 - 1
MAX_DEPTH = 16
_MAX_SAFE_DIGITS = len(str(-MAX_SAFE_INTEGER))
_BYTE_ORDER_MARK = "\ufeff"


def parse_strict(data: bytes, *, max_depth: int = MAX_DEPTH) -> JSON:
    """Read JSON that has one meaning; spaces and the order of keys are free.

    Arrays and objects may stand `max_depth` deep. How many bytes to read is the caller's limit.

    Raises:
        MalformedInput: not UTF-8, a byte order mark, not JSON or more than one value, a key twice, a key
            outside ASCII, a float, an integer beyond ±(2^53-1), half a surrogate pair, text not in NFC, or
            deeper than `max_depth`.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"JSON: byte {error.start} is not UTF-8") from None
    if text.startswith(_BYTE_ORDER_MARK):
        raise MalformedInput("JSON: begins with a byte order mark")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_float=_refuse_float,
            parse_constant=_refuse_float,
            parse_int=_parse_safe_integer,
        )
    except json.JSONDecodeError as error:
        raise MalformedInput(f"JSON: syntax error at character {error.pos}") from None
    except RecursionError:
        raise MalformedInput(f"JSON: deeper than {max_depth}") from None
    _require_value(value, depth_left=max_depth)
    return value


def encode_canonical(value: JSON) -> bytes:
    """Write a value in its one form (RFC 8785 section 3.2).

    Raises:
        MalformedInput: the value holds something that has no such form (see `parse_strict`).
    """
    _require_value(value, depth_left=MAX_DEPTH)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def require_canonical(data: bytes) -> JSON:
    """Read bytes that are their own canonical form.

    Raises:
        MalformedInput: as `parse_strict`, or the same value has another canonical form.
    """
    value = parse_strict(data)
    if encode_canonical(value) != data:
        raise MalformedInput("JSON: not in canonical form (RFC 8785)")
    return value


# --- hooks of the standard library's parser -------------------------------------------------------------


def _object_without_duplicates(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedInput("JSON: a key stands twice in one object")
    return members


def _refuse_float(_text: str) -> NoReturn:
    raise MalformedInput("JSON: a number with fraction or exponent, or not a number")


def _parse_safe_integer(text: str) -> int:
    if text == "-0":
        raise MalformedInput("JSON: minus zero")
    # The length first: int() of a million digits would take long.
    if len(text) > _MAX_SAFE_DIGITS:
        raise MalformedInput("JSON: an integer beyond ±(2^53-1)")
    return int(text)


# --- the values that have a canonical form --------------------------------------------------------------


def _require_value(value: JSON, *, depth_left: int) -> None:
    # Exact types: a bool is an int to isinstance, and an enum or a subclass would encode as something else.
    kind = type(value)
    if kind is str:
        _require_text(value)
    elif kind is int:
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            raise MalformedInput("JSON: an integer beyond ±(2^53-1)")
    elif kind is dict:
        _require_depth(depth_left)
        for key, member in value.items():
            if type(key) is not str or not key.isascii():
                raise MalformedInput("JSON: a key outside ASCII")
            _require_value(member, depth_left=depth_left - 1)
    elif kind is list:
        _require_depth(depth_left)
        for member in value:
            _require_value(member, depth_left=depth_left - 1)
    elif value is not None and kind is not bool:
        raise MalformedInput(f"JSON: no canonical form for {kind.__name__}")


def _require_depth(depth_left: int) -> None:
    if depth_left <= 0:
        raise MalformedInput("JSON: nested too deep")


def _require_text(text: str) -> None:
    if text.isascii():
        return
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise MalformedInput("JSON: half a surrogate pair")
    if not unicodedata.is_normalized("NFC", text):
        raise MalformedInput("JSON: text not in Unicode normalisation form C")
