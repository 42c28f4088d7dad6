-- 0018_strays.sql: a month that goes is read in slices; and what has an id of no
-- month goes by when it was decided.
--
-- Which rows of the chains a month has was found in one statement over all of them,
-- twice: minutes where they are millions, in which that authorizer decides nothing.
-- Now they are read some thousands at a time, and what was found so far stands in
-- spans_read. New rows come behind those that were read, since chains grow at their
-- ends: so a last look, with the tables locked, finds what is left.
--
-- requests_other has what was asked under ids of no month: ticks that are caught up
-- with late, ids from before the first month, or of any time somebody made up. What
-- was decided before a month's end goes with that month: its rows are in the same
-- spans, and the table is made anew with what is younger.

CREATE TABLE spans_read (
    month     date NOT NULL REFERENCES months ON DELETE CASCADE,
    partition integer NOT NULL,
    first     bigint NOT NULL,
    last      bigint NOT NULL,
    previous  sha256 NOT NULL,
    head      sha256 NOT NULL,
    PRIMARY KEY (month, partition, first)
);
COMMENT ON TABLE spans_read IS
    'Kept by retention_read(), and gone with the month: the rows of the chains that will go with it, as far as they were read; a span is as in audit_spans.';

-- Strays may get a month of their own, and then don't go with the one that is being
-- read: that begins anew.
CREATE OR REPLACE FUNCTION retention_make(month date) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO months (month) VALUES ($1) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM retention_make_one('requests', 'id', $1),
                retention_make_one('outputs', 'execution_id', $1);
        DELETE FROM spans_read; -- the tables are locked: nobody adds to it now
    END IF;
END $$;

-- The next rows, behind those that were read. A span is a run of rows without a gap,
-- in which each follows the one before; the first rows of a slice may go on with the
-- last span before it (nth = 0).
CREATE FUNCTION retention_read(month date, rows_at_once integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM FROM months m WHERE m.month = $1 FOR UPDATE; -- one reader at a time
    IF NOT EXISTS (SELECT FROM retention_due() d WHERE d.month = $1) THEN
        RAISE 'month % is not to be read: it is not the next that goes', $1;
    END IF;
    EXECUTE format($read$
        WITH slice AS (
            SELECT r.*, s.first AS span, s.last AS span_last, s.head AS span_head
              FROM audit_chains c
              LEFT JOIN LATERAL (
                SELECT x.* FROM spans_read x
                 WHERE x.month = $1 AND x.partition = c.partition
                 ORDER BY x.first DESC LIMIT 1) s ON true
             CROSS JOIN LATERAL (
                (SELECT m.partition, m.number, m.previous, m.row_hash FROM %I m
                  WHERE m.partition = c.partition AND m.number > coalesce(s.last, 0)
                  ORDER BY m.number LIMIT $2)
                UNION ALL
                (SELECT o.partition, o.number, o.previous, o.row_hash
                   FROM requests_other o
                  WHERE o.partition = c.partition AND o.number > coalesce(s.last, 0)
                    AND o.decided_at < month_end($1)
                  ORDER BY o.number LIMIT $2)
                ORDER BY number LIMIT $2) r
             LIMIT $2
        ), linked AS (
            SELECT l.*, coalesce(lag(number) OVER w, span_last)
                            IS DISTINCT FROM number - 1
                     OR coalesce(lag(row_hash) OVER w, span_head)
                            IS DISTINCT FROM previous AS begins
              FROM slice l WINDOW w AS (PARTITION BY partition ORDER BY number)
        ), counted AS (
            SELECT l.*, count(*) FILTER (WHERE begins) OVER w AS nth
              FROM linked l WINDOW w AS (PARTITION BY partition ORDER BY number)
        ), kept AS (
            INSERT INTO spans_read
            SELECT DISTINCT ON (partition, nth) $1, partition,
                   CASE nth WHEN 0 THEN span ELSE first_value(number) OVER w END,
                   number, first_value(previous) OVER w, row_hash
              FROM counted
            WINDOW w AS (PARTITION BY partition, nth ORDER BY number)
             ORDER BY partition, nth, number DESC
            ON CONFLICT (month, partition, first) DO UPDATE
               SET last = excluded.last, head = excluded.head
        )
        SELECT count(*) FROM slice $read$, month_table('requests', $1))
       INTO n USING $1, $2;
    RETURN n;
END $$;
COMMENT ON FUNCTION retention_read(date, integer) IS
    'Reads so many more rows of a month''s part of the chains. 0: all are read that are there.';

CREATE OR REPLACE FUNCTION retention_spans(month date)
    RETURNS TABLE (partition integer, first bigint, last bigint, previous sha256,
                   head sha256)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET lock_timeout = '2s' AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I, requests_other IN SHARE ROW EXCLUSIVE MODE',
                   month_table('requests', $1));
    WHILE retention_read($1, 10000) > 0 LOOP
    END LOOP;
    RETURN QUERY SELECT s.partition, s.first, s.last, s.previous, s.head
                   FROM spans_read s WHERE s.month = $1 ORDER BY 1, 2;
END $$;
DROP FUNCTION month_spans(date);

-- The default partition, without what was decided by then: dropped like a month.
CREATE FUNCTION retention_cut_strays(month date) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM requests_other WHERE decided_at < month_end($1)) THEN
        RETURN;
    END IF;
    CREATE TABLE requests_younger (LIKE requests_other INCLUDING ALL);
    INSERT INTO requests_younger
        SELECT * FROM requests_other WHERE decided_at >= month_end($1);
    DROP TABLE requests_other;
    ALTER TABLE requests_younger RENAME TO requests_other;
    ALTER TABLE requests ATTACH PARTITION requests_other DEFAULT;
END $$;

CREATE OR REPLACE FUNCTION retention_cut(month date) RETURNS void
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
    PERFORM retention_cut_strays($1);
    EXECUTE format('DROP TABLE %I, %I', month_table('requests', $1),
                   month_table('outputs', $1));
    DELETE FROM spans_read;
    DELETE FROM months m WHERE m.month = $1;
END $$;

REVOKE ALL ON FUNCTION retention_read(date, integer), retention_cut_strays(date)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_read(date, integer) TO errand_authorizer;
GRANT SELECT ON spans_read TO errand_authorizer, errand_reader;
