"""How is a PostgreSQL database named in a setting, so that its password is shown to nobody?

A connection URI as libpq reads it: `postgresql://user:password@host:5432/database?sslmode=verify-full`. The password
may also stand in a file that libpq finds by itself (`PGPASSFILE`), or be absent where the server trusts a socket.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from audit_service.errors import ConfigurationError

_SCHEMES = ("postgresql", "postgres")
_SECRET_PARAMETERS = ("password", "sslpassword")


class DatabaseUrl:
    """A connection URI; `str` and `repr` show it without its password."""

    __slots__ = ("_text", "without_password")

    def __init__(self, text: str) -> None:
        """Read a URI.

        Raises:
            ConfigurationError: it is no such URI; the message holds nothing of it.
        """
        self._text = text
        self.without_password = _without_password(text)

    def reveal(self) -> str:
        """The URI with its password: for the driver, and for nobody else."""
        return self._text

    def same_database(self, other: DatabaseUrl) -> bool:
        """Do both name one database of one server, whoever asks?"""
        return self._place() == other._place()

    def _place(self) -> tuple[str | None, int, str]:
        parts = urlsplit(self._text)
        return parts.hostname, parts.port or 5432, parts.path

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.without_password!r})"

    def __str__(self) -> str:
        return self.without_password

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def _without_password(text: str) -> str:
    """The URI without its password, if it is strict enough that no part of a password can be anything else.

    A `/`, `?` or `@` inside a password would move the rest of it into a host or a database name, which libpq
    repeats in its messages; such characters must be percent-encoded.
    """
    try:
        parts = urlsplit(text)
        if parts.scheme not in _SCHEMES or not text.isprintable() or " " in text:
            raise ValueError
        if text.count("@") > 1 or "@" in parts.path + parts.query + parts.fragment or parts.fragment:
            raise ValueError
        if any(name in _SECRET_PARAMETERS for name, _ in parse_qsl(parts.query, strict_parsing=bool(parts.query))):
            raise ValueError
        port = parts.port
    except ValueError:
        # Neither the text nor its cause may be shown: both may hold a part of the password.
        raise ConfigurationError(
            "a database URL must have the form postgresql://user:password@host:port/database; special characters "
            "of the password must be percent-encoded"
        ) from None
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    user = f"{parts.username}@" if parts.username else ""
    where = f"{user}{host}{f':{port}' if port else ''}{parts.path}"
    return f"{parts.scheme}://{where}{f'?{parts.query}' if parts.query else ''}"
