"""How are query parameters read so that nothing is guessed?

Strictly: known names only, each at most once, integers as plain ASCII digits (no sign, no leading zero, no other
script's digits), dates that exist. The same values describe themselves in OpenAPI.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from api.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

_INTEGER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MAX_INTEGER = 2**53 - 1
_MAX_TEXT = 200


@dataclass(frozen=True)
class Parameter:
    """A query parameter: how it is read (`kind`) and how the API pages describe it."""

    name: str
    description: str
    kind: str = "integer"
    minimum: int = 0
    maximum: int = _MAX_INTEGER
    pattern: str | None = None
    values: tuple[str, ...] = ()

    def read(self, value: str) -> int | str | bool:
        """Read one value.

        Raises:
            Problem: `invalid-parameter`.
        """
        match self.kind:
            case "integer":
                return self._read_integer(value)
            case "boolean":
                return self._one_of(value, ("true", "false")) == "true"
            case "date":
                return parse_date(value, name=self.name)
            case "enum":
                return self._one_of(value, self.values)
            case _:
                return self._read_text(value)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI parameter object."""
        schemas: dict[str, dict[str, Any]] = {
            "integer": {"type": "integer", "minimum": self.minimum, "maximum": self.maximum},
            "boolean": {"type": "boolean", "default": False},
            "date": {"type": "string", "format": "date"},
            "enum": {"type": "string", "enum": list(self.values)},
        }
        schema = schemas.get(self.kind, {"type": "string", "maxLength": _MAX_TEXT})
        if self.pattern:
            schema = {**schema, "pattern": f"^{self.pattern}$"}
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.description,
            "schema": schema,
        }

    def _read_integer(self, value: str) -> int:
        number = parse_index(value)
        if number is None or not self.minimum <= number <= self.maximum:
            raise refused(self.name, f"an integer from {self.minimum} to {self.maximum}")
        return number

    def _one_of(self, value: str, values: tuple[str, ...]) -> str:
        if value not in values:
            raise refused(self.name, " or ".join(values))
        return value

    def _read_text(self, value: str) -> str:
        if not re.fullmatch(self.pattern or f".{{1,{_MAX_TEXT}}}", value, re.ASCII):
            raise refused(self.name, "text of the documented form")
        return value


def refused(name: str, expected: str) -> Problem:
    """The problem of a parameter that is not what was expected; the value itself is not echoed."""
    return Problem("invalid-parameter", f"{name} must be {expected}", parameter=name)


def read_query(request: Request, *parameters: Parameter) -> dict[str, Any]:
    """Read the query of a request: the given parameters and no others; absent ones are None.

    Raises:
        Problem: `invalid-parameter`, naming a documented parameter (or none, if the name is unknown).
    """
    known = {parameter.name: parameter for parameter in parameters}
    found: dict[str, Any] = dict.fromkeys(known)
    for name, value in _pairs(request.url.query):
        parameter = known.get(name)
        if parameter is None:
            allowed = sorted(known)
            raise Problem("invalid-parameter", "the query holds an unknown parameter", allowed=allowed)
        if found[name] is not None:
            raise refused(name, "given once")
        found[name] = parameter.read(value)
    return found


def _pairs(query: str) -> list[tuple[str, str]]:
    pairs = []
    for part in query.split("&") if query else []:
        name, _, value = part.replace("+", " ").partition("=")
        try:
            # Starlette would replace broken UTF-8 by a question mark: here it is refused.
            pairs.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
        except UnicodeDecodeError as error:
            raise Problem("invalid-parameter", "the query is not UTF-8") from error
    return pairs


def parse_index(text: str) -> int | None:
    """Read a log index or a tree size from plain ASCII digits; None when it is anything else."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if number <= _MAX_INTEGER else None


def path_index(text: str) -> int:
    """Read an index that stands in a path.

    Raises:
        Problem: `not-found`: an address that is no number is no address.
    """
    number = parse_index(text)
    if number is None:
        raise Problem("not-found", "the address must end in a plain decimal number")
    return number


def parse_date(text: str, *, name: str) -> str:
    """Read a legal date `YYYY-MM-DD` that exists.

    Raises:
        Problem: `invalid-parameter`.
    """
    if not _DATE.fullmatch(text):
        raise refused(name, "a date YYYY-MM-DD")
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        raise refused(name, "a date that exists") from error
    return text


def documented(*parameters: Parameter, **more: Any) -> dict[str, Any]:
    """`openapi_extra` of a route that reads these parameters."""
    return {"parameters": [parameter.openapi() for parameter in parameters], **more}
