"""Do an agency's budgets and its contracts say the same, contract by contract?

A budget obliges and pays for contracts, and contracts show those payments on streams of their own: whatever is on one
side alone, or differs, is named here. The rules refuse all of it at the entry; this is made from the two folds' own
books, so that a contract whose stream or entry has vanished is seen.

1. `VANISHED`: a budget obliges or pays for a contract that no stream plans.
2. `PAYMENTS_DIFFER`: the payments of the budgets less their returns and those of the contract are not the same.
3. `SIGNED_ABOVE_OBLIGATED`: more is owed for an instalment than is obligated for it (imports and unit prices apart),
   while the contract stands: damages kept back, and what a closed one came to less, need no obligation any more.
4. `PLAN_ABOVE_LINES`: a note, no error: a plan hopes for more than its lines hold now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec import Struct

from projections.folds.contract_instalments import Instalment
from projections.folds.fold import Fold, Handler
from projections.folds.rows import Row, Trace, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.folds.budget_state import BudgetYear, Record
    from projections.folds.budget_years import BudgetYears
    from projections.folds.contract_state import Contract
    from projections.folds.contracts import Contracts

CONTRACT_CHECKS = "contract-checks"
TABLES = ("sums", "findings")
AGENCY_URN = "urn:kr:agency:"
_IMPORTS = ("printed", "derived")


class Nothing(Struct):
    """This fold keeps no state of its own."""


class _Budgeted(NamedTuple):
    """What a budget year says of a contract, in won: obligations by instalment, payments less returns; their rows."""

    obligated_won: dict[int, int]
    paid_won: dict[str, int]
    records: list[Record]


class ContractChecks(Fold[Nothing]):
    """Compares the folds of the budget years and of the contracts; must be asked to settle before they are."""

    name: ClassVar[str] = "contract-checks"
    kinds: ClassVar[tuple[str, ...]] = (CONTRACT_CHECKS,)
    part_type: ClassVar[type[Any]] = Nothing

    def __init__(self, years: BudgetYears, contracts: Contracts) -> None:
        super().__init__()
        self._years, self._contracts = years, contracts
        # Read once from a year that has not changed since: a year holds far more payments than a page of entries.
        self._of_year: dict[str, dict[str, _Budgeted]] = {}

    def handlers(self) -> dict[str, Handler]:
        """None: every type is some other fold's."""
        return {}

    def settle(self) -> None:
        """Forget what was read of changed years, and note whose comparisons changed."""
        for part in self._years.changed:
            self._of_year.pop(part, None)
            self.dirty.add((CONTRACT_CHECKS, self._years.parts[part].agency))
        for part in self._contracts.changed:
            self.dirty.add((CONTRACT_CHECKS, _agency_of(self._contracts.parts[part])))

    def keys(self, kind: str) -> list[str]:
        """Codes of agencies that plan contracts, or whose budgets name some."""
        if kind != CONTRACT_CHECKS:
            return []
        self.settle()
        owners = {_agency_of(contract) for contract in self._contracts.parts.values()}
        return sorted(owners | {year.agency for part, year in self._years.parts.items() if self._budgeted(part)})

    def compute_rows(self, kind: str, key: str) -> list[Row]:
        """The sums of one agency, and every contract that there is something to say about."""
        if kind != CONTRACT_CHECKS:
            return []
        self.settle()
        parts = sorted(part for part, year in self._years.parts.items() if year.agency == key)
        budgeted = {part: self._budgeted(part) for part in parts}
        contracts = {name: one for name, one in self._contracts.parts.items() if _agency_of(one) == key}
        names = sorted({*contracts, *(name for found in budgeted.values() for name in found)})
        if not names:
            return []
        rows: list[Row] = []
        sums = dict.fromkeys(("obligated_won", "budget_paid_won", "contract_paid_won"), 0)
        for name in names:
            named = {part: found[name] for part, found in budgeted.items() if name in found}
            pair = _Pair(name, contracts.get(name), named)
            for column, won in pair.sums.items():
                sums[column] += won
            rows += pair.findings(self._years.parts)
        errors = len([row for row in rows if row.body["error"]])
        body = {"contracts": len(names), **sums, "errors": errors, "agrees": errors == 0}
        # It rests on every payment; it names what began each year and each contract, and what the findings name.
        begun = [self._years.parts[part].trace for part in parts]
        begun += [fact.trace for contract in contracts.values() for fact in contract.all("plan")]
        return [merged([*begun, *_traces(rows)]).row("sums", "sums", body), *rows]

    def _budgeted(self, part: str) -> dict[str, _Budgeted]:
        found = self._of_year.get(part)
        if found is None:
            found = self._of_year[part] = _read_year(self._years.parts[part])
        return found


def _agency_of(contract: Contract) -> str:
    return contract.owner.removeprefix(AGENCY_URN)


def _traces(rows: list[Row]) -> Iterator[Trace]:
    for row in rows:
        yield Trace(entries=[one for one in row.entries if isinstance(one, int)], provenance=row.provenance)


def _read_year(year: BudgetYear) -> dict[str, _Budgeted]:
    """What does one budget year say of each contract that it names?"""
    found: dict[str, _Budgeted] = {}
    obligations = year.in_force("obligations")
    for record in obligations.values():
        name = record.cells["contract_process_id"]
        if name is not None:
            one = found.setdefault(name, _Budgeted({}, {}, []))
            number = record.cells["instalment"] or 1
            won = record.cells["amount_won"] + record.cells["adjusted_won"]
            one.obligated_won[number] = one.obligated_won.get(number, 0) + won
            one.records.append(record)
    for payment_id, record in year.in_force("payments").items():
        obligation = obligations.get(record.cells["obligation_id"])
        name = None if obligation is None else obligation.cells["contract_process_id"]
        if name is not None:
            # A refund of a closed year (refunded_later_won) is revenue: the payment stays on both sides.
            found[name].paid_won[payment_id] = record.cells["amount_won"] - record.cells["returned_won"]
            found[name].records.append(record)
    return found


