"""Has every number and every byte string exactly one spelling?"""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.encoding import (
    encode_base64,
    encode_base64url,
    parse_base64,
    parse_base64url,
    parse_decimal,
)
from verifier.errors import MalformedInput


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("7", 7), ("10", 10), ("9223372036854775807", 2**63 - 1)])
def test_a_decimal_number(text: str, value: int) -> None:
    assert parse_decimal(text, name="size") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+1",
        "-1",
        "-0",
        "00",
        "01",
        "1_000",
        "1,000",
        " 1",
        "1 ",
        "1\n",
        "\n1",
        "1\r",
        "1.0",
        "1e3",
        "0x1",
        "١",  # an Arabic digit, which int() accepts
        "１",  # a full-width digit
        "²",
        "1\u0000",
        "9223372036854775808",  # 2**63
        "9" * 19,
        "9" * 5000,  # int() would take long
    ],
)
def test_no_other_spelling_of_a_number(text: str) -> None:
    with pytest.raises(MalformedInput, match="size"):
        parse_decimal(text, name="size")


def test_a_number_above_its_maximum() -> None:
    assert parse_decimal("255", name="width", maximum=255) == 255
    with pytest.raises(MalformedInput, match="at most 255, found 256"):
        parse_decimal("256", name="width", maximum=255)


@pytest.mark.parametrize(
    "text",
    [
        "AA",  # padding missing
        "AA=",
        "AA===",
        "AB==",  # unused bits set: b64decode reads it as AA==
        "AAB=",
        "AA==\n",
        "\nAA==",
        "A A==",
        "AA==AA==",
        "AA==x",
        "AA-_",  # the other alphabet
        "=AA=",
        "====",
        "ÀA==",
        "A",
    ],
)
def test_no_other_spelling_of_base64(text: str) -> None:
    with pytest.raises(MalformedInput, match="root"):
        parse_base64(text, name="root")


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "AAB", "AA+/", "AA\n", " AA", "A.", "ÀA", "AAAAA"])
def test_no_other_spelling_of_base64url(text: str) -> None:
    with pytest.raises(MalformedInput, match="key"):
        parse_base64url(text, name="key")


@given(st.binary(max_size=100))
def test_what_is_written_is_read_back(data: bytes) -> None:
    assert parse_base64(encode_base64(data), name="x", length=len(data)) == data
    assert parse_base64url(encode_base64url(data), name="x", length=len(data)) == data
    assert encode_base64(data) == base64.b64encode(data).decode()


@given(st.text(alphabet="Aa9+/-_=\n é", max_size=12))
def test_a_text_is_refused_or_the_one_spelling(text: str) -> None:
    for parse, encode in ((parse_base64, encode_base64), (parse_base64url, encode_base64url)):
        try:
            data = parse(text, name="x")
        except MalformedInput:
            continue
        assert encode(data) == text


def test_another_length_is_named() -> None:
    with pytest.raises(MalformedInput, match="root: expected 32 bytes, found 3"):
        parse_base64("AAAA", name="root", length=32)
    with pytest.raises(MalformedInput, match="key: expected 32 bytes, found 3"):
        parse_base64url("AAAA", name="key", length=32)
