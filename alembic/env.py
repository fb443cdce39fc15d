"""Which database is being migrated? The caller passes an open connection and one folder of revisions.

`audit_service.recording.migrations.upgrade` is the caller; tables are made here and nowhere else.
"""

from alembic import context


def run() -> None:
    """Run the revisions of the chosen folder on the caller's connection, in one transaction."""
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


run()
