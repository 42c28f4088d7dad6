-- 0017_retention.sql: what is old goes, once the policy's `keep` is over.
--
-- Two tables have nearly all the bytes: requests (with what was signed of runs)
-- and outputs. They lie in months, which are dropped whole. Ids of requests and
-- runs begin with their milliseconds, those of executions with their run's: so a
-- month is a range of ids, and a primary key is as unique as it was. What has an
-- id of no month goes to a table's *_other: a month that is missing holds up
-- nobody. A foreign key to or from a table in months would lock the other table
-- whenever a month comes or goes: there are none.
--
-- The small rows of a run (runs, executions, claims, results …) are joined by
-- every statement there is, and a join over months looks at each of them. They
-- stay whole tables, with all their keys; what is old of them is deleted in
-- small pieces, by ranges of ids, before their month is dropped.
--
-- The authorizer asks for all of it (the functions at the end); by which rule is
-- decided here, and no daemon owns a table.

ALTER TABLE policies ADD COLUMN keep integer CHECK (keep BETWEEN 2678400 AND 315360000);
COMMENT ON COLUMN policies.keep IS
    'How long runs, results, output and requests are kept, in seconds; NULL: for ever.';

CREATE TABLE months (
    month   date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE months IS
    'Kept by retention_make() and retention_cut(). The months (UTC) of requests and outputs.';

CREATE TABLE audit_cuts (
    hash   sha256 PRIMARY KEY REFERENCES envelopes,
    month  date NOT NULL,
    cut_at timestamptz NOT NULL,
    told   boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE audit_cuts IS
    'Written by the authorizer, insert only. hash is that of the audit.cut that tells which rows of the chains went with a month; several where they are many. told: it is on errand.events.';

CREATE TABLE audit_spans (
    hash      sha256 NOT NULL REFERENCES audit_cuts,
    partition integer NOT NULL,
    first     bigint NOT NULL CHECK (first >= 1),
    last      bigint NOT NULL CHECK (last >= first),
    previous  sha256 NOT NULL,
    head      sha256 NOT NULL,
    PRIMARY KEY (partition, first)
);
COMMENT ON TABLE audit_spans IS
    'Written by the authorizer, insert only. The rows first to last of a chain, which are gone; previous is the row_hash of the row before, head that of the last of them. As in the audit.cut.';

-- Moments, months and ids.

-- The least id of a moment.
CREATE FUNCTION uuid_at(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
    RETURN rpad(lpad(to_hex(to_ms(at)), 12, '0'), 32, '0')::uuid;

-- Between which ids all are that begin with this one's milliseconds: who asks for
-- a run's output says so, and finds it in its month at once.
CREATE FUNCTION moment_low(id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (left(id::text, 13) || '-0000-0000-000000000000')::uuid;
CREATE FUNCTION moment_high(id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (left(id::text, 13) || '-ffff-ffff-ffffffffffff')::uuid;

CREATE FUNCTION month_start(month date) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
    RETURN month::timestamp AT TIME ZONE 'UTC';

CREATE FUNCTION month_end(month date) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
    RETURN (month + interval '1 month') AT TIME ZONE 'UTC';

CREATE FUNCTION month_of(at timestamptz) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
    RETURN date_trunc('month', at AT TIME ZONE 'UTC')::date;

CREATE FUNCTION month_table(name name, month date) RETURNS name
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
    RETURN (name || to_char(month, '_YYYYMM'))::name;

-- What was signed of a run is kept beside its request from now on, not among the
-- envelopes that give somebody a right: so it goes with its month.

ALTER TABLE runs
    DROP CONSTRAINT runs_id_fkey,
    DROP CONSTRAINT runs_hash_fkey,
    DROP CONSTRAINT runs_command_hash_fkey,
    ADD FOREIGN KEY (command_hash) REFERENCES command_versions (hash);
ALTER TABLE votes DROP CONSTRAINT votes_hash_fkey, ADD COLUMN id uuid;
UPDATE votes v SET id = r.id FROM requests r WHERE r.hash = v.hash;
ALTER TABLE votes ALTER COLUMN id SET NOT NULL;
COMMENT ON COLUMN votes.id IS 'The request''s, beside which its envelope is.';
COMMENT ON TABLE runs IS
    'Written by the authorizer; but for advancing, begun and progress, insert only. id is the request''s, which holds its envelope; hash is that of run.start, command_hash of command.save; asked_at is when run.start was issued.';
COMMENT ON COLUMN requests.envelope IS
    'What was signed, for a read, a refusal, and what goes with its month (of a run, or the end of a session); another accepted change has it in envelopes, a refusal of over 64 KiB nowhere.';

WITH moved AS (
    UPDATE requests r SET envelope = e.envelope FROM envelopes e
     WHERE e.hash = r.hash AND r.decision = 'accepted'
       AND (r.verb LIKE 'run.%' OR r.verb = 'session.close')
    RETURNING r.hash)
DELETE FROM envelopes e USING moved m WHERE e.hash = m.hash;

-- Who confirmed somebody, and who ended them and when, was looked up in the
-- request, which goes now.

ALTER TABLE confirmations ADD COLUMN confirmed_by uuid REFERENCES users;
UPDATE confirmations k SET confirmed_by =
    (SELECT r.user_id FROM requests r WHERE r.hash = k.confirm_hash LIMIT 1);
ALTER TABLE revocations
    ADD COLUMN signed_by uuid REFERENCES users,
    ADD COLUMN signed_at timestamptz;
UPDATE revocations v SET (signed_by, signed_at) =
    (SELECT r.user_id, r.issued FROM requests r WHERE r.hash = v.hash LIMIT 1);

-- Executions' ids were bare hashes: they begin with their run's milliseconds now,
-- and then are what model/run.h derives, but for those of ticks, which go by the
-- tick's id since. (What waited on a topic meanwhile, or was planned by a tick, has
-- another id, starts nowhere, and expires.)

CREATE FUNCTION id_of_run(id uuid, run uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT SET search_path = public, pg_temp
    RETURN (left(run::text, 14) || '8' || substr(id::text, 16, 4)
        || substr('89ab', (('x' || substr(id::text, 20, 1))::bit(4) & x'3')::integer + 1, 1)
        || substr(id::text, 21))::uuid;
CREATE TABLE renamed AS
    SELECT id AS before, id_of_run(id, run_id) AS now FROM executions;
ANALYZE renamed;
ALTER TABLE cancellations
    DROP CONSTRAINT cancellations_execution_id_fkey,
    DROP CONSTRAINT cancellations_request_id_fkey;
ALTER TABLE executions DISABLE TRIGGER USER;
ALTER TABLE results DISABLE TRIGGER USER;
UPDATE executions x SET id = r.now FROM renamed r WHERE x.id = r.before;
UPDATE cancellations x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
UPDATE claims x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
UPDATE results x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
UPDATE outputs x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
ALTER TABLE executions ENABLE TRIGGER USER;
ALTER TABLE results ENABLE TRIGGER USER;
ALTER TABLE cancellations
    ADD FOREIGN KEY (execution_id) REFERENCES executions;
DROP TABLE renamed;
DROP FUNCTION id_of_run;

-- The two tables.

ALTER TABLE approvals DROP CONSTRAINT approvals_closed_by_fkey;
ALTER TABLE schedules DROP CONSTRAINT schedules_tick_id_fkey;

ALTER TABLE requests RENAME TO requests_before;
CREATE TABLE requests (
    LIKE requests_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS
) PARTITION BY RANGE (id);
CREATE TABLE requests_other PARTITION OF requests DEFAULT;
ALTER TABLE outputs RENAME TO outputs_before;
CREATE TABLE outputs (
    LIKE outputs_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS
) PARTITION BY RANGE (execution_id);
CREATE TABLE outputs_other PARTITION OF outputs DEFAULT;

COMMENT ON TABLE requests IS
    'Written by the authorizer, insert only; in months. Each request was decided once: its id is the arbiter. hash is that of the signed bytes; decided_at this server''s time.';
COMMENT ON TABLE outputs IS
    'Written by the recorder, insert only; in months. Output in chunks, numbered from 1; hash is that of execution.output, or of the execution.finished that brought it.';

-- One table's month, like its *_other. Attached, not made in place: that would
-- lock out whoever works with the table. What came to *_other before its month was
-- there moves, and nothing comes there meanwhile.
CREATE FUNCTION retention_make_one(name name, key name, month date) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    leaf  name := month_table(name, month);
    other name := name || '_other';
    low   uuid := uuid_at(month_start(month));
    high  uuid := uuid_at(month_end(month));
BEGIN
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', other);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', leaf, other);
    EXECUTE format('WITH strays AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND'
        ' %2$I < %4$L RETURNING *) INSERT INTO %5$I SELECT * FROM strays',
        other, key, low, high, leaf);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, leaf, low, high);
END $$;

CREATE FUNCTION retention_make(month date) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO months (month) VALUES ($1) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM retention_make_one('requests', 'id', $1),
                retention_make_one('outputs', 'execution_id', $1);
    END IF;
END $$;

-- From the first month that has anything, and one ahead; then the rows; indexes
-- last, but for what is unique in a month and not beyond.
SELECT retention_make(m::date) FROM generate_series(
    least(month_of(now()), (SELECT month_of(min(issued)) FROM requests_before)),
    month_of(now()) + interval '1 month', interval '1 month') m;
INSERT INTO requests SELECT * FROM requests_before;
INSERT INTO outputs SELECT * FROM outputs_before;
DROP TABLE requests_before, outputs_before;
ALTER TABLE requests ADD PRIMARY KEY (id);
CREATE INDEX requests_decided ON requests USING brin (decided_at);
CREATE INDEX requests_user ON requests (user_id, id);
ALTER TABLE outputs ADD PRIMARY KEY (execution_id, number);
CREATE UNIQUE INDEX ON requests_other (partition, number);
DO $$ BEGIN
    EXECUTE (SELECT string_agg(format('CREATE UNIQUE INDEX ON %I (partition, number)',
        month_table('requests', month)), '; ') FROM months);
END $$;

-- What the authorizer asks for. A table that somebody holds is not waited for.

CREATE FUNCTION retention_prepare() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '2s' AS $$
BEGIN
    PERFORM retention_make(m::date) FROM generate_series(month_of(now()),
        month_of(now()) + interval '1 month', interval '1 month') m;
END $$;
COMMENT ON FUNCTION retention_prepare() IS
    'Makes this month and the next, where they are not there.';

-- Something that is not over, of this month or from before it: an execution; a run
-- from whose outcomes more may follow, or that waits for approval; an end that
-- somebody is still to be told of.
CREATE FUNCTION month_is_open(month date) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM executions
                    WHERE NOT ended AND id < uuid_at(month_end($1)))
        OR EXISTS (SELECT FROM runs
                    WHERE advancing AND id < uuid_at(month_end($1)))
        OR EXISTS (SELECT FROM approvals
                    WHERE state = 'pending' AND run_id < uuid_at(month_end($1)))
        OR EXISTS (SELECT FROM notices WHERE run_id < uuid_at(month_end($1))) $$;

CREATE FUNCTION retention_due()
    RETURNS TABLE (month date, until timestamptz, policy sha256)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.month, month_end(m.month), p.hash
      FROM (SELECT hash, keep FROM policies ORDER BY version DESC LIMIT 1) p
      JOIN months m ON m.month = (SELECT min(month) FROM months)
     WHERE month_end(m.month) + p.keep * interval '1 s' <= now()
       AND NOT month_is_open(m.month) $$;
COMMENT ON FUNCTION retention_due() IS
    'The oldest month, once all of it is older than the policy keeps and nothing of it is open; and which policy.set says so. No row: none.';

-- The small rows of the oldest runs, of whole milliseconds; behind them what is
-- left of no run. Sessions stay: who asks by one that is over is refused, and that
-- row, which may be of a later month, was signed by it.
CREATE FUNCTION retention_clear(runs_at_once integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    before timestamptz := (SELECT d.until FROM retention_due() d);
    last  uuid := (SELECT moment_high(id) FROM (SELECT id FROM runs
        WHERE id < uuid_at(before) ORDER BY id LIMIT runs_at_once) r
        ORDER BY id DESC LIMIT 1);
    bound uuid := coalesce(last, uuid_at(before));
    cleared bigint;
BEGIN
    DELETE FROM mails m USING tellings t WHERE t.mail = m.id AND t.run_id <= bound;
    DELETE FROM tellings WHERE run_id <= bound;
    DELETE FROM votes WHERE run_id <= bound;
    DELETE FROM approvals WHERE run_id <= bound;
    DELETE FROM cancellations WHERE execution_id <= bound;
    DELETE FROM outputs_other WHERE execution_id <= bound;
    DELETE FROM claims WHERE execution_id <= bound;
    DELETE FROM results WHERE execution_id <= bound;
    DELETE FROM executions WHERE id <= bound;
    DELETE FROM run_outcomes WHERE id <= bound;
    DELETE FROM runs WHERE id <= bound;
    GET DIAGNOSTICS cleared = ROW_COUNT;
    RETURN cleared;
END $$;
COMMENT ON FUNCTION retention_clear(integer) IS
    'Deletes the small rows of so many runs of the month that is due. 0: nothing is left but the month itself.';

-- Runs of rows without a gap, in which each follows the one before: what was
-- altered or removed behind our back is in none, and stays to be noticed.
CREATE FUNCTION month_spans(month date)
    RETURNS TABLE (partition integer, first bigint, last bigint, previous sha256,
                   head sha256)
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH linked AS (
        SELECT r.partition, r.number, r.previous, r.row_hash,
               lag(r.number) OVER w IS DISTINCT FROM r.number - 1
                   OR lag(r.row_hash) OVER w IS DISTINCT FROM r.previous AS begins,
               lead(r.number) OVER w IS DISTINCT FROM r.number + 1
                   OR lead(r.previous) OVER w IS DISTINCT FROM r.row_hash AS ends
          FROM requests r WHERE r.number IS NOT NULL
           AND r.id >= uuid_at(month_start($1)) AND r.id < uuid_at(month_end($1))
        WINDOW w AS (PARTITION BY r.partition ORDER BY r.number)
    ), edges AS (
        SELECT l.partition, l.number, l.previous, l.begins,
               CASE WHEN l.ends THEN l.number ELSE lead(l.number) OVER w END AS last,
               CASE WHEN l.ends THEN l.row_hash ELSE lead(l.row_hash) OVER w END AS head
          FROM linked l WHERE l.begins OR l.ends
        WINDOW w AS (PARTITION BY l.partition ORDER BY l.number)
    )
    SELECT e.partition, e.number, e.last, e.previous, e.head FROM edges e
     WHERE e.begins $$;

CREATE FUNCTION retention_spans(month date)
    RETURNS TABLE (partition integer, first bigint, last bigint, previous sha256,
                   head sha256)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '2s' AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE',
                   month_table('requests', $1));
    RETURN QUERY SELECT s.* FROM month_spans($1) s ORDER BY 1, 2;
END $$;
COMMENT ON FUNCTION retention_spans(date) IS
    'Which rows of the audit log''s chains a month has; none is added until the transaction ends.';

-- The one way out for a month. What is dropped of the chains has to be in the
-- audit.cut of this very month; who signed that, `audit verify` checks.
CREATE FUNCTION retention_cut(month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '2s' AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM retention_due() d WHERE d.month = $1) THEN
        RAISE 'month % is not to be dropped: by the policy, or since something of'
            ' it is open', $1;
    ELSIF EXISTS (SELECT FROM runs WHERE id < uuid_at(month_end($1))) THEN
        RAISE 'month % has runs', $1;
    ELSIF EXISTS (
        SELECT FROM retention_spans($1) s FULL JOIN (
            SELECT x.* FROM audit_spans x JOIN audit_cuts c USING (hash)
             WHERE c.month = $1) x USING (partition, first)
         WHERE (s.last, s.previous, s.head) IS DISTINCT FROM
               (x.last, x.previous, x.head))
    THEN
        RAISE 'the audit log''s cut of month % is not of what is there', $1;
    END IF;
    EXECUTE format('DROP TABLE %I, %I', month_table('requests', $1),
                   month_table('outputs', $1));
    DELETE FROM months m WHERE m.month = $1;
END $$;
COMMENT ON FUNCTION retention_cut(date) IS
    'Drops a month that is due, once its runs are cleared and its cut is in audit_cuts and audit_spans.';

GRANT SELECT, INSERT ON requests TO errand_authorizer;
GRANT SELECT, INSERT ON outputs TO errand_recorder;
GRANT SELECT ON outputs TO errand_authorizer;
GRANT SELECT ON requests, outputs TO errand_reader;

REVOKE ALL ON FUNCTION retention_make_one(name, name, date), retention_make(date),
    retention_prepare(), retention_due(), retention_clear(integer),
    retention_spans(date), retention_cut(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_prepare(), retention_due(),
    retention_clear(integer), retention_spans(date), retention_cut(date)
    TO errand_authorizer;
GRANT SELECT, INSERT ON audit_cuts, audit_spans TO errand_authorizer;
GRANT UPDATE (told) ON audit_cuts TO errand_authorizer;
GRANT SELECT ON months TO errand_authorizer;
GRANT SELECT ON audit_cuts, audit_spans, months TO errand_reader;
