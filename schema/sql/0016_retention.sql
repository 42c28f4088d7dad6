-- 0016_retention.sql: what grows with every run lies in months, which are
-- dropped whole once the policy's `keep` is over.
--
-- The ids of requests and runs begin with their milliseconds, and those of
-- executions with their run's: so a month is a range of ids, all that belongs to
-- a run is in one month, and a primary key that begins with that id is as unique
-- as it was. What has an id of no month (a stranger's claim, a result that comes
-- when its month is gone) goes to a table's *_other: a month that is missing
-- holds up nobody. A foreign key to a row that goes with its month would look
-- through its own table whenever a month goes: there are none. The authorizer
-- writes both rows in one transaction.
--
-- The authorizer asks for months to be made and dropped (the functions at the
-- end); by which rule is decided here, and no daemon owns a table.

ALTER TABLE policies ADD COLUMN keep integer CHECK (keep BETWEEN 2678400 AND 315360000);
COMMENT ON COLUMN policies.keep IS
    'How long output, results and requests are kept, in seconds; NULL: for ever.';

CREATE TABLE months (
    month   date PRIMARY KEY CHECK (extract(day FROM month) = 1),
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE months IS
    'Kept by retention_make() and retention_cut(). The months (UTC) that have a partition of each table in kept_by_month.';

CREATE TABLE kept_by_month (
    name    name PRIMARY KEY,
    key     name NOT NULL,
    singles text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE kept_by_month IS
    'Kept by keep_by_month(). The tables in months. key: the id whose milliseconds say which; singles: what is unique besides, in each month.';

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

-- The least id of a moment.
CREATE FUNCTION uuid_at(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = public, pg_temp
    RETURN rpad(lpad(to_hex(to_ms(at)), 12, '0'), 32, '0')::uuid;

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

-- One table's month. Attached, not made in place: that would lock out whoever
-- works with the table. What came to *_other before its month was there moves.
CREATE FUNCTION retention_make_one(kept kept_by_month, month date) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    leaf name := month_table(kept.name, month);
    low  uuid := uuid_at(month_start(month));
    high uuid := uuid_at(month_end(month));
    columns text;
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', leaf, kept.name);
    FOREACH columns IN ARRAY kept.singles LOOP
        EXECUTE format('CREATE UNIQUE INDEX ON %I (%s)', leaf, columns);
    END LOOP;
    EXECUTE format('WITH strays AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND'
        ' %2$I < %4$L RETURNING *) INSERT INTO %5$I SELECT * FROM strays',
        kept.name || '_other', kept.key, low, high, leaf);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        kept.name, leaf, low, high);
END $$;

CREATE FUNCTION retention_make(month date) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO months (month) VALUES ($1) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM retention_make_one(k, $1) FROM kept_by_month k ORDER BY k.name;
    END IF;
END $$;

-- Views stand on a table, not on its name: they are made again.
CREATE FUNCTION views_take() RETURNS text[]
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    made text[];
    view record;
BEGIN
    SELECT array_agg(format('CREATE VIEW %I AS %s', c.relname,
                            pg_get_viewdef(c.oid))
            || coalesce(format('; COMMENT ON VIEW %I IS %L', c.relname,
                               obj_description(c.oid, 'pg_class')), '')
            || coalesce((SELECT string_agg(format('; GRANT %s ON %I TO %I',
                    a.privilege_type, c.relname, a.grantee::regrole::name), '')
                FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner), '')
            ORDER BY c.oid)
        INTO made FROM pg_class c
        WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace;
    FOR view IN SELECT relname FROM pg_class
        WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('DROP VIEW IF EXISTS %I CASCADE', view.relname);
    END LOOP;
    RETURN coalesce(made, '{}');
END $$;

-- In whatever order they stand on each other.
CREATE FUNCTION views_make(made text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    waiting text[];
    one text;
BEGIN
    WHILE made <> '{}' LOOP
        waiting := '{}';
        FOREACH one IN ARRAY made LOOP
            BEGIN
                EXECUTE one;
            EXCEPTION WHEN undefined_table THEN
                waiting := waiting || one;
            END;
        END LOOP;
        IF cardinality(waiting) = cardinality(made) THEN
            EXECUTE waiting[1];
        END IF;
        made := waiting;
    END LOOP;
END $$;

-- Whether a key of a table has a column in it.
CREATE FUNCTION key_has(of oid, attributes smallint[], wanted name) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    RETURN EXISTS (SELECT FROM pg_attribute WHERE attrelid = of
                   AND attname = wanted AND attnum = ANY (attributes));

-- All that a table has besides its columns and checks, as statements that make
-- it once more on another table of that name.
CREATE FUNCTION table_has(of oid, wanted name) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', of::regclass, conname,
                  pg_get_constraintdef(oid))
      FROM pg_constraint WHERE conrelid = of
       AND (contype = 'f' OR contype IN ('p', 'u') AND key_has(of, conkey, wanted))
    UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index i
     WHERE indrelid = of AND (NOT indisunique OR key_has(of, indkey::smallint[], wanted))
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid
                       AND conrelid = of)
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger
     WHERE tgrelid = of AND NOT tgisinternal
    UNION ALL SELECT format('COMMENT ON TABLE %s IS %L', of::regclass,
                            obj_description(of, 'pg_class'))
    UNION ALL SELECT format('GRANT %s ON %s TO %I', a.privilege_type, of::regclass,
                            a.grantee::regrole::name)
      FROM pg_class c, aclexplode(c.relacl) a
     WHERE c.oid = of AND a.grantee <> c.relowner
    UNION ALL SELECT format('GRANT %s (%I) ON %s TO %I', a.privilege_type, t.attname,
                            of::regclass, a.grantee::regrole::name)
      FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = of $$;

-- What is unique in it without the key.
CREATE FUNCTION table_singles(of oid, wanted name) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(s.columns), '{}') FROM (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns
          FROM pg_index i
         CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY k (attnum, place)
          JOIN pg_attribute a ON a.attrelid = of AND a.attnum = k.attnum
         WHERE i.indrelid = of AND i.indisunique
           AND NOT key_has(of, i.indkey::smallint[], wanted)
         GROUP BY i.indexrelid) s $$;

