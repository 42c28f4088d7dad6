-- roles.sql: one role for each daemon, the owner of the tables, and a reader
-- for people. Applied by schema/migrate before the migrations, every time: it
-- may be repeated, and brings back the settings below. Passwords and who may
-- log in from where are pg_hba.conf's business (ops/).
--
-- A process that was stopped inside a transaction must not hold up the others,
-- nor one whose host is gone: hence the time-outs. `synchronous_commit` is what
-- "accepted" and "exactly once" rest on.

DO $$
DECLARE
    who text;
BEGIN
    FOREACH who IN ARRAY ARRAY['errand_owner', 'errand_authorizer',
            'errand_recorder', 'errand_scheduler', 'errand_reader']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = who) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', who);
        END IF;
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', who, '5s');
        EXECUTE format('ALTER ROLE %I SET tcp_keepalives_idle = %L', who, '5s');
        EXECUTE format('ALTER ROLE %I SET tcp_keepalives_interval = %L', who, '2s');
        EXECUTE format('ALTER ROLE %I SET tcp_keepalives_count = 3', who);
        EXECUTE format('ALTER ROLE %I SET tcp_user_timeout = %L', who, '15s');
        EXECUTE format('ALTER ROLE %I SET client_connection_check_interval = %L', who, '5s');
        EXECUTE format('ALTER ROLE %I SET synchronous_commit = on', who);
        EXECUTE format('ALTER ROLE %I SET timezone = %L', who, 'UTC');
        EXECUTE format('ALTER ROLE %I SET search_path = public', who);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), who);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', who);
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END $$;

ALTER ROLE errand_reader SET default_transaction_read_only = on;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO errand_owner;
