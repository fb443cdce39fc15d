"""Do we read the notes of Go's sumdb/note, and refuse what it refuses?

Key and note are the example of golang.org/x/mod/sumdb/note (its documentation and tests).
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from verifier.encoding import parse_base64
from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.notes import VerifierKey, parse_note, verify_note

VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{LINE}".encode()
KEY = VerifierKey.parse(VKEY)


def test_gos_example_note_verifies() -> None:
    assert verify_note(NOTE, [KEY]) == TEXT
    assert str(KEY) == VKEY


def test_the_key_id_is_the_specifications_formula() -> None:
    typed_key = parse_base64(VKEY.split("+", 2)[2], name="key")
    assert sha256(b"PeterNeumann\n" + typed_key).digest()[:4].hex() == "c74f20a3" == KEY.key_id.hex()


def test_every_flipped_bit_of_gos_note_fails() -> None:
    for place in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[place] ^= 1 << bit
            with pytest.raises((MalformedInput, SignatureDoesNotHold)):
                verify_note(bytes(changed), [KEY])


def test_every_truncated_note_fails() -> None:
    for length in range(len(NOTE)):
        with pytest.raises((MalformedInput, SignatureDoesNotHold)):
            verify_note(NOTE[:length], [KEY])


def test_a_line_of_an_unknown_key_is_passed_over() -> None:
    unknown = LINE.replace("PeterNeumann", "SomebodyElse")
    assert verify_note(f"{TEXT}\n{unknown}{LINE}".encode(), [KEY]) == TEXT
    with pytest.raises(SignatureDoesNotHold, match="found none"):
        verify_note(f"{TEXT}\n{unknown}".encode(), [KEY])
    assert [line.name for line in parse_note(f"{TEXT}\n{unknown}{LINE}".encode()).signatures] == [
        "SomebodyElse",
        "PeterNeumann",
    ]
