"""Where does a year's money come from? Provisional, original and supplementary budgets, and what comes before them.

The council resolves the original budget (본예산) and its supplements (추가경정예산). A provisional budget (준예산)
lasts until the original one replaces it; an earmarked grant may be used before a supplement takes it in
(성립전예산); revenue beyond its estimate may pay for the expense that earned it (수입대체경비). Opening balances
from outside the ledger are imported.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from audit_service.rules.budget_allotment import require_nonzero
from audit_service.rules.budget_checks import (
    opening_known,
    overspent,
    require_approver,
    require_basis,
    require_distinct,
    require_kind,
    require_line,
    require_open_year,
    require_room,
    require_total,
    year_before,
)
from audit_service.rules.budget_postings import Moves, book, post
from audit_service.rules.budget_roles import COUNCIL
from audit_service.rules.budget_states import BudgetState, Line, PreAppropriation, Revenue, Year
from audit_service.rules.dates import is_calendar_date
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.world import read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.budget import (
        Appropriated,
        OpeningImported,
        PreAppropriationUsed,
        ProvisionalAuthorised,
        RevenueSubstituted,
        Supplemented,
    )
    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import Posting
    from audit_service.rules.undo import Changes
    from audit_service.rules.world import World


def decide_opening(world: World, state: BudgetState, event: Event) -> None:
    """May balances be taken over from outside? Once, before the lines move, where no earlier year is known."""
    year = require_open_year(state, event)
    data: OpeningImported = event.data
    if year.opening_imported:
        raise RuleBroken("budget.opening-twice", "an opening is already imported", stream=event.subject)
    earlier = read_budget(world, year_before(event.subject))
    if earlier is not None and earlier.year:
        raise opening_known(event)
    require_distinct("budget.line-repeated", [row.line_id for row in data.rows], event)
    for row in data.rows:
        if require_line(state, event, row.line_id).moved:
            raise RuleBroken("budget.opening-late", f"line {row.line_id} has moved already", stream=event.subject)
        require_kind(row.kind, data, event)
    require_room(year, event, new_won=sum(row.carried_in_won for row in data.rows))


def evolve_opening(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the carry-in that was taken over from outside."""
    data: OpeningImported = event.data
    for row in data.rows:
        book(state, undo, (row.line_id, carried_in_column(row.kind), row.carried_in_won))
    undo.put(state.year, ONLY, state.year[ONLY]._replace(opening_imported=True))


def carried_in_column(kind: str) -> str:
    """Return the column of a carry-in of this kind."""
    return f"carried_in_{kind.lower()}_won"


def decide_provisional(_: World, state: BudgetState, event: Event) -> None:
    """May a provisional budget be authorised? Only while there is no original one."""
    year = require_open_year(state, event)
    data: ProvisionalAuthorised = event.data
    if year.appropriated:
        raise RuleBroken("budget.provisional-late", "the year has its original budget", stream=event.subject)
    require_distinct("budget.line-repeated", [row.line_id for row in data.rows], event)
    for row in data.rows:
        require_line(state, event, row.line_id)
    require_total(event, stated_won=data.total_won, computed_won=sum(row.amount_won for row in data.rows))
    require_basis(event)
    first = event.legal_date or year.opens_on
    if not is_calendar_date(data.until_on) or not first <= data.until_on <= year.closes_on:
        raise RuleBroken(
            "budget.provisional-until",
            "a provisional budget lasts from its legal date to a day of the same year",
            stream=event.subject,
            columns={"until_on": {"stated": data.until_on, "first": first, "last": year.closes_on}},
            allowed=f"{first}/{year.closes_on}",
        )
    require_room(year, event, new_won=data.total_won)


