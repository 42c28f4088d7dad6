-- 0002_runs.sql: what was asked to run, who claimed it, and how it ended.
--
-- The authorizer writes runs and executions, with the decision; the recorder
-- writes all the rest, from Kafka, and its offsets in the same transactions.
-- No foreign key leads from the recorder's tables to the authorizer's: results
-- must be kept even where an older backup lacks the row that they belong to.

CREATE DOMAIN outcome AS text
    CHECK (VALUE IN ('succeeded', 'failed', 'timed_out', 'cancelled', 'expired',
                     'interrupted', 'lost'));

CREATE TABLE runs (
    id           uuid PRIMARY KEY REFERENCES requests,
    hash         sha256 NOT NULL REFERENCES envelopes,
    command_id   uuid NOT NULL,
    version      positive NOT NULL,
    command_hash sha256 NOT NULL REFERENCES envelopes,
    user_id      uuid NOT NULL REFERENCES users,
    asked_at     timestamptz NOT NULL,
    deadline     timestamptz NOT NULL,
    arguments    json NOT NULL,
    FOREIGN KEY (command_id, version) REFERENCES command_versions
);
CREATE INDEX runs_time ON runs (asked_at, id);
CREATE INDEX runs_user ON runs (user_id, asked_at, id);
-- A run is found by its id's ending: reverse(id::text) LIKE reverse($1) || '%'.
CREATE INDEX runs_ending ON runs (reverse(id::text) text_pattern_ops);
CREATE INDEX runs_command ON runs (command_id, asked_at, id);
COMMENT ON TABLE runs IS
    'Written by the authorizer, insert only. id is the request''s; hash is that of run.start, command_hash of command.save; asked_at is when run.start was issued.';

CREATE TABLE executions (
    id         uuid PRIMARY KEY,
    run_id     uuid NOT NULL REFERENCES runs,
    target     simple_name NOT NULL REFERENCES targets,
    generation positive NOT NULL,
    attempt    positive NOT NULL,
    dispatch   bytea NOT NULL CHECK (octet_length(dispatch) <= 2097152),
    issued     timestamptz NOT NULL,
    expires    timestamptz NOT NULL CHECK (expires > issued),
    ended      boolean NOT NULL DEFAULT false,
    UNIQUE (run_id, target, attempt)
);
CREATE INDEX executions_open ON executions (expires) WHERE NOT ended;
COMMENT ON TABLE executions IS
    'Written by the authorizer, insert only; ended is kept by triggers.';
COMMENT ON COLUMN executions.dispatch IS
    'The dispatch as it was decided, a DSSE envelope: what is produced, also the second time.';
COMMENT ON COLUMN executions.ended IS
    'There is an outcome in results (lost counts): nobody needs to look after it.';

CREATE TABLE claims (
    execution_id uuid NOT NULL,
    target       simple_name NOT NULL,
    generation   positive NOT NULL,
    claim_offset bigint NOT NULL CHECK (claim_offset >= 0),
    kind         text NOT NULL CHECK (kind IN ('executor', 'closing', 'void')),
    incarnation  uuid,
    closing      text CHECK (closing IN ('expired', 'cancelled')),
    service_hash sha256,
    appended_at  timestamptz NOT NULL,
    reason       text,
    PRIMARY KEY (execution_id, target, generation),
    CHECK ((kind = 'executor') = (incarnation IS NOT NULL)),
    CHECK ((kind = 'closing') = (closing IS NOT NULL)),
    CHECK (kind = 'void' OR service_hash IS NOT NULL)
);
COMMENT ON TABLE claims IS
    'Written by the recorder, insert only. The first record with this key in that target''s claim log; one that it could not attribute is void, with the reason. appended_at is the broker''s time.';

CREATE TABLE results (
    execution_id  uuid PRIMARY KEY,
    incarnation   uuid,
    claim_offset  bigint CHECK (claim_offset >= 0),
    service_hash  sha256 NOT NULL,
    started_at    timestamptz,
    started_hash  sha256,
    finished_at   timestamptz,
    finished_hash sha256,
    outcome       outcome,
    said_by       text CHECK (said_by IN ('executor', 'scheduler')),
    was_started   boolean,
    exit_status   integer CHECK (exit_status BETWEEN 0 AND 255),
    signal        integer CHECK (signal BETWEEN 1 AND 127),
    chunks        bigint CHECK (chunks >= 0),
    chain_head    sha256,
    dropped       bigint CHECK (dropped >= 0),
    reason        text,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (started_at IS NOT NULL OR outcome IS NOT NULL),
    CHECK ((started_at IS NULL) = (started_hash IS NULL)),
    CHECK ((outcome IS NULL) = (said_by IS NULL)),
    CHECK ((outcome IS NULL) = (finished_at IS NULL)),
    CHECK ((outcome IS NULL) = (finished_hash IS NULL)),
    CHECK (outcome <> 'lost' OR said_by = 'scheduler'),
    CHECK (said_by <> 'scheduler'
           OR outcome IN ('cancelled', 'expired', 'interrupted', 'lost'))
);
COMMENT ON TABLE results IS
    'Written by the recorder. How an execution went: started, then an outcome; only lost gives way, once, to what the executor says. recorded_at is this server''s time.';