class _Pair:
    """One contract, as its stream shows it (None: there is none) and as the agency's budgets do."""

    def __init__(self, name: str, contract: Contract | None, budgeted: dict[str, _Budgeted]) -> None:
        self.name, self.contract, self.budgeted = name, contract, budgeted
        # By budget stream and payment id, as the contract's payments name them.
        self.paid_by_budgets = {
            (f"budget/{part}", payment_id): won
            for part, one in budgeted.items()
            for payment_id, won in one.paid_won.items()
        }
        self.paid_on_contract: dict[tuple[str, str], int] = {}
        if contract is not None:
            for table in ("payments", "advances"):
                for fact in contract.standing(table):
                    cells = fact.cells
                    self.paid_on_contract[cells["budget_subject"], cells["payment_id"]] = cells["amount_won"]
            for fact in contract.standing("returns"):
                key = (fact.cells["budget_subject"], fact.cells["payment_id"])
                # As of a legal date at which the payment does not count yet, neither does what came back of it.
                if key in self.paid_on_contract:
                    self.paid_on_contract[key] -= fact.cells["amount_won"]
        self.sums = {
            "obligated_won": sum(sum(one.obligated_won.values()) for one in budgeted.values()),
            "budget_paid_won": sum(self.paid_by_budgets.values()),
            "contract_paid_won": sum(self.paid_on_contract.values()),
        }

    @property
    def planned(self) -> bool:
        """Does a stream plan this contract?"""
        return self.contract is not None and bool(self.contract.all("plan"))

    def findings(self, years: dict[str, BudgetYear]) -> Iterator[Row]:
        """What is there to say?"""
        if not self.planned:
            yield self._row("VANISHED", self._trace(), error=True)
        if self.paid_by_budgets != self.paid_on_contract:
            keys = sorted({*self.paid_by_budgets, *self.paid_on_contract})
            differing = [
                {
                    "budget_subject": subject,
                    "payment_id": payment_id,
                    "budget_won": self.paid_by_budgets.get((subject, payment_id)),
                    "contract_won": self.paid_on_contract.get((subject, payment_id)),
                }
                for subject, payment_id in keys
                if self.paid_by_budgets.get((subject, payment_id)) != self.paid_on_contract.get((subject, payment_id))
            ]
            yield self._row("PAYMENTS_DIFFER", self._trace(), error=True, payments=differing)
        yield from self._above_obligations()
        yield from self._above_lines(years)

    def _above_obligations(self) -> Iterator[Row]:
        if self.contract is None:
            return
        signed = self.contract.last("signings", instalment=None)
        ended = self.contract.last("ends") is not None
        if signed is None or ended or signed.cells["contract_type"] == "UNIT_PRICE":
            return
        for fact in self.contract.standing("signings"):
            one = Instalment(self.contract, fact)
            obligated_won = sum(each.obligated_won.get(one.number, 0) for each in self.budgeted.values())
            owed_won = one.owed_won
            if fact.provenance not in _IMPORTS and owed_won is not None and owed_won > obligated_won:
                amounts = {"instalment": one.number, "signed_won": owed_won, "bound_won": obligated_won}
                yield self._row("SIGNED_ABOVE_OBLIGATED", self._trace(), error=True, **amounts)

    def _above_lines(self, years: dict[str, BudgetYear]) -> Iterator[Row]:
        plan = None if self.contract is None else self.contract.last("plan")
        if plan is None or plan.cells["budget_won"] is None:
            return
        lines = [
            year.lines[ref["line_id"]]
            for ref in plan.cells["budget_lines"]
            if (year := years.get(ref["subject"].removeprefix("budget/"))) is not None and ref["line_id"] in year.lines
        ]
        # A plan may come before its budget: nothing is compared with lines that are not there yet.
        if len(lines) < len(plan.cells["budget_lines"]) or not lines:
            return
        current_won = sum(line.current_won for line in lines)
        if plan.cells["budget_won"] > current_won:
            trace = merged([plan.trace, *(each for line in lines for each in line.traces.values())])
            amounts = {"budget_won": plan.cells["budget_won"], "current_won": current_won}
            yield self._row("PLAN_ABOVE_LINES", trace, error=False, **amounts)

    def _trace(self) -> Trace:
        traces = [record.trace for one in self.budgeted.values() for record in one.records]
        if self.contract is not None:
            tables = ("plan", "signings", "amendments", "payments", "advances", "returns")
            traces += [fact.trace for table in tables for fact in self.contract.all(table)]
        return merged(traces)

    def _row(self, finding: str, trace: Trace, *, error: bool, **cells: Any) -> Row:
        body: dict[str, Any] = {
            "finding": finding,
            "error": error,
            "contract": self.name,
            "planned": self.planned,
            **self.sums,
            "difference_won": self.sums["budget_paid_won"] - self.sums["contract_paid_won"],
            "payments": [],
            "instalment": None,
            "signed_won": None,
            "bound_won": None,
            "budget_won": None,
            "current_won": None,
            **cells,
        }
        number = "" if body["instalment"] is None else f"/{body['instalment']}"
        return trace.row("findings", f"{self.name}/{finding}{number}", body)
