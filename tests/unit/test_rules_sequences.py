"""May a submission carry this number, and can this account of a day, or of a refusal, be true?"""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from audit_service.rules.decide import decide, evolve, reads
from audit_service.rules.errors import RuleBroken
from audit_service.rules.sequences import BLOCK, is_used, numbers_of, use_number
from audit_service.rules.undo import NO_UNDO, Undo
from audit_service.rules.world import Replica, new_state
from tests.support.events import (
    CITY,
    PARKS,
    PERIOD,
    ROADS,
    batch,
    log_created,
    opened,
    organisation_named,
    project_registered,
    service_registered,
    transaction,
    when,
)
from tests.support.given import Refusal, given, name_of, refuses

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

LOG = (log_created(),)
STREAM = "registry/agency/roads"
LARGEST = 9_999_999_999_999_999_999


def closed_day(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"day": "2021-03-31", "first_sequence": "1", "last_sequence": "3", "count": 3, **(data or {})}
    stated = {name: value for name, value in fields.items() if value is not None}
    return when("registry.day-closed.v1", STREAM, stated, **attributes)


def refusal(data: dict[str, Any] | None = None, **attributes: Any) -> Event:
    fields = {"source": ROADS, "id": "e1", "digest": "0" * 64, "rule_id": "budget.year-closed", **(data or {})}
    return when("registry.submission-refused.v1", STREAM, fields, **{"source": CITY, **attributes})


REFUSALS = (
    Refusal("registry.sequence-taken", "a second event", (opened(sequence=7),), project_registered(sequence=7)),
    Refusal("registry.sequence-taken", "a close too", (opened(sequence=7),), closed_day(sequence=7)),
    Refusal(
        "registry.sequence-unexpected",
        "a transaction",
        (service_registered(), batch({"loan": 5})),
        transaction(1, sequence=8),
    ),
    Refusal("registry.close-not-own", "a neighbour's", (), closed_day(source=PARKS)),
    Refusal("registry.close-not-own", "the city closes", LOG, closed_day(source=CITY)),
    Refusal("registry.close-day", "no such day", (), closed_day({"day": "2021-02-29"})),
    Refusal("registry.close-twice", "again", (closed_day(),), closed_day({"count": 2})),
    Refusal("registry.close-numbers", "more than numbers", (), closed_day({"count": 4})),
    Refusal("registry.close-numbers", "backwards", (), closed_day({"first_sequence": "4", "count": 1})),
    Refusal("registry.close-numbers", "nothing, yet numbers", (), closed_day({"count": 0})),
    Refusal("registry.close-numbers", "no first", (), closed_day({"first_sequence": None})),
    Refusal("registry.close-numbers", "no last", (), closed_day({"last_sequence": None, "count": 0})),
    Refusal(
        "registry.close-numbers",
        "submissions, no numbers",
        (),
        closed_day({"first_sequence": None, "last_sequence": None}),
    ),
    Refusal("registry.log-not-created", "before the log", (), refusal()),
    Refusal("registry.not-owner", "an agency refuses itself", LOG, refusal(source=ROADS), CITY),
    Refusal("registry.refusal-source-differs", "on another's stream", LOG, refusal({"source": PARKS})),
)


@pytest.mark.parametrize("case", REFUSALS, ids=name_of)
def test_refusal(case: Refusal) -> None:
    refuses(case)


def test_numbers_of_two_agencies_are_two_numberings() -> None:
    given(*LOG, opened(sequence=1), organisation_named(source=CITY, sequence=1))


def test_a_day_without_submissions_names_no_numbers() -> None:
    given(closed_day({"first_sequence": None, "last_sequence": None, "count": 0}), closed_day({"day": "2021-04-01"}))


def test_numbers_may_come_in_any_order_and_up_to_the_largest() -> None:
    world = given(opened(sequence=LARGEST), project_registered(sequence=0))
    assert is_used(numbers_of(world, ROADS), LARGEST)
    assert not is_used(numbers_of(world, ROADS), LARGEST - 1)


def test_a_refused_event_uses_up_no_number() -> None:
    world = given(opened(sequence=1))
    with pytest.raises(RuleBroken):
        decide(world, opened(sequence=2))
    again = project_registered(sequence=2)
    decide(world, again)
    evolve(world, again, NO_UNDO)


def test_a_manifest_carries_the_number_of_its_batch() -> None:
    given(service_registered(), batch({"loan": 5}, sequence=1), *(transaction(number) for number in range(1, 6)))


def test_a_numbered_event_reads_the_stream_that_remembers_its_number() -> None:
    assert reads(opened(sequence=1)) == (STREAM,)
    assert reads(batch({"loan": 5}, sequence=1)) == ("service/library", STREAM)
    assert reads(refusal()) == ("registry/log",)
    assert PERIOD not in reads(transaction(1))


@drawn(st.lists(st.one_of(st.integers(0, 3 * BLOCK), st.integers(0, LARGEST)), max_size=60))
def test_used_is_what_was_used_and_undo_forgets_exactly_that(numbers: list[int]) -> None:
    world, used, undo = Replica(), set(), Undo()
    state = numbers_of(world, ROADS)
    for number in numbers:
        assert is_used(state, number) == (number in used)
        use_number(state, number, undo)
        used.add(number)
    assert all(is_used(state, number) for number in used)
    undo.rollback(to=0)
    assert state == new_state(STREAM)


def test_a_long_row_of_numbers_takes_next_to_no_memory() -> None:
    state = numbers_of(Replica(), ROADS)
    tracemalloc.start()
    for number in range(200 * BLOCK):
        use_number(state, number, NO_UNDO)
    used_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used_bytes < 50_000, "200,000 numbers in less than a bit each"
