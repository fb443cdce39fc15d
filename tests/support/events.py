"""How does a test say what happened? One short builder for each type, each giving a typed event of the catalogue.

`when(...)` builds any event; the builders below fill in what a test does not care about, so that its text shows
only what it is about. Payloads go through the catalogue: a builder cannot make what the wire would not carry.
"""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from audit_service.catalogue.event import Event
from audit_service.catalogue.types import EVENT_TYPES, requires_legal_date

CITY = "urn:kr:agency:city"
ROADS = "urn:kr:agency:roads"
PARKS = "urn:kr:agency:parks"
PROJECT = "project/lights"
SERVICE = "service/library"
PERIOD = "service/library/2021-03"
PERIOD_END = "2021-03-31T15:00:00.000Z"
CONTRACT = "contract/lamps"

_numbers = itertools.count(1)


def when(event_type: str, subject: str, data: dict[str, Any], **attributes: Any) -> Event:
    """Build an event; `source`, `id`, `time`, `legal_date` may be given, `None` leaves the legal date out."""
    dated = requires_legal_date(event_type)
    defaults: dict[str, Any] = {
        "source": ROADS,
        "id": f"e{next(_numbers)}",
        "time": "2021-03-31T14:59:59.999Z",
        "legal_date": f"{_year_of(subject)}-06-15" if dated else None,
        "position": 0,
        "recorded_time": "",
    }
    payload = msgspec.convert(data, EVENT_TYPES[event_type])
    return Event(type=event_type, subject=subject, data=payload, **{**defaults, **attributes})


def _year_of(subject: str) -> str:
    return subject.rpartition("/")[2] if subject.startswith("budget/") else "2021"


def budget(year: int = 2021, agency: str = "roads") -> str:
    return f"budget/{agency}/{year}"


def opened(year: int = 2021, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "fiscal_year": year,
        "account": "general",
        "account_ko": "일반회계",
        "opens_on": f"{year}-01-01",
        "closes_on": f"{year}-12-31",
        **(data or {}),
    }
    return when("budget.fiscal-year-opened.v1", budget(year), fields, **attributes)


def line(
    line_id: str = "a",
    *,
    project: str = "lights",
    fund: str = "CITY",
    division: str = "roads",
    year: int = 2021,
    levels: dict[str, str] | None = None,
    **attributes: Any,
) -> Event:
    """Define a line; `levels` states its field, sector, policy, unit and object_code."""
    fields = {"line_id": line_id, "name_ko": "목", "project_id": project, "division": division, "fund": fund}
    return when("budget.line-defined.v1", budget(year), {**fields, **(levels or {})}, **attributes)


def codes(level: str, *names: str, year: int = 2021, **attributes: Any) -> Event:
    entries = [{"code": name, "name_ko": "코드"} for name in names]
    return when("budget.code-list-published.v1", budget(year), {"level": level, "entries": entries}, **attributes)


def opening(
    rows: dict[str, int], *, kind: str = "EXPLICIT", year: int = 2021, provenance: str | None = None, **attributes: Any
) -> Event:
    fields: dict[str, Any] = {
        "rows": [{"line_id": name, "carried_in_won": won, "kind": kind} for name, won in rows.items()],
        "reason_ko": "이관",
    }
    return when("budget.opening-imported.v1", budget(year), _with_provenance(fields, provenance), **attributes)


def _with_provenance(fields: dict[str, Any], provenance: str | None) -> dict[str, Any]:
    return fields if provenance is None else {**fields, "provenance": provenance}


BASIS: dict[str, Any] = {"basis": {"title": "의결"}}
BY_COUNCIL: dict[str, Any] = {**BASIS, "actor_role": "의회"}
BY_HEAD: dict[str, Any] = {**BASIS, "actor_role": "시장"}


def stated(fields: dict[str, Any], data: dict[str, Any] | None) -> dict[str, Any]:
    """The fields with those of a test; one given as None is left out."""
    return {name: value for name, value in {**fields, **(data or {})}.items() if value is not None}


