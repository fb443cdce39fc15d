"""Is money conserved? What the events say, added up without the rules' own state, and compared with it.

`Recount` is a second, naive bookkeeping: it knows nothing of refusals and simply sums what happened. A correction
takes off what its target had added, and adds its replacement. Won that entered a budget is spent, unspent (it will
lapse), or on its way between two years.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from audit_service.rules.budget_states import COLUMNS, FIRST_OF_CURRENT, LAST_OF_CURRENT
from audit_service.rules.budget_year_end import compute_totals
from audit_service.rules.contract_identities import identities
from audit_service.rules.states import ONLY, BudgetState, ContractState, PeriodState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue.event import Event
    from audit_service.rules.budget_states import Line
    from audit_service.rules.world import Replica

ADDED_UP = tuple(COLUMNS)[1:-1]
CURRENT = tuple(COLUMNS)[FIRST_OF_CURRENT : LAST_OF_CURRENT + 1]
# Moves between lines of one year: whatever happened, nothing is left when they are added up.
ZERO_SUM = ("reserve_won", "cross_transferred_won", "transferred_won", "reassigned_won", "adjusted_won")
_MOVES = {
    "budget.reserve-released.v1": "reserve_won",
    "budget.cross-transferred.v1": "cross_transferred_won",
    "budget.transferred.v1": "transferred_won",
    "budget.adjusted.v1": "adjusted_won",
}

# What brings no money into the ledger: it was there, on another line or in another year.
_INSIDE = {*_MOVES, "budget.reassigned.v1", "budget.carry-in-received.v1"}

# What is added up: a stream, a line or an obligation in it, and a column; or "entered" for the whole stream.
Key = tuple[str, str, str]


class Recount:
    """Won by (subject, line or obligation, column), from the events alone."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.won: Counter[Key] = Counter()
        self.by_event: dict[str, Counter[Key]] = {}
        self.line_of: dict[tuple[str, str], str] = {}
        self.obligation_of: dict[tuple[str, str], str] = {}
        self.early: dict[tuple[str, str], tuple[str, int]] = {}
        # Won carried over and not received yet, by the id of the carried-over event; never more than once.
        self.travelling: Counter[str] = Counter()
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Take the next event."""
        if event.type == "budget.carried-over.v1":
            assert event.id not in self.travelling
            self.travelling[event.id] = event.data.amount_won
        elif event.type == "budget.carry-in-received.v1":
            self.travelling[event.data.carried_over_id] -= event.data.amount_won
            assert self.travelling[event.data.carried_over_id] >= 0
        if event.type == "budget.corrected.v1":
            self.won.subtract(self.by_event[event.data.corrects])
            added = self._replacement(event)
        else:
            added = self._of(event.type, event.subject, event.data)
        self.won.update(added)
        self.by_event[event.id] = added

    def _replacement(self, event: Event) -> Counter[Key]:
        replacement = event.data.replacement
        if replacement is msgspec.UNSET:
            return Counter()
        for name in replacement.__struct_fields__:
            payload = getattr(replacement, name)
            if payload is not msgspec.UNSET:
                return self._of(f"budget.{name.replace('_', '-')}.v1", event.subject, payload)
        raise AssertionError("an empty replacement was accepted")

    def _of(self, event_type: str, subject: str, data: Any) -> Counter[Key]:
        own: Counter[Key] = Counter()
        for name, column, won in self._parts(event_type, subject, data):
            own[subject, name, column] += won
            if column in CURRENT and event_type not in _INSIDE:
                own[subject, "", "entered"] += won
        return own

    def _parts(self, event_type: str, subject: str, data: Any) -> list[tuple[str, str, int]]:
        match event_type:
            case "budget.appropriated.v1":
                return [*self._provisional_gone(subject), *((r.line_id, "final_won", r.amount_won) for r in data.rows)]
            case "budget.provisional-authorised.v1":
                return [(row.line_id, "provisional_won", row.amount_won) for row in data.rows]
            case "budget.supplemented.v1":
                ids = () if data.pre_appropriation_ids is msgspec.UNSET else data.pre_appropriation_ids
                taken = [self.early[subject, name] for name in ids]
                return [
                    *((row.line_id, "final_won", row.delta_won) for row in data.rows),
                    *((line_id, "pre_appropriated_won", -won) for line_id, won in taken),
                ]
            case "budget.pre-appropriation-used.v1":
                self.early[subject, data.pre_appropriation_id] = data.line_id, data.amount_won
                return [(data.line_id, "pre_appropriated_won", data.amount_won)]
            case "budget.revenue-substituted.v1":
                return [(data.line_id, "revenue_substituted_won", data.amount_won)]
            case "budget.opening-imported.v1":
                return [(r.line_id, f"carried_in_{r.kind.lower()}_won", r.carried_in_won) for r in data.rows]
            case "budget.carry-in-received.v1":
                return [(data.line_id, f"carried_in_{data.kind.lower()}_won", data.amount_won)]
            case "budget.reassigned.v1":
                return [part for pair in data.pairs for part in _both(pair, "reassigned_won")]
            case _ if event_type in _MOVES:
                return _both(data, _MOVES[event_type])
        return self._spending(event_type, subject, data)

    def _provisional_gone(self, subject: str) -> list[tuple[str, str, int]]:
        found = [(key[1], won) for key, won in self.won.items() if key[0] == subject and key[2] == "provisional_won"]
        return [(name, "provisional_won", -won) for name, won in found]

    def _spending(self, event_type: str, subject: str, data: Any) -> list[tuple[str, str, int]]:
        match event_type:
            case "budget.allotted.v1":
                return [(data.line_id, "allotted_won", data.amount_won)]
            case "budget.reallotted.v1":
                return [(data.line_id, "reallotted_won", data.amount_won)]
            case "budget.obligation-incurred.v1":
                self.line_of[subject, data.obligation_id] = data.line_id
                return self._obligated(data.line_id, data.obligation_id, data.amount_won)
            case "budget.obligation-adjusted.v1":
                line_id = self.line_of[subject, data.obligation_id]
                return self._obligated(line_id, data.obligation_id, data.delta_won)
            case "budget.paid.v1":
                self.obligation_of[subject, data.payment_id] = data.obligation_id
                return self._paid(data.line_id, data.obligation_id, data.amount_won)
            case "budget.returned.v1":
                obligation_id = self.obligation_of[subject, data.payment_id]
                return self._paid(self.line_of[subject, obligation_id], obligation_id, -data.amount_won)
            case "budget.carryover-declared.v1":
                return [(data.line_id, "declared_won", data.amount_won)]
            case "budget.carried-over.v1":
                out = [(data.line_id, f"carried_out_{data.kind.lower()}_won", data.amount_won)]
                return out + [(data.line_id, "unbound_won", data.amount_won)] * (data.ancillary is True)
            case "budget.cost-basis-recorded.v1":
                return [(data.line_id, "items_won", data.amount_won)]
        return []

    def _obligated(self, line_id: str, obligation_id: str, won: int) -> list[tuple[str, str, int]]:
        return [(line_id, "obligated_won", won), (obligation_id, "obligation", won)]

    def _paid(self, line_id: str, obligation_id: str, won: int) -> list[tuple[str, str, int]]:
        return [(line_id, "executed_won", won), (obligation_id, "paid", won)]


def _both(data: Any, column: str) -> list[tuple[str, str, int]]:
    return [(data.from_line_id, column, -data.amount_won), (data.to_line_id, column, data.amount_won)]


def check_conserved(world: Replica, recount: Recount) -> None:
    """Hold every identity of every stream at this moment, after the events of `recount` were accepted."""
    won = recount.won
    spent = unspent = 0
    for subject, state in world.streams.items():
        if isinstance(state, BudgetState):
            _check_budget(subject, state, won)
            lines = state.lines.values()
            spent += sum(line.executed_won for line in lines)
            unspent += sum(line.unspent_won for line in lines)
        elif isinstance(state, ContractState):
            _check_contract(state)
        elif isinstance(state, PeriodState) and state.sealing:
            assert len(state.commitments) <= state.sealing[ONLY].sealed
    entered = sum(amount for key, amount in won.items() if key[2] == "entered")
    assert entered == spent + unspent + sum(recount.travelling.values())


def _check_budget(subject: str, state: BudgetState, won: Counter[Key]) -> None:
    for line_id, line in state.lines.items():
        for column in ADDED_UP:
            assert getattr(line, column) == won[subject, line_id, column], (subject, line_id, column)
        _check_line(line)
    _check_obligations(subject, state, won)
    for column in ZERO_SUM:
        assert sum(getattr(line, column) for line in state.lines.values()) == 0, (subject, column)
    for totals in compute_totals(state).values():
        current_won = totals.final_budget_won + totals.carried_in_won + totals.budget_change_won
        assert totals.current_budget_won == current_won
        assert totals.unspent_won == totals.current_budget_won - totals.executed_won - totals.carried_out_won >= 0
    if state.year:
        assert state.year[ONLY].current_won == sum(line.current_won for line in state.lines.values())


def _check_line(line: Line) -> None:
    assert 0 <= line.executed_won <= line.obligated_won <= line.allotted_won <= line.current_won
    assert 0 <= line.reallotted_won <= line.allotted_won
    assert line.executed_won + line.carried_out_won <= line.current_won
    assert line.executed_won + line.bound_out_won <= line.obligated_won
    assert line.carried_out_explicit_won <= line.declared_won
    assert min(line.final_won, line.provisional_won, line.pre_appropriated_won, line.items_won, line.unbound_won) >= 0
    assert line.current_won == sum(getattr(line, column) for column in CURRENT)


def _check_obligations(subject: str, state: BudgetState, won: Counter[Key]) -> None:
    bound: Counter[str] = Counter()
    for name, obligation in state.obligations.items():
        assert obligation.amount_won == won[subject, name, "obligation"]
        assert obligation.paid_won == won[subject, name, "paid"]
        assert 0 <= obligation.paid_won <= obligation.amount_won
        if obligation.standing and obligation.contract_process_id is not None:
            key = f"{obligation.contract_process_id} {obligation.instalment}"
            bound[key] += obligation.amount_won
            bound[f"{key} {obligation.line_id}"] += obligation.amount_won
        if not obligation.standing:
            assert (obligation.amount_won, obligation.uses) == (0, 0)
    assert {name: amount for name, amount in state.bound.items() if amount} == {k: v for k, v in bound.items() if v}
    for payment in state.payments.values():
        assert 0 <= payment.returned_won <= payment.amount_won
        assert payment.standing or payment.uses == 0
    taken: Counter[str] = Counter()
    for name, amount in state.offices.items():
        assert amount >= 0
        taken[name.split(" ")[0]] += amount
    for line_id, line in state.lines.items():
        assert line.reallotted_won == taken[line_id]
    for revenue in state.revenues.values():
        assert 0 <= revenue.used_won <= revenue.excess_won or revenue.uses == 0


def check_bound(world: Replica) -> None:
    """Does no budget bind more for an instalment than it is signed for, and none close with an open early use?

    For histories in which no contract is made smaller.
    """
    for state in world.streams.values():
        if not isinstance(state, BudgetState):
            continue
        for key, won in state.bound.items():
            process_id, number, *_ = key.split(" ")
            contract = world.streams.get(f"contract/{process_id}")
            signed = contract.instalments.get(int(number)) if isinstance(contract, ContractState) else None
            assert signed is None or signed.amount_won is None or won <= signed.amount_won, key
        if state.year and state.year[ONLY].closed:
            assert not [use for use in state.pre_appropriations.values() if use.standing and use.round is None]


def _check_contract(state: ContractState) -> None:
    if state.contract:
        for name, holds, figures in identities(state):
            assert holds, (name, figures)


def check_paired(world: Replica) -> None:
    """Has every payment on a contract its half there, of the same amount, and the other way round?

    Only where pairs are held together (`Groups`): a rule alone sees one stream at a time.
    """
    on_budgets = Counter(
        {
            f"{subject} {name}": payment.amount_won
            for subject, state in world.streams.items()
            if isinstance(state, BudgetState)
            for name, payment in state.payments.items()
            if payment.standing and payment.contract_paid_id is not None
        }
    )
    on_contracts = Counter(
        {
            name: payment.amount_won
            for state in world.streams.values()
            if isinstance(state, ContractState)
            for name, payment in state.payments.items()
            if payment is not None
        }
    )
    assert on_budgets == on_contracts
