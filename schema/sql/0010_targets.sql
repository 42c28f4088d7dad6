-- 0010_targets.sql: what may change of a target: labels, its longest wait,
-- whether it is in use.
--
-- What counts is the newest target.set in the revocation log; these rows show it
-- to people, and refuse.

ALTER TABLE targets
    ADD COLUMN labels jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN state text NOT NULL DEFAULT 'in_use'
        CHECK (state IN ('in_use', 'drained', 'removed')),
    ADD COLUMN longest_wait integer;
UPDATE targets SET longest_wait = max_wait;
ALTER TABLE targets
    ALTER COLUMN longest_wait SET NOT NULL,
    ADD CHECK (max_wait <= longest_wait);
COMMENT ON COLUMN targets.labels IS
    'As the newest target.set says; an object of texts.';
COMMENT ON COLUMN targets.state IS
    'drained: nothing starts there until it is in use again. removed: for good; another one of its name is its next generation.';
COMMENT ON COLUMN targets.longest_wait IS
    'In seconds; what its topics'' retention was made for. max_wait stays below.';

GRANT UPDATE (labels, state, longest_wait) ON targets TO errand_authorizer;
