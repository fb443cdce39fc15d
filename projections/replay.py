"""Is a whole log what it claims to be: its tree, its entries, its rules, and what the service answered from it?

The replay reads a log from a directory or an address, without the city's database, and makes these checks.
Each has the name under which the verdict reports it (`replay_verdict.CHECKS`).

1. `checkpoint`: the pinned key has signed the checkpoint, and it is of this log.
2. `tree`: bundle by bundle, every entry hashes to the leaf hash in its tile, every tile to the hash in its
   parent, and everything to the checkpoint's root (replay_tree).
3. `genesis`: entry 0 names this log and its key, and two of its three root keys signed it.
4. `form`: every entry is canonical, with its attributes and a payload of the catalogue.
5. `order`: positions have no gap in any stream, recorded times never go back, no id comes twice.
6. `groups`: what must stand together does; a sealed batch has the root that its manifest announces.
7. `signatures`: every event is signed by a key that the log registers for its type and source.
8. `rules`: no rule of any stream is broken (3 to 8: replay_entries, replay_transactions).
9. `folds`: the tables can be rebuilt.
10. `answers`: every answer of the service is recomputed at its tree size and compared (answers_check).
11. `reports`: every report that the city published is recomputed at its tree size and compared (reports_check).

Entries stream through, one bundle at a time. The replay goes on after a violation where that makes sense, so
that one run shows all of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from projections.answers_check import AnswersCheck
from projections.log_source import LogSource, LogSourceError, SourceUnreachable
from projections.replay_entries import EntryReplay
from projections.replay_transactions import fold_entries, take_run
from projections.replay_tree import TreeWalk
from projections.replay_verdict import MAX_VIOLATIONS, Findings, Verdict
from projections.reports_check import ReportsCheck, find_tree_sizes
from verifier.checkpoints import Checkpoint, parse_checkpoint, verify_checkpoint
from verifier.errors import VerificationError
from verifier.notes import VerifierKey, parse_note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_service.catalogue.event import Event
    from projections.reports_check import ReportVerdict

    EventTaker = Callable[[int, Event], None]

_JUDGING = ("genesis", "form", "order", "groups", "signatures", "rules")


def replay(
    source: LogSource,
    *,
    vkey: VerifierKey,
    answers: Path | None = None,
    reports: Path | None = None,
    check_rules: bool = True,
    check_signatures: bool = True,
    max_violations: int = MAX_VIOLATIONS,
    workers: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    also: Callable[[int, Event], None] | None = None,
) -> Verdict:
    """Replay a log from its first entry and compare.

    Args:
        source: the log.
        vkey: the log's verifier key, pinned by the caller and never taken from the log itself.
        answers: a directory of saved answers (saved_answers); None compares none.
        reports: a directory of saved reports (saved_reports); None names no rows.
        check_rules: make checks 3 to 8; without them only the tree, the tables and the answers are checked.
        check_signatures: make check 7.
        max_violations: how many violations are kept word by word.
        workers: how many threads read ahead; 0 for files.
        progress: called now and then with the number of entries done and of all entries.
        also: called with every event that could be read, at its index; not with sealed transactions. Wants the rules.

    Raises:
        SourceUnreachable: the log cannot be read at all; nothing is said about it.
    """
    begin = time.perf_counter()
    findings = Findings(max_violations=max_violations)
    checkpoint = _read_checkpoint(source, vkey, findings)
    done = 0
    verdicts: list[ReportVerdict] = []
    if checkpoint is not None:
        wanted = find_tree_sizes(source, checkpoint.tree_size, workers=workers)
        published = ReportsCheck(wanted, reports, findings)
        run = _Run(
            vkey, checkpoint, findings, answers, published, judge=check_rules, signatures=check_signatures, also=also
        )
        for first, entries in TreeWalk(source, checkpoint, findings, workers=workers).bundles():
            run.take(first, entries)
            done = first + len(entries)
            progress(done, checkpoint.tree_size)
        run.finish(done)
        verdicts = published.verdicts
    return Verdict(
        place=source.place,
        checkpoint=checkpoint,
        findings=findings,
        entries=done,
        seconds=time.perf_counter() - begin,
        reports=verdicts,
    )


def _read_checkpoint(source: LogSource, vkey: VerifierKey, findings: Findings) -> Checkpoint | None:
    """Check 1. A checkpoint that is not the key's is a violation, and is still replayed if it can be read."""
    findings.examine("checkpoint")
    try:
        note = source.fetch_checkpoint()
    except SourceUnreachable:
        raise
    except LogSourceError as error:
        findings.violate("checkpoint", "checkpoint", str(error))
        return None
    try:
        return verify_checkpoint(note, vkey=vkey)
    except VerificationError as error:
        findings.violate("checkpoint", "checkpoint", str(error))
    try:
        return parse_checkpoint(parse_note(note).text)
    except VerificationError:
        return None  # not a checkpoint at all: the violation above says so


