"""How does a ledger begin: which keys are made, and what does its first entry say?

The genesis entry names the origin, the log's key, the root keys, the publisher's key, the witness policy and the
agencies with their keys. Two of the three root keys sign it. From it on, every key that may write stands in
the log, so whoever replays the log reaches the same verdict about every signature.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_service.clock import format_time, now_utc
from audit_service.errors import ConfigurationError
from audit_service.files import make_folder, write_durably
from audit_service.keys import PUBLISHER_KEY_FILE, SigningKey, create_seed
from audit_service.ledger import LOG_KEY_FILE, Ledger
from audit_service.recording.database import open_database
from audit_service.recording.migrations import upgrade_all
from audit_service.recording.recorder import LedgerRecorder
from audit_service.settings import Settings
from audit_service.submission import prepare_one
from verifier.canonical import encode_canonical
from verifier.checkpoints import verify_checkpoint
from verifier.envelope import approve_submission, sign_submission
from verifier.errors import VerificationError
from verifier.notes import NoteSigner, VerifierKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_service.clock import Clock
    from audit_service.database_url import DatabaseUrl

ROOT_KEY_COUNT = 3
RECORDING_TIMEOUT_S = 60


class Predecessor(NamedTuple):
    """The log that the new one goes on from: its verifier key, and its last checkpoint's note."""

    vkey: str
    note: bytes


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
    predecessor: Predecessor | None = None,
    database_url: DatabaseUrl | None = None,
    journal_url: DatabaseUrl | None = None,
    clock: Clock = now_utc,
) -> Settings:
    """Make a new ledger in an empty data directory: settings, keys, tables, tokens and the genesis entry.

    `city` is the code of the agency that the genesis comes from. With `database_url` and `journal_url` the tables are
    made in those PostgreSQL databases; their passwords are not written down. Private keys end up in `keys/` (mode
    0600): in production the root keys are taken away from this machine, and each agency makes its own key.

    With a `predecessor` the genesis embeds its last checkpoint: for a log whose bytes are lost for good.

    Raises:
        ConfigurationError: there is a ledger here already, or the predecessor's checkpoint does not verify.
    """
    if (data_dir / "ledger.toml").exists():
        raise ConfigurationError(f"there is a ledger in {data_dir} already; it is never overwritten")
    embedded = None if predecessor is None else _embed(predecessor, origin=origin)
    make_folder(data_dir)
    # The demo city publishes its reports when it is told to, so that its log is the same for everybody.
    interval_s = 0.0 if demo else Settings.report_interval_s
    settings = Settings(
        data_dir=data_dir,
        origin=origin,
        demo=demo,
        database_url=database_url,
        journal_url=journal_url,
        report_interval_s=interval_s,
    )
    log_key = NoteSigner.from_seed(origin, create_seed(settings.keys / LOG_KEY_FILE))
    root_keys = [_new_key(settings.keys / f"root-{number + 1}.key") for number in range(ROOT_KEY_COUNT)]
    publisher = _new_key(settings.keys / PUBLISHER_KEY_FILE)
    agency_keys = {agency.code: _new_key(settings.keys / f"{agency.code}.key") for agency in agencies}
    upgrade_all(settings)
    _require_empty(settings)
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
    if embedded is not None:
        data["predecessor"] = embedded
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


def _embed(predecessor: Predecessor, *, origin: str) -> dict[str, str]:
    try:
        vkey = VerifierKey.parse(predecessor.vkey)
        checkpoint = verify_checkpoint(predecessor.note, vkey=vkey)
    except VerificationError as error:
        raise ConfigurationError(f"the checkpoint of the log before does not verify: {error}") from error
    if checkpoint.origin == origin:
        raise ConfigurationError("a log cannot succeed itself: choose another origin")
    return {"origin": checkpoint.origin, "log_key": str(vkey), "checkpoint": predecessor.note.decode("utf-8")}


def _require_empty(settings: Settings) -> None:
    """A database that holds entries belongs to a ledger with other keys, which must not go on here."""
    engine = open_database(settings, "ledger", read_only=True)
    try:
        if LedgerRecorder(engine, engine).head().tree_size:
            raise ConfigurationError("there is a ledger in this database already; it is never overwritten")
    finally:
        engine.dispose()


def _new_key(path: Path) -> SigningKey:
    return SigningKey.from_seed(create_seed(path))


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
    for name in ("database_url", "journal_url"):
        url: DatabaseUrl | None = getattr(settings, name)
        if url is not None:
            # A password comes from the environment or libpq's password file; the data directory does not hold it.
            lines.append(f"{name} = {json.dumps(url.without_password)}")
    return "\n".join([*lines, ""]).encode()