def appropriated(
    rows: dict[str, int] | list[tuple[str, int]],
    data: dict[str, Any] | None = None,
    *,
    total: int | None = None,
    year: int = 2021,
    **attributes: Any,
) -> Event:
    pairs = list(rows.items()) if isinstance(rows, dict) else rows
    fields = {
        "rows": [{"line_id": name, "amount_won": won} for name, won in pairs],
        "total_won": sum(won for _, won in pairs) if total is None else total,
        **BASIS,
    }
    return when("budget.appropriated.v1", budget(year), stated(fields, data), **attributes)


def provisional(rows: dict[str, int], data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "rows": [{"line_id": name, "amount_won": won} for name, won in rows.items()],
        "total_won": sum(rows.values()),
        "until_on": "2021-12-31",
        **BASIS,
    }
    return when("budget.provisional-authorised.v1", budget(), stated(fields, data), **attributes)


def supplemented(
    rows: dict[str, int],
    data: dict[str, Any] | None = None,
    *,
    number: int = 1,
    uses: list[str] | None = None,
    year: int = 2021,
    **attributes: Any,
) -> Event:
    """Resolve a supplementary budget; `uses` are the uses before appropriation that it takes in."""
    fields = {
        "round": number,
        "rows": [{"line_id": name, "delta_won": won} for name, won in rows.items()],
        "total_delta_won": sum(rows.values()),
        "pre_appropriation_ids": uses,
        **BY_COUNCIL,
    }
    return when("budget.supplemented.v1", budget(year), stated(fields, data), **attributes)


def used_early(
    won: int, *, use: str = "u1", line_id: str = "grant", year: int = 2021, basis: bool = True, **attributes: Any
) -> Event:
    fields = {"pre_appropriation_id": use, "line_id": line_id, "amount_won": won, **(BASIS if basis else {})}
    return when("budget.pre-appropriation-used.v1", budget(year), fields, **attributes)


def substituted(
    won: int, *, excess: int, revenue: str = "r1", line_id: str = "a", year: int = 2021, **attributes: Any
) -> Event:
    fields = {"line_id": line_id, "amount_won": won, "revenue_id": revenue, "excess_revenue_won": excess}
    return when("budget.revenue-substituted.v1", budget(year), fields, **attributes)


def _move(
    name: str,
    decided: dict[str, Any],
    source: str,
    target: str,
    won: int,
    data: dict[str, Any] | None,
    year: int,
    **attributes: Any,
) -> Event:
    fields = {"from_line_id": source, "to_line_id": target, "amount_won": won, **decided}
    return when(f"budget.{name}.v1", budget(year), stated(fields, data), **attributes)


def adjusted(
    source: str, target: str, won: int, data: dict[str, Any] | None = None, *, year: int = 2021, **attributes: Any
) -> Event:
    return _move("adjusted", {}, source, target, won, data, year, **attributes)


def released(
    source: str, target: str, won: int, data: dict[str, Any] | None = None, *, year: int = 2021, **attributes: Any
) -> Event:
    return _move("reserve-released", BASIS, source, target, won, data, year, **attributes)


def crossed(
    source: str, target: str, won: int, data: dict[str, Any] | None = None, *, year: int = 2021, **attributes: Any
) -> Event:
    return _move("cross-transferred", BY_COUNCIL, source, target, won, data, year, **attributes)


def transferred(
    source: str, target: str, won: int, data: dict[str, Any] | None = None, *, year: int = 2021, **attributes: Any
) -> Event:
    return _move("transferred", BY_HEAD, source, target, won, data, year, **attributes)


def limits(*objects: str, **attributes: Any) -> Event:
    return when("budget.transfer-limits-set.v1", budget(), {"closed_to_transfers": list(objects)}, **attributes)


