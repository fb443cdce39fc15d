"""Did the holder of this key, and nobody else, sign these bytes?

Ed25519 (RFC 8032 section 5.1) is done by `cryptography`. It accepts fourteen public keys that belong to nobody:
their points have a small order, and with most of them one signature fits any message. Whoever registered such a
key could deny everything signed with it, and everybody could sign in its name. They are refused here, before
any signature is looked at.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier.errors import MalformedInput, SignatureDoesNotHold

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64

# Every encoding, canonical or not, of the eight points whose order divides 8. The last byte holds the sign of x,
# so each stands twice: as here, and with its highest bit set.
_SMALL_ORDER_Y = (
    "0000000000000000000000000000000000000000000000000000000000000000",  # order 4
    "0100000000000000000000000000000000000000000000000000000000000000",  # order 1
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  # order 8
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 2
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 4, y = p for 0
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 1, y = p + 1 for 1
)
_POSITIVE = [bytes.fromhex(y) for y in _SMALL_ORDER_Y]
SMALL_ORDER_KEYS = frozenset([*_POSITIVE, *(key[:31] + bytes([key[31] | 0x80]) for key in _POSITIVE)])


def require_public_key(public_key: bytes) -> None:
    """Refuse what cannot be somebody's public key.

    Raises:
        MalformedInput: it is not 32 bytes, or a point of small order.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise MalformedInput(f"public key: expected {PUBLIC_KEY_BYTES} bytes, found {len(public_key)}")
    if public_key in SMALL_ORDER_KEYS:
        raise MalformedInput("public key: a point of small order, with which everybody can sign")


def verify_ed25519(message: bytes, *, signature: bytes, public_key: bytes, what: str) -> None:
    """Is this signature over this message by the holder of this key? `what` begins the message of the error.

    Raises:
        MalformedInput: the key cannot be somebody's.
        SignatureDoesNotHold: it is not.
    """
    require_public_key(public_key)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        raise SignatureDoesNotHold(f"{what} does not fit these bytes") from None
