-- 0003_revocations.sql: the revocation log, and standing that can be taken away.
--
-- The log's truth is its topic and its envelopes; here its places are unique, so
-- that each is decided once.

CREATE TABLE revocations (
    seq   integer PRIMARY KEY CHECK (seq >= 1),
    hash  sha256 NOT NULL UNIQUE REFERENCES envelopes,
    entry bytea NOT NULL CHECK (octet_length(entry) <= 2097152)
);
COMMENT ON TABLE revocations IS
    'Written by the authorizer, insert only. The revocation log: seq counts from 1 without a gap; entry is the request with its signer''s chain, as JSON.';

-- Each invitation that there was, by its one-time key; users.invite_hash says
-- which counts.
CREATE TABLE invitations (
    key_id  sha256 PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    hash    sha256 NOT NULL REFERENCES envelopes
);
COMMENT ON TABLE invitations IS
    'Written by the authorizer, insert only. Every user.invite and user.reinvite by its one-time key''s id; of a user only that of users.invite_hash can be followed.';
INSERT INTO invitations (key_id, user_id, hash)
    SELECT invitation_key_id, id, invite_hash FROM users
    WHERE invitation_key_id IS NOT NULL;

ALTER TABLE users
    DROP CONSTRAINT users_email_key,
    DROP CONSTRAINT users_state_check,
    DROP CONSTRAINT users_check,
    DROP CONSTRAINT users_check5,
    ADD COLUMN suspended boolean NOT NULL DEFAULT false,
    ADD COLUMN removed_at timestamptz,
    ADD COLUMN changed_hash sha256 REFERENCES envelopes,
    ADD CONSTRAINT users_state_check
        CHECK (state IN ('invited', 'verified', 'active', 'removed')),
    ADD CONSTRAINT users_verified_check
        CHECK ((state = 'invited' AND verify_hash IS NULL)
               OR (state IN ('verified', 'active') AND verify_hash IS NOT NULL)
               OR state = 'removed'),
    ADD CONSTRAINT users_removed_check
        CHECK ((state = 'removed') = (removed_at IS NOT NULL));
CREATE UNIQUE INDEX users_email ON users (email) WHERE state <> 'removed';
CREATE INDEX users_all_emails ON users (email);
COMMENT ON COLUMN users.changed_hash IS
    'The newest entry of the revocation log about them; NULL: none.';

ALTER TABLE requests DROP CONSTRAINT requests_status_check,
    ADD CONSTRAINT requests_status_check
        CHECK (status IN ('accepted', 'ok', 'invalid', 'not_found', 'denied',
                          'stale', 'conflict', 'id_in_use', 'behind'));

ALTER TABLE commands DROP CONSTRAINT commands_name_key,
    ADD COLUMN retired_at timestamptz;
CREATE UNIQUE INDEX commands_name ON commands (name) WHERE retired_at IS NULL;
COMMENT ON COLUMN commands.retired_at IS
    'Since when nothing of it is started any more; the name is free again.';

ALTER TABLE command_versions ADD COLUMN void boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN command_versions.void IS
    'Its administrator was removed, and it was not kept: it is not started any more.';

ALTER TABLE services ADD COLUMN revoked_at timestamptz;

-- The envelope that confirmed one that named a key, whatever names it now.
CREATE TABLE confirmations (
    verify_hash  sha256 PRIMARY KEY REFERENCES envelopes,
    confirm_hash sha256 NOT NULL REFERENCES envelopes
);
COMMENT ON TABLE confirmations IS
    'Written by the authorizer, insert only. Which user.confirm confirmed a user.verify.';
INSERT INTO confirmations (verify_hash, confirm_hash)
    SELECT verify_hash, confirm_hash FROM users WHERE confirm_hash IS NOT NULL;

GRANT SELECT, INSERT ON revocations, invitations, confirmations
    TO errand_authorizer;
GRANT UPDATE (suspended, removed_at, changed_hash, role, invite_hash,
    invitation_key_id, invited_until) ON users TO errand_authorizer;
GRANT UPDATE (retired_at) ON commands TO errand_authorizer;
GRANT UPDATE (void) ON command_versions TO errand_authorizer;
GRANT UPDATE (revoked_at) ON services TO errand_authorizer;
-- What was taken away stands in the log; the row is gone.
GRANT DELETE ON assignments TO errand_authorizer;
GRANT SELECT ON revocations, invitations, confirmations TO errand_reader;
