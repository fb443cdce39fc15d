"""Does our canonical JSON equal that of the `rfc8785` package, within our limits and at their edges?"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.canonical import MAX_SAFE_INTEGER, encode_canonical, parse_strict, require_canonical
from verifier.errors import MalformedInput

texts = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
keys = st.text(st.characters(max_codepoint=0x7F))
integers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
).filter(lambda value: _depth(value) <= 16)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(member) for member in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(member) for member in value), default=0)
    return 0


@settings(deadline=None, max_examples=400)
@given(values)
def test_the_same_bytes_for_every_value(value: Any) -> None:
    encoded = encode_canonical(value)
    assert encoded == rfc8785.dumps(value)
    assert parse_strict(encoded) == require_canonical(encoded) == value


def test_the_same_escapes_for_every_character() -> None:
    for code in [*range(0xD800), *range(0xE000, 0x3000), *range(0x1F600, 0x1F650), 0xFFFD, 0x10FFFF]:
        text = chr(code)
        if unicodedata.is_normalized("NFC", text):
            assert encode_canonical(text) == rfc8785.dumps(text), hex(code)


def test_keys_sort_as_the_package_sorts_them() -> None:
    value = {chr(code): code for code in range(128)}
    assert encode_canonical(value) == rfc8785.dumps(value)


@settings(deadline=None, max_examples=200)
@given(value=values, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_another_spelling_of_the_same_value_is_not_canonical(
    *, value: Any, ascii_only: bool, indent: int | None
) -> None:
    other = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert parse_strict(other) == value
    if other != rfc8785.dumps(value):
        with pytest.raises(MalformedInput, match="canonical"):
            require_canonical(other)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    try:
        value = require_canonical(data)
    except MalformedInput:
        return
    assert rfc8785.dumps(value) == data


SAMPLE = '{"a":[1,-20,null,true,"원\\n\\u0001"],"id":"batch/1","z":{"amount_won":9007199254740991}}'.encode()


@settings(deadline=None, max_examples=400)
@given(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_text_is_read_or_refused_by_name(place: int, inserted: bytes, removed: int) -> None:
    damaged = SAMPLE[:place] + inserted + SAMPLE[place + removed :]
    try:
        value = require_canonical(damaged)
    except MalformedInput:
        return
    assert rfc8785.dumps(value) == damaged
