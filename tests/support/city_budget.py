"""How does one agency's fiscal year go in the simulated city? From its opening to the approval of its settlement.

The year's frame: lines, money, carry-over, closing, settlement. What happens to the money in between is in
`city_spending` and `city_moves`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support import city_moves, city_spending
from tests.support.city_agenda import Agenda, Data, Desk, Group, day, iso
from tests.support.city_books import LineBook, YearBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

COUNCIL, MAYOR, DEPARTMENT, OBLIGER, PAYER = "의회", "시장", "과장", "재무관", "지출원"
PLAN_ID = "bridge-plan"
PLAN_YEARS = 3
OBJECT_NAMES = {
    "201-01": "사무관리비",
    "201-02": "공공운영비",
    "203-03": "시책추진업무추진비",
    "207-02": "전산개발비",
    "401-01": "시설비",
    "801-01": "예비비",
}


class BudgetDesk:
    """One agency's budgets, year after year."""

    def __init__(
        self,
        agenda: Agenda,
        desk: Desk,
        random: Random,
        *,
        projects: int,
        payments: int,
        years: tuple[int, int],
        keep: bool,
    ) -> None:
        self.agenda, self.desk, self.random = agenda, desk, random
        self.projects, self.payments, self.keep = projects, payments, keep
        self.first_year, self.last_year = years
        self.years: dict[int, YearBook] = {}
        self.plan_start = self.plan_won = 0

    # --- small words ------------------------------------------------------------------------------------

    def post(self, book: YearBook, kind: str, data: Data, *, role: str | None = None, basis: bool = False) -> Group:
        """One event of a budget as a group of its own."""
        return [self.submit(book, kind, data, role=role, basis=basis)]

    def submit(self, book: YearBook, kind: str, data: Data, *, role: str | None = None, basis: bool = False) -> Any:
        """One event of a budget."""
        more: Data = {} if role is None else {"actor_role": role}
        if basis:
            more["basis"] = self.basis()
        return self.desk.submit(f"budget.{kind}.v1", book.subject, {**data, **more})

    def basis(self) -> Data:
        """The document that a decision rests on."""
        return {"title": "결정 문서", "document_number": self.desk.new_id("doc"), "date": iso(self.agenda.today)}

    def chance(self, percent: int) -> bool:
        """Does it happen this time?"""
        return self.random.randrange(100) < percent

    def part(self, limit: int, *, most: int = 60) -> int:
        """Some of an amount: from 1 won to so many percent of it; 0 where there is nothing."""
        top = limit * most // 100
        return self.random.randint(1, top) if top > 0 else min(limit, 1) if limit > 0 else 0

    # --- the frame --------------------------------------------------------------------------------------

    def plan_year(self, fiscal_year: int) -> None:
        """Put everything that belongs to one year on the agenda."""
        book = self.years[fiscal_year] = YearBook(self.desk.code, fiscal_year)

        def at(month: int, number: int, task: Callable[[BudgetDesk, YearBook], Iterator[Group]]) -> None:
            self.agenda.plan(day(fiscal_year, month, number), lambda: task(self, book))

        def later(month: int, number: int, task: Callable[[YearBook], Iterator[Group]]) -> None:
            self.agenda.plan(day(fiscal_year + 1, month, number), lambda: task(book))

        self.agenda.plan(day(fiscal_year, 1, 1), lambda: self.open(book))
        city_moves.plan(at)
        city_spending.plan(at)
        self.agenda.plan(day(fiscal_year, 11, 20), lambda: self.declare(book))
        self.agenda.plan(day(fiscal_year, 12, 31), lambda: self.close(book))
        if fiscal_year < self.last_year:
            later(1, 12, self.carry_over)
        later(2, 10, self.correct_after_closing)
        later(5, 31, self.settle)
        later(6, 10, self.audit)
        later(6, 20, self.approve)
        later(8, 1, self.refund)

    def open(self, book: YearBook) -> Iterator[Group]:
        """Opening, codes, lines; a provisional budget or at once the original one."""
        fiscal_year = book.fiscal_year
        data = {"fiscal_year": fiscal_year, "account": "general", "account_ko": "일반회계"}
        yield self.post(
            book,
            "fiscal-year-opened",
            {**data, "opens_on": f"{fiscal_year}-01-01", "closes_on": f"{fiscal_year}-12-31"},
        )
        lines = self.lines()
        for level in ("policy", "object_code"):
            codes = sorted({getattr(line, level) for line in lines})
            entries = [{"code": code, "name_ko": OBJECT_NAMES.get(code, code)} for code in codes]
            yield self.post(book, "code-list-published", {"level": level, "entries": entries})
        for line in lines:
            book.lines[line.line_id] = line
            yield self.post(book, "line-defined", self.definition(line))
        if fiscal_year == self.first_year:
            yield from self.import_opening(book)
        amounts = {line_id: self.random.randint(10**7, 10**9) for line_id in book.lines}
        if self.chance(34):
            yield from self.authorise(book, amounts)
            self.agenda.plan(day(fiscal_year, 1, 15), lambda: self.appropriate(book, amounts))
        else:
            yield from self.appropriate(book, amounts)

    def lines(self) -> list[LineBook]:
        """The same lines every year, so that money can be carried over into them."""
        code = self.desk.code
        lines = []
        for number in range(self.projects):
            policy, unit = f"P{number // 2}", f"U{number}"
            for object_code in ("201-01", "201-02"):
                line_id = f"p{number}-{object_code}"
                lines.append(LineBook(line_id, f"{code}-p{number}", policy, unit, object_code, "CITY", code))
        first = (f"{code}-p0", "P0", "U0")
        lines.append(LineBook("contracts", *first, "207-02", "CITY", code))
        lines.append(LineBook("grant", *first, "401-01", "NATIONAL", code))
        lines.append(LineBook("moved-division", *first, "201-01", "CITY", f"{code}-new"))
        lines.append(LineBook("promotion", *first, "203-03", "CITY", code))
        lines.append(LineBook("bridge", f"{code}-bridge", "P0", "U-bridge", "401-01", "CITY", code))
        lines.append(LineBook("reserve", f"{code}-reserve", "P-reserve", "U-reserve", "801-01", "CITY", code))
        return lines

    def definition(self, line: LineBook) -> Data:
        """The payload of a line's definition."""
        return {
            "line_id": line.line_id,
            "name_ko": OBJECT_NAMES[line.object_code],
            "project_id": line.project,
            "division": line.division,
            "fund": line.fund,
            "object_code": line.object_code,
            "policy": line.policy,
            "unit": line.unit,
        }

    # --- money ------------------------------------------------------------------------------------------

    def import_opening(self, book: YearBook) -> Iterator[Group]:
        """What the year before left lies outside the ledger."""
        rows = []
        for line_id, kind in (("p0-201-01", "EXPLICIT"), ("p0-201-02", "ACCIDENTAL"), ("bridge", "CONTINUING")):
            line, amount = book.lines[line_id], self.random.randint(1, 10**6)
            line.carried_in[kind] += amount
            line.imported += amount
            rows.append({"line_id": line_id, "carried_in_won": amount, "kind": kind})
        yield self.post(book, "opening-imported", {"rows": rows, "reason_ko": "장부 밖의 이월액"})

    def authorise(self, book: YearBook, amounts: dict[str, int]) -> Iterator[Group]:
        """A provisional budget, well below the original one; some of it is spent."""
        rows = []
        for line_id in list(book.lines)[:4]:
            line = book.lines[line_id]
            line.provisional = amounts[line_id] // 4
            rows.append({"line_id": line_id, "amount_won": line.provisional})
        total = sum(row["amount_won"] for row in rows)
        until = f"{book.fiscal_year}-02-28"
        data = {"rows": rows, "total_won": total, "until_on": until}
        yield self.post(book, "provisional-authorised", data, basis=True)
        line = book.lines[rows[0]["line_id"]]
        yield city_spending.allot(self, book, line, self.part(line.provisional, most=50), quarter=1)
        yield from city_spending.spend(self, book, line, times=1)

    def appropriate(self, book: YearBook, amounts: dict[str, int]) -> Iterator[Group]:
        """The original budget; sometimes misprinted first, and corrected at once."""
        if self.chance(25):
            wrong = dict(amounts)
            wrong["p0-201-02"] += 1_000
            posted = self.submit(book, "appropriated", _rows(wrong), role=COUNCIL, basis=True)
            yield [posted]
            right = {**_rows(amounts), "actor_role": COUNCIL, "basis": self.basis()}
            yield self.correct(book, posted.id, {"appropriated": right})
        else:
            yield self.post(book, "appropriated", _rows(amounts), role=COUNCIL, basis=True)
        for line_id, line in book.lines.items():
            line.original, line.provisional = amounts[line_id], 0
        yield self.post(book, "transfer-limits-set", {"closed_to_transfers": ["203", "307"]})
        yield from self.explain(book)
        if book.fiscal_year >= self.plan_start + PLAN_YEARS:
            yield from self.set_plan(book)

    def set_plan(self, book: YearBook) -> Iterator[Group]:
        """A continuing expenditure over some years, from this one on."""
        self.plan_start = book.fiscal_year
        won = self.plan_won = book.lines["bridge"].original
        years = [{"fiscal_year": book.fiscal_year + ahead, "amount_won": won} for ahead in range(PLAN_YEARS)]
        data = {"plan_id": PLAN_ID, "project_id": book.lines["bridge"].project, "years": years}
        yield self.post(book, "continuing-plan-set", {**data, "total_won": won * PLAN_YEARS}, role=COUNCIL, basis=True)

    def explain(self, book: YearBook) -> Iterator[Group]:
        """Calculation basis and schedule; one item is misprinted first, one schedule too."""
        for number, line in enumerate(book.lines.values()):
            price = max(1, line.original // 5)
            item = {"line_id": line.line_id, "item_id": f"item-{line.line_id}", "item_ko": "항목"}
            factors = [{"won": price}, {"n": 2, "unit": "회"}]
            right = {**item, "factors": factors, "amount_won": 2 * price}
            if number == 0:
                wrong = {**item, "factors": [{"won": price}], "amount_won": price}
                posted = self.submit(book, "cost-basis-recorded", wrong)
                yield [posted]
                yield self.correct(book, posted.id, {"cost_basis_recorded": right})
            else:
                yield self.post(book, "cost-basis-recorded", right)
            line.items += 2 * price
        projects = sorted({line.project for line in book.lines.values()})
        for number, project in enumerate(projects):
            schedule = self.schedule(book, project)
            if number == 0 and self.chance(50):
                posted = self.submit(book, "schedule-set", schedule)
                yield [posted]
                yield self.correct(book, posted.id, {"schedule_set": schedule}, reason="DUPLICATE")
            else:
                yield self.post(book, "schedule-set", schedule)

    def schedule(self, book: YearBook, project: str) -> Data:
        """Two steps that add up to the project's appropriation and spend its items."""
        lines = [line for line in book.lines.values() if line.project == project]
        total = sum(line.appropriated for line in lines)
        first = total // 3
        months = (
            (f"{book.fiscal_year}-01", f"{book.fiscal_year}-06"),
            (f"{book.fiscal_year}-04", f"{book.fiscal_year}-12"),
        )
        items = [f"item-{line.line_id}" for line in lines]
        steps = [
            {"step_id": f"{project}-{number}", "name_ko": "단계", "start": start, "end": end, "amount_won": won}
            for number, ((start, end), won) in enumerate(zip(months, (first, total - first), strict=True))
        ]
        return {
            "project_id": project,
            "steps": [{**step, "item_ids": items} for step in steps],
            "total_won": total,
        }

    # --- corrections ------------------------------------------------------------------------------------

    def correct(
        self,
        book: YearBook,
        target: str,
        replacement: Data | None,
        *,
        reason: str = "TYPO",
        **more: Any,
    ) -> Group:
        """Correct an event of this budget."""
        data: Data = {"corrects": target, "reason": reason, "reason_ko": "오기", **more}
        if replacement is not None:
            data["replacement"] = replacement
        return self.post(book, "corrected", data)

    # --- the end of the year ----------------------------------------------------------------------------

    def declare(self, book: YearBook) -> Iterator[Group]:
        """The council approves explicit carry-overs; one of them is corrected at once."""
        for number, line in enumerate(book.lines.values()):
            open_won = line.current - line.executed - line.declared
            if line.line_id in {"reserve", "bridge"} or open_won <= 0 or not self.chance(50):
                continue
            won = self.part(open_won, most=40)
            data = {"line_id": line.line_id, "amount_won": won}
            posted = self.submit(book, "carryover-declared", data, role=COUNCIL, basis=True)
            yield [posted]
            if number == 0 and won > 1:
                won -= 1
                again = {**data, "amount_won": won, "actor_role": COUNCIL, "basis": self.basis()}
                yield self.correct(book, posted.id, {"carryover_declared": again})
            line.declared += won

    def close(self, book: YearBook) -> Iterator[Group]:
        """The last day."""
        book.closed = True
        yield self.post(book, "fiscal-year-closed", {"closes_on": f"{book.fiscal_year}-12-31"})

    def carry_over(self, book: YearBook) -> Iterator[Group]:
        """What goes to the next year, each kind within what it may be."""
        following = self.years[book.fiscal_year + 1]
        for line in book.lines.values():
            into = following.lines[line.line_id]
            explicit = min(line.declared - line.carried_out["EXPLICIT"], line.unspent)
            if explicit > 0:
                yield self.pair(book, following, line, into, "EXPLICIT", explicit)
            accidental = min(line.bound, self.fresh(line))
            if accidental > 0 and line.line_id != "bridge":
                won = self.part(accidental, most=100)
                yield self.pair(book, following, line, into, "ACCIDENTAL", won)
                line.bound_out += won
            if self.chance(20) and (left := self.fresh(line)) > 0 and line.line_id != "bridge":
                won = self.part(left, most=10)
                yield self.pair(book, following, line, into, "ACCIDENTAL", won, ancillary=True)
        yield from self.continue_plan(book, following)

    def fresh(self, line: LineBook) -> int:
        """What may go out as accidental: not what came in as accidental and was not spent."""
        return line.unspent - max(0, line.carried_in["ACCIDENTAL"] - line.executed)

    def continue_plan(self, book: YearBook, following: YearBook) -> Iterator[Group]:
        """What a continuing expenditure leaves, until its last year."""
        line, into = book.lines["bridge"], following.lines["bridge"]
        start = self.plan_start
        if not start <= book.fiscal_year < start + PLAN_YEARS - 1 or line.unspent <= 0:
            return
        planned = self.plan_won * (book.fiscal_year - start + 1)
        won = min(self.part(line.unspent, most=50), planned)
        plan = {"plan_subject": f"budget/{self.desk.code}/{start}", "plan_id": PLAN_ID}
        yield self.pair(book, following, line, into, "CONTINUING", won, **plan)

    def pair(
        self, book: YearBook, following: YearBook, line: LineBook, into: LineBook, kind: str, won: int, **more: Any
    ) -> Group:
        """Both halves of a carry-over."""
        out_id, in_id = self.desk.new_id("out"), self.desk.new_id("in")
        out = {"line_id": line.line_id, "to_subject": following.subject, "to_line_id": into.line_id, "kind": kind}
        received = {"line_id": into.line_id, "from_subject": book.subject, "from_line_id": line.line_id, "kind": kind}
        line.carried_out[kind] += won
        into.carried_in[kind] += won
        first = {**out, "amount_won": won, "carry_in_id": in_id, **more}
        second = {**received, "amount_won": won, "carried_over_id": out_id}
        return [
            self.desk.submit("budget.carried-over.v1", book.subject, first, event_id=out_id),
            self.desk.submit("budget.carry-in-received.v1", following.subject, second, event_id=in_id),
        ]

    def correct_after_closing(self, book: YearBook) -> Iterator[Group]:
        """An audit finds a payment that was one won too high."""
        for payment in book.payments[:1]:
            if payment.left > 1:
                yield city_spending.lower_payment(self, book, payment, 1, reason="LEGAL", basis={"title": "감사 결과"})

    def settle(self, book: YearBook) -> Iterator[Group]:
        """The settlement equals the books."""
        book.stage = "published"
        rows = [{"project_id": project, **row} for project, row in book.totals().items()]
        yield self.post(book, "settlement-published", {"rows": rows})

    def audit(self, book: YearBook) -> Iterator[Group]:
        """The audit committee reports."""
        book.stage = "audited"
        findings = [{"title_ko": "지적 사항", "sha256": "0" * 64}] if self.chance(50) else []
        yield self.post(book, "settlement-audited", {"committee_ko": "결산검사위원회", "findings": findings})

    def approve(self, book: YearBook) -> Iterator[Group]:
        """The council approves."""
        book.stage = "approved"
        data = {"approved_on": iso(self.agenda.today)}
        yield self.post(book, "settlement-approved", data, role=COUNCIL, basis=True)

    def refund(self, book: YearBook) -> Iterator[Group]:
        """Money of the closed year comes back as revenue of this one."""
        for payment in book.payments[-2:]:
            if payment.left > 0:
                won = self.part(payment.left)
                payment.returned += won
                data = {"refund_id": self.desk.new_id("refund"), "payment_id": payment.payment_id}
                yield self.post(book, "prior-year-refunded", {**data, "amount_won": won, "reason_ko": "정산"})
        if not self.keep:
            del self.years[book.fiscal_year]


def _rows(amounts: dict[str, int]) -> Data:
    rows = [{"line_id": line_id, "amount_won": won} for line_id, won in amounts.items()]
    return {"rows": rows, "total_won": sum(amounts.values())}
