"""What might an agency try next? Made-up batches of budget events, often at the very edge of what the rules allow.

Seeded: the same random source and the same world give the same batches. Half of what it makes up is refused; that
is the point. Amounts lie at, around or below the limit that the world's state gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from audit_service.rules.budget_states import BudgetState, Line, Obligation, Payment, Place, Posting
from tests.support import events as build

if TYPE_CHECKING:
    from random import Random

    from audit_service.catalogue.event import Event
    from audit_service.rules.world import Replica

T = TypeVar("T")
YEARS = (2021, 2022)
IDS = tuple("123456789")
LINES = ("a", "a", "a", "b", "b", "c", "d", "g", "r", "z")
OTHERS = ("a", "b", "c", "d", "g", "r")
NO_LINE = Line(Place("lights", "CITY", "roads"))
NO_OBLIGATION = Obligation("a", 1, None)
NO_PAYMENT = Payment("e0", "1", 1, None)


class Chronicler:
    """Makes up what an agency might try next, from what stands in the world."""

    def __init__(self, random: Random, world: Replica, accepted: list[Event]) -> None:
        self.random, self.world, self.accepted = random, world, accepted

    def pick(self, *choices: T) -> T:
        return self.random.choice(choices)

    def near(self, limit: int) -> int:
        """An amount at, around or below a limit."""
        return max(1, self.pick(limit, limit + 1, limit // 2, limit // 3, limit // 5, 1))

    def batch(self) -> list[Event]:
        attempts = (
            self.move,
            self.move,
            self.allot,
            self.oblige,
            self.oblige,
            self.pay,
            self.pay,
            self.pay_contract,
            self.come_back,
            self.declare,
            self.carry_over,
            self.carry_over,
            self.receive,
            self.bring_money,
            self.bring_money,
            self.give,
            self.correct,
            self.correct,
            self.correct,
            self.correct_contract,
        )
        events = self.pick(*attempts)()
        return events + self.batch() if self.pick(0, 0, 0, 0, 1) else events

    def line(self) -> tuple[int, str, Line]:
        year, name = self.pick(*YEARS), self.pick(*LINES)
        return year, name, self.budget(year).lines.get(name, NO_LINE)

    def budget(self, year: int) -> BudgetState:
        state = self.world.stream(build.budget(year))
        assert isinstance(state, BudgetState)
        return state

    # --- moves and money ---------------------------------------------------------------------------------

    def move(self) -> list[Event]:
        year, name, line = self.line()
        won, target = self.near(line.movable_won), self.pick(*OTHERS)
        how = self.pick("adjusted", "released", "crossed", "transferred", "reassigned")
        if how == "reassigned":
            pairs = ((name, target, won), (name, target, 1)) if self.pick(0, 1) else ((name, target, won),)
            return [build.reassigned(*pairs, year=year)]
        if how == "released":
            name, won = "r", self.near(self.budget(year).lines["r"].movable_won)
        return [getattr(build, how)(name, target, won, year=year)]

    def bring_money(self) -> list[Event]:
        year, name, line = self.line()
        state = self.budget(year)
        rounds = state.year["only"].rounds if state.year else 0
        open_uses = [use for use, one in state.pre_appropriations.items() if one.standing and one.round is None]
        uses = self.random.sample(open_uses, self.random.randint(0, len(open_uses)))
        rows = {name: self.pick(50, -self.near(line.movable_won), 500)}
        for use in uses:
            one = state.pre_appropriations[use]
            rows[one.line_id] = rows.get(one.line_id, 0) + one.amount_won + self.pick(0, 0, 7, -1)
        return [
            self.pick(
                build.supplemented(rows, number=rounds + self.pick(1, 1, 1, 1, 2), uses=uses or None, year=year),
                build.supplemented(rows, number=rounds + 1, uses=uses or None, year=year),
                build.used_early(
                    self.pick(30, 60), use=self.pick(*IDS), line_id=self.pick("g", "g", "g", "a"), year=year
                ),
                build.substituted(self.pick(3, 7), excess=self.pick(9, 9, 10), revenue=self.pick("1", "2"), year=year),
            )
        ]

    def give(self) -> list[Event]:
        year, name, _ = self.line()
        everything = {one: self.pick(900, 90, 3000) for one in OTHERS}
        return [
            self.pick(
                build.appropriated(everything, year=year),
                build.appropriated({name: self.pick(9, 900)}, year=year),
                build.provisional({name: self.pick(9, 90)}),
                build.opening({name: 9}, kind=self.pick("EXPLICIT", "ACCIDENTAL"), year=year),
                build.cost_basis([{"won": 9}], 9, item=self.pick(*IDS), line_id=name, year=year),
                build.allotted(1, line_id=name, year=year),
            )
        ]

    # --- spending ----------------------------------------------------------------------------------------

    def allot(self) -> list[Event]:
        year, name, line = self.line()
        more, less = line.current_won - line.allotted_won, line.allotted_won - line.obligated_won
        won = self.pick(self.near(more), self.near(more), -self.near(less))
        if self.pick(0, 0, 1):
            office = self.pick("east", "west")
            won = self.pick(self.near(line.allotted_won - line.reallotted_won), -self.near(line.reallotted_won))
            return [build.reallotted(won, line_id=name, office=office, year=year)]
        return [build.allotted(won, line_id=name, year=year)]

    def oblige(self) -> list[Event]:
        year, name, line = self.line()
        won = self.near(line.allotted_won - line.obligated_won)
        if self.pick(0, 0, 1):
            obligation_id, found = self.obligation_of(year)
            delta = self.pick(self.near(won), -self.near(found.amount_won - found.paid_won))
            return [build.obligation_adjusted(delta, obligation=obligation_id, year=year)]
        contract = self.pick(None, None, "lamps")
        return [
            build.obligated(
                won,
                obligation=self.pick(*IDS),
                line_id=name,
                contract=contract,
                instalment=2 if contract and self.pick(0, 1) else None,
                year=year,
            )
        ]

    def obligation_of(self, year: int) -> tuple[str, Obligation]:
        """An obligation: mostly one that stands, has something open and is of no contract."""
        obligations = self.budget(year).obligations
        plain = [
            name
            for name, one in obligations.items()
            if one.standing and one.contract_process_id is None and one.amount_won > one.paid_won
        ]
        name = self.pick(*(plain if plain and self.pick(0, 1, 1, 1) else obligations or ("1",)))
        return name, obligations.get(name, NO_OBLIGATION)

    def spending_year(self) -> int:
        """A year, mostly one in which something is obligated."""
        year = self.pick(*YEARS)
        return year if self.budget(year).obligations else 2021

    def pay(self) -> list[Event]:
        year = self.spending_year()
        name, found = self.obligation_of(year)
        won = self.near(found.amount_won - found.paid_won)
        return [build.paid(won, payment=self.pick(*IDS), obligation=name, line_id=found.line_id, year=year)]

    def pay_contract(self) -> list[Event]:
        name, found = self.pick(
            ("for-1", self.budget(2021).obligations.get("for-1", NO_OBLIGATION)), self.obligation_of(2021)
        )
        won, number = self.near(found.amount_won - found.paid_won), self.pick(*IDS)
        bill = f"{number}.{len(self.accepted)}"
        second = {
            "payment_id": number,
            "instalment": found.instalment,
            "budget_paid_id": f"bp-{bill}",
            "budget_subject": build.budget(),
        }
        return [
            build.paid(
                won,
                payment=number,
                obligation=name,
                line_id=found.line_id,
                contract_paid_id=f"cp-{bill}",
                id=f"bp-{bill}",
            ),
            build.contract_paid(won, second, id=f"cp-{bill}"),
        ]

    def come_back(self) -> list[Event]:
        year = self.spending_year()
        payments = self.budget(year).payments
        name = self.pick(*(payments or ("1",)))
        found = payments.get(name, NO_PAYMENT)
        won = self.near(found.amount_won - found.returned_won)
        number = self.pick(*IDS)
        return [
            self.pick(
                build.returned(won, name=number, payment=name, year=year),
                build.returned(won, name=number, payment=name, year=year),
                build.refunded(won, name=number, payment=name, year=year),
            )
        ]

    # --- the next year -----------------------------------------------------------------------------------

    def declare(self) -> list[Event]:
        year, name, line = self.line()
        won = self.near(line.current_won - line.executed_won - line.declared_won)
        return [build.declared(won, line_id=name, year=year)]

    def carry_over(self) -> list[Event]:
        """A pair; its second half may say something else than its first, or come once more."""
        _, source, line = self.line()
        number, target = self.pick(*IDS), self.pick(source, source, source, "a", "c")
        kind = self.pick("EXPLICIT", "ACCIDENTAL", "CONTINUING")
        limits = {
            "EXPLICIT": line.declared_won - line.carried_out_explicit_won,
            "ACCIDENTAL": line.obligated_won - line.executed_won - line.bound_out_won,
            "CONTINUING": 2000,
        }
        won = self.near(min(line.unspent_won, limits[kind]))
        first: dict[str, Any] = {
            "line_id": source,
            "to_line_id": target,
            "carry_in_id": f"in-{number}",
            "kind": kind,
            "ancillary": True if kind == "ACCIDENTAL" and self.pick(0, 0, 1) else None,
        }
        if kind == "CONTINUING":
            first |= {"plan_subject": build.budget(), "plan_id": "tunnel"}
        second = {"line_id": target, "from_line_id": source, "carried_over_id": f"out-{number}", "kind": kind}
        received = won + self.pick(0, 0, 0, 1)
        return [
            build.carried_over(won, first, id=f"out-{number}"),
            build.carry_in(received, second, id=f"in-{number}"),
        ]

    def receive(self) -> list[Event]:
        """A second half without its first: also one that was received before."""
        number = self.pick(*(self.budget(2021).carried_over or ("out-1",)))
        half = self.budget(2021).carried_over.get(number)
        if half is None:
            return [build.carry_in(1)]
        second = {
            "line_id": half.to_line_id,
            "from_line_id": half.line_id,
            "carried_over_id": number,
            "kind": half.kind,
        }
        return [build.carry_in(half.amount_won, second, id=half.carry_in_id)]

    # --- corrections -------------------------------------------------------------------------------------

    def correct(self) -> list[Event]:
        """Take back any event of the budget, or put something like it in its place; also what was corrected before."""
        year = self.pick(*YEARS)
        postings = self.budget(year).postings
        if not postings:
            return [build.corrected("nothing", year=year)]
        open_targets = [name for name in postings if name not in self.budget(year).corrected]
        target = self.pick(*(open_targets if self.pick(0, 1, 1, 1) else postings))
        late = self.budget(year).year["only"].closed == bool(self.pick(1, 1, 1, 1, 1, 0))
        data = {"basis": {"title": "결산검사"}} if late or self.pick(0, 0, 1) else {}
        when = {"legal_date": f"{year + 1}-03-02"} if late else {}
        replacement = (
            self.like(target, Posting.from_text(postings[target]).event_type, year=year) if self.pick(0, 1, 1) else None
        )
        return [build.corrected(target, replacement, data, year=year, **when)]

    def like(self, target: str, event_type: str, *, year: int) -> Event | None:
        """An event of this type, as the target or one that it replaced, with another amount or another line."""
        found = [event for event in self.accepted if event.type == event_type and event.subject == build.budget(year)]
        same = [event for event in found if event.id == target]
        if not found:
            return None
        fields = msgspec.to_builtins(self.pick(*(same or found)).data)
        return build.when(event_type, build.budget(year), self.vary(fields))

    def vary(self, fields: dict[str, Any]) -> dict[str, Any]:
        for name in ("amount_won", "delta_won"):
            if name in fields and "factors" not in fields:
                fields[name] = self.pick(fields[name], self.near(fields[name]), fields[name] + 1)
        if "rows" in fields:
            column = "delta_won" if "delta_won" in fields["rows"][0] else "amount_won"
            row = self.pick(*fields["rows"])
            row[column] += self.pick(0, 5, 60)
            total = "total_delta_won" if column == "delta_won" else "total_won"
            fields[total] = sum(one[column] for one in fields["rows"])
        if "line_id" in fields and self.pick(0, 0, 0, 0, 1):
            fields["line_id"] = self.pick(*OTHERS)
        return fields

    def correct_contract(self) -> list[Event]:
        """Both halves of the correction of a contract's payment; now and then they say two different things."""
        state = self.budget(2021)
        found = [(name, one) for name, one in state.payments.items() if one.standing and one.contract_paid_id]
        if not found:
            return self.pay_contract()
        name, payment = self.pick(*found)
        number = f"{name}.{len(self.accepted)}"
        fix, half = f"fix-{number}", f"half-{number}"
        won = self.near(payment.amount_won)
        first_new, second_new = None, None
        if self.pick(0, 1):
            obligation = state.obligations[payment.obligation_id]
            first_new = build.paid(
                won,
                payment=name,
                obligation=payment.obligation_id,
                line_id=obligation.line_id,
                contract_paid_id=half,
            )
            second_new = {
                "paid": {
                    "instalment": obligation.instalment,
                    "payment_id": name,
                    "amount_won": won + self.pick(0, 0, 0, 1),
                    "budget_paid_id": fix,
                    "budget_subject": build.budget(),
                }
            }
        first = build.corrected(payment.event_id, first_new, {"contract_corrected_id": half}, id=fix)
        fields = {
            "corrects": payment.contract_paid_id,
            "reason": "TYPO",
            "reason_ko": "오기",
            "replacement": second_new,
            "budget_corrected_id": fix,
            "budget_subject": build.budget(),
        }
        return [first, build.when("contract.corrected.v1", build.CONTRACT, build.stated(fields, None), id=half)]
