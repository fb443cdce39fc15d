"""How is each rule of a contract broken before it is signed and at its signing, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from audit_service.catalogue.common import Basis, Party
from tests.support.illegal import BASIS, Built, Scene, Wrong, again, around, fields, item, like, stored, swap

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event


def _at(kind: str) -> str:
    return f"contract.{kind}.v1"


STARTED = {"instalment": 1}
_ONE_WON_MORE = fields(amount_won=lambda event, _: event.data.amount_won + 1)
OTHER = Party(kind="CORPORATION", organisation_id="corp-z")

# --- before the tender, and the tender ------------------------------------------------------------------


def _step(event: Event, scene: Scene) -> Event | None:
    """A prior step's next round, on the same contract."""
    last = scene.last(_at("prior-step-completed"), event.subject)
    if last is None:
        return None
    return replace(last, id=f"{event.id}-step", data=replace(last.data, round=last.data.round + 1))


def _tender(event: Event, scene: Scene) -> Event | None:
    """Any tender that was published before, as one of this contract."""
    first = scene.first(_at("tender-published"))
    if first is None:
        return None
    return replace(first, id="t-x", subject=event.subject, source=event.source, legal_date=event.legal_date)


def _same_tender(event: Event, scene: Scene) -> Built:
    last = scene.last(_at("tender-published"), event.subject)
    return None if last is None else again(last, scene)


def _negotiated(event: Event, scene: Scene) -> bool:
    return scene.contract(event.subject).tenders[event.data.tender_id].method == "NEGOTIATED"


def _with_bids(build: Any) -> Any:
    def asked(event: Event, scene: Scene) -> Built:
        return build(event, scene) if scene.contract(event.subject).tenders[event.data.tender_id].bids else None

    return asked


def _failed(event: Event, _: Scene) -> Built:
    data = {"tender_id": event.data.tender_id, "reason_ko": "유찰", "bidder_count": 99}
    return like(event, _at("tender-failed"), data)


TENDERS = [
    Wrong("contract.not-owner", _at("started"), around(source="urn:kr:agency:city")),
    Wrong("contract.not-planned", _at("started"), around(subject="contract/nothing")),
    Wrong("contract.planned-twice", _at("planned"), again, after=True),
    Wrong("contract.period-dates", _at("planned"), fields(start="2020-12", end="2020-01")),
    Wrong("contract.date-invalid", _at("tender-published"), fields(closes_on="2020-02-30")),
    Wrong("contract.signed-already", _at("signed"), _step, after=True),
    Wrong("contract.prior-step-round", _at("prior-step-completed"), fields(round=lambda e, _: e.data.round + 1)),
    Wrong("contract.prior-step-late", _at("tender-published"), _step, after=True),
    Wrong("contract.prior-step-open", _at("planned"), _tender, after=True),
    Wrong("contract.tender-duplicate", _at("tender-cancelled"), _same_tender, after=True),
    Wrong(
        "contract.tender-running",
        _at("tender-published"),
        lambda event, _: replace(event, id=f"{event.id}-x", data=replace(event.data, tender_id="another")),
        after=True,
    ),
    Wrong("contract.tender-dates", _at("tender-published"), fields(closes_on="2019-01-01")),
    Wrong("contract.tender-unknown", _at("bids-opened"), fields(tender_id="nothing")),
    Wrong("contract.tender-status", _at("bids-opened"), again, after=True),
    Wrong("contract.bids-early", _at("bids-opened"), fields(opened_on="2019-01-01")),
    Wrong("contract.bidder-duplicate", _at("bids-opened"), fields(bids=lambda e, _: [*e.data.bids, e.data.bids[0]])),
    Wrong("contract.bidder-count", _at("bids-opened"), _failed, after=True),
    Wrong(
        "contract.party-form",
        _at("bids-opened"),
        fields(bids=lambda e, _: item(e.data.bids, 0, bidder=Party(kind="COMMITTED", organisation_id="corp-a"))),
    ),
    Wrong(
        "contract.evaluation-weights",
        _at("proposals-evaluated"),
        fields(technical_weight=lambda e, _: e.data.technical_weight + 1),
    ),
    Wrong("contract.evaluation-bidders", _at("proposals-evaluated"), fields(scores=lambda e, _: e.data.scores[:1])),
    Wrong(
        "contract.evaluation-points",
        _at("proposals-evaluated"),
        fields(scores=lambda e, _: item(e.data.scores, 0, technical_points=e.data.technical_weight + 1)),
    ),
    Wrong("contract.award-duplicate", _at("awarded"), again, after=True),
    Wrong("contract.award-bidder", _at("awarded"), _with_bids(fields(bidder_id="b3"))),
    Wrong("contract.award-exceeds-bid", _at("awarded"), _with_bids(_ONE_WON_MORE)),
    Wrong("contract.award-not-best", _at("awarded"), _with_bids(fields(bidder_id="b2"))),
]

# --- the signing ----------------------------------------------------------------------------------------


def _single(build: Any) -> Any:
    return lambda event, scene: build(event, scene) if event.data.contract_type == "SINGLE" else None


def _long_term(build: Any) -> Any:
    return lambda event, scene: build(event, scene) if event.data.contract_type == "LONG_TERM_CONTINUING" else None


def _of_a_tender(build: Any) -> Any:
    def asked(event: Event, scene: Scene) -> Built:
        state = scene.contract(event.subject)
        return build(event, scene) if state.awards[event.data.award_id].bid is not None else None

    return asked


