"""What do the read models answer?

Each answer is one statement, so its rows and its position are of one moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from sqlalchemy import and_, or_, select

from audit_service.catalogue.event import decode_event
from projections.folds.answers import DEFINITIONS, answer_as_of, compose_answer, sources_needed, streams_needed
from projections.folds.project_checks import budgets_named
from projections.folds.projects import PROJECT_REGISTER
from projections.folds.rows import Row
from projections.read_models.errors import NotYetProjected
from projections.read_models.runs import TRANSACTION, parse_numbered_id
from projections.read_models.tables import LOG_POSITION, entry_index, entry_runs, fold_state, projection_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Engine

    from audit_service.catalogue.event import Event
    from projections.read_models.projector import EntryReader

MAX_LIMIT = 1_000
# Indexes that lie this close together are read in one go: cheaper than a statement for each.
_READ_AHEAD = 64
_RUN = 2_000
_row_decoder = msgspec.json.Decoder(Row)
_position = select(fold_state.c.position).where(fold_state.c.name == LOG_POSITION).scalar_subquery()


class EntryReference(Struct, frozen=True, kw_only=True):
    """One entry, as lists of events name it."""

    index: int
    subject: str
    type: str
    source: str
    id: str
    legal_date: str | None


class ReadModels:
    """Reads what the projector wrote; safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def position(self) -> int:
        """How many entries do the read models know?"""
        with self._engine.connect() as connection:
            found = connection.execute(select(_position)).scalar_one()
        return int(found or 0)

    def keys(self, kind: str) -> list[str]:
        """Which keys of a kind have an answer? Sorted.

        Raises:
            KeyError: there is no such kind.
        """
        if kind not in DEFINITIONS:
            raise KeyError(kind)
        # Every answer has a row at place 0.
        statement = select(projection_rows.c.key).where(projection_rows.c.kind == kind, projection_rows.c.place == 0)
        with self._engine.connect() as connection:
            return sorted(connection.execute(statement).scalars())

    def answer(self, kind: str, key: str) -> dict[str, Any] | None:
        """The answer at the read models' position; None for an unknown key.

        Raises:
            KeyError: there is no such kind.
        """
        if kind not in DEFINITIONS:
            raise KeyError(kind)
        statement = (
            select(projection_rows.c.body, _position)
            .where(projection_rows.c.kind == kind, projection_rows.c.key == key)
            .order_by(projection_rows.c.place)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).all()
        if not found:
            return None
        rows = [_row_decoder.decode(body) for body, _ in found]
        return compose_answer(kind, key, rows, tree_size=found[0][1])

    def answer_as_of(
        self, reader: EntryReader, kind: str, key: str, *, tree_size: int, legal_date: str | None = None
    ) -> dict[str, Any] | None:
        """The answer as of an earlier tree size and, if given, a legal date, computed from the entries.

        Raises:
            KeyError: there is no such kind.
            ValueError: the key has not the form of the kind.
            NotYetProjected: the read models do not know that many entries.
        """
        position = self.position()
        if tree_size > position:
            raise NotYetProjected(asked=tree_size, position=position)
        streams = streams_needed(kind, key)
        if kind == PROJECT_REGISTER:
            # Of all budgets only those that its own stream names: the others move no row.
            own = self._indexes(streams[:1], (), tree_size)
            named = {name for _, event in _read_events(reader, own) for name in budgets_named(event)}
            streams = (streams[0], *sorted(named))
        indexes = self._indexes(streams, sources_needed(kind, key), tree_size)
        return answer_as_of(_read_events(reader, indexes), kind, key, tree_size=tree_size, legal_date=legal_date)

    def find_entries(
        self,
        *,
        subject: str | None = None,
        type: str | None = None,  # noqa: A002 - the attribute's name in the entry format
        source: str | None = None,
        id: str | None = None,  # noqa: A002 - the same
        after: int = -1,
        limit: int = 100,
    ) -> list[EntryReference]:
        """Entries that match every given attribute, with an index above `after`, at most `limit`, in order.

        Raises:
            ValueError: the limit is not between 1 and 1,000.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError(f"limit must be from 1 to {MAX_LIMIT}")
        wanted = {"subject": subject, "type": type, "source": source, "id": id}
        statement = (
            select(entry_index)
            .where(entry_index.c.idx > after)
            .where(*(entry_index.c[name] == value for name, value in wanted.items() if value is not None))
            .order_by(entry_index.c.idx)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).all()
            runs = _find_runs(connection, wanted, after=after, limit=limit)
        single = [
            EntryReference(
                index=row.idx,
                subject=row.subject,
                type=row.type,
                source=row.source,
                id=row.id,
                legal_date=row.legal_date,
            )
            for row in found
        ]
        return sorted([*single, *runs], key=lambda reference: reference.index)[:limit]

    def stream_indexes(self, subject: str, tree_size: int) -> list[int]:
        """The indexes below a tree size of all entries of one stream, in order."""
        return self._indexes((subject,), (), tree_size)

    def _indexes(self, streams: tuple[str, ...], sources: tuple[str, ...], tree_size: int) -> list[int]:
        conditions = _of_streams(entry_index.c.subject, streams)
        # Sealed transactions, which stand in runs, carry no number: a source's are not asked for.
        conditions += [entry_index.c.source == source for source in sources]
        statement = (
            select(entry_index.c.idx).where(or_(*conditions), entry_index.c.idx < tree_size).order_by(entry_index.c.idx)
        )
        in_runs = select(entry_runs.c.first, entry_runs.c.count).where(
            or_(*_of_streams(entry_runs.c.subject, streams)), entry_runs.c.first < tree_size
        )
        with self._engine.connect() as connection:
            indexes = list(connection.execute(statement).scalars())
            runs = connection.execute(in_runs).all()
        for first, count in runs:
            indexes.extend(range(first, min(first + count, tree_size)))
        return sorted(indexes)


def _of_streams(subject: ColumnElement[str], streams: tuple[str, ...]) -> list[ColumnElement[bool]]:
    conditions = []
    for stream in streams:
        if stream.endswith("/"):
            # "0" is the character after "/": a range of the index, not a pattern.
            conditions.append(and_(subject >= stream, subject < stream[:-1] + "0"))
        else:
            conditions.append(subject == stream)
    return conditions


def _find_runs(
    connection: Connection, wanted: dict[str, str | None], *, after: int, limit: int
) -> list[EntryReference]:
    """Sealed transactions that match, out of their runs: at most `limit`, in order."""
    if wanted["type"] not in (None, TRANSACTION):
        return []
    conditions = [entry_runs.c.first + entry_runs.c.count > after + 1]
    conditions += [entry_runs.c[name] == wanted[name] for name in ("subject", "source") if wanted[name] is not None]
    number: int | None = None
    if wanted["id"] is not None:
        numbered = parse_numbered_id(wanted["id"])
        if numbered is None:
            return []
        batch_id, number = numbered
        conditions += [entry_runs.c.batch_id == batch_id, entry_runs.c.first_number <= number]
        conditions.append(entry_runs.c.first_number + entry_runs.c.count > number)
    # Every run gives at least one, so as many runs as entries are asked for are enough.
    statement = select(entry_runs).where(*conditions).order_by(entry_runs.c.first).limit(limit)
    found: list[EntryReference] = []
    for run in connection.execute(statement):
        indexes = range(max(run.first, after + 1), run.first + run.count)
        if number is not None:
            only = run.first + number - run.first_number
            indexes = range(only, only + 1) if only in indexes else range(0)
        found.extend(
            EntryReference(
                index=index,
                subject=run.subject,
                type=TRANSACTION,
                source=run.source,
                id=f"{run.batch_id}/{run.first_number + index - run.first}",
                legal_date=None,
            )
            for index in indexes[: limit - len(found)]
        )
    return found


def _read_events(reader: EntryReader, indexes: list[int]) -> Iterator[tuple[int, Event]]:
    """Read scattered entries in runs; entries of other streams in between are read and left out."""
    start = 0
    while start < len(indexes):
        stop = start + 1
        while (
            stop < len(indexes)
            and indexes[stop] - indexes[stop - 1] <= _READ_AHEAD
            and indexes[stop] - indexes[start] < _RUN
        ):
            stop += 1
        first, last = indexes[start], indexes[stop - 1]
        entries = reader.entries(first, last + 1)
        for index in indexes[start:stop]:
            yield index, decode_event(entries[index - first])
        start = stop
