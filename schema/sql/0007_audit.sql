-- 0007_audit.sql: the requests as a chain, one for each partition of the log.
--
-- Each decided request is a row of its partition's chain: its number there, the
-- hash of the row before, and its own, over all that was asked and decided
-- (common/model/audit.h says over what). Who alters, removes or adds a row has
-- to write everything after it anew, and then differs from the checkpoints that
-- the authorizer signed: on errand.events, and in every reply.

ALTER TABLE requests
    ADD COLUMN number   bigint CHECK (number >= 1),
    ADD COLUMN previous sha256,
    ADD COLUMN row_hash sha256,
    ADD COLUMN command  text,
    ADD COLUMN size     integer CHECK (size >= 0),
    ADD COLUMN envelope bytea CHECK (octet_length(envelope) <= 131072),
    ADD COLUMN invite   sha256,
    ADD CHECK (num_nulls(number, previous, row_hash, size) IN (0, 4));
CREATE UNIQUE INDEX requests_chain ON requests (partition, number);
CREATE INDEX requests_user ON requests (user_id, id);
COMMENT ON COLUMN requests.number IS
    'Counts the rows of this partition from 1; NULL: decided before there was a chain.';
COMMENT ON COLUMN requests.previous IS
    'The row_hash of number - 1; all zero for the first.';
COMMENT ON COLUMN requests.row_hash IS
    'Over what was asked and decided, and previous.';
COMMENT ON COLUMN requests.command IS
    'The name of the command that it was about, where there was one; not what runners may see of it.';
COMMENT ON COLUMN requests.size IS 'Bytes of the payload as it was signed.';
COMMENT ON COLUMN requests.envelope IS
    'What was signed, for a read and a refusal; an accepted change has it in envelopes, a refusal of over 64 KiB nowhere.';

COMMENT ON COLUMN requests.invite IS
    'Where an invitation''s key signed, which does not say it itself: the user.invite that names that key. Not in row_hash: who looks checks it.';

CREATE TABLE audit_chains (
    partition integer PRIMARY KEY CHECK (partition >= 0),
    rows      bigint NOT NULL CHECK (rows >= 0),
    head      sha256 NOT NULL,
    moved_at  timestamptz NOT NULL
);
COMMENT ON TABLE audit_chains IS
    'Written by the authorizer. The end of each partition''s chain of requests; who decides locks the row first, so that no chain forks. moved_at is the last row''s decided_at.';

GRANT SELECT, INSERT ON audit_chains TO errand_authorizer;
GRANT UPDATE (rows, head, moved_at) ON audit_chains TO errand_authorizer;
GRANT SELECT ON audit_chains TO errand_reader;