def reassigned(
    *pairs: tuple[str, str, int], data: dict[str, Any] | None = None, year: int = 2021, **attributes: Any
) -> Event:
    fields = {
        "pairs": [{"from_line_id": one, "to_line_id": other, "amount_won": won} for one, other, won in pairs],
        **BASIS,
    }
    return when("budget.reassigned.v1", budget(year), stated(fields, data), **attributes)


def allotted(won: int, *, line_id: str = "a", year: int = 2021, **attributes: Any) -> Event:
    fields = {"line_id": line_id, "quarter": 1, "amount_won": won}
    return when("budget.allotted.v1", budget(year), fields, **attributes)


def reallotted(won: int, *, line_id: str = "a", office: str = "east", year: int = 2021, **attributes: Any) -> Event:
    fields = {"line_id": line_id, "office": office, "amount_won": won}
    return when("budget.reallotted.v1", budget(year), fields, **attributes)


def obligated(
    won: int,
    *,
    obligation: str = "o1",
    line_id: str = "a",
    contract: str | None = None,
    instalment: int | None = None,
    role: str | None = None,
    year: int = 2021,
    **attributes: Any,
) -> Event:
    fields = {
        "obligation_id": obligation,
        "line_id": line_id,
        "amount_won": won,
        "contract_process_id": contract,
        "instalment": instalment,
        "actor_role": role,
    }
    return when("budget.obligation-incurred.v1", budget(year), stated(fields, None), **attributes)


def obligation_adjusted(delta: int, *, obligation: str = "o1", year: int = 2021, **attributes: Any) -> Event:
    fields = {"obligation_id": obligation, "delta_won": delta, "reason_ko": "변경"}
    return when("budget.obligation-adjusted.v1", budget(year), fields, **attributes)


def paid(
    won: int,
    *,
    payment: str = "p1",
    obligation: str = "o1",
    line_id: str = "a",
    payee: dict[str, Any] | None = None,
    contract_paid_id: str | None = None,
    role: str | None = None,
    year: int = 2021,
    **attributes: Any,
) -> Event:
    fields = {
        "payment_id": payment,
        "obligation_id": obligation,
        "line_id": line_id,
        "amount_won": won,
        "payee": payee or {"kind": "NOT_STATED"},
        "contract_paid_id": contract_paid_id,
        "actor_role": role,
    }
    return when("budget.paid.v1", budget(year), stated(fields, None), **attributes)


def returned(
    won: int,
    *,
    name: str = "t1",
    payment: str = "p1",
    year: int = 2021,
    contract_returned_id: str | None = None,
    **attributes: Any,
) -> Event:
    fields = {
        "return_id": name,
        "payment_id": payment,
        "amount_won": won,
        "reason_ko": "여입",
        "contract_returned_id": contract_returned_id,
    }
    return when("budget.returned.v1", budget(year), stated(fields, None), **attributes)


def refunded(won: int, *, name: str = "f1", payment: str = "p1", year: int = 2021, **attributes: Any) -> Event:
    fields = {"refund_id": name, "payment_id": payment, "amount_won": won, "reason_ko": "반납"}
    late = {"legal_date": f"{year + 1}-03-02", **attributes}
    return when("budget.prior-year-refunded.v1", budget(year), fields, **late)


def declared(
    won: int, data: dict[str, Any] | None = None, *, line_id: str = "a", year: int = 2021, **attributes: Any
) -> Event:
    fields = {"line_id": line_id, "amount_won": won, **BY_COUNCIL}
    return when("budget.carryover-declared.v1", budget(year), stated(fields, data), **attributes)


def plan(
    amounts: dict[int, int], data: dict[str, Any] | None = None, *, project: str = "lights", **attributes: Any
) -> Event:
    """Set the continuing expenditure `tunnel` of a project, on the budget of its first year."""
    fields = {
        "plan_id": "tunnel",
        "project_id": project,
        "years": [{"fiscal_year": year, "amount_won": won} for year, won in amounts.items()],
        "total_won": sum(amounts.values()),
        **BY_COUNCIL,
    }
    return when("budget.continuing-plan-set.v1", budget(min(amounts)), stated(fields, data), **attributes)


