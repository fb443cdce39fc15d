"""Who is calling? A bearer token routes a request and counts it; it is never evidence (the signature is).

A token is `<id>.<secret>`; only the SHA-256 of the secret is kept. An unknown id costs the same comparison as a
wrong secret, so that the time of an answer says nothing about which ids exist.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from audit_service.clock import format_time, now_utc

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from audit_service.clock import Clock

_TOKEN = re.compile(r"([a-z0-9]{16})\.([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODY = bytes(32)


class Tokens:
    """The tokens of one ledger."""

    def __init__(self, writer: Engine, reader: Engine, *, clock: Clock = now_utc) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock

    def create(self, agency: str, *, expires_at: str | None = None) -> str:
        """Make a token for an agency; the secret is shown here and nowhere again."""
        token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        with self._writer.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO tokens (token_id, secret_sha256, agency, expires_at) VALUES (?, ?, ?, ?)",
                (token_id, hashlib.sha256(secret.encode()).digest(), agency, expires_at),
            )
        return f"{token_id}.{secret}"

    def revoke(self, token_id: str) -> None:
        """Refuse a token from the next request on."""
        with self._writer.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE tokens SET revoked_at = ? WHERE token_id = ?", (format_time(self._clock()), token_id)
            )

    def source_of(self, token: str) -> str | None:
        """The source (`urn:kr:agency:<code>`) that a token stands for; None for one that is not valid now."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        with self._reader.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT secret_sha256, agency, expires_at, revoked_at FROM tokens WHERE token_id = ?",
                (match[1],),
            ).one_or_none()
        expected = row[0] if row else _NOBODY
        given = hashlib.sha256(match[2].encode()).digest()
        if not hmac.compare_digest(expected, given) or row is None:
            return None
        _, agency, expires_at, revoked_at = row
        if revoked_at is not None or (expires_at is not None and expires_at <= format_time(self._clock())):
            return None
        return f"urn:kr:agency:{agency}"
