"""What do tests of several folders share? A PostgreSQL that starts when the first of them asks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import drop_database, new_database, own_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_service.database_url import DatabaseUrl


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be made: AUDIT_TEST_POSTGRES_URL, or one that starts by itself."""
    named = os.environ.get("AUDIT_TEST_POSTGRES_URL")
    if named:
        yield named
    else:
        with own_server() as server:
            yield server.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[DatabaseUrl]:
    """An empty database for one test."""
    url = new_database(postgres_server)
    yield url
    drop_database(url, postgres_server)
