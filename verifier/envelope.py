"""What does an entry say, and who signed it?

An entry is the canonical JSON (`canonical`) of one CloudEvent 1.0: the attributes that an agency submits,
and two that the service adds when it records them.

    agency    specversion id source type subject time data, and where they apply
              legaldate sequence expectedposition
    agency    signature   detached JWS (`jws`) over the canonical JSON of all above
    approval  approval    detached JWS by a second key over all above and `signature`
    service   position    the number of the event in its stream, from 1
    service   recordedtime

To check a signature: require that the entry equals its own canonical form, drop the attributes that were
added later, encode, verify. The index in the log is not in the entry; an inclusion proof gives it.
"""

from __future__ import annotations

import datetime as dt
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from verifier.bundles import MAX_ENTRY_BYTES
from verifier.canonical import MAX_SAFE_INTEGER, encode_canonical, require_canonical
from verifier.checkpoints import verify_checkpoint
from verifier.ed25519 import PUBLIC_KEY_BYTES
from verifier.encoding import parse_base64url
from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.jws import key_id, parse_detached, sign_jws, verify_jws
from verifier.notes import VerifierKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "APPROVAL_TYP",
    "OPTIONAL_ATTRIBUTES",
    "REQUIRED_ATTRIBUTES",
    "SERVICE_ATTRIBUTES",
    "SUBMISSION_ATTRIBUTES",
    "SUBMISSION_TYP",
    "approval_payload",
    "approve_submission",
    "key_id",
    "parse_entry",
    "parse_submission",
    "require_submission",
    "sign_jws",
    "sign_submission",
    "signature_kid",
    "submission_digest",
    "submission_payload",
    "verify_approval",
    "verify_genesis",
    "verify_jws",
    "verify_signature",
]

SUBMISSION_TYP = "ledger-submission+jws"
APPROVAL_TYP = "ledger-approval+jws"

REQUIRED_ATTRIBUTES = frozenset({"specversion", "id", "source", "type", "subject", "time", "data"})
OPTIONAL_ATTRIBUTES = frozenset({"legaldate", "sequence", "expectedposition", "signature", "approval"})
SUBMISSION_ATTRIBUTES = REQUIRED_ATTRIBUTES | OPTIONAL_ATTRIBUTES
SERVICE_ATTRIBUTES = frozenset({"position", "recordedtime"})

GENESIS_TYPE = "registry.log-created.v1"
GENESIS_SUBJECT = "registry/log"
ROOT_KEYS = 3
ROOT_THRESHOLD = 2


# --- reading --------------------------------------------------------------------------------------------


def parse_entry(entry: bytes) -> dict[str, Any]:
    """Read an entry of the log: its attributes, each of its form, none too few or too many.

    What `data` may hold is the catalogue's matter, and whether the keys may sign is the rules'.

    Raises:
        MalformedInput: it is too long, not canonical, or not such an entry.
    """
    attributes = _parse_attributes(entry, what="entry")
    _require_attributes(attributes, REQUIRED_ATTRIBUTES | SERVICE_ATTRIBUTES, what="entry")
    return attributes


def parse_submission(submission: bytes) -> dict[str, Any]:
    """Read the canonical bytes of a submission: an entry without what the service adds.

    Raises:
        MalformedInput: it is too long, not canonical, or not a submission.
    """
    attributes = _parse_attributes(submission, what="submission")
    require_submission(attributes)
    return attributes


def require_submission(attributes: Mapping[str, Any]) -> None:
    """Refuse what an agency cannot have meant to submit, whatever form its bytes had.

    Raises:
        MalformedInput: an attribute is missing, unknown, the service's, or not of its form.
    """
    _require_attributes(attributes, REQUIRED_ATTRIBUTES, what="submission")


def _parse_attributes(data: bytes, *, what: str) -> dict[str, Any]:
    if len(data) > MAX_ENTRY_BYTES:
        raise MalformedInput(f"{what}: expected at most {MAX_ENTRY_BYTES} bytes, found {len(data)}")
    attributes = require_canonical(data)
    if not isinstance(attributes, dict):
        raise MalformedInput(f"{what}: expected a JSON object")
    return attributes


def _require_attributes(attributes: Mapping[str, Any], required: frozenset[str], *, what: str) -> None:
    missing = sorted(required - attributes.keys())
    if missing:
        raise MalformedInput(f"{what}: missing attribute {missing[0]}")
    unknown = len(attributes.keys() - required - OPTIONAL_ATTRIBUTES)
    if unknown:
        raise MalformedInput(f"{what}: {unknown} attributes that it cannot have")
    for name, value in attributes.items():
        if not _FORMS[name](value):
            raise MalformedInput(f"{what}: attribute {name} is not of its form")
    if "approval" in attributes and "signature" not in attributes:
        raise MalformedInput(f"{what}: an approval without the signature that it approves")


