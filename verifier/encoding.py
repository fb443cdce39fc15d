"""How are numbers and bytes read from text without forgiving anything?

`int()` accepts "+1", "1_000", " 1" and Arabic digits; `base64` skips what it does not know and ignores
the unused bits of the last character. Each would give one signed text two spellings. Here each value has
exactly one.
"""

from __future__ import annotations

import base64
import binascii
import re

from verifier.errors import MalformedInput

MAX_SIZE = 2**63 - 1  # of a tree, as tlog-tiles and tlog-witness implementations hold it

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def parse_decimal(text: str, *, name: str, maximum: int = MAX_SIZE) -> int:
    """Read a decimal number of ASCII digits, without sign, leading zeros or spaces.

    Raises:
        MalformedInput: it is spelled otherwise, or above `maximum`.
    """
    if not _DECIMAL.fullmatch(text):
        raise MalformedInput(f"{name}: expected a decimal number without sign or leading zeros")
    value = int(text)
    if value > maximum:
        raise MalformedInput(f"{name}: expected at most {maximum}, found {value}")
    return value


def encode_base64(data: bytes) -> str:
    """RFC 4648 section 4, with padding."""
    return base64.b64encode(data).decode("ascii")


def parse_base64(text: str, *, name: str, length: int | None = None) -> bytes:
    """Read base64 (RFC 4648 section 4) in the one form in which it is written, of `length` bytes if given.

    Raises:
        MalformedInput: it is spelled otherwise (alphabet, padding, unused bits), or of another length.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedInput(f"{name}: expected base64") from None
    if encode_base64(data) != text:  # unused bits of the last character, or inner padding
        raise MalformedInput(f"{name}: expected base64 in its canonical form")
    return _of_length(data, name=name, length=length)


def encode_base64url(data: bytes) -> str:
    """RFC 4648 section 5 without padding, as JOSE has it (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def parse_base64url(text: str, *, name: str, length: int | None = None) -> bytes:
    """Read base64url without padding (RFC 7515 section 2), of `length` bytes if given.

    Raises:
        MalformedInput: it is spelled otherwise (alphabet, padding, unused bits), or of another length.
    """
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise MalformedInput(f"{name}: expected base64url without padding")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise MalformedInput(f"{name}: expected base64url in its canonical form")
    return _of_length(data, name=name, length=length)


def _of_length(data: bytes, *, name: str, length: int | None) -> bytes:
    if length is not None and len(data) != length:
        raise MalformedInput(f"{name}: expected {length} bytes, found {len(data)}")
    return data
