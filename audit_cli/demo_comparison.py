"""Which cells of the page does the ledger have to rebuild, and where in its answers do they stand?

Section by section as the page has them. `get` fetches an answer over HTTP; the page is `page.json`. Amounts are
won in the answers and thousand won on the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from typing import Any

from audit_cli.demo_city import DIVISION, PROJECT
from audit_cli.demo_report import Figure, Section, rows_of
from projections.folds.book_style import format_figure, format_thousand_won, format_with_unit

Get = Callable[[str], dict[str, Any]]
Row = dict[str, Any]
Page = dict[str, Any]

_NOTHING: Row = {"provenance": []}


def compare_with_page(get: Get, page: Page) -> list[Section]:
    """Which figures does the ledger rebuild for each part of the page?"""
    book = get(f"/v1/budgets/{DIVISION}/2021")
    project = get(f"/v1/projects/{PROJECT}")
    services = {row[0]: get(f"/v1/services/{row[0]}") for row in page["4"]["counts"]}
    return [
        Section(title="1 기본현황 · organisation", figures=_organisation(get, project, page["1"])),
        Section(title="2 예산 총괄 · budget by object (천원, %)", figures=_budget(book, page["2"])),
        Section(title="2 사업개요 · overview", figures=_overview(project, page["2"]["overview"])),
        Section(title="2 산출근거 · line items", figures=_items(book, page["2"]["items"])),
        Section(title="3 사업목적·사업근거·사업내용·추진경위 · project", figures=_description(project, page["3"])),
        Section(title="3 추진일정 · schedule (천원)", figures=_schedule(book, page["3"]["schedule"])),
        Section(title="4 추진실적·기대효과 · results and effects", figures=_results(project, page["4"])),
        Section(title="4 서비스별 실적 · published counts", figures=_counts(services, page["4"]["counts"])),
        Section(title="5 결산 현황 · settlement (천원)", figures=_settlement(get, page["5"])),
        Section(title="계약과 자산 · contracts and assets", figures=_contracts_and_assets(get, project, page)),
        Section(
            title="합성 거래 · synthetic transactions (no evidence for the counts above)",
            figures=_transactions(services, page["4"]["counts"]),
            on_the_page=False,
        ),
    ]


def _organisation(get: Get, project: Row, page: Page) -> list[Figure]:
    registration = rows_of(project, "registration")[0]
    figures = []
    for column in ("bureau", "division"):
        named = rows_of(get(f"/v1/organisations/{registration[column]}"), "names")[-1]
        figures.append(_figure(column, named["name_ko"], page[column], named))
    validity = (named["validity_ko"] or "").partition(". ")[2]
    figures.append(_figure("names valid 이름의 효력", validity, page["note"], named))
    printed_roles = [role.replace(" ", "") for role in page["roles"]]
    return [*figures, *_texts("role 직위", rows_of(project, "roles"), printed_roles, column="role_ko")]


_BUDGET_COLUMNS = (
    ("2020 (A)", "previous_original_won"),
    ("2021 (B)", "original_won"),
    ("B-A", "change_won"),
    ("(B-A)*100/A", "change_percent"),
)


def _budget(book: Row, page: Page) -> list[Figure]:
    rows = {line["name_ko"]: line for line in rows_of(book, "lines")}
    rows["계"] = _row_by_id(book, "totals", "total")
    return [
        _amount(f"{label} {name}", rows.get(label, _NOTHING), column, text)
        for label, *printed in page["budget"]["rows"]
        for (name, column), text in zip(_BUDGET_COLUMNS, printed, strict=True)
    ]


def _overview(project: Row, page: Page) -> list[Figure]:
    registration = rows_of(project, "registration")[0]
    figures = [
        _figure("회계", registration["account_ko"], page["account"], registration),
        _figure("사업기간", registration["recurrence_ko"], page["recurrence"], registration),
    ]
    contents = rows_of(project, "contents")[: len(page["contents"])]
    figures += _texts("사업내용", contents, page["contents"])
    funding = {row["label_ko"]: row for row in rows_of(project, "funding")}
    for label, printed in {"계": page["cost"], **page["funding"]}.items():
        row = funding[label]
        amount_won = row["amount_won"]
        rebuilt = "" if amount_won is None else format_with_unit(amount_won)
        figures.append(_figure(f"사업비 {label}", rebuilt, printed, row))
    return figures


def _items(book: Row, page: Page) -> list[Figure]:
    names = {line["id"]: line["name_ko"] for line in rows_of(book, "lines")}
    items = _in_force(rows_of(book, "items"))
    figures = _surplus("과목", items, page["rows"])
    for item, (line, name, basis, amount) in _paired(items, page["rows"]):
        # The product of the factors, not the amount that was posted beside them.
        product_won = item.get("product_won")
        figures += [
            _figure("과목", names.get(item.get("line_id")), line, item),
            _figure("내역", item.get("item_ko"), name, item),
            _figure("산출기초", item.get("basis_printed"), basis, item),
            _figure("금액", None if product_won is None else format_with_unit(product_won), amount, item),
        ]
    return figures


def _description(project: Row, page: Page) -> list[Figure]:
    figures = _texts("사업목적", rows_of(project, "purposes"), page["purpose"])
    bases = rows_of(project, "bases")
    figures += _surplus("사업근거", bases, page["basis"])
    for row, (title, printed_date) in _paired(bases, page["basis"]):
        figures.append(_figure("사업근거", row.get("title_ko"), title, row))
        figures.append(_figure("날짜", row.get("date_printed"), printed_date, row))
    headed = [f"{heading}: {line}" for heading, lines in page["contents"] for line in lines]
    contents = rows_of(project, "contents")
    figures += _texts("사업내용", contents[max(0, len(contents) - len(headed)) :], headed)
    steps = [row for row in rows_of(project, "milestones") if "추진경위" in row["sections"]]
    figures += _surplus("추진경위", steps, page["history"])
    for row, (title, period) in _paired(steps, page["history"]):
        figures.append(_figure("추진경위", row.get("title_ko"), title, row))
        figures.append(_period(row, period))
    return figures


def _schedule(book: Row, page: Page) -> list[Figure]:
    steps = _in_force(rows_of(book, "steps"))
    total = format_thousand_won(sum(step["amount_won"] for step in steps))
    figures = [_figure("계", total, page["total"], steps[0] if steps else _NOTHING)]
    figures += _surplus("절차", steps, page["rows"])
    for step, (name, period, amount, detail) in _paired(steps, page["rows"]):
        months = f"{step.get('start')}~{step.get('end')}".replace("-", ".")
        figures += [
            _figure("절차", step.get("name_ko"), name, step),
            _figure(f"{name} 기간", months, period, step),
            _amount(f"{name} 금액", step, "amount_won", amount),
            _figure(f"{name} 내용", step.get("detail_ko"), detail, step),
        ]
    return figures


def _results(project: Row, page: Page) -> list[Figure]:
    milestones = [row for row in rows_of(project, "milestones") if "추진실적" in row["sections"]]
    by_name = {name: row for row in milestones for name in (row["title_ko"], *(row["aliases_ko"] or ()))}
    figures = _surplus("실적", milestones, page["results"])
    for year, title, period, details in page["results"]:
        row = by_name.get(title, _NOTHING)
        figures.append(_figure("실적", title if title in by_name else None, title, row))
        figures.append(_figure("연도", f"{row.get('year_heading')}년도", year, row))
        if period:
            figures.append(_period(row, period))
        lines = [{"text_ko": text, "provenance": row["provenance"]} for text in row.get("details_ko") or ()]
        figures += _texts("내용", lines, details)
        for count in row.get("counts") or ():
            figure = f"{count['count']:,}{count['unit_ko']}"
            found = any(re.search(rf"(?<![\d,]){re.escape(figure)}", detail) for detail in details)
            figures.append(_figure(count["name_ko"], figure, figure if found else "", row))
    return [*figures, *_texts("기대효과", rows_of(project, "effects"), page["effects"])]


def _counts(services: dict[str, Row], page: list[list[str]]) -> list[Figure]:
    figures = []
    for service_id, name, printed in page:
        rows = rows_of(services[service_id], "published_counts")
        row = next((row for row in rows if name in (row["text_printed"] or "")), _NOTHING)
        rebuilt = f"{row['count']:,}{row['unit_ko']}" if row is not _NOTHING else ""
        figures.append(_figure(f"{name} ({row.get('status')})", rebuilt, printed, row))
    return figures


_SETTLEMENT_COLUMNS = (
    "final_budget_won",
    "carried_in_won",
    "budget_change_won",
    "current_budget_won",
    "executed_won",
    "carried_out_won",
    "unspent_won",
)


def _settlement(get: Get, page: Page) -> list[Figure]:
    settlement = get(f"/v1/settlements/{DIVISION}")
    figures = []
    for year, *printed in page["rows"]:
        row = _row_by_id(settlement, "settlements", f"{year}/{PROJECT}")
        figures += [
            _amount(f"{year} {label}", row, column, text)
            for label, column, text in zip(page["columns"][1:], _SETTLEMENT_COLUMNS, printed, strict=True)
        ]
    carried_out = page["rows"][-1][page["columns"].index("차년이월")]
    next_year = _row_by_id(get(f"/v1/budgets/{DIVISION}/2020"), "totals", "total")
    figures.append(_amount("2020 전년이월 (= 2019 차년이월)", next_year, "carried_in_won", carried_out))
    return figures


def _contracts_and_assets(get: Get, project: Row, page: Page) -> list[Figure]:
    maintenance = get("/v1/contracts/maintenance-2020-2021")
    expansion = _row_by_id(get("/v1/contracts/expansion-2021"), "plan", "plan")
    instalment = _row_by_id(maintenance, "instalments", "2")
    schedule = page["3"]["schedule"]["rows"]
    figures = [
        _amount("유지보수 2차년도", instalment, "amount_won", schedule[0][2]),
        _amount("확산개발", expansion, "budget_won", schedule[1][2]),
        _figure("확산개발 단계", expansion.get("stage_ko"), schedule[1][3], expansion),
    ]
    printed = re.findall(r"\((\S+ 등 \d+종)\)", " ".join(page["3"]["contents"][0][1]))
    assets = [row for row in rows_of(project, "assets") if row["kind"] != "platform"]
    for row, text in _paired(assets, printed):
        rebuilt = f"{', '.join(row.get('named', ()))} 등 {row.get('count')}{row.get('unit_ko')}"
        figures.append(_figure(row.get("name_ko") or text, rebuilt, text, row))
    return figures


def _transactions(services: dict[str, Row], page: list[list[str]]) -> list[Figure]:
    printed: dict[str, int] = {}
    for service_id, _, text in page:
        printed[service_id] = printed.get(service_id, 0) + _count_of(text)
    figures = []
    total = 0
    for service_id, expected in printed.items():
        row = _row_by_id(services[service_id], "transaction_totals", "synthetic")
        counted = row.get("count", 0)
        total += counted
        name = rows_of(services[service_id], "service")[0]["name_ko"]
        figures.append(_figure(name, f"{counted:,}", f"{expected:,}", row))
    everything = sum(printed.values())
    return [*figures, _figure("합계", f"{total:,}", f"{everything:,}", {"provenance": ["synthetic"]})]


# --- cells ----------------------------------------------------------------------------------------------


def _figure(name: str, rebuilt: str | None, printed: str, row: Row) -> Figure:
    return Figure(name=name, rebuilt=rebuilt or "", printed=printed, provenance=row["provenance"])


def _texts(name: str, rows: list[Row], printed: list[str], *, column: str = "text_ko") -> list[Figure]:
    figures = [_figure(name, row.get(column), text, row) for row, text in _paired(rows, printed)]
    return [*figures, *_surplus(name, rows, printed)]


def _paired(rows: list[Row], printed: list[Any]) -> list[tuple[Row, Any]]:
    """Set the rows beside the printed lines, in order; a missing row becomes an empty one, which shows."""
    return [(rows[place] if place < len(rows) else _NOTHING, line) for place, line in enumerate(printed)]


def _in_force(rows: list[Row]) -> list[Row]:
    """Leave out what a correction took back."""
    return [row for row in rows if row["corrected_by"] is None]


def _surplus(name: str, rows: Sized, printed: Sized) -> list[Figure]:
    """Show that the ledger has rows which the page does not print."""
    if len(rows) <= len(printed):
        return []
    return [_figure(f"{name}: rows 줄 수", str(len(rows)), str(len(printed)), _NOTHING)]


def _period(row: Row, printed: str) -> Figure:
    rebuilt = "~".join(month for month in (row.get("start"), row.get("end")) if month is not None)
    return Figure(
        name="기간",
        rebuilt=rebuilt,
        printed=printed,
        provenance=row["provenance"],
        means_the_same=bool(rebuilt) and rebuilt == _read_period(printed),
    )


def _read_period(printed: str) -> str:
    """Read a printed period: `ʼ19. 5월 ~ 12월` is 2019-05~2019-12. The second year may be left out."""
    months = []
    year = ""
    for part in printed.split("~"):
        match = re.fullmatch(r"\s*(?:ʼ(\d\d)\.)?\s*(\d{1,2})월\s*", part)
        if match is None:
            return ""
        year = f"20{match[1]}" if match[1] else year
        months.append(f"{year}-{int(match[2]):02}")
    return "~".join(months)


def _amount(name: str, row: Row, column: str, printed: str) -> Figure:
    """Set an amount (or a rate) beside its cell, with the provenance of that figure alone where the row tells it."""
    value = row.get(column)
    shown = format_thousand_won if column.endswith("_won") else format_figure
    figure = row.get("figures", {}).get(column, row)
    return _figure(name, None if value is None else shown(value), printed, {"provenance": figure["provenance"]})


def _count_of(printed: str) -> int:
    return int(re.sub(r"\D", "", printed))


def _row_by_id(answer: Row, table: str, row_id: str) -> Row:
    return next((row for row in rows_of(answer, table) if row["id"] == row_id), _NOTHING)
