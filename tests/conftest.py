"""What do tests of several folders share? A PostgreSQL that starts on demand, and logging that is as it was."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest

from api.logs import JsonFormatter
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


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that serves sends all log lines of its process to stderr for good, into a stream that a test closes."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in root.handlers.copy():
        if isinstance(handler.formatter, JsonFormatter):
            root.removeHandler(handler)