def _lines_won(event: Event, scene: Scene) -> int:
    ref = event.data.budget_lines[0]
    return scene.budget(ref.subject).lines[ref.line_id].current_won


def _unknown_line(event: Event, _: Scene) -> Any:
    return item(event.data.budget_lines, 0, line_id="nothing")


def _continuing(**plan: str) -> Any:
    return _single(fields(contract_type="CONTINUING_EXPENDITURE", **plan))


def _beyond_plan(event: Event, scene: Scene) -> Built:
    project = scene.contract(event.subject).contract["only"].project_id
    years = [{"fiscal_year": event.data.fiscal_year + ahead, "amount_won": 1} for ahead in (0, 1)]
    plan = {"plan_id": "x", "project_id": project, "years": years, "total_won": 2}
    subject = event.data.budget_lines[0].subject
    first = like(
        event, "budget.continuing-plan-set.v1", {**plan, "actor_role": "의회", "basis": BASIS}, subject=subject
    )
    return [first, swap(event, contract_type="CONTINUING_EXPENDITURE", plan_subject=subject, plan_id="x")]


def _instalment(event: Event, number: int, *, year: int) -> Event:
    data = stored(event.data)
    kept = {name: data[name] for name in ("amount_won", "start", "end", "budget_lines")}
    more = {"instalment": number, "fiscal_year": year}
    return like(event, _at("instalment-signed"), {**kept, **more})


def _pay_from_elsewhere(event: Event, scene: Scene) -> Built:
    """An advance that leaves a line which the contract does not name."""
    ref, process_id = event.data.budget_lines[0], event.subject.removeprefix("contract/")
    line = scene.budget(ref.subject).lines["p0-201-01"]
    if line.allotted_won - line.obligated_won < 10:
        return None
    bound = {"obligation_id": "x", "line_id": "p0-201-01", "amount_won": 10, "contract_process_id": process_id}
    paid = {"payment_id": "x", "obligation_id": "x", "line_id": "p0-201-01", "amount_won": 10}
    half = {"payment_id": "x", "amount_won": 10, "budget_paid_id": "bp-x", "budget_subject": ref.subject}
    return [
        like(event, "budget.obligation-incurred.v1", bound, subject=ref.subject),
        event,
        like(
            event,
            "budget.paid.v1",
            {**paid, "payee": {"kind": "NOT_STATED"}, "contract_paid_id": "cp-x"},
            subject=ref.subject,
            id="bp-x",
        ),
        like(event, _at("advance-paid"), {**half, "instalment": 1}, id="cp-x"),
    ]


SIGNING = [
    Wrong("contract.not-signed", _at("signed"), lambda event, _: like(event, _at("started"), STARTED)),
    Wrong("contract.signed-twice", _at("signed"), again, after=True),
    Wrong("contract.award-missing", _at("signed"), fields(award_id=UNSET)),
    Wrong("contract.award-unknown", _at("signed"), fields(award_id="nothing")),
    Wrong("contract.supplier-differs", _at("signed"), _of_a_tender(fields(supplier=OTHER))),
    Wrong("contract.exceeds-award", _at("signed"), _single(_ONE_WON_MORE)),
    Wrong("contract.amount-missing", _at("signed"), fields(amount_won=UNSET)),
    Wrong("contract.total-noted-missing", _at("signed"), _long_term(fields(total_noted_won=UNSET))),
    Wrong(
        "contract.exceeds-total-noted",
        _at("signed"),
        _long_term(fields(total_noted_won=lambda e, _: e.data.amount_won - 1)),
    ),
    Wrong(
        "contract.exceeds-budget-lines",
        _at("signed"),
        _single(fields(amount_won=lambda e, scene: _lines_won(e, scene) + 1, basis=Basis(title="협상"))),
    ),
    Wrong("contract.line-unknown", _at("signed"), fields(budget_lines=_unknown_line)),
    Wrong("contract.line-repeated", _at("signed"), fields(budget_lines=lambda e, _: e.data.budget_lines * 2)),
    Wrong("contract.line-year-differs", _at("signed"), fields(fiscal_year=lambda e, _: e.data.fiscal_year + 1)),
    Wrong(
        "contract.obligation-missing",
        _at("signed"),
        _single(fields(amount_won=lambda e, _: e.data.amount_won + 1, basis=Basis(title="협상"))),
    ),
    Wrong("contract.plan-missing", _at("signed"), _continuing()),
    Wrong("contract.plan-unknown", _at("signed"), _continuing(plan_subject="budget/agency-0/2020", plan_id="nothing")),
    Wrong("contract.exceeds-plan", _at("signed"), _single(_beyond_plan)),
    Wrong(
        "contract.not-long-term",
        _at("signed"),
        _single(lambda e, _: _instalment(e, 2, year=e.data.fiscal_year + 1)),
        after=True,
    ),
    Wrong("contract.instalment-number", _at("instalment-signed"), fields(instalment=3)),
    Wrong(
        "contract.instalment-year", _at("instalment-signed"), fields(fiscal_year=lambda e, _: e.data.fiscal_year - 1)
    ),
    Wrong(
        "contract.instalment-open",
        _at("signed"),
        _long_term(lambda e, _: _instalment(e, 2, year=e.data.fiscal_year + 1)),
        after=True,
    ),
    Wrong("contract.payment-line", _at("signed"), _single(_pay_from_elsewhere)),
]
