"""Which columns has a budget line, a total and a settlement row? The official vocabulary, in one place.

Korean local governments publish their budgets in the columns of the open data file 15165798 (data.go.kr), from
당초예산 to 집행잔액; docs/budget-columns.md says what each means here. All amounts are won. *Entered* columns are
moved by entries, *groups* add some of them up, *computed* columns follow from both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.book_style import basis_points
from projections.folds.rows import Trace, joined, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projections.folds.budget_state import Line

CARRY_OVER_KINDS = ("EXPLICIT", "ACCIDENTAL", "CONTINUING", "NOT_STATED")
CARRIED_IN = tuple(f"carried_in_{kind.lower()}_won" for kind in CARRY_OVER_KINDS)
CARRIED_OUT = tuple(f"carried_out_{kind.lower()}_won" for kind in CARRY_OVER_KINDS)
QUARTERS = tuple(f"allotted_q{quarter}_won" for quarter in (1, 2, 3, 4))
APPROPRIATED = ("original_won", "supplementary_won")
FINAL = (*APPROPRIATED, "provisional_won", "pre_appropriated_won")
# What moves between two lines: over one year each of these adds up to nothing.
ZERO_SUM = ("reserve_won", "cross_transferred_won", "transferred_won", "reassigned_won", "adjusted_won")
CHANGES = (*ZERO_SUM, "revenue_substituted_won")
# An office's part of a line's re-allotment stands under this beginning and the office's code.
REALLOTTED = "reallotted_won/"

# Money that a line gets, and money that it has no more: what the running balances count.
FUNDING = frozenset({*FINAL, *CARRIED_IN, *CHANGES})
SPENDING = frozenset({"executed_won", *CARRIED_OUT})

GROUPS: Mapping[str, tuple[str, ...]] = {
    "appropriated_won": APPROPRIATED,
    "carried_in_won": CARRIED_IN,
    "budget_change_won": CHANGES,
    "allotted_won": QUARTERS,
    "carried_out_won": CARRIED_OUT,
}
_FUNDED_BY = ("appropriated_won", "provisional_won", "pre_appropriated_won", "carried_in_won", "budget_change_won")
COMPUTED: Mapping[str, tuple[str, ...]] = {
    "final_budget_won": ("appropriated_won", "provisional_won", "pre_appropriated_won"),
    "current_won": _FUNDED_BY,
    "unspent_won": (*_FUNDED_BY, "executed_won", "carried_out_won"),
    "execution_rate_bp": (*_FUNDED_BY, "executed_won"),
    "unspent_rate_bp": (*_FUNDED_BY, "executed_won", "carried_out_won"),
}
# The order in which a row shows its amounts; the running balances and the rates have their places in it.
COLUMNS = (
    "original_won",
    "supplementary_won",
    "appropriated_won",
    "provisional_won",
    "pre_appropriated_won",
    "final_budget_won",
    "carried_in_won",
    *CARRIED_IN,
    "carried_in_imported_won",
    *CHANGES,
    "budget_change_won",
    "current_won",
    "allotted_won",
    *QUARTERS,
    "reallotted_won",
    "obligated_won",
    "executed_won",
    "returned_won",
    "carryover_declared_won",
    "carried_out_won",
    *CARRIED_OUT,
    "unspent_won",
)
RATES: Mapping[str, str] = {"execution_rate_bp": "executed_won", "unspent_rate_bp": "unspent_won"}
_SUMS: Mapping[str, tuple[str, ...]] = {**GROUPS, "final_budget_won": FINAL}
# The same the other way round, for a line has few columns that any entry moved.
_ADDED_TO: Mapping[str, tuple[str, ...]] = {
    column: (column, *(name for name, parts in _SUMS.items() if column in parts)) for column in COLUMNS
}
_GROUP_OF: Mapping[str, str] = {part: group for group, parts in GROUPS.items() for part in parts}
_NOTHING: Mapping[str, int] = dict.fromkeys(COLUMNS, 0)


def compute_amounts(won: Mapping[str, int], *, current_won: int, unspent_won: int) -> dict[str, int]:
    """Show the entered amounts of one line in every column; the two balances are not added up here."""
    amounts = {**_NOTHING}
    for column, amount_won in won.items():
        if column in _ADDED_TO:
            for name in _ADDED_TO[column]:
                amounts[name] += amount_won
        elif column.startswith(REALLOTTED):
            amounts["reallotted_won"] += amount_won
    amounts["current_won"] = current_won
    amounts["unspent_won"] = unspent_won
    return amounts


def add_up_amounts(lines: Sequence[Line]) -> dict[str, int]:
    """Add up every column over these lines."""
    won: dict[str, int] = {}
    current_won = unspent_won = 0
    for line in lines:
        for column, amount_won in line.won.items():
            won[column] = won.get(column, 0) + amount_won
        current_won += line.current_won
        unspent_won += line.unspent_won
    return compute_amounts(won, current_won=current_won, unspent_won=unspent_won)


def compute_rates(amounts: Mapping[str, Any]) -> dict[str, int | None]:
    """Which share of the current budget was executed, and which was left, in basis points?

    None where nothing could be spent.
    """
    whole_won = amounts["current_won"]
    return {name: basis_points(part_won=amounts[part], whole_won=whole_won) for name, part in RATES.items()}


def collect_traces(traces: Iterable[Mapping[str, Trace]]) -> dict[str, Trace]:
    """Which entries moved each column of one or more lines? Groups rest on all that moved their parts."""
    collected: dict[str, list[Trace]] = {}
    for line in traces:
        for column, trace in line.items():
            name = "reallotted_won" if column.startswith(REALLOTTED) else column
            collected.setdefault(name, []).append(trace)
            if name in _GROUP_OF:
                collected.setdefault(_GROUP_OF[name], []).append(trace)
    return {name: found[0] if len(found) == 1 else merged(found) for name, found in collected.items()}


def compute_figures(
    traces: Mapping[str, Trace], amounts: Mapping[str, Any], *, computed: Mapping[str, tuple[str, ...]] = COMPUTED
) -> dict[str, Any]:
    """Say for each amount of a row which entries and provenances it rests on, or from which amounts it follows."""
    figures: dict[str, Any] = {
        name: {"provenance": trace.provenance, "entries": trace.entries}
        for name, trace in traces.items()
        if name in amounts
    }
    for name, parts in computed.items():
        present = [part for part in parts if part in figures]
        if present and amounts[name] is not None:
            provenance = joined([figures[part]["provenance"] for part in present])
            figures[name] = {"provenance": provenance, "computed_from": present}
    return figures