COMMENT ON COLUMN results.service_hash IS
    'The service.enrol of who signed what stands here last.';
COMMENT ON COLUMN results.was_started IS
    'Whether the child was reached; NULL: unknown.';
COMMENT ON COLUMN results.chain_head IS
    'The hash that finished says it follows: of the last chunk, or of started.';
COMMENT ON COLUMN results.dropped IS 'Bytes of output that were not kept.';

CREATE TABLE outputs (
    execution_id uuid NOT NULL,
    number       bigint NOT NULL CHECK (number >= 1),
    stream       text NOT NULL CHECK (stream IN ('stdout', 'stderr')),
    data         bytea NOT NULL CHECK (octet_length(data) <= 65536),
    at           timestamptz NOT NULL,
    hash         sha256 NOT NULL,
    PRIMARY KEY (execution_id, number)
);
COMMENT ON TABLE outputs IS
    'Written by the recorder, insert only. Output in chunks, numbered from 1; hash is that of execution.output, or of the execution.finished that brought it.';

CREATE TABLE executors (
    name        simple_name PRIMARY KEY,
    target      simple_name NOT NULL,
    incarnation uuid NOT NULL,
    hello_at    timestamptz NOT NULL,
    heard_at    timestamptz NOT NULL,
    slots       integer NOT NULL CHECK (slots BETWEEN 0 AND 10000),
    version     text NOT NULL,
    running     uuid[] NOT NULL DEFAULT '{}'
);
CREATE INDEX executors_target ON executors (target);
COMMENT ON TABLE executors IS
    'Written by the recorder. Each executor''s newest hello: hello_at by its own clock, heard_at by the broker''s.';

CREATE TABLE incarnations (
    incarnation uuid PRIMARY KEY,
    executor    simple_name NOT NULL,
    target      simple_name NOT NULL,
    first_heard timestamptz NOT NULL,
    last_heard  timestamptz NOT NULL,
    running     uuid[] NOT NULL DEFAULT '{}',
    CHECK (last_heard >= first_heard)
);
CREATE INDEX incarnations_executor ON incarnations (executor, first_heard);
COMMENT ON TABLE incarnations IS
    'Written by the recorder. Each life of an executor, by the broker''s time: lost is judged of these. running is what its newest hello listed.';

CREATE TABLE positions (
    reader     text NOT NULL,
    topic      text NOT NULL,
    partition  integer NOT NULL CHECK (partition >= 0),
    next       bigint NOT NULL CHECK (next >= 0),
    cluster_id text NOT NULL,
    last_hash  sha256,
    read_until timestamptz,
    PRIMARY KEY (reader, topic, partition)
);
COMMENT ON TABLE positions IS
    'Written by the recorder, with the rows that it read (UPDATE … WHERE next = old). last_hash is that of the record at next - 1; all that the broker appended before read_until has been read.';

-- An outcome stands for ever, but for lost: the second lock on that door, beside
-- the recorder's own statements. (23000: the recorder puts the record aside.)
CREATE FUNCTION results_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome <> 'lost' AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'execution % has its outcome: %', OLD.execution_id,
            OLD.outcome USING ERRCODE = 'integrity_constraint_violation';
    ELSIF OLD.outcome = 'lost' AND NEW.outcome IS DISTINCT FROM 'lost'
            AND NEW.said_by IS DISTINCT FROM 'executor' THEN
        RAISE EXCEPTION 'only the executor knows better than lost: execution %',
            OLD.execution_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER results_forward BEFORE UPDATE ON results
    FOR EACH ROW EXECUTE FUNCTION results_forward();

-- executions.ended follows results, whichever of the two comes first. Daemons'
-- sessions plan these two statements while the tables are small, and keep the
-- plan: enable_seqscan and the bare key make it the primary key's index for ever
-- (60,000 results in one batch took 400 s otherwise, 2 s so).
CREATE FUNCTION results_end_execution() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET enable_seqscan = off AS $$
BEGIN
    UPDATE executions SET ended = true WHERE id = NEW.execution_id;
    RETURN NULL;
