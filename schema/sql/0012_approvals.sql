-- 0012_approvals.sql: runs that wait for approval, and votes.
--
-- Who may approve is the revocation log's to say (group.set), and what a vote is
-- worth its envelope's: these rows say what waits, and refuse.

CREATE UNIQUE INDEX runs_hash ON runs (hash);

CREATE TABLE approvals (
    run_id    uuid PRIMARY KEY REFERENCES runs,
    wanted    positive NOT NULL,
    approvers simple_name,
    until     timestamptz NOT NULL,
    given     integer NOT NULL DEFAULT 0 CHECK (given >= 0),
    state     text NOT NULL DEFAULT 'pending'
              CHECK (state IN ('pending', 'approved', 'rejected')),
    closed_by uuid REFERENCES requests,
    CHECK ((state = 'pending') = (closed_by IS NULL))
);
CREATE INDEX approvals_pending ON approvals (until) WHERE state = 'pending';
COMMENT ON TABLE approvals IS
    'Written by the authorizer, with the run: whose approval it waits for, and until when. approvers is a group, or NULL: administrators in force. given is how many votes counted when the last one came; closed_by is the vote that decided.';

CREATE TABLE votes (
    hash     sha256 PRIMARY KEY REFERENCES envelopes,
    run_id   uuid NOT NULL REFERENCES approvals,
    user_id  uuid NOT NULL REFERENCES users,
    naming   sha256 NOT NULL,
    approves boolean NOT NULL,
    cast_at  timestamptz NOT NULL,
    UNIQUE (run_id, user_id, naming, approves)
);
COMMENT ON TABLE votes IS
    'Written by the authorizer, insert only. hash is that of run.approve or run.reject, naming that of the envelope which named the voter''s key: whoever has another key may say it again.';

GRANT SELECT, INSERT ON approvals, votes TO errand_authorizer;
GRANT UPDATE (given, state, closed_by) ON approvals TO errand_authorizer;
GRANT SELECT ON approvals TO errand_scheduler;
GRANT SELECT ON approvals, votes TO errand_reader;
GRANT UPDATE (place) ON runs TO errand_authorizer;
