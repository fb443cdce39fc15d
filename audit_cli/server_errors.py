"""What does an operator read when a command that works on the ledger's stores cannot go on? One line, no traceback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from audit_cli.errors import WrongUse
from audit_service.errors import AuditServiceError
from audit_service.recording.database import is_unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what the stores refuse into the command's own error.

    Raises:
        WrongUse: a setting, a file or the database is not usable; a database's words never hold its password.
    """
    try:
        yield
    except AuditServiceError as error:
        raise WrongUse(str(error)) from error
    except SQLAlchemyError as error:
        if not is_unavailable(error):
            raise
        said = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise WrongUse(f"the database does not answer: {said}") from error
