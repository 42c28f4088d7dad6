-- 0016_tellings.sql: who is told of which end, and who is spared it.
--
-- The authorizer decides that once for each end of a run and each who is to be
-- told, before run.ended is told on errand.events; what became of what was told
-- stands in mails. So "sent", "refused", "held back" are told from the record.

CREATE TABLE tellings (
    run_id     uuid NOT NULL REFERENCES runs,
    mail       uuid NOT NULL,
    outcome    outcome NOT NULL,
    told_to    text NOT NULL CHECK (octet_length(told_to) <= 254),
    command_id uuid NOT NULL,
    held       boolean NOT NULL DEFAULT false,
    before     integer NOT NULL DEFAULT 0 CHECK (before >= 0),
    since      timestamptz,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, mail),
    CHECK ((before = 0) = (since IS NULL))
);
CREATE INDEX tellings_pace ON tellings (command_id, told_to, decided_at);
COMMENT ON TABLE tellings IS
    'Written by the authorizer, insert only. To whom an end of a run is told: an address, or webhook:NAME; mail is what mails names it by.';
COMMENT ON COLUMN tellings.held IS
    'Held back: enough of this command was told there of late.';
COMMENT ON COLUMN tellings.before IS
    'How many were held back since the one before, since the moment since: this one says so.';

ALTER TABLE mails ADD COLUMN until timestamptz;
COMMENT ON COLUMN mails.until IS
    'Until when it is tried, as the notifier says; NULL: an older one, which does not.';

GRANT SELECT, INSERT ON tellings TO errand_authorizer;
GRANT SELECT ON tellings TO errand_reader;
GRANT UPDATE (until) ON mails TO errand_recorder;