# --- the form of each attribute -------------------------------------------------------------------------


def _matching(pattern: str) -> Callable[[Any], bool]:
    # re.ASCII: \d would accept Arabic digits; fullmatch: $ would accept a newline at the end.
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _integer_from(minimum: int) -> Callable[[Any], bool]:
    # Not isinstance: True is an int to it.
    return lambda value: type(value) is int and minimum <= value <= MAX_SAFE_INTEGER


def _is_time(value: Any) -> bool:
    """RFC 3339 in UTC with milliseconds, and a moment that the calendar has."""
    return _TIME(value) and _in_calendar(value[:-1])


def _is_date(value: Any) -> bool:
    return _DATE(value) and _in_calendar(value)


def _in_calendar(value: str) -> bool:
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_TIME = _matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z")
_DATE = _matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_JWS = _matching(r"[A-Za-z0-9_-]{1,512}\.\.[A-Za-z0-9_-]{86}")

_FORMS: dict[str, Callable[[Any], bool]] = {
    "specversion": _matching(r"1\.0"),
    "id": _matching(r"[A-Za-z0-9._:/-]{1,128}"),
    "source": _matching(r"urn:kr:agency:[a-z0-9][a-z0-9-]{0,62}"),
    "type": _matching(r"[a-z]{1,32}\.[a-z0-9-]{1,64}\.v[1-9][0-9]{0,3}"),
    "subject": _matching(r"[a-z]{1,32}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,3}"),
    "time": _is_time,
    "data": lambda value: isinstance(value, dict),
    "legaldate": _is_date,
    "sequence": _matching(r"0|[1-9][0-9]{0,18}"),
    "expectedposition": _integer_from(0),
    "signature": _JWS,
    "approval": _JWS,
    "position": _integer_from(1),
    "recordedtime": _is_time,
}


# --- what is signed -------------------------------------------------------------------------------------


def submission_payload(attributes: Mapping[str, Any]) -> bytes:
    """Which bytes does `signature` cover? The canonical submission without `signature` and `approval`.

    Raises:
        MalformedInput: the attributes have no canonical form.
    """
    return _encode_without(attributes, SERVICE_ATTRIBUTES | {"signature", "approval"})


def approval_payload(attributes: Mapping[str, Any]) -> bytes:
    """Which bytes does `approval` cover? The canonical submission with `signature`.

    Raises:
        MalformedInput: there is no signature to approve, or the attributes have no canonical form.
    """
    if "signature" not in attributes:
        raise MalformedInput("approval: there is no signature to approve")
    return _encode_without(attributes, SERVICE_ATTRIBUTES | {"approval"})


def submission_digest(attributes: Mapping[str, Any]) -> bytes:
    """When are two submissions the same? When this SHA-256 of what `signature` covers is equal."""
    return sha256(submission_payload(attributes)).digest()


def sign_submission(attributes: Mapping[str, Any], private_key: Ed25519PrivateKey) -> dict[str, Any]:
    """Give a submission its `signature`; an older signature and approval are dropped."""
    payload = submission_payload(attributes)
    signature = sign_jws(payload, private_key=private_key, typ=SUBMISSION_TYP)
    unsigned = {name: value for name, value in attributes.items() if name not in {"signature", "approval"}}
    return {**unsigned, "signature": signature}


def approve_submission(attributes: Mapping[str, Any], private_key: Ed25519PrivateKey) -> dict[str, Any]:
    """Give a signed submission its `approval` by a second key; an older approval is dropped.

    Raises:
        MalformedInput: there is no signature to approve, or it is by the same key.
    """
    approval = sign_jws(approval_payload(attributes), private_key=private_key, typ=APPROVAL_TYP)
    approved = {**attributes, "approval": approval}
    _require_two_keys(approved)
    return approved


def signature_kid(detached: str) -> str:
    """Which key says it made this `signature` or `approval`? Look the key up, then verify with it.

    Raises:
        MalformedInput: it is no detached JWS of this ledger.
    """
    header = parse_detached(detached).header
    if header.typ not in {SUBMISSION_TYP, APPROVAL_TYP}:
        raise MalformedInput("signature: its header names another type of signature")
    return header.kid


def verify_signature(attributes: Mapping[str, Any], *, public_key: bytes) -> None:
    """Did the holder of this key sign this submission (or the entry that it became)?

    Raises:
        MalformedInput: the signature is no detached JWS of this ledger.
        SignatureDoesNotHold: there is none, or it is by another key or over another submission.
    """
    _verify(attributes, "signature", submission_payload, public_key=public_key, typ=SUBMISSION_TYP)


def verify_approval(attributes: Mapping[str, Any], *, public_key: bytes) -> None:
    """Did the holder of this key approve this signed submission, being another than the signer?

    Raises:
        MalformedInput: the approval is no detached JWS of this ledger, or by the key that signed.
        SignatureDoesNotHold: there is none, or it is by another key or over another submission.
    """
    _verify(attributes, "approval", approval_payload, public_key=public_key, typ=APPROVAL_TYP)
    _require_two_keys(attributes)


