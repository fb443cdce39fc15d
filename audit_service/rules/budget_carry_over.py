"""May money go to the next year? What the council declares, plans over several years, and the pairs of carry-overs.

A carry-over is a pair of entries, one on each year, naming each other (groups.py). 지방재정법 §50 and §42 know three
kinds. *Explicit* (명시이월): as far as the council declared it before the year's end. *Accidental* (사고이월): what
obligations bind and was not paid, with the ancillary expense; what came in as accidental does not go out as
accidental again [K]. *Continuing* (계속비이월): within the plan, until its last year. The closing year's half falls
between the year's first day and the end of the next year, the opening year's half inside its own year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules import budget_states
from audit_service.rules.budget_appropriation import carried_in_column
from audit_service.rules.budget_checks import (
    is_imported,
    opening_known,
    overspent,
    parse_subject,
    require_approver,
    require_basis,
    require_kind,
    require_legal_date,
    require_line,
    require_open_year,
    require_room,
    require_same_purse,
    require_total,
    require_year,
    stated,
)
from audit_service.rules.budget_postings import book, post
from audit_service.rules.budget_roles import COUNCIL
from audit_service.rules.budget_states import BudgetState, Line, Plan
from audit_service.rules.errors import RuleBroken
from audit_service.rules.world import World, read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.budget import CarriedOver, CarryInReceived, CarryoverDeclared, ContinuingPlanSet
    from audit_service.catalogue.event import Event
    from audit_service.rules.undo import Changes


def decide_declared(_: World, state: BudgetState, event: Event) -> None:
    """May the council declare this for explicit carry-over? In the year, within what is not spent yet."""
    require_open_year(state, event)
    data: CarryoverDeclared = event.data
    line = require_line(state, event, data.line_id)
    require_basis(event)
    require_approver(event, COUNCIL)
    available_won = line.current_won - line.executed_won - line.declared_won
    if data.amount_won > available_won:
        raise overspent(
            event,
            "only what is not spent is declared for carry-over",
            asked_won=data.amount_won,
            available_won=max(0, available_won),
        )


def evolve_declared(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book what is declared."""
    data: CarryoverDeclared = event.data
    post(state, event, undo, (data.line_id, "declared_won", data.amount_won))


def decide_plan(_: World, state: BudgetState, event: Event) -> None:
    """May this continuing expenditure be set? Years without gaps from this one on, adding up to its total."""
    year = require_open_year(state, event)
    data: ContinuingPlanSet = event.data
    if data.plan_id in state.plans:
        raise RuleBroken("budget.plan-duplicate", f"plan {data.plan_id} is already set", stream=event.subject)
    years = [part.fiscal_year for part in data.years]
    expected = list(range(year.fiscal_year, year.fiscal_year + len(years)))
    if years != expected:
        raise RuleBroken(
            "budget.plan-years",
            "the years of a plan follow each other, from the year of its budget on",
            stream=event.subject,
            columns={"first": years[0], "last": years[-1], "count": len(years)},
            allowed=f"{expected[0]}/{expected[-1]}",
        )
    require_total(event, stated_won=data.total_won, computed_won=sum(part.amount_won for part in data.years))
    require_basis(event)
    require_approver(event, COUNCIL)


def evolve_plan(state: BudgetState, event: Event, undo: Changes) -> None:
    """Remember the plan."""
    data: ContinuingPlanSet = event.data
    amounts = tuple(part.amount_won for part in data.years)
    undo.put(state.plans, data.plan_id, Plan(data.project_id, data.years[0].fiscal_year, amounts))


