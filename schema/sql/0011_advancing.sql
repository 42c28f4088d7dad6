-- 0011_advancing.sql: executions that are planned with their run, and dispatched
-- by another decision, when their time comes.
--
-- A planned one has its row, and its id, from the run's decision on, so that it is
-- counted, shown, cancelled and ended like any other. Whoever dispatches it writes
-- dispatch, issued and expires at once, and once.

ALTER TABLE executions
    ALTER COLUMN dispatch DROP NOT NULL,
    ALTER COLUMN issued DROP NOT NULL,
    ALTER COLUMN expires DROP NOT NULL,
    ADD COLUMN withheld text,
    ADD CHECK ((dispatch IS NULL) = (issued IS NULL)
               AND (dispatch IS NULL) = (expires IS NULL)),
    ADD CHECK (withheld IS NULL OR dispatch IS NULL);
COMMENT ON TABLE executions IS
    'Written by the authorizer, with the run; dispatch, issued and expires once, when its time has come. ended is kept by triggers.';
COMMENT ON COLUMN executions.dispatch IS
    'The dispatch as it was decided, a DSSE envelope: what is produced, also the second time. NULL: planned.';
COMMENT ON COLUMN executions.withheld IS
    'Why it is never dispatched: a closing claim ends it.';

-- Nothing of it changes, or comes a second time.
CREATE FUNCTION executions_dispatched_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'execution % is dispatched or withheld', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER executions_dispatched_once
    BEFORE UPDATE OF dispatch, issued, expires, withheld ON executions
    FOR EACH ROW WHEN (OLD.dispatch IS NOT NULL OR OLD.withheld IS NOT NULL)
    EXECUTE FUNCTION executions_dispatched_once();

CREATE OR REPLACE VIEW execution_states AS
    SELECT e.id, e.run_id, e.target, e.generation, e.attempt, e.issued, e.expires,
           CASE WHEN r.outcome IS NOT NULL THEN r.outcome::text
                WHEN r.started_at IS NOT NULL THEN 'running'
                WHEN c.kind = 'executor' THEN 'claimed'
                WHEN e.dispatch IS NOT NULL THEN 'waiting'
                ELSE 'planned' END AS state,
           r.outcome, r.said_by, r.was_started, r.started_at, r.finished_at,
           r.exit_status, r.signal, r.chunks, r.dropped, r.reason,
           c.kind AS claim, coalesce(c.incarnation, r.incarnation) AS incarnation
      FROM executions e
      LEFT JOIN results r ON r.execution_id = e.id
      LEFT JOIN claims c ON c.execution_id = e.id AND c.target = e.target
                        AND c.generation = e.generation;
COMMENT ON VIEW execution_states IS
    'planned, waiting, claimed, running, or the outcome of each execution.';

GRANT UPDATE (dispatch, issued, expires, withheld) ON executions
    TO errand_authorizer;
GRANT SELECT (withheld) ON executions TO errand_scheduler;
