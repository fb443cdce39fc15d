"""Does an agency's key file become the signature that the verifier knows, and nothing else?"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from audit_client.errors import NotUsable
from audit_client.signing import approve, complete, encode, read_events, read_private_key, sign
from verifier.envelope import verify_approval, verify_signature

SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
EVENT: dict[str, Any] = {
    "id": "effect-1",
    "source": "urn:kr:agency:roads",
    "type": "project.effect-stated.v1",
    "subject": "project/lights",
    "data": {"text_ko": "밝은 밤"},
}


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@pytest.mark.parametrize("data", [base64.b64encode(SEED), base64.b64encode(SEED) + b"\n", PEM, b"\n" + PEM])
def test_a_key_is_read_from_a_seed_or_from_pem(data: bytes) -> None:
    assert public(read_private_key(data)) == public(KEY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not base64!",
        base64.b64encode(SEED[:31]),
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")),
        x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
    ids=["empty", "no base64", "31 bytes", "broken PEM", "password", "another kind of key"],
)
def test_any_other_key_file_is_refused_without_repeating_it(data: bytes) -> None:
    with pytest.raises(NotUsable) as caught:
        read_private_key(data)
    assert base64.b64encode(SEED[:31]).decode() not in str(caught.value)


def test_what_is_missing_is_filled_in_and_what_is_there_stays() -> None:
    now = datetime(2021, 1, 4, 9, 0, 0, 1999, tzinfo=UTC)
    assert complete(EVENT, now=now)["time"] == "2021-01-04T09:00:00.001Z"
    assert complete({**EVENT, "time": "2020-01-01T00:00:00.000Z"}, now=now)["time"] == "2020-01-01T00:00:00.000Z"


def test_a_signature_and_an_approval_hold() -> None:
    approved = approve(sign(complete(EVENT), KEY), OTHER)
    verify_signature(approved, public_key=public(KEY))
    verify_approval(approved, public_key=public(OTHER))
    assert read_events(encode(approved)) == [approved]


def test_an_event_is_signed_once_approved_once_and_by_two() -> None:
    signed = sign(complete(EVENT), KEY)
    for again in (
        lambda: sign(signed, KEY),
        lambda: approve(signed, KEY),
        lambda: approve(complete(EVENT), OTHER),
        lambda: approve(approve(signed, OTHER), OTHER),
        lambda: sign(EVENT, KEY),
        lambda: sign({**complete(EVENT), "position": 1}, KEY),
    ):
        with pytest.raises(NotUsable):
            again()


@pytest.mark.parametrize("data", [b'{"a":1}', b'[{"a":1}]', b'[\n{"a":1}\n]\n', b'{"a":\n 1}\n'])
def test_a_file_holds_one_event(data: bytes) -> None:
    assert read_events(data) == [{"a": 1}]


def test_a_file_holds_several_events() -> None:
    assert read_events(b'{"a":1}\n{"a":2}\n') == read_events(b'[{"a":1},{"a":2}]') == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b"[1]", b'{"a":1.5}', b'{"a":1}\n\n{"a":2}', b'{"a":1,"a":1}'])
def test_any_other_file_is_refused(data: bytes) -> None:
    with pytest.raises(NotUsable):
        read_events(data)
