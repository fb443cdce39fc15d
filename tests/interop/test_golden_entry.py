"""Are the frozen bytes of the entry format still written, read and verified alike?"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit_service.catalogue.event import decode_event
from audit_service.catalogue.registry import LogCreated
from tests.support import golden_entry
from verifier.encoding import parse_base64url
from verifier.envelope import (
    parse_entry,
    parse_submission,
    signature_kid,
    submission_digest,
    submission_payload,
    verify_genesis,
    verify_signature,
)
from verifier.errors import VerificationError
from verifier.notes import VerifierKey
from verifier.proofs import parse_log_proof, verify_log_proof

FOLDER = Path(__file__).parents[1] / "golden" / "entry"
GOLDEN = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir())}
FACTS = json.loads(GOLDEN["facts.json"])
VKEY = VerifierKey.parse(FACTS["vkey"])


@pytest.mark.parametrize("name", sorted(golden_entry.build()))
def test_every_golden_file_is_written_as_it_was(name: str) -> None:
    assert golden_entry.build()[name] == GOLDEN[name]


def test_no_golden_file_is_left_over() -> None:
    assert set(GOLDEN) == set(golden_entry.build())


def test_the_entry_is_read_and_its_signature_verified() -> None:
    attributes = parse_entry(GOLDEN["entry.json"])
    assert submission_payload(attributes) == GOLDEN["payload.json"]
    assert submission_digest(attributes).hex() == FACTS["submission_digest"]
    assert signature_kid(attributes["signature"]) == FACTS["agency_kid"]
    verify_signature(attributes, public_key=parse_base64url(FACTS["agency_public_key"], name="key", length=32))
    submitted = parse_submission(GOLDEN["submission.json"])
    assert {**submitted, "position": 9, "recordedtime": "2020-12-31T15:00:01.234Z"} == attributes


def test_the_proof_and_the_genesis_entry_verify() -> None:
    verified = verify_log_proof(GOLDEN["entry.tlog-proof"], entry=GOLDEN["entry.json"], vkey=VKEY)
    assert (verified.index, verified.checkpoint.tree_size) == (1, 2)
    assert verified.checkpoint.root_hash.hex() == FACTS["root_hash"]
    assert parse_log_proof(GOLDEN["entry.tlog-proof"]).checkpoint == GOLDEN["checkpoint"]
    data = verify_genesis(GOLDEN["genesis.json"], vkey=VKEY)
    assert data["agencies"][0]["keys"][0]["kid"] == FACTS["agency_kid"]


def test_the_catalogue_reads_both_entries() -> None:
    assert isinstance(decode_event(GOLDEN["genesis.json"]).data, LogCreated)
    assert decode_event(GOLDEN["entry.json"]).data.total_won == 9_007_199_254_740_991


def test_the_facts_follow_without_our_verifier() -> None:
    """With hashlib, json and an Ed25519 library: what another implementation would do."""
    entry, genesis, payload = (GOLDEN[name] for name in ("entry.json", "genesis.json", "payload.json"))
    leaves = [sha256(b"\x00" + data).digest() for data in (genesis, entry)]
    assert [leaf.hex() for leaf in leaves] == [FACTS["genesis_leaf_hash"], FACTS["entry_leaf_hash"]]
    assert sha256(b"\x01" + leaves[0] + leaves[1]).hexdigest() == FACTS["root_hash"]

    attributes = json.loads(entry)
    for added_later in ("position", "recordedtime", "signature"):
        assert added_later in attributes
    header, _, signature = attributes["signature"].partition("..")
    signing_input = header.encode() + b"." + base64.urlsafe_b64encode(payload).rstrip(b"=")
    key = base64.urlsafe_b64decode(FACTS["agency_public_key"] + "=")
    Ed25519PublicKey.from_public_bytes(key).verify(base64.urlsafe_b64decode(signature + "=="), signing_input)
    assert json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))) == {
        "alg": "EdDSA",
        "kid": FACTS["agency_kid"],
        "typ": "ledger-submission+jws",
    }

    text, _, line = GOLDEN["checkpoint"].decode().rpartition("\n\n")
    assert text + "\n" == f"golden.ledger.example\n2\n{base64.b64encode(bytes.fromhex(FACTS['root_hash'])).decode()}\n"
    signed = base64.b64decode(line.split(" ")[2])
    typed_key = base64.b64decode(FACTS["vkey"].split("+", 2)[2])
    assert signed[:4] == sha256(b"golden.ledger.example\n" + typed_key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(typed_key[1:]).verify(signed[4:], f"{text}\n".encode())


def test_every_flipped_bit_of_entry_and_proof_fails() -> None:
    entry, proof = GOLDEN["entry.json"], GOLDEN["entry.tlog-proof"]
    for place in range(len(entry)):
        changed = bytearray(entry)
        changed[place] ^= 1 << place % 8
        with pytest.raises(VerificationError):
            verify_log_proof(proof, entry=bytes(changed), vkey=VKEY)
    for place in range(len(proof)):
        for bit in range(8):
            changed = bytearray(proof)
            changed[place] ^= 1 << bit
            with pytest.raises(VerificationError):
                verify_log_proof(bytes(changed), entry=entry, vkey=VKEY)


def test_every_changed_byte_of_the_genesis_entry_fails() -> None:
    """Except what the service adds after the signatures: position is checked apart, the time is not."""
    genesis = GOLDEN["genesis.json"]
    unsigned = genesis.index(b'"recordedtime":"') + len(b'"recordedtime":"')
    for place in range(len(genesis)):
        if unsigned <= place < unsigned + len("2020-12-31T14:00:00.001Z"):
            continue
        changed = bytearray(genesis)
        changed[place] ^= 1
        with pytest.raises(VerificationError):
            verify_genesis(bytes(changed), vkey=VKEY)
