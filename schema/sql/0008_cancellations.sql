-- 0008_cancellations.sql: which executions somebody asked to end.

CREATE TABLE cancellations (
    execution_id uuid PRIMARY KEY REFERENCES executions,
    request_id   uuid NOT NULL REFERENCES requests,
    asked_at     timestamptz NOT NULL
);
COMMENT ON TABLE cancellations IS
    'Written by the authorizer, insert only: the first run.cancel of each execution. How it ended is in results; a cancel can come too late.';

GRANT SELECT, INSERT ON cancellations TO errand_authorizer;
GRANT SELECT ON cancellations TO errand_reader;