def carried_over(won: int, data: dict[str, Any] | None = None, *, year: int = 2021, **attributes: Any) -> Event:
    fields = {
        "line_id": "a",
        "to_subject": budget(year + 1),
        "to_line_id": "a",
        "kind": "EXPLICIT",
        "amount_won": won,
        "carry_in_id": "in-1",
    }
    return when("budget.carried-over.v1", budget(year), stated(fields, data), **{"id": "out-1", **attributes})


def carry_in(won: int, data: dict[str, Any] | None = None, *, year: int = 2022, **attributes: Any) -> Event:
    fields = {
        "line_id": "a",
        "from_subject": budget(year - 1),
        "from_line_id": "a",
        "kind": "EXPLICIT",
        "amount_won": won,
        "carried_over_id": "out-1",
        **(data or {}),
    }
    return when("budget.carry-in-received.v1", budget(year), fields, **{"id": "in-1", **attributes})


def cost_basis(
    factors: list[dict[str, Any]],
    won: int,
    *,
    item: str = "i1",
    line_id: str = "a",
    year: int = 2021,
    **attributes: Any,
) -> Event:
    fields = {"line_id": line_id, "item_id": item, "item_ko": "항목", "factors": factors, "amount_won": won}
    return when("budget.cost-basis-recorded.v1", budget(year), fields, **attributes)


def step(won: int, **fields: Any) -> dict[str, Any]:
    defaults = {"step_id": "s1", "name_ko": "단계", "start": "2021-01", "end": "2021-12", "item_ids": []}
    return {**defaults, "amount_won": won, **fields}


def schedule(steps: list[dict[str, Any]], *, total: int | None = None, project: str = "lights", **rest: Any) -> Event:
    total_won = sum(one["amount_won"] for one in steps) if total is None else total
    fields = {"project_id": project, "steps": steps, "total_won": total_won}
    return when("budget.schedule-set.v1", budget(), fields, **rest)


def closed(*, year: int = 2021, closes_on: str | None = None, **attributes: Any) -> Event:
    fields = {"closes_on": closes_on or f"{year}-12-31"}
    return when("budget.fiscal-year-closed.v1", budget(year), fields, **{"legal_date": f"{year}-12-31", **attributes})


def settlement_row(project: str = "lights", **columns: int) -> dict[str, Any]:
    """One row; the two derived columns follow from the others where they are not given."""
    row: dict[str, Any] = dict.fromkeys(
        ("final_budget_won", "carried_in_won", "budget_change_won", "executed_won", "carried_out_won"), 0
    )
    row.update(columns)
    current = row["final_budget_won"] + row["carried_in_won"] + row["budget_change_won"]
    row.setdefault("current_budget_won", current)
    row.setdefault("unspent_won", row["current_budget_won"] - row["executed_won"] - row["carried_out_won"])
    return {"project_id": project, **row}


def settlement(rows: list[dict[str, Any]], *, year: int = 2021, **attributes: Any) -> Event:
    late = {"legal_date": f"{year + 1}-05-31", **attributes}
    return when("budget.settlement-published.v1", budget(year), {"rows": rows}, **late)


def audited(*, year: int = 2021, **attributes: Any) -> Event:
    fields = {"committee_ko": "결산검사위원", "findings": []}
    return when(
        "budget.settlement-audited.v1", budget(year), fields, **{"legal_date": f"{year + 1}-06-10", **attributes}
    )


def approved(data: dict[str, Any] | None = None, *, year: int = 2021, **attributes: Any) -> Event:
    day = f"{year + 1}-06-30"
    fields = {"approved_on": day, **BY_COUNCIL}
    return when(
        "budget.settlement-approved.v1", budget(year), stated(fields, data), **{"legal_date": day, **attributes}
    )


