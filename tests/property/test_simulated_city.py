"""Do rules, folds and the city's own books agree over whole lawful years? A seeded city, replayed event by event."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.catalogue.event import decode_event
from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.budget_year_end import Totals, compute_totals
from audit_service.rules.decide import decide, evolve
from audit_service.rules.envelope import check_envelope
from audit_service.rules.errors import RuleBroken
from audit_service.rules.groups import Groups
from audit_service.rules.states import BudgetState
from audit_service.rules.undo import NO_UNDO
from audit_service.rules.world import Replica
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import answer_as_of
from projections.folds.budget_columns import COLUMNS
from tests.support.city_agenda import to_event
from tests.support.city_books import SETTLEMENT
from tests.support.city_generator import City, CityPlan, digest, entries, submissions
from tests.support.given import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_service.catalogue.event import Event
    from projections.folds.rows import Row
    from tests.support.city_agenda import Submission

SMALL = CityPlan(seed=7, agencies=2, years=3, payments=1, transactions=20)
SMALL_EVENTS = 4_616
SMALL_DIGEST = "8ba36ed9dfbdd2099e7c71ac872eae358a689e153b2d7445121a01a05a81bc78"
# Types whose streams this city does not have: who may write, what describes a project, what the operator publishes.
LATER: set[str] = set()
OUTSIDE = {name for name in EVENT_TYPES if name.startswith(("registry.", "project.", "report."))}


def accept(world: Replica, groups: Groups, event: Event) -> None:
    """What the service and an auditor's replay ask of each event."""
    check_envelope(event)
    groups.feed(event)
    decide(world, event)
    evolve(world, event, NO_UNDO)


def live(plan: CityPlan) -> tuple[City, Replica, FoldSet, Counter[str]]:
    """Let a city live; every event must pass every rule, and is folded."""
    city, world, folds = City(plan), Replica(), fold_all()
    counts: Counter[str] = Counter()
    index = 0
    for group in city.groups():
        groups = Groups()
        for submission in group:
            event = to_event(submission, index=index)
            accept(world, groups, event)
            folds.apply(index, event)
            counts[event.type] += 1
            index += 1
        groups.finish()
    return city, world, folds, counts


@pytest.fixture(scope="module")
def small() -> tuple[City, Replica, FoldSet, Counter[str]]:
    return live(SMALL)


def test_every_event_of_the_city_passes_every_rule(small: tuple[City, Replica, FoldSet, Counter[str]]) -> None:
    assert small[3].total() == SMALL_EVENTS


def test_the_city_has_every_type_of_its_streams() -> None:
    """A larger city, so that what happens now and then has happened."""
    plan = CityPlan(seed=7, agencies=12, years=3, payments=1, transactions=10, contracts=4)
    found = {submission.type for submission in submissions(plan)}
    assert set(EVENT_TYPES) - found - OUTSIDE == LATER


def rows_by_id(rows: Iterable[Row], table: str) -> dict[str, Row]:
    return {row.id: row for row in rows if row.table == table}


def test_folds_say_what_the_city_s_own_books_say(small: tuple[City, Replica, FoldSet, Counter[str]]) -> None:
    city, _, folds, _ = small
    for key, book in city.books().items():
        rows = folds.compute_rows("budget-book", key)
        lines = rows_by_id(rows, "lines")
        assert {
            line_id: {column: lines[line_id].body[column] for column in line.columns()}
            for line_id, line in book.lines.items()
        } == {line_id: line.columns() for line_id, line in book.lines.items()}
        checks = [row for row in rows if row.table in {"line_checks", "zero_sum_checks", "carry_in_checks"}]
        assert [row.id for row in checks if row.body["holds"] is False] == []


def test_folds_say_what_the_rules_say(small: tuple[City, Replica, FoldSet, Counter[str]]) -> None:
    _, world, folds, _ = small
    compared = 0
    for subject, state in world.streams.items():
        if isinstance(state, BudgetState) and state.year:
            assert settled(folds, subject) == compute_totals(state)
            compared += 1
    assert compared == SMALL.agencies * SMALL.years


def settled(folds: FoldSet, subject: str) -> dict[str, Totals]:
    """The seven columns by project, as the folds add them up."""
    _, agency, fiscal_year = subject.split("/")
    rows = rows_by_id(folds.compute_rows("settlement", agency), "settlements").values()
    return {
        row.body["project_id"]: Totals(**{name: row.body[name] for name in SETTLEMENT})
        for row in rows
        if row.body["fiscal_year"] == int(fiscal_year)
    }


def test_settlements_agree_chains_hold_and_every_year_is_approved(
    small: tuple[City, Replica, FoldSet, Counter[str]],
) -> None:
    folds = small[2]
    for agency in folds.keys("settlement"):
        rows = folds.compute_rows("settlement", agency)
        assert all(row.body["published_agrees"] for row in rows_by_id(rows, "settlements").values())
        assert all(row.body["holds"] for row in rows_by_id(rows, "identities").values())
        assert {row.body["status"] for row in rows_by_id(rows, "stages").values()} == {"approved"}
        inner = [row for row in rows_by_id(rows, "carry_over_chain").values() if row.body["from_year"] in (2020, 2021)]
        assert {row.body["status"] for row in inner} == {"holds"}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), projects=st.integers(1, 4), payments=st.integers(0, 2), contracts=st.integers(0, 3))
def test_any_city_is_lawful_and_folded_like_its_books(seed: int, projects: int, payments: int, contracts: int) -> None:
    plan = CityPlan(seed, years=2, projects=projects, payments=payments, contracts=contracts, transactions=0)
    city, world, folds, _ = live(plan)
    for key, book in city.books().items():
        lines = rows_by_id(folds.compute_rows("budget-book", key), "lines")
        for line_id, line in book.lines.items():
            columns = line.columns()
            assert {column: lines[line_id].body[column] for column in columns} == columns
        state = world.streams[book.subject]
        assert isinstance(state, BudgetState)
        assert settled(folds, book.subject) == compute_totals(state)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), every=st.integers(5, 60))
