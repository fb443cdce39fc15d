"""How does one process become the writer of a log: compare, begin an epoch, compare again, repair, sign what is not?

`audit_service.recovery` says what may be found and what it means; here is the order of the steps. Each of them leaves
something that the next start goes on from, wherever it is cut off.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from audit_service.errors import Quarantined
from audit_service.failpoints import reach
from audit_service.recording.rebuild import append_signed
from audit_service.recovery import (
    OTHER_JOURNAL,
    REBUILD,
    MissingEntries,
    Stores,
    read_published,
    require_one_story,
    require_rebuildable,
)

if TYPE_CHECKING:
    from audit_service.publication.layout import PublicFiles
    from audit_service.reading import LogReader
    from audit_service.recording.recorder import LedgerRecorder
    from audit_service.signing.signer import CheckpointSigner, SignedHead
    from audit_service.signing.stores import Journal
    from verifier.notes import VerifierKey

logger = logging.getLogger(__name__)


class Takeover:
    """The stores of one log, from opening to the first submission; `published` is the checkpoint that was found."""

    def __init__(
        self,
        *,
        recorder: LedgerRecorder,
        reader: LogReader,
        journal: Journal,
        signer: CheckpointSigner,
        files: PublicFiles,
        vkey: VerifierKey,
    ) -> None:
        self._recorder = recorder
        self._reader = reader
        self._journal = journal
        self._signer = signer
        self._files = files
        self._vkey = vkey
        self.published: SignedHead | None = None

    def compare(self) -> Quarantined | None:
        """Do database, journal and published checkpoint tell one story? Reads all three; writes nothing."""
        self.published = None
        try:
            if self._journal.damage is not None:
                raise Quarantined(str(self._journal.damage), remedy=OTHER_JOURNAL)
            self.published = read_published(self._files, self._vkey)
            self._reader.load(self._recorder.head())
            stores = self._stores()
            require_one_story(stores)
            if stores.signed is not None and stores.is_behind:
                hashes = [self._reader.subtree(0, index) for index in range(stores.recorded_size)]
                require_rebuildable(self._missing(stores), hashes=hashes, signed=stores.signed)
        except Quarantined as contradiction:
            contradiction.remedy = contradiction.remedy or REBUILD
            return contradiction
        return None

    def _stores(self) -> Stores:
        return Stores(
            recorded_size=self._reader.tree_size,
            recorded_epoch=self._recorder.head().epoch,
            journal_epoch=self._journal.epoch,
            root=self._reader.root,
            signed=self._signer.last,
            published=self.published,
        )

    def _missing(self, stores: Stores) -> MissingEntries:
        return MissingEntries(
            self._files,
            self._journal.records,
            published_size=stores.published_size,
            signed_size=stores.signed_size,
        )

    def begin_epoch(self) -> int:
        """Begin a new epoch in journal and database: from here on nobody else writes.

        What another process wrote until then is final now, and is compared again.
        """
        epoch = self._journal.take_over(self._recorder.head().epoch + 1)
        self._recorder.begin_epoch(epoch)
        self._signer.begin_epoch(epoch)
        contradiction = self.compare()
        if contradiction is not None:
            raise contradiction
        return epoch

    def recover(self, epoch: int) -> None:
        """Repair what may be repaired, in an order in which a crash anywhere leaves it for the next start."""
        stores = self._stores()
        if stores.is_behind:
            logger.warning(
                "the database is behind the journal: rebuilding it from tiles and journal",
                extra={"tree_size": stores.recorded_size, "signed_size": stores.signed_size},
            )
            missing = self._missing(stores).read(stores.recorded_size)
            append_signed(self._recorder, missing, start=stores.recorded_size, epoch=epoch)
            self._reader.load(self._recorder.head())
            stores = self._stores()
            require_one_story(stores)
            if stores.is_behind:
                raise Quarantined(f"rebuilding the database ended at size {stores.recorded_size}", remedy=REBUILD)
        self._sign_recorded()

    def _sign_recorded(self) -> None:
        head = self._recorder.head()
        signed_size = self._stores().signed_size
        if head.tree_size > signed_size:
            if reach("recover.before-sign"):
                return
            self._signer.sign(
                tree_size=head.tree_size,
                root_hash=head.root_hash,
                entries=self._reader.entries(signed_size, head.tree_size),
                consistency=self._reader.consistency(signed_size, head.tree_size) if signed_size else [],
            )
            reach("recover.after-sign")
            logger.info("signed what was recorded before the stop", extra={"tree_size": head.tree_size})
