"""Where do private keys lie, and how are they made?

A key file holds a 32-byte Ed25519 seed in base64 on one line, readable by its owner only. Key ids are RFC 7638
thumbprints; public keys in JSON are base64url without padding (RFC 8037 section 2).
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_service.errors import ConfigurationError
from audit_service.files import make_folder, write_durably
from verifier.envelope import key_id

if TYPE_CHECKING:
    from pathlib import Path

SEED_BYTES = 32
PUBLISHER_KEY_FILE = "publisher.key"


class SigningKey(NamedTuple):
    """An Ed25519 key with its id (`kid`) and its base64url public key."""

    private: Ed25519PrivateKey
    kid: str
    public_key: str

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 32-byte seed."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes_raw()
        return cls(private, key_id(public), base64.urlsafe_b64encode(public).rstrip(b"=").decode())


def create_seed(path: Path) -> bytes:
    """Make a new seed and keep it in a file (mode 0600).

    Raises:
        ConfigurationError: the file exists; a key is never overwritten.
    """
    if path.exists():
        raise ConfigurationError(f"{path} exists already; a key is never overwritten")
    make_folder(path.parent)
    path.parent.chmod(0o700)
    seed = os.urandom(SEED_BYTES)
    write_durably(path, base64.b64encode(seed) + b"\n", mode=0o600)
    return seed


def read_seed(path: Path) -> bytes:
    """Read a seed from its file.

    Raises:
        ConfigurationError: no such file, or not a 32-byte seed in base64.
    """
    try:
        seed = base64.b64decode(path.read_bytes().strip(), validate=True)
    except FileNotFoundError as error:
        raise ConfigurationError(f"the key file {path} is missing") from error
    except binascii.Error as error:
        raise ConfigurationError(f"{path} does not hold a key in base64") from error
    if len(seed) != SEED_BYTES:
        raise ConfigurationError(f"{path} must hold {SEED_BYTES} bytes in base64")
    return seed
