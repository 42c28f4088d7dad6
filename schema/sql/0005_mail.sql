-- 0005_mail.sql: what became of the mails, and what an invitation has besides.
--
-- The notifier has no role here: it tells each mail's fate on errand.events, and
-- the recorder, which reads what daemons say, writes it down.

ALTER TABLE users
    ADD COLUMN name text CHECK (char_length(name) BETWEEN 1 AND 100),
    ADD COLUMN by_mail boolean NOT NULL DEFAULT false,
    ADD COLUMN reused_by uuid;
COMMENT ON COLUMN users.name IS 'As people call them; from user.invite.';
COMMENT ON COLUMN users.by_mail IS
    'The invitation''s seed was sealed to a notifier: a mail is on its way.';
COMMENT ON COLUMN users.reused_by IS
    'The request that first tried to use the invitation''s code again: the one of which errand.invitation.reused.v1 tells, once an invitation.';

CREATE UNIQUE INDEX users_reused ON users (reused_by);

CREATE TABLE mails (
    id           uuid PRIMARY KEY,
    about        sha256 NOT NULL,
    letter       text NOT NULL CHECK (letter ~ '^[a-z_]+$'),
    user_id      uuid NOT NULL,
    email        text NOT NULL CHECK (octet_length(email) <= 254),
    fate         text NOT NULL CHECK (fate IN ('delayed', 'sent', 'refused')),
    reason       text CHECK (octet_length(reason) <= 500),
    tries        integer NOT NULL CHECK (tries >= 0),
    told_at      timestamptz NOT NULL,
    service_hash sha256 NOT NULL,
    fate_hash    sha256 NOT NULL
);
CREATE INDEX mails_about ON mails (about, letter);
COMMENT ON TABLE mails IS
    'Written by the recorder. The newest fate of each mail, as a notifier told it; about is the hash of the user.invite or user.verify that it is of, told_at the notifier''s time. Only delayed gives way.';

GRANT UPDATE (reused_by, by_mail) ON users TO errand_authorizer;
GRANT SELECT, INSERT ON mails TO errand_recorder;
GRANT UPDATE (fate, reason, tries, told_at, service_hash, fate_hash) ON mails
    TO errand_recorder;
GRANT SELECT ON mails TO errand_authorizer, errand_reader;