def test_at_every_prefix_identities_hold_and_folds_equal_the_rules(seed: int, every: int) -> None:
    """Between groups, not only at the end: open years have uses and provisional budgets that a settlement has not."""
    plan = CityPlan(seed, years=2, projects=2, payments=0, contracts=1, transactions=0)
    world, folds = Replica(), fold_all()
    index = 0
    for number, group in enumerate(City(plan).groups()):
        for submission in group:
            event = to_event(submission, index=index)
            accept(world, Groups() if len(group) == 1 else _Silent(), event)
            folds.apply(index, event)
            index += 1
        if number % every == 0:
            _check_prefix(world, folds)


class _Silent(Groups):
    """A group is fed as a whole elsewhere."""

    def feed(self, event: Event) -> None:
        """Say nothing."""


def _check_prefix(world: Replica, folds: FoldSet) -> None:
    for subject, state in world.streams.items():
        if isinstance(state, BudgetState) and state.year:
            rows = folds.compute_rows("budget-book", subject.removeprefix("budget/"))
            for line_id, row in rows_by_id(rows, "lines").items():
                body = row.body
                if line_id not in state.lines:
                    # Of the year before, whose lines the book shows beside this year's until they are defined.
                    assert not any(body[column] for column in COLUMNS)
                    continue
                line = state.lines[line_id]
                assert body["current_won"] == line.current_won
                assert body["unspent_won"] == line.unspent_won >= 0
                assert (body["appropriated_won"], body["budget_change_won"]) == (line.final_won, line.change_won)
                assert (body["carried_in_won"], body["carried_out_won"]) == (line.carried_in_won, line.carried_out_won)
                spent = body["executed_won"], body["obligated_won"], body["allotted_won"]
                assert spent == (line.executed_won, line.obligated_won, line.allotted_won)
            assert all(row.body["holds"] for row in rows if row.table in {"line_checks", "zero_sum_checks"})
            assert settled(folds, subject) == compute_totals(state)


@pytest.mark.parametrize("day", ["2020-06-30", "2020-12-31", "2021-02-15", "2021-10-31", "2022-12-31"])
def test_as_of_a_legal_date_is_what_was_posted_until_then(day: str) -> None:
    """Here everything is posted on its legal date, so a date and a tree size must give the same tables."""
    events = [(index, to_event(made, index=index)) for index, made in enumerate(submissions(SMALL))]
    size = next((index for index, event in events if event.time[:10] > day), len(events))
    for kind, key in (("budget-book", "agency-0/2021"), ("settlement", "agency-1"), ("budget-book", "agency-1/2020")):
        by_date = answer_as_of(events, kind, key, tree_size=len(events), legal_date=day)
        by_size = answer_as_of(events, kind, key, tree_size=size)
        assert (by_date and by_date["tables"]) == (by_size and by_size["tables"])


def test_replaying_the_entries_gives_the_same_world_and_the_same_answers(
    small: tuple[City, Replica, FoldSet, Counter[str]],
) -> None:
    """From bytes, by the rules alone: no aggregate, no database, no eventsourcing."""
    _, world, folds, _ = small
    again, groups, refolded = Replica(), Groups(), fold_all()
    for index, entry in enumerate(entries(submissions(SMALL))):
        event = decode_event(entry)
        event.index = index
        accept(again, groups, event)
        refolded.apply(index, event)
    groups.finish()
    assert snapshot(again) == snapshot(world)
    assert refolded.state_to_bytes() == folds.state_to_bytes()


def test_without_the_database_libraries_the_verdicts_are_the_same() -> None:
    """A process in which eventsourcing and SQLAlchemy cannot be imported replays the city."""
    script = (
        "import sys\n"
        "for name in ('eventsourcing', 'sqlalchemy', 'fastapi'): sys.modules[name] = None\n"
        "from tests.property.test_simulated_city import SMALL, live\n"
        "print(live(SMALL)[3].total())\n"
    )
    root = Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == (f"{SMALL_EVENTS}\n", "")


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(submissions(SMALL)) == SMALL_DIGEST
    assert digest(submissions(SMALL._replace(seed=8))) != SMALL_DIGEST


@pytest.mark.parametrize("events", [1_000, 3_000, 10_000, 30_000])
def test_a_city_is_about_as_large_as_asked_for(events: int) -> None:
    made = sum(1 for _ in submissions(CityPlan.for_size(events, seed=3)))
    assert events / 2 <= made <= events * 2


def test_one_event_less_is_noticed() -> None:
    """The control: a city of which one payment is lost does not settle."""
    kept = list(submissions(SMALL))
    lost = next(made for made in kept if made.type == "budget.paid.v1" and "contract_paid_id" not in made.data)
    kept.remove(lost)
    with pytest.raises(RuleBroken, match=r"budget\.(payment-unknown|correction-target|settlement-mismatch)"):
        replay_submissions(kept)


def replay_submissions(made: Iterable[Submission]) -> None:
    """Take submissions in until a rule refuses one."""
    world, groups = Replica(), Groups()
    for submission in made:
        accept(world, groups, to_event(submission))


def test_days_never_go_back() -> None:
    """The log is in the order of the calendar, as an agency that posts every day would post."""
    # These two tell no more than the end of their period.
    timeless = {"service.transaction-recorded.v1", "service.credential-issued.v1"}
    days = [made.time for made in submissions(SMALL) if made.type not in timeless]
    assert all(before <= after for before, after in pairwise(days))
