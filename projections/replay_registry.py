"""What does the registry of a log say now: whose keys, which root keys, which witnesses? As whoever replays it sees it.

Every entry is hashed up to the signed root; those of `registry/log` alone are judged, since nothing else changes who
may write. An entry that nobody entitled signed is a violation, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from audit_service.catalogue.event import decode_entry
from audit_service.rules.world import LOG, read_log
from projections.replay_entries import EntryReplay
from projections.replay_tree import TreeWalk
from projections.replay_verdict import Findings
from verifier.checkpoints import Checkpoint, verify_checkpoint

if TYPE_CHECKING:
    from audit_service.rules.states import LogState
    from projections.log_source import LogSource
    from projections.replay_verdict import Violation
    from verifier.notes import VerifierKey


@dataclass(frozen=True, kw_only=True)
class RegistryView:
    """The registry after all entries under a checkpoint, and what does not hold on the way there."""

    checkpoint: Checkpoint
    state: LogState
    violations: list[Violation]


def replay_registry(source: LogSource, *, vkey: VerifierKey) -> RegistryView:
    """Replay what a log says about keys, from its pinned start.

    Raises:
        VerificationError: the checkpoint is not the pinned key's.
        LogSourceError: the checkpoint cannot be read.
    """
    checkpoint = verify_checkpoint(source.fetch_checkpoint(), vkey=vkey)
    findings = Findings()
    replay = EntryReplay(vkey=vkey, findings=findings)
    for first, entries in TreeWalk(source, checkpoint, findings, workers=0).bundles():
        for index, entry in enumerate(entries, first):
            if _is_about_the_log(entry):
                replay.take(index, entry)
    return RegistryView(checkpoint=checkpoint, state=read_log(replay.world), violations=findings.violations)


def _is_about_the_log(entry: bytes) -> bool:
    if b'"registry/log"' not in entry:
        return False
    try:
        return decode_entry(entry).subject == LOG
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return True  # let the replay say what it is