def decide_carried_over(world: World, state: BudgetState, event: Event) -> None:
    """May this be carried over? From what is left, within what its kind allows, to the same agency's next year."""
    year = require_year(state, event)
    data: CarriedOver = event.data
    require_legal_date(event, first=year.opens_on, last=f"{year.fiscal_year + 1}-12-31")
    line = require_line(state, event, data.line_id)
    _require_neighbour(event, data.to_subject, years=1)
    require_kind(data.kind, data, event)
    if event.id in state.carried_over:
        raise RuleBroken("budget.carry-over-duplicate", "this id has carried over already", stream=event.subject)
    _require_form(event, data)
    if data.amount_won > line.unspent_won:
        raise overspent(
            event,
            "only what is not spent is carried over",
            asked_won=data.amount_won,
            available_won=line.unspent_won,
        )
    if data.kind == "ACCIDENTAL":
        _require_accidental(event, data, line)
    elif data.kind == "EXPLICIT" and not is_imported(data):
        _require_declared(event, data, line)
    elif data.kind == "CONTINUING" and not is_imported(data):
        _require_plan(world, state, event, data, line, fiscal_year=year.fiscal_year)


def _require_form(event: Event, data: CarriedOver) -> None:
    """Does only an accidental carry-over say `ancillary`, and only a continuing one name its plan?"""
    plan = stated(data.plan_subject) is not None, stated(data.plan_id) is not None
    planned = data.kind == "CONTINUING"
    expected = (planned, planned)
    if plan != expected and not (planned and is_imported(data) and plan == (False, False)):
        raise RuleBroken(
            "budget.carry-over-form",
            "a continuing carry-over names its plan and the plan's budget, any other names none",
            stream=event.subject,
            columns={"plan_subject": {"stated": plan[0]}, "plan_id": {"stated": plan[1]}},
            allowed="plan_subject and plan_id" if planned else "neither",
        )
    if isinstance(data.ancillary, bool) and data.kind != "ACCIDENTAL":
        raise RuleBroken(
            "budget.carry-over-form",
            "only an accidental carry-over has ancillary expense",
            stream=event.subject,
            allowed="ACCIDENTAL",
        )


def _require_accidental(event: Event, data: CarriedOver, line: Line) -> None:
    # Spending is counted against the accidental carry-in first: the reading that leaves most to carry over.
    old_won = max(0, line.carried_in_accidental_won - line.executed_won)
    if data.amount_won > line.unspent_won - old_won:
        raise RuleBroken(
            "budget.carry-over-twice",
            f"{old_won} won of what is left came in as accidental carry-over already",
            stream=event.subject,
            columns={"unspent_won": line.unspent_won, "carried_in_accidental_won": line.carried_in_accidental_won},
            allowed=max(0, line.unspent_won - old_won),
        )
    open_won = line.obligated_won - line.executed_won - line.bound_out_won
    if not is_unbound(data) and data.amount_won > open_won:
        raise RuleBroken(
            "budget.carry-over-not-obligated",
            f"obligations bind {open_won} won that are neither paid nor carried over",
            stream=event.subject,
            columns={"asked_won": data.amount_won, "available_won": open_won},
            allowed=open_won,
        )


def is_unbound(data: CarriedOver) -> bool:
    """Is this accidental carry-over one that no obligation need bind? Ancillary expense, or a printed figure."""
    return data.ancillary is True or is_imported(data)


def _require_declared(event: Event, data: CarriedOver, line: Line) -> None:
    open_won = line.declared_won - line.carried_out_explicit_won
    if data.amount_won > open_won:
        raise RuleBroken(
            "budget.carry-over-undeclared",
            f"the council declared {line.declared_won} won of this line for carry-over",
            stream=event.subject,
            columns={"declared_won": line.declared_won, "carried_out_explicit_won": line.carried_out_explicit_won},
            allowed=open_won,
        )


def _require_plan(
    world: World, state: BudgetState, event: Event, data: CarriedOver, line: Line, *, fiscal_year: int
) -> None:
    subject, plan_id = str(data.plan_subject), str(data.plan_id)
    agency, _ = parse_subject(event.subject)
    plans = state if subject == event.subject else read_budget(world, subject)
    plan = None if plans is None else plans.plans.get(plan_id)
    if plan is None or parse_subject(subject)[0] != agency:
        raise RuleBroken("budget.plan-unknown", "no budget of the agency has this plan", stream=event.subject)
    if plan.project_id != line.place.project_id:
        raise RuleBroken(
            "budget.project-differs",
            "the plan is another project's",
            stream=event.subject,
            allowed=plan.project_id,
        )
    last = plan.first_year + len(plan.amounts_won) - 1
    if not plan.first_year <= fiscal_year < last:
        raise RuleBroken(
            "budget.plan-ended",
            f"the plan runs from {plan.first_year} to {last}: its last year's rest lapses",
            stream=event.subject,
            columns={"first": plan.first_year, "last": last},
            allowed=f"{plan.first_year}/{last - 1}",
        )
    planned_won = sum(plan.amounts_won[: fiscal_year - plan.first_year + 1])
    open_won = planned_won - state.plan_used.get(_plan_key(data), 0)
    if data.amount_won > open_won:
        raise RuleBroken(
            "budget.plan-exceeded",
            f"the plan comes to {planned_won} won up to this year",
            stream=event.subject,
            columns={"asked_won": data.amount_won, "available_won": open_won},
            allowed=open_won,
        )


