"""Do entries come out of a bundle as they went in, and nothing else?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.bundles import MAX_ENTRY_BYTES, decode_bundle, encode_bundle
from verifier.errors import MalformedInput


def test_the_bytes_of_a_bundle() -> None:
    assert encode_bundle([b"ab", b"", b"c"]) == b"\x00\x02ab\x00\x00\x00\x01c"
    assert encode_bundle([]) == b""


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_entries_come_out_as_they_went_in(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), expected=len(entries)) == entries


def test_every_shortened_or_lengthened_bundle_fails() -> None:
    entries = [b"", b"one", b"", b"three" * 60, b"\x00"]
    data = encode_bundle(entries)
    for length in range(len(data)):
        with pytest.raises(MalformedInput, match="bundle"):
            decode_bundle(data[:length], expected=len(entries))
    for more in (b"\x00", b"\x00\x00", b"\x00\x01", b"\x00\x01a"):
        with pytest.raises(MalformedInput, match="bundle"):
            decode_bundle(data + more, expected=len(entries))


@pytest.mark.parametrize("expected", [0, 1, 3, 256])
def test_another_number_of_entries_fails(expected: int) -> None:
    with pytest.raises(MalformedInput, match="bundle"):
        decode_bundle(encode_bundle([b"a", b"b"]), expected=expected)


def test_the_longest_entry() -> None:
    longest = b"x" * MAX_ENTRY_BYTES
    assert decode_bundle(encode_bundle([longest]), expected=1) == [longest]
    with pytest.raises(MalformedInput, match="at most 65535 bytes, found 65536"):
        encode_bundle([longest + b"x"])
