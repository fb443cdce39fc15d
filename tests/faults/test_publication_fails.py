"""A disk that refuses delays publication, never acknowledgement; when it works again, nothing is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import exc

from audit_service.publication import publisher
from audit_service.publication.archive import CheckpointArchive
from audit_service.publication.publisher import Publisher
from tests.support.small_city import SmallCity, budget_year, sealed_batch, service, small_city
from verifier.bundles import decode_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FULL = OSError(28, "No space left on device")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("place", "name", "error"),
    [
        (Publisher, "_write_tiles", FULL),
        (Publisher, "_write_bundles", FULL),
        (CheckpointArchive, "keep", exc.OperationalError("INSERT", (), FULL)),
    ],
)
def test_publication_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: type[Any], name: str, error: Exception
) -> None:
    with small_city(tmp_path / "ledger") as city:
        wait_until(lambda: city.ledger.published_size == 1)
        working = getattr(place, name)

        def refuse(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(place, name, refuse)
        # Acknowledged all the same, and the reason is shown to whoever asks whether the service is fit.
        assert city.post(*budget_year()).head.size == 5
        wait_until(lambda: city.ledger.why_unfit() is not None)
        assert city.ledger.published_size == 1
        monkeypatch.setattr(place, name, working)
        wait_until(lambda: city.ledger.published_size == 5)
        wait_until(lambda: city.ledger.why_unfit() is None)
        kept = city.ledger.checkpoints.at(5)
        assert kept is not None
        assert kept.note == city.ledger.public_files.checkpoint.read_bytes()
        bundle = city.ledger.public_files.bundle(0, 5).read_bytes()
        assert decode_bundle(bundle, expected=5) == city.ledger.reader.entries(0, 5)


# --- many files at once ---

# More bundles, and more tiles, than are written one after another.
MANY = (publisher._MANY_FILES + 2) * 256


def post_many(city: SmallCity) -> int:
    """One batch that is published as many files; returns the tree size."""
    city.post(service())
    return city.send(*sealed_batch(city, "many", count=MANY), atomic=True).head.size


def refuse_one_bundle(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let one bundle in the middle fail, as long as the list that is returned has anything."""
    refusing = [33]
    working = Publisher._write_bundle

    def write(self: Publisher, bundle: Any) -> Path:
        if bundle.index in refusing:
            raise FULL
        return working(self, bundle)

    monkeypatch.setattr(Publisher, "_write_bundle", write)
    return refusing


def missing_bundles(city: SmallCity) -> list[int]:
    """Full bundles below the published size that are not there, or are not what was recorded."""
    reader, files = city.ledger.reader, city.ledger.public_files
    missing = []
    for index in range(city.ledger.published_size // 256):
        path = files.bundle(index, 256)
        recorded = reader.entries(256 * index, 256 * index + 256)
        if not path.exists() or decode_bundle(path.read_bytes(), expected=256) != recorded:
            missing.append(index)
    return missing


def test_many_files_are_all_there_before_the_checkpoint_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = refuse_one_bundle(monkeypatch)
    with small_city(tmp_path / "ledger") as city:
        size = post_many(city)
        wait_until(lambda: city.ledger.why_unfit() is not None)
        assert city.ledger.published_size < 256 * 33
        assert missing_bundles(city) == []
        refusing.clear()
        wait_until(lambda: city.ledger.published_size == size)
        assert missing_bundles(city) == []
        for index in range(size // 256):
            row = city.ledger.reader.subtree_row(0, 256 * index, 256)
            assert city.ledger.public_files.tile(publisher.Tile(0, index)).read_bytes() == row


def test_a_publisher_that_does_not_ask_its_threads_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_one_bundle(monkeypatch)

    def for_all(write: Callable[[Any], Path], places: Iterable[Any]) -> set[Path]:
        with publisher.ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(write, place) for place in places]
        return {future.result() for future in futures if future.exception() is None}

    monkeypatch.setattr(publisher, "_for_all", for_all)
    with small_city(tmp_path / "ledger") as city:
        size = post_many(city)
        wait_until(lambda: city.ledger.published_size == size)
        assert missing_bundles(city) == [33]
