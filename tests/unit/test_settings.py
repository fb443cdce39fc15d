"""Are a ledger's settings read strictly, from the file and from the environment?"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from audit_service.errors import ConfigurationError
from audit_service.settings import Settings, load_settings, variable_of

if TYPE_CHECKING:
    from pathlib import Path

VALUES: dict[str, Any] = {
    "database_url": "postgresql://audit@db.example/ledger",
    "journal_url": "postgresql://audit@other.example/journal",
    "publication_interval_s": 2.5,
    "queue_limit": 7,
    "requests_per_token_s": 8.0,
    "requests_per_address_s": 9.0,
    "report_interval_s": 10.0,
}


def write(folder: Path, *lines: str) -> Path:
    (folder / "ledger.toml").write_text("\n".join(['origin = "log.example"', *lines]), encoding="utf-8")
    return folder


def shown(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    return str(value) if name.endswith("_url") else value


def test_what_is_not_set_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path), {})
    assert settings == Settings(data_dir=tmp_path, origin="log.example")


@pytest.mark.parametrize("name", VALUES)
def test_the_environment_goes_before_the_file(tmp_path: Path, name: str) -> None:
    value = VALUES[name]
    text = f'"{value}"' if isinstance(value, str) else str(value)
    from_file = load_settings(write(tmp_path, f"{name} = {text}"), {})
    assert shown(from_file, name) == value
    from_environment = load_settings(write(tmp_path), {variable_of(name) or "": str(value)})
    assert from_environment == from_file


def test_every_setting_is_tried_here() -> None:
    assert {each.name for each in fields(Settings)} - {"data_dir", "origin", "demo"} == set(VALUES)


def test_no_variable_makes_another_log_of_it(tmp_path: Path) -> None:
    environment = {"AUDIT_ORIGIN": "other.example", "AUDIT_DEMO": "true"}
    assert load_settings(write(tmp_path), environment) == Settings(data_dir=tmp_path, origin="log.example")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("queue_limits = 5", "no setting `queue_limits`"),
        ('queue_limit = "many"', "must be a number"),
        ("queue_limit = -1", "between 0 and"),
        ("queue_limit = 1_000_001", "between 0 and"),
        ("queue_limit = nan", "between 0 and"),
        ("queue_limit =", "not a TOML file"),
        ('database_url = "elsewhere"', "database URL"),
    ],
)
def test_what_is_not_usable_is_said_so(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        load_settings(write(tmp_path, line), {})
