"""How does money move between lines in the simulated city? Each kind of move within what its law allows.

Some moves are posted twice by mistake and the second one is taken back; so are some supplements and uses of grants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.city_agenda import Data, Group
    from tests.support.city_books import LineBook, YearBook
    from tests.support.city_budget import BudgetDesk

    Task = Callable[[BudgetDesk, YearBook], Iterator[Group]]

COUNCIL, MAYOR, DEPARTMENT = "의회", "시장", "과장"


def plan(at: Callable[[int, int, Task], None]) -> None:
    """Put the year's moves on the agenda."""
    for month in range(2, 12):
        at(month, 8, adjust)
    at(3, 5, transfer)
    at(4, 12, reassign)
    at(5, 3, release_reserve)
    at(6, 4, cross)
    at(3, 20, use_grant)
    at(4, 20, use_grant)
    at(6, 25, supplement)
    at(9, 14, use_grant)
    at(10, 6, supplement)
    at(8, 19, substitute)
    at(9, 19, substitute)


def _move(desk: BudgetDesk, book: YearBook, kind: str, lines: tuple[LineBook, LineBook], **how: Any) -> Iterator[Group]:
    source, target = lines
    column = kind.replace("-", "_").removesuffix("_released")
    twice = desk.chance(30)
    won = desk.part(source.movable // (2 if twice else 1), most=30)
    if won <= 0:
        return
    data: Data = {"from_line_id": source.line_id, "to_line_id": target.line_id, "amount_won": won}
    if kind == "reassigned":
        data = {"pairs": [data]}
    yield desk.post(book, kind, data, **how)
    source.moved[column] -= won
    target.moved[column] += won
    if twice:
        again = desk.submit(book, kind, data, **how)
        yield [again]
        yield desk.correct(book, again.id, None, reason="DUPLICATE")


def adjust(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """변경사용 inside a project."""
    number = desk.random.randrange(desk.projects)
    pair = book.lines[f"p{number}-201-01"], book.lines[f"p{number}-201-02"]
    yield from _move(desk, book, "adjusted", pair if desk.chance(50) else pair[::-1], role=DEPARTMENT)


def transfer(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """전용 inside one policy programme."""
    lines = book.lines["p0-201-01"], book.lines["p1-201-02" if desk.projects > 1 else "p0-201-02"]
    yield from _move(desk, book, "transferred", lines, role=MAYOR, basis=True)


def cross(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """이용 between two policy programmes."""
    if desk.projects > 2:
        lines = book.lines["p2-201-01"], book.lines["p0-201-02"]
        yield from _move(desk, book, "cross-transferred", lines, role=COUNCIL, basis=True)


def reassign(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """이체 after a reorganisation."""
    lines = book.lines["p0-201-01"], book.lines["moved-division"]
    yield from _move(desk, book, "reassigned", lines, basis=True)


def release_reserve(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """예비비 for the unforeseen."""
    yield from _move(desk, book, "reserve-released", (book.lines["reserve"], book.lines["p0-201-02"]), basis=True)


def use_grant(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """성립전예산: an earmarked grant; now and then misprinted first."""
    line, name = book.lines["grant"], desk.desk.new_id("use")
    won = desk.random.randint(2, 10**7)
    data = {"pre_appropriation_id": name, "line_id": line.line_id, "amount_won": won}
    posted = desk.submit(book, "pre-appropriation-used", data, basis=True)
    yield [posted]
    if desk.chance(40):
        won -= 1
        right = {**data, "amount_won": won, "basis": desk.basis()}
        yield desk.correct(book, posted.id, {"pre_appropriation_used": right})
    line.pre_appropriated += won
    book.uses[name] = (line, won)


def supplement(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """추경: takes in every open use, adds to some lines and takes from one that can spare it."""
    deltas = {line.line_id: 0 for line, _ in book.uses.values()}
    for line, won in book.uses.values():
        deltas[line.line_id] += won
    deltas["p0-201-01"] = desk.random.randint(1, 10**7)
    giving = book.lines["p0-201-02"]
    if (spare := desk.part(min(giving.appropriated - giving.items, giving.movable), most=20)) > 0:
        deltas["p0-201-02"] = -spare
    data = {
        "round": book.rounds + 1,
        "rows": [{"line_id": line_id, "delta_won": won} for line_id, won in deltas.items()],
        "total_delta_won": sum(deltas.values()),
        "pre_appropriation_ids": list(book.uses),
    }
    posted = desk.submit(book, "supplemented", data, role=COUNCIL, basis=True)
    yield [posted]
    if desk.chance(50):
        right = {**data, "actor_role": COUNCIL, "basis": desk.basis()}
        yield desk.correct(book, posted.id, {"supplemented": right})
    book.rounds += 1
    for line_id, won in deltas.items():
        book.lines[line_id].supplementary += won
    for line, won in book.uses.values():
        line.pre_appropriated -= won
    book.uses.clear()


def substitute(desk: BudgetDesk, book: YearBook) -> Iterator[Group]:
    """수입대체경비: twice from the same revenue; the second time by mistake, sometimes."""
    line, excess = book.lines["p0-201-01"], 10**7
    won = desk.random.randint(1, excess // 3)
    data = {"line_id": line.line_id, "amount_won": won, "revenue_id": "fees", "excess_revenue_won": excess}
    yield desk.post(book, "revenue-substituted", data)
    line.revenue += won
    if desk.chance(40):
        again = desk.submit(book, "revenue-substituted", {**data, "amount_won": 1})
        yield [again]
        yield desk.correct(book, again.id, None, reason="DUPLICATE")
