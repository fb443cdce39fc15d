"""Where does one ledger keep its things, and which few choices has its operator?

The data directory holds everything; `ledger.toml` in it holds the choices. Environment variables
(`AUDIT_…`) override the file. `docs/reference/configuration.md` is written from this module.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from audit_service.database_url import DatabaseUrl
from audit_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST_NUMBER = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One ledger's data directory and choices."""

    data_dir: Path
    origin: str = field(metadata={"meaning": "the log's name for ever: a URL without its scheme; only in the file"})
    demo: bool = field(default=False, metadata={"meaning": "pages say that this is a demonstration; only in the file"})
    database_url: DatabaseUrl | None = field(
        default=None,
        metadata={
            "meaning": "the PostgreSQL database (15 or newer) of events and read models,"
            " `postgresql://user:password@host/database`; without it they are SQLite files in the data directory."
            " Keep the password out of the file: in the variable, or in libpq's own password file"
        },
    )
    journal_url: DatabaseUrl | None = field(
        default=None,
        metadata={
            "meaning": "several hosts: the PostgreSQL database of the sign-state journal and of the writer's lock,"
            " another one than `database_url`; without it both are files in the data directory"
        },
    )
    publication_interval_s: float = field(
        default=1.0, metadata={"meaning": "`/log/checkpoint` moves at most once in this many seconds"}
    )
    queue_limit: int = field(
        default=4096,
        metadata={"meaning": "requests that may wait for the writer; beyond it the answer is 503 with `Retry-After`"},
    )
    requests_per_token_s: float = field(
        default=1000.0,
        metadata={
            "meaning": "requests a second that one bearer token may send; ten seconds' worth at once after a pause;"
            " 0 for any number"
        },
    )
    requests_per_address_s: float = field(
        default=500.0, metadata={"meaning": "the same for one address (of IPv6: for one /64 network)"}
    )
    report_interval_s: float = field(
        default=60.0,
        metadata={
            "meaning": "seconds between two publications of reports that nobody asked for; 0: none, and none at the"
            " closing of a year (the demo city)"
        },
    )

    @property
    def ledger_database(self) -> Path:
        """Events, leaf hashes, head, tokens, published checkpoints: the SQLite file, unless `database_url` is set."""
        return self.data_dir / "ledger.sqlite3"

    @property
    def projections_database(self) -> Path:
        """Read models, which may be deleted and rebuilt at any time: the SQLite file, unless `database_url` is set."""
        return self.data_dir / "projections.sqlite3"

    @property
    def journal(self) -> Path:
        """The sign-state journal: never restored from a backup."""
        return self.data_dir / "journal" / "sign-state"

    @property
    def snapshots(self) -> Path:
        """What long streams' rules remember: a cache that may be deleted at any time."""
        return self.data_dir / "snapshots"

    @property
    def public(self) -> Path:
        """What anybody may read; `public/log` is what `/log/` serves."""
        return self.data_dir / "public"

    @property
    def keys(self) -> Path:
        """Private keys, readable by the service's user only."""
        return self.data_dir / "keys"


# Who reads the environment for these could be made to serve another log by it.
FILE_ONLY = ("origin", "demo")


def variable_of(name: str) -> str | None:
    """The environment variable that overrides a setting of the file, if one does."""
    return None if name in FILE_ONLY else f"AUDIT_{name.upper()}"


def load_settings(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of an initialised data directory.

    Raises:
        ConfigurationError: there is no ledger, or a setting is unknown or not usable.
    """
    path = data_dir / "ledger.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"no ledger in {data_dir}: run `audit init` or `audit demo` first") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not a TOML file: {error}") from error
    if not isinstance(values.get("origin"), str):
        raise ConfigurationError(f"{path}: `origin` is missing")
    known = [each.name for each in fields(Settings) if each.name != "data_dir"]
    unknown = sorted(set(values) - set(known))
    if unknown:
        # A misspelt name would leave a default in force that nobody wanted.
        raise ConfigurationError(f"{path}: there is no setting `{unknown[0]}`; there are: {', '.join(known)}")
    return Settings(
        data_dir=data_dir,
        origin=values["origin"],
        demo=values.get("demo") is True,
        database_url=read_url("database_url", values, environment),
        journal_url=read_url("journal_url", values, environment),
        publication_interval_s=_number(values, environment, "publication_interval_s"),
        queue_limit=int(_number(values, environment, "queue_limit")),
        requests_per_token_s=_number(values, environment, "requests_per_token_s"),
        requests_per_address_s=_number(values, environment, "requests_per_address_s"),
        report_interval_s=_number(values, environment, "report_interval_s"),
    )


def read_url(
    name: str, values: Mapping[str, object] | None = None, environment: Mapping[str, str] = os.environ
) -> DatabaseUrl | None:
    """The database that a setting names, or None; an empty variable counts as none.

    Raises:
        ConfigurationError: it is no database URL; nothing of it is repeated.
    """
    variable = f"AUDIT_{name.upper()}"
    raw = environment.get(variable) or (values or {}).get(name)
    if raw is None:
        return None
    try:
        return DatabaseUrl(str(raw))
    except ConfigurationError as error:
        raise ConfigurationError(f"{variable} / `{name}`: {error}") from None


def _number(values: Mapping[str, object], environment: Mapping[str, str], name: str) -> float:
    variable = f"AUDIT_{name.upper()}"
    default = Settings.__dataclass_fields__[name].default
    raw = environment.get(variable, values.get(name, default))
    try:
        number = float(str(raw))
    except ValueError as error:
        raise ConfigurationError(f"{variable} / `{name}` must be a number") from error
    if not 0 <= number <= LARGEST_NUMBER:
        raise ConfigurationError(f"{variable} / `{name}` must be between 0 and {LARGEST_NUMBER:,}")
    return number
