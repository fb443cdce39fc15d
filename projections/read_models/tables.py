"""Which tables do the read models have?

Alembic makes them (`alembic/projections`); this is how queries name them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

projection_rows = Table(
    "projection_rows",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("row_table", Text, nullable=False),
    Column("row_id", Text, nullable=False),
    Column("body", Text, nullable=False),
)
fold_state = Table(
    "fold_state",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)
entry_index = Table(
    "entry_index",
    metadata,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("legal_date", Text),
)
entry_runs = Table(
    "entry_runs",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("batch_id", Text, nullable=False),
    Column("first_number", BigInteger, nullable=False),
)

published_reports = Table(
    "published_reports",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("rows_root", Text, nullable=False),
    Column("definition_name", Text, nullable=False),
    Column("definition_version", BigInteger, nullable=False),
    Column("definition_sha256", Text, nullable=False),
)
kept_reports = Table(
    "kept_reports",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
)
report_requests = Table(
    "report_requests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("published", Integer),
)
report_rows = Table(
    "report_rows",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("row_key", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger),
    Column("body", LargeBinary, nullable=False),
)

# The row of `fold_state` that says how many entries have been taken in; all other names are `<fold>/<part>`.
LOG_POSITION = "log"
