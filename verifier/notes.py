"""Did the holder of this key sign this text?

https://c2sp.org/signed-note v1.0.0. A note is a text that ends with a newline, an empty line, and one or
more signature lines:

    <text>
                                                            (an empty line: the last one of the note)
    — <key name> <base64 of key id (4 bytes) and signature>

    key id       = SHA-256(key name || 0x0A || type byte || public key)[:4]
    verifier key = <key name>+<key id in hex>+<base64 of type byte and public key>      ("vkey")

Type 0x01 is Ed25519 (RFC 8032) over the text. Other types (cosignatures) are lines by keys we do not know,
and are passed over. A known key with a signature that does not fit rejects the whole note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.ed25519 import PUBLIC_KEY_BYTES, require_public_key, verify_ed25519
from verifier.encoding import encode_base64, parse_base64
from verifier.errors import MalformedInput, SignatureDoesNotHold

if TYPE_CHECKING:
    from collections.abc import Iterable

ED25519 = 0x01
KEY_ID_BYTES = 4
SEED_BYTES = 32
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
_SIGNATURE_MARK = "\u2014 "  # an em dash and a space

_KEY_ID_HEX = re.compile(r"[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public key that a caller pins: whose signatures count. Its text form is the *vkey*."""

    name: str
    key_id: bytes
    algorithm: int
    public_key: bytes

    @classmethod
    def of(cls, name: str, public_key: bytes) -> VerifierKey:
        """The Ed25519 verifier key of this name.

        Raises:
            MalformedInput: the name cannot stand in a note, or the key cannot be somebody's (`ed25519`).
        """
        _require_name(name)
        require_public_key(public_key)
        return cls(name, _key_id(name, ED25519, public_key), ED25519, public_key)

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """Read a vkey.

        Raises:
            MalformedInput: it is spelled otherwise, its key id is not that of its key, or its type is not
                Ed25519.
        """
        # At the first two plus signs: base64 has plus signs of its own.
        parts = vkey.split("+", 2)
        if len(parts) != 3 or not _KEY_ID_HEX.fullmatch(parts[1]):
            raise MalformedInput("verifier key: expected <name>+<key id>+<base64>")
        name, key_id_hex, encoded = parts
        _require_name(name)
        typed_key = parse_base64(encoded, name="verifier key")
        if len(typed_key) != 1 + PUBLIC_KEY_BYTES or typed_key[0] != ED25519:
            raise MalformedInput("verifier key: expected type 0x01 (Ed25519) and 32 bytes")
        key = cls.of(name, typed_key[1:])
        if key.key_id.hex() != key_id_hex:
            raise MalformedInput(f"verifier key: expected key id {key.key_id.hex()}, found {key_id_hex}")
        return key

    def __str__(self) -> str:
        typed_key = bytes([self.algorithm]) + self.public_key
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(typed_key)}"

    def verify(self, text: str, signature: bytes) -> None:
        """Is this signature over this text by this key?

        Raises:
            SignatureDoesNotHold: it is not.
        """
        verify_ed25519(
            text.encode("utf-8"),
            signature=signature,
            public_key=self.public_key,
            what=f"note: the signature by {self.name} ({self.key_id.hex()})",
        )


class NoteSigner:
    """An Ed25519 key with a name that signs notes; the same key and text give the same note."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.vkey = VerifierKey.of(name, private_key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str) -> NoteSigner:
        """A signer with a new key."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> NoteSigner:
        """The signer with the key that belongs to these 32 bytes (RFC 8032 section 5.1.5).

        Raises:
            MalformedInput: the seed is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise MalformedInput(f"seed: expected {SEED_BYTES} bytes, found {len(seed)}")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed(self) -> bytes:
        """The secret 32 bytes that `from_seed` takes."""
        return self._private_key.private_bytes_raw()

    def sign(self, text: str) -> bytes:
        """Sign a text, which must end with a newline, into a note.

        Raises:
            MalformedInput: the text cannot be that of a note.
        """
        _require_note_text(text)
        return f"{text}\n{self.signature_line(text)}".encode()

    def signature_line(self, text: str) -> str:
        """The line that this key adds to a note of this text, with its newline."""
        signature = self._private_key.sign(text.encode("utf-8"))
        return f"{_SIGNATURE_MARK}{self.vkey.name} {encode_base64(self.vkey.key_id + signature)}\n"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, not yet checked."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note's text and its signature lines. Nothing of it holds before `verify_note`."""

    text: str
    signatures: tuple[NoteSignature, ...]


def parse_note(data: bytes) -> Note:
    """Read a note without believing it.

    Raises:
        MalformedInput: the bytes are no note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedInput(f"note: expected at most {MAX_NOTE_BYTES} bytes, found {len(data)}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"note: byte {error.start} is not UTF-8") from None
    # The last empty line divides: a text may hold empty lines, signature lines may not.
    body, divider, signature_lines = whole.rpartition("\n\n")
    if not divider:
        raise MalformedInput("note: expected an empty line before the signatures")
    text = body + "\n"
    _require_note_text(text)
    if not signature_lines.endswith("\n"):
        raise MalformedInput("note: expected signature lines that end with a newline")
    lines = signature_lines[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedInput(f"note: expected at most {MAX_SIGNATURES} signatures, found {len(lines)}")
    return Note(text, tuple(_parse_signature_line(line) for line in lines))


def verify_note(data: bytes, keys: Iterable[VerifierKey]) -> str:
    """Read a note that at least one of these keys has signed, and return its text.

    Raises:
        MalformedInput: the bytes are no note, or two of the keys have one name and key id.
        SignatureDoesNotHold: none of the keys has signed, or a signature by one of them does not fit.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise MalformedInput(f"verifier keys: two with name {key.name} and id {key.key_id.hex()}")
    note = parse_note(data)
    verified = 0
    for line in note.signatures:
        signer = known.get((line.name, line.key_id))
        if signer is not None:
            signer.verify(note.text, line.signature)
            verified += 1
    if not verified:
        names = ", ".join(sorted(str(name) for name, _ in known)) or "(no key given)"
        raise SignatureDoesNotHold(f"note: expected a signature by {names}, found none")
    return note.text


def _key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """SHA-256(key name || 0x0A || type byte || public key)[:4] (signed-note, "Signatures")."""
    return sha256(name.encode("utf-8") + b"\n" + bytes([algorithm]) + public_key).digest()[:KEY_ID_BYTES]


def _require_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or _is_control(c) for c in name):
        raise MalformedInput("key name: expected text without spaces, plus signs and control characters")


def _require_note_text(text: str) -> None:
    if not text.endswith("\n"):
        raise MalformedInput("note: expected a text that ends with a newline")
    if any(_is_control(c) and c != "\n" for c in text):
        raise MalformedInput("note: a control character other than newline")


def _is_control(character: str) -> bool:
    """Below 0x20, or half a surrogate pair, which UTF-8 does not have."""
    return character < " " or "\ud800" <= character <= "\udfff"


def _parse_signature_line(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    if not line.startswith(_SIGNATURE_MARK) or not space:
        raise MalformedInput("note: expected a signature line: em dash, key name, base64")
    _require_name(name)
    data = parse_base64(encoded, name="note signature")
    if len(data) <= KEY_ID_BYTES:
        raise MalformedInput("note signature: expected a key id and a signature")
    return NoteSignature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])
