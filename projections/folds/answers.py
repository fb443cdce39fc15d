"""What exactly does the service answer for a kind and a key, and how does anybody compute the same answer?

An answer is one JSON document: the rows of a fold, grouped by table, with the tree size it was computed at
(it rests on the entries [0, tree size)) and the definition that computed it. The service and an auditor's replay
call the same function, so that the two documents can be compared figure by figure and, encoded, byte by byte.

As of legal date D at tree size N: the entries with an index below N and a legal date of D or before. Entries
without a legal date have no legal effect of their own (names, registers, counts) and are taken by index
alone. A correction counts by its own index and legal date; where its target does not count yet, it moves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from projections.folds import (
    agency_gaps,
    budget_book,
    contract_agreement,
    contracts,
    organisations,
    projects,
    service_statistics,
    settlement,
)
from projections.folds.all import FoldSet, fold_all
from projections.folds.budget_years import BUDGET_BOOK, SETTLEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_service.catalogue.event import Event
    from projections.folds.rows import Row


class Definition(Struct, frozen=True, kw_only=True):
    """How a kind of answer is computed; another meaning of any cell is another version."""

    version: int
    tables: tuple[str, ...]


DEFINITIONS: dict[str, Definition] = {
    contract_agreement.CONTRACT_CHECKS: Definition(version=2, tables=contract_agreement.TABLES),
    BUDGET_BOOK: Definition(version=2, tables=budget_book.TABLES),
    SETTLEMENT: Definition(version=2, tables=settlement.TABLES),
    contracts.CONTRACT_REGISTER: Definition(version=3, tables=contracts.TABLES),
    projects.PROJECT_REGISTER: Definition(version=2, tables=projects.TABLES),
    service_statistics.SERVICE_STATISTICS: Definition(version=2, tables=service_statistics.TABLES),
    organisations.ORGANISATIONS: Definition(version=2, tables=organisations.TABLES),
    agency_gaps.AGENCY_GAPS: Definition(version=2, tables=agency_gaps.TABLES),
}
_encoder = msgspec.json.Encoder(order="sorted")


def compose_answer(
    kind: str, key: str, rows: Sequence[Row], *, tree_size: int, legal_date: str | None = None
) -> dict[str, Any]:
    """Compose the document from a fold's rows.

    Every table of the kind is there, empty or not. A row is its cells with `id`, `provenance` and `entries`.

    Raises:
        KeyError: there is no such kind, or a row stands in a table that the kind does not have.
    """
    definition = DEFINITIONS[kind]
    tables: dict[str, list[dict[str, Any]]] = {table: [] for table in definition.tables}
    for row in rows:
        tables[row.table].append({**row.body, "id": row.id, "provenance": row.provenance, "entries": row.entries})
    answer: dict[str, Any] = {
        "kind": kind,
        "key": key,
        "tree_size": tree_size,
        "definition": {"name": kind, "version": definition.version},
        "tables": tables,
    }
    if legal_date is not None:
        answer["legal_date"] = legal_date
    return answer


def answer_to_bytes(answer: dict[str, Any]) -> bytes:
    """Encode an answer as canonical JSON (RFC 8785): there are no floats and all keys are ASCII."""
    return _encoder.encode(answer)


def streams_needed(kind: str, key: str) -> tuple[str, ...]:
    """Which streams does an answer rest on? A name that ends in `/` stands for all that begin with it.

    >>> streams_needed("budget-book", "a/2021")
    ('budget/a/2020', 'budget/a/2021')

    Raises:
        KeyError: there is no such kind.
        ValueError: the key has not the form of the kind.
    """
    if kind == BUDGET_BOOK:
        agency, _, fiscal_year = key.partition("/")
        if not (fiscal_year.isascii() and fiscal_year.isdigit() and len(fiscal_year) == 4):
            raise ValueError("a budget book's key is <agency>/<fiscal year>")
        # The sheet shows the previous year's appropriation beside this year's.
        return (f"budget/{agency}/{int(fiscal_year) - 1:04}", f"budget/{key}")
    if kind == agency_gaps.AGENCY_GAPS:
        return (f"registry/agency/{key}",)
    if kind == organisations.ORGANISATIONS:
        return ("registry/log", f"registry/agency/{key}")
    if kind == service_statistics.SERVICE_STATISTICS:
        return (f"service/{key}", f"service/{key}/")
    return {
        SETTLEMENT: (f"budget/{key}/",),
        contract_agreement.CONTRACT_CHECKS: (f"budget/{key}/",),
        contracts.CONTRACT_REGISTER: (f"contract/{key}",),
        # Its checks compare with one budget, which its registration names (`budgets_named`).
        projects.PROJECT_REGISTER: (f"project/{key}", "budget/"),
    }[kind]


def sources_needed(kind: str, key: str) -> tuple[str, ...]:
    """Whose entries does an answer rest on, whatever their streams?

    An agency's numbers stand on all that it writes, and its contracts on streams that do not name it.

    >>> sources_needed("agency-gaps", "roads")
    ('urn:kr:agency:roads',)
    """
    of_an_agency = kind in (agency_gaps.AGENCY_GAPS, contract_agreement.CONTRACT_CHECKS)
    return (agency_gaps.AGENCY_URN + key,) if of_an_agency else ()


def counts_as_of(index: int, event_legal_date: str | None, *, tree_size: int, legal_date: str | None) -> bool:
    """Does an entry count as of a tree size and, if given, a legal date?"""
    if index >= tree_size:
        return False
    return legal_date is None or event_legal_date is None or event_legal_date <= legal_date


def answer_as_of(
    entries: Iterable[tuple[int, Event]],
    kind: str,
    key: str,
    *,
    tree_size: int,
    legal_date: str | None = None,
) -> dict[str, Any] | None:
    """Compute one answer anew from the entries of `streams_needed(kind, key)`, given in log order.

    Entries of other streams are passed over, save of `sources_needed`. None when nothing is known of the key as of
    then. Numbers have no legal date: for gaps, a legal date leaves nothing out.

    Raises:
        KeyError: there is no such kind.
        ValueError: the key has not the form of the kind, or the entries are not in log order.
    """
    names = streams_needed(kind, key)
    whole = frozenset(names)
    sources = sources_needed(kind, key)
    until = None if kind == agency_gaps.AGENCY_GAPS else legal_date
    beginnings = tuple(name for name in names if name.endswith("/"))
    folds = fold_all()
    last = -1
    for index, event in entries:
        if index <= last:
            raise ValueError(f"entries must come in log order: found {index} after {last}")
        last = index
        needed = event.subject in whole or (bool(beginnings) and event.subject.startswith(beginnings))
        needed = needed or event.source in sources
        if needed and counts_as_of(index, event.legal_date, tree_size=tree_size, legal_date=until):
            folds.apply(index, event)
    rows = folds.compute_rows(kind, key)
    if not rows:
        return None
    return compose_answer(kind, key, rows, tree_size=tree_size, legal_date=legal_date)


def fold_keys(folds: FoldSet) -> dict[str, list[str]]:
    """Which answers are there, by kind?"""
    return {kind: folds.keys(kind) for kind in folds.kinds}


def fold_answer(folds: FoldSet, kind: str, key: str, *, tree_size: int) -> dict[str, Any] | None:
    """Compose one answer from folds that took in the entries [0, tree size); None for an unknown key.

    Raises:
        KeyError: there is no such kind.
    """
    rows = folds.compute_rows(kind, key)
    return compose_answer(kind, key, rows, tree_size=tree_size) if rows else None
