"""The reports that the log holds, and the rows of each, by the tree size from which on they stand.

The first is an index of the log. The rows are what the city bound itself to: a rebuild keeps them, and computes from
the log only those that are missing.
"""

import sqlalchemy as sa

from alembic import op

revision = "projections_0003"
down_revision = "projections_0002"
branch_labels = None
depends_on = None

# Byte order, whatever the database's language is: rows are sorted by the bytes of their keys.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables; the read models are rebuilt at the next start, because they lack the heads of the streams."""
    op.create_table(
        "published_reports",
        sa.Column("kind", KEY, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        sa.Column("tree_size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("idx", sa.BigInteger, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("rows_root", KEY, nullable=False),
        sa.Column("definition_name", KEY, nullable=False),
        sa.Column("definition_version", sa.BigInteger, nullable=False),
        sa.Column("definition_sha256", KEY, nullable=False),
    )
    op.create_table(
        "kept_reports",
        sa.Column("kind", KEY, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        sa.Column("tree_size", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "report_rows",
        sa.Column("kind", KEY, primary_key=True),
        sa.Column("key", KEY, primary_key=True),
        sa.Column("row_key", KEY, primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
        # One tree instead of a table and an index of the same four columns.
        sqlite_with_rowid=False,
    )
    # A command that runs beside the service asks for a publication here; `published` is its answer.
    op.create_table(
        "report_requests",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("published", sa.Integer),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("report_requests", "report_rows", "kept_reports", "published_reports"):
        op.drop_table(table)