def evolve_provisional(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book what may be spent provisionally."""
    data: ProvisionalAuthorised = event.data
    year = state.year[ONLY]
    until = max(year.provisional_until, data.until_on)
    undo.put(state.year, ONLY, year._replace(provisional=True, provisional_until=until))
    for row in data.rows:
        book(state, undo, (row.line_id, "provisional_won", row.amount_won))


def decide_original(_: World, state: BudgetState, event: Event) -> None:
    """May the original budget be resolved? Once a year; it covers what the provisional one let be used."""
    year = require_open_year(state, event)
    data: Appropriated = event.data
    if year.appropriated:
        raise RuleBroken("budget.appropriated-twice", "the year has its original budget", stream=event.subject)
    require_distinct("budget.line-repeated", [row.line_id for row in data.rows], event)
    for row in data.rows:
        require_line(state, event, row.line_id)
    require_total(event, stated_won=data.total_won, computed_won=sum(row.amount_won for row in data.rows))
    require_basis(event)
    require_approver(event, COUNCIL, named=False)
    if year.provisional:
        _require_covered(state, event, data)
    require_room(year, event, new_won=data.total_won)


def _require_covered(state: BudgetState, event: Event, data: Appropriated) -> None:
    amounts = {row.line_id: row.amount_won for row in data.rows}
    for line_id, line in state.lines.items():
        missing_won = line.provisional_won - amounts.get(line_id, 0) - line.movable_won
        if line.provisional_won and missing_won > 0:
            raise RuleBroken(
                "budget.provisional-spent",
                f"line {line_id} has used more of the provisional budget than this leaves it",
                stream=event.subject,
                columns={"amount_won": amounts.get(line_id, 0), "allotted_won": line.allotted_won},
                allowed=amounts.get(line_id, 0) + missing_won,
            )


def evolve_original(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the appropriation of each line; it replaces the provisional budget."""
    data: Appropriated = event.data
    year = state.year[ONLY]
    undo.put(state.year, ONLY, year._replace(appropriated=True))
    moves: list[str | int] = []
    for row in data.rows:
        moves += (row.line_id, "final_won", row.amount_won)
    if year.provisional:
        for line_id, line in state.lines.items():
            if line.provisional_won:
                moves += (line_id, "provisional_won", -line.provisional_won)
    post(state, event, undo, tuple(moves))


def reverse_original(state: BudgetState, _: Posting, undo: Changes) -> None:
    """The year is without an original budget again."""
    undo.put(state.year, ONLY, state.year[ONLY]._replace(appropriated=False))


def decide_supplement(_: World, state: BudgetState, event: Event) -> None:
    """May the budget be supplemented? The next round; every line still covers what it carries already."""
    year = require_open_year(state, event)
    data: Supplemented = event.data
    if not year.appropriated:
        raise RuleBroken("budget.not-appropriated", "there is no original budget to supplement", stream=event.subject)
    expected = next_round(state, year)
    if data.round != expected:
        raise RuleBroken(
            "budget.round-number",
            f"round {data.round} is not the next one",
            stream=event.subject,
            columns={"round": {"stated": data.round, "expected": expected}},
            allowed=expected,
        )
    require_distinct("budget.line-repeated", [row.line_id for row in data.rows], event)
    for row in data.rows:
        require_line(state, event, row.line_id)
        require_nonzero(event, row.delta_won)
    require_total(event, stated_won=data.total_delta_won, computed_won=sum(row.delta_won for row in data.rows))
    require_basis(event)
    require_approver(event, COUNCIL)
    taken_in = _require_open_uses(state, event, _ids_of(data))
    _require_taken_in(event, data, taken_in)
    for row in data.rows:
        _require_supplemented(
            event, row.line_id, state.lines[row.line_id], delta_won=row.delta_won, taken_in_won=taken_in[row.line_id]
        )
    require_room(year, event, new_won=data.total_delta_won - sum(taken_in.values()))


def next_round(state: BudgetState, year: Year) -> int:
    """Which round of supplements comes next? While a round is being corrected, that one."""
    holes = (number for number, ids in state.rounds.items() if ids is None and number <= year.rounds)
    return next(holes, year.rounds + 1)


def _ids_of(data: Supplemented) -> list[str]:
    return data.pre_appropriation_ids if isinstance(data.pre_appropriation_ids, list) else []


def _require_open_uses(state: BudgetState, event: Event, ids: list[str]) -> Counter[str]:
    """How much used before appropriation does the round take in, by line in won?"""
    require_distinct("budget.pre-appropriation-taken", ids, event)
    taken_in: Counter[str] = Counter()
    for name in ids:
        use = state.pre_appropriations.get(name)
        if use is None or not use.standing:
            raise RuleBroken(
                "budget.pre-appropriation-unknown",
                f"nothing was used before appropriation as {name}",
                stream=event.subject,
            )
        if use.round is not None:
            raise RuleBroken(
                "budget.pre-appropriation-taken",
                f"round {use.round} has taken in {name}",
                stream=event.subject,
            )
        taken_in[use.line_id] += use.amount_won
    return taken_in


def _require_taken_in(event: Event, data: Supplemented, taken_in: Counter[str]) -> None:
    deltas = {row.line_id: row.delta_won for row in data.rows}
    for line_id, won in taken_in.items():
        if deltas.get(line_id, 0) < won:
            raise RuleBroken(
                "budget.pre-appropriation-not-covered",
                f"line {line_id} used {won} won before appropriation, its row brings less",
                stream=event.subject,
                columns={"delta_won": deltas.get(line_id, 0), "pre_appropriated_won": won},
                allowed=won,
            )


def _require_supplemented(event: Event, line_id: str, line: Line, *, delta_won: int, taken_in_won: int) -> None:
    if line.final_won + delta_won < 0:
        raise RuleBroken(
            "budget.appropriation-negative",
            f"line {line_id} would have less than nothing appropriated",
            stream=event.subject,
            columns={"final_won": line.final_won, "delta_won": delta_won},
            allowed=-line.final_won,
        )
    if line.movable_won + delta_won - taken_in_won < 0:
        raise overspent(
            event,
            f"line {line_id} has used what the supplement takes",
            asked_won=-delta_won,
            available_won=line.movable_won - taken_in_won,
        )


def evolve_supplement(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the round; the uses before appropriation that it names are appropriated now."""
    data: Supplemented = event.data
    ids = tuple(_ids_of(data))
    moves: list[str | int] = []
    for row in data.rows:
        moves += (row.line_id, "final_won", row.delta_won)
    for name in ids:
        use = state.pre_appropriations[name]
        undo.put(state.pre_appropriations, name, use._replace(round=data.round))
        moves += (use.line_id, "pre_appropriated_won", -use.amount_won)
    year = state.year[ONLY]
    undo.put(state.year, ONLY, year._replace(rounds=max(year.rounds, data.round)))
    undo.put(state.rounds, data.round, ids)
    post(state, event, undo, tuple(moves), named=str(data.round))


def reverse_supplement(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the round back: the uses before appropriation are open again, the newest round may come again."""
    number = int(posting.named)
    for name in state.rounds[number] or ():
        undo.put(state.pre_appropriations, name, state.pre_appropriations[name]._replace(round=None))
    undo.put(state.rounds, number, None)
    year = state.year[ONLY]
    if number == year.rounds:
        undo.put(state.year, ONLY, year._replace(rounds=number - 1))


def decide_early_use(_: World, state: BudgetState, event: Event) -> None:
    """May a grant be used before it is appropriated? Only money that others gave for it, never the city's own."""
    year = require_open_year(state, event)
    data: PreAppropriationUsed = event.data
    line = require_line(state, event, data.line_id)
    known = state.pre_appropriations.get(data.pre_appropriation_id)
    if known is not None and known.standing:
        raise RuleBroken(
            "budget.pre-appropriation-duplicate",
            f"{data.pre_appropriation_id} is already used before appropriation",
            stream=event.subject,
        )
    if line.place.fund == "CITY":
        raise RuleBroken(
            "budget.pre-appropriation-fund",
            "the city's own money is appropriated before it is used",
            stream=event.subject,
            columns={"fund": {"stated": line.place.fund}},
            allowed="NATIONAL, DISTRICT or OTHER",
        )
    require_basis(event)
    require_room(year, event, new_won=data.amount_won)


def evolve_early_use(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the use; it stays open until a supplement takes it in."""
    data: PreAppropriationUsed = event.data
    name = data.pre_appropriation_id
    undo.put(state.pre_appropriations, name, PreAppropriation(data.line_id, data.amount_won))
    post(state, event, undo, (data.line_id, "pre_appropriated_won", data.amount_won), named=name)


def reverse_early_use(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """Take the use back."""
    use = state.pre_appropriations[posting.named]
    undo.put(state.pre_appropriations, posting.named, use._replace(standing=False))


def decide_substitute(_: World, state: BudgetState, event: Event) -> None:
    """May revenue beyond its estimate be spent? Σ ≤ the excess, which is stated once and does not change."""
    year = require_open_year(state, event)
    data: RevenueSubstituted = event.data
    require_line(state, event, data.line_id)
    known = state.revenues.get(data.revenue_id)
    used_won = 0
    if known is not None and known.uses:
        used_won = known.used_won
        if known.excess_won != data.excess_revenue_won:
            raise RuleBroken(
                "budget.revenue-differs",
                f"the excess of {data.revenue_id} was stated otherwise before",
                stream=event.subject,
                columns={"excess_revenue_won": {"stated": data.excess_revenue_won, "expected": known.excess_won}},
                allowed=known.excess_won,
            )
    if used_won + data.amount_won > data.excess_revenue_won:
        raise RuleBroken(
            "budget.revenue-exceeded",
            f"{used_won + data.amount_won} won of an excess of {data.excess_revenue_won} won",
            stream=event.subject,
            columns={"used_won": used_won + data.amount_won, "excess_revenue_won": data.excess_revenue_won},
            allowed=data.excess_revenue_won - used_won,
        )
    require_room(year, event, new_won=data.amount_won)


def evolve_substitute(state: BudgetState, event: Event, undo: Changes) -> None:
    """Book the substituted revenue on its line, and what is used of it."""
    data: RevenueSubstituted = event.data
    known = state.revenues.get(data.revenue_id)
    used_won, uses = (0, 0) if known is None else (known.used_won, known.uses)
    undo.put(
        state.revenues,
        data.revenue_id,
        Revenue(data.excess_revenue_won, used_won + data.amount_won, uses + 1),
    )
    moves: Moves = (data.line_id, "revenue_substituted_won", data.amount_won)
    post(state, event, undo, moves, named=data.revenue_id)


def reverse_substitute(state: BudgetState, posting: Posting, undo: Changes) -> None:
    """The revenue may be used again."""
    known = state.revenues[posting.named]
    won = int(posting.moves[2])
    undo.put(state.revenues, posting.named, known._replace(used_won=known.used_won - won, uses=known.uses - 1))
