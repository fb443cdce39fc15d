"""Is the example in the description of the entry format an entry, byte for byte?"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_service.catalogue.event import Entry, decode_event
from verifier.envelope import key_id, parse_entry, submission_payload, verify_signature

PAGE = Path(__file__).parents[2] / "docs/entry-format.md"
_BLOCK = re.compile(r"```(?:text|json)\n(.*?)\n```", re.DOTALL)


def _example() -> list[str]:
    example = PAGE.read_text(encoding="utf-8").partition("\n## Example\n")[2]
    return [line for block in _BLOCK.findall(example) for line in block.split("\n")]


def test_the_example_holds_from_the_key_to_the_leaf_hash() -> None:
    x, kid, payload, entry_text, leaf_hash, digest = _example()
    public_key = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
    assert urlsafe_b64encode(public_key).rstrip(b"=").decode() == x
    assert key_id(public_key) == kid

    entry = entry_text.encode()
    attributes = parse_entry(entry)
    verify_signature(attributes, public_key=public_key)
    assert submission_payload(attributes).decode() == payload
    assert sha256(b"\0" + entry).hexdigest() == leaf_hash
    assert sha256(payload.encode()).hexdigest() == digest
    assert decode_event(entry).position == 7


def test_the_attributes_of_the_page_are_those_of_an_entry() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("\n## Attributes\n")[2].partition("\nThere are no")[0]
    documented = set(re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE))
    assert documented == {field.encode_name for field in msgspec.structs.fields(Entry)}


def test_the_example_is_json_for_other_languages_too() -> None:
    entry = json.loads(_example()[3])
    again = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert again == _example()[3]
