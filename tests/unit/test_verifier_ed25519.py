"""Are the public keys refused that belong to nobody, and no others?"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from verifier.ed25519 import SMALL_ORDER_KEYS, require_public_key, verify_ed25519
from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.jws import key_id
from verifier.notes import VerifierKey

# The curve of RFC 8032 section 5.1, in the plainest arithmetic.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def _decode(key: bytes) -> Point:
    """RFC 8032 section 5.1.3, without refusing y >= p or a negative zero."""
    number = int.from_bytes(key, "little")
    y = (number & (1 << 255) - 1) % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square, "not on the curve"
    return (-x if x % 2 != number >> 255 else x) % P, y


def _add(a: Point, b: Point) -> Point:
    t = D * a[0] * b[0] * a[1] * b[1] % P
    return (
        (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, P) % P,
        (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P,
    )


def _eight_times(point: Point) -> Point:
    for _ in range(3):
        point = _add(point, point)
    return point


def test_the_refused_keys_are_all_encodings_of_all_points_of_small_order() -> None:
    assert len(SMALL_ORDER_KEYS) == 14
    points = {_decode(key) for key in SMALL_ORDER_KEYS}
    assert len(points) == 8
    assert {_eight_times(point) for point in points} == {(0, 1)}
    encodings = {
        (y + multiple * P | sign << 255).to_bytes(32, "little")
        for _, y in points
        for multiple in (0, 1)
        for sign in (0, 1)
        if y + multiple * P < 2**255
    }
    assert encodings == SMALL_ORDER_KEYS


def test_such_a_key_signs_anything_where_nobody_refuses_it() -> None:
    """Why this is checked: the library alone says yes."""
    anybody = (1).to_bytes(32, "little")
    for message in (b"pay", b"do not pay"):
        Ed25519PublicKey.from_public_bytes(anybody).verify(anybody + bytes(32), message)
        with pytest.raises(MalformedInput, match="small order"):
            verify_ed25519(message, signature=anybody + bytes(32), public_key=anybody, what="it")


@pytest.mark.parametrize("key", sorted(SMALL_ORDER_KEYS), ids=bytes.hex)
def test_no_name_is_given_to_such_a_key(key: bytes) -> None:
    with pytest.raises(MalformedInput, match="small order"):
        key_id(key)
    with pytest.raises(MalformedInput, match="small order"):
        VerifierKey.of("log.example", key)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_has_32_bytes(length: int) -> None:
    with pytest.raises(MalformedInput, match=f"expected 32 bytes, found {length}"):
        require_public_key(b"\x02" * length)


def test_a_signature_with_the_order_added_to_s_does_not_hold() -> None:
    """RFC 8032 section 5.1.7: S < L, or every signature would have a twin with other bytes."""
    order = 2**252 + 27742317777372353535851937790883648493
    private_key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    public_key = private_key.public_key().public_bytes_raw()
    signature = private_key.sign(b"message")
    verify_ed25519(b"message", signature=signature, public_key=public_key, what="it")
    twin = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    for bad in (twin, signature[:-1], signature + b"\x00", b"", bytes(64)):
        with pytest.raises(SignatureDoesNotHold, match="it does not fit"):
            verify_ed25519(b"message", signature=bad, public_key=public_key, what="it")
