"""How does a command that runs beside the service ask it to publish reports?

By a row in the read models' database, which the service looks at twice a second. It says when it is done, and how many
reports were published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from projections.read_models.tables import report_requests

if TYPE_CHECKING:
    from sqlalchemy import Engine


class ReportRequests:
    """The requests of one data directory."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self) -> int:
        """Ask for a publication; returns the request's id."""
        with self._engine.begin() as connection:
            key = connection.execute(insert(report_requests).values(published=None)).inserted_primary_key
        if key is None:
            raise RuntimeError("the database gave the request no id")
        return int(key[0])

    def waiting(self) -> int | None:
        """The newest request that nobody has done, if any: one publication answers all before it."""
        statement = select(report_requests.c.id).where(report_requests.c.published.is_(None))
        with self._engine.connect() as connection:
            return connection.execute(statement.order_by(report_requests.c.id.desc()).limit(1)).scalar()

    def done(self, request: int, published: int) -> None:
        """Say that this request, and all before it, are done."""
        statement = update(report_requests).where(
            report_requests.c.id <= request, report_requests.c.published.is_(None)
        )
        with self._engine.begin() as connection:
            connection.execute(statement.values(published=published))

    def published(self, request: int) -> int | None:
        """How many reports were published for it? None while it waits."""
        with self._engine.connect() as connection:
            return connection.execute(
                select(report_requests.c.published).where(report_requests.c.id == request)
            ).scalar()
