"""Who signed these bytes, when the bytes stand elsewhere?

A detached JWS (RFC 7515 appendix F) with Ed25519 (RFC 8037): the payload is not in it, because the checker
has it already.

    detached      = BASE64URL(header) || ".." || BASE64URL(signature)
    signing input = BASE64URL(header) || "."  || BASE64URL(payload)
    header        = {"alg":"EdDSA","kid":"<thumbprint>","typ":"<what is signed>"}      exactly these bytes

`kid` is the key's RFC 7638 thumbprint, so that a key has one name wherever it stands. `typ` keeps the kinds
of signatures apart: an approval can never be shown as a signature. No other header is read: nothing in it
can choose the algorithm or the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from verifier.ed25519 import SIGNATURE_BYTES, require_public_key, verify_ed25519
from verifier.encoding import encode_base64url, parse_base64url
from verifier.errors import MalformedInput, SignatureDoesNotHold

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HEADER = re.compile(rb'\{"alg":"EdDSA","kid":"(?P<kid>[A-Za-z0-9_-]{43})","typ":"(?P<typ>[a-z0-9+.-]{1,64})"\}')


@dataclass(frozen=True, slots=True)
class Header:
    """The two things that differ between headers: whose signature it is, and of what kind."""

    kid: str
    typ: str

    def encode(self) -> str:
        """BASE64URL(header)."""
        return encode_base64url(f'{{"alg":"EdDSA","kid":"{self.kid}","typ":"{self.typ}"}}'.encode("ascii"))


@dataclass(frozen=True, slots=True)
class Detached:
    """A detached JWS, taken apart and not yet checked."""

    header: Header
    signature: bytes


def key_id(public_key: bytes) -> str:
    """What is the name of this Ed25519 key (RFC 7638 thumbprint, RFC 8037 appendix A.3)?

    Raises:
        MalformedInput: the key cannot be somebody's (`ed25519`).
    """
    require_public_key(public_key)
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{encode_base64url(public_key)}"}}'
    return encode_base64url(sha256(jwk.encode("ascii")).digest())


def sign_jws(payload: bytes, *, private_key: Ed25519PrivateKey, typ: str) -> str:
    """Sign a payload; the same key, payload and type give the same signature."""
    header = Header(key_id(private_key.public_key().public_bytes_raw()), typ)
    signature = private_key.sign(_signing_input(header, payload))
    return f"{header.encode()}..{encode_base64url(signature)}"


def parse_detached(detached: str) -> Detached:
    """Take a detached JWS apart without believing it.

    Raises:
        MalformedInput: it is spelled otherwise.
    """
    encoded_header, dots, encoded_signature = detached.partition("..")
    if not dots:
        raise MalformedInput("signature: expected a detached JWS, <header>..<signature>")
    match = _HEADER.fullmatch(parse_base64url(encoded_header, name="signature's header"))
    if match is None:
        raise MalformedInput('signature: expected header {"alg":"EdDSA","kid":…,"typ":…}')
    signature = parse_base64url(encoded_signature, name="signature", length=SIGNATURE_BYTES)
    return Detached(Header(match["kid"].decode("ascii"), match["typ"].decode("ascii")), signature)


def verify_jws(detached: str, payload: bytes, *, public_key: bytes, typ: str) -> None:
    """Did the holder of this key sign this payload, as this type?

    Raises:
        MalformedInput: the signature is spelled otherwise, or the key cannot be somebody's.
        SignatureDoesNotHold: it is by another key, of another type, or over other bytes.
    """
    parsed = parse_detached(detached)
    expected = Header(key_id(public_key), typ)
    if parsed.header.kid != expected.kid:
        raise SignatureDoesNotHold(f"signature: expected key {expected.kid}, found {parsed.header.kid}")
    if parsed.header.typ != expected.typ:
        raise SignatureDoesNotHold(f"signature: expected type {expected.typ}, found {parsed.header.typ}")
    verify_ed25519(
        _signing_input(expected, payload),
        signature=parsed.signature,
        public_key=public_key,
        what=f"signature: the one by key {expected.kid}",
    )


def _signing_input(header: Header, payload: bytes) -> bytes:
    return f"{header.encode()}.{encode_base64url(payload)}".encode("ascii")
