-- 0015_usage.sql: what an execution took on its host, as its executor says.

ALTER TABLE results
    ADD COLUMN core boolean,
    ADD COLUMN usage jsonb;
COMMENT ON COLUMN results.core IS
    'The signal would have had it dump its memory; none is ever written.';
COMMENT ON COLUMN results.usage IS
    'wall, user, system in milliseconds; memory (of the largest process), read, written (disks) in bytes.';

GRANT UPDATE (core, usage) ON results TO errand_recorder;
