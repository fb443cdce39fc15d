"""The budget-book page as a log in memory: entries made straight from the page's data, without a ledger.

Folds and read models are tested on it. Indexes start at 0; there are no signatures, which no fold reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit_service.catalogue.event import Event, decode_event

SEED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "seed" / "budget-book-2021.json").read_text(encoding="utf-8")
)
SEED_TEXT = (Path(__file__).parent / "seed" / "budget-book-2021.txt").read_text(encoding="utf-8")
AGENCY = "seoul-smartcity"
PROJECT = "shared-admin"
MAINTENANCE = "contract/maintenance-2020-2021"
ITEM_IDS = tuple(f"item-{number}" for number in range(len(SEED["line_items_2021"])))
OBJECT_CODES = {row["object_ko"]: row["object_code"] for row in SEED["budget_by_object"]["rows"]}


def won(thousand: int) -> int:
    """The page prints thousand won."""
    return thousand * 1000


def budget(fiscal_year: int) -> str:
    """The stream of one budget year."""
    return f"budget/{AGENCY}/{fiscal_year}"


class MemoryLog:
    """A log in memory that the read models can follow."""

    def __init__(self) -> None:
        self.stored: list[bytes] = []
        self._positions: dict[str, int] = {}

    def add(self, event_type: str, subject: str, data: dict[str, Any], *, legal_date: str | None = None) -> int:
        """Append one entry in canonical form; returns its index."""
        index = len(self.stored)
        position = self._positions[subject] = self._positions.get(subject, 0) + 1
        attributes = {
            "data": data,
            "id": f"event-{index}",
            "position": position,
            "recordedtime": "2021-01-01T00:00:00.000Z",
            "source": f"urn:kr:agency:{AGENCY}",
            "specversion": "1.0",
            "subject": subject,
            "time": "2021-01-01T00:00:00.000Z",
            "type": event_type,
        }
        if legal_date is not None:
            attributes["legaldate"] = legal_date
        text = json.dumps(attributes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        self.stored.append(text.encode())
        return index

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries [start, stop)."""
        return self.stored[start:stop]

    def head_size(self) -> int:
        """How many entries there are."""
        return len(self.stored)

    def events(self) -> list[tuple[int, Event]]:
        """All entries as events with their indexes."""
        return [(index, decode_event(entry)) for index, entry in enumerate(self.stored)]


def seed_log() -> MemoryLog:
    """The whole page."""
    log = MemoryLog()
    add_organisation_and_project(log)
    add_settled_years(log)
    add_budget_2020(log)
    add_budget_2021(log)
    add_contract(log)
    add_counts(log)
    return log


def add_organisation_and_project(log: MemoryLog) -> None:
    organisation, project = SEED["organisation"], SEED["project"]
    log.add(
        "registry.organisation-named.v1",
        f"registry/agency/{AGENCY}",
        {
            "code": AGENCY,
            "name_ko": organisation["division_ko"],
            "validity_ko": organisation["naming_rule_ko"],
            "provenance": "printed",
        },
    )
    log.add(
        "project.registered.v1",
        f"project/{PROJECT}",
        {
            "name_ko": SEED["_meta"]["title_ko"],
            "bureau": "seoul-smartcity-bureau",
            "division": AGENCY,
            "roles": [{"role_ko": role["role_ko"], "count": role["count"]} for role in organisation["roles"]],
            "account_ko": project["account_ko"],
            "recurrence_ko": project["period_type_ko"],
            "purpose_ko": project["purpose_ko"],
            "contents_ko": project["content_ko"],
            "fiscal_year": 2021,
            "funding": {
                "total_won": won(project["funding_fy2021_thousand"]["total"]),
                "city_won": won(project["funding_fy2021_thousand"]["시비"]),
            },
            "provenance": "printed",
        },
    )
    for basis in SEED["legal_basis"]:
        data = {"title_ko": basis["title_ko"], "date": basis["date"], "date_printed": basis["printed"]}
        log.add("project.basis-recorded.v1", f"project/{PROJECT}", {**data, "provenance": "printed"})


def open_year(log: MemoryLog, fiscal_year: int) -> None:
    opens_on = f"{fiscal_year}-01-01"
    data = {
        "fiscal_year": fiscal_year,
        "account": "general",
        "account_ko": "일반회계",
        "opens_on": opens_on,
        "closes_on": f"{fiscal_year}-12-31",
        "provenance": "derived",
    }
    log.add("budget.fiscal-year-opened.v1", budget(fiscal_year), data, legal_date=opens_on)


def define_line(log: MemoryLog, fiscal_year: int, line_id: str, name_ko: str, **levels: str) -> None:
    data = {
        "line_id": line_id,
        "name_ko": name_ko,
        "project_id": PROJECT,
        "division": AGENCY,
        "fund": "CITY",
        "provenance": "derived",
        **levels,
    }
    log.add("budget.line-defined.v1", budget(fiscal_year), data, legal_date=f"{fiscal_year}-01-01")