-- Puts a table into months, with all that it has. For this migration, and for
-- those of later tables that grow with every run.
CREATE FUNCTION keep_by_month(name name, key name) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    old oid := to_regclass(quote_ident(name));
    before name := name || '_before';
    views text[] := views_take();
    has text[] := ARRAY(SELECT table_has(old, key));
    kept kept_by_month := (name, key, table_singles(old, key));
    one text;
BEGIN
    FOR one IN SELECT format('ALTER TABLE %s DROP CONSTRAINT %I',
        conrelid::regclass, conname) FROM pg_constraint
        WHERE confrelid = old AND contype = 'f' AND conparentid = 0
    LOOP
        EXECUTE one;
    END LOOP;
    EXECUTE format('ALTER TABLE %I RENAME TO %I', name, before);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING INDEXES)'
        ' PARTITION BY RANGE (%I)', name, before, key);
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', name || '_other', name);
    INSERT INTO kept_by_month SELECT kept.*;
    PERFORM retention_make_one(kept, m.month) FROM months m;
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', name, before);
    EXECUTE format('DROP TABLE %I', before);
    FOREACH one IN ARRAY has LOOP
        EXECUTE one;
    END LOOP;
    FOREACH one IN ARRAY kept.singles LOOP
        EXECUTE format('CREATE UNIQUE INDEX ON %I (%s)', name || '_other', one);
    END LOOP;
    PERFORM views_make(views);
