"""Do the folds equal the rules over random histories, whose amounts lie at the very edge of what the rules allow?

The simulated city lives quietly; here an agency tries whatever might pass, corrections of corrections too. What the
rules accepted is folded, and two bookkeepings that never call each other must come to the same figures.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.rules.budget_year_end import compute_totals
from audit_service.rules.decide import decide, evolve
from audit_service.rules.states import BudgetState
from audit_service.rules.undo import Undo
from audit_service.rules.world import Replica
from projections.folds import budget_corrections
from projections.folds.all import FoldSet, fold_all
from projections.folds.budget_columns import CARRIED_IN, CARRIED_OUT, CHANGES
from tests.property.test_rules_histories import FUNDED, OPENING, PROVISIONAL, accept
from tests.property.test_simulated_city import settled
from tests.support.chronicler import Chronicler

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event
    from projections.folds.rows import Row

# Columns that rules and folds name alike; the rest is compared by hand below.
SAME = (
    *CARRIED_IN,
    *CHANGES,
    *CARRIED_OUT,
    "provisional_won",
    "pre_appropriated_won",
    "current_won",
    "allotted_won",
    "reallotted_won",
    "obligated_won",
    "executed_won",
    "unspent_won",
)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 120))
def test_folds_equal_the_rules_over_random_histories(seed: int, length: int) -> None:
    live_and_compare(seed, length)


@pytest.mark.parametrize("lost", ["follow", "_take_over"])
def test_a_fold_that_forgets_a_part_of_a_correction_is_noticed(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what a target moved elsewhere is not taken back, or its successor forgets what came after it."""
    monkeypatch.setattr(budget_corrections, lost, lambda *_: None)
    with pytest.raises(AssertionError):
        live_often()


def live_often() -> None:
    for seed in range(100):
        live_and_compare(seed, 100)


def live_and_compare(seed: int, length: int) -> None:
    random = Random(seed)
    world, undo, folds = Replica(), Undo(), fold_all()
    history: list[Event] = []

    def fold(batch: list[Event]) -> None:
        for event in batch:
            folds.apply(len(history), event)
            history.append(event)

    for event in random.choice((OPENING, PROVISIONAL, FUNDED, FUNDED)):
        decide(world, event)
        evolve(world, event, undo)
        fold([event])
    chronicler = Chronicler(random, world, history)
    for _ in range(length):
        batch = chronicler.batch()
        if accept(world, batch, undo):
            fold(batch)
    for subject, state in world.streams.items():
        if isinstance(state, BudgetState) and state.year:
            compare(folds, subject, state)


def compare(folds: FoldSet, subject: str, state: BudgetState) -> None:
    key = subject.removeprefix("budget/")
    rows = folds.compute_rows("budget-book", key)
    shown = {row.id: row.body for row in rows if row.table == "lines"}
    for line_id, line in state.lines.items():
        body = shown[line_id]
        assert {column: body[column] for column in SAME} == {column: getattr(line, column) for column in SAME}
        assert body["appropriated_won"] == line.final_won
        assert body["carryover_declared_won"] == line.declared_won
    compare_records(rows, state)
    assert settled(folds, subject) == compute_totals(state)


def compare_records(rows: list[Row], state: BudgetState) -> None:
    """What stands in force in the tables stands in the rules' state, and nothing else does."""

    def in_force(table: str) -> dict[str, dict[str, Any]]:
        return {row.id: row.body for row in rows if row.table == table and row.body["corrected_by"] is None}

    obligations, payments = in_force("obligations"), in_force("payments")
    bound = {name: (row["obligated_won"], row["paid_won"] - row["returned_won"]) for name, row in obligations.items()}
    assert bound == {name: (one.amount_won, one.paid_won) for name, one in state.obligations.items() if one.standing}
    assert {name: row["amount_won"] for name, row in payments.items()} == {
        name: one.amount_won for name, one in state.payments.items() if one.standing
    }
    assert set(in_force("items")) == {name for name, one in state.items.items() if one.standing}
