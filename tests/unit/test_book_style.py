"""Do we print amounts and rates exactly as the budget book prints them? Expected cells come from the page."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.folds.book_style import (
    format_figure,
    format_thousand_won,
    format_with_unit,
    percent_change,
    rounding_shows,
    to_thousand_won,
)
from tests.support.seed_city import SEED, SEED_TEXT, won

TOTAL_AND_OBJECTS = [SEED["budget_by_object"]["total"], *SEED["budget_by_object"]["rows"]]
AMOUNTS_WON = st.integers(min_value=0, max_value=10**13)


def test_the_page_has_six_printed_rates() -> None:
    assert [row["change_pct"] for row in TOTAL_AND_OBJECTS] == [-49, -60, 242, 100, 0, -77]


@pytest.mark.parametrize("row", TOTAL_AND_OBJECTS, ids=lambda row: row.get("object_ko", "계"))
def test_rates_and_changes_are_those_of_the_page(row: dict[str, int]) -> None:
    a_won, b_won = won(row["fy2020_thousand"]), won(row["fy2021_thousand"])
    assert percent_change(previous_won=a_won, new_won=b_won) == row["change_pct"]
    assert to_thousand_won(b_won - a_won) == row["change_thousand"]


@pytest.mark.parametrize("row", TOTAL_AND_OBJECTS, ids=lambda row: row.get("object_ko", "계"))
def test_cells_stand_on_the_page_as_we_print_them(row: dict[str, int]) -> None:
    a_won, b_won = won(row["fy2020_thousand"]), won(row["fy2021_thousand"])
    cells = [
        format_thousand_won(a_won),
        format_thousand_won(b_won),
        format_thousand_won(b_won - a_won),
        format_figure(percent_change(previous_won=a_won, new_won=b_won)),
    ]
    assert "".join(f"(x-){cell}" for cell in cells) in "".join(SEED_TEXT.split())


def test_running_text_names_the_unit() -> None:
    assert format_with_unit(won(SEED["project"]["funding_fy2021_thousand"]["total"])) == "516,451천원"
    assert "516,451천원" in SEED_TEXT


@pytest.mark.parametrize(
    ("a_won", "b_won", "percent"),
    [
        (0, 0, 0),  # unchanged
        (0, 1, 100),  # the book's convention for a new line
        (1, 0, -100),
        (200, 201, 1),  # +0.5 rounds away from zero …
        (200, 199, -1),  # … on both sides
        (1000, 1004, 0),
        (3, 4, 33),
        (3, 5, 67),
    ],
)
def test_edges_of_the_percentage_rule(a_won: int, b_won: int, percent: int) -> None:
    assert percent_change(previous_won=a_won, new_won=b_won) == percent


@pytest.mark.parametrize(("a_won", "b_won"), [(-1, 0), (0, -1)])
def test_an_appropriation_is_never_negative(a_won: int, b_won: int) -> None:
    with pytest.raises(ValueError, match="never negative"):
        percent_change(previous_won=a_won, new_won=b_won)


@given(a_won=AMOUNTS_WON.filter(bool), b_won=AMOUNTS_WON)
def test_a_rate_is_the_nearest_whole_percent(a_won: int, b_won: int) -> None:
    exact = Fraction(b_won - a_won, a_won) * 100
    assert abs(percent_change(previous_won=a_won, new_won=b_won) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("amount_won", "printed"),
    [(0, "0"), (499, "0"), (-499, "0"), (500, "1"), (-500, "△1"), (1_234_567_000, "1,234,567")],
)
def test_thousand_won_round_half_up_on_the_magnitude(amount_won: int, printed: str) -> None:
    assert format_thousand_won(amount_won) == printed


def test_rounding_shows_only_when_rounding_is_to_blame() -> None:
    assert rounding_shows([400, 400, 400], 1200)
    assert not rounding_shows([1000, 2000], 3000)
    assert not rounding_shows([1000, 2000], 4000)  # a wrong sum, not a rounded one
