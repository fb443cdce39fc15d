"""Do the counts of a service hold whatever happens? Random batches, voids, erasures, credentials and ballots.

Some of it is refused, and undone. After every accepted batch everything is recounted from the events alone, and
compared with the state of the rules and with the tables of the folds.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_service.catalogue.types import EVENT_TYPES
from audit_service.rules.decide import RULE_OF
from audit_service.rules.service_credentials import BLOCK
from audit_service.rules.service_states import PeriodState, ServiceState
from audit_service.rules.states import ONLY
from audit_service.rules.undo import Undo
from audit_service.rules.world import Replica
from projections.folds.all import FoldSet, fold_all
from projections.folds.answers import fold_answer
from projections.folds.services import Services
from tests.property.test_rules_histories import accept, replayed
from tests.support import events as build
from tests.support.given import snapshot

if TYPE_CHECKING:
    from audit_service.catalogue.event import Event

KINDS = ("loan", "return")
OPENING = [
    build.service_registered({"retention_months": 12}),
    build.scheme_registered(),
]
NUMBERS = range(1, 40)


class Clerk:
    """Makes up what an agency might post next about its service, often wrong by one."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.batches = 0
        self.commitments = 0

    def pick(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def next(self) -> list[Event]:
        attempts = (
            self.seal,
            self.seal,
            self.void,
            self.void,
            self.void,
            self.erase,
            self.erase_batch,
            self.issue,
            self.issue,
            self.revoke,
            self.open_ballot,
            self.seal_ballot,
            self.tally,
            self.count,
        )
        events: list[Event] = self.pick(*attempts)()
        return events + self.next() if self.pick(0, 0, 0, 1) else events

    def seal(self) -> list[Event]:
        """A batch; now and then a cell is too small, a transaction is missing, one repeats or says when it was."""
        self.batches += 1
        cells = {kind: self.pick(5, 5, 6, 4) for kind in self.random.sample(KINDS, self.pick(1, 2))}
        name = f"b{self.pick(self.batches, self.batches, self.batches, 1)}"
        events = [build.batch(cells, {"batch_id": name})]
        for number, kind in enumerate((kind for kind, count in cells.items() for _ in range(count)), 1):
            self.commitments += 1
            data = {"commitment": f"{self.pick(self.commitments, *[self.commitments] * 60, 1):064x}"}
            time = self.pick(*[build.PERIOD_END] * 60, "2021-03-05T01:02:03.000Z")
            events.append(build.transaction(number, kind=kind, batch_id=name, data=data, time=time))
        del events[self.pick(*[len(events)] * 9, 3) :]
        return events

    def commitment(self) -> dict[str, Any]:
        return {"commitment": f"{self.random.randint(1, self.commitments + 1):064x}"}

    def void(self) -> list[Event]:
        return [build.voided(0, {**self.commitment(), "kind": self.pick(*KINDS)})]

    def erase(self) -> list[Event]:
        return [build.erased(0, self.commitment())]

    def erase_batch(self) -> list[Event]:
        return [build.batch_erased(self.pick(4, 5, 9, 10), {"batch_id": f"b{self.random.randint(1, 9)}"})]

    def issue(self) -> list[Event]:
        return [build.credential_issued(self.pick(*NUMBERS), {"status_list_id": self.pick("l1", "l2")})]

    def revoke(self) -> list[Event]:
        return [build.credential_revoked(self.pick(*NUMBERS), {"status_list_id": self.pick("l1", "l2")})]

    def open_ballot(self) -> list[Event]:
        return [build.ballot_opened({"ballot_id": self.pick("v1", "v2", "v3")})]

    def seal_ballot(self) -> list[Event]:
        return [build.ballot_sealed(self.pick(0, 7, 100, 101), {"ballot_id": self.pick("v1", "v2", "v3")})]

    def tally(self) -> list[Event]:
        yes, no = self.pick(0, 3, 60), self.pick(0, 4, 39)
        return [build.ballot_tallied({"yes": yes, "no": no}, self.pick(0, 0, 1), ballot_id=self.pick("v1", "v2", "v3"))]

    def count(self) -> list[Event]:
        data: dict[str, Any] = {"count_id": self.pick("c1", "c2"), "count": self.pick(3, 5, 10)}
        if self.pick(0, 1):
            data["corrects"] = self.pick("published-1", "published-2", "published-3")
        return [build.count_published(data, id=self.pick("published-1", "published-2", "published-3"))]


def data_of(events: list[Event], event_type: str) -> list[Any]:
    return [event.data for event in events if event.type == f"service.{event_type}.v1"]


def check_identities(world: Replica, folds: FoldSet, events: list[Event]) -> None:
    """Recount everything from the events, and compare."""
    gross = Counter(one.kind for one in data_of(events, "transaction-recorded"))
    voided = Counter(one.kind for one in data_of(events, "transaction-voided"))
    sealed = Counter(dict.fromkeys(gross, 0))
    for manifest in data_of(events, "batch-sealed"):
        sealed.update({cell.kind: cell.count for cell in manifest.counts_by_kind})
    erased = len(data_of(events, "side-record-erased"))
    erased += sum(one.count for one in data_of(events, "batch-records-erased"))
    assert sealed == gross, "what the manifests announce is what stands behind them"
    assert all(0 <= voided[kind] <= gross[kind] for kind in KINDS)
    period, service = world.stream(build.PERIOD), world.stream(build.SERVICE)
    assert isinstance(period, PeriodState)
    assert isinstance(service, ServiceState)
    assert len(period.commitments) == gross.total() == (period.sealing[ONLY].sealed if period.sealing else 0)
    assert len(period.voided) == voided.total()
    assert sum(batch.erased for batch in period.batches.values()) == erased <= gross.total()
    in_cells = Counter(period.cells[number].kind for number in period.commitments.values())
    assert in_cells == gross, "every commitment stands in a cell of its kind"
    _check_credentials(period, events)
    _check_ballots(service, events)
    _check_tables(folds, gross=gross, voided=voided, erased=erased, revoked=len(data_of(events, "credential-revoked")))


def _check_credentials(period: PeriodState, events: list[Event]) -> None:
    issued = {(one.status_list_id, one.status_index) for one in data_of(events, "credential-issued")}
    revoked = {(one.status_list_id, one.status_index) for one in data_of(events, "credential-revoked")}
    assert revoked <= issued
    assert len(issued) == len(data_of(events, "credential-issued"))
    for bits, places in ((period.issued, issued), (period.revoked, revoked)):
        assert {
            (name, block * BLOCK + place)
            for (name, block), value in bits.items()
            for place in range(BLOCK)
            if value >> place & 1
        } == places


def _check_ballots(service: ServiceState, events: list[Event]) -> None:
    tallies = {one.ballot_id: one for one in data_of(events, "ballot-tallied")}
    assert {name for name, ballot in service.ballots.items() if ballot.tallied} == set(tallies)
    for name, ballot in service.ballots.items():
        assert ballot.cast is None or ballot.cast <= ballot.electorate
        if name in tallies:
            assert sum(one.count for one in tallies[name].tally) + tallies[name].invalid_count == ballot.cast


def _check_tables(folds: FoldSet, *, gross: Counter[str], voided: Counter[str], erased: int, revoked: int) -> None:
    answer = fold_answer(folds, "service-statistics", "library", tree_size=0)
    assert answer is not None
    shown = answer["tables"]
    assert {row["kind"]: (row["count"], row["voided"]) for row in shown["transactions"]} == {
        kind: (count, voided[kind]) for kind, count in gross.items()
    }
    assert all(row["net"] == row["count"] - row["voided"] >= 0 and row["agrees"] for row in shown["transactions"])
    assert sum(row["net"] for row in shown["transaction_totals"]) == gross.total() - voided.total()
    assert sum(row["count"] for row in shown["voided"]) == voided.total()
    assert sum(row["count"] for row in shown["erased"]) == erased
    assert all(row["side_records_left"] >= 0 for row in shown["periods"])
    for row in shown["credentials"]:
        assert row["valid"] == row["issued"] - row["revoked"] >= 0
        assert row["revoked"] == sum(last - first + 1 for first, last in row["revoked_ranges"])
    assert sum(row["revoked"] for row in shown["credentials"]) == revoked
    for row in shown["scheme_answers"]:
        assert row["persons"] == gross["loan"] - voided["loan"]
        assert row["checks_inferred"] == 2 * row["persons"]
    in_force = Counter(row["id"].partition("~")[0] for row in shown["published_counts"] if row["corrected_by"] is None)
    assert all(count == 1 for count in in_force.values()), "of all versions of a count one is in force"


def live(seed: int, length: int) -> tuple[Replica, Undo, FoldSet, list[Event]]:
    """Let a clerk post so many batches, and check the identities after each."""
    world, undo, folds = Replica(), Undo(), fold_all()
    accepted: list[Event] = []
    clerk = Clerk(Random(seed))
    for number in range(length):
        batch = clerk.next() if number else OPENING
        # The service refuses an id twice before any rule is asked.
        if _ids_are_new(batch, accepted) and accept(world, batch, undo):
            for event in batch:
                folds.apply(len(accepted), event)
                accepted.append(event)
        if not number:
            undo.clear()
        check_identities(world, folds, accepted)
    return world, undo, folds, accepted


def live_many() -> None:
    for seed in range(40):
        live(seed, 60)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 60))
