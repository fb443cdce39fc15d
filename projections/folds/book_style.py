"""How does a Korean budget book print an amount and a rate of change?

Amounts are kept in won and shown in thousand won (천원); a minus is `△` in front of the figure. Identities
are checked on won, never on rounded figures: rounding every cell of a table breaks its sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUS = "△"
THOUSAND_WON = "천원"


def percent_change(*, previous_won: int, new_won: int) -> int:
    """By how many whole percent did an appropriation change? The book's rule for `(B-A)*100/A`.

    Rounds half up on the magnitude, in integers. By the book's convention a line that was zero and is not
    any more has changed by 100, and an unchanged line (zero too) by 0.

    >>> percent_change(previous_won=1_011_849_000, new_won=516_451_000)
    -49
    >>> percent_change(previous_won=0, new_won=10_000_000)
    100

    Raises:
        ValueError: an appropriation is negative.
    """
    if previous_won < 0 or new_won < 0:
        raise ValueError(f"an appropriation is never negative: found {previous_won} and {new_won}")
    if previous_won == new_won:
        return 0
    if previous_won == 0:
        return 100
    magnitude = (abs(new_won - previous_won) * 200 + previous_won) // (2 * previous_won)
    return magnitude if new_won > previous_won else -magnitude


def basis_points(*, part_won: int, whole_won: int) -> int | None:
    """Which share of a whole is a part, in basis points (hundredths of a percent)? None without a whole.

    Rounds half up on the magnitude, in integers: 6642 is what a settlement table prints as 66.42 %.

    >>> basis_points(part_won=853_332_000, whole_won=1_284_791_000)
    6642
    """
    if whole_won <= 0:
        return None
    magnitude = (abs(part_won) * 20_000 + whole_won) // (2 * whole_won)
    return magnitude if part_won >= 0 else -magnitude


def to_thousand_won(amount_won: int) -> int:
    """What is an amount in thousand won? Rounds half up on the magnitude.

    >>> to_thousand_won(-1_500)
    -2
    """
    magnitude = (abs(amount_won) + 500) // 1000
    return magnitude if amount_won >= 0 else -magnitude


def format_figure(value: int) -> str:
    """How does the book print a whole number (an amount or a percentage)?

    >>> format_figure(-495398)
    '△495,398'
    """
    return f"{MINUS}{-value:,}" if value < 0 else f"{value:,}"


def format_thousand_won(amount_won: int) -> str:
    """How does a cell of a table in thousand won print an amount given in won?

    >>> format_thousand_won(-26_600_000)
    '△26,600'
    """
    return format_figure(to_thousand_won(amount_won))


def format_with_unit(amount_won: int) -> str:
    """How does running text print an amount given in won?

    >>> format_with_unit(516_451_000)
    '516,451천원'
    """
    return format_thousand_won(amount_won) + THOUSAND_WON


def rounding_shows(parts_won: Sequence[int], total_won: int) -> bool:
    """Do the printed cells not add up to the printed total only because each is rounded?

    A page says so beside the table when it is true, and only then.
    """
    printed = sum(to_thousand_won(part) for part in parts_won)
    return sum(parts_won) == total_won and printed != to_thousand_won(total_won)
