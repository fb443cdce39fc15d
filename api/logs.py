"""How do log lines look so that machines can read them? One JSON object per line.

Each names the log's origin; what is logged on the way of a request names the request, and what moves the log its tree
size.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)


class JsonFormatter(logging.Formatter):
    """Formats a record with everything that it carries beyond the standard fields."""

    def __init__(self, *, origin: str | None = None) -> None:
        super().__init__()
        self._context = {} if origin is None else {"origin": origin}

    def format(self, record: logging.LogRecord) -> str:
        """One line: time, level, logger, message, and the extras."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._context,
        }
        request_id = REQUEST_ID.get()
        if request_id is not None:
            line["request_id"] = request_id
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=repr).decode()


def log_as_json(level: int = logging.INFO, *, origin: str | None = None) -> None:
    """Send every log line of this process to stderr as JSON; once the origin is known, each line names it."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(origin=origin))
    logging.basicConfig(level=level, handlers=[handler], force=True)
