"""Which files are log proofs, and what do they prove?"""

from __future__ import annotations

import base64

import pytest

from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.errors import MalformedInput, ProofDoesNotHold, SignatureDoesNotHold
from verifier.hashing import leaf_hash
from verifier.notes import NoteSigner
from verifier.proofs import MAX_HASHES, MAX_PROOF_BYTES, LogProof, encode_log_proof, parse_log_proof, verify_log_proof
from verifier.subtrees import SubtreeHashes
from verifier.tree import inclusion_proof

LOG = NoteSigner.from_seed("log.example", b"\x01" * 32)
ENTRIES = [b"entry %d" % number for number in range(7)]
TREE = SubtreeHashes([leaf_hash(entry) for entry in ENTRIES])


def _checkpoint(size: int = 7, signer: NoteSigner = LOG) -> bytes:
    return signer.sign(encode_checkpoint(Checkpoint("log.example", size, TREE.root(size))))


def _proof(index: int, size: int = 7) -> LogProof:
    hashes = tuple(inclusion_proof(index, tree_size=size, read=TREE.read))
    return LogProof(index=index, hashes=hashes, checkpoint=_checkpoint(size))


NODE = base64.b64encode(b"\x00" * 32).decode()
GOOD = encode_log_proof(_proof(2))


def test_every_entry_verifies_at_every_size() -> None:
    for size in range(1, 8):
        for index in range(size):
            file = encode_log_proof(_proof(index, size))
            verified = verify_log_proof(file, entry=ENTRIES[index], vkey=LOG.vkey)
            assert (verified.index, verified.checkpoint.tree_size) == (index, size)


def test_the_bytes_of_a_proof() -> None:
    lines = GOOD.decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 2"]
    assert [base64.b64decode(line) for line in lines[2:5]] == list(_proof(2).hashes)
    assert "\n".join(["", *lines[6:]]).encode() == b"\n" + _checkpoint()
    assert lines[5] == ""
    assert parse_log_proof(GOOD) == _proof(2)


def test_a_log_of_one_entry_needs_no_hashes() -> None:
    file = encode_log_proof(_proof(0, 1))
    assert file.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example\n1\n")
    assert verify_log_proof(file, entry=ENTRIES[0], vkey=LOG.vkey).index == 0


@pytest.mark.parametrize("extra", [b"", b"anything\n\n"])
def test_extra_data_is_carried_and_proves_nothing(extra: bytes) -> None:
    proof = _proof(2)
    carrying = LogProof(proof.index, proof.hashes, proof.checkpoint, extra)
    file = encode_log_proof(carrying)
    assert parse_log_proof(file) == carrying
    assert verify_log_proof(file, entry=ENTRIES[2], vkey=LOG.vkey).index == 2


def test_another_entry_index_or_checkpoint_does_not_hold() -> None:
    for index in range(7):
        for other in set(range(7)) - {index}:
            file = encode_log_proof(_proof(index))
            with pytest.raises(ProofDoesNotHold):
                verify_log_proof(file, entry=ENTRIES[other], vkey=LOG.vkey)
            moved = file.replace(b"index %d\n" % index, b"index %d\n" % other)
            with pytest.raises(ProofDoesNotHold):
                verify_log_proof(moved, entry=ENTRIES[index], vkey=LOG.vkey)
    stale = LogProof(2, _proof(2).hashes, _checkpoint(6))
    with pytest.raises(ProofDoesNotHold):
        verify_log_proof(encode_log_proof(stale), entry=ENTRIES[2], vkey=LOG.vkey)


def test_an_index_beyond_the_checkpoint_is_malformed() -> None:
    with pytest.raises(MalformedInput, match="expected 0 to 6 at tree size 7, found 7"):
        verify_log_proof(GOOD.replace(b"index 2", b"index 7"), entry=ENTRIES[2], vkey=LOG.vkey)


def test_the_two_children_of_a_node_are_no_entry() -> None:
    """64 bytes that hash to the inner node, were it not for the first byte."""
    inner = TREE.read(0, 2) + TREE.read(0, 3)
    for hashes in (_proof(2).hashes[1:], _proof(2).hashes):
        for index in range(7):
            file = encode_log_proof(LogProof(index, hashes, _checkpoint()))
            with pytest.raises(ProofDoesNotHold):
                verify_log_proof(file, entry=inner, vkey=LOG.vkey)


