-- 0006_second_factor.sql: second factors, machine identities, and what the
-- organisation asks of its people.
--
-- These rows refuse only: no row here lets anybody do what no envelope allows.
-- The secrets are encrypted under a key outside the database.

ALTER TABLE users
    ADD COLUMN mfa boolean NOT NULL DEFAULT false,
    ADD COLUMN service boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT service OR (role = 'runner' AND NOT mfa));
COMMENT ON COLUMN users.mfa IS
    'A second factor is wanted of them: by their invitation, or since it was reset.';
COMMENT ON COLUMN users.service IS
    'A machine identity: no password, no second factor.';

ALTER TABLE requests DROP CONSTRAINT requests_status_check;
ALTER TABLE requests ADD CONSTRAINT requests_status_check
    CHECK (status IN ('accepted', 'ok', 'invalid', 'not_found', 'denied',
                      'stale', 'conflict', 'id_in_use', 'behind',
                      'code_wanted', 'set_up_wanted'));

CREATE TABLE factors (
    user_id       uuid PRIMARY KEY REFERENCES users,
    hash          sha256 NOT NULL REFERENCES envelopes,
    secret        bytea CHECK (octet_length(secret) = 60),
    secret_key_id sha256,
    session_key   bytea CHECK (octet_length(session_key) = 32),
    step          bigint NOT NULL CHECK (step >= 0),
    failures      integer NOT NULL CHECK (failures BETWEEN 0 AND 20),
    failed_at     timestamptz,
    set_at        timestamptz NOT NULL,
    reset_at      timestamptz,
    CHECK ((secret IS NULL) = (secret_key_id IS NULL)),
    CHECK ((secret IS NULL) = (reset_at IS NOT NULL))
);
COMMENT ON TABLE factors IS
    'Written by the authorizer. Each person''s second factor; hash is that of mfa.set, or of the mfa.reset that took it away.';
COMMENT ON COLUMN factors.secret IS
    'Of TOTP: nonce and XChaCha20-Poly1305 under the authorizers'' factor_key, with the user''s id beside. NULL: reset.';
COMMENT ON COLUMN factors.session_key IS
    'The key of the one session that mfa.set''s own code opens, too.';
COMMENT ON COLUMN factors.step IS
    'The last one whose code was good: none up to it is good again.';

CREATE TABLE recovery_codes (
    set_hash sha256 NOT NULL REFERENCES envelopes,
    hash     sha256 NOT NULL,
    used_at  timestamptz,
    PRIMARY KEY (set_hash, hash)
);
COMMENT ON TABLE recovery_codes IS
    'Written by the authorizer. Of the mfa.set of that hash, hashed with the user''s id; each good once.';

CREATE TABLE policies (
    version        positive PRIMARY KEY,
    hash           sha256 NOT NULL UNIQUE REFERENCES envelopes,
    mfa            text NOT NULL CHECK (mfa IN ('optional', 'required')),
    password_min   integer NOT NULL CHECK (password_min BETWEEN 15 AND 64),
    session_ttl    integer NOT NULL CHECK (session_ttl BETWEEN 60 AND 28800),
    invitation_ttl integer NOT NULL
                   CHECK (invitation_ttl BETWEEN 60 AND 259200),
    set_by         uuid NOT NULL REFERENCES users,
    set_at         timestamptz NOT NULL
);
COMMENT ON TABLE policies IS
    'Written by the authorizer, insert only. What an organisation asks of its people; hash is that of policy.set, the highest version counts; ttls in seconds.';

GRANT SELECT, INSERT ON factors, recovery_codes, policies TO errand_authorizer;
GRANT UPDATE (mfa) ON users TO errand_authorizer;
GRANT UPDATE (hash, secret, secret_key_id, session_key, step, failures,
    failed_at, set_at, reset_at) ON factors TO errand_authorizer;
GRANT UPDATE (used_at) ON recovery_codes TO errand_authorizer;

GRANT SELECT ON policies TO errand_reader;
GRANT SELECT (user_id, hash, step, failures, failed_at, set_at, reset_at)
    ON factors TO errand_reader;
