"""Is it proven that somebody holds a new key, and for exactly what it is registered for?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.encoding import encode_base64url
from verifier.envelope import SUBMISSION_TYP, key_id
from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.jws import sign_jws
from verifier.possession import (
    KEY_REGISTERED,
    ROOT_KEYS_ROTATED,
    prove_possession,
    prove_root_possession,
    verify_possessions,
)

if TYPE_CHECKING:
    from verifier.errors import VerificationError

ORIGIN = "ledger.example/test"
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 6)]
KIDS = [key_id(key.public_key().public_bytes_raw()) for key in KEYS]
PUBLIC = [encode_base64url(key.public_key().public_bytes_raw()) for key in KEYS]


def registration(**changes: Any) -> dict[str, Any]:
    possession = prove_possession(KEYS[0], origin=ORIGIN, agency="roads", scopes=["budget.*"])
    made = {"agency": "roads", "kid": KIDS[0], "public_key": PUBLIC[0], "scopes": ["budget.*"]}
    return {**made, "possession": possession, **changes}


def rotation(*provers: int, root_kids: list[str] | None = None) -> dict[str, Any]:
    kids = KIDS[:3] if root_kids is None else root_kids
    proofs = [prove_root_possession(KEYS[number], origin=ORIGIN, root_kids=kids) for number in provers]
    keys = [{"kid": kid, "public_key": public} for kid, public in zip(KIDS[:3], PUBLIC[:3], strict=True)]
    return {"root_keys": keys, "possessions": proofs}


WRONG: dict[str, tuple[str, dict[str, Any], type[VerificationError]]] = {
    "another agency": (KEY_REGISTERED, registration(agency="parks"), SignatureDoesNotHold),
    "more types": (KEY_REGISTERED, registration(scopes=["budget.*", "contract.*"]), SignatureDoesNotHold),
    "another kid": (KEY_REGISTERED, registration(kid=KIDS[1]), MalformedInput),
    "another key": (KEY_REGISTERED, registration(kid=KIDS[1], public_key=PUBLIC[1]), SignatureDoesNotHold),
    "no key": (KEY_REGISTERED, registration(public_key="A" * 43), MalformedInput),
    "no proof": (KEY_REGISTERED, registration(possession="x"), MalformedInput),
    "signed as a submission": (
        KEY_REGISTERED,
        registration(possession=sign_jws(b"{}", private_key=KEYS[0], typ=SUBMISSION_TYP)),
        SignatureDoesNotHold,
    ),
    "one root key": (ROOT_KEYS_ROTATED, rotation(0), SignatureDoesNotHold),
    "one root key twice": (ROOT_KEYS_ROTATED, rotation(1, 1), SignatureDoesNotHold),
    "a stranger": (ROOT_KEYS_ROTATED, rotation(0, 1, 4), SignatureDoesNotHold),
    "other root keys": (ROOT_KEYS_ROTATED, rotation(0, 1, root_kids=KIDS[1:4]), SignatureDoesNotHold),
    "a root key's kid": (
        ROOT_KEYS_ROTATED,
        {**rotation(0, 1), "root_keys": [{"kid": KIDS[3], "public_key": PUBLIC[0]}]},
        MalformedInput,
    ),
}


@pytest.mark.parametrize("event_type", [KEY_REGISTERED, ROOT_KEYS_ROTATED, "registry.policy-changed.v1"])
def test_what_is_proven_holds(event_type: str) -> None:
    verify_possessions(event_type, {**registration(), **rotation(0, 2)}, origin=ORIGIN)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_proven_does_not(name: str) -> None:
    event_type, data, error = WRONG[name]
    with pytest.raises(error):
        verify_possessions(event_type, data, origin=ORIGIN)


@pytest.mark.parametrize(
    ("event_type", "data"), [(KEY_REGISTERED, registration()), (ROOT_KEYS_ROTATED, rotation(0, 1))]
)
def test_a_proof_is_for_one_log(event_type: str, data: dict[str, Any]) -> None:
    with pytest.raises(SignatureDoesNotHold):
        verify_possessions(event_type, data, origin="ledger.example/another")
