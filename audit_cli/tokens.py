"""Who may call the service? `audit tokens issue`, `revoke`, `list`.

Works on the data directory, beside the running service or without it. Each act is an entry of the log, signed by the
publisher's key: recorded by the running service within a second, or by this command where none runs.
"""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from audit_cli.errors import DoesNotHold, WrongUse
from audit_cli.output import Output, add_output_arguments, table
from audit_cli.server_errors import one_line_errors
from audit_service.acts import state_of_act
from audit_service.clock import format_time, now_utc
from audit_service.errors import AnotherWriter, ConfigurationError
from audit_service.files import write_durably
from audit_service.keys import PUBLISHER_KEY_FILE, SigningKey, read_seed
from audit_service.ledger import Ledger
from audit_service.recording.database import open_database
from audit_service.recording.migrations import require_newest
from audit_service.settings import load_settings
from audit_service.tokens import ROLES, Tokens
from verifier.canonical import encode_canonical, parse_strict
from verifier.envelope import sign_submission

if TYPE_CHECKING:
    import argparse

    from sqlalchemy import Engine

    from audit_service.settings import Settings
    from audit_service.tokens import SignAct, TokenRow

# The running service looks for acts twice a second.
_RECORDING_TIMEOUT_S = 15.0
_POLL_INTERVAL_S = 0.1
_MAX_DAYS = 3660
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_EPILOG = """\
examples:
  audit tokens issue --data var/ledger --agency roads --role submitter --days 365 --out roads.token
  audit tokens list --data var/ledger
  audit tokens revoke --data var/ledger --token-id 0123456789abcdef

A token routes and limits requests; it is no evidence: events are accepted for their signatures only.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `audit tokens`."""
    parser.description = "Issue, revoke and list bearer tokens; each act is an entry of the log."
    parser.epilog = _EPILOG
    parser.add_argument("action", choices=["issue", "revoke", "list"])
    parser.add_argument("--token-id", metavar="ID", help="revoke: which token, by the part before its dot")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the ledger's data directory")
    parser.add_argument("--agency", metavar="CODE", help="issue: whose token it is")
    parser.add_argument("--role", choices=ROLES, help="issue: what it may do")
    parser.add_argument("--days", type=int, metavar="N", help="issue: how long it lasts (default: until revoked)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="issue: write it there (mode 0600) and do not show it")
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help=f"the publisher's key (default: DIR/keys/{PUBLISHER_KEY_FILE})"
    )
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    output = Output.of(args)
    with one_line_errors():
        settings = load_settings(args.data)
        if args.action == "list":
            _list(settings, output)
        elif args.action == "issue":
            _issue(settings, args, output)
        else:
            _revoke(settings, args, output)
    return 0


def _issue(settings: Settings, args: argparse.Namespace, output: Output) -> None:
    if args.agency is None or args.role is None or args.token_id is not None:
        raise WrongUse("issue needs --agency and --role, and no token id")
    if not _CODE.fullmatch(args.agency):
        raise WrongUse("--agency must be a code of small letters, digits and `-`")
    if args.out is not None and args.out.exists():
        raise WrongUse(f"{args.out} exists already; a token is never overwritten")
    with _Administration(settings, args.key) as administration:
        token, act_id = administration.tokens.issue(
            args.agency, args.role, sign=administration.sign, expires_at=_expiry(args.days)
        )
        index = administration.wait(act_id)
    if args.out is not None:
        write_durably(args.out, f"{token}\n".encode(), mode=0o600)
    shown = {} if args.out is not None else {"token": token}
    document = {"token_id": token.partition(".")[0], "agency": args.agency, "role": args.role, "index": index, **shown}
    output.document(document)
    output.verdict(f"issued {document['token_id']} to {args.agency} as {args.role}: entry {index}")
    for text in shown.values():
        output.verdict(text)


def _revoke(settings: Settings, args: argparse.Namespace, output: Output) -> None:
    if args.token_id is None:
        raise WrongUse("revoke needs --token-id: the id of the token, which is the part before its dot")
    token_id = args.token_id.partition(".")[0]
    with _Administration(settings, args.key) as administration:
        act_id = administration.tokens.revoke(token_id, sign=administration.sign)
        index = administration.wait(act_id or 0)
    output.document({"token_id": token_id, "index": index})
    output.verdict(f"revoked {token_id}: entry {index}")


