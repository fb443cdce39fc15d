"""Which numbers are missing, which were refused, which closes are not met? And what is not seen at all?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import answer_as_of, fold_answer
from tests.support.events import CITY, opened, project_basis
from tests.unit.test_rules_sequences import closed_day, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue.event import Event


def folded(*events: Event) -> FoldSet:
    folds = fold_all()
    for index, event in enumerate(events):
        folds.apply(index, event)
    return folds


def gaps(*events: Event) -> dict[str, list[dict[str, Any]]]:
    answer = fold_answer(folded(*events), "agency-gaps", "roads", tree_size=len(events))
    assert answer is not None
    found: dict[str, list[dict[str, Any]]] = answer["tables"]
    return found


def numbered(*numbers: int) -> Iterable[Event]:
    return (project_basis(str(number), sequence=number) for number in numbers)


def ranges(tables: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    return [(row["first_sequence"], row["last_sequence"]) for row in tables["missing"]]


def test_an_agency_that_numbers_nothing_has_no_account() -> None:
    assert fold_answer(folded(opened()), "agency-gaps", "roads", tree_size=1) is None


def test_without_a_gap_nothing_is_missing() -> None:
    tables = gaps(*numbered(3, 1, 2))
    assert ranges(tables) == []
    assert tables["sums"][0]["recorded"] == 3
    assert tables["sums"][0]["entries"] == [0, 1]  # those that carry 3 and 1, the ends


def test_gaps_are_ranges_that_name_their_neighbours() -> None:
    tables = gaps(*numbered(1, 5, 9))
    assert ranges(tables) == [("2", "4"), ("6", "8")]
    assert [row["entries"] for row in tables["missing"]] == [[0, 1], [1, 2]]
    assert tables["sums"][0]["missing"] == "6"


def test_a_late_number_closes_its_gap() -> None:
    assert ranges(gaps(*numbered(1, 3, 2))) == []


def test_a_close_counts_what_never_came_at_either_end() -> None:
    tables = gaps(*numbered(2), closed_day())
    assert ranges(tables) == [("1", "1"), ("3", "3")]
    (close,) = tables["closes"]
    assert (close["recorded"], close["missing"], close["met"]) == ("1", "2", False)
    assert tables["missing"][0]["days"] == ["2021-03-31"]


def test_a_met_close() -> None:
    (close,) = gaps(*numbered(1, 2, 3), closed_day())["closes"]
    assert (close["recorded"], close["refused"], close["met"]) == ("3", 0, True)


def test_a_close_whose_count_differs_is_unmet_though_no_number_is_missing() -> None:
    tables = gaps(*numbered(1, 2, 3), closed_day({"count": 2}))
    assert ranges(tables) == []
    assert tables["closes"][0]["met"] is False
    assert tables["sums"][0]["closes_unmet"] == 1


def test_a_close_of_nothing_is_met() -> None:
    tables = gaps(closed_day({"first_sequence": None, "last_sequence": None, "count": 0}))
    assert tables["closes"][0]["met"] is True
    assert tables["sums"][0]["last_sequence"] is None


def test_a_refused_number_is_refused_and_no_gap() -> None:
    tables = gaps(*numbered(1, 3), refusal({"sequence": "2"}), closed_day())
    assert ranges(tables) == []
    (row,) = tables["refused"]
    assert (row["sequence"], row["rule_id"], row["entries"]) == ("2", "budget.year-closed", [2])
    assert tables["closes"][0]["met"] is True
    assert (tables["closes"][0]["recorded"], tables["closes"][0]["refused"]) == ("2", 1)


def test_a_refused_number_that_came_again_is_recorded() -> None:
    tables = gaps(*numbered(1, 3), refusal({"sequence": "2"}), *numbered(2))
    assert tables["refused"] == []
    assert tables["sums"][0]["refusals"] == 1


def test_a_refusal_without_a_number_is_counted() -> None:
    tables = gaps(refusal())
    assert tables["sums"][0]["refusals"] == 1
    assert (tables["missing"], tables["refused"]) == ([], [])


def test_what_was_never_numbered_nor_counted_is_not_seen() -> None:
    """The limit, stated as a test: a dropped event without a number leaves no trace."""
    sent = list(numbered(1, 2))
    assert gaps(*sent) == gaps(*sent, project_basis("never numbered"))


def test_other_agencies_numbers_are_theirs() -> None:
    events = [*numbered(1), project_basis("city's", sequence=3, source=CITY)]
    assert ranges(gaps(*events)) == []


@drawn(st.lists(st.integers(0, 30), max_size=25), st.sets(st.integers(0, 30), max_size=5))
def test_ranges_say_what_a_set_says(numbers: list[int], refused: set[int]) -> None:
    events = [*numbered(*numbers), *(refusal({"sequence": str(number)}) for number in sorted(refused))]
    if not events:
        return
    tables, known = gaps(*events), set(numbers) | refused
    missing = {n for first, last in ranges(tables) for n in range(int(first), int(last) + 1)}
    assert missing == set(range(min(known), max(known) + 1)) - known
    assert {int(row["sequence"]) for row in tables["refused"]} == refused - set(numbers)
    assert tables["sums"][0]["recorded"] == len(set(numbers))


@pytest.mark.parametrize("legal_date", [None, "1990-01-01"])
def test_as_of_a_tree_size_whatever_the_legal_date(legal_date: str | None) -> None:
    events = [opened(sequence=1), *numbered(3), refusal({"sequence": "2"})]
    for size in range(1, 4):
        then = answer_as_of(enumerate(events), "agency-gaps", "roads", tree_size=size, legal_date=legal_date)
        assert then is not None
        assert then["tables"] == gaps(*events[:size])


def test_stored_parts_give_the_same_answer() -> None:
    events = [*numbered(1, 3, 9_999_999_999_999_999_999), refusal({"sequence": "2"}), closed_day()]
    folds = folded(*events)
    again = FoldSet.from_bytes(folds.state_to_bytes())
    assert again.compute_rows("agency-gaps", "roads") == folds.compute_rows("agency-gaps", "roads")
