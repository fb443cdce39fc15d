"""How does an agency sign an event? From a file with the unsigned event to the signed one on standard output.

    python examples/sign_event.py event.json --key var/demo/keys/seoul-smartcity.key

The event may be laid out in any way; `specversion` and `time` are filled in when they are missing. What is signed is
described in docs/entry-format.md, and `verifier.envelope` does it.
"""

from __future__ import annotations

import argparse
import base64
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.canonical import encode_canonical, parse_strict
from verifier.envelope import sign_submission


def main() -> None:
    """Read, sign, write."""
    parser = argparse.ArgumentParser(description="Sign an event with an agency's key.")
    parser.add_argument("event", type=Path, help="the unsigned event, JSON")
    parser.add_argument("--key", type=Path, required=True, help="the agency's key: a 32-byte seed in base64")
    args = parser.parse_args()

    event = parse_strict(args.event.read_bytes())
    if not isinstance(event, dict):
        parser.error(f"{args.event} holds no JSON object")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    private_key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(args.key.read_bytes()))
    signed = sign_submission({"specversion": "1.0", "time": now, **event}, private_key)
    sys.stdout.buffer.write(encode_canonical(signed))


if __name__ == "__main__":
    main()