def test_a_checkpoint_by_another_key_does_not_hold() -> None:
    stranger = NoteSigner.from_seed("log.example", b"\x02" * 32)
    file = encode_log_proof(LogProof(2, _proof(2).hashes, _checkpoint(signer=stranger)))
    with pytest.raises(SignatureDoesNotHold):
        verify_log_proof(file, entry=ENTRIES[2], vkey=LOG.vkey)
    with pytest.raises(MalformedInput, match="origin"):
        verify_log_proof(GOOD, entry=ENTRIES[2], vkey=LOG.vkey, origin="other.example")


HEAD = "c2sp.org/tlog-proof@v1\n"
REST = "\nlog.example\n…"
BAD = {
    "empty": "",
    "header only": HEAD,
    "no checkpoint": f"{HEAD}index 0\n{NODE}\n",
    "an empty checkpoint": f"{HEAD}index 0\n{NODE}\n\n",
    "another version": f"c2sp.org/tlog-proof@v2\nindex 0\n{REST}",
    "a space after the header": f"c2sp.org/tlog-proof@v1 \nindex 0\n{REST}",
    "a byte order mark": f"\ufeff{HEAD}index 0\n{REST}",
    "a line before the header": f"\n{HEAD}index 0\n{REST}",
    "carriage returns": f"{HEAD}index 0\n{REST}".replace("\n", "\r\n"),
    "nothing between header and checkpoint": f"{HEAD}{REST}",
    "no index": f"{HEAD}{NODE}\n{REST}",
    "two indices": f"{HEAD}index 0\nindex 0\n{REST}",
    "index without a number": f"{HEAD}index \n{REST}",
    "index without a space": f"{HEAD}index0\n{REST}",
    "index with two spaces": f"{HEAD}index  0\n{REST}",
    "index with a sign": f"{HEAD}index +1\n{REST}",
    "index with a leading zero": f"{HEAD}index 01\n{REST}",
    "index with Arabic digits": f"{HEAD}index ١\n{REST}",
    "index with a space after": f"{HEAD}index 1 \n{REST}",
    "index beyond any": f"{HEAD}index {2**63}\n{REST}",
    "extra after the index": f"{HEAD}index 0\nextra AAAA\n{REST}",
    "extra twice": f"{HEAD}extra AAAA\nextra AAAA\nindex 0\n{REST}",
    "extra not base64": f"{HEAD}extra AAA\nindex 0\n{REST}",
    "extra with unused bits": f"{HEAD}extra AB==\nindex 0\n{REST}",
    "a short hash": f"{HEAD}index 0\n{base64.b64encode(b'x' * 31).decode()}\n{REST}",
    "a long hash": f"{HEAD}index 0\n{base64.b64encode(b'x' * 33).decode()}\n{REST}",
    "a hash without padding": f"{HEAD}index 0\n{NODE.rstrip('=')}\n{REST}",
    "a hash with a space": f"{HEAD}index 0\n {NODE}\n{REST}",
    "a hash with unused bits": f"{HEAD}index 0\n{NODE[:-2]}B=\n{REST}",
    "too many hashes": f"{HEAD}index 0\n" + f"{NODE}\n" * (MAX_HASHES + 1) + REST,
    "text outside ASCII": f"{HEAD}index 0\né\n{REST}",
    "too long": f"{HEAD}index 0\n{REST}" + "x" * MAX_PROOF_BYTES,
}


@pytest.mark.parametrize("file", BAD.values(), ids=BAD.keys())
def test_what_is_no_proof(file: str) -> None:
    with pytest.raises(MalformedInput):
        parse_log_proof(file.encode())


def test_the_longest_proof() -> None:
    head = f"{HEAD}index 0\n" + f"{NODE}\n" * 63 + "\n"
    assert len(parse_log_proof(f"{head}…".encode()).hashes) == 63
    file = head.encode() + b"x" * (1_100_000 - len(head))
    assert len(parse_log_proof(file).checkpoint) == 1_100_000 - len(head)
    with pytest.raises(MalformedInput, match="at most 1100000 bytes, found 1100001"):
        parse_log_proof(file + b"x")


def test_what_cannot_be_a_proof_is_not_written() -> None:
    with pytest.raises(MalformedInput, match="index"):
        encode_log_proof(LogProof(-1, (), b"x"))
    with pytest.raises(MalformedInput, match="32 bytes"):
        encode_log_proof(LogProof(0, (b"short",), b"x"))
