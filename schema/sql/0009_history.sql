-- 0009_history.sql: how runs ended, as a table: so that history finds those of
-- one outcome without a look at all that ever ran.
--
-- What an outcome is stays said in one place, the view run_states; this follows
-- it, whenever an execution comes, or ends. (A run whose next execution comes in
-- the very moment in which its last one ends may stand here until that ends,
-- too: history shows what run_states says beside it.)

CREATE TABLE run_outcomes (
    id         uuid PRIMARY KEY,
    command_id uuid NOT NULL,
    user_id    uuid NOT NULL,
    asked_at   timestamptz NOT NULL,
    outcome    outcome NOT NULL
);
CREATE INDEX run_outcomes_time ON run_outcomes (outcome, asked_at, id);
CREATE INDEX run_outcomes_command ON run_outcomes (command_id, outcome, asked_at, id);
COMMENT ON TABLE run_outcomes IS
    'Kept by triggers: each run of which every execution has ended, with what history filters by.';

-- Sessions keep the plans of these statements: the settings make them the keys'
-- indexes for ever (see 0002_runs.sql).
CREATE FUNCTION executions_tell_run() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO run_outcomes (id, command_id, user_id, asked_at, outcome)
        SELECT s.id, s.command_id, s.user_id, s.asked_at, s.outcome::outcome
          FROM run_states s WHERE s.id = NEW.run_id AND s.outcome IS NOT NULL
        ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome
        WHERE run_outcomes.outcome <> excluded.outcome;
    IF NOT NEW.ended THEN
        DELETE FROM run_outcomes WHERE id = NEW.run_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER executions_tell_run AFTER INSERT OR UPDATE OF ended ON executions
    FOR EACH ROW EXECUTE FUNCTION executions_tell_run();

INSERT INTO run_outcomes (id, command_id, user_id, asked_at, outcome)
    SELECT id, command_id, user_id, asked_at, outcome::outcome FROM run_states
     WHERE outcome IS NOT NULL;

GRANT SELECT ON run_outcomes TO errand_authorizer, errand_reader;
