"""Which tables does one service have: registration, published counts, counted transactions, and what became of them?

Counts are gross and net: `count` is every recorded transaction, `net` is without the voided ones. Nothing here is
about a person: the numbers of persons behind the checks of a scheme are what they are inferred from, transactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_service.catalogue.periods import kept_until, period_end
from projections.folds.rows import ACTUAL, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from projections.folds.service_state import Ballot, Published, Service, StatusList

SERVICE_STATISTICS = "service-statistics"
TABLES = (
    "service",
    "published_counts",
    "transactions",
    "transaction_totals",
    "periods",
    "voided",
    "erased",
    "ballots",
    "credentials",
    "schemes",
    "scheme_answers",
)
BITS = 32
# What was made up stays apart from what happened; `printed` and `derived` speak about what happened.
_MADE_UP = ("synthetic", "illustrative")


def evidence_class(provenance: str) -> str:
    """Does an entry of this provenance tell of real transactions (`actual`) or of made-up ones?"""
    return provenance if provenance in _MADE_UP else ACTUAL


def compute_statistics(state: Service) -> list[Row]:
    """Compute all tables of one service."""
    transactions = list(_transaction_rows(state))
    return [
        *([] if state.registration is None else [state.registration]),
        *_published_rows(state, transactions),
        *transactions,
        *_total_rows(transactions),
        *_period_rows(state),
        *_later_rows(state),
        *(_ballot_row(name, ballot) for name, ballot in state.ballots.items()),
        *_credential_rows(state),
        *_scheme_rows(state, transactions),
    ]


def _kind_names(state: Service) -> dict[str, str]:
    if state.registration is None:
        return {}
    return {kind["code"]: kind["name_ko"] for kind in state.registration.body["kinds"]}


def _transaction_rows(state: Service) -> Iterator[Row]:
    names = _kind_names(state)
    for period_name, period in sorted(state.periods.items()):
        for provenance, tally in sorted(period.tallies.items()):
            for kind in sorted({*tally.counts, *tally.declared, *tally.voided}):
                count, declared = tally.counts.get(kind, 0), tally.declared.get(kind, 0)
                voided = tally.voided.get(kind, 0)
                voids = (
                    index
                    for one in period.later.values()
                    if one.table == "voided" and one.provenance == provenance and one.body["kind"] == kind
                    for index in one.entries
                )
                body = {
                    "period": period_name,
                    "kind": kind,
                    "kind_ko": names.get(kind),
                    "evidence": evidence_class(provenance),
                    "count": count,
                    "voided": voided,
                    "net": count - voided,
                    "declared_count": declared,
                    "agrees": count == declared,
                    "batches": tally.batches,
                }
                yield Row(
                    table="transactions",
                    id=f"{period_name}/{provenance}/{kind}",
                    body=body,
                    provenance=[provenance],
                    entries=_in_order([*tally.ranges, *voids]),
                )


def _in_order(entries: Iterable[int | list[int]]) -> list[int | list[int]]:
    """Single entries and ranges, by where they begin; each once."""
    once = {tuple(one) if isinstance(one, list) else (one,) for one in entries}
    return [list(one) if len(one) > 1 else one[0] for one in sorted(once)]


def _published_rows(state: Service, transactions: list[Row]) -> Iterator[Row]:
    for row_id, published in state.published.items():
        evidence = evidence_class(published.trace.provenance[0])
        behind = [
            row
            for row in transactions
            if row.body["evidence"] == evidence
            and row.body["kind"] == published.kind
            # A count that names no period of the log speaks for all of them.
            and published.period in (None, row.body["period"])
        ]
        gross, net = (sum(row.body[column] for row in behind) for column in ("count", "net"))
        body = {
            **published.cells,
            "corrected_by": published.corrected_by,
            "evidence": evidence,
            "counted_transactions": gross,
            "counted_net": net,
            "agrees_with": _agreement(published, gross, net) if behind else None,
            "status": "reconciled" if behind and published.count in (gross, net) else "unreconciled",
        }
        yield published.trace.row("published_counts", row_id, body)


def _agreement(published: Published, gross: int, net: int) -> str | None:
    """Which recount does a published count equal? Either may be meant: it was published before or after the voids."""
    if published.count == net:
        return "net"
    return "gross" if published.count == gross else None


def _total_rows(transactions: list[Row]) -> Iterator[Row]:
    by_class: dict[str, list[Row]] = {}
    for row in transactions:
        by_class.setdefault(row.body["evidence"], []).append(row)
    for evidence, rows in sorted(by_class.items()):
        columns = ("count", "voided", "net")
        yield Row(
            table="transaction_totals",
            id=evidence,
            body={"evidence": evidence, **{name: sum(row.body[name] for row in rows) for name in columns}},
            provenance=sorted({value for row in rows for value in row.provenance}),
            # Rows of one period and provenance share their ranges.
            entries=_in_order(one for row in rows for one in row.entries),
        )


def _period_rows(state: Service) -> Iterator[Row]:
    """How long are the records behind a period's transactions kept, and how many of them are erased?"""
    months = None if state.registration is None else state.registration.body["retention_months"]
    registered = [] if state.registration is None else state.registration.entries
    for period_name, period in sorted(state.periods.items()):
        ended_at, until = _ends(period_name, months)
        for provenance, tally in sorted(period.tallies.items()):
            count = sum(tally.counts.values())
            erasures = (
                index
                for one in period.later.values()
                if one.table == "erased" and one.provenance == provenance
                for index in one.entries
            )
            body = {
                "period": period_name,
                "evidence": evidence_class(provenance),
                "ended_at": ended_at,
                "side_records_kept_until": until,
                "count": count,
                "side_records_erased": tally.erased,
                "side_records_left": count - tally.erased,
            }
            yield Row(
                table="periods",
                id=f"{period_name}/{provenance}",
                body=body,
                provenance=[provenance],
                entries=_in_order([*registered, *tally.ranges, *erasures]),
            )


