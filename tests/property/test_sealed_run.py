"""Does a batch that is read at once meet the verdict that it meets read one by one, and leave the same entries?

Both ways run on one real ledger: the same bytes are prepared and decided twice, and undone. A batch is damaged in one
place or left whole; what the fast way takes for whole must be what the slow way takes for whole, byte for byte.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from audit_service import sealed_run, submission
from audit_service.unit_of_work import UnitOfWork
from tests.support.small_city import SmallCity, sealed_batch, service, small_city
from tests.support.small_city import submission as unsigned
from verifier.canonical import encode_canonical
from verifier.hashing import leaf_hash
from verifier.tree import root_of_leaf_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COUNT = 12
CASES = 400
PERIOD_END = "2021-01-31T15:00:00.000Z"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCity]:
    with small_city(tmp_path_factory.mktemp("sealed") / "city") as city:
        city.post(service())
        city.send(*sealed_batch(city, "earlier", count=COUNT), atomic=True)
        yield city


def decided(city: SmallCity, lines: Sequence[bytes]) -> tuple[list[str], list[bytes], int]:
    """What becomes of each line, which entries it would leave, and how many were read at once."""
    prepared = city.ledger.prepare_many(lines)
    work = UnitOfWork(
        city.ledger._streams,
        tree_size=city.ledger.signed().size,
        recorded_time="2026-01-01T00:00:00.000Z",
        find_key=city.ledger.reader.find_key,
    )
    mark = work._mark()
    outcomes = work.decide(prepared, atomic=True)
    entries = list(work.entries)
    work._rollback(mark)
    verdicts = [
        str((outcome.index, outcome.position)) if outcome.error is None else str(getattr(outcome.error, "rule_id", "?"))
        for outcome in outcomes
    ]
    at_once = sum(isinstance(item, submission.SealedItem) for item in prepared)
    return verdicts, entries, at_once


def one_by_one(
    city: SmallCity, lines: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[bytes]]:
    with monkeypatch.context() as patch:
        patch.setattr(submission, "read_sealed_run", lambda *_: None)
        verdicts, entries, at_once = decided(city, lines)
    assert at_once == 0
    return verdicts, entries


def transactions(batch_id: str, rng: random.Random, **changed: Any) -> list[bytes]:
    return [
        encode_canonical(
            unsigned(
                "service.transaction-recorded.v1",
                "service/permits/2021-01",
                {"commitment": rng.randbytes(32).hex(), "kind": "permit", "period": "2021-01", **changed},
                event_id=f"{batch_id}/{number}",
                time=PERIOD_END,
            )
        )
        for number in range(1, COUNT + 1)
    ]


def sealed(city: SmallCity, batch_id: str, lines: list[bytes], **changed: Any) -> list[bytes]:
    manifest = {
        "batch_id": batch_id,
        "period": "2021-01",
        "count": len(lines),
        "counts_by_kind": [{"kind": "permit", "count": len(lines)}],
        "submissions_root": root_of_leaf_hashes([leaf_hash(line) for line in lines]).hex(),
        **changed,
    }
    body = unsigned("service.batch-sealed.v1", "service/permits/2021-01", manifest, event_id=f"{batch_id}/0")
    return [city.sign(body), *lines]


def damaged(rng: random.Random, lines: list[bytes]) -> list[bytes]:
    """One line is not what it was: before the root is taken, so that the root does not give it away."""
    place = rng.randrange(len(lines))
    line = lines[place]
    other = rng.choice(lines)
    changes = (
        lambda: line.replace(b'"kind":"permit"', b'"kind":"other"'),
        lambda: line.replace(b"2021-01-31T15", b"2021-01-31T16"),
        lambda: line.replace(b"roads", b"parks"),
        lambda: line.replace(b'"id":"', b'"id":"0'),
        lambda: line.replace(b'"period":"2021-01"', b'"period":"2021-02"'),
        lambda: line.replace(b'{"data"', b'{ "data"'),
        lambda: line.replace(b'"data":{', b'"data":{"a":1,'),
        lambda: line.replace(line[23:87], line[23:87].upper()),
        lambda: line.replace(line[23:87], line[23:86] + b" "),
        lambda: other,
        lambda: line[:-1],
        lambda: line + b" ",
        lambda: bytes([*line[: (at := rng.randrange(len(line)))], line[at] ^ 1 << rng.randrange(8), *line[at + 1 :]]),
    )
    return [*lines[:place], rng.choice(changes)(), *lines[place + 1 :]]


def cases(city: SmallCity) -> Iterator[list[bytes]]:
    rng = random.Random(6962)
    for number in range(CASES):
        batch_id = f"batch-{number}"
        lines = transactions(batch_id, rng)
        match number % 8:
            case 0:
                yield sealed(city, batch_id, lines)
            case 1:
                yield sealed(city, batch_id, transactions(batch_id, rng, provenance="synthetic"))
            case 2:
                yield sealed(city, batch_id, lines)[: rng.randrange(1, COUNT + 1)]
            case 3:
                yield damaged(rng, sealed(city, batch_id, lines)[1:])
            case 4:
                whole = sealed(city, batch_id, lines)
                yield [whole[0], *damaged(rng, whole[1:])]
            case 5:
                yield sealed(city, batch_id, lines, counts_by_kind=[{"kind": "permit", "count": COUNT - 1}])
            case _:
                try:
                    yield sealed(city, batch_id, damaged(rng, lines))
                except UnicodeError:
                    continue


def test_both_ways_reach_one_verdict_and_leave_the_same_entries(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = 0
    for lines in cases(city):
        verdicts, entries, at_once = decided(city, lines)
        assert (verdicts, entries) == one_by_one(city, lines, monkeypatch)
        whole += at_once == COUNT
    assert whole >= CASES // 4, "unharmed batches are read at once"


def test_the_comparison_sees_a_fast_way_that_looks_less_closely(
    city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: a fast way that believes the manifest's root differs from the slow one."""
    rng = random.Random(1)
    lines = transactions("forged", rng)
    batch = sealed(city, "forged", lines, submissions_root="00" * 32)
    assert decided(city, batch)[:2] == one_by_one(city, batch, monkeypatch)
    monkeypatch.setattr(sealed_run, "_root", lambda _: bytes(32))
    verdicts, _, at_once = decided(city, batch)
    assert at_once == COUNT
    assert verdicts != one_by_one(city, batch, monkeypatch)[0]


def test_a_batch_refused_at_the_end_leaves_the_state_as_it_was(city: SmallCity) -> None:
    stream = city.ledger._streams.aggregate("service/permits/2021-01")
    before = (stream.version, [list(part.items()) for part in stream.state])
    rng = random.Random(2)
    lines = sealed(city, "undone", transactions("undone", rng))
    bad = city.sign(unsigned("service.registered.v1", "service/permits", service()["data"], event_id="again"))
    verdicts, _, at_once = decided(city, [*lines, bad])
    assert at_once == COUNT
    assert verdicts[-1] == "service.registered-twice"
    assert (stream.version, [list(part.items()) for part in stream.state]) == before
