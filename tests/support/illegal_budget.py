"""How is each rule of a budget broken, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from audit_service.catalogue.common import MAX_SAFE_INTEGER, Party
from audit_service.rules.dates import day_number
from tests.support.illegal import BASIS, Built, Scene, Wrong, again, around, fields, item, like, stored, swap

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

B = "budget."


def _at(kind: str) -> str:
    return f"budget.{kind}.v1"


def _year_of(event: Event) -> int:
    return int(event.subject.rpartition("/")[2])


# --- the frame ------------------------------------------------------------------------------------------


def _allot_too_late(event: Event, _: Scene) -> Built:
    """On the day after the provisional budget, which in these cities ends with February."""
    data = {"line_id": event.data.rows[0].line_id, "quarter": 1, "amount_won": 1}
    return like(event, _at("allotted"), data, legal_date=f"{_year_of(event)}-03-01")


def _late_codes(event: Event, scene: Scene) -> Built:
    codes = scene.last(_at("code-list-published"), event.subject)
    return None if codes is None else again(codes, scene)


def _settle_next_year(event: Event, scene: Scene) -> Built:
    following = event.subject.replace(str(_year_of(event)), str(_year_of(event) + 1))
    year = scene.budget(following).year
    return around(subject=following)(event, scene) if year else None


def _opening(event: Event, scene: Scene) -> Built:
    first = scene.first(_at("opening-imported"))
    if first is None or first.subject == event.subject or _year_of(event) == _year_of(first):
        return None
    return replace(first, id="o-x", subject=event.subject, source=event.source, legal_date=event.legal_date)


def _opening_late(event: Event, _: Scene) -> Built:
    revenue = {"line_id": event.data.rows[0].line_id, "amount_won": 1, "revenue_id": "r", "excess_revenue_won": 1}
    return [like(event, _at("revenue-substituted"), revenue), swap(event)]


def _close(event: Event, _: Scene) -> Built:
    day = f"{_year_of(event)}-12-31"
    return like(event, _at("fiscal-year-closed"), {"closes_on": day}, legal_date=day)


FRAME = [
    Wrong("envelope.type-unknown", _at("allotted"), around(type="budget.unknown.v1"), asked="envelope"),
    Wrong("envelope.subject-form", _at("allotted"), around(subject="budget/2020"), asked="envelope"),
    Wrong("envelope.source-form", _at("allotted"), around(source="agency-0"), asked="envelope"),
    Wrong("envelope.id-form", _at("allotted"), around(id="no blanks"), asked="envelope"),
    Wrong("envelope.legal-date-missing", _at("allotted"), around(legal_date=None), asked="envelope"),
    Wrong("envelope.legal-date-invalid", _at("allotted"), around(legal_date="2020-02-30"), asked="envelope"),
    Wrong("budget.not-owner", _at("allotted"), around(source="urn:kr:agency:city")),
    Wrong(
        "budget.year-not-opened",
        _at("allotted"),
        lambda event, scene: around(subject=f"{event.subject[:-4]}2090")(event, scene),
    ),
    Wrong("budget.year-opened-twice", _at("fiscal-year-opened"), again, after=True),
    Wrong(
        "budget.year-dates",
        _at("fiscal-year-opened"),
        fields(closes_on=lambda event, _: f"{_year_of(event)}-12-30"),
    ),
    Wrong("budget.year-closed", _at("fiscal-year-closed"), again, after=True),
    Wrong("budget.year-not-closed", _at("settlement-published"), _settle_next_year),
    Wrong("budget.year-settled", _at("settlement-published"), again, after=True),
    Wrong("budget.legal-date-outside-year", _at("allotted"), around(legal_date="2019-06-15")),
    Wrong("budget.line-duplicate", _at("line-defined"), again, after=True),
    Wrong("budget.code-list-late", _at("line-defined"), _late_codes, after=True),
    Wrong("budget.code-repeated", _at("code-list-published"), fields(entries=lambda e, _: e.data.entries * 2)),
    Wrong("budget.code-unknown", _at("line-defined"), fields(policy="P-unknown")),
    Wrong("budget.opening-late", _at("opening-imported"), _opening_late),
    Wrong("budget.opening-known", _at("appropriated"), _opening),
    Wrong("budget.opening-twice", _at("opening-imported"), again, after=True),
]

# --- money ----------------------------------------------------------------------------------------------


def _provisional_late(event: Event, _: Scene) -> Built:
    rows = {"rows": [{"line_id": event.data.rows[0].line_id, "amount_won": 1}], "total_won": 1}
    data = {**rows, "until_on": f"{_year_of(event)}-02-28", "basis": BASIS}
    return like(event, _at("provisional-authorised"), data)


def _provisional_spent(event: Event, scene: Scene) -> Built:
    for place, row in enumerate(event.data.rows):
        line = scene.line(event, row.line_id)
        if line.provisional_won > line.movable_won:
            rows = item(event.data.rows, place, amount_won=0)
            return swap(event, rows=rows, total_won=event.data.total_won - row.amount_won)
    return None


def _take_too_much(event: Event, scene: Scene) -> Built:
    line_id = "moved-division"
    row = type(event.data.rows[0])(line_id=line_id, delta_won=-scene.line(event, line_id).final_won - 1)
    total = event.data.total_delta_won + row.delta_won
    return swap(event, rows=[*event.data.rows, row], total_delta_won=total)


def _uses(*more: str, times: int = 1) -> Any:
    return fields(pre_appropriation_ids=lambda event, _: [*event.data.pre_appropriation_ids * times, *more])


def _not_covered(event: Event, _: Scene) -> Built:
    for place, row in enumerate(event.data.rows):
        if row.line_id == "grant" and row.delta_won > 1:
            rows = item(event.data.rows, place, delta_won=row.delta_won - 1)
            return swap(event, rows=rows, total_delta_won=event.data.total_delta_won - 1)
    return None


def _other_excess(event: Event, _: Scene) -> Built:
    return swap(event, amount_won=1, excess_revenue_won=event.data.excess_revenue_won + 1)


def _too_early(event: Event, _: Scene) -> Built:
    line_id = event.data.rows[0].line_id
    basis = {"line_id": line_id, "item_id": "x", "item_ko": "항목", "factors": [{"won": 1}], "amount_won": 1}
    return like(event, _at("cost-basis-recorded"), basis)


MONEY = [
    Wrong("budget.basis-missing", _at("transferred"), fields(basis=UNSET)),
    Wrong("budget.approver", _at("transferred"), fields(actor_role="과장")),
    Wrong("budget.line-unknown", _at("allotted"), fields(line_id="nothing")),
    Wrong(
        "budget.line-repeated",
        _at("appropriated"),
        fields(rows=lambda e, _: e.data.rows * 2, total_won=lambda e, _: e.data.total_won * 2),
    ),
    Wrong("budget.amount-zero", _at("allotted"), fields(amount_won=0)),
    Wrong(
        "budget.amount-too-large",
        _at("revenue-substituted"),
        fields(revenue_id="x", amount_won=MAX_SAFE_INTEGER, excess_revenue_won=MAX_SAFE_INTEGER),
    ),
    Wrong("budget.appropriated-twice", _at("appropriated"), again, after=True),
    Wrong("budget.provisional-late", _at("appropriated"), _provisional_late, after=True),
    Wrong("budget.provisional-until", _at("provisional-authorised"), fields(until_on="2019-12-31")),
    Wrong("budget.provisional-over", _at("provisional-authorised"), _allot_too_late, after=True),
    Wrong("budget.provisional-spent", _at("appropriated"), _provisional_spent),
    Wrong("budget.round-number", _at("supplemented"), fields(round=lambda event, _: event.data.round + 1)),
    Wrong("budget.appropriation-negative", _at("supplemented"), _take_too_much),
    Wrong("budget.pre-appropriation-duplicate", _at("pre-appropriation-used"), again, after=True),
    Wrong("budget.pre-appropriation-fund", _at("pre-appropriation-used"), fields(line_id="p0-201-01")),
    Wrong("budget.pre-appropriation-unknown", _at("supplemented"), _uses("nothing")),
    Wrong("budget.pre-appropriation-taken", _at("supplemented"), _uses(times=2)),
    Wrong("budget.pre-appropriation-not-covered", _at("supplemented"), _not_covered),
    Wrong("budget.pre-appropriation-open", _at("pre-appropriation-used"), _close, after=True),
    Wrong("budget.revenue-differs", _at("revenue-substituted"), _other_excess, after=True),
    Wrong(
        "budget.revenue-exceeded",
        _at("revenue-substituted"),
        fields(amount_won=lambda event, _: event.data.excess_revenue_won + 1),
    ),
    Wrong("budget.not-appropriated", _at("appropriated"), _too_early),
    Wrong("budget.totals-differ", _at("appropriated"), fields(total_won=lambda event, _: event.data.total_won + 1)),
]

# --- moves ----------------------------------------------------------------------------------------------


def _into(name: str, line_id: str) -> Wrong:
    return Wrong(name, _at("transferred"), fields(to_line_id=line_id))


def _new_line(event: Event, **left_out: Any) -> Event:
    line = {"line_id": "x", "name_ko": "목", "project_id": "p", "division": "d", "fund": "CITY"}
    levels = {"object_code": "201-01", "policy": "P0", **left_out}
    return like(event, _at("line-defined"), {**line, **{name: code for name, code in levels.items() if code}})


def _no_object(event: Event, _: Scene) -> Built:
    return [_new_line(event, object_code=None), swap(event, to_line_id="x")]


def _no_policy(event: Event, _: Scene) -> Built:
    return [_new_line(event, policy=None), swap(event, to_line_id="x")]


MOVES = [
    Wrong("budget.same-line", _at("adjusted"), fields(to_line_id=lambda event, _: event.data.from_line_id)),
    Wrong("budget.project-differs", _at("adjusted"), fields(to_line_id="bridge")),
    Wrong("budget.fund-differs", _at("adjusted"), fields(from_line_id="p0-201-01", to_line_id="grant")),
    Wrong("budget.not-reserve", _at("reserve-released"), fields(from_line_id="p0-201-01")),
    Wrong("budget.reserve-target", _at("reserve-released"), fields(to_line_id="promotion")),
    Wrong("budget.object-not-stated", _at("reserve-released"), _no_object),
    Wrong("budget.policy-not-stated", _at("transferred"), _no_policy),
    Wrong("budget.policy-same", _at("cross-transferred"), fields(to_line_id="p2-201-02")),
    _into("budget.policy-differs", "p2-201-01"),
    _into("budget.transfer-closed", "promotion"),
    Wrong("budget.transfer-limits-twice", _at("transfer-limits-set"), again, after=True),
    Wrong(
        "budget.reassignment-differs",
        _at("reassigned"),
        fields(pairs=lambda event, _: item(event.data.pairs, 0, to_line_id="p0-201-02")),
    ),
]

# --- allotments, obligations, payments ------------------------------------------------------------------


def _take_back_bound(event: Event, scene: Scene) -> Built:
    line = scene.line(event)
    return swap(event, amount_won=line.obligated_won - line.allotted_won - 1) if line.obligated_won else None


def _take_back_passed_on(event: Event, scene: Scene) -> Built:
    line = scene.line(event)
    open_won = line.allotted_won - line.reallotted_won
    if open_won <= 0 or line.allotted_won - 1 < line.obligated_won:
        return None
    passed_on = {"line_id": event.data.line_id, "office": "x", "amount_won": open_won}
    return [like(event, _at("reallotted"), passed_on), swap(event, amount_won=-1)]


def _contract_of_another(event: Event, scene: Scene) -> Built:
    planned = scene.first("contract.planned.v1")
    if planned is None or planned.source == event.source or isinstance(event.data.contract_process_id, str):
        return None
    return swap(event, contract_process_id=planned.subject.removeprefix("contract/"))


def _no_contract(name: str, **changes: Any) -> Wrong:
    def build(event: Event, scene: Scene) -> Built:
        of_contract = "contract_process_id" if event.type == _at("obligation-incurred") else "contract_paid_id"
        stands_alone = not isinstance(getattr(event.data, of_contract), str)
        return fields(**changes)(event, scene) if stands_alone else None

    return Wrong(name, _at("paid" if "half" in name else "obligation-incurred"), build)


def _overpay(event: Event, scene: Scene) -> Built:
    obligation = scene.budget(event.subject).obligations[event.data.obligation_id]
    return swap(event, amount_won=obligation.amount_won - obligation.paid_won + 1)


def _paid_before(event: Event, scene: Scene) -> Built:
    day = scene.budget(event.subject).obligations[event.data.obligation_id].legal_day
    early = f"{_year_of(event)}-01-01"
    return replace(swap(event), legal_date=early) if day_number(early) < day else None


def _shrink_below_paid(event: Event, scene: Scene) -> Built:
    obligation = scene.budget(event.subject).obligations[event.data.obligation_id]
    delta = obligation.paid_won - obligation.amount_won - 1
    data = {"obligation_id": event.data.obligation_id, "delta_won": delta, "reason_ko": "감액"}
    return like(event, _at("obligation-adjusted"), data)


def _shrink_behind_contract(event: Event, scene: Scene) -> Built:
    """Right after the signing one won less is obligated than was promised."""
    ref, process_id = event.data.budget_lines[0], event.subject.removeprefix("contract/")
    for name, one in scene.budget(ref.subject).obligations.items():
        if (one.contract_process_id, one.instalment) == (process_id, 1) and one.amount_won == event.data.amount_won:
            data = {"obligation_id": name, "delta_won": -1, "reason_ko": "감액"}
            return like(event, _at("obligation-adjusted"), data, subject=ref.subject)
    return None


def _shrink_carried_over(event: Event, scene: Scene) -> Built:
    state, year = scene.budget(event.subject), _year_of(event)
    for name, obligation in state.obligations.items():
        line = state.lines[obligation.line_id]
        open_won = obligation.amount_won - obligation.paid_won
        bound_won = line.obligated_won - line.executed_won - line.bound_out_won
        fresh_won = line.unspent_won - max(0, line.carried_in_accidental_won - line.executed_won)
        if obligation.standing and 0 < bound_won <= fresh_won and open_won > 0:
            following = {"to_subject": f"{event.subject[:-4]}{year + 1}", "to_line_id": obligation.line_id}
            carried = {"line_id": obligation.line_id, **following, "kind": "ACCIDENTAL", "amount_won": bound_won}
            less = {"obligation_id": name, "delta_won": -1, "reason_ko": "감액"}
            return [
                like(event, _at("carried-over"), {**carried, "carry_in_id": "x"}),
                like(event, _at("obligation-adjusted"), less),
            ]
    return None


def _half_less_return(event: Event, _: Scene) -> Built:
    """Without its contract's half where the payment has one, with a half of no contract where it has none."""
    return swap(event, contract_returned_id=UNSET if isinstance(event.data.contract_returned_id, str) else "x")


