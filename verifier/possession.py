"""Does somebody hold the private key that is about to be registered?

A detached JWS (`jws`) of type `ledger-possession+jws`, by the new key, over what it is registered for. Without
it, an agency could register the public key of another and claim its signatures as its own.

    a key of an agency   {"agency":…,"kid":…,"origin":…,"public_key":…,"scopes":[…]}
    a root key           {"kid":…,"origin":…,"root_keys":[<kid>,…]}

`origin` is the log's, so that a proof for one log is none for another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verifier.canonical import encode_canonical
from verifier.ed25519 import PUBLIC_KEY_BYTES
from verifier.encoding import encode_base64url, parse_base64url
from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.jws import key_id, parse_detached, sign_jws, verify_jws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

POSSESSION_TYP = "ledger-possession+jws"
KEY_REGISTERED = "registry.key-registered.v1"
ROOT_KEYS_ROTATED = "registry.root-keys-rotated.v1"
ROOT_POSSESSIONS = 2


def prove_possession(private_key: Ed25519PrivateKey, *, origin: str, agency: str, scopes: Sequence[str]) -> str:
    """The `possession` of a key that an agency wants to have registered."""
    return sign_jws(
        _key_payload(
            public_key=private_key.public_key().public_bytes_raw(), origin=origin, agency=agency, scopes=scopes
        ),
        private_key=private_key,
        typ=POSSESSION_TYP,
    )


def prove_root_possession(private_key: Ed25519PrivateKey, *, origin: str, root_kids: Sequence[str]) -> str:
    """One of the `possessions` of the root keys that shall take over."""
    kid = key_id(private_key.public_key().public_bytes_raw())
    return sign_jws(
        _root_payload(kid=kid, origin=origin, root_kids=root_kids), private_key=private_key, typ=POSSESSION_TYP
    )


def verify_possessions(event_type: str, data: Mapping[str, Any], *, origin: str) -> None:
    """Does the payload of this event prove that its new keys are held? Other types have nothing to prove.

    Every key must also be named by its own thumbprint.

    Raises:
        MalformedInput: a key or a proof is not of its form.
        SignatureDoesNotHold: a proof is missing, by another key, or for something else.
    """
    if event_type == KEY_REGISTERED:
        _verify_key(data, origin=origin)
    elif event_type == ROOT_KEYS_ROTATED:
        _verify_roots(data, origin=origin)


def _verify_key(data: Mapping[str, Any], *, origin: str) -> None:
    public_key = _parse_key(data)
    payload = _key_payload(public_key=public_key, origin=origin, agency=data["agency"], scopes=data["scopes"])
    verify_jws(data["possession"], payload, public_key=public_key, typ=POSSESSION_TYP)


def _verify_roots(data: Mapping[str, Any], *, origin: str) -> None:
    keys = {key["kid"]: _parse_key(key) for key in data["root_keys"]}
    root_kids = [key["kid"] for key in data["root_keys"]]
    proven: set[str] = set()
    for possession in data["possessions"]:
        kid = parse_detached(possession).header.kid
        if kid not in keys:
            raise SignatureDoesNotHold("possession: by a key that is none of the new root keys")
        payload = _root_payload(kid=kid, origin=origin, root_kids=root_kids)
        verify_jws(possession, payload, public_key=keys[kid], typ=POSSESSION_TYP)
        proven.add(kid)
    if len(proven) < ROOT_POSSESSIONS:
        raise SignatureDoesNotHold(f"possession: expected {ROOT_POSSESSIONS} root keys to prove it")


def _parse_key(key: Mapping[str, Any]) -> bytes:
    public_key = parse_base64url(key["public_key"], name="public key", length=PUBLIC_KEY_BYTES)
    if key_id(public_key) != key["kid"]:
        raise MalformedInput("possession: kid is not the thumbprint of public_key")
    return public_key


def _key_payload(*, public_key: bytes, origin: str, agency: str, scopes: Sequence[str]) -> bytes:
    kid, encoded = key_id(public_key), encode_base64url(public_key)
    return encode_canonical(
        {"agency": agency, "kid": kid, "origin": origin, "public_key": encoded, "scopes": list(scopes)}
    )


def _root_payload(*, kid: str, origin: str, root_kids: Sequence[str]) -> bytes:
    return encode_canonical({"kid": kid, "origin": origin, "root_keys": list(root_kids)})
