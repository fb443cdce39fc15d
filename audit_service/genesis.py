"""How does a ledger begin: which keys are made, and what does its first entry say?

The genesis entry names the origin, the log's key, the root keys, the publisher's key, the witness policy and the
agencies with their keys. Two of the three root keys sign it. From it on, every key that may write stands in
the log, so whoever replays the log reaches the same verdict about every signature.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_service.clock import format_time, now_utc
from audit_service.errors import ConfigurationError
from audit_service.files import make_folder, write_durably
from audit_service.keys import PUBLISHER_KEY_FILE, SigningKey, create_seed
from audit_service.ledger import LOG_KEY_FILE, Ledger
from audit_service.recording.database import open_sqlite
from audit_service.recording.migrations import upgrade
from audit_service.settings import Settings
from audit_service.submission import prepare_one
from verifier.canonical import encode_canonical
from verifier.envelope import approve_submission, sign_submission
from verifier.notes import NoteSigner

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_service.clock import Clock

ROOT_KEY_COUNT = 3
RECORDING_TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True)
class AgencyPlan:
    """An agency that may write from the start, and the types of events its key may sign."""

    code: str
    name_ko: str
    name_en: str
    scopes: tuple[str, ...]


def initialise(
    data_dir: Path,
    *,
    origin: str,
    city: str,
    agencies: Sequence[AgencyPlan],
    demo: bool = False,
    clock: Clock = now_utc,
) -> Settings:
    """Make a new ledger in an empty data directory: settings, keys, tables, tokens and the genesis entry.

    `city` is the code of the agency that the genesis comes from. Private keys end up in `keys/` (mode 0600): in
    production the root keys are taken away from this machine, and each agency makes its own key.

    Raises:
        ConfigurationError: there is a ledger here already.
    """
    if (data_dir / "ledger.toml").exists():
        raise ConfigurationError(f"there is a ledger in {data_dir} already; it is never overwritten")
    make_folder(data_dir)
    # The demo city publishes its reports when it is told to, so that its log is the same for everybody.
    interval_s = 0.0 if demo else Settings.report_interval_s
    settings = Settings(data_dir=data_dir, origin=origin, demo=demo, report_interval_s=interval_s)
    log_key = NoteSigner.from_seed(origin, create_seed(settings.keys / LOG_KEY_FILE))
    root_keys = [_new_key(settings.keys / f"root-{number + 1}.key") for number in range(ROOT_KEY_COUNT)]
    publisher = _new_key(settings.keys / PUBLISHER_KEY_FILE)
    agency_keys = {agency.code: _new_key(settings.keys / f"{agency.code}.key") for agency in agencies}
    _migrate(settings)
    data = {
        "origin": origin,
        "log_key": str(log_key.vkey),
        "root_keys": [{"kid": key.kid, "public_key": key.public_key} for key in root_keys],
        "root_threshold": 2,
        "publisher_key": {"kid": publisher.kid, "public_key": publisher.public_key},
        # C2SP tlog-policy: no witness is enrolled yet, so none is required.
        "policy": f"log {log_key.vkey}\nquorum none\n",
        "agencies": [_agency_entry(agency, agency_keys[agency.code]) for agency in agencies],
    }
    if demo:
        data["provenance"] = "illustrative"
    submission = _genesis_submission(data, city=city, time=format_time(clock()), root_keys=root_keys)
    with Ledger(settings, clock=clock) as ledger:
        _record(ledger, submission, root_keys)
        for agency in agencies:
            token = ledger.tokens.create(agency.code)
            write_durably(settings.keys / f"{agency.code}.token", f"{token}\n".encode(), mode=0o600)
    # Not secret, and not for the server to tell: what the city prints, so that others can pin it.
    write_durably(data_dir / "log.vkey", f"{log_key.vkey}\n".encode())
    # Last: a directory with settings is a directory with a whole ledger.
    write_durably(data_dir / "ledger.toml", _settings_file(settings))
    return settings


def _new_key(path: Path) -> SigningKey:
    return SigningKey.from_seed(create_seed(path))


def _migrate(settings: Settings) -> None:
    ledger_database = open_sqlite(settings.ledger_database)
    upgrade(ledger_database, "ledger")
    ledger_database.dispose()
    projections_database = open_sqlite(settings.projections_database)
    upgrade(projections_database, "projections")
    projections_database.dispose()


def _agency_entry(agency: AgencyPlan, key: SigningKey) -> dict[str, Any]:
    return {
        "code": agency.code,
        "name_ko": agency.name_ko,
        "name_en": agency.name_en,
        "keys": [{"kid": key.kid, "public_key": key.public_key, "scopes": list(agency.scopes)}],
    }


def _genesis_submission(
    data: dict[str, Any], *, city: str, time: str, root_keys: Sequence[SigningKey]
) -> dict[str, Any]:
    """The genesis as a submission, signed by the first root key and approved by the second."""
    submission = {
        "specversion": "1.0",
        "id": "genesis",
        "source": f"urn:kr:agency:{city}",
        "type": "registry.log-created.v1",
        "subject": "registry/log",
        "time": time,
        "data": data,
    }
    return approve_submission(sign_submission(submission, root_keys[0].private), root_keys[1].private)


def _record(ledger: Ledger, submission: dict[str, Any], root_keys: Sequence[SigningKey]) -> None:
    """Record the genesis the normal way; only here are the root keys known before the log names them."""
    public_keys = {key.kid: key.private.public_key().public_bytes_raw() for key in root_keys}
    prepared = prepare_one(encode_canonical(submission), public_keys.get)
    result = ledger.submit([prepared], atomic=True, dry_run=False).result(RECORDING_TIMEOUT_S)
    outcome = result.outcomes[0]
    if outcome.error is not None:
        raise outcome.error


def _settings_file(settings: Settings) -> bytes:
    # A JSON string with ASCII escapes is also a TOML basic string.
    lines = [f"origin = {json.dumps(settings.origin)}", f"demo = {'true' if settings.demo else 'false'}"]
    if settings.demo:
        lines.append(f"report_interval_s = {settings.report_interval_s:g}")
    return "\n".join([*lines, ""]).encode()
