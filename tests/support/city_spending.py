"""How is money allotted, bound, spent and given back in the simulated city? With the mistakes made on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.city_books import LineBook, ObligationBook, PaymentBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.city_agenda import Data, Group
    from tests.support.city_books import YearBook
    from tests.support.city_budget import BudgetDesk

    Task = Callable[[BudgetDesk, YearBook], Iterator[Group]]

OBLIGER, PAYER = "재무관", "지출원"
OFFICES = ("east", "west")
# How many payments of a year are remembered: for refunds and late corrections.
REMEMBERED = 20
PAYEE: Data = {"kind": "CORPORATION", "organisation_id": "corp-a"}


def plan(at: Callable[[int, int, Task], None]) -> None:
    """Put the year's allotments and payments on the agenda."""
    for quarter, (month, number) in enumerate(((1, 25), (4, 2), (7, 5), (10, 9)), start=1):
        at(month, number, lambda desk, book, quarter=quarter: allot_all(desk, book, quarter))
        at(month, number + 1, reallot_all)
    for month in range(2, 13):
        at(month, 15, spend_all)


def allot(desk: BudgetDesk, book: YearBook, line: LineBook, won: int, *, quarter: int) -> Group:
    """One allotment."""
    line.quarters[quarter - 1] += won
    data = {"line_id": line.line_id, "quarter": quarter, "amount_won": won}
    return desk.post(book, "allotted", data)


def allot_all(desk: BudgetDesk, book: YearBook, quarter: int) -> Iterator[Group]:
    """A quarter's allotments; contracts get theirs at once, the reserve none. Some are taken back or corrected."""
    for line in book.lines.values():
        if line.line_id == "reserve" or line.allottable <= 0:
            continue
        most = 100 if line.line_id == "contracts" else 50
        won = line.allottable if most == 100 else desk.part(line.allottable, most=most)
        if desk.chance(10) and won > 1:
            data = {"line_id": line.line_id, "quarter": quarter}
            posted = desk.submit(book, "allotted", {**data, "amount_won": won - 1})
            yield [posted]
            yield desk.correct(book, posted.id, {"allotted": {**data, "amount_won": won}})
            line.quarters[quarter - 1] += won
        else:
            yield allot(desk, book, line, won, quarter=quarter)
        back = desk.part(min(line.free, line.allotted - line.reallotted), most=10)
        if line.line_id != "contracts" and back > 0 and desk.chance(15):
            yield allot(desk, book, line, -back, quarter=quarter)


