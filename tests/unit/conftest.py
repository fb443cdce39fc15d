"""What may several unit tests share? A served demo city that they only read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api_city import open_api_city

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.api_city import ApiCity


@pytest.fixture(scope="session")
def api_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiCity]:
    """The demo city, for tests that read (and for submissions that leave nothing behind)."""
    with open_api_city(tmp_path_factory.mktemp("api") / "city") as opened:
        yield opened


@pytest.fixture
def own_api_city(tmp_path: Path) -> Iterator[ApiCity]:
    """A city of one's own, with the page, for tests that write."""
    with open_api_city(tmp_path / "city") as opened:
        yield opened