def appropriate(log: MemoryLog, fiscal_year: int, amounts_won: dict[str, int]) -> int:
    rows = [{"line_id": line_id, "amount_won": amount} for line_id, amount in amounts_won.items()]
    data = {"rows": rows, "total_won": sum(amounts_won.values()), "provenance": "printed"}
    return log.add("budget.appropriated.v1", budget(fiscal_year), data, legal_date=f"{fiscal_year}-01-01")


def spend(log: MemoryLog, fiscal_year: int, amount_won: int, *, provenance: str = "derived") -> None:
    """Allot, obligate and pay one amount on the line `total`."""
    year_end = f"{fiscal_year}-12-31"
    obligation_id, line = f"obligation-{fiscal_year}", {"line_id": "total", "amount_won": amount_won}
    line["provenance"] = provenance
    subject = budget(fiscal_year)
    log.add("budget.allotted.v1", subject, {**line, "quarter": 4}, legal_date=year_end)
    obligation = {**line, "obligation_id": obligation_id}
    log.add("budget.obligation-incurred.v1", subject, obligation, legal_date=year_end)
    payment = {**obligation, "payment_id": f"payment-{fiscal_year}", "payee": {"kind": "NOT_STATED"}}
    log.add("budget.paid.v1", subject, payment, legal_date=year_end)


def carry_over(log: MemoryLog, fiscal_year: int, amount_won: int, *, kind: str = "NOT_STATED") -> None:
    """The pair of entries that moves an amount from one year to the next."""
    out_id, in_id = f"event-{len(log.stored)}", f"event-{len(log.stored) + 1}"
    both = {"line_id": "total", "kind": kind, "amount_won": amount_won, "provenance": "printed"}
    closing, opening = budget(fiscal_year), budget(fiscal_year + 1)
    out = {**both, "to_subject": opening, "to_line_id": "total", "carry_in_id": in_id}
    log.add("budget.carried-over.v1", closing, out, legal_date=f"{fiscal_year}-12-31")
    received = {**both, "from_subject": closing, "from_line_id": "total", "carried_over_id": out_id}
    log.add("budget.carry-in-received.v1", opening, received, legal_date=f"{fiscal_year + 1}-01-01")


def add_settled_years(log: MemoryLog) -> None:
    """2018 and 2019 as the settlement table prints them; 2020 starts with what 2019 carried over."""
    first, second = SEED["settlement"]["rows"]
    open_year(log, 2018)
    define_line(log, 2018, "total", "계")
    imported = {"line_id": "total", "carried_in_won": won(first["carried_in"]), "kind": "NOT_STATED"}
    data = {"rows": [imported], "reason_ko": "전년이월", "provenance": "printed"}
    log.add("budget.opening-imported.v1", budget(2018), data, legal_date="2018-01-01")
    for row, fiscal_year in ((first, 2018), (second, 2019)):
        appropriate(log, fiscal_year, {"total": won(row["final_budget"])})
        spend(log, fiscal_year, won(row["executed"]))
        open_year(log, fiscal_year + 1)
        define_line(log, fiscal_year + 1, "total", "계")
        carry_over(log, fiscal_year, won(row["carried_out"]))
        close_and_settle(log, row)


def close_and_settle(log: MemoryLog, row: dict[str, int]) -> None:
    fiscal_year = row["fiscal_year"]
    closed = {"closes_on": f"{fiscal_year}-12-31", "provenance": "derived"}
    log.add("budget.fiscal-year-closed.v1", budget(fiscal_year), closed, legal_date=f"{fiscal_year}-12-31")
    columns = {f"{name}_won": won(value) for name, value in row.items() if name != "fiscal_year"}
    settlement = {"rows": [{"project_id": PROJECT, **columns}], "provenance": "printed"}
    log.add("budget.settlement-published.v1", budget(fiscal_year), settlement, legal_date="2021-01-01")


def add_budget_2020(log: MemoryLog) -> None:
    rows = SEED["budget_by_object"]["rows"]
    for row in rows:
        define_line(log, 2020, row["object_code"], row["object_ko"], object_code=row["object_code"])
    appropriate(log, 2020, {row["object_code"]: won(row["fy2020_thousand"]) for row in rows})


