"""Which bytes do the golden files of the entry format hold? Built here from fixed seeds, never written here.

A log of two entries: the genesis entry, and one appropriation. Ed25519 is deterministic, so the same seeds
give the same bytes on every machine.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.canonical import encode_canonical
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.encoding import encode_base64url
from verifier.envelope import approve_submission, key_id, sign_submission, submission_digest, submission_payload
from verifier.hashing import leaf_hash, node_hash
from verifier.notes import NoteSigner
from verifier.proofs import LogProof, encode_log_proof

ORIGIN = "golden.ledger.example"
LOG = NoteSigner.from_seed(ORIGIN, b"\x01" * 32)
ROOT_KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (2, 3, 4)]
PUBLISHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
AGENCY_KEY = Ed25519PrivateKey.from_private_bytes(b"\x06" * 32)

APPROPRIATION: dict[str, Any] = {
    "specversion": "1.0",
    "id": "2021-appropriation",
    "source": "urn:kr:agency:seoul-smartcity",
    "type": "budget.appropriated.v1",
    "subject": "budget/seoul-smartcity/2021",
    "time": "2020-12-31T15:00:00.000Z",
    "legaldate": "2021-01-01",
    "sequence": "17",
    "expectedposition": 8,
    "data": {
        "rows": [
            {"line_id": "201-01", "amount_won": 250_000_000},
            {"line_id": "207-02", "amount_won": 9_007_199_004_740_991},
        ],
        "total_won": 9_007_199_254_740_991,
        "basis": {"title": "2021년도 세출예산 “본예산”", "document_number": "예산담당관-1"},
        "note_ko": "줄바꿈\n탭\t역사선\\슬래시/제어\u0001이모지🏛",
        "provenance": "illustrative",
    },
}


def public_key(private_key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public key."""
    return private_key.public_key().public_bytes_raw()


def _jwk(private_key: Ed25519PrivateKey) -> dict[str, Any]:
    public = public_key(private_key)
    return {"kid": key_id(public), "public_key": encode_base64url(public)}


def genesis_submission() -> dict[str, Any]:
    """The genesis submission before it is signed."""
    return {
        "specversion": "1.0",
        "id": "log-created",
        "source": "urn:kr:agency:seoul",
        "type": "registry.log-created.v1",
        "subject": "registry/log",
        "time": "2020-12-31T14:00:00.000Z",
        "data": {
            "origin": ORIGIN,
            "log_key": str(LOG.vkey),
            "root_keys": [_jwk(key) for key in ROOT_KEYS],
            "root_threshold": 2,
            "publisher_key": _jwk(PUBLISHER_KEY),
            "policy": f"log {LOG.vkey}\nquorum none\n",
            "agencies": [
                {
                    "code": "seoul-smartcity",
                    "name_ko": "스마트도시담당관",
                    "name_en": "Smart City Division",
                    "keys": [{**_jwk(AGENCY_KEY), "scopes": ["budget.*"]}],
                }
            ],
        },
    }


def recorded(submission: dict[str, Any], *, position: int, recordedtime: str) -> bytes:
    """The entry that a submission becomes."""
    return encode_canonical({**submission, "position": position, "recordedtime": recordedtime})


def build() -> dict[str, bytes]:
    """Every golden file by its name."""
    genesis = approve_submission(sign_submission(genesis_submission(), ROOT_KEYS[0]), ROOT_KEYS[1])
    genesis_entry = recorded(genesis, position=1, recordedtime="2020-12-31T14:00:00.001Z")
    submission = sign_submission(APPROPRIATION, AGENCY_KEY)
    entry = recorded(submission, position=9, recordedtime="2020-12-31T15:00:01.234Z")
    leaves = [leaf_hash(genesis_entry), leaf_hash(entry)]
    root = node_hash(*leaves)
    note = LOG.sign(encode_checkpoint(Checkpoint(ORIGIN, 2, root)))
    facts = {
        "vkey": str(LOG.vkey),
        "agency_kid": key_id(public_key(AGENCY_KEY)),
        "agency_public_key": encode_base64url(public_key(AGENCY_KEY)),
        "genesis_leaf_hash": leaves[0].hex(),
        "entry_leaf_hash": leaves[1].hex(),
        "genesis_submission_digest": submission_digest(genesis).hex(),
        "submission_digest": submission_digest(submission).hex(),
        "root_hash": root.hex(),
    }
    return {
        "payload.json": submission_payload(submission),
        "submission.json": encode_canonical(submission),
        "entry.json": entry,
        "genesis.json": genesis_entry,
        "checkpoint": note,
        "entry.tlog-proof": encode_log_proof(LogProof(index=1, hashes=(leaves[0],), checkpoint=note)),
        "facts.json": encode_canonical(facts),
    }
