"""The tables of a sign-state journal that several hosts share; never in the database of the ledger."""

import sqlalchemy as sa

from alembic import op

revision = "journal_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the head, which every append compares and moves, and the records."""
    head = op.create_table(
        "head",
        sa.Column("id", sa.BigInteger, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("tree_size", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "epoch": 0, "tree_size": 0}])
    op.create_table(
        "records",
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tree_size", sa.BigInteger, primary_key=True, autoincrement=False),
        # The bytes of a record of the file, with its digest.
        sa.Column("record", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """A journal is never migrated back: what was signed last must not be forgotten."""
    raise NotImplementedError("a journal is never restored")
