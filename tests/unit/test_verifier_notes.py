"""Which bytes are notes, and which notes count as signed?"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.notes import MAX_NOTE_BYTES, MAX_SIGNATURES, NoteSigner, VerifierKey, parse_note, verify_note

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNER = NoteSigner.from_seed("log.example", b"\x01" * 32)
OTHER = NoteSigner.from_seed("witness.example", b"\x02" * 32)
TEXT = "log.example\nsecond line\n"
NOTE = SIGNER.sign(TEXT)
VKEY = str(SIGNER.vkey)


def _line(name: str, data: bytes) -> str:
    return f"— {name} {base64.b64encode(data).decode()}\n"


def test_a_signed_note_verifies() -> None:
    assert verify_note(NOTE, [SIGNER.vkey]) == TEXT
    assert verify_note(NOTE, [OTHER.vkey, SIGNER.vkey]) == TEXT


def test_the_same_seed_and_text_give_the_same_note() -> None:
    assert NoteSigner.from_seed("log.example", SIGNER.seed).sign(TEXT) == NOTE


def test_a_generated_key_is_new_and_signs() -> None:
    signer = NoteSigner.generate("log.example")
    assert signer.vkey != NoteSigner.generate("log.example").vkey
    assert verify_note(signer.sign(TEXT), [signer.vkey]) == TEXT


def test_the_text_ends_at_the_last_empty_line() -> None:
    text = "one\n\n— log.example AAAA\n\ntwo\n"
    assert verify_note(SIGNER.sign(text), [SIGNER.vkey]) == text
    assert verify_note(SIGNER.sign("\n"), [SIGNER.vkey]) == "\n"


def test_several_signatures() -> None:
    both = NOTE + OTHER.signature_line(TEXT).encode()
    assert verify_note(both, [SIGNER.vkey]) == TEXT
    assert verify_note(both, [OTHER.vkey]) == TEXT
    assert [line.name for line in parse_note(both).signatures] == ["log.example", "witness.example"]


def test_a_known_key_with_a_bad_signature_rejects_the_whole_note() -> None:
    bad = _line("witness.example", OTHER.vkey.key_id + b"\x00" * 64)
    note = NOTE + bad.encode()
    assert verify_note(note, [SIGNER.vkey]) == TEXT
    with pytest.raises(SignatureDoesNotHold, match=r"witness\.example"):
        verify_note(note, [SIGNER.vkey, OTHER.vkey])


def test_a_second_line_of_the_same_key_must_fit_too() -> None:
    bad = _line("log.example", SIGNER.vkey.key_id + b"\x00" * 64)
    with pytest.raises(SignatureDoesNotHold):
        verify_note(NOTE + bad.encode(), [SIGNER.vkey])


@pytest.mark.parametrize("keys", [[], [OTHER.vkey]])
def test_without_a_known_key_nothing_is_signed(keys: list[VerifierKey]) -> None:
    with pytest.raises(SignatureDoesNotHold, match="found none"):
        verify_note(NOTE, keys)


def test_the_same_key_under_another_name_is_another_key() -> None:
    renamed = NoteSigner.from_seed("log2.example", SIGNER.seed)
    with pytest.raises(SignatureDoesNotHold, match="found none"):
        verify_note(NOTE, [renamed.vkey])
    with pytest.raises(SignatureDoesNotHold, match="found none"):
        verify_note(NOTE.replace("— log".encode(), "— log2".encode()), [SIGNER.vkey])


def test_a_cosignature_line_is_passed_over() -> None:
    """Type 0x04 has another key id, and 8 bytes of time before the signature."""
    note = NOTE + _line("witness.example", b"\xaa\xbb\xcc\xdd" + b"\x00" * 72).encode()
    assert verify_note(note, [SIGNER.vkey, OTHER.vkey]) == TEXT


def test_two_keys_of_one_name_and_id_are_ambiguous() -> None:
    twin = VerifierKey("log.example", SIGNER.vkey.key_id, 1, OTHER.vkey.public_key)
    with pytest.raises(MalformedInput, match="two with name"):
        verify_note(NOTE, [SIGNER.vkey, twin])
    assert verify_note(NOTE, [SIGNER.vkey, SIGNER.vkey]) == TEXT


SIGNATURE = _line("log.example", SIGNER.vkey.key_id + b"\x00" * 64)

MALFORMED = {
    "nothing": "",
    "only a newline": "\n",
    "no signature block": TEXT,
    "no empty line": TEXT + SIGNATURE,
    "a signature line alone": SIGNATURE,
    "another character for the final newline": TEXT + "\n" + SIGNATURE[:-1] + "x",
    "an empty signature block": TEXT + "\n",
    "two empty lines before the signatures are text": "a\n\n\n",
    "no final newline": TEXT + "\n" + SIGNATURE[:-1],
    "a carriage return in the text": TEXT.replace("\n", "\r\n") + "\n" + SIGNATURE,
    "a carriage return after the signature": TEXT + "\n" + SIGNATURE[:-1] + "\r\n",
    "a tab in the text": "a\tb\n\n" + SIGNATURE,
    "a null in the text": "a\0b\n\n" + SIGNATURE,
    "an escape in the text": "a\x1bb\n\n" + SIGNATURE,
    "a hyphen for the dash": TEXT + "\n" + SIGNATURE.replace("—", "-"),
    "an en dash": TEXT + "\n" + SIGNATURE.replace("—", "–"),
    "no space after the dash": TEXT + "\n" + SIGNATURE.replace("— ", "—"),
    "two spaces after the dash": TEXT + "\n" + SIGNATURE.replace("— ", "—  "),
    "a no-break space after the dash": TEXT + "\n" + SIGNATURE.replace("— ", "—\u00a0"),
    "two spaces before the base64": TEXT + "\n" + SIGNATURE.replace("example ", "example  "),
    "no name": TEXT + "\n" + SIGNATURE.replace("log.example ", ""),
    "a plus in the name": TEXT + "\n" + SIGNATURE.replace("log.", "log+"),
    "no base64": TEXT + "\n— log.example\n",
    "empty base64": TEXT + "\n— log.example \n",
    "only a key id": TEXT + "\n" + _line("log.example", SIGNER.vkey.key_id),
    "three bytes": TEXT + "\n" + _line("log.example", b"\x00\x01\x02"),
    "base64 without padding": TEXT + "\n" + SIGNATURE.replace("=", ""),
    "base64 of the other alphabet": TEXT + "\n— log.example AAAA-_==\n",
    "something after the base64": TEXT + "\n" + SIGNATURE[:-1] + " x\n",
    "a line between": TEXT + "\n" + SIGNATURE + "text\n" + SIGNATURE,
    "too many signatures": TEXT + "\n" + SIGNATURE * (MAX_SIGNATURES + 1),
    "too long": "x" * MAX_NOTE_BYTES + "\n\n" + SIGNATURE,
}


@pytest.mark.parametrize("note", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_note(note: str) -> None:
    with pytest.raises(MalformedInput):
        parse_note(note.encode())


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_what_is_not_utf8_is_no_note(bad: bytes) -> None:
    with pytest.raises(MalformedInput, match="UTF-8"):
        parse_note(bad + NOTE)


def test_the_longest_note() -> None:
    room = 1_000_000 - len(f"\n\n{SIGNATURE}".encode())
    parse_note(("x" * room + "\n\n" + SIGNATURE).encode())
    with pytest.raises(MalformedInput, match="at most 1000000 bytes, found 1000001"):
        parse_note(("x" * (room + 1) + "\n\n" + SIGNATURE).encode())


def test_sixteen_signatures_and_more_are_read() -> None:
    assert len(parse_note((TEXT + "\n" + SIGNATURE * 100).encode()).signatures) == MAX_SIGNATURES == 100


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\r\n", "\x00\n", "\ud800\n"])
def test_what_cannot_be_the_text_of_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(MalformedInput):
        SIGNER.sign(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u3000b", "a\tb", "a\nb", "a\x1fb", "\ud800"])
def test_what_cannot_be_a_key_name(name: str) -> None:
    with pytest.raises(MalformedInput, match="key name"):
        NoteSigner.from_seed(name, b"\x01" * 32)


def test_a_verifier_key_is_read_back() -> None:
    assert VerifierKey.parse(VKEY) == SIGNER.vkey
    assert str(VerifierKey.parse(VKEY)) == VKEY
    assert base64.b64decode(VKEY.split("+", 2)[2])[0] == SIGNER.vkey.algorithm == 0x01


def test_a_verifier_key_whose_base64_has_plus_signs_is_read_back() -> None:
    keys = [NoteSigner.from_seed("log.example", bytes([number]) * 32).vkey for number in range(20)]
    assert any("+" in str(key).split("+", 2)[2] for key in keys)
    for key in keys:
        assert VerifierKey.parse(str(key)) == key


_NAME, _ID, _KEY = VKEY.split("+", 2)
_TYPED = base64.b64decode(_KEY)


def _with_key(typed_key: bytes) -> str:
    return f"{_NAME}+{_ID}+{base64.b64encode(typed_key).decode()}"


BAD_VKEYS: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "name only": lambda: _NAME,
    "no key": lambda: f"{_NAME}+{_ID}",
    "empty key": lambda: f"{_NAME}+{_ID}+",
    "empty name": lambda: f"+{_ID}+{_KEY}",
    "a space at the end": lambda: VKEY + " ",
    "a newline at the end": lambda: VKEY + "\n",
    "a space in the name": lambda: VKEY.replace("log.", "log "),
    "an upper-case key id": lambda: f"{_NAME}+{'ABCDEF01'}+{_KEY}",
    "a short key id": lambda: f"{_NAME}+{_ID[1:]}+{_KEY}",
    "another key id": lambda: f"{_NAME}+{'00000000'}+{_KEY}",
    "another name": lambda: VKEY.replace("log.", "lag."),
    "another key": lambda: _with_key(b"\x01" + OTHER.vkey.public_key),
    "a short key": lambda: _with_key(_TYPED[:-1]),
    "a long key": lambda: _with_key(_TYPED + b"x"),
    "type 0x04": lambda: _with_key(b"\x04" + _TYPED[1:]),
    "no type": lambda: _with_key(_TYPED[1:]),
    "another alphabet": lambda: VKEY[:-2] + "-_",
}


@pytest.mark.parametrize("bad", BAD_VKEYS.values(), ids=BAD_VKEYS.keys())
def test_what_is_no_verifier_key(bad: Callable[[], str]) -> None:
    with pytest.raises(MalformedInput):
        VerifierKey.parse(bad())


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_and_seeds_have_32_bytes(length: int) -> None:
    with pytest.raises(MalformedInput, match="32 bytes"):
        VerifierKey.of("log.example", b"\x00" * length)
    with pytest.raises(MalformedInput, match="32 bytes"):
        NoteSigner.from_seed("log.example", b"\x00" * length)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 72])
def test_a_signature_of_another_length_does_not_hold(length: int) -> None:
    line = _line("log.example", SIGNER.vkey.key_id + b"\x00" * length)
    with pytest.raises((MalformedInput, SignatureDoesNotHold)):
        verify_note((TEXT + "\n" + line).encode(), [SIGNER.vkey])