def _list(settings: Settings, output: Output) -> None:
    engine = open_database(settings, "ledger")
    try:
        require_newest(engine, "ledger")
        rows = Tokens(engine, engine).rows()
    finally:
        engine.dispose()
    now = format_time(now_utc())
    output.document({"tokens": [{**row._asdict(), "state": _state(row, now)} for row in rows]})
    listed = [[row.token_id, row.agency, row.role, _state(row, now), row.expires_at or "-"] for row in rows]
    for line in table(["token", "agency", "role", "state", "expires"], listed).splitlines():
        output.verdict(line)


def _state(row: TokenRow, now: str) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "waiting" if row.waiting else "valid"


def _expiry(days: int | None) -> str | None:
    if days is None:
        return None
    if not 1 <= days <= _MAX_DAYS:
        raise WrongUse(f"--days must be between 1 and {_MAX_DAYS}")
    return format_time(now_utc() + timedelta(days=days))


def _city_and_keys(engine: Engine) -> tuple[str, set[str]]:
    """Who runs the log, and which keys does the city have, as the log itself says?

    Whether a key may sign acts of administration is decided by the rules, as for every entry.
    """
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT state FROM events WHERE originator_id = 'registry/log' ORDER BY originator_version"
        ).all()
    genesis, *later = [parse_strict(row[0]) for row in rows]
    city = genesis["source"]
    kids = {genesis["data"]["publisher_key"]["kid"]}
    for entry in later:
        data = entry["data"]
        if entry["type"] == "registry.key-registered.v1" and f"urn:kr:agency:{data['agency']}" == city:
            kids.add(data["kid"])
        elif entry["type"] == "registry.key-revoked.v1":
            kids.discard(data["kid"])
    return city, kids


class _Administration:
    """The tokens of a data directory, a way to sign acts, and a way to see them recorded."""

    def __init__(self, settings: Settings, key_file: Path | None) -> None:
        self._settings = settings
        self._key = SigningKey.from_seed(read_seed(key_file or settings.keys / PUBLISHER_KEY_FILE))
        self._engine = open_database(settings, "ledger")
        try:
            require_newest(self._engine, "ledger")
            self._city, kids = _city_and_keys(self._engine)
            if self._key.kid not in kids:
                # Said here: a revocation takes effect before its entry is decided about.
                raise ConfigurationError("this is not the publisher's key, nor one that the city has registered since")
        except BaseException:
            self._engine.dispose()
            raise
        self.tokens = Tokens(self._engine, self._engine)
        self.sign: SignAct = self._sign

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def _sign(self, event_type: str, agency: str, event_id: str, data: dict[str, Any], /) -> bytes:
        submission = {
            "specversion": "1.0",
            "id": event_id,
            "source": self._city,
            "type": event_type,
            "subject": f"registry/agency/{agency}",
            "time": format_time(now_utc()),
            "data": data,
        }
        return encode_canonical(sign_submission(submission, self._key.private))

    def wait(self, act_id: int) -> int:
        """See the act recorded: by the service that runs, else here; returns its index.

        Raises:
            DoesNotHold: the rules refuse it, or nobody has recorded it in time (it goes on waiting).
        """
        deadline = time.monotonic() + _RECORDING_TIMEOUT_S
        while True:
            state = state_of_act(self._engine, act_id)
            if state.log_index is not None:
                return state.log_index
            if state.refused_because is not None:
                raise DoesNotHold(f"the act was refused: {state.refused_because}")
            if time.monotonic() > deadline:
                raise DoesNotHold("the act waits for its entry: the service that holds the log has not recorded it")
            if not self._record_here():
                time.sleep(_POLL_INTERVAL_S)

    def _record_here(self) -> bool:
        """Record what waits, where no service runs; False where one does."""
        try:
            with Ledger(self._settings):
                return True
        except AnotherWriter:
            return False
