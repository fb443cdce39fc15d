"""Which texts are detached signatures of this ledger, and what do they sign?"""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.jws import key_id, parse_detached, sign_jws, verify_jws

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
OTHER_PUBLIC = OTHER.public_key().public_bytes_raw()
TYP = "ledger-submission+jws"
PAYLOAD = b'{"amount_won":1}'
DETACHED = sign_jws(PAYLOAD, private_key=KEY, typ=TYP)
HEADER, _, SIGNATURE = DETACHED.partition("..")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _with_header(header: str) -> str:
    """A detached JWS whose signature really covers this header: only the header is wrong."""
    encoded = _b64(header.encode())
    return f"{encoded}..{_b64(KEY.sign(f'{encoded}.{_b64(PAYLOAD)}'.encode()))}"


def test_a_signature_verifies_and_is_the_same_each_time() -> None:
    verify_jws(DETACHED, PAYLOAD, public_key=PUBLIC, typ=TYP)
    assert sign_jws(PAYLOAD, private_key=KEY, typ=TYP) == DETACHED
    assert json.loads(base64.urlsafe_b64decode(HEADER + "==")) == {"alg": "EdDSA", "kid": key_id(PUBLIC), "typ": TYP}
    parsed = parse_detached(DETACHED)
    assert (parsed.header.kid, parsed.header.typ, len(parsed.signature)) == (key_id(PUBLIC), TYP, 64)


@pytest.mark.parametrize("payload", [b"", PAYLOAD + b" ", PAYLOAD[:-1], PAYLOAD.replace(b"1", b"2")])
def test_another_payload_does_not_hold(payload: bytes) -> None:
    with pytest.raises(SignatureDoesNotHold, match="does not fit"):
        verify_jws(DETACHED, payload, public_key=PUBLIC, typ=TYP)


def test_another_key_does_not_hold_and_both_are_named() -> None:
    with pytest.raises(SignatureDoesNotHold, match=f"expected key {key_id(OTHER_PUBLIC)}, found {key_id(PUBLIC)}"):
        verify_jws(DETACHED, PAYLOAD, public_key=OTHER_PUBLIC, typ=TYP)


def test_a_key_cannot_sign_under_the_name_of_another() -> None:
    header = f'{{"alg":"EdDSA","kid":"{key_id(OTHER_PUBLIC)}","typ":"{TYP}"}}'
    with pytest.raises(SignatureDoesNotHold, match="does not fit"):
        verify_jws(_with_header(header), PAYLOAD, public_key=OTHER_PUBLIC, typ=TYP)


def test_a_signature_of_another_type_does_not_hold() -> None:
    """An approval is no signature, though the same key made it over the same bytes."""
    approval = sign_jws(PAYLOAD, private_key=KEY, typ="ledger-approval+jws")
    with pytest.raises(SignatureDoesNotHold, match="expected type"):
        verify_jws(approval, PAYLOAD, public_key=PUBLIC, typ=TYP)


def test_every_flipped_bit_fails() -> None:
    for place in range(len(DETACHED)):
        for bit in range(7):
            changed = bytearray(DETACHED.encode())
            changed[place] ^= 1 << bit
            with pytest.raises((MalformedInput, SignatureDoesNotHold)):
                verify_jws(changed.decode("ascii"), PAYLOAD, public_key=PUBLIC, typ=TYP)


BAD = {
    "empty": "",
    "dots only": "..",
    "one dot": f"{HEADER}.{SIGNATURE}",
    "three dots": f"{HEADER}...{SIGNATURE}",
    "the compact form": f"{HEADER}.{_b64(PAYLOAD)}.{SIGNATURE}",
    "no header": f"..{SIGNATURE}",
    "no signature": f"{HEADER}..",
    "a second signature": f"{DETACHED}..{SIGNATURE}",
    "a newline at the end": DETACHED + "\n",
    "a space before": " " + DETACHED,
    "padding on the signature": DETACHED + "==",
    "padding on the header": f"{HEADER}=..{SIGNATURE}",
    "the other alphabet": f"{HEADER}..{'+/' * 43}",
    "unused bits": f"{HEADER}..{'A' * 85}B",
    "63 bytes": f"{HEADER}..{_b64(bytes(63))}",
    "65 bytes": f"{HEADER}..{_b64(bytes(65))}",
    "outside ASCII": f"{HEADER}..{'é' * 86}",
}
KID = key_id(PUBLIC)
BAD_HEADERS = {
    "alg none": f'{{"alg":"none","kid":"{KID}","typ":"{TYP}"}}',
    "alg HS256": f'{{"alg":"HS256","kid":"{KID}","typ":"{TYP}"}}',
    "alg Ed25519": f'{{"alg":"Ed25519","kid":"{KID}","typ":"{TYP}"}}',
    "another order": f'{{"kid":"{KID}","alg":"EdDSA","typ":"{TYP}"}}',
    "a space": f'{{"alg": "EdDSA","kid":"{KID}","typ":"{TYP}"}}',
    "a newline at the end": f'{{"alg":"EdDSA","kid":"{KID}","typ":"{TYP}"}}\n',
    "a header more": f'{{"alg":"EdDSA","kid":"{KID}","typ":"{TYP}","x5u":"https://example"}}',
    "the key itself": f'{{"alg":"EdDSA","jwk":{{}},"kid":"{KID}","typ":"{TYP}"}}',
    "b64 false": f'{{"alg":"EdDSA","b64":false,"crit":["b64"],"kid":"{KID}","typ":"{TYP}"}}',
    "no kid": f'{{"alg":"EdDSA","typ":"{TYP}"}}',
    "no typ": f'{{"alg":"EdDSA","kid":"{KID}"}}',
    "a short kid": f'{{"alg":"EdDSA","kid":"{KID[1:]}","typ":"{TYP}"}}',
    "kid twice": f'{{"alg":"EdDSA","kid":"{KID}","kid":"{KID}","typ":"{TYP}"}}',
    "an escape": f'{{"alg":"EdDSA","kid":"{KID}","typ":"\\u006cedger-submission+jws"}}',
    "not JSON": "x",
    "nothing": "",
}
REFUSED = BAD | {f"header: {name}": _with_header(header) for name, header in BAD_HEADERS.items()}


@pytest.mark.parametrize("detached", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_detached_signature(detached: str) -> None:
    with pytest.raises(MalformedInput):
        parse_detached(detached)
    with pytest.raises(MalformedInput):
        verify_jws(detached, PAYLOAD, public_key=PUBLIC, typ=TYP)