def test_counts_add_up_at_every_prefix(seed: int, length: int) -> None:
    world, undo, folds, accepted = live(seed, length)
    assert replayed(accepted) == snapshot(world)
    again = fold_all()
    for index, event in enumerate(accepted):
        again.apply(index, event)
    assert again.compute_rows("service-statistics", "library") == folds.compute_rows("service-statistics", "library")
    undo.rollback(to=0)
    assert replayed(OPENING) == snapshot(world), "undoing everything leads back to the start"


def _ids_are_new(batch: list[Event], accepted: list[Event]) -> bool:
    ids = [event.id for event in batch]
    return len(set(ids)) == len(ids) and not set(ids) & {event.id for event in accepted}


@pytest.mark.parametrize("fact", ["transaction-voided", "credential-issued", "credential-revoked", "ballot-tallied"])
def test_without_its_rule_the_identities_break(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"service.{fact}.v1"
    monkeypatch.setitem(RULE_OF, name, RULE_OF[name]._replace(decide=lambda _, __, ___: None))
    with pytest.raises((AssertionError, KeyError)):
        live_many()


@pytest.mark.parametrize("fact", ["transaction_voided", "batch_records_erased", "credential_revoked"])
def test_a_fold_that_forgets_is_seen(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Services, f"_{fact}", lambda _, __, ___: None)
    with pytest.raises(AssertionError):
        live_many()


def test_the_clerk_gets_something_through_of_everything() -> None:
    """A generator that is always refused would prove nothing."""
    random, seen = Random(7), set()
    for _ in range(12):
        world, undo, clerk = Replica(), Undo(), Clerk(random)
        accepted: list[Event] = []
        for batch in [OPENING] + [clerk.next() for _ in range(120)]:
            if _ids_are_new(batch, accepted) and accept(world, batch, undo):
                accepted += batch
        seen |= {event.type for event in accepted}
    assert seen == {name for name in EVENT_TYPES if name.startswith("service.")}
