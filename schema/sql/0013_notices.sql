-- 0013_notices.sql: ends of runs that somebody is to be told of.
--
-- A row comes with the run's outcome, in the same transaction, and goes once the
-- authorizer has told it on errand.events: so an end is told at least once,
-- whoever is killed. This trigger is the one place where "a run has ended" is
-- seen; what an end is, run_outcomes says (0009_history.sql).

ALTER TABLE command_versions ADD COLUMN notifies boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN command_versions.notifies IS
    'Its command.save names somebody who is told how its runs end.';

CREATE TABLE notices (
    run_id   uuid NOT NULL,
    outcome  outcome NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, outcome)
);
COMMENT ON TABLE notices IS
    'Kept by triggers: ends of runs that are not told on errand.events yet. The authorizer deletes what it has told. Only of commands that say notify, and only while a notifier is enrolled: who is enrolled later tells nothing old.';

-- See 0002_runs.sql for why the settings.
CREATE FUNCTION run_outcomes_tell() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO notices (run_id, outcome)
        SELECT r.id, NEW.outcome FROM runs r
          JOIN command_versions v ON v.command_id = r.command_id
                                 AND v.version = r.version
         WHERE r.id = NEW.id AND v.notifies AND EXISTS (SELECT FROM services
                WHERE kind = 'notifier' AND revoked_at IS NULL)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER run_outcomes_tell AFTER INSERT OR UPDATE OF outcome ON run_outcomes
    FOR EACH ROW EXECUTE FUNCTION run_outcomes_tell();

GRANT SELECT ON notices TO errand_authorizer, errand_reader;
GRANT DELETE ON notices TO errand_authorizer;
