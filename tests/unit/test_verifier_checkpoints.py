"""Which texts are checkpoints, and whose?"""

from __future__ import annotations

import base64

import pytest

from verifier.checkpoints import Checkpoint, encode_checkpoint, parse_checkpoint, verify_checkpoint
from verifier.encoding import MAX_SIZE
from verifier.errors import MalformedInput, SignatureDoesNotHold
from verifier.hashing import EMPTY_ROOT
from verifier.notes import NoteSigner

ROOT = bytes(range(32))
ROOT64 = base64.b64encode(ROOT).decode()
LOG = NoteSigner.from_seed("log.example/2021", b"\x01" * 32)
TEXT = f"log.example/2021\n70000\n{ROOT64}\n"


def test_a_checkpoint_and_its_text() -> None:
    checkpoint = Checkpoint("log.example/2021", 70_000, ROOT)
    assert encode_checkpoint(checkpoint) == TEXT
    assert parse_checkpoint(TEXT) == checkpoint


def test_the_empty_log_has_one_checkpoint() -> None:
    checkpoint = Checkpoint("log.example", 0, EMPTY_ROOT)
    text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert (encode_checkpoint(checkpoint), parse_checkpoint(text)) == (text, checkpoint)
    with pytest.raises(MalformedInput, match="empty log"):
        parse_checkpoint(f"log.example\n0\n{ROOT64}\n")


def test_the_largest_log() -> None:
    text = f"log.example\n9223372036854775807\n{ROOT64}\n"
    assert encode_checkpoint(parse_checkpoint(text)) == text


BAD = {
    "empty": "",
    "two lines": "log.example\n1\n",
    "no final newline": TEXT[:-1],
    "an extension line": TEXT + "timestamp 1\n",
    "an empty extension line": TEXT + "\n",
    "a line before": "\n" + TEXT,
    "no origin": f"\n1\n{ROOT64}\n",
    "carriage returns": TEXT.replace("\n", "\r\n"),
    "a plus sign": f"log.example\n+1\n{ROOT64}\n",
    "a minus sign": f"log.example\n-1\n{ROOT64}\n",
    "a leading zero": f"log.example\n01\n{ROOT64}\n",
    "an underscore": f"log.example\n1_000\n{ROOT64}\n",
    "Arabic digits": f"log.example\n١٢\n{ROOT64}\n",
    "a space before the size": f"log.example\n 1\n{ROOT64}\n",
    "a space after the size": f"log.example\n1 \n{ROOT64}\n",
    "a hexadecimal size": f"log.example\n0x10\n{ROOT64}\n",
    "no size": f"log.example\n\n{ROOT64}\n",
    "a size beyond any": f"log.example\n{MAX_SIZE + 1}\n{ROOT64}\n",
    "31 bytes of root": f"log.example\n1\n{base64.b64encode(ROOT[:-1]).decode()}\n",
    "33 bytes of root": f"log.example\n1\n{base64.b64encode(ROOT + b'x').decode()}\n",
    "no root": "log.example\n1\n\n",
    "root without padding": f"log.example\n1\n{ROOT64.rstrip('=')}\n",
    "unused bits in the root": f"log.example\n1\n{ROOT64[:-2]}9=\n",
    "a space after the root": f"log.example\n1\n{ROOT64} \n",
    "root in hexadecimal": f"log.example\n1\n{ROOT.hex()}\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(MalformedInput, match="checkpoint"):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 1, ROOT),
        Checkpoint("a\nb", 1, ROOT),
        Checkpoint("a", -1, ROOT),
        Checkpoint("a", MAX_SIZE + 1, ROOT),
        Checkpoint("a", 1, ROOT[:-1]),
        Checkpoint("a", 0, ROOT),
    ],
)
def test_what_cannot_be_a_checkpoint_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(MalformedInput, match="checkpoint"):
        encode_checkpoint(checkpoint)


def test_a_signed_checkpoint_verifies() -> None:
    assert verify_checkpoint(LOG.sign(TEXT), vkey=LOG.vkey) == Checkpoint("log.example/2021", 70_000, ROOT)


def test_the_origin_is_pinned_too() -> None:
    """A key that signs for two logs must not let one stand for the other."""
    note = LOG.sign(TEXT.replace("log.example/2021", "log.example/2022"))
    with pytest.raises(MalformedInput, match=r"expected origin 'log\.example/2021', found 'log\.example/2022'"):
        verify_checkpoint(note, vkey=LOG.vkey)
    assert verify_checkpoint(note, vkey=LOG.vkey, origin="log.example/2022").tree_size == 70_000
    with pytest.raises(MalformedInput, match="expected origin"):
        verify_checkpoint(LOG.sign(TEXT), vkey=LOG.vkey, origin="log.example/2022")


def test_a_checkpoint_by_another_key_does_not_hold() -> None:
    stranger = NoteSigner.from_seed("log.example/2021", b"\x02" * 32)
    with pytest.raises(SignatureDoesNotHold):
        verify_checkpoint(stranger.sign(TEXT), vkey=LOG.vkey)


def test_a_signed_text_that_is_no_checkpoint() -> None:
    with pytest.raises(MalformedInput, match="checkpoint"):
        verify_checkpoint(LOG.sign("log.example/2021\n"), vkey=LOG.vkey)
