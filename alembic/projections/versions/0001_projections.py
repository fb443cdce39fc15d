"""The projections' tables: rows of answers, the folds' state with its position, and an index of the entries.

Everything here can be deleted and computed anew from the log (`audit db rebuild`).
"""

import sqlalchemy as sa

from alembic import op

revision = "projections_0001"
down_revision = None
branch_labels = None
depends_on = None

# Keys are compared and sorted by their bytes, whatever the database's language is.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the three tables; the position starts before the first entry."""
    op.create_table(
        "projection_rows",
        sa.Column("kind", KEY, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        # The place of the row in its answer: tables are printed in the order of the folds.
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("row_table", KEY, nullable=False),
        sa.Column("row_id", KEY, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "key", "row_table", "row_id", name="projection_rows_by_id"),
    )
    fold_state = op.create_table(
        "fold_state",
        sa.Column("name", KEY, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(fold_state, [{"name": "log", "position": 0, "state": b""}])
    op.create_table(
        "entry_index",
        # SQLite makes only INTEGER a primary key of its own; there it has 64 bits anyhow.
        sa.Column(
            "idx",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        # Streams are found by the beginning of their name.
        sa.Column("subject", KEY, nullable=False),
        sa.Column("type", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("legal_date", sa.Text),
    )
    # Each filter of the event list pages by index: the second column gives the order.
    op.create_index("entry_index_by_subject", "entry_index", ["subject", "idx"])
    op.create_index("entry_index_by_type", "entry_index", ["type", "idx"])
    op.create_index("entry_index_by_id", "entry_index", ["id", "idx"])


def downgrade() -> None:
    """Drop the tables; upgrading again rebuilds them from the log."""
    for table in ("entry_index", "fold_state", "projection_rows"):
        op.drop_table(table)
