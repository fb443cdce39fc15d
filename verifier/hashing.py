"""What is the hash of an entry, and of two hashes together?

RFC 6962 section 2.1 (the same in RFC 9162 section 2.1.1), SHA-256 only:

    leaf hash = SHA-256(0x00 || entry)
    node hash = SHA-256(0x01 || left || right)
    empty     = SHA-256()

The first byte keeps leaves and nodes apart: without it an inner node could be offered as an entry of
64 bytes, and one tree would have two readings.
"""

from __future__ import annotations

from hashlib import sha256

from verifier.errors import MalformedInput

HASH_BYTES = 32
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf of the log (RFC 6962 section 2.1)."""
    return sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them (RFC 6962 section 2.1)."""
    return sha256(NODE_PREFIX + left + right).digest()


def require_hash(value: bytes, *, name: str) -> None:
    """Refuse what cannot be a SHA-256 digest.

    A check against a hash of another length can never be meant. Without this a proof of a one-entry log
    would compare two strings of any length.

    Raises:
        MalformedInput: `value` is not 32 bytes.
    """
    if len(value) != HASH_BYTES:
        raise MalformedInput(f"{name}: expected {HASH_BYTES} bytes, found {len(value)}")
