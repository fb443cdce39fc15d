"""When may the log's key sign a checkpoint, and what must be durable before anybody sees it?

The signer never signs a smaller size, nor another root hash at the same size. The signature counts only
once its record stands in the journal: a note that is not in the journal is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_service import metrics
from audit_service.errors import Quarantined
from audit_service.signing.journal import SignState, SignStateJournal
from verifier.checkpoints import Checkpoint, encode_checkpoint

if TYPE_CHECKING:
    from verifier.notes import NoteSigner


class SignedHead(NamedTuple):
    """A signed checkpoint: tree size, root hash, and the note (bytes) with the log's signature."""

    size: int
    root: bytes
    note: bytes


class CheckpointSigner:
    """Signs the heads of one log; the only holder of the log's private key."""

    def __init__(self, key: NoteSigner, journal: SignStateJournal, *, origin: str, epoch: int = 1) -> None:
        self._key = key
        self._journal = journal
        self._origin = origin
        self._epoch = epoch

    @property
    def last(self) -> SignedHead | None:
        """What was signed last, or None for a log that has never signed."""
        last = self._journal.last
        return SignedHead(last.tree_size, last.root_hash, last.note) if last else None

    @metrics.SIGN.time()
    def sign(self, *, tree_size: int, root_hash: bytes, entries: list[bytes]) -> SignedHead:
        """Sign a head that has been recorded; `entries` are those since the last signed size.

        Raises:
            Quarantined: the size goes back, the root differs at the same size, or the entries do not fill the gap.
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
        text = encode_checkpoint(Checkpoint(origin=self._origin, tree_size=tree_size, root_hash=root_hash))
        note = self._key.sign(text)
        self._journal.append(
            SignState(self._epoch, tree_size, root_hash, note, entries),
            expected_epoch=self._epoch,
            expected_size=last_size,
        )
        return SignedHead(tree_size, root_hash, note)
