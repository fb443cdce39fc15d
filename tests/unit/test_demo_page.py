"""Does `examples/seoul-2021/page.json` say exactly what the page prints, and no person's data?

The expected figures and words come from the page itself: `tests/support/seed` holds its text (officials
masked) and its data, taken over before any of this code existed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests" / "support" / "seed"
EXAMPLE = ROOT / "examples" / "seoul-2021"

PAGE: dict[str, Any] = json.loads((EXAMPLE / "page.json").read_text())
DATA: dict[str, Any] = json.loads((SEED / "budget-book-2021.json").read_text())
TEXT = (SEED / "budget-book-2021.txt").read_text()

# Written by us about the page, and therefore not printed on it.
_ABOUT_THE_PAGE = {"source", "left_out"}
# The text of the page breaks lines anywhere, also inside words: words are compared without their spaces.
_SPACELESS_TEXT = re.sub(r"\s", "", TEXT)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)


def number(printed: str) -> int:
    """Read a printed figure: `△495,398` is −495398."""
    match = re.fullmatch(r"(△?)(\d{1,3}(?:,\d{3})*)(?:천원|건|명)?", printed)
    assert match is not None, printed
    value = int(match[2].replace(",", ""))
    return -value if match[1] else value


PRINTED = sorted(
    {
        text
        for key in "12345"
        for text in strings(PAGE[key])
        # Ids of services are ours; column names of the items are told apart by us.
        if text and not re.fullmatch(r"[a-z-]+", text) and text not in {"산출기초", "금액"}
    }
)


@pytest.mark.parametrize("text", PRINTED)
def test_every_text_stands_on_the_page(text: str) -> None:
    assert re.sub(r"\s", "", text) in _SPACELESS_TEXT


def test_budget_by_object() -> None:
    total = DATA["budget_by_object"]["total"] | {"object_ko": "계"}
    assert [[row[0], *map(number, row[1:])] for row in PAGE["2"]["budget"]["rows"]] == [
        [
            row["object_ko"],
            row["fy2020_thousand"],
            row["fy2021_thousand"],
            row["change_thousand"],
            row["change_pct"],
        ]
        for row in [total, *DATA["budget_by_object"]["rows"]]
    ]


def test_line_items() -> None:
    assert [[*row[:3], number(row[3])] for row in PAGE["2"]["items"]["rows"]] == [
        [item["object_ko"], item["item_ko"], item["basis_printed"], item["amount_thousand_printed"]]
        for item in DATA["line_items_2021"]
    ]


def test_schedule() -> None:
    schedule = PAGE["3"]["schedule"]
    assert number(schedule["total"]) == DATA["schedule_2021"]["total_thousand"]
    assert [[row[0], row[1].replace(".", "-"), number(row[2]), row[3]] for row in schedule["rows"]] == [
        [step["step_ko"], f"{step['start']}~{step['end']}", step["amount_thousand"], step["detail_ko"]]
        for step in DATA["schedule_2021"]["steps"]
    ]


def test_settlement() -> None:
    names = DATA["settlement"]["columns_en"]
    assert PAGE["5"]["columns"] == DATA["settlement"]["columns_ko"]
    assert [[int(row[0]), *map(number, row[1:])] for row in PAGE["5"]["rows"]] == [
        [row[name] for name in names] for row in DATA["settlement"]["rows"]
    ]


def test_overview_purpose_basis_and_effects() -> None:
    project, overview = DATA["project"], PAGE["2"]["overview"]
    assert overview["account"] == project["account_ko"]
    assert overview["recurrence"] == project["period_type_ko"]
    assert overview["contents"] == project["content_ko"]
    funding = project["funding_fy2021_thousand"]
    assert number(overview["cost"]) == funding["total"]
    assert {fund: number(text) if text else None for fund, text in overview["funding"].items()} == {
        "국비": funding["국비"],
        "시비": funding["시비"],
        "구비": funding["구비"],
        "기타": funding["기타"],
        "기타 (예산 외)": funding["off_budget_기타(예산 외)"],
    }
    assert PAGE["3"]["purpose"] == project["purpose_ko"]
    assert PAGE["4"]["effects"] == project["expected_effects_ko"]
    assert PAGE["3"]["basis"] == [[basis["title_ko"], basis["printed"]] for basis in DATA["legal_basis"]]


def test_history_and_results_name_every_step() -> None:
    builds = [project["name_ko"] for project in DATA["contracts_and_projects"][:5]]
    assert [step[0] for step in PAGE["3"]["history"]] == builds
    assert [(int(year[:4]), title) for year, title, *_ in PAGE["4"]["results"]] == [
        (step["year"], step["ko"]) for step in DATA["history"]
    ]


def test_counts_of_the_services() -> None:
    assert [(row[0].replace("-", "_"), number(row[2])) for row in PAGE["4"]["counts"]] == [
        (count["service"], count["count"]) for count in DATA["service_counts"]
    ]
    assert [row[2][-1] for row in PAGE["4"]["counts"]] == [count["unit_ko"] for count in DATA["service_counts"]]


def test_source_is_named() -> None:
    assert PAGE["source"]["sha256"] == DATA["_meta"]["sha256"]
    assert PAGE["source"]["title"] == DATA["_meta"]["title_ko"]
    assert PAGE["source"]["page_marks"] == DATA["_meta"]["page_markers_seen"]
    assert PAGE["source"]["page_marks_missing"] == DATA["_meta"]["page_markers_missing"]


@pytest.mark.parametrize("path", sorted(EXAMPLE.rglob("*.json")), ids=lambda path: path.name)
def test_no_telephone_number_mail_address_or_masked_name(path: Path) -> None:
    text = path.read_text().replace("maintenance-2020-2021", "maintenance")
    assert not re.search(r"\b0\d{1,2}[-. )]\d{3,4}[-. ]\d{4}\b|\b\d{3,4}-\d{4}\b", text)
    assert not re.search(r"\b\d{6}-[1-8]\d{6}\b", text)
    assert "@" not in text
    assert "○○" not in text
