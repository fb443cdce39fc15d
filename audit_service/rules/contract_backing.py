"""What stands behind a promise? Budget lines, obligations, the total noted, the plan of a continuing expenditure.

지방회계법 [K]: the obligation (지출원인행위) binds the budget before the contract binds the city. So the named
lines must hold obligations for this contract and instalment, of at least its amount, before it is signed. An
increase is bound right after its amendment: before, the obligation would exceed what is signed.
Imports of a printed or derived fact may lack what their source lacks; a unit-price contract (단가계약) states only an
estimate, and each order is obligated by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_service.rules.budget_spending import obligated_for
from audit_service.rules.contract_basics import is_imported
from audit_service.rules.contract_states import UNIT_PRICE, Contract, ContractState
from audit_service.rules.errors import RuleBroken
from audit_service.rules.states import ONLY
from audit_service.rules.world import World, read_budget

if TYPE_CHECKING:
    from audit_service.catalogue.contract import BudgetLineRef
    from audit_service.catalogue.event import Event

CONTINUING = "CONTINUING_EXPENDITURE"
Lines = tuple[tuple[str, str], ...]


def lines_of(refs: list[BudgetLineRef]) -> Lines:
    """Return the lines that a payload names, as (budget stream, line id)."""
    return tuple((ref.subject, ref.line_id) for ref in refs)


def require_lines(world: World, event: Event, lines: Lines, *, fiscal_year: int, amount_won: int | None) -> None:
    """Do the named budget lines exist in that fiscal year, and do they hold the amount together?

    Raises:
        RuleBroken: `contract.line-repeated`, `contract.line-unknown`, `contract.line-year-differs` or
            `contract.exceeds-budget-lines`.
    """
    current_won = 0
    for number, (subject, line_id) in enumerate(lines):
        if (subject, line_id) in lines[:number]:
            raise RuleBroken("contract.line-repeated", f"line {line_id} is named twice", stream=event.subject)
        budget = read_budget(world, subject)
        line = None if budget is None else budget.lines.get(line_id)
        if budget is None or line is None:
            raise RuleBroken("contract.line-unknown", f"no budget defines line {line_id}", stream=event.subject)
        line_year = budget.year[ONLY].fiscal_year
        if line_year != fiscal_year:
            raise RuleBroken(
                "contract.line-year-differs",
                f"the instalment is of {fiscal_year}, line {line_id} of {line_year}",
                stream=event.subject,
                allowed=fiscal_year,
            )
        current_won += line.current_won
    if amount_won is not None and amount_won > current_won:
        raise RuleBroken(
            "contract.exceeds-budget-lines",
            f"{amount_won} won promised, the lines hold {current_won} won",
            stream=event.subject,
            columns={"amount_won": amount_won, "current_won": current_won},
            allowed=current_won,
        )


def obligated_won(world: World, event: Event, lines: Lines, *, instalment: int) -> int:
    """What is obligated on these lines for one instalment of the event's contract, in won?"""
    process_id = event.subject.removeprefix("contract/")
    budgets = [(read_budget(world, subject), line_id) for subject, line_id in lines]
    return sum(obligated_for(one, process_id, instalment, line_id) for one, line_id in budgets if one is not None)


def require_obligations(world: World, event: Event, lines: Lines, *, instalment: int, amount_won: int | None) -> None:
    """Do the lines hold obligations for this instalment that reach its amount? Others could not pay it.

    Raises:
        RuleBroken: `contract.obligation-missing`.
    """
    if amount_won is None or is_imported(event.data):
        return
    bound_won = obligated_won(world, event, lines, instalment=instalment)
    if bound_won < amount_won:
        raise RuleBroken(
            "contract.obligation-missing",
            f"{amount_won} won promised, {bound_won} won obligated for it",
            stream=event.subject,
            columns={"amount_won": amount_won, "obligated_won": bound_won, "instalment": instalment},
            allowed=bound_won,
        )


