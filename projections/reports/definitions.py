"""Which reports are there, and by which published text is each computed?

The texts stand beside this module and are served at `/v1/reports/definitions/<name>/<version>`; their SHA-256 goes into
every `report.published`. Another meaning of any cell is another version, in a file of its own.

    kind                  key                      rows
    budget-book           <agency>/<fiscal year>   the tables of that budget book
    settlement            <agency>                 the tables of that settlement
    contract-register     all                      every contract's tables
    project-register      all                      every project's tables
    service-statistics    <period>, or all         what is of that period; what is of none
    stream-heads          all                      one row for each stream

A register is one report, so that the absence of a contract can be proven. In the statistics every row stands in
exactly one report, so no figure could differ between two of them.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from projections.folds.budget_years import BUDGET_BOOK, SETTLEMENT
from projections.folds.contracts import CONTRACT_REGISTER
from projections.folds.projects import PROJECT_REGISTER
from projections.folds.service_statistics import SERVICE_STATISTICS
from projections.reports.stream_heads import STREAM_HEADS
from verifier.reports import Definition

if TYPE_CHECKING:
    from projections.folds.rows import Row

ALL = "all"
VERSIONS: dict[str, int] = {
    BUDGET_BOOK: 1,
    SETTLEMENT: 1,
    CONTRACT_REGISTER: 1,
    PROJECT_REGISTER: 1,
    SERVICE_STATISTICS: 1,
    STREAM_HEADS: 1,
}
KINDS = tuple(VERSIONS)
# Kinds whose report holds the tables of many folds' keys.
REGISTERS = frozenset({CONTRACT_REGISTER, PROJECT_REGISTER, SERVICE_STATISTICS})


class ReportRef(NamedTuple):
    """One report, whatever its tree size."""

    kind: str
    key: str

    @property
    def subject(self) -> str:
        """The stream of its publications."""
        return f"report/{self.kind}/{self.key}"


def definition_of(kind: str) -> Definition:
    """By which definition does this version compute reports of a kind?

    Raises:
        KeyError: there is no such kind.
    """
    version = VERSIONS[kind]
    return Definition(kind, version, sha256(definition_text(kind, version)).hexdigest())


@cache
def definition_text(name: str, version: int) -> bytes:
    """The published text of a definition.

    Raises:
        KeyError: there is no such definition.
    """
    if not 1 <= version <= VERSIONS.get(name, 0):
        raise KeyError(name)
    return files(__package__).joinpath("definitions", f"{name}.v{version}.md").read_bytes()


def place_of(kind: str, key: str, row: Row) -> tuple[ReportRef, str]:
    """In which report does a row of a fold stand, and which part of its key comes before its table's name?"""
    if kind not in REGISTERS:
        return ReportRef(kind, key), ""
    if kind == SERVICE_STATISTICS:
        period = row.body.get("period")
        return ReportRef(kind, period if isinstance(period, str) else ALL), key
    return ReportRef(kind, ALL), key


def fixed_reports() -> list[ReportRef]:
    """Reports that exist before anything is said in them: a register may be empty."""
    return [ReportRef(kind, ALL) for kind in (CONTRACT_REGISTER, PROJECT_REGISTER, SERVICE_STATISTICS, STREAM_HEADS)]