def _both(first: EventTaker | None, second: EventTaker | None) -> EventTaker | None:
    if first is None or second is None:
        return first or second

    def take(index: int, event: Event) -> None:
        first(index, event)
        second(index, event)

    return take


class _Run:
    """Checks 3 to 11 over the entries as they come."""

    def __init__(
        self,
        vkey: VerifierKey,
        checkpoint: Checkpoint,
        findings: Findings,
        answers: Path | None,
        reports: ReportsCheck,
        *,
        judge: bool,
        signatures: bool,
        also: Callable[[int, Event], None] | None = None,
    ) -> None:
        self._findings = findings
        self._judge = judge
        self._tree_size = checkpoint.tree_size
        self._reports = reports
        self._answers: AnswersCheck | None = None
        if answers is None:
            findings.skip("answers", "no saved answers were given")
        else:
            self._answers = AnswersCheck(answers, tree_size=checkpoint.tree_size, findings=findings)
        dated = self._answers is not None and self._answers.wants_events
        self._replay = EntryReplay(
            vkey=vkey,
            findings=findings,
            check_signatures=signatures,
            also=_both(self._answers.apply if dated and self._answers else None, also),
        )
        self._replay.heads = reports.heads
        stops = {*reports.stops, *(self._answers.stops if self._answers is not None else ())}
        self._stops = sorted(stops, reverse=True)
        for check in () if judge else _JUDGING:
            findings.skip(check, "left out as asked")
        if judge and not signatures:
            findings.skip("signatures", "left out as asked")
        if judge and not checkpoint.tree_size:
            findings.violate("genesis", "checkpoint", "the log is empty: it has no genesis entry")

    def take(self, first: int, entries: list[bytes]) -> None:
        """Take in one bundle; answers and reports are compared at exactly their tree size."""
        whole, begin = entries, first
        end = first + len(entries)
        while self._stops and self._stops[-1] <= end:
            stop = self._stops.pop()
            self._take_part(first, entries[: stop - first])
            first, entries = stop, entries[stop - first :]
            self._compare(stop)
        self._take_part(first, entries)
        self._reports.judge(begin, whole)

    def _compare(self, tree_size: int) -> None:
        if self._answers is not None:
            self._answers.compare(tree_size, self._replay.folds)
        if self._reports.stops and self._reports.stops[-1] == tree_size:
            self._reports.stops.pop()
            self._reports.compute(tree_size, self._replay.folds)
            self._replay.heads = self._reports.heads

    def _take_part(self, first: int, entries: list[bytes]) -> None:
        if not self._judge:
            fold_entries(self._replay, first, entries)
            return
        replay, number = self._replay, 0
        while number < len(entries):
            taken = take_run(replay, first + number, entries, number)
            if not taken:
                replay.take(first + number, entries[number])
                taken = 1
            number += taken

    def finish(self, done: int) -> None:
        """The end of what could be read."""
        if self._answers is not None:
            self._answers.finish()
        self._reports.finish()
        if self._judge and done == self._tree_size:
            self._replay.finish(done)
