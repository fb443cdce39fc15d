"""May money move between lines? Six ways, each with what it may not mix and who decides it.

| event | between | decided by |
|---|---|---|
| `reserve-released` (예비비) | object 801 and a line of the same fund | |
| `cross-transferred` (이용) | two policy programmes | the council |
| `transferred` (전용) | lines of one policy programme | the head of government |
| `reassigned` (이체) | divisions, after a reorganisation | |
| `adjusted` (변경사용) | lines of one project | the department |

Nothing moves but what is neither allotted, nor spent, nor carried over; every move is zero-sum, inside one fund.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from audit_service.rules.budget_checks import (
    overspent,
    require_approver,
    require_basis,
    require_line,
    require_open_year,
    require_same_fund,
    require_same_purse,
)
from audit_service.rules.budget_postings import post
from audit_service.rules.budget_roles import COUNCIL, DEPARTMENT, HEAD_OF_GOVERNMENT
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY

if TYPE_CHECKING:
    from audit_service.catalogue.budget import (
        Adjusted,
        CrossTransferred,
        Reassigned,
        ReserveReleased,
        TransferLimitsSet,
        Transferred,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import BudgetState, Line
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World

RESERVE = "801"
# 업무추진비; 민간이전 and 자치단체등이전, which hold the subsidies [K] (지방재정법 시행령 §48).
CLOSED_TO_RESERVE = ("203", "307", "308")
CLOSED_TO_TRANSFERS = ("203",)
# What a reassignment leaves as it is: everything but the division.
KEPT_BY_REASSIGNMENT = ("project_id", "object_code", "field", "sector", "policy", "unit")


def _require_pair(
    state: BudgetState, event: Event, data: ReserveReleased | CrossTransferred | Transferred | Adjusted
) -> tuple[Line, Line]:
    require_open_year(state, event)
    source = require_line(state, event, data.from_line_id)
    target = require_line(state, event, data.to_line_id)
    if data.from_line_id == data.to_line_id:
        raise _same_line(event)
    return source, target


def _same_line(event: Event) -> RuleBroken:
    return RuleBroken("budget.same-line", "both lines are the same", stream=event.subject)


def _require_spare(event: Event, source: Line, *, won: int) -> None:
    if won > source.movable_won:
        raise overspent(event, "the line cannot spare it", asked_won=won, available_won=source.movable_won)


def _move(
    state: BudgetState,
    event: Event,
    undo: Changes,
    column: str,
    data: ReserveReleased | CrossTransferred | Transferred | Adjusted,
) -> None:
    won = data.amount_won
    post(state, event, undo, (data.from_line_id, column, -won, data.to_line_id, column, won))


def decide_reserve(_: World, state: BudgetState, event: Event) -> None:
    """May the reserve fund be released? From object 801, never into business promotion or subsidies."""
    data: ReserveReleased = event.data
    source, target = _require_pair(state, event, data)
    if not (source.place.object_code or "").startswith(RESERVE):
        raise RuleBroken(
            "budget.not-reserve",
            "the line that is released from is no reserve",
            stream=event.subject,
            columns={"object_code": {"stated": source.place.object_code}},
            allowed=RESERVE,
        )
    _require_open_object(event, target, "budget.reserve-target", CLOSED_TO_RESERVE)
    require_same_fund(event, source, target)
    require_basis(event)
    _require_spare(event, source, won=data.amount_won)


def _require_open_object(event: Event, target: Line, rule_id: str, closed: tuple[str, ...]) -> None:
    """Is the target's object known, and not one of those that money of this kind may not reach?"""
    code = target.place.object_code
    if code is None:
        raise RuleBroken(
            "budget.object-not-stated",
            "money of this kind reaches only a line whose object is stated",
            stream=event.subject,
            allowed="object_code",
        )
    if code.startswith(closed):
        raise RuleBroken(
            rule_id,
            f"object {code} is closed to money of this kind",
            stream=event.subject,
            columns={"object_code": {"stated": code}},
            allowed="any object but " + ", ".join(closed),
        )