def add_budget_2021(log: MemoryLog) -> None:
    rows = SEED["budget_by_object"]["rows"]
    open_year(log, 2021)
    for row in rows:
        define_line(log, 2021, row["object_code"], row["object_ko"], object_code=row["object_code"])
    appropriate(log, 2021, {row["object_code"]: won(row["fy2021_thousand"]) for row in rows})
    for item_id, item in zip(ITEM_IDS, SEED["line_items_2021"], strict=True):
        data = {
            "line_id": OBJECT_CODES[item["object_ko"]],
            "item_id": item_id,
            "item_ko": item["item_ko"],
            "factors": item["factors"],
            "amount_won": won(item["amount_thousand_printed"]),
            "basis_printed": item["basis_printed"],
            "provenance": "printed",
        }
        log.add("budget.cost-basis-recorded.v1", budget(2021), data, legal_date="2021-01-01")
    schedule = SEED["schedule_2021"]
    steps = [
        {
            "step_id": f"step-{number}",
            "name_ko": step["step_ko"],
            "start": step["start"],
            "end": step["end"],
            "amount_won": won(step["amount_thousand"]),
            "detail_ko": step["detail_ko"],
            "item_ids": [ITEM_IDS[item] for item in step["maps_to_items"]],
        }
        for number, step in enumerate(schedule["steps"])
    ]
    total_won = won(schedule["total_thousand"])
    data = {"project_id": PROJECT, "steps": steps, "total_won": total_won, "provenance": "printed"}
    log.add("budget.schedule-set.v1", budget(2021), data, legal_date="2021-01-01")


def add_contract(log: MemoryLog) -> None:
    """The maintenance contract: the first instalment's price is not on the page, the second's is."""
    maintenance = next(contract for contract in SEED["contracts_and_projects"] if contract.get("installment_year") == 2)
    lines = {year: [{"subject": budget(year), "line_id": "201-02"}] for year in (2020, 2021)}
    plan = {
        "title_ko": maintenance["name_ko"],
        "category": "SERVICES",
        "project_id": PROJECT,
        "budget_lines": lines[2020],
        "provenance": "printed",
    }
    log.add("contract.planned.v1", MAINTENANCE, plan, legal_date="2019-12-12")
    signed = {
        "contract_type": "LONG_TERM_CONTINUING",
        "fiscal_year": 2020,
        "start": "2020-01",
        "end": "2020-12",
        "budget_lines": lines[2020],
        "provenance": "derived",
    }
    log.add("contract.signed.v1", MAINTENANCE, signed, legal_date="2020-01-01")
    second = {
        "instalment": maintenance["installment_year"],
        "fiscal_year": 2021,
        "amount_won": won(maintenance["installment_budget_thousand"]),
        "start": "2021-01",
        "end": "2021-12",
        "budget_lines": lines[2021],
        "provenance": "printed",
    }
    log.add("contract.instalment-signed.v1", MAINTENANCE, second, legal_date="2021-01-01")


def service_id(name: str) -> str:
    return name.replace("_", "-")


def add_counts(log: MemoryLog) -> None:
    """Every service that the page counts, with its printed count."""
    registered: set[str] = set()
    for count in SEED["service_counts"]:
        name = service_id(count["service"])
        if name not in registered:
            registered.add(name)
            register_service(log, name, count["service_ko"], count["unit_ko"])
        publish_count(log, name, count["count"], period=period_of(count), unit_ko=count["unit_ko"])


def period_of(count: dict[str, Any]) -> str:
    return f"{count['year']}-r{count['round']}" if "round" in count else str(count["year"])


def register_service(log: MemoryLog, name: str, name_ko: str, unit_ko: str) -> int:
    data = {
        "name_ko": name_ko,
        "name_en": name,
        "unit_ko": unit_ko,
        "unit_en": "records",
        "kinds": [{"code": "record", "name_ko": "기록"}, {"code": "other", "name_ko": "그 밖"}],
        "minimum_cell": 5,
        "status": "operating",
        "provenance": "printed",
    }
    return log.add("service.registered.v1", f"service/{name}", data)


def publish_count(
    log: MemoryLog,
    name: str,
    count: int,
    *,
    period: str | None,
    unit_ko: str = "건",
    provenance: str = "printed",
) -> int:
    data: dict[str, Any] = {
        "count_id": f"{name}-{period}-{provenance}",
        "kind": "record",
        "count": count,
        "unit_ko": unit_ko,
        "period_ko": period or "전체",
        "provenance": provenance,
    }
    if period is not None:
        data["period"] = period
    return log.add("service.count-published.v1", f"service/{name}", data)


def seal_batch(
    log: MemoryLog, name: str, period: str, kinds: list[str], *, provenance: str = "synthetic", said: bool = True
) -> int:
    """A manifest and its transactions; `said`: each transaction repeats the provenance. The manifest's index."""
    subject = f"service/{name}/{period}"
    batch_id = f"batch-{len(log.stored)}"
    by_kind = [{"kind": kind, "count": kinds.count(kind)} for kind in sorted(set(kinds))]
    manifest = {
        "batch_id": batch_id,
        "period": period,
        "count": len(kinds),
        "counts_by_kind": by_kind,
        "submissions_root": "00" * 32,
        "provenance": provenance,
    }
    index = log.add("service.batch-sealed.v1", subject, manifest)
    for number, kind in enumerate(kinds):
        data = {"commitment": f"{number:064x}", "kind": kind, "period": period}
        if said:
            data["provenance"] = provenance
        log.add("service.transaction-recorded.v1", subject, data)
    return index
