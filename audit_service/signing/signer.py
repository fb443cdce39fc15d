"""When may the log's key sign a checkpoint, and what must be durable before anybody sees it?

The signer never signs a smaller size, nor another root hash at the same size, nor a larger size that does not
provably continue the last one: whoever asks must show the consistency proof (RFC 9162 section 2.1.4), however much it
is trusted otherwise. The signature counts only once its record stands in the journal: a note that is not in the
journal is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_service import metrics
from audit_service.errors import Quarantined
from audit_service.signing.journal_format import SignState
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.errors import VerificationError
from verifier.tree import verify_consistency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_service.signing.stores import Journal
    from verifier.notes import NoteSigner


class SignedHead(NamedTuple):
    """A signed checkpoint: tree size, root hash, and the note (bytes) with the log's signature."""

    size: int
    root: bytes
    note: bytes


class CheckpointSigner:
    """Signs the heads of one log; the only holder of the log's private key."""

    def __init__(self, key: NoteSigner, journal: Journal, *, origin: str) -> None:
        self._key = key
        self._journal = journal
        self._origin = origin
        # 0 signs nothing: the journal of a log that may be written has an epoch of at least 1.
        self._epoch = 0

    def begin_epoch(self, epoch: int) -> None:
        """Sign in this epoch from now on: the one that the journal was taken over with."""
        self._epoch = epoch

    @property
    def last(self) -> SignedHead | None:
        """What was signed last, or None for a log that has never signed."""
        last = self._journal.last
        return SignedHead(last.tree_size, last.root_hash, last.note) if last and last.tree_size else None

    def settle(self) -> bool:
        """Did a signature become durable although the answer to it was lost? Taken in, if it did just now."""
        return self._journal.settle()

    @metrics.SIGN.time()
    def sign(
        self, *, tree_size: int, root_hash: bytes, entries: list[bytes], consistency: Sequence[bytes]
    ) -> SignedHead:
        """Sign a head that has been recorded.

        `entries` are those since the last signed size, `consistency` the proof that the log of that size is a prefix
        of this one (empty if nothing was signed yet).

        Raises:
            Quarantined: the size goes back, the root differs at the same size, the entries do not fill the gap, or
                the proof does not hold.
            JournalFull: there is no room for the journal's record.
        """
        last = self.last
        last_size = last.size if last else 0
        if last and tree_size == last_size and root_hash == last.root:
            return last
        if tree_size <= last_size:
            raise Quarantined(
                f"asked to sign size {tree_size}, but size {last_size} was signed already"
                + (" with another root hash" if tree_size == last_size else "")
            )
        if tree_size - last_size != len(entries):
            raise Quarantined(f"{len(entries)} entries cannot lead from size {last_size} to {tree_size}")
        if last:
            _require_consistency(last, tree_size=tree_size, root_hash=root_hash, proof=consistency)
        text = encode_checkpoint(Checkpoint(origin=self._origin, tree_size=tree_size, root_hash=root_hash))
        note = self._key.sign(text)
        self._journal.append(
            SignState(self._epoch, tree_size, root_hash, note, entries),
            expected_epoch=self._epoch,
            expected_size=last_size,
        )
        return SignedHead(tree_size, root_hash, note)


def _require_consistency(last: SignedHead, *, tree_size: int, root_hash: bytes, proof: Sequence[bytes]) -> None:
    try:
        verify_consistency(old_size=last.size, new_size=tree_size, old_root=last.root, new_root=root_hash, proof=proof)
    except VerificationError as error:
        raise Quarantined(f"size {tree_size} is not shown to continue size {last.size}: {error}") from error