def evolve_reserve(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the release on both lines."""
    _move(state, event, undo, "reserve_won", event.data)


def _require_policies(event: Event, source: Line, target: Line) -> tuple[str, str]:
    policies = source.place.policy, target.place.policy
    if None in policies and source.project_id == target.project_id:
        # A project stands in one policy programme, whether or not its lines say in which.
        return source.project_id, source.project_id
    if policies[0] is None or policies[1] is None:
        raise RuleBroken(
            "budget.policy-not-stated",
            "whether both lines are of one policy programme cannot be told",
            stream=event.subject,
            columns={"policy": {"from": policies[0], "to": policies[1]}},
            allowed="policy",
        )
    return policies[0], policies[1]


def decide_crossed(_: World, state: BudgetState, event: Event) -> None:
    """May money cross from one policy programme to another (이용)? The council decides, inside one fund."""
    data: CrossTransferred = event.data
    source, target = _require_pair(state, event, data)
    one, other = _require_policies(event, source, target)
    if one == other:
        raise RuleBroken(
            "budget.policy-same",
            "both lines are of one policy programme: that is a within-programme transfer",
            stream=event.subject,
            columns={"policy": {"from": one, "to": other}},
            allowed="budget.transferred.v1",
        )
    require_same_fund(event, source, target)
    require_basis(event)
    require_approver(event, COUNCIL)
    _require_spare(event, source, won=data.amount_won)


def evolve_crossed(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the transfer on both lines."""
    _move(state, event, undo, "cross_transferred_won", event.data)


def decide_transferred(_: World, state: BudgetState, event: Event) -> None:
    """May money move inside a policy programme (전용)? The head of government decides, not into closed objects."""
    data: Transferred = event.data
    source, target = _require_pair(state, event, data)
    one, other = _require_policies(event, source, target)
    if one != other:
        raise RuleBroken(
            "budget.policy-differs",
            "the lines are of two policy programmes: that is for the council to decide",
            stream=event.subject,
            columns={"policy": {"from": one, "to": other}},
            allowed="budget.cross-transferred.v1",
        )
    closed = state.transfer_limits.get(ONLY, CLOSED_TO_TRANSFERS)
    _require_open_object(event, target, "budget.transfer-closed", closed)
    require_same_fund(event, source, target)
    require_basis(event)
    require_approver(event, HEAD_OF_GOVERNMENT)
    _require_spare(event, source, won=data.amount_won)


def evolve_transferred(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the transfer on both lines."""
    _move(state, event, undo, "transferred_won", event.data)


def decide_limits(_: World, state: BudgetState, event: Event) -> None:
    """May the objects be named that no within-programme transfer reaches? Once a year."""
    require_open_year(state, event)
    if state.transfer_limits:
        raise RuleBroken("budget.transfer-limits-twice", "the year has its limits", stream=event.subject)


def evolve_limits(state: BudgetState, event: Event, undo: Changes) -> None:
    """Remember the closed objects of the year."""
    data: TransferLimitsSet = event.data
    undo.put(state.transfer_limits, ONLY, tuple(data.closed_to_transfers))


def decide_reassigned(_: World, state: BudgetState, event: Event) -> None:
    """May money follow a reorganisation (이체)? Pairs differ in the division alone, and every line can spare it."""
    require_open_year(state, event)
    data: Reassigned = event.data
    leaving: Counter[str] = Counter()
    for pair in data.pairs:
        source = require_line(state, event, pair.from_line_id)
        target = require_line(state, event, pair.to_line_id)
        if pair.from_line_id == pair.to_line_id:
            raise _same_line(event)
        _require_only_division(event, source, target)
        leaving[pair.from_line_id] += pair.amount_won
    require_basis(event)
    for line_id, won in leaving.items():
        _require_spare(event, state.lines[line_id], won=won)


def _require_only_division(event: Event, source: Line, target: Line) -> None:
    require_same_fund(event, source, target)
    columns: dict[str, object] = {
        name: {"stated": getattr(target.place, name), "expected": getattr(source.place, name)}
        for name in KEPT_BY_REASSIGNMENT
        if getattr(target.place, name) != getattr(source.place, name)
    }
    if source.place.division == target.place.division:
        columns["division"] = {"stated": target.place.division, "expected": "another"}
    if columns:
        raise RuleBroken(
            "budget.reassignment-differs",
            "a reassignment changes the division and nothing else",
            stream=event.subject,
            columns=columns,
            allowed="another division",
        )


def evolve_reassigned(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the reassignment on all its lines."""
    data: Reassigned = event.data
    moves: list[str | int] = []
    for pair in data.pairs:
        moves += (pair.from_line_id, "reassigned_won", -pair.amount_won)
        moves += (pair.to_line_id, "reassigned_won", pair.amount_won)
    post(state, event, undo, tuple(moves))


def decide_adjusted(_: World, state: BudgetState, event: Event) -> None:
    """May money move inside a project (변경사용)? Inside one fund, and only what the line can spare."""
    data: Adjusted = event.data
    source, target = _require_pair(state, event, data)
    require_same_purse(event, source, target)
    require_approver(event, DEPARTMENT, named=False)
    _require_spare(event, source, won=data.amount_won)


def evolve_adjusted(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the change on both lines, zero-sum."""
    _move(state, event, undo, "adjusted_won", event.data)
