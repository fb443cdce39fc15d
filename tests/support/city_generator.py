"""Which events would a whole city post, lawfully, in how many years? A seeded city of any size, as a stream.

`generate` yields atomic groups of submissions in the order of the log. The same plan gives the same bytes. The city
is lawful because its own books say what it can afford, not because a rule was asked: so what it posts must pass every
rule.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tests.support.city_agenda import Agenda, Desk, Group, Submission, day, to_entry
from tests.support.city_budget import BudgetDesk
from tests.support.city_contracts import ContractDesk
from tests.support.city_services import ServiceDesk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.city_books import YearBook

CITY = "city"
FIRST_YEAR = 2020
SCOPES = ("budget.*", "contract.*", "service.*")


class CityPlan(NamedTuple):
    """How large is the city? `payments` for each line and month, `transactions` for each agency and month."""

    seed: int = 1
    agencies: int = 1
    years: int = 2
    projects: int = 3
    payments: int = 1
    contracts: int = 2
    transactions: int = 20

    @classmethod
    def for_size(cls, events: int, *, seed: int = 1) -> CityPlan:
        """A city that posts about so many events (within a factor of two from 1,000 on)."""
        years = 2 if events < 20_000 else 3
        agencies = max(1, min(400, events // (years * 1_200)))
        share = events // (agencies * years)
        payments = max(0, min(200, (share - 300) // 500))
        # What is left is service transactions: the bulk of a city's events.
        transactions = max(0, (share - 300 - payments * 200) // 12)
        return cls(seed, agencies, years, payments=payments, transactions=transactions)


class City:
    """A city at work: its agencies, and what its own books say.

    Without `keep` a year's books are thrown away when nothing more can happen to it: so memory stays bounded.
    """

    def __init__(self, plan: CityPlan, *, keep: bool = True) -> None:
        self.plan, self.agenda = plan, Agenda()
        self.budgets: list[BudgetDesk] = []
        self.contracts: list[ContractDesk] = []
        self.services: list[ServiceDesk] = []
        last_year = FIRST_YEAR + plan.years - 1
        self.agenda.plan(day(FIRST_YEAR, 1, 1), self._create_log)
        for number in range(plan.agencies):
            random = Random(f"{plan.seed}/{number}")
            desk = Desk(self.agenda, f"agency-{number}")
            budgets = BudgetDesk(
                self.agenda,
                desk,
                random,
                projects=plan.projects,
                payments=plan.payments,
                years=(FIRST_YEAR, last_year),
                keep=keep,
            )
            contracts = ContractDesk(self.agenda, budgets, random, yearly=plan.contracts)
            services = ServiceDesk(self.agenda, desk, random, monthly=plan.transactions)
            self.agenda.plan(day(FIRST_YEAR, 1, 1), services.register)
            for fiscal_year in range(FIRST_YEAR, last_year + 1):
                budgets.plan_year(fiscal_year)
                contracts.plan_year(fiscal_year)
                services.plan_year(fiscal_year)
            self.budgets.append(budgets)
            self.contracts.append(contracts)
            self.services.append(services)

    def groups(self) -> Iterator[Group]:
        """Everything that happens, group by group."""
        return self.agenda.run()

    def books(self) -> dict[str, YearBook]:
        """The city's own books by `<agency>/<fiscal year>`."""
        return {
            f"{book.agency}/{book.fiscal_year}": book for budgets in self.budgets for book in budgets.years.values()
        }

    def _create_log(self) -> Iterator[Group]:
        def key(name: str) -> dict[str, str]:
            return {"kid": name.ljust(43, "-"), "public_key": f"{name}_x".ljust(43, "-")}

        codes = [CITY, *(f"agency-{number}" for number in range(self.plan.agencies))]
        agencies = [
            {"code": code, "name_ko": code, "name_en": code, "keys": [{**key(code), "scopes": list(SCOPES)}]}
            for code in codes
        ]
        data = {
            "origin": "ledger.example/simulated",
            "log_key": "a key of the log",
            "root_keys": [key("root1"), key("root2"), key("root3")],
            "root_threshold": 2,
            "publisher_key": key("publisher"),
            "policy": "quorum none",
            "agencies": agencies,
        }
        yield [Desk(self.agenda, CITY).submit("registry.log-created.v1", "registry/log", data)]


def generate(plan: CityPlan) -> Iterator[Group]:
    """All groups of a city, in the order of the log."""
    return City(plan, keep=False).groups()


def submissions(plan: CityPlan) -> Iterator[Submission]:
    """All submissions of a city, in the order of the log."""
    for group in generate(plan):
        yield from group


def entries(made: Iterable[Submission]) -> Iterator[bytes]:
    """The entries that the log would hold, but for signatures."""
    positions: dict[str, int] = {}
    for submission in made:
        position = positions[submission.subject] = positions.get(submission.subject, 0) + 1
        yield to_entry(submission, position=position)


def digest(made: Iterable[Submission]) -> str:
    """SHA-256 over the entries: two streams with the same digest are the same, byte by byte."""
    summed = sha256()
    for entry in entries(made):
        summed.update(len(entry).to_bytes(4, "big"))
        summed.update(entry)
    return summed.hexdigest()
