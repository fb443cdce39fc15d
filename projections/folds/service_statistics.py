"""Which tables does one service have: registration, published counts, counted transactions?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.rows import ACTUAL, Row

if TYPE_CHECKING:
    from projections.folds.service_state import Service

SERVICE_STATISTICS = "service-statistics"
TABLES = ("service", "published_counts", "transactions", "transaction_totals")
# What was made up stays apart from what happened; `printed` and `derived` speak about what happened.
_MADE_UP = ("synthetic", "illustrative")


def evidence_class(provenance: str) -> str:
    """Does an entry of this provenance tell of real transactions (`actual`) or of made-up ones?"""
    return provenance if provenance in _MADE_UP else ACTUAL


def compute_statistics(state: Service) -> list[Row]:
    """Compute all tables of one service."""
    transactions = _transaction_rows(state)
    rows = [] if state.registration is None else [state.registration]
    return [*rows, *_published_rows(state, transactions), *transactions, *_total_rows(transactions)]


def _kind_names(state: Service) -> dict[str, str]:
    if state.registration is None:
        return {}
    return {kind["code"]: kind["name_ko"] for kind in state.registration.body["kinds"]}


def _transaction_rows(state: Service) -> list[Row]:
    names = _kind_names(state)
    rows = []
    for period_name, period in sorted(state.periods.items()):
        for provenance, tally in sorted(period.tallies.items()):
            for kind in sorted({*tally.counts, *tally.declared}):
                count, declared = tally.counts.get(kind, 0), tally.declared.get(kind, 0)
                body = {
                    "period": period_name,
                    "kind": kind,
                    "kind_ko": names.get(kind),
                    "evidence": evidence_class(provenance),
                    "count": count,
                    "declared_count": declared,
                    "agrees": count == declared,
                    "batches": tally.batches,
                }
                entries: list[int | list[int]] = [list(span) for span in tally.ranges]
                row_id = f"{period_name}/{provenance}/{kind}"
                rows.append(Row(table="transactions", id=row_id, body=body, provenance=[provenance], entries=entries))
    return rows


def _published_rows(state: Service, transactions: list[Row]) -> list[Row]:
    rows = []
    for count_id, published in state.published.items():
        evidence = evidence_class(published.trace.provenance[0])
        behind = [
            row
            for row in transactions
            if row.body["evidence"] == evidence
            and row.body["kind"] == published.kind
            # A count that names no period of the log speaks for all of them.
            and published.period in (None, row.body["period"])
        ]
        counted = sum(row.body["count"] for row in behind)
        body = {
            **published.cells,
            "evidence": evidence,
            "counted_transactions": counted,
            "status": "reconciled" if behind and counted == published.count else "unreconciled",
        }
        rows.append(published.trace.row("published_counts", count_id, body))
    return rows


def _total_rows(transactions: list[Row]) -> list[Row]:
    by_class: dict[str, list[Row]] = {}
    for row in transactions:
        by_class.setdefault(row.body["evidence"], []).append(row)
    totals = []
    for evidence, rows in sorted(by_class.items()):
        # Rows of one period and provenance share their ranges.
        spans = sorted({tuple(span) for row in rows for span in row.entries if isinstance(span, list)})
        body: dict[str, Any] = {"evidence": evidence, "count": sum(row.body["count"] for row in rows)}
        totals.append(
            Row(
                table="transaction_totals",
                id=evidence,
                body=body,
                provenance=sorted({value for row in rows for value in row.provenance}),
                entries=[list(span) for span in spans],
            )
        )
    return totals
