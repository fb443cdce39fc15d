"""Who is calling? A bearer token routes a request and counts it; it is never evidence (the signature is).

A token is `<id>.<secret>`; only the SHA-256 of the secret is kept. An unknown id takes the way of a known one, row
for row and comparison for comparison, so that the time of an answer says nothing about which ids exist. Every
request asks the database: a token that was revoked by any process is refused from the next request on.

Issuing and revoking are acts of administration: each leaves an entry in the log (`acts.py`). An issued token works
once its entry is recorded; a revoked one is refused at once, and the entry follows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from audit_service.acts import add_act, state_of_act
from audit_service.clock import format_time, now_utc
from audit_service.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from audit_service.clock import Clock

ROLES = ("submitter", "approver", "publisher", "auditor", "privacy-officer", "administrator")
NOBODY_ID = "-" * 16
_TOKEN = re.compile(r"([a-z0-9]{16})\.([A-Za-z0-9_-]{43})", re.ASCII)
_NO_TOKEN = (NOBODY_ID, "")

# One step down to the nearest id, and one row found by equality, whether or not the id is known: what is looked for and
# not found takes 70 ns less, and a clock can tell. Nobody's id stands below all others, so there is always a row; and
# no row has an empty column where another has a value.
_FIND = (
    "SELECT secret_sha256, agency, role, coalesce(expires_at, '9999-12-31T23:59:59.999Z'), revoked_at, issued_by_act "
    "FROM tokens WHERE token_id = (SELECT CASE WHEN token_id = ? THEN token_id ELSE ? END FROM tokens "
    "WHERE token_id <= ? ORDER BY token_id DESC LIMIT 1)"
)
# Ids stand in the log for ever. With digits, some would look like a card number, and be refused; with vowels, some
# would be words. 69 bits.
_ID_LETTERS = "bcdfghjkmnpqrstvwxyz"
_ID_LENGTH = 16


class SignAct(Protocol):
    """Whoever may sign acts of administration: gives the signed submission of one."""

    def __call__(self, event_type: str, agency: str, event_id: str, data: dict[str, Any], /) -> bytes:
        """Sign an event on the agency's stream."""
        ...


class Caller(NamedTuple):
    """Who stands behind a valid token: the agency's source, what it may do, and which token it is."""

    source: str
    role: str
    token_id: str


class TokenRow(NamedTuple):
    """A token as its administrator sees it; `waiting` is 1 until its entry is recorded."""

    token_id: str
    agency: str
    role: str
    expires_at: str | None
    revoked_at: str | None
    waiting: int


class Tokens:
    """The tokens of one ledger."""

    def __init__(self, writer: Engine, reader: Engine, *, clock: Clock = now_utc) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock

    @property
    def answers_at_once(self) -> bool:
        """Is a look-up so short that an event loop may wait for it? A file beside us is; a server elsewhere is not."""
        return self._reader.dialect.name == "sqlite"

    # --- administration ---

    def create(self, agency: str, *, expires_at: str | None = None) -> str:
        """Make a submitter's token without an entry of its own: for the agencies that the genesis names."""
        token_id, secret = _new_token()
        self._insert(token_id, secret, agency, "submitter", expires_at, None)
        return f"{token_id}.{secret}"

    def issue(self, agency: str, role: str, *, sign: SignAct, expires_at: str | None = None) -> tuple[str, int]:
        """Make a token and the act that issues it; the secret is shown here and nowhere again.

        Returns the token and the id of its act. The token is refused until the act is recorded.
        """
        if role not in ROLES:
            raise ConfigurationError(f"there is no role {role}; there are: {', '.join(ROLES)}")
        token_id, secret = _new_token()
        data = {"token_id": token_id, "agency": agency, "role": role}
        if expires_at is not None:
            data["expires_at"] = expires_at
        submission = sign("registry.token-issued.v1", agency, f"token/{token_id}/issued", data)
        act_id = self._insert(token_id, secret, agency, role, expires_at, submission)
        return f"{token_id}.{secret}", act_id

    def revoke(self, token_id: str, *, sign: SignAct | None = None) -> int | None:
        """Refuse a token from the next request on; returns the id of the act that says so in the log.

        Raises:
            ConfigurationError: there is no such token, or it is revoked.
        """
        now = format_time(self._clock())
        with self._writer.begin() as connection:
            # One statement, so that of two who revoke at once only one leaves an entry.
            row = connection.exec_driver_sql(
                "UPDATE tokens SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL RETURNING agency",
                (now, token_id),
            ).one_or_none()
            if row is None:
                raise ConfigurationError("no such token, or it is revoked already")
            act_id = None
            if sign is not None:
                data = {"token_id": token_id, "agency": row[0]}
                act_id = add_act(
                    connection, sign("registry.token-revoked.v1", row[0], f"token/{token_id}/revoked", data)
                )
                connection.exec_driver_sql(
                    "UPDATE tokens SET revoked_by_act = ? WHERE token_id = ?", (act_id, token_id)
                )
        return act_id

    def rows(self) -> list[TokenRow]:
        """Every token that was ever made, oldest first; never a secret."""
        with self._reader.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT t.token_id, t.agency, t.role, t.expires_at, t.revoked_at, "
                "CASE WHEN t.issued_by_act IS NOT NULL AND a.log_index IS NULL THEN 1 ELSE 0 END "
                "FROM tokens AS t LEFT JOIN acts AS a ON a.act_id = t.issued_by_act "
                "WHERE t.token_id <> ? ORDER BY coalesce(t.issued_by_act, 0), t.agency, t.token_id",
                (NOBODY_ID,),
            ).all()
        return [TokenRow(*row) for row in rows]

    def _insert(
        self, token_id: str, secret: str, agency: str, role: str, expires_at: str | None, submission: bytes | None
    ) -> int:
        digest = hashlib.sha256(secret.encode()).digest()
        with self._writer.begin() as connection:
            act_id = None if submission is None else add_act(connection, submission)
            connection.exec_driver_sql(
                "INSERT INTO tokens (token_id, secret_sha256, agency, role, expires_at, issued_by_act) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (token_id, digest, agency, role, expires_at, act_id),
            )
        return act_id or 0

    # --- every request ---

    def caller_of(self, token: str) -> Caller | None:
        """Who stands behind a token; None for one that is not valid now."""
        match = _TOKEN.fullmatch(token)
        token_id, secret = (match[1], match[2]) if match else _NO_TOKEN
        with self._reader.connect() as connection:
            row = connection.exec_driver_sql(_FIND, (token_id, NOBODY_ID, token_id)).one()
        expected, agency, role, expires_at, revoked_at, act_id = row
        if not hmac.compare_digest(expected, hashlib.sha256(secret.encode()).digest()):
            return None
        # From here on the caller knows the secret: time may tell what is wrong with the token.
        if revoked_at is not None or expires_at <= format_time(self._clock()):
            return None
        if act_id is not None and state_of_act(self._reader, act_id).log_index is None:
            return None
        return Caller(f"urn:kr:agency:{agency}", role, token_id)


def _new_token() -> tuple[str, str]:
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH)), secrets.token_urlsafe(32)
