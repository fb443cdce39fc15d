"""Which entry may be the first of a log?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import golden_entry
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.encoding import encode_base64url
from verifier.envelope import approve_submission, key_id, sign_submission, verify_genesis
from verifier.errors import MalformedInput, SignatureDoesNotHold, VerificationError
from verifier.notes import NoteSigner

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOTS = golden_entry.ROOT_KEYS
VKEY = golden_entry.LOG.vkey


def _jwk(key: Ed25519PrivateKey) -> dict[str, Any]:
    public = golden_entry.public_key(key)
    return {"kid": key_id(public), "public_key": encode_base64url(public)}


def _genesis(
    *, signer: int = 0, approver: int = 1, position: int = 1, attributes: dict[str, Any] | None = None, **data: Any
) -> bytes:
    """A genesis entry with these changes, signed as it then is: only the change is wrong."""
    submission = golden_entry.genesis_submission() | (attributes or {})
    submission["data"] = {**submission["data"], **data}
    keys = [*ROOTS, golden_entry.PUBLISHER_KEY]
    signed = approve_submission(sign_submission(submission, keys[signer]), keys[approver])
    return golden_entry.recorded(signed, position=position, recordedtime="2021-01-01T00:00:00.000Z")


@pytest.mark.parametrize(("signer", "approver"), [(0, 1), (1, 0), (0, 2), (2, 1)])
def test_any_two_root_keys_make_a_genesis_entry(signer: int, approver: int) -> None:
    assert verify_genesis(_genesis(signer=signer, approver=approver), vkey=VKEY)["origin"] == golden_entry.ORIGIN


@pytest.mark.parametrize(("signer", "approver"), [(3, 0), (0, 3)])
def test_a_key_that_is_no_root_key_makes_none(signer: int, approver: int) -> None:
    with pytest.raises(SignatureDoesNotHold, match="no root key"):
        verify_genesis(_genesis(signer=signer, approver=approver), vkey=VKEY)


def test_one_root_key_alone_makes_none() -> None:
    signed = sign_submission(golden_entry.genesis_submission(), ROOTS[0])
    entry = golden_entry.recorded(signed, position=1, recordedtime="2021-01-01T00:00:00.000Z")
    with pytest.raises(SignatureDoesNotHold, match="expected attribute approval"):
        verify_genesis(entry, vkey=VKEY)


_R0, _R1, _R2 = (_jwk(key) for key in ROOTS)
WRONG_GENESIS: dict[str, Callable[[], bytes]] = {
    "another type": lambda: _genesis(attributes={"type": "registry.organisation-named.v1"}),
    "another stream": lambda: _genesis(attributes={"subject": "registry/agency/seoul"}),
    "not the first of its stream": lambda: _genesis(position=2),
    "another origin": lambda: _genesis(origin="other.example"),
    "no origin": lambda: _genesis(origin=None),
    "another log key": lambda: _genesis(log_key=str(NoteSigner.from_seed("x", b"\x09" * 32).vkey)),
    "a threshold of one": lambda: _genesis(root_threshold=1),
    "a threshold that is true": lambda: _genesis(root_threshold=True),
    "no root keys": lambda: _genesis(root_keys=[]),
    "two root keys": lambda: _genesis(root_keys=[_R0, _R1]),
    "four root keys": lambda: _genesis(root_keys=[_R0, _R1, _R2, _jwk(golden_entry.PUBLISHER_KEY)]),
    "root keys that are a text": lambda: _genesis(root_keys="abc"),
    "one root key three times": lambda: _genesis(root_keys=[_R0, _R1, _R1]),
    "root keys that are no list": lambda: _genesis(root_keys={"0": _R0}),
    "root keys that are no objects": lambda: _genesis(root_keys=["a", "b", "c"]),
    "a root key without a key": lambda: _genesis(root_keys=[_R0, _R1, {"kid": _R2["kid"]}]),
    "a root key under another name": lambda: _genesis(root_keys=[_R0, _R1, {**_R2, "kid": _R0["kid"]}]),
    "a root key with padding": lambda: _genesis(root_keys=[_R0, _R1, {**_R2, "public_key": _R2["public_key"] + "="}]),
    "a short root key": lambda: _genesis(root_keys=[_R0, _R1, {**_R2, "public_key": _R2["public_key"][:-4]}]),
    "a root key that is nobody's": lambda: _genesis(root_keys=[_R0, _R1, {**_R2, "public_key": "A" * 43}]),
}


OLD = NoteSigner.from_seed("ledger.example/lost", b"\x0a" * 32)
PREDECESSOR = {
    "origin": "ledger.example/lost",
    "log_key": str(OLD.vkey),
    "checkpoint": OLD.sign(encode_checkpoint(Checkpoint("ledger.example/lost", 7, b"\x01" * 32))).decode(),
}


def test_a_log_may_go_on_from_the_last_checkpoint_of_another() -> None:
    assert verify_genesis(_genesis(predecessor=PREDECESSOR), vkey=VKEY)["predecessor"] == PREDECESSOR


@pytest.mark.parametrize(
    "predecessor",
    [
        None,
        {},
        "ledger.example/lost",
        {**PREDECESSOR, "more": "x"},
        {**PREDECESSOR, "origin": "ledger.example/other"},
        {**PREDECESSOR, "origin": golden_entry.ORIGIN},
        {**PREDECESSOR, "log_key": "x"},
        {**PREDECESSOR, "checkpoint": PREDECESSOR["checkpoint"].replace("\n7\n", "\n8\n")},
        {**PREDECESSOR, "log_key": str(VKEY)},
        {**PREDECESSOR, "checkpoint": 7},
    ],
)
def test_a_predecessor_that_is_none(predecessor: object) -> None:
    with pytest.raises(VerificationError):
        verify_genesis(_genesis(predecessor=predecessor), vkey=VKEY)


@pytest.mark.parametrize("entry", WRONG_GENESIS.values(), ids=WRONG_GENESIS.keys())
def test_what_is_no_genesis_entry_of_this_log(entry: Callable[[], bytes]) -> None:
    with pytest.raises(MalformedInput):
        verify_genesis(entry(), vkey=VKEY)


def test_the_origin_may_be_pinned_apart_from_the_name_of_the_key() -> None:
    entry = _genesis(origin="other.example")
    assert verify_genesis(entry, vkey=VKEY, origin="other.example")["origin"] == "other.example"
    with pytest.raises(MalformedInput):
        verify_genesis(_genesis(), vkey=VKEY, origin="other.example")
