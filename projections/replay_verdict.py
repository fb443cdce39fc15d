"""What did a replay find: which checks were made, on how much, and what does not hold, where?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from projections.reports_check import ReportVerdict
    from verifier.checkpoints import Checkpoint

MAX_VIOLATIONS = 100
_MAX_MESSAGE_CHARACTERS = 500

# Each check by its name, and what it means that it holds. The order is that of the report.
CHECKS: dict[str, str] = {
    "checkpoint": "the pinned key has signed the checkpoint, and it is of this log",
    "tree": "entries hash to leaf hashes, tiles to their parents, all of it to the root",
    "genesis": "entry 0 names this log and its key, and two root keys signed it",
    "form": "entries are canonical events with the payloads of the catalogue",
    "order": "positions have no gap, recorded times never go back, no id comes twice",
    "groups": "what must stand together does, and batches have the roots that they announce",
    "signatures": "every event is signed by a key that may sign it",
    "rules": "no rule of any stream is broken",
    "folds": "the tables can be rebuilt from the entries",
    "answers": "every saved answer is what the entries add up to",
    "reports": "every published report is what the entries before it add up to",
}


@dataclass(frozen=True)
class Violation:
    """One thing that does not hold.

    `where` names the place: an entry (`entry 17`), a file of the log (`tile/0/003`) or a saved answer. For an
    entry `index` is its index in the log; where the same is wrong with the entries behind it, `last_index` is
    that of the last one. `details` holds what a program may want: the rule's id and figures;
    for an answer the JSON pointer, what was expected (recomputed) and what was found (saved).
    """

    check: str
    where: str
    message: str
    index: int | None = None
    last_index: int | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """The violation as JSON."""
        document = {"check": self.check, "where": self.where, "message": self.message, **self.details}
        places = {"index": self.index, "last_index": self.last_index}
        return document | {name: value for name, value in places.items() if value is not None}

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: {self.message}"


class Findings:
    """What a running replay has examined and found so far.

    Args:
        max_violations: how many violations are kept word by word (and the first of each check); all are counted.
    """

    def __init__(self, *, max_violations: int = MAX_VIOLATIONS) -> None:
        self.examined = dict.fromkeys(CHECKS, 0)
        self.broken = dict.fromkeys(CHECKS, 0)
        self.skipped: dict[str, str] = {}
        # From this entry on nothing that entries say could be checked, because a bundle cannot be read.
        self.content_ends_at: int | None = None
        self._kept: dict[str, list[Violation]] = {check: [] for check in CHECKS}
        self._unkept = dict.fromkeys(CHECKS, 0)
        self._room = max_violations

    @property
    def violations(self) -> list[Violation]:
        """The violations that were kept, check by check, in the order in which they were found."""
        return [violation for kept in self._kept.values() for violation in kept]

    @property
    def unkept(self) -> int:
        """How many violations were counted beyond those that were kept?"""
        return sum(self._unkept.values())

    def examine(self, check: str, count: int = 1) -> None:
        """Note that so many things were examined."""
        self.examined[check] += count

    def skip(self, check: str, why: str) -> None:
        """Note that a check was not made at all."""
        self.skipped[check] = why

    def violate(self, check: str, where: str, message: str, *, index: int | None = None, **details: Any) -> None:
        """Note something that does not hold."""
        self.broken[check] += 1
        kept = self._kept[check]
        if self._room <= 0 and kept:  # the first one of each check is always kept
            self._unkept[check] += 1
            return
        self._room -= 1
        # Messages of decoders may quote what they read: never more than a line or two of it.
        short = message if len(message) <= _MAX_MESSAGE_CHARACTERS else message[:_MAX_MESSAGE_CHARACTERS] + "…"
        kept.append(Violation(check, where, short, index, details=details))

    def violate_entry(self, check: str, index: int, message: str, **details: Any) -> None:
        """Note an entry that does not hold; the same about the entry before it becomes one violation."""
        last = self._kept[check][-1] if self._kept[check] and not self._unkept[check] else None
        if (
            last is not None
            and last.index is not None
            and (last.message, last.details) == (message, details)
            and index == (last.index if last.last_index is None else last.last_index) + 1
        ):
            self.broken[check] += 1
            where = f"entries {last.index} to {index}"
            self._kept[check][-1] = replace(last, where=where, last_index=index)
        else:
            self.violate(check, f"entry {index}", message, index=index, **details)


@dataclass(frozen=True)
class Verdict:
    """The result of a replay: it holds only if nothing at all was found wrong."""

    place: str
    checkpoint: Checkpoint | None
    findings: Findings
    entries: int
    seconds: float
    reports: list[ReportVerdict] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Was nothing found wrong?"""
        return not any(self.findings.broken.values())

    @property
    def violations(self) -> list[Violation]:
        """The violations that were kept, check by check, in the order in which they were found."""
        return self.findings.violations

    @property
    def more_violations(self) -> int:
        """How many violations were counted beyond those that were kept?"""
        return self.findings.unkept

    @property
    def entries_per_second(self) -> int:
        """The rate of the whole run."""
        return round(self.entries / self.seconds) if self.seconds else 0

    def status(self, check: str) -> str:
        """`holds`, `does not hold`, `incomplete`, `not made` or `nothing to check`."""
        if self.findings.broken[check]:
            return "does not hold"
        if check in self.findings.skipped:
            return "not made"
        if self.findings.content_ends_at is not None and check not in ("checkpoint", "tree"):
            return "incomplete"
        return "holds" if self.findings.examined[check] else "nothing to check"

    def as_document(self) -> dict[str, Any]:
        """The verdict as JSON."""
        found = self.findings
        log = self.checkpoint
        return {
            "holds": self.holds,
            "place": self.place,
            "origin": log and log.origin,
            "tree_size": log and log.tree_size,
            "root_hash": log and log.root_hash.hex(),
            "entries": self.entries,
            "seconds": round(self.seconds, 3),
            "entries_per_second": self.entries_per_second,
            "checks": [
                {
                    "check": name,
                    "means": means,
                    "status": self.status(name),
                    "examined": found.examined[name],
                    "violations": found.broken[name],
                    **({"why": found.skipped[name]} if name in found.skipped else {}),
                }
                for name, means in CHECKS.items()
            ],
            "reports": [report.as_document() for report in self.reports],
            "violations": [violation.as_document() for violation in self.violations],
            "more_violations": self.more_violations,
        }
