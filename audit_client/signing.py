"""How does an agency's event become a signed one, and who approves it?

The signature covers the canonical bytes of everything the agency says (`verifier.envelope`); the approval, by
another person's key, covers the signature too. A key file is what `audit init` writes (a 32-byte seed in base64) or
what openssl writes (`openssl genpkey -algorithm ed25519`, PKCS#8 PEM).
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit_client.errors import NotUsable
from verifier.canonical import encode_canonical, parse_strict
from verifier.envelope import approve_submission, require_submission, sign_submission
from verifier.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

SEED_BYTES = 32
_NDJSON_HINT = "neither one JSON value nor one event on each line"


def read_private_key(data: bytes) -> Ed25519PrivateKey:
    """Read a key file.

    Raises:
        NotUsable: it holds no Ed25519 key, or one behind a password.
    """
    if data.lstrip().startswith(b"-----BEGIN"):
        try:
            key = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise NotUsable("the key file holds no PEM key that can be read without a password") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise NotUsable("the key file holds a key of another kind than Ed25519")
        return key
    try:
        seed = base64.b64decode(data.strip(), validate=True)
    except binascii.Error:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise NotUsable("a key file holds an Ed25519 key as PEM, or its 32-byte seed in base64")
    return Ed25519PrivateKey.from_private_bytes(seed)


def read_events(data: bytes) -> list[dict[str, Any]]:
    """Read a file of events: one JSON object, an array of them, or one on each line.

    Raises:
        NotUsable: it is none of them.
    """
    try:
        value = parse_strict(data)
    except VerificationError as error:
        lines = data.rstrip(b"\n").split(b"\n")
        if len(lines) == 1:
            raise NotUsable(str(error)) from None
        try:
            value = [parse_strict(line) for line in lines]
        except VerificationError:
            raise NotUsable(f"{error}; {_NDJSON_HINT}") from None
    events = value if isinstance(value, list) else [value]
    if not events or not all(isinstance(event, dict) for event in events):
        raise NotUsable("an event is a JSON object; a file holds one, an array of them, or one on each line")
    return events


def complete(event: Mapping[str, Any], *, now: datetime | None = None) -> dict[str, Any]:
    """Fill in `specversion` and `time` where the agency leaves them out."""
    moment = datetime.now(UTC) if now is None else now
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"specversion": "1.0", "time": text, **event}


def sign(event: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Give an event its `signature`.

    Raises:
        NotUsable: it is signed already, or its attributes are not those of a submission.
    """
    if "signature" in event:
        raise NotUsable("the event is signed already; sign the unsigned one again, or leave the key out")
    try:
        require_submission(event)
        return sign_submission(event, key)
    except VerificationError as error:
        raise NotUsable(str(error)) from None


def approve(event: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Give a signed event its `approval`.

    Raises:
        NotUsable: it is not signed, approved already, or signed by the same key.
    """
    if "approval" in event:
        raise NotUsable("the event is approved already")
    try:
        require_submission(event)
        return approve_submission(event, key)
    except VerificationError as error:
        raise NotUsable(str(error)) from None


def encode(event: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a submission: what the service need not put in order again.

    Raises:
        NotUsable: a value has no canonical form.
    """
    try:
        return encode_canonical(dict(event))
    except VerificationError as error:
        raise NotUsable(str(error)) from None