def _return_too_much(event: Event, scene: Scene) -> Built:
    payment = scene.budget(event.subject).payments[event.data.payment_id]
    return swap(event, amount_won=payment.amount_won - payment.returned_won + 1)


def _bind_beyond_contract(event: Event, scene: Scene) -> Built:
    ref = event.data.budget_lines[0]
    line = scene.budget(ref.subject).lines[ref.line_id]
    if line.allotted_won <= line.obligated_won:
        return None
    process_id = event.subject.removeprefix("contract/")
    data = {"obligation_id": "x", "line_id": ref.line_id, "amount_won": 1, "contract_process_id": process_id}
    return like(event, _at("obligation-incurred"), data, subject=ref.subject)


SPENDING = [
    Wrong(
        "budget.line-overspent",
        _at("allotted"),
        fields(amount_won=lambda e, scene: scene.line(e).current_won - scene.line(e).allotted_won + 1),
    ),
    Wrong("budget.allotment-obligated", _at("allotted"), _take_back_bound),
    Wrong("budget.allotment-reallotted", _at("allotted"), _take_back_passed_on),
    Wrong("budget.reallotment-exceeded", _at("reallotted"), fields(office="nowhere", amount_won=-1)),
    Wrong("budget.obligation-duplicate", _at("obligation-incurred"), again, after=True),
    Wrong("budget.obligation-unknown", _at("paid"), fields(obligation_id="nothing")),
    Wrong("budget.obligation-overpaid", _at("paid"), _overpay),
    Wrong("budget.legal-date-order", _at("paid"), _paid_before),
    Wrong("budget.obligation-paid", _at("paid"), _shrink_below_paid, after=True),
    Wrong("budget.obligation-backs-contract", "contract.signed.v1", _shrink_behind_contract, after=True),
    Wrong("budget.obligation-carried-over", _at("fiscal-year-closed"), _shrink_carried_over),
    Wrong("budget.same-role", _at("paid"), fields(actor_role="재무관")),
    _no_contract("budget.instalment-alone", instalment=1),
    _no_contract("budget.contract-unknown", contract_process_id="nothing"),
    Wrong("budget.contract-exceeded", "contract.signed.v1", _bind_beyond_contract, after=True),
    Wrong("budget.contract-not-own", _at("obligation-incurred"), _contract_of_another),
    _no_contract("budget.contract-half-missing", contract_paid_id="x"),
    Wrong("budget.payment-duplicate", _at("paid"), again, after=True),
    Wrong("budget.payment-unknown", _at("returned"), fields(payment_id="nothing")),
    Wrong("budget.return-on-contract", _at("returned"), _half_less_return),
    Wrong("budget.return-duplicate", _at("returned"), again, after=True),
    Wrong("budget.return-exceeded", _at("returned"), _return_too_much),
    Wrong("budget.refund-duplicate", _at("prior-year-refunded"), again, after=True),
    Wrong("budget.line-differs", _at("paid"), fields(line_id="reserve")),
    Wrong("budget.payee-form", _at("paid"), fields(payee=Party(kind="COMMITTED", organisation_id="corp-a"))),
]


def stored_payload(event: Event) -> dict[str, Any]:
    """The payload of an event as JSON values, without who acted."""
    data = stored(event.data)
    data.pop("actor_role", None)
    return data