def _verify(
    attributes: Mapping[str, Any],
    attribute: str,
    payload: Callable[[Mapping[str, Any]], bytes],
    *,
    public_key: bytes,
    typ: str,
) -> None:
    detached = attributes.get(attribute)
    if not isinstance(detached, str):
        raise SignatureDoesNotHold(f"expected attribute {attribute}, found none")
    verify_jws(detached, payload(attributes), public_key=public_key, typ=typ)


def _require_two_keys(attributes: Mapping[str, Any]) -> None:
    if signature_kid(attributes["signature"]) == signature_kid(attributes["approval"]):
        raise MalformedInput("approval: expected another key than the one that signed")


def _encode_without(attributes: Mapping[str, Any], left_out: frozenset[str]) -> bytes:
    return encode_canonical({name: value for name, value in attributes.items() if name not in left_out})


# --- the first entry ------------------------------------------------------------------------------------


def verify_genesis(entry: bytes, *, vkey: VerifierKey, origin: str | None = None) -> dict[str, Any]:
    """Is this entry 0 of the log that we pinned? Its `data` names the keys from which all authority follows.

    1. It is an entry: canonical, with its attributes.
    2. It is the first event of `registry/log`.
    3. It names the origin (the name of the key if not given) and the key that the caller pinned.
    4. It names three different root keys, each by its thumbprint, and a threshold of two.
    5. One root key signed it, another approved it.
    6. If it names a predecessor: that is another log, and the checkpoint is signed by the key that it names.

    Raises:
        MalformedInput: one of 1 to 4 does not hold, or the predecessor of 6 is none.
        SignatureDoesNotHold: 5 or the signature of 6 does not hold.
    """
    # 1.
    attributes = parse_entry(entry)
    # 2.
    _require_equal("type", GENESIS_TYPE, attributes["type"])
    _require_equal("subject", GENESIS_SUBJECT, attributes["subject"])
    _require_equal("position", 1, attributes["position"])
    # 3.
    data: dict[str, Any] = attributes["data"]
    _require_equal("origin", vkey.name if origin is None else origin, data.get("origin"))
    _require_equal("log_key", str(vkey), data.get("log_key"))
    # 4.
    _require_equal("root_threshold", ROOT_THRESHOLD, data.get("root_threshold"))
    root_keys = _parse_root_keys(data.get("root_keys"))
    # 5.
    verify_signature(attributes, public_key=_root_key(root_keys, attributes, "signature"))
    verify_approval(attributes, public_key=_root_key(root_keys, attributes, "approval"))
    # 6.
    if "predecessor" in data:
        _verify_predecessor(data["predecessor"], origin=vkey.name)
    return data


def _verify_predecessor(value: object, *, origin: str) -> None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise MalformedInput("genesis entry: expected a predecessor with origin, log_key and checkpoint")
    if value.keys() != {"origin", "log_key", "checkpoint"} or value["origin"] == origin:
        raise MalformedInput("genesis entry: expected a predecessor of another origin, with log_key and checkpoint")
    key = VerifierKey.parse(value["log_key"])
    verify_checkpoint(value["checkpoint"].encode("utf-8"), vkey=key, origin=value["origin"])


def _require_equal(name: str, expected: object, found: object) -> None:
    # Types too: true equals 1 in Python.
    if type(found) is not type(expected) or found != expected:
        raise MalformedInput(f"genesis entry: expected {name} {expected!r}, found another")


def _parse_root_keys(value: object) -> dict[str, bytes]:
    if not isinstance(value, list) or len(value) != ROOT_KEYS:
        raise MalformedInput(f"genesis entry: expected {ROOT_KEYS} root keys")
    keys: dict[str, bytes] = {}
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("public_key"), str):
            raise MalformedInput("genesis entry: expected root keys with kid and public_key")
        public_key = parse_base64url(item["public_key"], name="root key", length=PUBLIC_KEY_BYTES)
        _require_equal("kid of a root key", key_id(public_key), item.get("kid"))
        keys[key_id(public_key)] = public_key
    if len(keys) != ROOT_KEYS:
        raise MalformedInput(f"genesis entry: expected {ROOT_KEYS} different root keys")
    return keys


def _root_key(root_keys: dict[str, bytes], attributes: dict[str, Any], attribute: str) -> bytes:
    detached = attributes.get(attribute)
    if detached is None:
        raise SignatureDoesNotHold(f"genesis entry: expected attribute {attribute}, found none")
    kid = signature_kid(detached)
    if kid not in root_keys:
        raise SignatureDoesNotHold(f"genesis entry: {attribute} is by {kid}, which is no root key")
    return root_keys[kid]
