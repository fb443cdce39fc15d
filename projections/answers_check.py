"""Is every saved answer of the service what the entries add up to, figure by figure?

An answer says at which tree size it was computed. When the replay has folded exactly that many entries, the
answer is composed anew by the same function that the service uses, and every value is compared: the violation
names the JSON pointer (RFC 6901), what the entries give (expected) and what was saved (found).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from projections.differences import NOTHING, differences, show
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import DEFINITIONS, compose_answer, counts_as_of
from projections.log_source import MAX_JSON_BYTES
from projections.saved_answers import SavedAnswer, saved_answers
from verifier.canonical import parse_strict
from verifier.errors import MalformedInput

if TYPE_CHECKING:
    from pathlib import Path

    from audit_service.catalogue.event import Event
    from projections.replay_verdict import Findings

_MAX_DIFFERENCES = 10  # of one answer, word by word; a shifted list differs everywhere
_MAX_LEGAL_DATES = 100  # each one needs folds of its own
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class AnswersCheck:
    """The saved answers of one directory, waiting for the tree sizes that they were computed at.

    Args:
        directory: `DIR/answers`, as `audit mirror` writes it.
        tree_size: how many entries the replayed log has.
        findings: where violations go.
    """

    def __init__(self, directory: Path, *, tree_size: int, findings: Findings) -> None:
        self._directory = directory
        self._findings = findings
        self._waiting: dict[int, list[tuple[SavedAnswer, dict[str, Any]]]] = {}
        self._dated: dict[str, FoldSet] = {}
        saved = saved_answers(directory)
        for answer in saved:
            document = self._read(answer)
            if document is None:
                continue
            size = document["tree_size"]
            if size > tree_size:
                self._violate(answer, f"computed at tree size {size}; the checkpoint covers {tree_size}")
                continue
            legal_date = document.get("legal_date")
            if legal_date is not None and legal_date not in self._dated:
                if len(self._dated) == _MAX_LEGAL_DATES:
                    self._violate(answer, f"not compared: one legal date more than {_MAX_LEGAL_DATES}")
                    continue
                self._dated[legal_date] = fold_all()
            self._waiting.setdefault(size, []).append((answer, document))
        self.stops = sorted(self._waiting, reverse=True)
        if not saved:
            findings.skip("answers", f"no answers in {directory}")

    @property
    def wants_events(self) -> bool:
        """Are there answers as of a legal date, which need folds of their own?"""
        return bool(self._dated)

    def apply(self, index: int, event: Event) -> None:
        """Take an entry into the folds of those legal dates that it counts for."""
        for legal_date, folds in self._dated.items():
            if counts_as_of(index, event.legal_date, tree_size=index + 1, legal_date=legal_date):
                folds.apply(index, event)

    def compare(self, tree_size: int, folds: FoldSet) -> None:
        """Compare every answer that was computed at this size; `folds` took in exactly that many entries."""
        for answer, document in self._waiting.pop(tree_size, []):
            legal_date = document.get("legal_date")
            at = folds if legal_date is None else self._dated[legal_date]
            try:
                rows = at.compute_rows(answer.kind, answer.key)
            except Exception as error:  # noqa: BLE001 - after hostile entries too, a replay goes on to its verdict
                self._violate(answer, f"cannot be recomputed from these entries: {type(error).__name__}")
                continue
            if not rows:
                self._violate(answer, "the entries say nothing about this kind and key")
                continue
            expected = compose_answer(answer.kind, answer.key, rows, tree_size=tree_size, legal_date=legal_date)
            self._compare(answer, expected, document)

    def finish(self) -> None:
        """Report the answers whose tree size the replay did not reach, because it had to stop before."""
        for size in sorted(self._waiting):
            for answer, _document in self._waiting[size]:
                self._violate(answer, f"not compared: the replay did not reach tree size {size}")

    def _read(self, answer: SavedAnswer) -> dict[str, Any] | None:
        self._findings.examine("answers")
        try:
            with answer.path.open("rb") as file:
                data = file.read(MAX_JSON_BYTES + 1)
            return _require_answer(data, answer)
        except (MalformedInput, OSError) as error:
            self._violate(answer, str(error))
            return None

    def _compare(self, answer: SavedAnswer, expected: Any, found: Any) -> None:
        found_differences = differences(expected, found)
        for number, (pointer, wanted, saved) in enumerate(found_differences):
            if number == _MAX_DIFFERENCES:
                more = 1 + sum(1 for _ in found_differences)
                self._violate(answer, f"and {more} more differences")
                return
            expected_text, found_text = show(wanted), show(saved)
            self._violate(
                answer,
                f"{pointer or '(the whole answer)'}: expected {expected_text}, found {found_text}",
                pointer=pointer,
                expected=expected_text if wanted is NOTHING else wanted,
                found=found_text if saved is NOTHING else saved,
            )

    def _violate(self, answer: SavedAnswer, message: str, **details: Any) -> None:
        where = f"answers/{answer.path.relative_to(self._directory)}"
        self._findings.violate("answers", where, message, **details)


def _require_answer(data: bytes, answer: SavedAnswer) -> dict[str, Any]:
    document = parse_strict(data)
    if not isinstance(document, dict):
        raise MalformedInput("answer: expected a JSON object")
    if answer.kind not in DEFINITIONS:
        raise MalformedInput("answer: of a kind that this version does not know")
    size = document.get("tree_size")
    if type(size) is not int or size < 1:
        raise MalformedInput("answer: expected an integer tree_size of 1 or more")
    legal_date = document.get("legal_date", "2021-01-01")
    if not isinstance(legal_date, str) or _DATE.fullmatch(legal_date) is None:
        raise MalformedInput("answer: expected a legal_date YYYY-MM-DD")
    for name, value in (("kind", answer.kind), ("key", answer.key)):
        if document.get(name) != value:
            raise MalformedInput(f"answer: its {name} is not the one that it was saved under")
    return document
