-- 0014_schedules.sql: when commands run by themselves.
--
-- What counts is the schedule.set in envelopes; these rows say which is the
-- newest, refuse, and remember which tick was decided last.

CREATE TABLE schedules (
    id           uuid PRIMARY KEY,
    command_id   uuid NOT NULL REFERENCES commands,
    hash         sha256 NOT NULL REFERENCES envelopes,
    command_hash sha256 NOT NULL REFERENCES command_versions (hash),
    cron         text,
    at           timestamptz,
    zone         text NOT NULL,
    paused       boolean NOT NULL,
    set_by       uuid NOT NULL REFERENCES users,
    set_at       timestamptz NOT NULL,
    since        timestamptz NOT NULL,
    void         boolean NOT NULL DEFAULT false,
    removed_at   timestamptz,
    tick_id      uuid REFERENCES requests,
    tick_at      timestamptz,
    tick_local   bigint,
    CHECK ((cron IS NULL) <> (at IS NULL)),
    CHECK ((tick_id IS NULL) = (tick_at IS NULL)
           AND (tick_id IS NULL) = (tick_local IS NULL))
);
CREATE INDEX schedules_command ON schedules (command_id);
COMMENT ON TABLE schedules IS
    'Written by the authorizer. Each schedule by its newest schedule.set, whose hash is hash; it runs the version command_hash alone.';
COMMENT ON COLUMN schedules.since IS
    'Since when it runs: set for the first time, again, or resumed. No tick from before is fired.';
COMMENT ON COLUMN schedules.void IS
    'Its administrator was removed, and it was not kept: nothing of it is started any more.';
COMMENT ON COLUMN schedules.tick_id IS
    'The newest tick that was decided, whatever became of it; tick_at its moment, tick_local what the zone''s clock showed (ms). Only forward.';

ALTER TABLE runs ADD COLUMN schedule_id uuid REFERENCES schedules;
COMMENT ON COLUMN runs.schedule_id IS
    'The schedule that started it; then hash is that of run.tick, and user_id who signed the schedule. NULL: a person asked.';

GRANT SELECT, INSERT ON schedules TO errand_authorizer;
GRANT UPDATE (hash, command_hash, paused, set_by, set_at, since, void,
    removed_at, tick_id, tick_at, tick_local) ON schedules TO errand_authorizer;
GRANT SELECT ON schedules TO errand_scheduler, errand_reader;
GRANT SELECT (hash, void) ON command_versions TO errand_scheduler;
