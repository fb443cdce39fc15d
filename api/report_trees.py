"""Which rows has a published report, and how is one of them proven down to the checkpoint?

The rows come from the read model and the paths from merklelib; neither is trusted. A tree whose root is not the one
that the log commits to is never served, and every path is checked before it leaves (`verifier.closed_trees`). Trees
are kept in memory while they are asked for, up to so many rows in all.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from audit_service.closed_trees import build_closed_tree
from audit_service.errors import NotInLog, ReportRowsDamaged
from verifier.errors import VerificationError
from verifier.row_proofs import ABSENT, PRESENT, PlacedRow, RowProof, encode_row_proof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.ports import Ledger
    from projections.read_models.reports import ReportRows
    from projections.reports.found import FoundReport
    from verifier.closed_trees import CheckedTree

MAX_KEPT_ROWS = 300_000


class RowsOf(NamedTuple):
    """A published report with its rows in order and their tree."""

    found: FoundReport
    keys: Sequence[str]
    rows: Sequence[bytes]
    tree: CheckedTree


class ReportTrees:
    """The rows of published reports with their trees; safe to use from many threads."""

    def __init__(self, rows: ReportRows, *, max_kept_rows: int = MAX_KEPT_ROWS) -> None:
        self._rows = rows
        self._max = max_kept_rows
        self._kept: OrderedDict[tuple[str, str, int], RowsOf] = OrderedDict()
        self._lock = threading.Lock()

    def rows_of(self, found: FoundReport) -> RowsOf:
        """The rows of a published report.

        Raises:
            NotInLog: its rows are not kept here.
            ReportRowsDamaged: what is kept is not what the log commits to.
        """
        name = (*found.ref, found.report.tree_size)
        with self._lock:  # one at a time: two that want the same large tree must not build it twice
            known = self._kept.get(name)
            if known is None:
                known = self._build(found)
                self._kept[name] = known
                self._forget()
            self._kept.move_to_end(name)
        return known

    def _build(self, found: FoundReport) -> RowsOf:
        stored = self._rows.rows(found.ref, found.report.tree_size)
        if stored is None:
            raise NotInLog("the log has this report, but its rows are not kept here; `audit replay` computes them")
        rows = [row for _, row in stored]
        try:
            tree = build_closed_tree(rows)
        except VerificationError as error:
            raise ReportRowsDamaged(f"the rows of {found.ref.subject} make no tree: {error}") from error
        if (tree.root, tree.size) != (found.report.rows_root, found.report.row_count):
            raise ReportRowsDamaged(f"the kept rows of {found.ref.subject} are not those that the log commits to")
        return RowsOf(found, [key for key, _ in stored], rows, tree)

    def _forget(self) -> None:
        while len(self._kept) > 1 and sum(each.tree.size for each in self._kept.values()) > self._max:
            self._kept.popitem(last=False)


def prove_row(ledger: Ledger, rows: RowsOf, row_key: str) -> bytes:
    """The row proof of a key, of its presence or its absence, under the newest signed checkpoint.

    Raises:
        NotInLog: the report's entry is not signed yet.
    """
    head = ledger.signed()
    index = rows.found.log_index
    if index >= head.size:
        raise NotInLog("the report's entry is not signed yet")
    place = bisect_left(rows.keys, row_key)
    present = place < len(rows.keys) and rows.keys[place] == row_key
    places = [place] if present else [n for n in (place - 1, place) if 0 <= n < len(rows.keys)]
    return encode_row_proof(
        RowProof(
            claim=PRESENT if present else ABSENT,
            row_key=row_key,
            rows=tuple(PlacedRow(rows.rows[n], n, rows.tree.path(n)) for n in places),
            entry=ledger.reader.entry(index),
            index=index,
            inclusion=tuple(ledger.inclusion(index, head.size)),
            checkpoint=head.note,
        )
    )