def require_bindable(world: World, event: Event, lines: Lines, *, instalment: int, amount_won: int) -> None:
    """Can the obligations for this instalment follow its increase? From what the lines have allotted and not obligated.

    An obligation stays within what the instalment is signed for, so for an increase it can only come after the
    amendment; what it needs must be there before.

    Raises:
        RuleBroken: `contract.obligation-missing`.
    """
    if is_imported(event.data):
        return
    bound_won = obligated_won(world, event, lines, instalment=instalment)
    free_won = 0
    for subject, line_id in lines:
        budget = read_budget(world, subject)
        if budget is not None and not budget.year[ONLY].closed:
            line = budget.lines[line_id]
            free_won += line.allotted_won - line.obligated_won
    if amount_won > bound_won + free_won:
        raise RuleBroken(
            "contract.obligation-missing",
            f"{amount_won} won promised, {bound_won} won obligated for it and {free_won} won free to be",
            stream=event.subject,
            columns={
                "amount_won": amount_won,
                "obligated_won": bound_won,
                "free_allotment_won": free_won,
                "instalment": instalment,
            },
            allowed=bound_won + free_won,
        )


def require_total_noted(event: Event, *, total_noted_won: int | None, instalments_won: int) -> None:
    """Do the instalments stay within the total noted (총 부기금액), where there is one?

    Raises:
        RuleBroken: `contract.exceeds-total-noted`.
    """
    if total_noted_won is not None and instalments_won > total_noted_won:
        raise RuleBroken(
            "contract.exceeds-total-noted",
            f"instalments of {instalments_won} won, the total noted is {total_noted_won} won",
            stream=event.subject,
            columns={"instalments_won": instalments_won, "total_noted_won": total_noted_won},
            allowed=total_noted_won,
        )


def amounts_by_year(state: ContractState) -> dict[int, int]:
    """Return the instalments' amounts in won by fiscal year, zero where one is not stated."""
    return {one.fiscal_year: one.amount_won or 0 for one in state.instalments.values()}


def require_plan(
    world: World, event: Event, contract: Contract, plan: tuple[str, str] | None, *, years: dict[int, int]
) -> None:
    """Do the instalments of a continuing expenditure (계속비) keep, year by year, to what its plan has released?

    Raises:
        RuleBroken: `contract.plan-missing`, `contract.plan-unknown` or `contract.exceeds-plan`.
    """
    if plan is None:
        if is_imported(event.data):
            return
        raise RuleBroken(
            "contract.plan-missing",
            "a continuing expenditure names its continuing plan",
            stream=event.subject,
            allowed="plan_subject and plan_id",
        )
    budget = read_budget(world, plan[0])
    found = None if budget is None else budget.plans.get(plan[1])
    if found is None or found.project_id != contract.project_id:
        raise RuleBroken(
            "contract.plan-unknown", "the project has no such continuing plan in that budget", stream=event.subject
        )
    for last in sorted(years):
        promised_won = sum(won for year, won in years.items() if year <= last)
        planned_won = sum(found.amounts_won[: max(last - found.first_year + 1, 0)])
        if promised_won > planned_won:
            raise RuleBroken(
                "contract.exceeds-plan",
                f"{promised_won} won promised until {last}, the plan releases {planned_won} won until then",
                stream=event.subject,
                columns={"promised_won": promised_won, "planned_won": planned_won, "fiscal_year": last},
                allowed=planned_won,
            )


def require_backed(world: World, state: ContractState, event: Event, number: int) -> None:
    """Do lines, obligations and plan hold what an instalment now comes to?

    Raises:
        RuleBroken: as `decide_amended`, where they do not.
    """
    contract, instalment = state.contract[ONLY], state.instalments[number]
    amount_won = instalment.amount_won
    require_lines(world, event, instalment.lines, fiscal_year=instalment.fiscal_year, amount_won=amount_won)
    if contract.contract_type != UNIT_PRICE:
        require_bindable(world, event, instalment.lines, instalment=number, amount_won=amount_won or 0)
    if contract.contract_type == CONTINUING:
        require_plan(world, event, contract, contract.plan, years=amounts_by_year(state))
