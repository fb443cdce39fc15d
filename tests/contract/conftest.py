"""On which databases does every contract hold? Each test of this folder runs on both.

The setting alone decides, as for an operator: what a test opens is what `AUDIT_DATABASE_URL` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from audit_service.database_url import DatabaseUrl

VARIABLE = "AUDIT_DATABASE_URL"


@pytest.fixture(params=["sqlite", "postgresql"], autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the database that this run of a test is on."""
    monkeypatch.delenv(VARIABLE, raising=False)
    if request.param == "postgresql":
        url: DatabaseUrl = request.getfixturevalue("postgres_url")
        monkeypatch.setenv(VARIABLE, url.reveal())
    name: str = request.param
    return name