END $$;

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
-- and then are what model/run.h derives.
CREATE FUNCTION id_of_run(id uuid, run uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT SET search_path = public, pg_temp
    RETURN (left(run::text, 14) || '8' || substr(id::text, 16, 4)
        || substr('89ab', (('x' || substr(id::text, 20, 1))::bit(4) & x'3')::integer + 1, 1)
        || substr(id::text, 21))::uuid;
CREATE TABLE renamed AS
    SELECT id AS before, id_of_run(id, run_id) AS now FROM executions;
ALTER TABLE cancellations DROP CONSTRAINT cancellations_execution_id_fkey;
ALTER TABLE executions DISABLE TRIGGER USER;
ALTER TABLE results DISABLE TRIGGER USER;
UPDATE executions x SET id = r.now FROM renamed r WHERE x.id = r.before;
UPDATE cancellations x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
UPDATE claims x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
UPDATE results x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
UPDATE outputs x SET execution_id = r.now FROM renamed r WHERE x.execution_id = r.before;
ALTER TABLE executions ENABLE TRIGGER USER;
ALTER TABLE results ENABLE TRIGGER USER;
DROP TABLE renamed;
DROP FUNCTION id_of_run;

-- From the first month that has anything, and one ahead. Whatever else names
-- a row of these three in its own primary key goes with it.
SELECT retention_make(m::date) FROM generate_series(
    least(month_of(now()), (SELECT month_of(min(issued)) FROM requests)),
    month_of(now()) + interval '1 month', interval '1 month') m;
SELECT keep_by_month(t.name, t.key) FROM (
    SELECT DISTINCT c.relname AS name, a.attname AS key
      FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
      JOIN pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
     WHERE f.contype = 'f' AND cardinality(f.conkey) = 1
       AND f.conkey[1] = ANY (p.conkey)
       AND f.confrelid IN ('requests'::regclass, 'runs'::regclass,
                           'executions'::regclass)
    UNION VALUES ('requests', 'id'), ('runs', 'id'), ('executions', 'id'),
        ('claims', 'execution_id'), ('results', 'execution_id'),
        ('outputs', 'execution_id'), ('run_outcomes', 'id'),
        ('cancellations', 'execution_id')) t ORDER BY t.name;

-- Between which ids all of a run's executions are: who asks for them by their
-- run says so, and finds them in its month at once.
CREATE FUNCTION moment_low(id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (left(id::text, 13) || '-0000-0000-000000000000')::uuid;
CREATE FUNCTION moment_high(id uuid) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (left(id::text, 13) || '-ffff-ffff-ffffffffffff')::uuid;
DO $$ BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW run_states AS ' || replace(
        pg_get_viewdef('run_states'::regclass), 'x.run_id = r.id',
        'x.run_id = r.id AND x.id BETWEEN moment_low(r.id) AND moment_high(r.id)');
END $$;


-- These look at one run's rows in the months of several tables: planned once, they
-- find the month as they go; planned anew each time they took ten times as long.
ALTER FUNCTION executions_tell_run() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION executions_ended_before() SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION results_end_execution() SET plan_cache_mode = force_generic_plan;

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

-- Something of a month that is not over: an execution, or a run that may still
-- get one. A run goes on within its longest wait (7 days) and timeout (1).
CREATE FUNCTION month_is_open(month date) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM executions WHERE NOT ended
            AND id >= uuid_at(month_start($1)) AND id < uuid_at(month_end($1)))
        OR EXISTS (SELECT FROM runs WHERE deadline > now()
            AND id >= uuid_at(month_start($1)) AND id < uuid_at(month_end($1)))
        OR EXISTS (SELECT FROM results WHERE recorded_at > now() - interval '8 days'
            AND execution_id >= uuid_at(month_start($1))
            AND execution_id < uuid_at(month_end($1))) $$;

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
DECLARE
    kept record;
BEGIN
    IF NOT EXISTS (SELECT FROM retention_due() d WHERE d.month = $1) THEN
        RAISE 'month % is not to be dropped: by the policy, or since something of'
            ' it is open', $1;
    ELSIF EXISTS (
        SELECT FROM retention_spans($1) s FULL JOIN (
            SELECT x.* FROM audit_spans x JOIN audit_cuts c USING (hash)
             WHERE c.month = $1) x USING (partition, first)
         WHERE (s.last, s.previous, s.head) IS DISTINCT FROM
               (x.last, x.previous, x.head))
    THEN
        RAISE 'the audit log''s cut of month % is not of what is there', $1;
    END IF;
    FOR kept IN SELECT name FROM kept_by_month LOOP
        EXECUTE format('DROP TABLE %I', month_table(kept.name, $1));
    END LOOP;
    DELETE FROM months m WHERE m.month = $1;
END $$;
COMMENT ON FUNCTION retention_cut(date) IS
    'Drops a month that is due, once its cut is in audit_cuts and audit_spans.';

REVOKE ALL ON FUNCTION retention_make(date), retention_prepare(), retention_due(),
    retention_spans(date), retention_cut(date), keep_by_month(name, name)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_prepare(), retention_due(),
    retention_spans(date), retention_cut(date) TO errand_authorizer;
GRANT SELECT, INSERT ON audit_cuts, audit_spans TO errand_authorizer;
GRANT UPDATE (told) ON audit_cuts TO errand_authorizer;
GRANT SELECT ON months, kept_by_month TO errand_authorizer;
GRANT SELECT ON audit_cuts, audit_spans, months, kept_by_month TO errand_reader;