def corrected(
    target: Event | str,
    replacement: Event | None = None,
    data: dict[str, Any] | None = None,
    *,
    year: int = 2021,
    **attributes: Any,
) -> Event:
    """Take back an event of the budget; `replacement` is the event that should have been posted."""
    fields: dict[str, Any] = {
        "reason": "TYPO",
        "reason_ko": "오기",
        "corrects": target if isinstance(target, str) else target.id,
    }
    if replacement is not None:
        member = replacement.type.split(".")[1].replace("-", "_")
        fields["replacement"] = {member: msgspec.to_builtins(replacement.data)}
    return when("budget.corrected.v1", budget(year), stated(fields, data), **attributes)


def planned(subject: str = CONTRACT, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "title_ko": "유지관리",
        "category": "SERVICES",
        "project_id": "lights",
        "budget_lines": [],
        **(data or {}),
    }
    return when("contract.planned.v1", subject, fields, **attributes)


def signed(data: dict[str, Any] | None = None, *, subject: str = CONTRACT, **attributes: Any) -> Event:
    """Sign a single contract of 100 won on line `a` of 2021; a field given as None is left out."""
    fields = {
        "contract_type": "SINGLE",
        "fiscal_year": 2021,
        "amount_won": 100,
        "start": "2021-01",
        "end": "2021-12",
        "budget_lines": [{"subject": budget(), "line_id": "a"}],
        **(data or {}),
    }
    stated = {name: value for name, value in fields.items() if value is not None}
    return when("contract.signed.v1", subject, stated, **attributes)


