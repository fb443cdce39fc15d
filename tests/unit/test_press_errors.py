"""Can the errors happen here that the press found in a national portal of public money?

A current budget below the original one, a negative unspent balance, 550 % of execution; and money that crosses
from one policy programme to another under the name of a transfer inside one. Each is refused by a named rule, or
stands in the open as the moves that explain it.
"""

from __future__ import annotations

from audit_service.rules.budget_year_end import compute_totals
from audit_service.rules.decide import decide, evolve
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import read_budget
from tests.support.events import (
    adjusted,
    allotted,
    appropriated,
    budget,
    carried_over,
    closed,
    corrected,
    crossed,
    declared,
    line,
    obligated,
    obligation_adjusted,
    opened,
    paid,
    settlement,
    settlement_row,
    supplemented,
    transferred,
)
from tests.support.given import given, refused

ROADS = {"policy": "roads", "object_code": "201-01"}
PARKS = {"policy": "parks", "object_code": "201-01"}
YEAR = (
    opened(),
    line("a", levels=ROADS),
    line("b", levels=ROADS),
    line("park", levels=PARKS, project="parks"),
    appropriated({"a": 100, "b": 100, "park": 100}),
)


def test_a_current_budget_below_the_original_is_explained_by_its_moves_or_refused() -> None:
    world = given(*YEAR, adjusted("a", "b", 30), crossed("a", "park", 20), supplemented({"a": -10}), closed())
    state = read_budget(world, budget())
    assert state is not None
    line_a = state.lines["a"]
    # Below the original 100, and every won of it stands in a column with the event that moved it.
    assert (line_a.current_won, line_a.final_won, line_a.adjusted_won, line_a.cross_transferred_won) == (
        40,
        90,
        -30,
        -20,
    )
    assert compute_totals(state)["lights"].budget_change_won == -20
    # A settlement that states the lower figure without its moves is refused.
    row = {"final_budget_won": 190, "budget_change_won": 0, "current_budget_won": 170, "unspent_won": 170}
    silent = settlement([settlement_row("lights", **row), settlement_row("parks", final_budget_won=100)])
    assert refused(world, silent).rule_id == "budget.settlement-identity"


def test_moves_never_take_what_is_in_use() -> None:
    world = given(*YEAR, allotted(80), obligated(80), paid(80))
    for move in (adjusted("a", "b", 21), crossed("a", "park", 21), transferred("a", "b", 21)):
        broken = refused(world, move)
        assert (broken.rule_id, broken.allowed) == ("budget.line-overspent", 20)


def test_an_unspent_balance_is_never_negative() -> None:
    world = given(*YEAR, declared(60), allotted(100), obligated(100), paid(40), carried_over(60))
    overspent = paid(1, payment="p2")
    assert refused(world, overspent).rule_id == "budget.line-overspent"
    taken_away = supplemented({"a": -1})
    assert refused(world, taken_away).rule_id == "budget.line-overspent"
    evolve(world, closed(), NO_UNDO)
    row = {"final_budget_won": 200, "executed_won": 41, "carried_out_won": 60}
    wrong = [settlement_row("lights", **row), settlement_row("parks", final_budget_won=100)]
    assert refused(world, settlement(wrong)).rule_id == "budget.settlement-mismatch"


def test_550_per_cent_execution_is_refused_at_every_step() -> None:
    world = given(*YEAR, allotted(100))
    assert refused(world, allotted(450)).rule_id == "budget.line-overspent"
    assert refused(world, obligated(550)).rule_id == "budget.line-overspent"
    for event in (first := obligated(100), pay := paid(100)):
        decide(world, event)
        evolve(world, event, NO_UNDO)
    assert refused(world, paid(450, payment="p2")).rule_id == "budget.obligation-overpaid"
    assert refused(world, obligation_adjusted(450)).rule_id == "budget.line-overspent"
    # Nor does a correction get there.
    assert refused(world, corrected(first, obligated(550))).rule_id == "budget.line-overspent"
    assert refused(world, corrected(pay, paid(550))).rule_id == "budget.obligation-overpaid"


def test_a_transfer_inside_a_programme_does_not_leave_it() -> None:
    """전용 across policy programmes: the council's 이용 under a name that needs no council."""
    broken = refused(given(*YEAR), transferred("a", "park", 1))
    assert broken.rule_id == "budget.policy-differs"
    assert broken.columns == {"policy": {"from": "roads", "to": "parks"}}
    assert broken.allowed == "budget.cross-transferred.v1"