def reallot_all(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """Some of it goes to subordinate offices, and some comes back."""
    for line in book.lines.values():
        open_won = line.allotted - line.reallotted
        if line.line_id == "contracts" or open_won <= 0 or not desk.chance(20):
            continue
        office, won = desk.random.choice(OFFICES), desk.part(open_won, most=20)
        data = {"line_id": line.line_id, "office": office, "amount_won": won}
        posted = desk.submit(book, "reallotted", data)
        yield [posted]
        line.offices[office] += won
        if desk.chance(20):
            line.offices[office] -= won
            yield desk.correct(book, posted.id, None, reason="DUPLICATE")
        elif desk.chance(30):
            back = desk.part(line.offices[office])
            line.offices[office] -= back
            yield desk.post(book, "reallotted", {**data, "amount_won": -back})


def spend_all(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """A month's obligations and payments on every line."""
    for line in book.lines.values():
        if line.line_id not in {"reserve", "contracts"}:
            yield from spend(desk, book, line, times=desk.payments)


def spend(desk: BudgetDesk, book: YearBook, line: LineBook, *, times: int) -> Iterator[Group]:
    """Obligations with a payment each, so small that the year's money lasts; a few go wrong."""
    for left in range(times, 0, -1):
        won = line.free // (6 * left)
        if won < 10:
            return
        obligation = yield from oblige(desk, book, line, desk.random.randint(10, won))
        payment = yield from pay(desk, book, obligation, obligation.open - obligation.open // desk.random.randint(2, 9))
        yield from after_payment(desk, book, payment)


def oblige(desk: BudgetDesk, book: YearBook, line: LineBook, won: int) -> Iterator[Group]:
    """Incur an obligation; returns its book."""
    name = desk.desk.new_id("o")
    data = {"obligation_id": name, "line_id": line.line_id, "amount_won": won}
    posted = desk.submit(book, "obligation-incurred", data, role=OBLIGER)
    yield [posted]
    line.obligated += won
    obligation = ObligationBook(name, posted.id, line, won)
    if desk.chance(8):
        yield from adjust_obligation(desk, book, obligation, desk.part(line.free, most=5))
    return obligation


def adjust_obligation(desk: BudgetDesk, book: YearBook, obligation: ObligationBook, won: int) -> Iterator[Group]:
    """Make an obligation larger (or smaller); now and then that was a mistake."""
    if won == 0:
        return
    data = {"obligation_id": obligation.obligation_id, "delta_won": won, "reason_ko": "변경"}
    posted = desk.submit(book, "obligation-adjusted", data)
    yield [posted]
    if obligation.contract is None and desk.chance(25):
        yield desk.correct(book, posted.id, None)
        return
    obligation.amount += won
    obligation.line.obligated += won


def pay(desk: BudgetDesk, book: YearBook, obligation: ObligationBook, won: int) -> Iterator[Group]:
    """Pay on an obligation; returns the payment's book."""
    name = desk.desk.new_id("p")
    posted = desk.submit(book, "paid", payload(name, obligation, won), role=PAYER)
    yield [posted]
    return booked(book, obligation, PaymentBook(name, posted.id, obligation, won))


def booked(book: YearBook, obligation: ObligationBook, payment: PaymentBook) -> PaymentBook:
    """Put a payment into the books."""
    obligation.paid += payment.amount
    obligation.line.executed += payment.amount
    if obligation.contract is None and len(book.payments) < REMEMBERED:
        book.payments.append(payment)
    return payment


def payload(payment_id: str, obligation: ObligationBook, won: int, **more: Any) -> Data:
    """The payload of a payment."""
    return {
        "payment_id": payment_id,
        "obligation_id": obligation.obligation_id,
        "line_id": obligation.line.line_id,
        "amount_won": won,
        "payee": PAYEE,
        "method": "TRANSFER",
        **more,
    }


def after_payment(desk: BudgetDesk, book: YearBook, payment: PaymentBook) -> Iterator[Group]:
    """What may follow: nothing, a return, a return that was wrong, a payment that was too high."""
    if desk.chance(85) or payment.left < 4:
        return
    if desk.chance(50):
        yield from give_back(desk, book, payment)
    else:
        yield lower_payment(desk, book, payment, desk.part(payment.left - 1))
        if desk.chance(30) and payment.left > 2:
            # A correction may be corrected in turn.
            yield lower_payment(desk, book, payment, 1)


def give_back(desk: BudgetDesk, book: YearBook, payment: PaymentBook) -> Iterator[Group]:
    """Money comes back in the year."""
    won = desk.part(payment.left - 1)
    data = {"return_id": desk.desk.new_id("r"), "payment_id": payment.payment_id, "reason_ko": "과오납"}
    posted = desk.submit(book, "returned", {**data, "amount_won": won})
    yield [posted]
    if desk.chance(25):
        won += 1
        yield desk.correct(book, posted.id, {"returned": {**data, "amount_won": won}})
    payment.returned += won
    payment.obligation.paid -= won
    payment.obligation.line.executed -= won
    payment.obligation.line.returned += won


def lower_payment(desk: BudgetDesk, book: YearBook, payment: PaymentBook, by: int, **more: Any) -> Group:
    """Correct a payment to a smaller amount."""
    payment.amount -= by
    payment.obligation.paid -= by
    payment.obligation.line.executed -= by
    right = {**payload(payment.payment_id, payment.obligation, payment.amount), "actor_role": PAYER}
    group = desk.correct(book, payment.event_id, {"paid": right}, **more)
    payment.event_id = group[0].id
    return group
