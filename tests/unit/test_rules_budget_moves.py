"""Which moves between lines are refused? Reserve, 이용, 전용, 이체, 변경사용: what they mix, and who decides.

Each row of `REFUSALS` breaks exactly one rule.
"""

from __future__ import annotations

from typing import Any

import pytest

from audit_service.rules.world import read_budget
from tests.support.events import (
    BY_COUNCIL,
    BY_HEAD,
    adjusted,
    allotted,
    appropriated,
    budget,
    closed,
    crossed,
    limits,
    line,
    opened,
    reassigned,
    released,
    transferred,
)
from tests.support.given import Refusal, given, name_of, refuses


def _levels(policy: str, object_code: str) -> dict[str, str]:
    return {"policy": policy, "object_code": object_code}


YEAR = (
    opened(),
    line("a", levels=_levels("roads", "201-01")),
    line("b", levels=_levels("roads", "207-02")),
    line("promotion", levels=_levels("roads", "203-03")),
    line("subsidy", levels=_levels("roads", "307-02")),
    line("reserve", levels=_levels("reserve", "801-01"), project="reserve"),
    line("park", levels=_levels("parks", "201-01"), project="parks"),
    line("grant", levels=_levels("roads", "201-01"), fund="NATIONAL"),
    line("park-grant", levels=_levels("parks", "201-01"), fund="NATIONAL", project="parks"),
    line("moved", levels=_levels("roads", "201-01"), division="new-roads"),
    line("moved-b", levels=_levels("roads", "207-02"), division="new-roads"),
    line("bare"),
    line("elsewhere", project="elsewhere"),
    line("no-object", levels={"policy": "roads"}),
)
FUNDED = (*YEAR, appropriated({"a": 100, "reserve": 100, "park": 100, "bare": 100}))
NO_BASIS: dict[str, Any] = {"basis": None}
UNNAMED: dict[str, Any] = {"actor_role": None}

