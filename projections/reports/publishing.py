"""How does the root of a report get into the log, and when?

    1. take    the rows as of the tree size that the read models have reached
    2. prove   the tree over the rows: built by an untrusted prover, its root checked
    3. keep    the rows, by tree size, so that they can be shown and proven at any later time
    4. submit  `report.published.v1`, signed by the publisher's key, through the normal way in

A crash after 3 leaves rows of a tree size that no entry names: nobody can ask for them, and the next publication goes
on from them. A crash after 4 leaves nothing to do: the entry is in the log, and its rows were kept before.

Published is what has other rows than the last time because of an entry that is no report. So one publication never
causes another.
"""

from __future__ import annotations

import gc
import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from projections.reports.definitions import ReportRef, definition_of
from projections.reports.tables import ReportTables
from verifier.closed_trees import CheckedTree
from verifier.reports import REPORT_TYPE
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from projections.folds.all import Changes
    from projections.reports.found import FoundReport
    from projections.reports.state import LogState
    from verifier.closed_trees import Prover

logger = logging.getLogger(__name__)

# Rows that wait to be kept: few enough for memory, enough for one commit.
_ROWS_AT_ONCE = 20_000


class Ledger(Protocol):
    """The way into the log, as far as a publisher needs it; `api` wires it."""

    def city(self) -> str:
        """The source of the city that created the log."""
        ...

    def now(self) -> str:
        """The moment, as the attribute `time` has it."""
        ...

    def submit(self, submissions: list[dict[str, Any]]) -> list[int | Exception]:
        """Sign each with the publisher's key, submit all, and wait: their indexes, or why not."""
        ...


class Followed(Protocol):
    """The state that follows the log: folds and stream heads with their position, held still while one looks."""

    def held(self) -> AbstractContextManager[tuple[LogState, int, Changes]]:
        """Hold the state still; gives it, how many entries it has taken in, and what changed since the last hold."""
        ...


class ReportStore(Protocol):
    """Where rows are kept, by the tree size from which on they stand."""

    def last_reports(self) -> Iterable[FoundReport]:
        """The newest published report of each kind and key."""
        ...

    def moved_since(self, tree_size: int) -> bool:
        """Is there an entry from this index on that publishes no report?"""
        ...

    def keep(self, reports: Iterable[KeptRows]) -> None:
        """Keep the rows of several reports, all or none."""
        ...


