"""Is a fold the same however the log is cut into pieces? Cities and cuts at random."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.catalogue.budget import Replacement
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import fold_answer, fold_keys
from projections.folds.budget_columns import COLUMNS
from tests.support.budget_steps import authorise, correct, give_back, move, supplement, use_grant
from tests.support.seed_city import (
    PROJECT,
    MemoryLog,
    appropriate,
    budget,
    carry_over,
    define_line,
    open_year,
    publish_count,
    seal_batch,
    spend,
)

if TYPE_CHECKING:
    from collections.abc import Callable

YEARS = st.sampled_from([2019, 2020, 2021])
AMOUNTS = st.integers(min_value=1, max_value=10**12)
MOVES = ("reserve-released", "cross-transferred", "transferred", "adjusted", "reassigned")
KINDS = st.lists(st.sampled_from(["record", "other"]), min_size=1, max_size=6)
STEPS = st.one_of(
    st.tuples(st.just("open"), YEARS),
    st.tuples(st.just("line"), YEARS, st.sampled_from(["total", "201-01"])),
    st.tuples(st.just("appropriate"), YEARS, st.sampled_from(["total", "201-01"]), AMOUNTS),
    st.tuples(st.just("spend"), YEARS, AMOUNTS),
    st.tuples(st.just("carry"), YEARS, AMOUNTS),
    st.tuples(st.just("close"), YEARS),
    st.tuples(
        st.just("batch"),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["2019", "2020"]),
        KINDS,
        st.sampled_from(["synthetic", "illustrative"]),
        st.booleans(),
    ),
    st.tuples(st.just("count"), st.sampled_from(["a", "b"]), st.integers(0, 9)),
    st.tuples(st.just("move"), YEARS, st.sampled_from(MOVES), AMOUNTS),
    st.tuples(st.just("supplement"), YEARS, st.integers(1, 3), AMOUNTS),
    st.tuples(st.just("grant"), YEARS, AMOUNTS),
    st.tuples(st.just("provisional"), YEARS, AMOUNTS),
    st.tuples(st.just("return"), YEARS, AMOUNTS),
    st.tuples(st.just("correct"), st.integers(0, 60), st.none() | AMOUNTS),
)
CITIES = st.lists(STEPS, max_size=25)


def add_line(log: MemoryLog, year: int, line_id: str) -> None:
    define_line(log, year, line_id, line_id)


def add_appropriation(log: MemoryLog, year: int, line_id: str, amount: int) -> None:
    appropriate(log, year, {line_id: amount})


def add_close(log: MemoryLog, year: int) -> None:
    log.add("budget.fiscal-year-closed.v1", budget(year), {"closes_on": f"{year}-12-31"})


def add_batch(log: MemoryLog, name: str, period: str, kinds: list[str], provenance: str, said: Any) -> None:
    seal_batch(log, name, period, kinds, provenance=provenance, said=said)


def add_count(log: MemoryLog, name: str, count: int) -> None:
    publish_count(log, name, count, period="2019", provenance="synthetic")


def add_supplement(log: MemoryLog, year: int, number: int, amount: int) -> None:
    supplement(log, year, number, amount, taking_in=["grant"])


def add_grant(log: MemoryLog, year: int, amount: int) -> None:
    use_grant(log, year, "grant", amount)


def add_return(log: MemoryLog, year: int, amount: int) -> None:
    give_back(log, year, f"return-{len(log.stored)}", f"payment-{year}", amount)


def add_correction(log: MemoryLog, target: int, amount: int | None) -> None:
    """Correct any earlier event of a budget, with another amount where its type has one, or by nothing."""
    budgets = [(index, event) for index, event in log.events() if event.subject.startswith("budget/")]
    if not budgets:
        return
    index, event = budgets[target % len(budgets)]
    member = event.type.removeprefix("budget.").removesuffix(".v1").replace("-", "_")
    data = json.loads(log.stored[index])["data"]
    replaceable = member in Replacement.__struct_fields__ and "amount_won" in data
    replacement = {member: {**data, "amount_won": amount}} if replaceable and amount is not None else None
    correct(log, event.subject, f"event-{index}", replacement)


ADD: dict[str, Callable[..., object]] = {
    "open": open_year,
    "line": add_line,
    "appropriate": add_appropriation,
    "spend": spend,
    "carry": carry_over,
    "close": add_close,
    "batch": add_batch,
    "count": add_count,
    "move": move,
    "supplement": add_supplement,
    "grant": add_grant,
    "provisional": authorise,
    "return": add_return,
    "correct": add_correction,
}


def build(steps: list[tuple[Any, ...]]) -> MemoryLog:
    log = MemoryLog()
    for step, *arguments in steps:
        ADD[step](log, *arguments)
    return log


def answers(folds: FoldSet, size: int) -> dict[tuple[str, str], Any]:
    return {
        (kind, key): fold_answer(folds, kind, key, tree_size=size)
        for kind, keys in fold_keys(folds).items()
        for key in keys
    }


@settings(max_examples=60, deadline=None)
@given(steps=CITIES, cuts=st.sets(st.integers(0, 200), max_size=6))
def test_folding_in_pieces_through_stored_state_is_folding_at_once(
    steps: list[tuple[Any, ...]], cuts: set[int]
) -> None:
    log = build(steps)
    events = log.events()
    whole = fold_all()
    for index, event in events:
        whole.apply(index, event)
    bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    folds = fold_all()
    for start, stop in pairwise(bounds):
        for index, event in events[start:stop]:
            folds.apply(index, event)
        folds = FoldSet.from_bytes(folds.state_to_bytes())
    assert folds.state_to_bytes() == whole.state_to_bytes()
    assert answers(folds, len(events)) == answers(whole, len(events))


@settings(max_examples=60, deadline=None)
@given(steps=CITIES, look=st.integers(0, 200))
def test_looking_in_between_changes_nothing(steps: list[tuple[Any, ...]], look: int) -> None:
    log = build(steps)
    quiet, watched = fold_all(), fold_all()
    for index, event in log.events():
        quiet.apply(index, event)
        watched.apply(index, event)
        if index == look:
            answers(watched, index)
            watched.take_changes()
    assert answers(watched, 0) == answers(quiet, 0)


@settings(max_examples=60, deadline=None)
@given(steps=CITIES)
def test_every_answer_that_moved_is_announced(steps: list[tuple[Any, ...]]) -> None:
    """The read models write only what is announced: an answer left out would be stale for ever."""
    folds = fold_all()
    before: dict[tuple[str, str], Any] = {}
    for index, event in build(steps).events():
        folds.apply(index, event)
        after = answers(folds, 0)
        moved = {key for key, answer in after.items() if before.get(key) != answer}
        assert moved <= set(folds.take_changes().tables)
        before = after


@settings(max_examples=60, deadline=None)
@given(steps=CITIES)
def test_money_is_conserved(steps: list[tuple[Any, ...]]) -> None:
    """In any order of entries both identities hold, and totals are the sums of their lines."""
    folds = fold_all()
    for index, event in build(steps).events():
        folds.apply(index, event)
    for kind, keys in fold_keys(folds).items():
        for key in keys:
            rows = folds.compute_rows(kind, key)
            assert all(row.body["holds"] for row in rows if row.table == "identities")
            lines = [row for row in rows if row.table == "lines"]
            for total in (row for row in rows if row.table == "totals" and row.id == "total"):
                for column in COLUMNS:
                    assert total.body[column] == sum(line.body[column] for line in lines)
            checks = [row for row in rows if row.table == "zero_sum_checks"]
            assert all(row.body["sum_won"] == 0 for row in checks)
            projects = {line.body["project_id"] for line in lines} - {None}
            assert projects <= {PROJECT}
