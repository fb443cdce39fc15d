"""Would the demo notice if the ledger and the page differed, in any cell?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from audit_cli import demo_city
from audit_cli.demo_comparison import compare_with_page
from audit_cli.demo_report import Figure, Section, all_equal, format_section, format_verdict
from tests.support.simulated_city import SimulatedCity

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def city() -> SimulatedCity:
    city = SimulatedCity()
    city.take_everything()
    return city


def test_every_cell_of_the_page_is_rebuilt(city: SimulatedCity) -> None:
    sections = compare_with_page(city.get, demo_city.load_page())
    assert [figure for section in sections for figure in section.figures if not figure.equal] == []
    assert all_equal(sections)


def cells(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the printed cells: everything but headings, units and names of columns."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from cells(item, (*path, place))
    elif isinstance(value, dict):
        uncompared = {"source", "heading", "results_heading", "unit", "columns", "national_subsidy_mark"}
        for name, item in value.items():
            if name not in uncompared:
                yield from cells(item, (*path, name))


def is_printed(path: tuple[Any, ...]) -> bool:
    """The id of a service beside its count is ours."""
    return path[:2] != ("4", "counts") or path[-1] != 0


PRINTED = [path for path in cells(demo_city.load_page()) if is_printed(path)]


def with_another_print(path: tuple[Any, ...]) -> dict[str, Any]:
    page = demo_city.load_page()
    cell = page
    for step in path[:-1]:
        cell = cell[step]
    changed = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), cell[path[-1]], count=1)
    cell[path[-1]] = changed if changed != cell[path[-1]] else f"{changed}?"
    return page


@pytest.mark.parametrize("path", PRINTED, ids=lambda path: "/".join(map(str, path)))
def test_another_print_in_any_cell_shows(city: SimulatedCity, path: tuple[Any, ...]) -> None:
    assert not all_equal(compare_with_page(city.get, with_another_print(path)))


def test_facts_that_are_missing_show_and_do_not_end_the_demo(city: SimulatedCity) -> None:
    def get(path: str) -> dict[str, Any]:
        answer = city.get(path)
        kept = {"registration", "names", "service", "funding"}
        tables = {name: rows if name in kept else [] for name, rows in answer["tables"].items()}
        return {**answer, "tables": tables}

    sections = compare_with_page(get, demo_city.load_page())
    different = [figure for section in sections for figure in section.figures if not figure.equal]
    assert len(different) > 150


def test_difference_is_named_in_the_table_and_in_the_verdict() -> None:
    figures = [
        Figure(name="계", rebuilt="516,451", printed="516,451", provenance=["printed"]),
        Figure(name="사무관리비", rebuilt="18,000", printed="18,001", provenance=["printed"]),
    ]
    section = Section(title="2 예산 총괄", figures=figures)
    lines = format_section(section).splitlines()
    assert "같음" in lines[-2]
    assert "다름" in lines[-1]
    assert format_verdict([section]) == "1 of 2 cells of the page rebuilt from events alone: 1 DIFFER"
