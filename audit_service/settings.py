"""Where does one ledger keep its things, and which few choices has its operator?

The data directory holds everything; `ledger.toml` in it holds the choices. Environment variables
(`AUDIT_…`) override the file.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One ledger's data directory and choices."""

    data_dir: Path
    origin: str
    publication_interval_s: float = 1.0
    queue_limit: int = 4096
    requests_per_token_s: float = 1000.0
    requests_per_address_s: float = 500.0
    # Seconds between two publications of reports that nobody asked for; 0 leaves them out.
    report_interval_s: float = 60.0
    demo: bool = False

    @property
    def ledger_database(self) -> Path:
        """Events, leaf hashes, head, tokens, published checkpoints."""
        return self.data_dir / "ledger.sqlite3"

    @property
    def projections_database(self) -> Path:
        """Read models: may be deleted and rebuilt at any time."""
        return self.data_dir / "projections.sqlite3"

    @property
    def journal(self) -> Path:
        """The sign-state journal: never restored from a backup."""
        return self.data_dir / "journal" / "sign-state"

    @property
    def public(self) -> Path:
        """What anybody may read; `public/log` is what `/log/` serves."""
        return self.data_dir / "public"

    @property
    def keys(self) -> Path:
        """Private keys, readable by the service's user only."""
        return self.data_dir / "keys"


def load_settings(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of an initialised data directory.

    Raises:
        ConfigurationError: there is no ledger, or a setting is not usable.
    """
    path = data_dir / "ledger.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"no ledger in {data_dir}: run `audit init` or `audit demo` first") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not a TOML file: {error}") from error
    origin = values.get("origin")
    if not isinstance(origin, str):
        raise ConfigurationError(f"{path}: `origin` is missing")
    return Settings(
        data_dir=data_dir,
        origin=origin,
        publication_interval_s=_number(values, environment, "publication_interval_s", 1.0),
        queue_limit=int(_number(values, environment, "queue_limit", 4096)),
        requests_per_token_s=_number(values, environment, "requests_per_token_s", 1000.0),
        requests_per_address_s=_number(values, environment, "requests_per_address_s", 500.0),
        report_interval_s=_number(values, environment, "report_interval_s", 60.0),
        demo=values.get("demo") is True,
    )


def _number(values: Mapping[str, object], environment: Mapping[str, str], name: str, default: float) -> float:
    variable = f"AUDIT_{name.upper()}"
    raw = environment.get(variable, values.get(name, default))
    try:
        number = float(str(raw))
    except ValueError as error:
        raise ConfigurationError(f"{variable} / `{name}` must be a number") from error
    if not 0 <= number <= 1_000_000:
        raise ConfigurationError(f"{variable} / `{name}` must be between 0 and 1,000,000")
    return number
