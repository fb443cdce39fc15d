-- Several hosts: what may the service do in the database of its sign-state journal?
--
-- Run this in that database, as the owner of its tables, after `audit init` and `audit db upgrade`; it may be run again
-- at any time. The role is that of postgres-roles.sql where both databases are on one server.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'audit_service') THEN
        CREATE ROLE audit_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA journal FROM PUBLIC, audit_service;
REVOKE ALL ON SCHEMA journal FROM PUBLIC;
GRANT USAGE ON SCHEMA journal TO audit_service;
GRANT SELECT ON journal.alembic_version TO audit_service;

-- The head is compared and moved; records are added, and dropped once they are published. None is ever changed.
GRANT SELECT, UPDATE ON journal.head TO audit_service;
GRANT SELECT, INSERT, DELETE ON journal.records TO audit_service;
