"""How is each rule about explaining, carrying over, settling and correcting a budget broken, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from audit_service.catalogue.budget import Allotted, Factor, Replacement
from audit_service.rules.budget_states import Posting
from tests.support.city_budget import PLAN_ID, PLAN_YEARS
from tests.support.illegal import BASIS, Built, Scene, Wrong, again, fields, item, like, swap

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_service.catalogue.event import Event


def _at(kind: str) -> str:
    return f"budget.{kind}.v1"


def _year_of(event: Event) -> int:
    return int(event.subject.rpartition("/")[2])


# --- what explains the amounts --------------------------------------------------------------------------


def _too_much_explained(event: Event, scene: Scene) -> Built:
    line = scene.line(event)
    won = line.final_won - line.items_won + 1
    return swap(event, factors=[Factor(won=won)], amount_won=won)


def _steps(change: Callable[[list[Any]], list[Any]]) -> Any:
    return fields(steps=lambda event, _: change(event.data.steps))


BOOK = [
    Wrong(
        "budget.factor-form",
        _at("cost-basis-recorded"),
        fields(factors=lambda event, _: [*event.data.factors, Factor(won=1)]),
    ),
    Wrong(
        "budget.basis-product-differs",
        _at("cost-basis-recorded"),
        fields(amount_won=lambda event, _: event.data.amount_won + 1),
    ),
    Wrong("budget.item-duplicate", _at("cost-basis-recorded"), again, after=True),
    Wrong("budget.items-exceed-appropriation", _at("cost-basis-recorded"), _too_much_explained),
    Wrong("budget.schedule-twice", _at("schedule-set"), again, after=True),
    Wrong("budget.project-unknown", _at("schedule-set"), fields(project_id="nothing")),
    Wrong("budget.item-unknown", _at("schedule-set"), _steps(lambda steps: item(steps, 0, item_ids=["nothing"]))),
    Wrong("budget.step-duplicate", _at("schedule-set"), _steps(lambda steps: [*steps, steps[0]])),
    Wrong("budget.step-dates", _at("schedule-set"), _steps(lambda steps: item(steps, 0, end="2019-12"))),
]

# --- carry-over -----------------------------------------------------------------------------------------


def _of_kind(kind: str, build: Callable[[Event, Scene], Built]) -> Callable[[Event, Scene], Built]:
    return lambda event, scene: build(event, scene) if event.data.kind == kind else None


def _beyond_declared(event: Event, scene: Scene) -> Built:
    line = scene.line(event)
    won = line.declared_won - line.carried_out_explicit_won + 1
    return swap(event, amount_won=won) if won <= line.unspent_won else None


def _beyond_bound(event: Event, scene: Scene) -> Built:
    line = scene.line(event)
    won = line.obligated_won - line.executed_won - line.bound_out_won + 1
    fresh_won = line.unspent_won - max(0, line.carried_in_accidental_won - line.executed_won)
    return swap(event, ancillary=UNSET, amount_won=won) if won <= fresh_won else None


def _carried_twice(event: Event, scene: Scene) -> Built:
    for line_id, line in scene.budget(event.subject).lines.items():
        if line.carried_in_accidental_won > line.executed_won and line.unspent_won > 0:
            return swap(event, line_id=line_id, kind="ACCIDENTAL", ancillary=True, amount_won=line.unspent_won)
    return None


def _plan(event: Event, scene: Scene) -> tuple[str, int] | None:
    """The continuing plan that the agency set last, if it is of this year or before: its budget and first year."""
    agency = event.subject[:-4]
    for first in range(_year_of(event), _year_of(event) - PLAN_YEARS, -1):
        if scene.budget(f"{agency}{first}").plans:
            return f"{agency}{first}", first
    return None


def _after_the_plan(event: Event, scene: Scene) -> Built:
    found, line = _plan(event, scene), scene.line(event, "bridge")
    if found is None or found[1] + PLAN_YEARS - 1 != _year_of(event) or line.unspent_won <= 0:
        return None
    named = {"plan_subject": found[0], "plan_id": PLAN_ID, "ancillary": UNSET}
    return swap(event, line_id="bridge", kind="CONTINUING", amount_won=1, **named)


def _beyond_the_plan(event: Event, scene: Scene) -> Built:
    found = _plan(event, scene)
    if found is None or _year_of(event) > found[1] + PLAN_YEARS - 2:
        return None
    plan = scene.budget(found[0]).plans[PLAN_ID]
    won = sum(plan.amounts_won[: _year_of(event) - found[1] + 1]) + 1
    revenue = {"line_id": "bridge", "amount_won": won, "revenue_id": "x", "excess_revenue_won": won}
    following = {"to_subject": f"{event.subject[:-4]}{_year_of(event) + 1}", "to_line_id": "bridge"}
    carried = {"line_id": "bridge", **following, "kind": "CONTINUING", "amount_won": won, "carry_in_id": "x"}
    return [
        like(event, _at("revenue-substituted"), revenue),
        like(event, _at("carried-over"), {**carried, "plan_subject": found[0], "plan_id": PLAN_ID}),
    ]


CARRY_OVER = [
    Wrong("budget.carry-over-subject", _at("carried-over"), fields(to_subject=lambda e, _: f"{e.subject[:-4]}2099")),
    Wrong("budget.carry-over-kind", _at("carried-over"), fields(kind="NOT_STATED")),
    Wrong("budget.carry-over-form", _at("carried-over"), _of_kind("EXPLICIT", fields(ancillary=True))),
    Wrong("budget.carry-over-undeclared", _at("carried-over"), _of_kind("EXPLICIT", _beyond_declared)),
    Wrong("budget.carry-over-not-obligated", _at("carried-over"), _of_kind("ACCIDENTAL", _beyond_bound)),
    Wrong("budget.carry-over-twice", _at("carried-over"), _carried_twice),
    Wrong("budget.carry-over-unknown", _at("carry-in-received"), fields(carried_over_id="nothing")),
    Wrong(
        "budget.carry-over-differs",
        _at("carry-in-received"),
        lambda event, _: replace(event, data=replace(event.data, amount_won=event.data.amount_won + 1)),
    ),
    Wrong("budget.carry-over-duplicate", _at("carry-in-received"), again, after=True),
    Wrong("budget.carry-over-alone", _at("carry-in-received"), again, asked="groups"),
    Wrong("budget.plan-duplicate", _at("continuing-plan-set"), again, after=True),
    Wrong("budget.plan-years", _at("continuing-plan-set"), fields(years=lambda event, _: event.data.years[::-1])),
    Wrong("budget.plan-unknown", _at("carried-over"), _of_kind("CONTINUING", fields(plan_id="nothing"))),
    Wrong("budget.plan-ended", _at("carried-over"), _after_the_plan),
    Wrong("budget.plan-exceeded", _at("fiscal-year-closed"), _beyond_the_plan),
]

# --- settlement -----------------------------------------------------------------------------------------


def _one_won_executed(event: Event, _: Scene) -> Built:
    row = event.data.rows[0]
    rows = item(event.data.rows, 0, executed_won=row.executed_won + 1, unspent_won=row.unspent_won - 1)
    return swap(event, rows=rows)


def _audit(event: Event, _: Scene) -> Built:
    return like(event, _at("settlement-audited"), {"committee_ko": "결산검사위원회", "findings": []})


def _approve(event: Event, _: Scene) -> Built:
    data = {"approved_on": event.legal_date, "actor_role": "의회", "basis": BASIS}
    return like(event, _at("settlement-approved"), data)


def _rows(change: Callable[[list[Any]], list[Any]]) -> Any:
    return fields(rows=lambda event, _: change(event.data.rows))


SETTLEMENT = [
    Wrong("budget.project-repeated", _at("settlement-published"), _rows(lambda rows: [*rows, rows[0]])),
    Wrong(
        "budget.settlement-identity",
        _at("settlement-published"),
        fields(rows=lambda e, _: item(e.data.rows, 0, unspent_won=e.data.rows[0].unspent_won + 1)),
    ),
    Wrong("budget.settlement-mismatch", _at("settlement-published"), _one_won_executed),
    Wrong("budget.settlement-not-published", _at("fiscal-year-closed"), _audit, after=True),
    Wrong("budget.settlement-not-audited", _at("settlement-published"), _approve, after=True),
    Wrong("budget.settlement-audited-twice", _at("settlement-audited"), again, after=True),
    Wrong("budget.settlement-approved-twice", _at("settlement-approved"), again, after=True),
    Wrong("budget.approval-date", _at("settlement-approved"), fields(approved_on="2019-01-01")),
]

# --- corrections ----------------------------------------------------------------------------------------

_OTHER = Allotted(line_id="p0-201-01", quarter=1, amount_won=1)


def _other_type(event: Event, _: Scene) -> Built:
    replaced = event.data.replacement
    if replaced is UNSET or replaced.allotted is not UNSET:
        return None
    return swap(event, replacement=Replacement(allotted=_OTHER))


def _no_basis(event: Event, scene: Scene) -> Built:
    year = next(iter(scene.budget(event.subject).year.values()))
    return swap(event, basis=UNSET) if year.closed else None


def _other_contract(event: Event, scene: Scene) -> Built:
    if event.data.contract_corrected_id is UNSET:
        return None
    state = scene.budget(event.subject)
    paid = event.data.replacement.paid
    own = state.obligations[paid.obligation_id].contract_process_id
    for name, obligation in state.obligations.items():
        if obligation.contract_process_id not in (None, own):
            replaced = Replacement(paid=replace(paid, obligation_id=name, line_id=obligation.line_id))
            return swap(event, replacement=replaced)
    return None


def _under_a_payment(event: Event, scene: Scene) -> Built:
    state = scene.budget(event.subject)
    for event_id, text in state.postings.items():
        posting = Posting.from_text(text)
        incurred = posting.event_type == _at("obligation-incurred") and posting.named == event.data.obligation_id
        if incurred and event_id not in state.corrected:
            data = {"corrects": event_id, "reason": "DUPLICATE", "reason_ko": "중복"}
            return like(event, _at("corrected"), data)
    return None


def _alone(event: Event, _: Scene) -> Built:
    return [event, again(event, _)] if isinstance(event.data.contract_corrected_id, str) else None


CORRECTIONS = [
    Wrong("budget.correction-target", _at("corrected"), fields(corrects="nothing")),
    Wrong("budget.corrected-twice", _at("corrected"), again, after=True),
    Wrong("budget.correction-replacement", _at("corrected"), _other_type),
    Wrong("budget.correction-basis", _at("corrected"), _no_basis),
    Wrong("budget.correction-contract", _at("corrected"), _other_contract),
    Wrong("budget.correction-breaks", _at("paid"), _under_a_payment, after=True),
    Wrong("budget.correction-alone", _at("corrected"), _alone, asked="groups"),
]
YEAR_END = [*BOOK, *CARRY_OVER, *SETTLEMENT, *CORRECTIONS]
