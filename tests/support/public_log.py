"""Is what a city publishes one whole log? Judged by `verifier/` on the public files alone.

The judge knows the verifier key from outside and reads nothing but `public/log`: every bundle, every tile, the
checkpoint; and what people hold in their hands: receipts and checkpoints that were given out at any time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from verifier.bundles import decode_bundle
from verifier.checkpoints import verify_checkpoint
from verifier.errors import VerificationError
from verifier.hashing import leaf_hash
from verifier.notes import VerifierKey
from verifier.subtrees import SubtreeHashes
from verifier.tiles import TILE_WIDTH, Tile, bundle_path, bundles_for_size, tile_bytes, tile_path, tiles_for_size
from verifier.tree import consistency_proof, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Receipt(NamedTuple):
    """What an agency holds: its id of the event, the index that was promised, the checkpoint's note."""

    event_id: str
    index: int
    note: bytes


@dataclass(slots=True)
class PublicLog:
    """What was read: size, hashes and ids of the published log, and everything that is wrong with it."""

    size: int
    hashes: SubtreeHashes
    ids: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def read_checkpoint(data_dir: Path) -> bytes | None:
    """The published note, or None."""
    try:
        return (data_dir / "public/log/checkpoint").read_bytes()
    except FileNotFoundError:
        return None


def judge(data_dir: Path, *, receipts: Iterable[Receipt] = (), notes: Iterable[bytes] = ()) -> PublicLog:
    """Read the whole public log and hold it against what was given out.

    `receipts` were acknowledged, `notes` are checkpoints seen at any time.
    """
    vkey = VerifierKey.parse((data_dir / "log.vkey").read_text().strip())
    log = PublicLog(0, SubtreeHashes())
    note = read_checkpoint(data_dir)
    if note is None:
        log.findings.append("no checkpoint is published")
        return log
    try:
        checkpoint = verify_checkpoint(note, vkey=vkey)
        log.size = checkpoint.tree_size
        _read_bundles(data_dir, log)
        if log.hashes.root() != checkpoint.root_hash:
            log.findings.append(f"the entries do not give the published root at size {log.size}")
        _read_tiles(data_dir, log)
    except (VerificationError, OSError, LookupError) as error:
        log.findings.append(f"the public log cannot be read: {type(error).__name__}: {error}")
        return log
    seen = {}
    receipts = list(receipts)
    for given in [*notes, *(receipt.note for receipt in receipts), note]:
        found = verify_checkpoint(given, vkey=vkey)
        if seen.setdefault(found.tree_size, found.root_hash) != found.root_hash:
            log.findings.append(f"two roots were signed for size {found.tree_size}")
    _require_consistent(log, seen)
    for receipt in receipts:
        if log.ids.get(receipt.event_id) != receipt.index:
            log.findings.append(
                f"{receipt.event_id} was acknowledged as entry {receipt.index}; in the public log of size {log.size} "
                f"it is {log.ids.get(receipt.event_id)}"
            )
    return log


def _read_bundles(data_dir: Path, log: PublicLog) -> None:
    for bundle in bundles_for_size(0, log.size):
        data = (data_dir / "public/log" / bundle_path(bundle.index, bundle.width)).read_bytes()
        entries = decode_bundle(data, expected=bundle.width)
        log.hashes.extend([leaf_hash(entry) for entry in entries])
        for index, entry in enumerate(entries, bundle.index * TILE_WIDTH):
            event_id = json.loads(entry)["id"]
            if event_id in log.ids:
                log.findings.append(f"{event_id} stands in the log twice")
            log.ids[event_id] = index


def _read_tiles(data_dir: Path, log: PublicLog) -> None:
    for tile in tiles_for_size(0, log.size):
        data = (data_dir / "public/log" / tile_path(Tile(tile.level, tile.index, tile.width))).read_bytes()
        if data != tile_bytes(tile, log.hashes.read):
            log.findings.append(f"{tile_path(tile)} does not hold the hashes of the entries")


def _require_consistent(log: PublicLog, roots: dict[int, bytes]) -> None:
    """Each checkpoint continues the one before it, as anybody who keeps the older one would check.

    Consistency is transitive, and every root is compared with the entries besides: so all pairs hold.
    """
    for size, root in sorted(roots.items()):
        if size > log.size:
            log.findings.append(f"a checkpoint of size {size} was given out, but only {log.size} entries are public")
        elif log.hashes.root(size) != root:
            log.findings.append(f"the checkpoint of size {size} is of another log")
    for (old_size, old_root), (new_size, new_root) in pairwise(sorted(roots.items())):
        if new_size > log.size:
            return
        proof = consistency_proof(old_size=old_size, new_size=new_size, read=log.hashes.read)
        try:
            verify_consistency(old_size=old_size, new_size=new_size, old_root=old_root, new_root=new_root, proof=proof)
        except VerificationError as error:
            log.findings.append(str(error))
