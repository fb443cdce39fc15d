"""Roles of tokens, and the administrative acts that wait for their entry."""

import sqlalchemy as sa

from alembic import op

revision = "ledger_0002"
down_revision = "ledger_0001"
branch_labels = None
depends_on = None

# SQLite makes only INTEGER a primary key that counts by itself.
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add columns and a table; tokens that exist become submitters, which is what they could do."""
    op.create_table(
        "acts",
        sa.Column("act_id", WHOLE, primary_key=True),
        # The signed submission, to be recorded by whichever process may write the log.
        sa.Column("submission", sa.LargeBinary, nullable=False),
        sa.Column("log_index", WHOLE),
        sa.Column("refused_because", sa.Text),
    )
    op.add_column("tokens", sa.Column("role", sa.Text, nullable=False, server_default="submitter"))
    # A token with an act is valid once the act is recorded; those of the first start have none.
    op.add_column("tokens", sa.Column("issued_by_act", WHOLE))
    op.add_column("tokens", sa.Column("revoked_by_act", WHOLE))
    # Nobody's token: an unknown id is answered from this row, so that it costs what a known one costs.
    # Nobody knows a secret of this hash, and the token is revoked besides.
    op.get_bind().execute(
        sa.text(
            "INSERT INTO tokens (token_id, secret_sha256, agency, revoked_at) "
            "VALUES ('----------------', :nothing, 'nobody', '2000-01-01T00:00:00.000Z')"
        ),
        {"nothing": bytes(32)},
    )


def downgrade() -> None:
    """A ledger is never migrated back: its rows may not be deleted."""
    raise NotImplementedError("restore a backup of the database instead")
