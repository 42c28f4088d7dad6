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

-- What follows from the outcomes of a run, until it is over.
ALTER TABLE runs
    ADD COLUMN advancing boolean NOT NULL DEFAULT false,
    ADD COLUMN begun boolean NOT NULL DEFAULT true,
    ADD COLUMN attempts positive NOT NULL DEFAULT 1,
    ADD COLUMN progress sha256,
    ADD COLUMN turn sha256,
    ADD COLUMN place bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
CREATE INDEX runs_advancing ON runs (id) WHERE advancing;
CREATE INDEX runs_turn ON runs (turn, place) WHERE advancing AND turn IS NOT NULL;
COMMENT ON TABLE runs IS
    'Written by the authorizer; but for advancing, begun and progress, insert only. id is the request''s; hash is that of run.start, command_hash of command.save; asked_at is when run.start was issued.';
COMMENT ON COLUMN runs.advancing IS
    'Something may follow from its outcomes, which run.advance decides: it is not over.';
COMMENT ON COLUMN runs.begun IS
    'Its turn has come, among the runs of its command.';
COMMENT ON COLUMN runs.attempts IS
    'How often it may be tried on each target, as the command''s author signed.';
COMMENT ON COLUMN runs.progress IS
    'run_progress() behind the last decision on it: as long as that stays, nothing follows.';
COMMENT ON COLUMN runs.turn IS
    'What runs of which one at a time goes on have in common (model/pace.h).';
COMMENT ON COLUMN runs.place IS
    'The order in which runs of one turn were decided.';

ALTER TABLE executions ADD COLUMN due timestamptz;
COMMENT ON COLUMN executions.due IS
    'A planned one is not dispatched before; NULL: at once.';

-- How many runs go on that have the turn before this one.
CREATE FUNCTION run_ahead(run uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM runs r JOIN runs o ON o.turn = r.turn AND o.advancing
     WHERE r.id = run AND o.id <> r.id AND (o.begun OR o.place < r.place)
$$;
COMMENT ON FUNCTION run_ahead IS
    'Of the runs of its turn that go on, those that began, or were decided before it.';

CREATE INDEX cancellations_request ON cancellations (request_id);

-- All that a decision on a run rests on, in one hash. What moves it moves it
-- forward, so no value comes again: two who see the same ask for the same.
CREATE FUNCTION run_progress(run uuid, moment timestamptz) RETURNS sha256
    LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws(' ', r.begun,
        CASE WHEN NOT r.begun THEN run_ahead(r.id) END,
        (SELECT string_agg(concat_ws(',', e.id, e.issued IS NOT NULL,
                e.withheld IS NOT NULL, coalesce(e.due <= moment, true),
                c.execution_id IS NOT NULL, x.outcome),
                ' ' ORDER BY e.target, e.attempt)
           FROM executions e
           LEFT JOIN cancellations c ON c.execution_id = e.id
           LEFT JOIN results x ON x.execution_id = e.id
          WHERE e.run_id = r.id)), 'UTF8'))
      FROM runs r WHERE r.id = run
$$;
COMMENT ON FUNCTION run_progress IS
    'How a run is: whether its turn has come, what goes on before it, and how each of its executions is.';

-- Of several attempts on a target the last one tells; and nothing is the run's
-- outcome while something may follow.
CREATE OR REPLACE VIEW run_states AS
    SELECT r.id, r.command_id, r.version, r.user_id, r.asked_at, r.deadline,
           r.arguments, s.executions, s.ended, s.started_at,
           CASE WHEN s.over THEN s.finished_at END AS finished_at,
           CASE WHEN s.over THEN s.worst END AS outcome,
           CASE WHEN s.over THEN coalesce(s.worst, 'accepted')
                WHEN s.ended > 0 OR s.started_at IS NOT NULL THEN 'running'
                ELSE 'accepted' END AS state
      FROM runs r
     CROSS JOIN LATERAL (
        SELECT count(*) AS executions, count(x.outcome) AS ended,
               min(x.started_at) AS started_at, max(x.finished_at) AS finished_at,
               (ARRAY['lost', 'interrupted', 'failed', 'timed_out', 'expired',
                      'cancelled', 'succeeded'])[min(array_position(
                ARRAY['lost', 'interrupted', 'failed', 'timed_out', 'expired',
                      'cancelled', 'succeeded'], x.outcome::text))
                   FILTER (WHERE x.last)] AS worst,
               count(x.outcome) = count(*) AND NOT r.advancing AS over
          FROM (SELECT y.*, y.attempt = max(y.attempt) OVER (PARTITION BY y.target)
                       AS last
                  FROM execution_states y WHERE y.run_id = r.id) x) s;
COMMENT ON VIEW run_states IS
    'accepted, running, or the outcome of each run over the last attempts on its targets.';

-- The scheduler listens: something may follow now.
CREATE OR REPLACE FUNCTION executions_tell_run() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM pg_notify('errand_advance', '') FROM runs
      WHERE id = NEW.run_id AND advancing AND NEW.ended;
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

-- The end of a run with several decisions, and the turn of the next one.
CREATE FUNCTION runs_tell_end() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM pg_notify('errand_advance', '') WHERE NEW.turn IS NOT NULL;
    INSERT INTO run_outcomes (id, command_id, user_id, asked_at, outcome)
        SELECT s.id, s.command_id, s.user_id, s.asked_at, s.outcome::outcome
          FROM run_states s WHERE s.id = NEW.id AND s.outcome IS NOT NULL
        ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome
        WHERE run_outcomes.outcome <> excluded.outcome;
    RETURN NULL;
END $$;
CREATE TRIGGER runs_tell_end AFTER UPDATE OF advancing ON runs
    FOR EACH ROW WHEN (OLD.advancing AND NOT NEW.advancing)
    EXECUTE FUNCTION runs_tell_end();

GRANT UPDATE (advancing, begun, progress) ON runs TO errand_authorizer;
GRANT INSERT (due) ON executions TO errand_authorizer;
GRANT SELECT (advancing, begun, progress, turn, place) ON runs TO errand_scheduler;
GRANT SELECT (due) ON executions TO errand_scheduler;
GRANT SELECT (execution_id) ON cancellations TO errand_scheduler;
