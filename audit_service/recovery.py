"""Do database, journal and published files tell one story, and if not, what may be done about it?

| found | what happens |
|---|---|
| published ahead of the journal, or another root hash at one size | quarantine: signing could fork the log |
| the journal damaged, or of an earlier epoch than the database | quarantine |
| the database behind the journal, every missing entry in journal and tiles | rebuilt from them |
| the database behind the journal, entries missing for good | quarantine |
| the database ahead of the journal | signed: nobody was told about these entries yet |
| the journal ahead of what is published | the stored note is published, nothing is signed again |

Everything here only reads. In quarantine the log is served and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_service.errors import Quarantined
from audit_service.signing.signer import SignedHead
from verifier.bundles import decode_bundle
from verifier.checkpoints import verify_checkpoint
from verifier.errors import VerificationError
from verifier.hashing import leaf_hash
from verifier.right_edge import RightEdge
from verifier.tiles import TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audit_service.publication.layout import PublicFiles
    from audit_service.signing.journal_format import SignState
    from verifier.notes import VerifierKey

OTHER_JOURNAL = (
    "Put back the newest sign-state journal if there is a newer one. If it is lost, this log cannot go on: begin a new "
    "one that embeds the last checkpoint (`audit init --succeeds`)."
)
REBUILD = (
    "Stop the service and run `audit db rebuild`: it makes the database anew from tiles and journal. If bytes are lost "
    "for good, begin a new log that embeds the last checkpoint (`audit init --succeeds`)."
)
OTHER_FILES = "Put back the published files from a mirror, or run `audit fsck` to see which place is wrong."


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What the three stores say, as read at one moment.

    `root` gives the root hash of the first n recorded entries, for n up to `recorded_size`.
    """

    recorded_size: int
    recorded_epoch: int
    root: Callable[[int], bytes]
    journal_epoch: int
    signed: SignedHead | None
    published: SignedHead | None

    @property
    def signed_size(self) -> int:
        """Tree size of the newest signature, 0 if there is none."""
        return self.signed.size if self.signed else 0

    @property
    def published_size(self) -> int:
        """Tree size of `/log/checkpoint`, 0 if there is none."""
        return self.published.size if self.published else 0

    @property
    def is_behind(self) -> bool:
        """Does the database lack entries that were signed?"""
        return self.recorded_size < self.signed_size


def read_published(files: PublicFiles, vkey: VerifierKey) -> SignedHead | None:
    """The checkpoint that stands in the public folder, or None.

    Raises:
        Quarantined: what stands there is no checkpoint of this log.
    """
    try:
        note = files.checkpoint.read_bytes()
    except FileNotFoundError:
        return None
    try:
        checkpoint = verify_checkpoint(note, vkey=vkey)
    except VerificationError as error:
        raise Quarantined(f"the published file is not a checkpoint of this log: {error}", remedy=OTHER_FILES) from error
    return SignedHead(checkpoint.tree_size, checkpoint.root_hash, note)


def require_one_story(stores: Stores) -> None:
    """Compare everything that can be compared without the missing entries.

    Raises:
        Quarantined: the stores contradict each other.
    """
    signed, published = stores.signed, stores.published
    if published and published.size > stores.signed_size:
        raise Quarantined(
            f"a checkpoint over {published.size} entries is published, but the journal knows only "
            f"{stores.signed_size}: the journal was rolled back or replaced",
            remedy=OTHER_JOURNAL,
        )
    if stores.recorded_size and stores.recorded_epoch > stores.journal_epoch:
        # A takeover begins its epoch in the journal first, so no crash leaves it so.
        raise Quarantined(
            f"the database is of epoch {stores.recorded_epoch}, the journal of epoch {stores.journal_epoch}: "
            "the journal was rolled back or replaced",
            remedy=OTHER_JOURNAL,
        )
    if published and signed and published.size == signed.size and published.root != signed.root:
        raise Quarantined(
            f"published and signed checkpoint have other root hashes at size {signed.size}", remedy=OTHER_JOURNAL
        )
    for head, name in ((signed, "signed"), (published, "published")):
        if head and head.size <= stores.recorded_size and stores.root(head.size) != head.root:
            raise Quarantined(
                f"the database has another root hash at size {head.size} than the {name} checkpoint", remedy=REBUILD
            )


class MissingEntries:
    """The entries that journal and published bundles hold, to make the database whole again."""

    def __init__(
        self, files: PublicFiles, records: Sequence[SignState], *, published_size: int, signed_size: int
    ) -> None:
        self._files = files
        self._published_size = published_size
        self._signed_size = signed_size
        self._from_journal: dict[int, bytes] = {}
        for record in records:
            first = record.tree_size - len(record.entries)
            self._from_journal |= dict(enumerate(record.entries, first))

    def read(self, start: int) -> Iterator[list[bytes]]:
        """Entries [start, signed size), in parts.

        Raises:
            Quarantined: bytes are missing.
        """
        while start < self._signed_size:
            part = self._bundle(start) if start < self._published_size else self._rest(start)
            yield part
            start += len(part)

    def _bundle(self, start: int) -> list[bytes]:
        index, offset = divmod(start, TILE_WIDTH)
        width = min(TILE_WIDTH, self._published_size - index * TILE_WIDTH)
        for candidate in (width, TILE_WIDTH):
            path = self._files.bundle(index, candidate)
            if path.exists():
                try:
                    return decode_bundle(path.read_bytes(), expected=candidate)[offset:width]
                except VerificationError as error:
                    raise Quarantined(f"entry bundle {index} is damaged: {error}", remedy=REBUILD) from error
        return self._rest(start)

    def _rest(self, start: int) -> list[bytes]:
        part: list[bytes] = []
        while start + len(part) < self._signed_size and start + len(part) in self._from_journal:
            part.append(self._from_journal[start + len(part)])
        if not part:
            raise Quarantined(
                f"entry {start} was signed, but stands neither in the database, nor in a bundle, nor in the journal",
                remedy=REBUILD,
            )
        return part


def require_rebuildable(missing: MissingEntries, *, hashes: Sequence[bytes], signed: SignedHead) -> None:
    """Would the recorded leaf hashes and the missing entries together give the signed root?

    Raises:
        Quarantined: bytes are missing, or they give another root hash.
    """
    edge = RightEdge()
    edge.extend(hashes)
    for part in missing.read(edge.size):
        edge.extend([leaf_hash(entry) for entry in part])
    if (edge.size, edge.root()) != (signed.size, signed.root):
        raise Quarantined(
            f"the database is behind the journal, and tiles and journal do not lead to the signed root at size "
            f"{signed.size}",
            remedy=REBUILD,
        )