REFUSALS = (
    # Reserve fund.
    Refusal("budget.not-reserve", "an ordinary line", FUNDED, released("a", "b", 1), "801"),
    Refusal("budget.not-reserve", "no object stated", FUNDED, released("bare", "a", 1), "801"),
    Refusal("budget.reserve-target", "business promotion", FUNDED, released("reserve", "promotion", 1)),
    Refusal("budget.reserve-target", "a subsidy", FUNDED, released("reserve", "subsidy", 1)),
    Refusal("budget.object-not-stated", "an unknown object", FUNDED, released("reserve", "bare", 1)),
    Refusal("budget.fund-differs", "to another fund", FUNDED, released("reserve", "grant", 1), "CITY"),
    Refusal("budget.basis-missing", "no document", FUNDED, released("reserve", "a", 1, NO_BASIS)),
    Refusal("budget.line-overspent", "more than the reserve", FUNDED, released("reserve", "a", 101), 100),
    Refusal("budget.same-line", "to itself", FUNDED, released("reserve", "reserve", 1)),
    # Cross-programme transfer.
    Refusal("budget.policy-same", "one programme", FUNDED, crossed("a", "b", 1), "budget.transferred.v1"),
    Refusal("budget.policy-not-stated", "from an unknown programme", FUNDED, crossed("bare", "park", 1)),
    Refusal("budget.policy-not-stated", "to an unknown programme", FUNDED, crossed("a", "elsewhere", 1)),
    Refusal("budget.policy-same", "one project, whose programme is not stated", FUNDED, crossed("bare", "a", 1)),
    Refusal("budget.fund-differs", "to another fund", FUNDED, crossed("a", "park-grant", 1)),
    Refusal("budget.basis-missing", "no resolution", FUNDED, crossed("a", "park", 1, NO_BASIS)),
    Refusal("budget.approver", "the mayor decides", FUNDED, crossed("a", "park", 1, BY_HEAD), "의회"),
    Refusal("budget.approver", "nobody decides", FUNDED, crossed("a", "park", 1, UNNAMED), "의회"),
    Refusal("budget.line-overspent", "more than the line", FUNDED, crossed("a", "park", 101), 100),
    Refusal("budget.line-overspent", "allotted", (*FUNDED, allotted(60)), crossed("a", "park", 41), 40),
    # Within-programme transfer.
    Refusal("budget.policy-differs", "to another programme", FUNDED, transferred("a", "park", 1)),
    Refusal("budget.policy-not-stated", "an unknown programme", FUNDED, transferred("a", "elsewhere", 1)),
    Refusal("budget.transfer-closed", "business promotion", FUNDED, transferred("a", "promotion", 1)),
    Refusal(
        "budget.transfer-closed", "a limit of the year", (*FUNDED, limits("207-02", "307")), transferred("a", "b", 1)
    ),
    Refusal("budget.object-not-stated", "an unknown object", FUNDED, transferred("a", "no-object", 1)),
    Refusal("budget.fund-differs", "to another fund", FUNDED, transferred("a", "grant", 1)),
    Refusal("budget.basis-missing", "no approval", FUNDED, transferred("a", "b", 1, NO_BASIS)),
    Refusal("budget.approver", "a section chief", FUNDED, transferred("a", "b", 1, {"actor_role": "과장"})),
    Refusal("budget.approver", "nobody decides", FUNDED, transferred("a", "b", 1, UNNAMED)),
    Refusal("budget.line-overspent", "more than the line", FUNDED, transferred("a", "b", 101), 100),
    Refusal("budget.transfer-limits-twice", "set once", (*FUNDED, limits("203")), limits()),
    # Reassignment.
    Refusal("budget.reassignment-differs", "the same division", FUNDED, reassigned(("a", "no-object", 1))),
    Refusal("budget.reassignment-differs", "another object", FUNDED, reassigned(("a", "moved-b", 1))),
    Refusal("budget.reassignment-differs", "nothing differs", FUNDED, reassigned(("moved", "a", 1), ("a", "b", 1))),
    Refusal("budget.fund-differs", "another fund", FUNDED, reassigned(("a", "grant", 1))),
    Refusal("budget.same-line", "to itself", FUNDED, reassigned(("a", "a", 1))),
    Refusal("budget.line-unknown", "to nowhere", FUNDED, reassigned(("a", "z", 1))),
    Refusal("budget.basis-missing", "no reorganisation", FUNDED, reassigned(("a", "moved", 1), data=NO_BASIS)),
    Refusal(
        "budget.line-overspent",
        "two pairs together",
        FUNDED,
        reassigned(("a", "moved", 60), ("a", "moved", 41)),
        100,
    ),
    Refusal(
        "budget.line-overspent",
        "what comes in does not go out in the same act",
        FUNDED,
        reassigned(("a", "moved", 60), ("moved", "a", 60)),
        0,
    ),
    # Adjustment.
    Refusal("budget.approver", "the council", FUNDED, adjusted("a", "b", 1, {"actor_role": "의회"})),
    Refusal("budget.year-closed", "no move after the closing", (*FUNDED, closed()), crossed("a", "park", 1)),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_every_move_has_its_column_and_all_are_zero_sum() -> None:
    world = given(
        *FUNDED,
        released("reserve", "a", 1),
        crossed("a", "park", 2),
        transferred("a", "b", 4),
        reassigned(("a", "moved", 8), ("a", "moved", 16)),
        adjusted("a", "b", 32, {"actor_role": "과장"}),
    )
    state = read_budget(world, budget())
    assert state is not None
    line = state.lines["a"]
    moves = (line.reserve_won, line.cross_transferred_won, line.transferred_won, line.reassigned_won, line.adjusted_won)
    assert moves == (1, -2, -4, -24, -32)
    assert line.change_won == sum(moves)
    assert sum(one.change_won for one in state.lines.values()) == 0
    assert state.year["only"].current_won == 400


def test_a_year_may_open_every_object_to_transfers() -> None:
    given(*FUNDED, limits(), transferred("a", "promotion", 1))


def test_imports_may_be_silent_about_who_decided() -> None:
    printed = {"basis": None, "actor_role": None, "provenance": "printed"}
    given(*FUNDED, crossed("a", "park", 1, printed), transferred("a", "b", 1, printed))


def test_every_head_of_a_government_may_approve_a_transfer() -> None:
    heads = ("자치단체장", "시장", "군수", "구청장")
    given(*FUNDED, *(transferred("a", "b", 1, {**BY_COUNCIL, "actor_role": head}) for head in heads))
