"""The epoch of the writer stands in the head: a writer that was taken over from records nothing any more."""

import sqlalchemy as sa

from alembic import op

revision = "ledger_0004"
down_revision = "ledger_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; 1 is the epoch that every writer before this revision signed with."""
    op.add_column("head", sa.Column("epoch", sa.BigInteger, nullable=False, server_default="1"))


def downgrade() -> None:
    """A ledger is never migrated back: its rows may not be deleted."""
    raise NotImplementedError("restore a backup of the database instead")
