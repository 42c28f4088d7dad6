-- 0001_authority.sql: who is who, who may do what, and what was decided.
--
-- The authorizer alone writes here. These rows may refuse, only envelopes may
-- allow: so each row that says yes names its envelope, and can't be without it.
-- Hashes and key ids are SHA-256, as bytea; times are the signed ones unless the
-- comment says otherwise.

CREATE DOMAIN sha256 AS bytea CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN simple_name AS text
    CHECK (VALUE ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND VALUE !~ '\n');
CREATE DOMAIN positive AS integer CHECK (VALUE >= 1);

-- The wire counts milliseconds since 1970; so do the daemons.
CREATE FUNCTION to_ms(at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (extract(epoch FROM at) * 1000)::bigint;
CREATE FUNCTION from_ms(ms bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_timestamp(ms / 1000.0);

CREATE TABLE envelopes (
    hash     sha256 PRIMARY KEY,
    type     text NOT NULL CHECK (type ~ '^errand\.[a-z.]+\.v[0-9]+$'),
    envelope bytea NOT NULL CHECK (octet_length(envelope) <= 1048576)
);
COMMENT ON TABLE envelopes IS
    'Written by the authorizer, insert only. Signed documents as DSSE envelopes, byte for byte, by the hash of their pre-authentication encoding.';

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL UNIQUE
                      CHECK (octet_length(email) <= 254
                             AND email = lower(email COLLATE "C")),
    role              text NOT NULL
                      CHECK (role IN ('administrator', 'runner', 'runner_billing')),
    state             text NOT NULL
                      CHECK (state IN ('invited', 'verified', 'active')),
    invite_hash       sha256 REFERENCES envelopes,
    invitation_key_id sha256 UNIQUE,
    invited_until     timestamptz,
    invited_by        uuid REFERENCES users,
    verify_hash       sha256 REFERENCES envelopes,
    key_id            sha256 UNIQUE,
    generation        positive NOT NULL DEFAULT 1,
    confirm_hash      sha256 REFERENCES envelopes,
    invited_at        timestamptz NOT NULL,
    verified_at       timestamptz,
    confirmed_at      timestamptz,
    CHECK ((state = 'invited') = (verify_hash IS NULL)),
    CHECK ((verify_hash IS NULL) = (key_id IS NULL)),
    CHECK ((invite_hash IS NULL) = (invitation_key_id IS NULL)),
    CHECK ((invite_hash IS NULL) = (invited_until IS NULL)),
    CHECK (state <> 'verified' OR role = 'administrator'),
    CHECK (state <> 'active' OR role <> 'administrator'
           OR confirm_hash IS NOT NULL OR invite_hash IS NULL)
);
COMMENT ON TABLE users IS
    'Written by the authorizer. People and machine identities; an administrator is active once confirmed.';
COMMENT ON COLUMN users.verify_hash IS
    'The envelope that names the own key: user.verify, or root.init for the first administrator, who has no invitation.';
COMMENT ON COLUMN users.key_id IS 'The own key''s id, of this generation.';

CREATE TABLE sessions (
    hash      sha256 PRIMARY KEY REFERENCES envelopes,
    user_id   uuid NOT NULL REFERENCES users,
    key_id    sha256 NOT NULL UNIQUE,
    until     timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id, opened_at);
COMMENT ON TABLE sessions IS
    'Written by the authorizer. hash is that of session.open, key_id the session key''s.';

CREATE TABLE targets (
    name       simple_name PRIMARY KEY,
    generation positive NOT NULL,
    hash       sha256 NOT NULL REFERENCES envelopes,
    max_wait   integer NOT NULL CHECK (max_wait BETWEEN 1 AND 604800),
    set_by     uuid NOT NULL REFERENCES users,
    set_at     timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE targets IS
    'Written by the authorizer. Where commands run, with the generation in force; hash is that of target.set, max_wait in seconds.';

CREATE TABLE services (
    hash        sha256 PRIMARY KEY REFERENCES envelopes,
    kind        text NOT NULL
                CHECK (kind IN ('authorizer', 'executor', 'scheduler', 'notifier')),
    name        simple_name NOT NULL,
    target      simple_name REFERENCES targets,
    key_id      sha256 NOT NULL,
    until       timestamptz,
    enrolled_by uuid REFERENCES users,
    enrolled_at timestamptz NOT NULL,
    CHECK ((kind = 'executor') = (target IS NOT NULL)),
    CHECK ((kind = 'authorizer') = (enrolled_by IS NULL)),
    CHECK (kind <> 'authorizer' OR until IS NOT NULL)
);
CREATE INDEX services_key ON services (key_id);
CREATE INDEX services_name ON services (kind, name, enrolled_at);
COMMENT ON TABLE services IS
    'Written by the authorizer. Enrolled daemons; hash is that of service.enrol. An authorizer is enrolled by the root key alone: enrolled_by is NULL.';

CREATE TABLE commands (
    id      uuid PRIMARY KEY,
    name    simple_name NOT NULL UNIQUE,
    version positive NOT NULL,
    hash    sha256 NOT NULL REFERENCES envelopes
);
COMMENT ON TABLE commands IS
    'Written by the authorizer. version and hash are the newest''s. Whoever saves locks this row first.';

CREATE TABLE command_versions (
    command_id  uuid NOT NULL REFERENCES commands,
    version     positive NOT NULL,
    hash        sha256 NOT NULL UNIQUE REFERENCES envelopes,
    description text,
    targets     text[] NOT NULL CHECK (cardinality(targets) BETWEEN 1 AND 64),
    saved_by    uuid NOT NULL REFERENCES users,
    saved_at    timestamptz NOT NULL,
    PRIMARY KEY (command_id, version)
);
COMMENT ON TABLE command_versions IS
    'Written by the authorizer, insert only. hash is that of command.save, which holds the rest.';

CREATE TABLE assignments (
    user_id    uuid NOT NULL REFERENCES users,
    command_id uuid NOT NULL REFERENCES commands,
    hash       sha256 NOT NULL REFERENCES envelopes,
    until      timestamptz,
    pin        positive,
    added_by   uuid NOT NULL REFERENCES users,
    added_at   timestamptz NOT NULL,
    PRIMARY KEY (user_id, command_id)
);
CREATE INDEX assignments_command ON assignments (command_id, user_id);
COMMENT ON TABLE assignments IS
    'Written by the authorizer. The newest assignment.add of each user and command; pin NULL: the newest version.';

CREATE TABLE requests (
    id            uuid PRIMARY KEY,
    hash          sha256 NOT NULL,
    verb          text NOT NULL CHECK (verb ~ '^[a-z]+\.[a-z]+$'),
    type          text NOT NULL,
    key_id        sha256 NOT NULL,
    user_id       uuid REFERENCES users,
    decision      text NOT NULL CHECK (decision IN ('accepted', 'refused')),
    status        text NOT NULL
                  CHECK (status IN ('accepted', 'ok', 'invalid', 'not_found',
                                    'denied', 'stale', 'conflict', 'id_in_use')),
    reason        text,
    text          text,
    reply         bytea,
    issued        timestamptz NOT NULL,
    decided_at    timestamptz NOT NULL DEFAULT now(),
    topic         text NOT NULL,
    partition     integer NOT NULL CHECK (partition >= 0),
    record_offset bigint NOT NULL CHECK (record_offset >= 0),
    CHECK ((decision = 'accepted') = (status IN ('accepted', 'ok'))),
    CHECK (decision = 'accepted' OR reason IS NOT NULL)
);
CREATE INDEX requests_decided ON requests USING brin (decided_at);
COMMENT ON TABLE requests IS
    'Written by the authorizer, insert only. Each request was decided once: its id is the arbiter. hash is that of the signed bytes; decided_at this server''s time.';
COMMENT ON COLUMN requests.reason IS
    'Why it was refused, in full.';
COMMENT ON COLUMN requests.text IS
    'What the asker was told of it, which may be less.';
COMMENT ON COLUMN requests.reply IS
    'The reply''s body, sent again when the same bytes are asked again; NULL for a read, which is answered anew.';

GRANT SELECT, INSERT ON envelopes, users, sessions, targets, services, commands,
    command_versions, assignments, requests TO errand_authorizer;
GRANT UPDATE (state, verify_hash, key_id, generation, confirm_hash, verified_at,
    confirmed_at) ON users TO errand_authorizer;
GRANT UPDATE (closed_at) ON sessions TO errand_authorizer;
GRANT UPDATE (generation, hash, max_wait, set_by, set_at) ON targets
    TO errand_authorizer;
GRANT UPDATE (version, hash) ON commands TO errand_authorizer;
GRANT UPDATE (hash, until, pin, added_by, added_at) ON assignments
    TO errand_authorizer;

GRANT SELECT ON envelopes, targets, services TO errand_recorder,
    errand_scheduler;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO errand_reader;
