"""Sealed transactions come by the million: the index keeps one row for each run of them instead of one for each.

The rows that are there are computed anew from the log: the position goes back to the beginning.
"""

import sqlalchemy as sa

from alembic import op

revision = "projections_0002"
down_revision = "projections_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of runs, and let the projector begin anew."""
    op.create_table(
        "entry_runs",
        sa.Column(
            "first",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("first_number", sa.BigInteger, nullable=False),
    )
    op.create_index("entry_runs_by_subject", "entry_runs", ["subject", "first"])
    op.create_index("entry_runs_by_batch", "entry_runs", ["batch_id", "first_number"])
    _begin_anew()


def downgrade() -> None:
    """Drop the table; the projector begins anew."""
    op.drop_table("entry_runs")
    _begin_anew()


def _begin_anew() -> None:
    for table in ("entry_index", "projection_rows"):
        op.execute(sa.table(table).delete())
    fold_state = sa.table("fold_state", sa.column("name"), sa.column("position"), sa.column("state"))
    op.execute(fold_state.delete())
    op.bulk_insert(
        sa.table(
            "fold_state",
            sa.column("name", sa.String),
            sa.column("position", sa.BigInteger),
            sa.column("state", sa.LargeBinary),
        ),
        [{"name": "log", "position": 0, "state": b""}],
    )
