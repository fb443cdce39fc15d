"""Does losing, damaging or swapping snapshots change anything but the time that loading takes?

Every test loads a stream of 1,200 events twice: with the snapshot that a stopped service left, and without.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from audit_service.recording import snapshots
from audit_service.unit_of_work import Streams
from tests.support.small_city import BUDGET, SmallCity, budget_year, small_city, submission

if TYPE_CHECKING:
    from pathlib import Path

ALLOTMENTS = 1_200


def allotment(number: int, amount_won: int = 1) -> dict[str, Any]:
    data = {"line_id": "201-02", "quarter": 1, "amount_won": amount_won}
    return submission("budget.allotted.v1", BUDGET, data, event_id=f"allotment-{number}")


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """The data directory of a service that was stopped with a long stream."""
    data_dir = tmp_path / "city"
    with small_city(data_dir) as city:
        city.post(*budget_year(appropriated_won=10_000)[:3])
        city.post(*[allotment(number) for number in range(ALLOTMENTS)])
    return data_dir


def snapshot_file(data_dir: Path) -> Path:
    (file,) = (data_dir / "snapshots").iterdir()
    return file


def loaded(city: SmallCity) -> tuple[int, Any, int]:
    """Version and state of the stream, loaded anew, and how many events were decided about for it."""
    application = city.ledger._streams.application
    read: list[int] = []
    get = application.events.get

    def counting(*args: Any, **kwargs: Any) -> Any:
        events = list(get(*args, **kwargs))
        read.append(len(events))
        return iter(events)

    application.events.get = counting  # type: ignore[method-assign]
    try:
        stream = Streams(application).aggregate(BUDGET)
    finally:
        application.events.get = get  # type: ignore[method-assign]
    return stream.version, [list(part.items()) for part in stream.state], sum(read)


def from_events_alone(city: SmallCity) -> tuple[int, Any]:
    application = city.ledger._streams.application
    kept, application.stream_snapshots = application.stream_snapshots, None
    try:
        version, state, read = loaded(city)
    finally:
        application.stream_snapshots = kept
    assert read == version
    return version, state


def test_a_snapshot_says_what_the_events_say(left_behind: Path) -> None:
    with small_city(left_behind) as city:
        version, state, read = loaded(city)
        assert read == 0, "the snapshot covers the whole stream"
        assert (version, state) == from_events_alone(city)
        city.post(allotment(ALLOTMENTS))
        version, state, read = loaded(city)
        assert read == 1, "only what came after it is decided about"
        assert (version, state) == from_events_alone(city)


def test_losing_all_snapshots_loses_nothing(left_behind: Path) -> None:
    with small_city(left_behind) as city:
        expected = loaded(city)[:2]
    shutil.rmtree(left_behind / "snapshots")
    with small_city(left_behind) as city:
        version, state, read = loaded(city)
        assert read == version
        assert (version, state) == expected
        # The line has 10,000 won; 1,200 are allotted.
        (refused,) = city.post(allotment(0, amount_won=8_801) | {"id": "too-much"}).outcomes
        assert getattr(refused.error, "rule_id", None) == "budget.line-overspent"


@pytest.mark.parametrize("damage", ["bit", "torn", "empty", "foreign key"])
def test_a_damaged_snapshot_is_passed_over(left_behind: Path, damage: str) -> None:
    file = snapshot_file(left_behind)
    data = bytearray(file.read_bytes())
    if damage == "bit":
        data[len(data) // 2] ^= 1
    elif damage == "torn":
        del data[-7:]
    elif damage == "empty":
        data.clear()
    else:
        data[:32] = bytes(32)
    file.write_bytes(data)
    with small_city(left_behind) as city:
        version, state, read = loaded(city)
        assert read == version
        assert (version, state) == from_events_alone(city)


def forged(city: SmallCity, file: Path, **changed: Any) -> None:
    """Write another content under the log's own key: what only this code could have written."""
    kept = city.ledger._streams.application.stream_snapshots
    assert kept is not None
    found = kept._read(file.read_bytes())
    assert found is not None
    body = msgspec.msgpack.encode(msgspec.structs.replace(found, **changed))
    file.write_bytes(snapshots.hmac.digest(kept._key, body, "sha256") + body)


@pytest.mark.parametrize("changed", [{"leaf_hash": bytes(32)}, {"code": bytes(32)}, {"subject": "budget/roads/2022"}])
def test_a_snapshot_of_another_history_code_or_stream_is_passed_over(
    left_behind: Path, changed: dict[str, Any]
) -> None:
    with small_city(left_behind) as city:
        forged(city, snapshot_file(left_behind), **changed)
        version, state, read = loaded(city)
        assert read == version
        assert (version, state) == from_events_alone(city)


@pytest.mark.parametrize("shape", ["file", "state", "folder"])
def test_a_snapshot_of_another_shape_is_passed_over(left_behind: Path, shape: str) -> None:
    """What an earlier release wrote under the same key, or what cannot be read at all."""
    file = snapshot_file(left_behind)
    with small_city(left_behind) as city:
        kept = city.ledger._streams.application.stream_snapshots
        assert kept is not None
        if shape == "state":
            forged(city, file, state=msgspec.Raw(msgspec.msgpack.encode("no state")))
        elif shape == "file":
            body = msgspec.msgpack.encode(["no", "snapshot"])
            file.write_bytes(snapshots.hmac.digest(kept._key, body, "sha256") + body)
        else:
            file.unlink()
            file.mkdir()
        version, state, read = loaded(city)
        assert read == version
        assert (version, state) == from_events_alone(city)


def test_the_comparison_sees_a_snapshot_that_is_believed(left_behind: Path) -> None:
    """Negative control: a state that differs under a good key and place is what the comparison above would show."""
    with small_city(left_behind) as city:
        empty = msgspec.Raw(msgspec.msgpack.encode(({}, {}, {}, {}, {}, {}, {}, {})))
        kept = city.ledger._streams.application.stream_snapshots
        assert kept is not None
        found = kept._read(snapshot_file(left_behind).read_bytes())
        assert found is not None
        width = len(msgspec.msgpack.decode(found.state))
        empty = msgspec.Raw(msgspec.msgpack.encode([{}] * width))
        forged(city, snapshot_file(left_behind), state=empty)
        version, state, read = loaded(city)
        assert read == 0
        assert (version, state) != from_events_alone(city)


def test_snapshots_are_written_as_a_stream_doubles(tmp_path: Path) -> None:
    """What snapshots cost for each event does not grow with the stream: a stream of n events writes log2(n / 1000)."""
    data_dir = tmp_path / "city"
    with small_city(data_dir) as city:
        city.post(*budget_year(appropriated_won=10_000)[:3])
        kept = city.ledger._streams.application.stream_snapshots
        assert kept is not None
        versions = []
        for number in range(45):
            city.post(*[allotment(100 * number + one) for one in range(100)])
            if kept._kept.get(BUDGET) not in (None, *versions[-1:]):
                versions.append(kept._kept[BUDGET])
        assert versions == [1_003, 2_103, 4_303]