def instalment(number: int = 2, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    """Sign the next instalment of 100 won on line `a` of 2022, before the one before is closed; None leaves out."""
    fields = {
        "instalment": number,
        "fiscal_year": 2022,
        "amount_won": 100,
        "start": "2022-01",
        "end": "2022-12",
        "budget_lines": [{"subject": budget(2022), "line_id": "a"}],
        "overlap_reason_ko": "중단 없는 유지관리",
        **(data or {}),
    }
    stated = {name: value for name, value in fields.items() if value is not None}
    return when("contract.instalment-signed.v1", CONTRACT, stated, **attributes)


def contract_paid(won: int, data: dict[str, Any] | None = None, *, subject: str = CONTRACT, **attributes: Any) -> Event:
    fields = {
        "instalment": 1,
        "payment_id": "p1",
        "amount_won": won,
        "budget_paid_id": "bp1",
        "budget_subject": budget(),
        **(data or {}),
    }
    return when("contract.paid.v1", subject, fields, **{"id": "cp1", **attributes})


def project_registered(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "name_ko": "가로등",
        "bureau": "roads-bureau",
        "division": "roads",
        "roles": [{"role_ko": "과장", "count": 1}],
        "account_ko": "일반회계",
        "recurrence_ko": "연례반복",
        "purpose_ko": [],
        "contents_ko": [],
        "fiscal_year": 2021,
        "funding": {"total_won": 100, "city_won": 100},
        **(data or {}),
    }
    return when("project.registered.v1", PROJECT, fields, **attributes)


def project_basis(
    title: str = "계획", date: str = "2018-09-21", *, corrects: str | None = None, **attributes: Any
) -> Event:
    fields = {"title_ko": title, "date": date, **({} if corrects is None else {"corrects": corrects})}
    return when("project.basis-recorded.v1", PROJECT, fields, **attributes)


def milestone(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"milestone_id": "m1", "title_ko": "시범사업", "sections": ["추진경위"], **(data or {})}
    return when("project.milestone-recorded.v1", PROJECT, fields, **attributes)


def activity(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"activity_id": "a1", "kind": "workshop", "description_ko": "워크숍", **(data or {})}
    return when("project.activity-recorded.v1", PROJECT, fields, **attributes)


def asset(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "asset_id": "w1",
        "kind": "application",
        "name_ko": "응용프로그램",
        "count": 10,
        "unit_ko": "종",
        "named": ["엠보팅"],
        **(data or {}),
    }
    return when("project.asset-registered.v1", PROJECT, fields, **attributes)


def effect(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    return when("project.effect-stated.v1", PROJECT, {"text_ko": "효과", **(data or {})}, **attributes)


def anomaly(anomaly_id: str = "x1", data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"anomaly_id": anomaly_id, "text_ko": "3년", "text_en": "two rows", **(data or {})}
    return when("project.anomaly-noted.v1", PROJECT, fields, **attributes)


def service_registered(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "name_ko": "도서관",
        "name_en": "Library",
        "unit_ko": "건",
        "unit_en": "cases",
        "kinds": [{"code": "loan", "name_ko": "대출"}, {"code": "return", "name_ko": "반납"}],
        "minimum_cell": 5,
        "status": "operating",
        **(data or {}),
    }
    return when("service.registered.v1", SERVICE, fields, **attributes)


def count_published(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "count_id": "c1",
        "kind": "loan",
        "count": 19353,
        "unit_ko": "건",
        "period_ko": "2021",
        **(data or {}),
    }
    return when("service.count-published.v1", SERVICE, fields, **attributes)


def batch(
    cells: dict[str, int] | list[tuple[str, int]], data: dict[str, Any] | None = None, **attributes: Any
) -> Event:
    pairs = list(cells.items()) if isinstance(cells, dict) else cells
    fields: dict[str, Any] = {
        "batch_id": "b1",
        "period": "2021-03",
        "count": sum(count for _, count in pairs),
        "counts_by_kind": [{"kind": kind, "count": count} for kind, count in pairs],
        "submissions_root": "0" * 64,
        **(data or {}),
    }
    subject = attributes.pop("subject", PERIOD)
    return when("service.batch-sealed.v1", subject, fields, **{"id": fields["batch_id"] + "/0", **attributes})


def transaction(
    number: int, *, kind: str = "loan", batch_id: str = "b1", data: dict[str, Any] | None = None, **attributes: Any
) -> Event:
    fields = {"commitment": f"{number:064x}", "kind": kind, "period": "2021-03", **(data or {})}
    subject = attributes.pop("subject", PERIOD)
    defaults = {"id": f"{batch_id}/{number}", "time": PERIOD_END}
    return when("service.transaction-recorded.v1", subject, fields, **{**defaults, **attributes})


def voided(number: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"commitment": f"{number:064x}", "kind": "loan", "reason_code": "DUPLICATE", **(data or {})}
    return when("service.transaction-voided.v1", PERIOD, fields, **attributes)


def erased(number: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "commitment": f"{number:064x}",
        "cause": "REQUEST",
        "erased_on": "2021-05-03",
        "deletion_receipt_sha256": "d" * 64,
        **(data or {}),
    }
    return when("service.side-record-erased.v1", PERIOD, fields, **attributes)


def batch_erased(count: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "batch_id": "b1",
        "count": count,
        "cause": "RETENTION",
        "erased_on": "2022-04-01",
        "deletion_receipt_sha256": "d" * 64,
        **(data or {}),
    }
    return when("service.batch-records-erased.v1", PERIOD, fields, **attributes)


def ballot_opened(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "ballot_id": "v1",
        "question_sha256": "a" * 64,
        "options_sha256": "b" * 64,
        "option_codes": ["yes", "no"],
        "electorate_count": 100,
        "opens_on": "2021-03-01",
        "closes_on": "2021-03-31",
        **(data or {}),
    }
    return when("service.ballot-opened.v1", SERVICE, fields, **{"time": "2021-02-20T00:00:00.000Z", **attributes})


def ballot_sealed(cast: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"ballot_id": "v1", "ballots_cast": cast, "box_root": "c" * 64, **(data or {})}
    return when("service.ballot-sealed.v1", SERVICE, fields, **{"time": PERIOD_END, **attributes})


def ballot_tallied(
    tally: dict[str, int] | list[tuple[str, int]], invalid: int = 0, *, ballot_id: str = "v1", **attributes: Any
) -> Event:
    pairs = list(tally.items()) if isinstance(tally, dict) else tally
    fields = {
        "ballot_id": ballot_id,
        "tally": [{"option": option, "count": count} for option, count in pairs],
        "invalid_count": invalid,
    }
    return when("service.ballot-tallied.v1", SERVICE, fields, **attributes)


def credential_issued(index: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "kind": "loan",
        "status_list_id": "l1",
        "status_index": index,
        "commitment": f"{0xCAFE_0000 + index:064x}",
        **(data or {}),
    }
    return when("service.credential-issued.v1", PERIOD, fields, **{"time": PERIOD_END, **attributes})


def credential_revoked(index: int, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"kind": "loan", "status_list_id": "l1", "status_index": index, **(data or {})}
    return when("service.credential-revoked.v1", PERIOD, fields, **attributes)


def scheme_registered(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "scheme_id": "s1",
        "name_ko": "자격 확인",
        "kind": "loan",
        "check_kinds": [{"code": "residence", "name_ko": "거주"}, {"code": "age", "name_ko": "나이"}],
        **(data or {}),
    }
    return when("service.check-scheme-registered.v1", SERVICE, fields, **attributes)


def key_id(name: str) -> str:
    """A text of the form of a key id, or of a public key: which is which never matters to a rule."""
    return name.ljust(43, "-")


def agency(code: str, *scopes: str) -> dict[str, Any]:
    key = {"kid": key_id(code), "public_key": key_id(code + "_x"), "scopes": list(scopes or ("budget.*",))}
    return {"code": code, "name_ko": "기관", "name_en": "Agency", "keys": [key]}


def log_created(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    def key(name: str) -> dict[str, str]:
        return {"kid": key_id(name), "public_key": key_id(name + "_x")}

    fields = {
        "origin": "ledger.example/test",
        "log_key": "vkey",
        "root_keys": [key("root1"), key("root2"), key("root3")],
        "root_threshold": 2,
        "publisher_key": key("publisher"),
        "policy": "none",
        "agencies": [agency("city", "registry.*"), agency("roads", "budget.*", "contract.signed.v1")],
        **(data or {}),
    }
    return when("registry.log-created.v1", "registry/log", fields, **{"source": CITY, **attributes})


def organisation_named(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"code": "roads", "name_ko": "도로과", **(data or {})}
    return when("registry.organisation-named.v1", "registry/agency/roads", fields, **{"source": CITY, **attributes})


def _by_the_city(event_type: str, fields: dict[str, Any], attributes: dict[str, Any]) -> Event:
    defaults = {"source": CITY, "subject": "registry/agency/city", "index": 9, **attributes}
    return when(event_type, defaults.pop("subject"), fields, **defaults)


def schema_published(version: int = 1, data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"event_type": "budget.paid.v1", "version": version, "schema_sha256": "e" * 64, **(data or {})}
    return _by_the_city("registry.schema-published.v1", fields, attributes)


def access_granted(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {
        "access_id": "audit-2021",
        "institution_ko": "감사원",
        "sees": ["DOCUMENTS"],
        "valid_from": "2021-03-01",
        "valid_until": "2021-12-31",
        **(data or {}),
    }
    return _by_the_city("registry.access-granted.v1", fields, attributes)


def incident(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"incident_id": "i1", "kind": "SERVICE_DOWN", "text_ko": "중단", "text_en": "Down", **(data or {})}
    return _by_the_city("registry.incident-declared.v1", fields, attributes)


def incident_closed(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"incident_id": "i1", "text_ko": "복구", "text_en": "Restored", **(data or {})}
    return _by_the_city("registry.incident-closed.v1", fields, attributes)