@dataclass(frozen=True)
class KeptRows:
    """The rows that stand in a report from a tree size on.

    `whole`: exactly these. Else what changed since the last time: None stands for a row that is gone.
    """

    ref: ReportRef
    tree_size: int
    rows: Mapping[str, bytes | None]
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What became of one report: the index of its entry, or why it was not published."""

    ref: ReportRef
    tree_size: int
    row_count: int
    rows_root: bytes
    index: int | None = None
    problem: str | None = None


class ReportPublisher:
    """Publishes the reports of one log; used by one thread at a time."""

    def __init__(self, followed: Followed, store: ReportStore, ledger: Ledger, prover: Prover) -> None:
        self._followed = followed
        self._store = store
        self._ledger = ledger
        self._prover = prover
        self._state: LogState | None = None
        self._tables: ReportTables | None = None
        self._published: dict[ReportRef, tuple[int, bytes]] = {}
        self._due: set[ReportRef] = set()
        self._kept: set[ReportRef] = set()

    def publish(self, only: Collection[ReportRef] | None = None) -> list[Publication]:
        """Publish every report whose rows moved, or of those in `only`; says what became of each.

        Raises:
            RowHasNoForm, ProofDoesNotHold, MalformedInput: our own defect; nothing was published.
        """
        with self._followed.held() as (state, tree_size, changes), _collector_at_rest():
            planned: list[Publication] = []
            waiting: list[KeptRows] = []
            for tables, refs in self._take_in(state, changes):
                for ref in refs:
                    if ref in self._due and (only is None or ref in only):
                        prepared = self._prepare(tables, ref, tree_size)
                        if prepared is not None:
                            planned.append(prepared[0])
                            waiting.append(prepared[1])
                    if sum(len(each.rows) for each in waiting) >= _ROWS_AT_ONCE:
                        self._keep(waiting)
            self._keep(waiting)
        if not planned:
            return []
        planned.sort(key=lambda publication: publication.ref)
        results = self._ledger.submit([self._submission(publication) for publication in planned])
        return [self._note(publication, result) for publication, result in zip(planned, results, strict=True)]

    def _keep(self, waiting: list[KeptRows]) -> None:
        """Step 3. Until it is done, the next attempt keeps each of these whole."""
        refs = [each.ref for each in waiting]
        if waiting:
            self._store.keep(waiting)
        self._kept.update(refs)
        waiting.clear()

    def _take_in(self, state: LogState, changes: Changes) -> Iterator[tuple[ReportTables, Iterable[ReportRef]]]:
        """Bring the tables up to the state's position; gives them with the reports that may be due, some at a time."""
        tables = self._tables
        if tables is None or state is not self._state:
            yield from self._take_in_all(state)
            return
        self._due |= tables.take_in(changes)
        # A report that is new, and so far without a row, was never moved.
        self._due |= {ref for ref in tables.refs() if ref not in self._published}
        yield tables, sorted(self._due)

    def _take_in_all(self, state: LogState) -> Iterator[tuple[ReportTables, Iterable[ReportRef]]]:
        """After a start, or a failure of the projector: from nothing, and without all rows in memory at once."""
        self._tables = None  # should this fail, the next attempt begins again
        self._published = {
            found.ref: (found.report.tree_size, found.report.rows_root) for found in self._store.last_reports()
        }
        # Asked for before anything is kept: the database of a small city has one writer, and readers wait for it.
        moved = {size: self._store.moved_since(size) for size, _ in set(self._published.values())}
        self._kept.clear()
        self._due.clear()
        tables = ReportTables(state, at_once=False)
        for refs in tables.compute():
            self._due |= {ref for ref in refs if self._is_due(tables, ref, moved)}
            yield tables, refs
            for ref in refs:
                tables.take_changed(ref)
        self._state, self._tables = state, tables

    def _is_due(self, tables: ReportTables, ref: ReportRef, moved: Mapping[int, bool]) -> bool:
        last = self._published.get(ref)
        if last is None:
            return True
        tree_size, root = last
        return moved[tree_size] and root_of_leaf_hashes(tables.leaf_hashes(ref)) != root

    def _prepare(self, tables: ReportTables, ref: ReportRef, tree_size: int) -> tuple[Publication, KeptRows] | None:
        """Steps 1 and 2 for one report, and what step 3 keeps.

        None where it says the same as before, or where nothing new can be said yet.
        """
        last = self._published.get(ref)
        tree = CheckedTree(tables.leaf_hashes(ref), self._prover)
        if last is not None and last[1] == tree.root:
            self._due.discard(ref)
            return None
        if tree_size < 1 or (last is not None and last[0] >= tree_size):
            return None
        whole = ref not in self._kept
        rows: Mapping[str, bytes | None]
        if whole:
            keys, bodies, _ = tables.rows(ref)
            rows = dict(zip(keys, bodies, strict=True))
            tables.take_changed(ref)
        else:
            self._kept.discard(ref)
            rows = tables.take_changed(ref)
        publication = Publication(ref=ref, tree_size=tree_size, row_count=tree.size, rows_root=tree.root)
        return publication, KeptRows(ref, tree_size, rows, whole)

    def _submission(self, publication: Publication) -> dict[str, Any]:
        ref, definition = publication.ref, definition_of(publication.ref.kind)
        return {
            "specversion": "1.0",
            "id": f"report:{ref.kind}:{ref.key}:{publication.tree_size}",
            "source": self._ledger.city(),
            "type": REPORT_TYPE,
            "subject": ref.subject,
            "time": self._ledger.now(),
            "data": {
                "kind": ref.kind,
                "key": ref.key,
                "tree_size": publication.tree_size,
                "row_count": publication.row_count,
                "rows_root": publication.rows_root.hex(),
                "definition": {
                    "name": definition.name,
                    "version": definition.version,
                    "sha256": definition.sha256,
                },
            },
        }

    def _note(self, planned: Publication, result: int | Exception) -> Publication:
        if isinstance(result, Exception):
            # It stays due: the next publication says it, of a later tree size.
            logger.warning("report %s was not published: %s", planned.ref.subject, result)
            return replace(planned, problem=str(result))
        self._published[planned.ref] = (planned.tree_size, planned.rows_root)
        self._due.discard(planned.ref)
        return replace(planned, index=result)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Rows and trees are many small objects without cycles: the collector would walk over them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
