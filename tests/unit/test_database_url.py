"""Is a database URL read strictly, and does its password stay where it belongs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audit_service.database_url import DatabaseUrl
from audit_service.errors import ConfigurationError
from audit_service.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret-of-a-test"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgresql://audit:{SECRET}@db.example:5433/ledger", "postgresql://audit@db.example:5433/ledger"),
        (f"postgres://audit:{SECRET}@[::1]/ledger?sslmode=require", "postgres://audit@[::1]/ledger?sslmode=require"),
        (f"postgresql://:{SECRET}@db.example/ledger", "postgresql://db.example/ledger"),
        ("postgresql:///ledger?host=/run/postgresql", "postgresql:///ledger?host=/run/postgresql"),
        ("postgresql://audit@db.example/ledger", "postgresql://audit@db.example/ledger"),
    ],
)
def test_it_is_shown_without_its_password(text: str, shown: str) -> None:
    url = DatabaseUrl(text)
    assert url.reveal() == text
    assert (str(url), url.without_password, f"{url}") == (shown, shown, shown)
    assert repr(url) == f"DatabaseUrl({shown!r})"


@pytest.mark.parametrize(
    "text",
    [
        "",
        SECRET,
        f"mysql://audit:{SECRET}@db.example/ledger",
        f"postgresql+psycopg://audit:{SECRET}@db.example/ledger",
        # Characters that would move a part of the password elsewhere.
        f"postgresql://audit:p@{SECRET}@db.example/ledger",
        f"postgresql://audit:p/{SECRET}@db.example/ledger",
        f"postgresql://audit:1/{SECRET}@db.example/ledger",
        f"postgresql://audit:p?{SECRET}@db.example/ledger",
        f"postgresql://audit:p#{SECRET}@db.example/ledger",
        f"postgresql://audit:p {SECRET}@db.example/ledger",
        f"postgresql://audit:{SECRET}\n@db.example/ledger",
        f"postgresql://audit:{SECRET}@db.example:port/ledger",
        f"postgresql://audit@db.example/ledger?password={SECRET}",
        f"postgresql://audit@db.example/ledger?sslpassword={SECRET}",
        f"postgresql://audit@[{SECRET}/ledger",
    ],
)
def test_what_is_no_such_url_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DatabaseUrl(text)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__, "a traceback would show the cause"


def test_the_variable_goes_before_the_file_and_neither_is_shown(tmp_path: Path) -> None:
    (tmp_path / "ledger.toml").write_text(f'origin = "log.example"\ndatabase_url = "postgresql://a:{SECRET}@file/l"\n')
    variable = {"AUDIT_DATABASE_URL": f"postgresql://a:{SECRET}@variable/l"}
    assert str(load_settings(tmp_path, {}).database_url) == "postgresql://a@file/l"
    assert str(load_settings(tmp_path, {"AUDIT_DATABASE_URL": ""}).database_url) == "postgresql://a@file/l"
    settings = load_settings(tmp_path, variable)
    assert str(settings.database_url) == "postgresql://a@variable/l"
    assert SECRET not in repr(settings)
    with pytest.raises(ConfigurationError, match="AUDIT_DATABASE_URL") as caught:
        load_settings(tmp_path, {"AUDIT_DATABASE_URL": SECRET})
    assert SECRET not in str(caught.value)
