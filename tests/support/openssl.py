"""A stand-in for `openssl` where there is none: the subcommands that docs/submitting.md uses, and no others.

Where there is an openssl, the tests use it.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def _write(path: str, key: Ed25519PrivateKey) -> None:
    Path(path).write_bytes(
        key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()),
    )


def _read(path: str) -> Ed25519PrivateKey:
    key = forms.load_pem_private_key(Path(path).read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def main() -> None:
    out = sys.stdout.buffer
    match sys.argv[1:]:
        case ["base64", "-A"]:
            out.write(base64.b64encode(sys.stdin.buffer.read()))
        case ["base64", "-d", "-in", path]:
            out.write(base64.b64decode(Path(path).read_bytes()))
        case ["dgst", "-sha256", "-binary"]:
            out.write(hashlib.sha256(sys.stdin.buffer.read()).digest())
        case ["genpkey", "-algorithm", "ed25519", "-out", path]:
            _write(path, Ed25519PrivateKey.generate())
        case ["pkey", "-inform", "DER", "-out", path]:
            key = forms.load_der_private_key(sys.stdin.buffer.read(), password=None)
            assert isinstance(key, Ed25519PrivateKey)
            _write(path, key)
        case ["pkey", "-in", path, "-pubout", "-outform", "DER"]:
            public = _read(path).public_key()
            out.write(public.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo))
        case ["pkeyutl", "-sign", "-rawin", "-inkey", key_path, "-in", path]:
            out.write(_read(key_path).sign(Path(path).read_bytes()))
        case arguments:
            raise SystemExit(f"the stand-in does not know openssl {arguments}")


if __name__ == "__main__":
    main()
