"""Builds of the service that are wrong on purpose: each harness must turn red for the ones that it is there to find."""

from __future__ import annotations

import os
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from audit_service import files
from audit_service.publication import publisher
from audit_service.recording import recorder as recording
from audit_service.recording.recorder import LedgerRecorder
from audit_service.signing import journal, signer
from audit_service.signing.journal import SignStateJournal
from audit_service.writer import SubmissionResult, Writer
from verifier.hashing import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from eventsourcing.persistence import StoredEvent


def acknowledge_before_commit(_: object) -> None:
    """Every caller has an answer as soon as the rules allow its event; then it is recorded and signed."""
    process, decide = Writer._process, Writer._decide

    def answer_first(writer: Writer, group: list[Any]) -> None:
        shadows = [request._replace(future=Future()) for request in group]
        waiting = {id(shadow): request.future for shadow, request in zip(shadows, group, strict=True)}

        def decide_and_answer(work: Any, request: Any) -> Any:
            outcomes = decide(writer, work, request)
            head = writer._signer.last
            waiting[id(request)].set_result(SubmissionResult(outcomes, head))  # type: ignore[arg-type]
            return outcomes

        writer._decide = decide_and_answer  # type: ignore[method-assign]
        process(writer, shadows)

    Writer._process = answer_first  # type: ignore[method-assign]


def sign_before_commit(_: object) -> None:
    """The head is signed while its entries are not yet committed."""
    insert, sign = LedgerRecorder.insert_events, signer.CheckpointSigner.sign
    signers: list[Any] = []
    init = signer.CheckpointSigner.__init__

    def remember(self: Any, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        signers[:] = [self]

    def sign_first(recorder: LedgerRecorder, stored: Sequence[StoredEvent], **options: Any) -> Sequence[int]:
        if signers and signers[0]._epoch:
            with recorder._writer.begin() as connection:
                head, edge = recording._locked_head(connection)
            edge.extend([leaf_hash(event.state) for event in stored])
            sign(
                signers[0],
                tree_size=head.tree_size + len(stored),
                root_hash=edge.root(),
                entries=[event.state for event in stored],
                consistency=[],
            )
        return insert(recorder, stored, **options)

    signer.CheckpointSigner.__init__ = remember  # type: ignore[method-assign,assignment]
    signer._require_consistency = lambda *_, **__: None
    LedgerRecorder.insert_events = sign_first  # type: ignore[method-assign,assignment]


def no_folder_sync(_: object) -> None:
    """Files are synced, their names are not."""
    for module in (files, journal, publisher):
        module.fsync_folder = lambda _: None  # type: ignore[attr-defined]


def no_file_sync(_: object) -> None:
    """Names are synced, the bytes behind them are not."""
    files.sync = lambda _: None  # type: ignore[assignment]
    files.fsync_folder = journal.fsync_folder = publisher.fsync_folder = _real_fsync_folder
    journal._sync_data = lambda _: None


def _real_fsync_folder(folder: Path) -> None:
    descriptor = files.os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    files.os.fsync(descriptor)
    files.os.close(descriptor)


def no_epoch(_: object) -> None:
    """Nobody compares the epoch: a writer that was taken over from goes on writing."""
    recording._require_head = lambda *_: None
    recording._UPDATE_HEAD = recording._UPDATE_HEAD.replace("AND epoch = ?", "AND ? > 0")
    SignStateJournal.require_mine = lambda _: None  # type: ignore[method-assign]


def checkpoint_before_tiles(_: object) -> None:
    """The checkpoint is public before the tiles and bundles that it names."""
    publish = publisher.Publisher.publish

    def checkpoint_first(self: Any, head: Any) -> None:
        files.write_durably(self._files.checkpoint, head.note)
        publish(self, head)

    publisher.Publisher.publish = checkpoint_first  # type: ignore[method-assign]


BROKEN: dict[str, Callable[[Any], None]] = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "sign-before-commit": sign_before_commit,
    "checkpoint-before-tiles": checkpoint_before_tiles,
    "no-folder-sync": no_folder_sync,
    "no-file-sync": no_file_sync,
    "no-epoch": no_epoch,
}