def _plan_key(data: CarriedOver) -> str:
    return f"{data.plan_subject} {data.plan_id}"


def _require_neighbour(event: Event, subject: str, *, years: int) -> None:
    agency, fiscal_year = parse_subject(event.subject)
    expected = f"budget/{agency}/{fiscal_year + years}"
    if subject != expected:
        raise RuleBroken(
            "budget.carry-over-subject",
            "a carry-over leads from one fiscal year of an agency to its next",
            stream=event.subject,
            allowed=expected,
        )


def evolve_carried_over(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book what leaves the year, and remember it for the other half."""
    data: CarriedOver = event.data
    line, won = state.lines[data.line_id], data.amount_won
    moves: list[str | int] = [data.line_id, f"carried_out_{data.kind.lower()}_won", won]
    if data.kind == "ACCIDENTAL" and is_unbound(data):
        moves += (data.line_id, "unbound_won", won)
    elif data.kind == "EXPLICIT":
        # A printed explicit carry-over speaks for its own declaration.
        missing_won = line.carried_out_explicit_won + won - line.declared_won
        if missing_won > 0:
            moves += (data.line_id, "declared_won", missing_won)
    elif data.kind == "CONTINUING" and isinstance(data.plan_id, str):
        key = _plan_key(data)
        undo.put(state.plan_used, key, state.plan_used.get(key, 0) + won)
    book(state, undo, tuple(moves))
    half = budget_states.CarriedOver(
        data.line_id, data.to_subject, data.to_line_id, data.kind, data.amount_won, data.carry_in_id
    )
    undo.put(state.carried_over, event.id, half)


def decide_carry_in(world: World, state: BudgetState, event: Event) -> None:
    """Does this carry-in answer a carry-over of the year before? Once, and in every figure."""
    year = require_open_year(state, event)
    data: CarryInReceived = event.data
    line = require_line(state, event, data.line_id)
    _require_neighbour(event, data.from_subject, years=-1)
    require_kind(data.kind, data, event)
    closing = read_budget(world, data.from_subject)
    half = None if closing is None else closing.carried_over.get(data.carried_over_id)
    if closing is None or half is None:
        raise RuleBroken(
            "budget.carry-over-unknown",
            "the year before has carried over nothing under this id",
            stream=event.subject,
        )
    if data.carried_over_id in state.carried_in:
        raise RuleBroken("budget.carry-over-duplicate", "this carry-over is already received", stream=event.subject)
    here = budget_states.CarriedOver(
        data.from_line_id, event.subject, data.line_id, data.kind, data.amount_won, event.id
    )
    columns = {
        name: {"stated": found, "expected": expected}
        for name, found, expected in zip(half._fields, here, half, strict=True)
        if found != expected
    }
    if columns:
        raise RuleBroken(
            "budget.carry-over-differs",
            "the two halves of the carry-over do not say the same",
            stream=event.subject,
            columns=columns,
        )
    if year.opening_imported:
        raise opening_known(event)
    require_same_purse(event, closing.lines[half.line_id], line)
    require_room(year, event, new_won=data.amount_won)


def evolve_carry_in(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book what enters the year, and that this carry-over is received."""
    data: CarryInReceived = event.data
    undo.put(state.carried_in, data.carried_over_id, data.amount_won)
    book(state, undo, (data.line_id, carried_in_column(data.kind), data.amount_won))
