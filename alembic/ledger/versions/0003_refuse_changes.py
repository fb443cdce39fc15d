"""The database itself refuses to change what was recorded, on PostgreSQL as on SQLite; idempotency keys included."""

from alembic import op

revision = "ledger_0003"
down_revision = "ledger_0002"
branch_labels = None
depends_on = None

RECORDED = ("events", "submissions", "checkpoints")


def upgrade() -> None:
    """Create the triggers; those of SQLite's events and checkpoints are there since the first revision."""
    if op.get_bind().dialect.name == "sqlite":
        # SQLite has no TRUNCATE: a DELETE without a condition is one, and it asks the trigger for every row.
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER submissions_no_{verb.lower()} BEFORE {verb} ON submissions "
                "BEGIN SELECT RAISE(ABORT, 'submissions: recorded rows are never changed'); END"
            )
        return
    # The error code is that of a broken constraint, as on SQLite.
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '%: recorded rows are never changed', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    for table in RECORDED:
        # For each statement: one that matches no row is refused too, and an insert of many rows pays nothing.
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """A ledger is never migrated back: its rows may not be deleted."""
    raise NotImplementedError("restore a backup of the database instead")
