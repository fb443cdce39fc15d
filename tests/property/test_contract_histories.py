"""Do a contract's identities hold whatever happens, in whatever order? Random lives of one contract, with refusals.

Every batch is atomic: when one of its events is refused, all of it is undone, to the very same state. After every
accepted batch the contract is recounted from its events alone, and the folds' second bookkeeping must say the same.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.rules import contract_amending as amending
from audit_service.rules import contract_corrections as corrections
from audit_service.rules import contract_payment as payment
from audit_service.rules import contract_performance as performance
from audit_service.rules.contract_states import ContractState, Inspection, Instalment
from audit_service.rules.states import ONLY, BudgetState
from audit_service.rules.undo import Undo
from audit_service.rules.world import Replica
from projections.folds.contract_state import Fact
from projections.folds.contracts import Contracts
from tests.property.test_rules_histories import accept, replayed
from tests.support import contract_events as contract
from tests.support import events as build
from tests.support.conservation import Recount, check_conserved, check_paired
from tests.support.contract_recount import OF_AN_INSTALMENT, check_recounted
from tests.support.given import snapshot

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

T = TypeVar("T")
IDS = ("1", "2", "3", "4")
LONG = {"contract_type": "LONG_TERM_CONTINUING", "total_noted_won": 5000, "amount_won": 2000}
START = [
    build.opened(),
    build.opened(2022),
    *(build.line("a", year=year) for year in (2021, 2022)),
    *(build.appropriated({"a": 3000}, year=year) for year in (2021, 2022)),
    *(build.allotted(3000, year=year) for year in (2021, 2022)),
    build.planned(data={"prior_steps": ["SECURITY_REVIEW"]}),
]
SIGNED = [
    *START,
    contract.obligated_for(2000),
    build.signed(LONG),
    contract.obligated_for(1500, instalment=2, year=2022),
    build.instalment(data={"amount_won": 1500}),
]
CORRECTABLE = (
    "prior-step-completed",
    "amended",
    "subcontract-approved",
    "inspected",
    "accepted",
    "advance-paid",
    "paid",
    "subcontract-paid",
    "delay-damages-assessed",
)


class Clerk:
    """Makes up what an agency might write next about its contract, often at the very edge of what the rules allow."""

    def __init__(self, random: Random, world: Replica) -> None:
        self.random, self.world = random, world
        self.numbers = 0
        self.said: list[Event] = []

    def pick(self, *choices: T) -> T:
        return self.random.choice(choices)

    def near(self, limit: int) -> int:
        return max(1, self.pick(limit, limit, limit + 1, limit // 2, limit // 3, 1))

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    @property
    def state(self) -> ContractState:
        state = self.world.stream(build.CONTRACT)
        assert isinstance(state, ContractState)
        return state

    def instalment(self) -> tuple[int, Instalment]:
        number = self.pick(*(self.state.instalments or (1,)), 1, 2)
        return number, self.state.instalments.get(number, Instalment(2021, 100))

    def batch(self) -> list[Event]:
        often = (self.inspect, self.accept, self.accept, self.pay, self.pay, self.advance, self.correct, self.correct)
        seldom = (self.amend, self.assess, self.work, self.subcontract, self.pay_subcontractor, self.close)
        seldom += (self.oblige, self.give_back)
        before = (self.step, self.step, self.tender, self.tender, self.tender, self.sign)
        choices = (*often, *often, *seldom) if self.state.instalments else before
        return self.pick(*choices, self.end if self.pick(0, 0, 0, 0, 1) else self.pick(*choices))()

    def step(self) -> list[Event]:
        return [contract.prior_step(result=self.pick("PASSED", "REJECTED"), number=self.pick(1, 2, 3))]

    def tender(self) -> list[Event]:
        name = f"t{self.pick(*IDS)}"
        fields = {"tender_id": name, "method": self.pick("OPEN", "DIRECT")}
        award = {"award_id": "w" + name, "tender_id": name}
        return self.pick(
            [contract.tender(fields)],
            [contract.tender(fields), contract.tender_cancelled(name)],
            [contract.tender({**fields, "method": "DIRECT"}), contract.awarded("only", 4000, award)],
        )

    def sign(self) -> list[Event]:
        award = self.pick(None, *self.state.awards)
        signing = build.signed({**LONG, "amount_won": self.near(2000), "total_noted_won": 4000, "award_id": award})
        return [contract.obligated_for(self.near(2000), obligation=f"o{self.number()}"), signing]

    def inspect(self) -> list[Event]:
        kind, result = self.pick("PROGRESS", "FINAL"), self.pick("PASS", "PASS", "PARTIAL", "FAIL")
        fields = {"instalment": self.instalment()[0], "kind": kind, "result": result}
        return [contract.inspected(self.pick(*IDS), fields, id=f"e-{self.number()}")]

    def accept(self) -> list[Event]:
        known = self.pick(*(self.state.inspections or IDS))
        inspection = self.state.inspections.get(known)
        number = 1 if inspection is None else inspection.instalment
        one = self.state.instalments.get(number, Instalment(2021, 100))
        won = self.near((one.amount_won or 0) - one.accepted_won)
        return [contract.accepted(won, known, instalment=number, id=f"e-{self.number()}")]

    def year_of(self, number: int) -> dict[str, int]:
        return {"year": 2020 + number}

    def pay(self) -> list[Event]:
        number, one = self.instalment()
        offset = self.pick(0, 0, self.near(one.advance_won - one.offset_won))
        won = self.near(min(one.payable_won - offset, (one.amount_won or 0) - one.cash_won - one.kept_won))
        data = {"advance_offset_won": offset} if offset else {}
        pair = contract.payment_pair(won, self.number(), data, instalment=number, **self.year_of(number))
        return list(pair) if self.pick(0, 0, 0, 0, 1) == 0 else list(pair[:1])

    def advance(self) -> list[Event]:
        number, one = self.instalment()
        won = self.near((one.amount_won or 0) * 7 // 10 - one.advance_won)
        return list(contract.payment_pair(won, self.number(), instalment=number, advance=True, **self.year_of(number)))

    def give_back(self) -> list[Event]:
        paid = {key: one for key, one in self.state.payments.items() if one is not None}
        if not paid:
            return []
        key = self.pick(*paid)
        subject, payment_id = key.split(" ")
        won = self.near(paid[key].amount_won - paid[key].returned_won)
        year = int(subject.rpartition("/")[2])
        data = {"instalment": paid[key].instalment, "budget_subject": subject}
        return list(contract.return_pair(won, self.number(), int(payment_id[1:]), data, year=year))

    def amend(self) -> list[Event]:
        number, one = self.instalment()
        less = (one.amount_won or 0) - max(one.accepted_won, one.cash_won + one.kept_won)
        fields = {"instalment": number, "new_total_noted_won": self.pick(None, None, 4000, 6000)}
        return [contract.amended(self.pick(self.near(500), -self.near(less)), fields, id=f"e-{self.number()}")]

    def assess(self) -> list[Event]:
        number, one = self.instalment()
        base, days = self.near(one.amount_won or 0), self.pick(1, 2, 9)
        left = (one.amount_won or 0) * 3 // 10 - one.damages_won
        won = self.pick(min(base * days * 50_000 // 1_000_000, left), left)
        fields = {
            "assessment_id": self.pick(*IDS),
            "instalment": number,
            "base_won": base,
            "days": days,
            "settled_by": self.pick("OFFSET", "REVENUE"),
        }
        return [contract.damages(max(won, 1), fields, id=f"e-{self.number()}")]

    def work(self) -> list[Event]:
        return [self.pick(contract.started(self.instalment()[0]), contract.suspended(), contract.resumed())]

    def subcontract(self) -> list[Event]:
        total = self.state.contract[ONLY].total_noted_won or 0
        won = self.near(total - self.state.contract[ONLY].subcontracts_won)
        return [contract.subcontract(won, self.pick(*IDS), id=f"e-{self.number()}")]

    def pay_subcontractor(self) -> list[Event]:
        name = self.pick(*(self.state.subcontracts or IDS))
        found = self.state.subcontracts.get(name)
        won = self.near(100 if found is None else found.amount_won - found.paid_won)
        number = self.number()
        return [contract.subcontract_paid(won, f"sp{number}", {"subcontract_id": name}, id=f"e-{number}")]

    def oblige(self) -> list[Event]:
        number, _ = self.instalment()
        budget = self.world.stream(build.budget(2020 + number))
        assert isinstance(budget, BudgetState)
        line = budget.lines["a"]
        won = self.near(line.allotted_won - line.obligated_won)
        delta = self.pick(won, -won)
        return [build.obligation_adjusted(delta, obligation=f"for-{number}", year=2020 + number)]

    def close(self) -> list[Event]:
        number, one = self.instalment()
        final = contract.inspected(f"f{number}", {"instalment": number, "kind": "FINAL"})
        closing = contract.instalment_closed(self.pick(one.accepted_won, one.accepted_won + 1), instalment=number)
        return [final, closing] if self.pick(0, 1) else [closing]

    def end(self) -> list[Event]:
        paid = sum(one.cash_won for one in self.state.instalments.values())
        final = sum(one.final_won or 0 for one in self.state.instalments.values())
        kind = self.pick("CANCELLED", "RESCINDED")
        return [self.pick(contract.terminated(self.near(paid), kind=kind), contract.completed(final))]

    def correct(self) -> list[Event]:
        """Reverse or replace an event that was accepted: mostly by itself with another amount."""
        old = [event for event in self.said if event.type.split(".")[1] in CORRECTABLE]
        if not old:
            return [contract.contract_corrected("nothing")]
        target = self.pick(*old[-6:], *old)
        data = {"basis": contract.BASIS} if self.pick(0, 1) else {}
        if target.type in ("contract.paid.v1", "contract.advance-paid.v1"):
            return self.correct_payment(target, data)
        replacement = self.pick(None, self.changed(target), self.changed(target))
        fix = contract.contract_corrected(target, replacement, data, id=f"e-{self.number()}")
        return [fix]

    def changed(self, target: Event) -> Event:
        data = contract.replacing(target).popitem()[1]
        for name in ("accepted_won", "amount_won", "delta_won"):
            if name in data:
                data[name] = self.pick(data[name], self.near(abs(data[name])), max(1, abs(data[name]) - 1))
        if "result" in data and target.type == "contract.inspected.v1":
            data["result"] = self.pick("PASS", "PARTIAL", "FAIL")
        return build.when(target.type, target.subject, data)

    def correct_payment(self, target: Event, data: dict[str, object]) -> list[Event]:
        number, half = self.number(), target.data
        year = int(half.budget_subject.rpartition("/")[2])
        won = self.pick(None, self.near(half.amount_won), half.amount_won)
        names = {"contract_corrected_id": f"fix-c{number}", **data}
        new_paid, new_half = None, None
        if won is not None:
            new_paid = build.paid(
                won,
                payment=half.payment_id,
                obligation=f"for-{half.instalment}",
                contract_paid_id=f"fix-c{number}",
            )
            changed = contract.replacing(target).popitem()[1]
            changed |= {"amount_won": won, "budget_paid_id": f"fix-b{number}"}
            new_half = build.when(target.type, target.subject, changed)
        first = build.corrected(half.budget_paid_id, new_paid, names, year=year, id=f"fix-b{number}")
        pair = {"budget_corrected_id": f"fix-b{number}", "budget_subject": half.budget_subject, **data}
        return [first, contract.contract_corrected(target, new_half, pair, id=f"fix-c{number}")]


def check_fold(folded: Contracts, state: ContractState) -> None:
    """Does the register, which knows no rules, say what the rules keep?"""
    rows = folded.compute_rows("contract-register", "lamps")
    instalments = {row.body["instalment"]: row.body for row in rows if row.table == "instalments"}
    assert set(instalments) == set(state.instalments)
    for number, one in state.instalments.items():
        for column in (*OF_AN_INSTALMENT, "final_won"):
            shown = "advance_offset_won" if column == "offset_won" else column
            assert instalments[number][shown] == getattr(one, column), (number, column)
    (sums,) = [row.body for row in rows if row.table == "sums"]
    if state.instalments:
        assert sums["total_noted_won"] == state.contract[ONLY].total_noted_won
        assert sums["subcontracts_won"] == state.contract[ONLY].subcontracts_won
    for row in rows:
        if row.table == "checks" and row.body["check"] != "cash-within-settlement":
            assert row.body["agrees"] is not False, row.body
    ids = [(row.table, row.id) for row in rows]
    assert len(set(ids)) == len(ids)


def live(seed: int, length: int, *, start: list[Event]) -> tuple[Replica, list[Event], Undo]:
    """One random life: checked after every accepted batch."""
    random = Random(seed)
    world, undo, folded = Replica(), Undo(), Contracts()
    accepted: list[Event] = []
    for event in start:
        assert accept(world, [event], undo)
        accepted.append(event)
    undo.clear()
    clerk, recount = Clerk(random, world), Recount(accepted)
    handlers = folded.handlers()
    for index, event in enumerate(accepted):
        if event.type in handlers:
            handlers[event.type](index, event)
    for _ in range(length):
        batch = clerk.batch()
        if accept(world, batch, undo):
            for event in batch:
                if event.type in handlers:
                    handlers[event.type](len(accepted), event)
                accepted.append(event)
            clerk.said += [event for event in batch if event.type.startswith("contract.")]
            for event in batch:
                recount.add(event)
            check_conserved(world, recount)
            check_paired(world)
            check_recounted(clerk.state, [event for event in accepted if event.subject == build.CONTRACT])
            check_fold(folded, clerk.state)
    return world, accepted, undo


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 90), signed=st.booleans())
def test_the_identities_hold_at_every_prefix(seed: int, length: int, *, signed: bool) -> None:
    start = SIGNED if signed else START
    world, accepted, undo = live(seed, length, start=start)
    assert replayed(accepted) == snapshot(world)
    state = world.stream(build.CONTRACT)
    # A snapshot of the stream, which is a cache, holds all of it.
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ContractState) == state
    undo.rollback(to=0)
    assert replayed(start) == snapshot(world), "undoing everything leads back to the start"


def live_many(count: int) -> None:
    for seed in range(count):
        live(seed, 60, start=SIGNED)


BROKEN = {
    "contract.accepted.v1": (performance, "require_good_inspection"),
    "contract.paid.v1": (payment, "_require_room"),
    "contract.corrected.v1": (corrections, "require_sound"),
    "contract.amended.v1": (amending, "_require_amount"),
}


@pytest.mark.parametrize("event_type", BROKEN)
def test_a_rule_that_forgot_to_look_would_be_caught(event_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: with one question left out of one rule, some random life breaks an identity."""
    module, question = BROKEN[event_type]
    answer = Inspection(1, "PROGRESS", "PASS") if question == "require_good_inspection" else None
    monkeypatch.setattr(module, question, lambda *_, **__: answer)
    with pytest.raises((AssertionError, KeyError)):
        live_many(200)


def test_a_sum_that_forgot_a_correction_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the folds: a register that goes on counting what was corrected."""
    monkeypatch.setattr(Fact, "counts", property(lambda _: True))
    with pytest.raises(AssertionError):
        live_many(200)


def test_random_lives_get_somewhere() -> None:
    """A chronicle of nothing but refusals would prove nothing: every type of the stream is accepted now and then."""
    seen: set[str] = set()
    for seed in range(24):
        _, accepted, _ = live(seed, 80, start=SIGNED if seed % 2 else START)
        seen |= {event.type.split(".")[1] for event in accepted if event.type.startswith("contract.")}
    assert {
        *CORRECTABLE,
        "corrected",
        "returned",
        "instalment-closed",
        "started",
        "suspended",
        "terminated",
        "awarded",
    } <= seen