def _ends(period: str, months: int | None) -> tuple[str | None, str | None]:
    """When a period is over, and until which day its records are kept; None where the calendar has no answer."""
    try:
        return period_end(period), None if months is None else kept_until(period, months)
    except ValueError:  # a replay also folds what the rules refuse
        return None, None


def _later_rows(state: Service) -> Iterator[Row]:
    for period_name, period in sorted(state.periods.items()):
        for row_id, one in sorted(period.later.items()):
            body = {
                "period": period_name,
                "evidence": evidence_class(one.provenance),
                **one.body,
                "count": one.count,
            }
            yield Row(
                table=one.table,
                id=f"{period_name}/{row_id}",
                body=body,
                provenance=[one.provenance],
                entries=list(one.entries),
            )


def _ballot_row(ballot_id: str, ballot: Ballot) -> Row:
    body: dict[str, Any] = dict.fromkeys(
        ("question_sha256", "options_sha256", "option_codes", "electorate_count", "opens_on", "closes_on")
    )
    body |= dict.fromkeys(("ballots_cast", "box_root", "tally", "invalid_count"))
    body |= ballot.opened | ballot.sealed | ballot.tallied
    body["status"] = "tallied" if ballot.tallied else "sealed" if ballot.sealed else "opened"
    return ballot.trace.row("ballots", ballot_id, body)


def _credential_rows(state: Service) -> Iterator[Row]:
    """One row for each status list, with the places of its revoked credentials as ranges: what a wallet needs."""
    for period_name, period in sorted(state.periods.items()):
        for list_id, one in sorted(period.lists.items()):
            body = {
                "period": period_name,
                "status_list_id": list_id,
                "kind": one.kind,
                "evidence": evidence_class(one.provenance[0]),
                "issued": one.issued,
                "revoked": one.revoked,
                "valid": one.issued - one.revoked,
                "revoked_ranges": revoked_ranges(one),
            }
            yield Row(
                table="credentials",
                id=f"{period_name}/{list_id}",
                body=body,
                provenance=list(one.provenance),
                entries=[list(span) for span in one.ranges],
            )


def revoked_ranges(status_list: StatusList) -> list[list[int]]:
    """Which places of the list are revoked? As ranges `[first, last]`, in order."""
    ranges: list[list[int]] = []
    for block, bits in sorted(status_list.bits.items()):
        for place in range(BITS):
            if bits >> place & 1:
                index = block * BITS + place
                if ranges and ranges[-1][1] == index - 1:
                    ranges[-1][1] = index
                else:
                    ranges.append([index, index])
    return ranges


def _scheme_rows(state: Service, transactions: list[Row]) -> Iterator[Row]:
    for scheme_id, scheme in state.schemes.items():
        yield scheme.trace.row("schemes", scheme_id, scheme.cells)
    for scheme_id, scheme in state.schemes.items():
        for row in transactions:
            if row.body["kind"] == scheme.kind and scheme.round in (None, row.body["period"]):
                persons = row.body["net"]
                body = {
                    "scheme_id": scheme_id,
                    "period": row.body["period"],
                    "evidence": row.body["evidence"],
                    "persons": persons,
                    "checks_each": scheme.checks,
                    # Nobody counted checks: every person's transaction covers all of them.
                    "checks_inferred": persons * scheme.checks,
                }
                yield Row(
                    table="scheme_answers",
                    id=f"{scheme_id}/{row.id}",
                    body=body,
                    provenance=sorted({*scheme.trace.provenance, *row.provenance}),
                    entries=_in_order([*scheme.trace.entries, *row.entries]),
                )
