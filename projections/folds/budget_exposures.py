"""What in one budget book should a reader look at twice?

Nothing is refused here: the rules did that. The checks are made again from the folds' own sums, so that they can
fail, and what no rule forbids but a newspaper would ask about is named.

1. `line_checks`: executed ≤ obligated ≤ allotted ≤ current for each line, and nothing unspent below zero.
2. `zero_sum_checks`: every kind of move adds up to nothing over the year, for each fund source too.
3. `carry_in_checks`: what the year before carried out arrives, kind by kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projections.folds.budget_columns import (
    CARRIED_IN,
    CARRIED_OUT,
    CARRY_OVER_KINDS,
    ZERO_SUM,
    compute_amounts,
    compute_rates,
)
from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.folds.budget_state import BudgetYear, Line

Amounts = dict[str, Any]
# What may never be: the name of the breach, and when it is there.
BREACHES: dict[str, Callable[[Amounts], bool]] = {
    "EXECUTED_ABOVE_OBLIGATED": lambda line: line["executed_won"] > line["obligated_won"],
    "OBLIGATED_ABOVE_ALLOTTED": lambda line: line["obligated_won"] > line["allotted_won"],
    "ALLOTTED_ABOVE_CURRENT": lambda line: line["allotted_won"] > line["current_won"],
    "UNSPENT_BELOW_ZERO": lambda line: line["unspent_won"] < 0,
    "EXECUTED_BELOW_ZERO": lambda line: line["executed_won"] < 0,
}
# What may be, and what a reader should know.
NOTES: dict[str, Callable[[Amounts], bool]] = {
    "CURRENT_BELOW_ORIGINAL": lambda line: line["current_won"] < line["original_won"],
    "EXECUTED_ABOVE_CURRENT": lambda line: line["executed_won"] > line["current_won"],
    "CARRY_OUT_ABOVE_DECLARED": lambda line: line["carried_out_explicit_won"] > line["carryover_declared_won"],
    "PRE_APPROPRIATION_OPEN": lambda line: line["pre_appropriated_won"] != 0,
    "PROVISIONAL_IN_FORCE": lambda line: line["provisional_won"] != 0,
}
_SHOWN = ("original_won", "current_won", "allotted_won", "obligated_won", "executed_won", "unspent_won")


def compute_exposures(year: BudgetYear, previous: BudgetYear | None) -> list[Row]:
    """Compute the rows of the three tables."""
    checks = [_line_check(line_id, line) for line_id, line in sorted(year.lines.items())]
    return [*checks, *_zero_sum_checks(year), *_carry_in_checks(year, previous)]


def _line_check(line_id: str, line: Line) -> Row:
    amounts = compute_amounts(line.won, current_won=line.current_won, unspent_won=line.unspent_won)
    breaches = [name for name, is_there in BREACHES.items() if is_there(amounts)]
    body = {
        "check": "executed <= obligated <= allotted <= current; unspent >= 0",
        **{name: amounts[name] for name in _SHOWN},
        "execution_rate_bp": compute_rates(amounts)["execution_rate_bp"],
        "holds": not breaches,
        "breaches": breaches,
        "notes": [name for name, is_there in NOTES.items() if is_there(amounts)],
    }
    return merged(line.traces.values()).row("line_checks", line_id, body)


def _zero_sum_checks(year: BudgetYear) -> list[Row]:
    rows = []
    for column in ZERO_SUM:
        lines = [line for line in year.lines.values() if column in line.traces]
        by_fund: dict[str, int] = {}
        for line in lines:
            fund = "NOT_DEFINED" if line.definition is None else line.definition["fund"]
            by_fund[fund] = by_fund.get(fund, 0) + line.won[column]
        amounts = [line.won[column] for line in lines]
        body = {
            "out_won": -sum(amount for amount in amounts if amount < 0),
            "in_won": sum(amount for amount in amounts if amount > 0),
            "sum_won": sum(amounts),
            "sums_by_fund": [{"fund": fund, "sum_won": by_fund[fund]} for fund in sorted(by_fund)],
            "holds": not any(by_fund.values()),
        }
        # A kind without any move rests on the year itself.
        trace = merged(line.traces[column] for line in lines) if lines else year.trace
        rows.append(trace.row("zero_sum_checks", column, body))
    return rows


def _carry_in_checks(year: BudgetYear, previous: BudgetYear | None) -> list[Row]:
    rows = []
    for kind, column_in, column_out in zip(CARRY_OVER_KINDS, CARRIED_IN, CARRIED_OUT, strict=True):
        received, traces_in = _column(year, column_in)
        carried, traces_out = _column(previous, column_out)
        if not traces_in and not traces_out:
            continue
        known = previous is not None and previous.opening is not None
        body = {
            "carried_out_won": carried if known else None,
            "carried_in_won": received,
            "difference_won": received - carried if known else None,
            "holds": received == carried if known else None,
        }
        rows.append(merged([*traces_in, *traces_out]).row("carry_in_checks", kind, body))
    return rows


def _column(year: BudgetYear | None, column: str) -> tuple[int, list[Trace]]:
    lines = [] if year is None else [line for line in year.lines.values() if column in line.traces]
    return sum(line.won[column] for line in lines), [line.traces[column] for line in lines]
