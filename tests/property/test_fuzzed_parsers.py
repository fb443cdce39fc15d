"""Do the parsers of strangers' bytes end in an error of the verifier or in exactly what was written?

Entries, notes, proofs and tile paths, damaged from one seed: no other exception, and no false accept. What is
accepted must be written again as the very bytes that were read: then nothing was overlooked in them.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.support.fuzzing import mutate, mutate_json
from tests.support.log_builder import LogBuilder, small_log
from verifier.bundles import decode_bundle, encode_bundle
from verifier.canonical import encode_canonical
from verifier.checkpoints import encode_checkpoint, parse_checkpoint
from verifier.encoding import encode_base64
from verifier.envelope import parse_entry
from verifier.errors import MalformedInput, VerificationError
from verifier.notes import VerifierKey, parse_note
from verifier.proofs import LogProof, encode_log_proof, parse_log_proof
from verifier.tiles import Tile, bundle_path, parse_path, tile_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INPUTS = 30_000  # of each format


def reread_note(data: bytes) -> bytes:
    note = parse_note(data)
    lines = [f"\u2014 {each.name} {encode_base64(each.key_id + each.signature)}\n" for each in note.signatures]
    return (note.text + "\n" + "".join(lines)).encode()


def reread_checkpoint(data: bytes) -> bytes:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedInput("not UTF-8") from error
    checkpoint = parse_checkpoint(text)
    return encode_checkpoint(checkpoint).encode()


def reread_path(data: bytes) -> bytes:
    named = parse_path(data.decode("utf-8", "surrogateescape"))
    path = tile_path(named) if isinstance(named, Tile) else bundle_path(named.index, named.width)
    return path.encode()


def reread_vkey(data: bytes) -> bytes:
    return str(VerifierKey.parse(data.decode("utf-8", "surrogateescape"))).encode()


LOG = small_log(transactions=3)
NOTE = LOG.signer.sign("simulated\n17\n" + "A" * 43 + "=\n")
TWO_SIGNATURES = NOTE + LogBuilder(origin="other.example").signer.signature_line("simulated\n").encode()
PROOF = encode_log_proof(LogProof(index=5, hashes=tuple(bytes([n]) * 32 for n in range(5)), checkpoint=NOTE))
WITH_EXTRA = encode_log_proof(LogProof(index=0, hashes=(), checkpoint=TWO_SIGNATURES, extra=b"more"))
PATHS = [b"tile/0/000", b"tile/63/x123/456.p/255", b"tile/entries/x001/x234/067.p/9", b"tile/8/x001/000"]

PARSERS: dict[str, tuple[Callable[[bytes], bytes], Sequence[bytes]]] = {
    "entry": (lambda data: encode_canonical(parse_entry(data)), LOG.entries),
    "note": (reread_note, [NOTE, TWO_SIGNATURES]),
    "checkpoint": (
        reread_checkpoint,
        [b"simulated\n17\n" + b"A" * 43 + b"=\n", b"a.example/log\n1\n" + b"/" * 42 + b"8=\n"],
    ),
    "proof": (lambda data: encode_log_proof(parse_log_proof(data)), [PROOF, WITH_EXTRA]),
    "path": (reread_path, PATHS),
    "vkey": (reread_vkey, [LOG.vkey.encode()]),
    "bundle": (
        lambda data: encode_bundle(decode_bundle(data, expected=3)),
        [encode_bundle([b"one", b"two", b"three"])],
    ),
}


def fuzz(name: str, reread: Callable[[bytes], bytes], *, inputs: int = INPUTS) -> int:
    """How many damaged inputs were accepted; each of them is written again as it was read."""
    chance = Random(name)
    seeds = PARSERS[name][1]
    documents = [json.loads(seed) for seed in seeds] if name == "entry" else []
    accepted = 0
    for number in range(inputs):
        if documents and number % 2:
            data = mutate_json(chance, chance.choice(documents))
        else:
            data = mutate(chance, chance.choice(seeds))
        try:
            again = reread(data)
        except VerificationError:
            continue
        accepted += 1
        assert again == data, f"{name}: accepted {data!r}, which is written {again!r}"
    return accepted


@pytest.mark.parametrize("name", PARSERS)
def test_an_error_of_the_verifier_or_the_same_bytes_again(name: str) -> None:
    reread, seeds = PARSERS[name]
    for seed in seeds:
        assert reread(seed) == seed
    accepted = fuzz(name, reread)
    # Damage that is not damage (a digit for a digit): without it the test would only show that all is refused.
    assert accepted > INPUTS // 1000


def test_a_lenient_parser_is_caught() -> None:
    """The negative control: the same inputs through a parser that forgives white space at the end."""
    with pytest.raises(AssertionError, match="accepted"):
        fuzz("path", lambda data: reread_path(data.strip()))
    with pytest.raises(AssertionError, match="accepted"):
        fuzz(
            "entry", lambda data: encode_canonical(json.loads(data)) if data[:1] == b"{" and data[-1:] == b"}" else b""
        )
