"""How does one transaction of a sealed batch prove its place, without the thousands beside it?

The tree is built by the same untrusted prover as a report's. Its root must be ours and the signed manifest's, each path
is checked before it leaves, and so is the whole file. Trees are kept while they are asked for, a few of them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from audit_service.closed_trees import MerklelibTree
from audit_service.errors import NotInLog, Overloaded
from verifier.batch_proofs import (
    MANIFEST_TYPE,
    TRANSACTION_TYPE,
    BatchProof,
    encode_batch_proof,
    parse_manifest_entry,
    verify_batch_proof,
)
from verifier.closed_trees import CheckedTree
from verifier.envelope import SERVICE_ATTRIBUTES, parse_entry
from verifier.errors import ProofDoesNotHold
from verifier.hashing import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.ports import Ledger
    from verifier.batch_proofs import SealedBatch
    from verifier.closed_trees import Prover

MAX_BATCH_COUNT = 25_000
KEPT_BATCHES = 4
WAIT_S = 10.0
_NO_TRANSACTION = (
    "this entry is no transaction of a sealed batch; what it proves by itself is at /v1/events/{index}/proof"
)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class _Batch(NamedTuple):
    """A batch with its manifest's entry, its submissions in order, and their tree."""

    manifest_entry: bytes
    batch: SealedBatch
    submissions: Sequence[bytes]
    tree: CheckedTree


class BatchTrees:
    """The trees of sealed batches; safe to use from many threads."""

    def __init__(self, ledger: Ledger, *, prover: Prover = MerklelibTree, wait_s: float = WAIT_S) -> None:
        self._ledger = ledger
        self._prover = prover
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Batch] = OrderedDict()

    def prove(self, index: int) -> bytes:
        """The batch proof of the transaction whose entry is at `index`, which is signed.

        Raises:
            NotInLog: the entry is not of a sealed batch, or the batch is not signed to its end.
            Overloaded: other batches are being prepared; the caller may come again.
            VerificationError: what the log holds is not what the manifest was signed for, or the prover is broken.
        """
        number = _number_in_batch(self._ledger.reader.entry(index))
        if not 1 <= number <= min(index, MAX_BATCH_COUNT):
            raise NotInLog(_NO_TRANSACTION)
        known = self._batch_at(index - number)
        if number > known.batch.count:
            raise NotInLog(_NO_TRANSACTION)
        proof = encode_batch_proof(
            BatchProof(
                index=index - number,
                number=number,
                count=known.batch.count,
                submission=known.submissions[number - 1],
                path=known.tree.path(number - 1),
                root=known.batch.root,
            )
        )
        verify_batch_proof(proof, manifest_entry=known.manifest_entry, manifest_index=index - number)
        return proof

    def _batch_at(self, index: int) -> _Batch:
        # One is built at a time: many that want different ones must not keep the processor from everything else.
        if not self._lock.acquire(timeout=self._wait_s):
            raise Overloaded("another large batch is being prepared", retry_after_s=2)
        try:
            known = self._kept.get(index)
            if known is None:
                known = self._kept[index] = self._build(index)
            self._kept.move_to_end(index)
            while len(self._kept) > KEPT_BATCHES:
                self._kept.popitem(last=False)
            return known
        finally:
            self._lock.release()

    def _build(self, index: int) -> _Batch:
        manifest_entry = self._ledger.reader.entry(index)
        if parse_entry(manifest_entry)["type"] != MANIFEST_TYPE:
            raise NotInLog(_NO_TRANSACTION)
        batch = parse_manifest_entry(manifest_entry)
        stop = index + 1 + batch.count
        if batch.count > MAX_BATCH_COUNT or stop > self._ledger.signed().size:
            raise NotInLog("the batch of this entry is not signed to its end")
        submissions = [_submission_of(entry) for entry in self._ledger.reader.entries(index + 1, stop)]
        tree = CheckedTree([leaf_hash(submission) for submission in submissions], self._prover)
        if (tree.size, tree.root) != (batch.count, batch.root):
            raise ProofDoesNotHold(f"batch at index {index}: its transactions do not have the manifest's root")
        return _Batch(manifest_entry, batch, submissions, tree)


def _number_in_batch(entry: bytes) -> int:
    """The n of the id `<batch id>/<n>` of a transaction."""
    attributes = parse_entry(entry)
    digits = attributes["id"].rpartition("/")[2]
    if attributes["type"] != TRANSACTION_TYPE or not digits.isascii() or not digits.isdigit():
        raise NotInLog(_NO_TRANSACTION)
    return int(digits)


def _submission_of(entry: bytes) -> bytes:
    """The canonical submission of an entry: members stay in their order, so what is left is canonical too."""
    attributes = _decode(entry)
    for name in SERVICE_ATTRIBUTES:
        del attributes[name]
    return _encode(attributes)
