-- What may the running service do in its database? Insert and read, and nothing that changes what was recorded.
--
-- Run this as the owner of the tables (who runs `audit init` and `audit db upgrade`) after each of these two commands;
-- it may be run again at any time. Then give the role a password (\password audit_service) and start the service with
-- AUDIT_DATABASE_URL=postgresql://audit_service:…@host/database.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'audit_service') THEN
        CREATE ROLE audit_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA ledger, projections FROM PUBLIC, audit_service;
REVOKE ALL ON SCHEMA ledger, projections FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger, projections TO audit_service;
GRANT SELECT ON ledger.alembic_version, projections.alembic_version TO audit_service;

-- What was recorded: no UPDATE, no DELETE, no TRUNCATE. Triggers refuse the same to everybody, the owner included.
GRANT SELECT, INSERT ON ledger.events, ledger.submissions, ledger.checkpoints TO audit_service;

-- The head moves with every commit; it is one row, which is never inserted again and never deleted.
GRANT SELECT, UPDATE ON ledger.head TO audit_service;

-- Tokens are revoked and acts get their index; none is deleted.
GRANT SELECT, INSERT, UPDATE ON ledger.tokens, ledger.acts TO audit_service;
GRANT USAGE ON SEQUENCE ledger.acts_act_id_seq TO audit_service;

-- Read models may be deleted and computed again.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO audit_service;
REVOKE INSERT, UPDATE, DELETE ON projections.alembic_version FROM audit_service;
