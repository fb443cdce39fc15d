"""A disk that refuses delays publication, never acknowledgement; when it works again, nothing is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import exc

from audit_service.publication.archive import CheckpointArchive
from audit_service.publication.publisher import Publisher
from tests.support.small_city import budget_year, small_city
from verifier.bundles import decode_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
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
