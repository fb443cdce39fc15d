"""Which bytes are JSON that everybody reads alike?"""

from __future__ import annotations

import enum
from typing import Any

import pytest

from verifier.canonical import MAX_DEPTH, encode_canonical, parse_strict, require_canonical
from verifier.errors import MalformedInput


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"null", None),
        (b"true", True),
        (b"0", 0),
        (b"-1", -1),
        (b'""', ""),
        (b"[]", []),
        (b"{}", {}),
        (b' {\n"b" : [1, 2],\t"a":\r{} } ', {"a": {}, "b": [1, 2]}),
        (b'"\\u00e9\\ud83c\\udfdb\\/"', "é🏛/"),
        (b"[9007199254740991,-9007199254740991]", [2**53 - 1, 1 - 2**53]),
    ],
)
def test_what_is_read(data: bytes, value: Any) -> None:
    assert parse_strict(data) == value


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "syntax"),
    "space only": (b"  ", "syntax"),
    "two values": (b"{} {}", "syntax"),
    "something after": (b"{}x", "syntax"),
    "a null byte after": (b"{}\x00", "syntax"),
    "a comma too many": (b"[1,]", "syntax"),
    "a comma too many in an object": (b'{"a":1,}', "syntax"),
    "single quotes": (b"{'a':1}", "syntax"),
    "a comment": (b"{} // x", "syntax"),
    "a plus sign": (b"+1", "syntax"),
    "a leading zero": (b"01", "syntax"),
    "a bare point": (b".5", "syntax"),
    "hexadecimal": (b"0x10", "syntax"),
    "Arabic digits": ("١".encode(), "syntax"),
    "an underscore": (b"1_000", "syntax"),
    "a control character in a string": (b'"\x01"', "syntax"),
    "a newline in a string": (b'"\n"', "syntax"),
    "an unknown escape": (b'"\\x41"', "syntax"),
    "half an escape": (b'"\\u00"', "syntax"),
    "no quote at the end": (b'"abc', "syntax"),
    "a vertical tab between": (b"[1,\x0b2]", "syntax"),
    "a no-break space between": ("[1,\u00a02]".encode(), "syntax"),
    "True": (b"True", "syntax"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "UTF-8"),
    "an overlong form": (b'"\xc0\xaf"', "UTF-8"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "UTF-8"),
    "a cut character": (b'"\xe2\x82"', "UTF-8"),
    "a key twice": (b'{"amount":1,"amount":999}', "twice"),
    "a key twice, once escaped": (b'{"a":1,"\\u0061":2}', "twice"),
    "a key twice, deep inside": (b'[{"x":[{"a":1,"a":1}]}]', "twice"),
    "a fraction": (b"1.5", "fraction"),
    "a fraction of zero": (b"1.0", "fraction"),
    "an exponent": (b"1e3", "fraction"),
    "NaN": (b"NaN", "fraction"),
    "Infinity": (b"Infinity", "fraction"),
    "minus Infinity": (b"-Infinity", "fraction"),
    "minus zero": (b"-0", "minus zero"),
    "2**53": (str(2**53).encode(), "integer"),
    "-2**53": (str(-(2**53)).encode(), "integer"),
    "seventeen digits": (b"1" * 17, "integer"),
    "a million digits": (b"1" * 1_000_000, "integer"),
    "the first surrogate": (b'"\\ud800"', "surrogate"),
    "the last surrogate": (b'"\\udfff"', "surrogate"),
    "half a surrogate pair": (b'"\\ud83c"', "surrogate"),
    "the other half": (b'"\\udfdb"', "surrogate"),
    "the halves exchanged": (b'"\\udfdb\\ud83c"', "surrogate"),
    "text not in NFC": ('"e\u0301"'.encode(), "normalisation"),
    "Hangul by its letters": ('"\u1100\u1161"'.encode(), "normalisation"),
    "a key outside ASCII": ('{"금액":1}'.encode(), "key"),
    "a key outside ASCII, escaped": (b'{"\\u00e9":1}', "key"),
    "too deep": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deep"),
    "objects too deep": (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "deep"),
    "far too deep": (b"[" * 200_000, "deep"),
    "far too deep, closed": (b"[" * 200_000 + b"]" * 200_000, "deep"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_and_why(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedInput, match=reason) as caught:
        parse_strict(data)
    assert len(str(caught.value)) < 80, "the input is not repeated"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_depth_is_counted_from_the_outside() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert encode_canonical(parse_strict(deepest)) == deepest
    assert deepest == b"[" * 16 + b"]" * 16
    objects = b'{"a":' * 16 + b"1" + b"}" * 16
    assert encode_canonical(parse_strict(objects)) == objects
    assert parse_strict(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(MalformedInput, match="deep"):
        parse_strict(b"[[1]]", max_depth=1)


@pytest.mark.parametrize(
    "data",
    [b" {}", b"{} ", b"{}\n", b'{"a": 1}', b'{"b":1,"a":2}', b'"\\u0041"', b'"\\/"', b'"\\u000a"', b'"\\u001F"'],
)
def test_what_has_another_canonical_form(data: bytes) -> None:
    parse_strict(data)
    with pytest.raises(MalformedInput, match="canonical form"):
        require_canonical(data)


def test_the_canonical_form() -> None:
    value = {"b": [1, -2, None, True], "a": 'é\n\t"\\/\u0001\x7f€🏛', "A": {}}
    expected = '{"A":{},"a":"é\\n\\t\\"\\\\/\\u0001\x7f€🏛","b":[1,-2,null,true]}'.encode()
    assert encode_canonical(value) == expected
    assert require_canonical(expected) == value


class _Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        {1: "a"},
        {"é": 1},
        {None: 1},
        b"bytes",
        (1, 2),
        {1, 2},
        "e\u0301",
        "\ud800",
        _Colour.RED,
        [[object()]],
    ],
)
def test_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(MalformedInput):
        encode_canonical(value)


def test_a_value_that_holds_itself_has_no_canonical_form() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(MalformedInput, match="deep"):
        encode_canonical(value)
