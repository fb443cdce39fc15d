"""How do the contracts of the simulated city go? From plan to warranty, on the line that is kept for them.

Every contract is a story of days. It may be put out to tender twice, amended, suspended, late, or ended early; one of a
year's runs over two years in instalments, and some spend what a continuing plan releases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support import city_spending
from tests.support.city_agenda import Agenda, Data, Group, Submission, day, iso
from tests.support.city_books import Contract, ObligationBook, Part, PaymentBook, YearBook
from tests.support.city_budget import PLAN_ID, PLAN_YEARS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.support.city_budget import BudgetDesk

CONTINUING = "CONTINUING_EXPENDITURE"
METHODS = ("OPEN", "LIMITED", "NEGOTIATED", "DIRECT")
WINNER: Data = {"kind": "CORPORATION", "organisation_id": "corp-a"}
OTHER: Data = {"kind": "COMMITTED", "commitment": "ab" * 32}


class ContractDesk:
    """One agency's procurements."""

    def __init__(self, agenda: Agenda, budgets: BudgetDesk, random: Random, *, yearly: int) -> None:
        self.agenda, self.budgets, self.random, self.yearly = agenda, budgets, random, yearly
        self.desk = budgets.desk
        self.made = 0

    def plan_year(self, fiscal_year: int) -> None:
        """Begin the year's contracts after the line has its allotment."""
        for number in range(self.yearly):
            long_term = number == 0 and fiscal_year < self.budgets.last_year
            self.agenda.plan(
                day(fiscal_year, 1, 28) + self.random.randrange(20),
                lambda long_term=long_term: self.begin(fiscal_year, long_term=long_term),
            )

    def post(self, contract: Contract, kind: str, data: Data, **attributes: Any) -> Group:
        """One event of a contract as a group of its own."""
        return [self.submit(contract, kind, data, **attributes)]

    def submit(self, contract: Contract, kind: str, data: Data, **attributes: Any) -> Submission:
        """One event of a contract."""
        return self.desk.submit(f"contract.{kind}.v1", contract.subject, data, **attributes)

    # --- before the contract ----------------------------------------------------------------------------

    def begin(self, fiscal_year: int, *, long_term: bool) -> Iterator[Group]:
        """Plan, prior steps, tender."""
        book = self.budgets.years[fiscal_year]
        kind = "LONG_TERM_CONTINUING" if long_term else self._kind(fiscal_year)
        line_id = "bridge" if kind == CONTINUING else "contracts"
        process_id = self.desk.new_id(f"{self.desk.code}-c")
        contract = Contract(process_id, self.random.choice(METHODS), kind, line_id)
        self.made += 1
        line = {"subject": book.subject, "line_id": line_id}
        plan = {"title_ko": "용역", "category": "SERVICES", "project_id": book.lines[line_id].project}
        steps = ["SCOPE_REVIEW", "SECURITY_REVIEW"]
        yield self.post(contract, "planned", {**plan, "budget_lines": [line], "prior_steps": steps})
        yield from self.pass_steps(contract, steps)
        self.agenda.plan(self.agenda.today + 3, lambda: self.publish(contract, book, first=True))

    def _kind(self, fiscal_year: int) -> str:
        """Now and then a contract spends what a continuing plan has released."""
        first = self.budgets.plan_start
        return CONTINUING if first <= fiscal_year < first + PLAN_YEARS and self.budgets.chance(15) else "SINGLE"

    def pass_steps(self, contract: Contract, steps: list[str]) -> Iterator[Group]:
        """Each step passes, one of them perhaps only in its second round; one result is corrected."""
        for number, step in enumerate(steps):
            rounds = ["REJECTED", "CONDITIONAL"] if self.budgets.chance(25) else ["PASSED"]
            for turn, result in enumerate(rounds, start=1):
                data = {"step": step, "round": turn, "result": result}
                posted = self.submit(contract, "prior-step-completed", data)
                yield [posted]
            if number == 0 and rounds == ["PASSED"] and self.budgets.chance(40):
                right = {**data, "result": "WAIVED"}
                yield self.correct(contract, posted.id, {"prior_step_completed": right})

    def publish(self, contract: Contract, book: YearBook, *, first: bool) -> Iterator[Group]:
        """A tender; the first one may fail or be withdrawn."""
        tender_id = self.desk.new_id("t")
        opens_on, closes_on = self.agenda.today, self.agenda.today + 8
        estimate = book.lines[contract.line_id].free // (3 * self.yearly)
        if contract.kind == CONTINUING:
            # The line may hold more than the plan releases: what was carried in.
            estimate = min(estimate, self.budgets.plan_won // 3)
        data = {"tender_id": tender_id, "method": contract.method, "estimate_won": estimate}
        days = {"opens_on": iso(opens_on), "closes_on": iso(closes_on)}
        yield self.post(contract, "tender-published", {**data, **days})
        if self.budgets.chance(30):
            closes_on += 2
            data = {"tender_id": tender_id, "changes_ko": "기간 연장", "closes_on": iso(closes_on)}
            yield self.post(contract, "tender-amended", data)
        if first and self.budgets.chance(20):
            yield self.post(contract, "tender-cancelled", {"tender_id": tender_id, "reason_ko": "과업 변경"})
            self.agenda.plan(closes_on, lambda: self.publish(contract, book, first=False))
        elif first and self.budgets.chance(20):
            self.agenda.plan(closes_on, lambda: self.fail(contract, book, tender_id))
        else:
            self.agenda.plan(closes_on, lambda: self.decide(contract, book, tender_id, estimate))

    def fail(self, contract: Contract, book: YearBook, tender_id: str) -> Iterator[Group]:
        """Nobody bid: once more."""
        data = {"tender_id": tender_id, "reason_ko": "입찰자 없음", "bidder_count": 0}
        yield self.post(contract, "tender-failed", data)
        yield from self.publish(contract, book, first=False)

    def decide(self, contract: Contract, book: YearBook, tender_id: str, estimate: int) -> Iterator[Group]:
        """Bids, evaluation where it is negotiated, award."""
        won = estimate * self.random.randint(80, 100) // 100
        if contract.method != "DIRECT":
            bids = [
                {"bidder_id": "b1", "bidder": WINNER, "amount_won": won, "valid": True},
                {"bidder_id": "b2", "bidder": OTHER, "amount_won": won + 1, "valid": True},
                {"bidder_id": "b3", "bidder": OTHER, "amount_won": 1, "valid": False},
            ]
            opened = {"tender_id": tender_id, "bids": bids, "opened_on": iso(self.agenda.today)}
            yield self.post(contract, "bids-opened", opened)
        if contract.method == "NEGOTIATED":
            weights = {"technical_weight": 800_000, "price_weight": 200_000}
            scores = [
                {"bidder_id": "b1", "technical_points": 700_000, "price_points": 190_000},
                {"bidder_id": "b2", "technical_points": 600_000, "price_points": 200_000},
            ]
            panel = {"panel_size": 7, "panel_commitment": "cd" * 32}
            data = {"tender_id": tender_id, **weights, "scores": scores, **panel}
            yield self.post(contract, "proposals-evaluated", data)
        award_id = self.desk.new_id("a")
        award = {"award_id": award_id, "tender_id": tender_id, "bidder_id": "b1", "amount_won": won}
        yield self.post(contract, "awarded", award)
        contract.award_won = won
        self.agenda.plan(self.agenda.today + 3, lambda: self.sign(contract, book, award_id))

    # --- the contract -----------------------------------------------------------------------------------

    def bind(self, contract: Contract, book: YearBook, won: int, number: int) -> Iterator[Group]:
        """The obligation before the promise; returns its book."""
        line = book.lines[contract.line_id]
        obligation_id = self.desk.new_id("o")
        data: Data = {"obligation_id": obligation_id, "line_id": line.line_id, "amount_won": won}
        data |= {"contract_process_id": contract.process_id, "instalment": number}
        posted = self.budgets.submit(book, "obligation-incurred", data, role=city_spending.OBLIGER)
        yield [posted]
        line.obligated += won
        return ObligationBook(obligation_id, posted.id, line, won, contract=contract.process_id, instalment=number)

    def sign(self, contract: Contract, book: YearBook, award_id: str) -> Iterator[Group]:
        """Bind the money, sign, begin."""
        total = contract.award_won
        won = total // 2 if contract.long_term else total
        obligation = yield from self.bind(contract, book, won, 1)
        data: Data = {
            "contract_type": contract.kind,
            "fiscal_year": book.fiscal_year,
            "amount_won": won,
            "start": f"{book.fiscal_year}-03",
            "end": f"{book.fiscal_year}-12",
            "budget_lines": [{"subject": book.subject, "line_id": contract.line_id}],
            "award_id": award_id,
            "supplier": WINNER,
            "vat_included": True,
            "bond_won": won // 10,
        }
        if contract.long_term:
            data["total_noted_won"] = total
        elif contract.kind == CONTINUING:
            data |= {"plan_subject": f"budget/{self.desk.code}/{self.budgets.plan_start}", "plan_id": PLAN_ID}
        yield self.post(contract, "signed", data)
        yield from self.work(contract, Part(1, book, won, obligation))

    def sign_next(self, contract: Contract) -> Iterator[Group]:
        """The second year's instalment."""
        book = self.budgets.years[contract.parts[0].book.fiscal_year + 1]
        # The year's own contracts need the rest of the line.
        won = min(contract.award_won - contract.award_won // 2, book.lines["contracts"].free // 3)
        obligation = yield from self.bind(contract, book, won, 2)
        data = {
            "instalment": 2,
            "fiscal_year": book.fiscal_year,
            "amount_won": won,
            "start": f"{book.fiscal_year}-02",
            "end": f"{book.fiscal_year}-11",
            "budget_lines": [{"subject": book.subject, "line_id": contract.line_id}],
        }
        yield self.post(contract, "instalment-signed", data)
        yield from self.work(contract, Part(2, book, won, obligation))

    def work(self, contract: Contract, part: Part) -> Iterator[Group]:
        """Work begins; what follows comes later in the year."""
        contract.parts.append(part)
        today = self.agenda.today
        yield self.post(contract, "started", {"instalment": part.number})
        if part.number == 1 and self.budgets.chance(50):
            yield from self.subcontract(contract, part)
        if self.budgets.chance(30):
            self.agenda.plan(today + 12, lambda: self.suspend(contract))
        if self.budgets.chance(60):
            self.agenda.plan(today + 15, lambda: self.advance(contract, part))
        self.agenda.plan(today + 50, lambda: self.progress(contract, part))
        self.agenda.plan(today + 80, lambda: self.amend(contract, part))
        ends_early = not contract.long_term and self.budgets.chance(10)
        finish = self.terminate if ends_early else self.finish
        self.agenda.plan(today + 120, lambda: finish(contract, part))

    def subcontract(self, contract: Contract, part: Part) -> Iterator[Group]:
        """A subcontract, approved and paid; its amount is corrected once."""
        won = part.amount // 4
        data = {"subcontract_id": "s1", "supplier": OTHER, "amount_won": won + 1, "rate_bp": 8_500, "scope_ko": "일부"}
        posted = self.submit(contract, "subcontract-approved", data)
        yield [posted]
        yield self.correct(contract, posted.id, {"subcontract_approved": {**data, "amount_won": won}})
        paid = {"subcontract_id": "s1", "payment_id": "sp1", "amount_won": won // 2, "direct": True}
        posted = self.submit(contract, "subcontract-paid", paid)
        yield [posted]
        yield self.correct(contract, posted.id, {"subcontract_paid": {**paid, "amount_won": won // 3}})

    def suspend(self, contract: Contract) -> Iterator[Group]:
        """A pause of some days."""
        yield self.post(contract, "suspended", {"reason_ko": "자료 지연"})
        self.agenda.plan(self.agenda.today + 5, lambda: self.resume(contract))

    def resume(self, contract: Contract) -> Iterator[Group]:
        """Work goes on."""
        yield self.post(contract, "resumed", {"reason_ko": "자료 도착"})

    # --- money ------------------------------------------------------------------------------------------

    def pay(self, contract: Contract, part: Part, kind: str, won: int, **more: Any) -> Group:
        """Both halves of a payment; the first of them is on the budget."""
        payment_id, paid_id, half_id = self.desk.new_id("p"), self.desk.new_id("bp"), self.desk.new_id("cp")
        obligation = part.obligation
        data = city_spending.payload(payment_id, obligation, won, contract_paid_id=half_id)
        first = self.desk.submit(
            "budget.paid.v1", part.book.subject, {**data, "actor_role": city_spending.PAYER}, event_id=paid_id
        )
        second = {
            "instalment": part.number,
            "payment_id": payment_id,
            "amount_won": won,
            "budget_paid_id": paid_id,
            "budget_subject": part.book.subject,
            **more,
        }
        city_spending.booked(part.book, obligation, PaymentBook(payment_id, paid_id, obligation, won))
        return [first, self.submit(contract, kind, second, event_id=half_id)]

    def advance(self, contract: Contract, part: Part) -> Iterator[Group]:
        """An advance, well below its limit."""
        won = part.amount // 5
        part.advance += won
        yield self.pay(contract, part, "advance-paid", won)

    def inspect(self, contract: Contract, part: Part, kind: str, result: str) -> Submission:
        """An inspection."""
        data = {"inspection_id": self.desk.new_id("i"), "instalment": part.number, "kind": kind, "result": result}
        return self.submit(contract, "inspected", {**data, "notified_on": iso(self.agenda.today - 1)})

    def accept(self, contract: Contract, part: Part, inspected: Submission, won: int) -> Submission:
        """What was inspected is accepted."""
        part.accepted += won
        inspection = {"inspection_id": inspected.data["inspection_id"], "instalment": part.number}
        return self.submit(contract, "accepted", {**inspection, "accepted_won": won})

    def progress(self, contract: Contract, part: Part) -> Iterator[Group]:
        """A part of the work is inspected, accepted and paid; the advance is set off in part."""
        inspected = self.inspect(contract, part, "PROGRESS", "PASS")
        yield [inspected]
        accepted = self.accept(contract, part, inspected, part.amount * 2 // 5)
        yield [accepted]
        if self.budgets.chance(20):
            part.accepted -= 1
            right = {**accepted.data, "accepted_won": accepted.data["accepted_won"] - 1}
            yield self.correct(contract, accepted.id, {"accepted": right})
        offset = part.advance // 2
        won = part.payable - offset
        inspection = {"inspection_id": inspected.data["inspection_id"], "advance_offset_won": offset}
        group = self.pay(contract, part, "paid", won, **inspection)
        yield group
        part.paid += won
        part.offset += offset
        if self.budgets.chance(25):
            yield self.lower(contract, part, group)
        elif won > 1 and self.budgets.chance(25):
            yield self.give_back(contract, part, group)

    def lower(self, contract: Contract, part: Part, group: Group) -> Group:
        """The payment was one won too high: corrected on both streams at once."""
        paid, half = group
        correction_id, other_id = self.desk.new_id("bk"), self.desk.new_id("ck")
        won = half.data["amount_won"] - 1
        part.paid -= 1
        part.obligation.paid -= 1
        part.obligation.line.executed -= 1
        why = {"reason": "TYPO", "reason_ko": "오기"}
        first = {
            "corrects": paid.id,
            **why,
            "contract_corrected_id": other_id,
            "replacement": {"paid": {**paid.data, "amount_won": won, "contract_paid_id": other_id}},
        }
        second = {
            "corrects": half.id,
            **why,
            "budget_corrected_id": correction_id,
            "budget_subject": part.book.subject,
            "replacement": {"paid": {**half.data, "amount_won": won, "budget_paid_id": correction_id}},
        }
        return [
            self.desk.submit("budget.corrected.v1", part.book.subject, first, event_id=correction_id),
            self.submit(contract, "corrected", second, event_id=other_id),
        ]

    def give_back(self, contract: Contract, part: Part, group: Group) -> Group:
        """One won of the payment comes back, on both streams at once; the last payment pays it again."""
        paid, half = group
        first_id, second_id = self.desk.new_id("br"), self.desk.new_id("cr")
        part.paid -= 1
        part.obligation.paid -= 1
        part.obligation.line.executed -= 1
        part.obligation.line.returned += 1
        common = {"return_id": self.desk.new_id("r"), "payment_id": paid.data["payment_id"], "amount_won": 1}
        first = {**common, "reason_ko": "정산 반납", "contract_returned_id": second_id}
        second = {
            **common,
            "instalment": half.data["instalment"],
            "budget_returned_id": first_id,
            "budget_subject": part.book.subject,
        }
        return [
            self.desk.submit("budget.returned.v1", part.book.subject, first, event_id=first_id),
            self.submit(contract, "returned", second, event_id=second_id),
        ]

    def correct(self, contract: Contract, target: str, replacement: Data) -> Group:
        """Correct an event of the contract."""
        data = {"corrects": target, "reason": "TYPO", "reason_ko": "오기", "replacement": replacement}
        return self.post(contract, "corrected", data)

    def amend(self, contract: Contract, part: Part) -> Iterator[Group]:
        """More work, or a little less: the obligation follows."""
        line = part.obligation.line
        more = self.budgets.part(line.free // (4 * self.yearly), most=20) if not contract.long_term else 0
        delta = more if more and self.budgets.chance(50) else -min(part.amount // 50, part.amount // 5)
        if not delta or not self.budgets.chance(50):
            return
        data = {"instalment": part.number, "delta_won": delta, "cause": "SCOPE"}
        posted = self.submit(contract, "amended", data)
        yield [posted]
        part.amount += delta
        if self.budgets.chance(30):
            part.amount -= delta
            right = {**data, "delta_won": 0, "new_end": f"{part.book.fiscal_year}-12", "cause": "PERIOD"}
            yield self.correct(contract, posted.id, {"amended": right})
            return
        yield from city_spending.adjust_obligation(self.budgets, part.book, part.obligation, delta)

    # --- the end ----------------------------------------------------------------------------------------

    def finish(self, contract: Contract, part: Part) -> Iterator[Group]:
        """The final inspection, perhaps after a failed one and too late; then payment, closing, warranty."""
        if self.budgets.chance(20):
            yield [self.inspect(contract, part, "FINAL", "FAIL")]
        if self.budgets.chance(30):
            yield self.damages(contract, part)
        inspected = self.inspect(contract, part, "FINAL", "PASS")
        yield [inspected]
        yield [self.accept(contract, part, inspected, part.amount - part.accepted)]
        offset = part.advance - part.offset
        won = part.payable - offset
        inspection = {"inspection_id": inspected.data["inspection_id"], "advance_offset_won": offset}
        yield self.pay(contract, part, "paid", won, **inspection)
        part.paid += won
        part.offset += offset
        closed = {"instalment": part.number, "final_won": part.accepted}
        yield self.post(contract, "instalment-closed", closed)
        yield from self.after(contract, part)

    def damages(self, contract: Contract, part: Part) -> Group:
        """Three days late."""
        base, days, rate = part.amount, 3, 1_250
        won = base * days * rate // 1_000_000
        part.kept += won
        data = {"assessment_id": self.desk.new_id("d"), "instalment": part.number, "days": days, "base_won": base}
        data |= {"rate_ppm": rate, "amount_won": won, "settled_by": "OFFSET"}
        return self.post(contract, "delay-damages-assessed", data)

    def after(self, contract: Contract, part: Part) -> Iterator[Group]:
        """Completed, or on to the next instalment."""
        until = f"{part.book.fiscal_year + 2}-12-31"
        warranty = {"instalment": part.number, "until": until, "bond_won": part.amount // 20}
        if contract.long_term and part.number == 1:
            self.agenda.plan(day(part.book.fiscal_year + 1, 1, 28), lambda: self.sign_next(contract))
            return
        final = sum(one.accepted for one in contract.parts)
        yield self.post(contract, "completed", {"final_won": final})
        yield self.post(contract, "warranty-set", warranty)
        if self.budgets.chance(40):
            claim = {"claim_id": "w1", "instalment": part.number, "reason_ko": "하자"}
            yield self.post(contract, "warranty-claimed", claim)

    def terminate(self, contract: Contract, part: Part) -> Iterator[Group]:
        """The contract ends early: what is not paid is set free."""
        data = {"kind": "CANCELLED", "reason_ko": "계약 해지", "settled_won": part.cash}
        yield self.post(contract, "terminated", data)
        rest = part.obligation.open
        yield from city_spending.adjust_obligation(self.budgets, part.book, part.obligation, -rest)
