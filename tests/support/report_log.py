"""What does a city publish and show that binds itself to reports, and what does one that lies?

A `LogBuilder` log, reports signed by the real publisher's key, and what the service shows: rows with their proofs. All
trees are built by the verifier alone, over whatever rows the city chooses: a liar has no need of an honest prover.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projections.reports.definitions import ReportRef, definition_of
from projections.reports.reproduction import reproduce
from projections.saved_reports import report_path
from tests.support import trees
from tests.support.log_builder import CITY, LogBuilder, small_log, write_file
from verifier.checkpoints import Checkpoint, encode_checkpoint
from verifier.hashing import leaf_hash
from verifier.reports import compute_rows_root, row_order
from verifier.row_proofs import ABSENT, PRESENT, PlacedRow, RowProof, encode_row_proof
from verifier.stream_proofs import ALL, STREAM_HEADS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SETTLEMENT = ReportRef("settlement", "roads")
REGISTER = ReportRef("contract-register", ALL)
HEADS = ReportRef(STREAM_HEADS, ALL)


def key_of(row: bytes) -> str:
    key: str = json.loads(row)["key"]
    return key


@dataclass(frozen=True)
class Shown:
    """A published report as the city shows it: the index of its entry, its tree size, and its rows."""

    ref: ReportRef
    index: int
    tree_size: int
    rows: tuple[bytes, ...]


class ReportingCity:
    """A log with reports in it; `forge` publishes rows of the city's own choice."""

    def __init__(self, log: LogBuilder | None = None) -> None:
        self.log = small_log() if log is None else log

    def right_rows(self, ref: ReportRef, tree_size: int) -> list[bytes]:
        """The rows that the entries before a tree size give."""
        (found,) = reproduce([self.log.entries], {tree_size: [ref]})
        return found[2].rows

    def publish(self, ref: ReportRef) -> Shown:
        """Publish what is right, of everything so far."""
        return self.forge(ref, self.right_rows(ref, len(self.log.entries)))

    def forge(self, ref: ReportRef, rows: Sequence[bytes], **data: Any) -> Shown:
        """Publish these rows, signed by the real publisher's key."""
        size, definition = len(self.log.entries), definition_of(ref.kind)
        payload = {
            "kind": ref.kind,
            "key": ref.key,
            "tree_size": size,
            "row_count": len(rows),
            "rows_root": compute_rows_root(rows).hex(),
            "definition": {"name": definition.name, "version": definition.version, "sha256": definition.sha256},
            **data,
        }
        index = self.log.submit("report.published.v1", ref.subject, payload, source=CITY, key="publisher")
        return Shown(ref, index, payload["tree_size"], tuple(rows))

    # --- what the service shows ---

    def prove(self, shown: Shown, row_key: str) -> bytes:
        """The row proof that a service makes from the rows that it has, right or not."""
        rows = shown.rows
        leaves = tuple(leaf_hash(row) for row in rows)
        keys = [row_order(key_of(row)) for row in rows]
        asked = row_order(row_key)
        present = asked in keys
        after = sum(1 for key in keys if key < asked)
        places = [keys.index(asked)] if present else [n for n in (after - 1, after) if 0 <= n < len(rows)]
        log = tuple(leaf_hash(entry) for entry in self.log.entries)
        note = self.log.signer.sign(encode_checkpoint(Checkpoint(self.log.signer.vkey.name, len(log), trees.root(log))))
        return encode_row_proof(
            RowProof(
                claim=PRESENT if present else ABSENT,
                row_key=row_key,
                rows=tuple(PlacedRow(rows[n], n, tuple(trees.path(n, leaves))) for n in places),
                entry=self.log.entries[shown.index],
                index=shown.index,
                inclusion=tuple(trees.path(shown.index, log)),
                checkpoint=note,
            )
        )

    def save(self, directory: Path, *reports: Shown) -> None:
        """What `audit mirror` takes away: the log, and the reports as the service shows them."""
        self.log.publish(directory)
        for shown in reports:
            root = json.loads(self.log.entries[shown.index])["data"]["rows_root"]
            document = {
                "kind": shown.ref.kind,
                "key": shown.ref.key,
                "tree_size": shown.tree_size,
                "rows_root": root,
                "entry": shown.index,
                "rows": [json.loads(row) for row in shown.rows],
            }
            write_file(report_path(directory / "reports", shown.ref), json.dumps(document).encode())