END $$;
CREATE TRIGGER results_end_execution AFTER INSERT OR UPDATE OF outcome ON results
    FOR EACH ROW WHEN (NEW.outcome IS NOT NULL)
    EXECUTE FUNCTION results_end_execution();

CREATE FUNCTION executions_ended_before() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public
    SET enable_seqscan = off AS $$
BEGIN
    NEW.ended := EXISTS (SELECT FROM results
        WHERE execution_id = NEW.id AND outcome IS NOT NULL);
    RETURN NEW;
END $$;
CREATE TRIGGER executions_ended_before BEFORE INSERT ON executions
    FOR EACH ROW EXECUTE FUNCTION executions_ended_before();

CREATE VIEW execution_states AS
    SELECT e.id, e.run_id, e.target, e.generation, e.attempt, e.issued, e.expires,
           CASE WHEN r.outcome IS NOT NULL THEN r.outcome::text
                WHEN r.started_at IS NOT NULL THEN 'running'
                WHEN c.kind = 'executor' THEN 'claimed'
                ELSE 'waiting' END AS state,
           r.outcome, r.said_by, r.was_started, r.started_at, r.finished_at,
           r.exit_status, r.signal, r.chunks, r.dropped, r.reason,
           c.kind AS claim, coalesce(c.incarnation, r.incarnation) AS incarnation
      FROM executions e
      LEFT JOIN results r ON r.execution_id = e.id
      LEFT JOIN claims c ON c.execution_id = e.id AND c.target = e.target
                        AND c.generation = e.generation;
COMMENT ON VIEW execution_states IS
    'waiting, claimed, running, or the outcome of each execution.';

-- Of several outcomes the first of this list is the run's: what is known least,
-- then what went wrong, then what was not done.
CREATE VIEW run_states AS
    SELECT r.id, r.command_id, r.version, r.user_id, r.asked_at, r.deadline,
           r.arguments, s.executions, s.ended, s.started_at,
           CASE WHEN s.ended = s.executions THEN s.finished_at END AS finished_at,
           CASE WHEN s.ended = s.executions THEN s.worst END AS outcome,
           CASE WHEN s.ended = s.executions THEN coalesce(s.worst, 'accepted')
                WHEN s.ended > 0 OR s.started_at IS NOT NULL THEN 'running'
                ELSE 'accepted' END AS state
      FROM runs r
     CROSS JOIN LATERAL (
        SELECT count(*) AS executions, count(x.outcome) AS ended,
               min(x.started_at) AS started_at, max(x.finished_at) AS finished_at,
               (ARRAY['lost', 'interrupted', 'failed', 'timed_out', 'expired',
                      'cancelled', 'succeeded'])[min(array_position(
                ARRAY['lost', 'interrupted', 'failed', 'timed_out', 'expired',
                      'cancelled', 'succeeded'], x.outcome::text))] AS worst
          FROM execution_states x WHERE x.run_id = r.id) s;
COMMENT ON VIEW run_states IS
    'accepted, running, or the outcome of each run over its executions.';

GRANT SELECT ON ALL TABLES IN SCHEMA public TO errand_authorizer, errand_reader;
GRANT INSERT ON runs TO errand_authorizer;
GRANT INSERT (id, run_id, target, generation, attempt, dispatch, issued, expires)
    ON executions TO errand_authorizer;

GRANT SELECT (id, run_id, target, generation, attempt, issued, expires, ended)
    ON executions TO errand_recorder, errand_scheduler;
GRANT SELECT, INSERT ON claims, results, outputs, executors, incarnations,
    positions TO errand_recorder;
GRANT UPDATE (incarnation, claim_offset, service_hash, started_at, started_hash,
    finished_at, finished_hash, outcome, said_by, was_started, exit_status,
    signal, chunks, chain_head, dropped, reason, recorded_at)
    ON results TO errand_recorder;
GRANT UPDATE (target, incarnation, hello_at, heard_at, slots, version, running)
    ON executors TO errand_recorder;
GRANT UPDATE (last_heard, running) ON incarnations TO errand_recorder;
GRANT UPDATE (next, cluster_id, last_hash, read_until) ON positions
    TO errand_recorder;

GRANT SELECT ON claims, results, executors, incarnations, positions,
    execution_states TO errand_scheduler;
GRANT SELECT (id, hash, command_id, version, user_id, asked_at, deadline)
    ON runs TO errand_scheduler;
