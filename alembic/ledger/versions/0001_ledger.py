"""The ledger's tables: events with leaf hashes, head, idempotency keys, tokens, published checkpoints."""

import sqlalchemy as sa

from alembic import op

revision = "ledger_0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite makes only INTEGER a primary key of its own; there it has 64 bits anyhow.
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Keys are compared by their bytes, whatever the database's language is.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables, the empty head, and the triggers that refuse to change what was recorded."""
    op.create_table(
        "events",
        # Explicit, because SQLite may renumber an implicit rowid; 0-based: this is the index in the log.
        sa.Column("log_index", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("originator_id", KEY, nullable=False),
        sa.Column("originator_version", WHOLE, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("events_by_stream", "events", ["originator_id", "originator_version"], unique=True)
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("tree_size", WHOLE, nullable=False),
        sa.Column("root_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("right_edge", sa.LargeBinary, nullable=False),
        sa.Column("recorded_time", sa.Text, nullable=False),
    )
    empty_root = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    op.bulk_insert(
        head,
        [{"id": 1, "tree_size": 0, "root_hash": empty_root, "right_edge": b"", "recorded_time": ""}],
    )
    op.create_table(
        "submissions",
        sa.Column("source", KEY, primary_key=True),
        sa.Column("submission_id", KEY, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("first_index", WHOLE, nullable=False),
        sa.Column("entry_count", WHOLE, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("agency", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("revoked_at", sa.Text),
    )
    op.create_table(
        "checkpoints",
        sa.Column("tree_size", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("root_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.Column("published_time", sa.Text, nullable=False),
        # The calendar day in Korean time: one checkpoint per day is the root of the day.
        sa.Column("day", sa.Text, nullable=False),
    )
    op.create_index("checkpoints_by_day", "checkpoints", ["day", "tree_size"])
    if op.get_bind().dialect.name == "sqlite":
        for table in ("events", "checkpoints"):
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table}: recorded rows are never changed'); END"
                )


def downgrade() -> None:
    """A ledger is never migrated back: its rows may not be deleted."""
    raise NotImplementedError("restore a backup of the database instead")
