"""Schedules: each tick is fired once, and what starts is what an administrator
signed, whoever rings the bell.

Times are seconds ahead (`at`), since a cron line comes once a minute at most;
that cron lines come when they should is test_ticks.py's, which tick is due
tests/tables/due.txt's. A scheduler is killed and doubled; its key is stolen, and
ticks are signed with it by hand.
"""
import contextlib
import datetime
import json
import os
import signal
import subprocess
import time

import pytest

from client import (DAY, HOUR, MINUTE, Envelope, Key, accepted, moment, now_ms,
                    reader, schedule_id, tick_id, uuid7)
from host import standing
from house import BIN, HOME, until
from test_joining import folder, told  # noqa: F401  pylint: disable=unused-import
from test_standing import Guest, done, outcomes


def at(seconds):
    """A whole second, so far ahead, as a file says it; and which, in ms."""
    second = int(time.time()) + 1 + seconds
    text = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
    return text.strftime("%Y-%m-%dT%H:%M:%SZ"), second * 1000


def runs(house, name):
    """[(run, outcome, whose)] by schedules of a command."""
    return house.rows(
        "SELECT r.id::text, s.outcome, u.email FROM runs r"
        " JOIN commands c ON c.id = r.command_id JOIN users u ON u.id = r.user_id"
        " JOIN run_states s ON s.id = r.id"
        " WHERE c.name = %s AND r.schedule_id IS NOT NULL", name)


def ended(house, name):
    """Its runs, once there is one and all have ended."""
    def look():
        found = runs(house, name)
        return found if found and all(outcome for _, outcome, _ in found) else None
    return until(f"{name} has run", look)


def rewrite(house, folder, name, *header, who=None):
    """Saves it with other lines."""
    path = folder / name
    path.write_text(house.file(name, "echo again", *header))
    return done((who or house).submit("command", "save", str(path)))


def listed(house, name):
    rows = json.loads(done(house.submit("schedule", "list", name, "-o",
                                        "json")).stdout)
    return {r.get("cron") or r["at"]: r for r in rows}


@contextlib.contextmanager
def second_scheduler(folder):
    """Of the same enrolment."""
    config = (HOME / "conf/scheduler-1.ini").read_text()
    ready = HOME / "run/scheduler-1.ready"
    path = folder / "second.ini"
    path.write_text(config.replace(str(ready), str(folder / "ready")))
    with open(folder / "log", "w", encoding="utf-8") as log:
        with subprocess.Popen([BIN / "errand-scheduler", "--config", path],
                              stdout=log, stderr=log) as process:
            try:
                until("it is ready", (folder / "ready").exists)
                yield process
            finally:
                process.terminate()
            assert process.wait(10) == 0


def ticks_said(house):
    """The ids of all run.tick that come to errand.requests from now on."""
    consumers = [reader(house.brokers, "errand.requests", p)
                 for p in house.partitions("errand.requests")]
    found = []

    def more():
        for consumer in consumers:
            for message in consumer.consume(500, 0.02):
                if not message.error() and dict(message.headers())[
                        "ce_type"] == b"errand.run.tick.v1":
                    found.append(json.loads(message.value())["id"])
        return found
    return more


# In time, and once

def test_each_tick_is_fired_once_by_two_schedulers(house, folder):
    text, ms = at(3)
    name = house.command("date +%s", f"#: at = {text}")
    said = ticks_said(house)
    with second_scheduler(folder):
        with standing(house.pid("authorizer-1")):
            until("both have said it", lambda: len(said()) >= 2)
        [(run, outcome, whose)] = ended(house, name)
    assert set(said()) == {run}
    assert (outcome, whose) == ("succeeded", house.admin.email)
    assert run == tick_id(listed(house, name)[moment(ms)]["schedule"], "UTC", ms)
    began = int(done(house.submit("output", run)).stdout)
    assert 0 <= began - ms // 1000 <= 4
    assert len(runs(house, name)) == 1
    shown = done(house.submit("result", run)).stdout
    assert f"schedule of {house.admin.email}" in shown
    done(house.submit("audit", "verify"))
    row = listed(house, name)[moment(ms)]
    assert (row["run"], row["outcome"], row["set_by"]) == (
        run, "succeeded", house.admin.email)
    [audited] = json.loads(done(house.submit(
        "audit", "--command", name, "--verb", "run.tick", "-o", "json")).stdout)
    assert audited["id"] == run


def test_a_scheduler_killed_before_it_knows_says_it_again(house):
    """It was said, and not decided: the next life can't know, and says it too."""
    text, _ = at(4)
    name = house.command("true", f"#: at = {text}")
    said = ticks_said(house)
    with standing(house.pid("authorizer-1")):
        [run] = until("it is said", lambda: said()[:1])
        scheduler = house.pid("scheduler-1")
        os.kill(scheduler, signal.SIGKILL)
        until("it is said again", lambda: said().count(run) >= 2, 40)
    [(fired, outcome, _)] = ended(house, name)
    assert (fired, outcome) == (run, "succeeded")
    assert house.pid("scheduler-1") != scheduler


def test_what_goes_on_gives_way_to_a_tick_where_it_says_so(house, folder):
    """concurrency = replace, whoever asks for the newest."""
    text, _ = at(4)
    gate = folder / "gate"
    name = house.command(f"while [ ! -e {gate} ]; do sleep 0.02; done",
                         "#: concurrency = replace", f"#: at = {text}")
    first = done(house.submit("run", "-d", name)).stdout.strip()
    until("the first is cancelled", lambda: outcomes(house, first) == ["cancelled"])
    gate.touch()
    assert [outcome for _, outcome, _ in [*ended(house, name)]] == ["succeeded"]


def test_what_was_missed_for_hours_is_caught_up_with_where_it_says_so(house):
    """Since when it runs is set back in the database: as if everything had stood
    still for three days."""
    hour = datetime.datetime.now(datetime.timezone.utc).hour
    line = f"#: schedule = 30 {(hour + 21) % 24} * * *"  # 2 to 4 hours ago
    lost = house.command("true", line, "#: catch_up = no")
    made_up = house.command("true", line, "#: catch_up = last")
    house.change("UPDATE schedules s SET since = now() - interval '3 days'"
                 " FROM commands c WHERE c.id = s.command_id"
                 " AND c.name = ANY (%s)", [lost, made_up])
    [(run, outcome, _)] = ended(house, made_up)
    assert outcome == "succeeded"
    late = now_ms() - int(run.replace("-", "")[:12], 16)
    assert 2 * 3600_000 < late < 4 * 3600_000 + MINUTE
    assert runs(house, lost) == []
    for name in (lost, made_up):
        done(house.submit("command", "remove", name, "--yes"))


# Its file is the whole truth

def test_a_files_lines_are_set_changed_paused_and_taken_away(house, folder):
    name = house.command("true", "#: schedule = 0 3 * * 1-5",
                         "#: schedule = 30 4 1 * *", "#: zone = Europe/Berlin")
    first = listed(house, name)
    assert set(first) == {"0 3 * * 1-5", "30 4 1 * *"}
    rewrite(house, folder, name, "#: schedule = 0 3  * * 1-5",
            "#: schedule = 15 4 1 * *", "#: zone = Europe/Berlin")
    then = listed(house, name)
    assert set(then) == {"0 3 * * 1-5", "15 4 1 * *"}
    same = [rows["0 3 * * 1-5"] for rows in (first, then)]
    assert [r["version"] for r in same] == [1, 2]
    assert same[0]["schedule"] == same[1]["schedule"] == schedule_id(
        house.rows("SELECT id::text FROM commands WHERE name = %s", name)[0][0],
        "0 3 * * 1-5", "Europe/Berlin")
    shown = done(house.submit("schedule", "next", name, "-n", "3")).stdout
    assert shown.count("03:00") >= 2
    for _ in range(2):  # it is signed each time, whatever is there
        out = done(house.submit("schedule", "pause", name)).stderr
        assert out.count("paused") == 2 and "nothing" not in out
        assert all(r["paused"] for r in listed(house, name).values())
    rewrite(house, folder, name, "#: schedule = 1 1 1 1 *", "#: zone = Europe/Berlin")
    assert listed(house, name)["1 1 1 1 *"]["paused"]  # what is new, too
    done(house.submit("schedule", "resume", name))
    assert not listed(house, name)["1 1 1 1 *"].get("paused")
    rewrite(house, folder, name)
    assert listed(house, name) == {}
    told(house.submit("schedule", "resume", name), 65, "no schedule")
    past = folder / "past"
    past.write_text(house.file(name, "true", "#: at = 2026-01-01T00:00Z"))
    told(house.submit("command", "save", str(past)), 65, "has passed")


def test_paused_and_removed_it_does_not_run(house, folder):
    text, ms = at(4)
    paused = house.command("true", f"#: at = {text}")
    gone = house.command("true", f"#: at = {text}")
    retired = house.command("true", f"#: at = {text}")
    runs_on = house.command("true", f"#: at = {text}")
    done(house.submit("schedule", "pause", paused))
    rewrite(house, folder, gone)
    done(house.submit("command", "remove", retired, "--yes"))
    assert now_ms() < ms, "the machine was too slow"
    ended(house, runs_on)
    assert [runs(house, n) for n in (paused, gone, retired)] == [[], [], []]


def test_a_save_that_broke_off_is_mended_by_the_next(house, folder):
    """The version was saved, and its schedules were not: by hand, as a submit that
    was killed in between."""
    name = house.command("true", "#: schedule = 0 3 * * *")
    path = folder / name
    path.write_text(house.file(name, "false", "#: schedule = 0 4 * * *"))
    asker = house.asker()
    old = house.rows("SELECT id::text, encode(hash, 'hex') FROM commands"
                     " WHERE name = %s", name)[0]
    asker.ask("session.show", {}, house.admin)
    accepted(asker.exchange(asker.command_request(
        house.admin, name, path.read_bytes(), ["dev"], version=2, command=old[0],
        previous=old[1])))
    assert listed(house, name)["0 3 * * *"]["version"] == 1  # as it was signed
    out = done(house.submit("command", "save", str(path)))
    assert "unchanged" in out.stdout
    [(when, row)] = listed(house, name).items()
    assert (when, row["version"]) == ("0 4 * * *", 2)


# On whose authority

def test_what_a_removed_administrator_set_goes_on_only_where_it_is_kept(house, folder):
    other = Guest(house, folder, "leaving").settled("administrator")
    done(house.submit("user", "confirm", other.email, "--yes"))
    names = house.fresh("c"), house.fresh("c")
    text, ms = at(12)
    for name in names:
        rewrite(house, folder, name, f"#: at = {text}", who=other)
    kept, left = names
    named = [a for row in house.asker().ask(
        "user.signed", {"email": other.email}, house.admin).answer["rows"]
        if kept in row["name"] for a in ("--keep", row["name"])]
    assert len(named) == 4, "the command, and its schedule"
    done(house.submit("user", "remove", other.email, "--yes", *named))
    assert now_ms() < ms, "the machine was too slow"
    listing = done(house.submit("schedule", "list"))
    assert f"{left} is stopped" in listing.stderr and other.email in listing.stderr
    assert f"{kept} is stopped" not in listing.stderr
    [(_, outcome, whose)] = ended(house, kept)
    assert (outcome, whose) == ("succeeded", other.email)
    assert runs(house, left) == []


# A stolen scheduler's key

@pytest.fixture
def thief(house):
    return Thief(house)


class Thief:
    """With the scheduler's key, and a schedule of the administrator's that nobody
    fires: it is due within the 30 s by which clocks may differ."""

    def __init__(self, house, targets=("dev",)):
        self.house, self.asker = house, house.asker()
        self.key = Key.read(HOME / "keys/scheduler-1.key")
        with open(HOME / "keys/scheduler-1.enrol.json", encoding="utf-8") as file:
            envelopes = json.load(file)["envelopes"]
        self.by = next(e.hash for e in map(Envelope.from_dsse, envelopes)
                       if e.type == "errand.service.enrol.v1" and
                       e.fields["kind"] == "scheduler")
        self.asker.ask("session.show", {}, house.admin)
        self.dead = reader(house.brokers, "errand.dead")
        self.name = house.fresh("c")
        self.save = self.asker.command_request(
            house.admin, self.name, b"#!/bin/sh\necho $ERRAND_PARAM_DIR\n", list(targets),
            parameters=[{"name": "dir", "type": "path"}])
        accepted(self.asker.exchange(self.save))

    def set(self, **fields):
        """A schedule.set, once at a moment of which nobody else takes notice."""
        ms = now_ms() + 25000
        fields = {"command": self.save.fields["command"], "saved": self.save.hash,
                  "arguments": {"dir": "/srv"}, "targets": ["dev"], "at": moment(ms),
                  "zone": "UTC", "catch_up": "no", "paused": False, **fields}
        fields["schedule"] = schedule_id(fields["command"],
                                         fields.get("cron") or fields["at"])
        request = self.asker.request("schedule.set", fields, self.house.admin.by,
                                     self.house.admin.key)
        accepted(self.asker.exchange(request))
        return request, ms

    def tick(self, schedule, ms, local=None, **fields):
        named = schedule.fields
        return self.asker.request("run.tick", {
            "command": named["command"], "arguments": named["arguments"],
            "targets": ["dev"], "deadline": moment(now_ms() + MINUTE),
            "follow": False, "schedule": schedule.hash,
            "local": ms if local is None else local, "fold": 0, **fields},
            self.by, self.key,
            request_id=tick_id(named["schedule"], "UTC", ms, local))

    def aside(self, envelope):
        """The reason in errand.dead; it was not decided."""
        self.asker.produce(envelope)

        def look():
            for message in self.dead.consume(500, 0.05):
                if not message.error() and message.value() == envelope.payload:
                    return dict(message.headers())["errand-reason"].decode()
            return None
        why = until("it is put aside", look)
        assert not self.house.rows("SELECT FROM requests WHERE id = %s",
                                   envelope.fields["id"])
        return why

    def refused(self, envelope):
        reply = self.asker.exchange(envelope)
        assert reply.status not in ("accepted", "ok"), reply
        return self.house.rows("SELECT reason FROM requests WHERE id = %s",
                               envelope.fields["id"])[0][0]


def test_a_stolen_schedulers_key_starts_nothing_but_what_was_signed(house, thief):
    cases = {
        "arguments are not": {"arguments": {"dir": "/etc"}},
        "not for target": {"targets": ["dev", "other"]},
        "another command": {"command": uuid7()},
    }
    for because, fields in cases.items():
        schedule, ms = thief.set()
        assert because in thief.refused(thief.tick(schedule, ms, **fields)), because
    schedule, ms = thief.set()
    tick = thief.tick(schedule, ms)  # what it may: ring in time, as it was signed
    assert accepted(thief.asker.exchange(tick)).status == "accepted"
    again = thief.tick(schedule, ms, deadline=moment(now_ms() + 2 * MINUTE))
    assert thief.asker.exchange(again).status == "id_in_use"
    [(run, outcome, whose)] = ended(house, thief.name)
    assert (run, outcome, whose) == (tick.fields["id"], "succeeded",
                                     house.admin.email)
    assert done(house.submit("output", run)).stdout == "/srv\n"


def test_no_tick_is_used_up_before_its_time(house, thief):
    """By a thief, or by somebody else who works out its id."""
    schedule, _ = thief.set(cron="0 3 * * *", at=None)
    tomorrow = (now_ms() // DAY + 1) * DAY + 3 * HOUR
    early = thief.tick(schedule, tomorrow)
    said = {n: early.fields[n] for n in (
        "command", "arguments", "targets", "deadline", "follow", "schedule", "local",
        "fold")}
    same = {"request_id": early.fields["id"]}
    assert "before its time" in thief.aside(early)
    assert "ahead of" in thief.aside(thief.asker.request(
        "run.tick", said, thief.by, thief.key, issued=tomorrow, **same))
    assert "no such tick" in thief.aside(
        thief.tick(schedule, now_ms() // HOUR * HOUR + 30 * MINUTE - HOUR))
    session = thief.asker.open_session(house.admin)
    for verb, fields, why in (("run.history", {"limit": 1}, "derived"),
                              ("run.tick", said, "can't be asked with")):
        assert why in thief.aside(thief.asker.request(
            verb, fields, session.by, session.key, **same))
    newer, ms = thief.set()
    thief.set(at=newer.fields["at"], catch_up="last")
    assert "set anew" in thief.aside(thief.tick(newer, ms))
    assert runs(house, thief.name) == []


def test_a_target_that_is_drained_meanwhile_leaves_a_tick_to_the_others(house):
    """Between the scheduler's look and the decision: it says the tick again."""
    other = house.fresh("other")
    done(house.submit("target", "add", other))
    thief = Thief(house, ["dev", other])
    schedule, ms = thief.set(targets=["dev", other])
    looked = thief.tick(schedule, ms, targets=["dev", other])
    done(house.submit("target", "drain", other))
    assert "drained or removed since" in thief.aside(looked)
    accepted(thief.asker.exchange(thief.tick(schedule, ms)))
    [(run, outcome, _)] = ended(house, thief.name)
    assert (run, outcome) == (looked.fields["id"], "succeeded")


def test_whether_a_tick_is_due_says_the_authorizers_own_clock_and_zone(house, thief):
    """The schedule does name that local time; but it is not the zone's now."""
    schedule, _ = thief.set(cron="* * * * *", at=None)
    house.change("UPDATE schedules SET since = now() - interval '1 hour'"
                 " WHERE id = %s", schedule.fields["schedule"])
    ms = now_ms() // MINUTE * MINUTE - MINUTE
    assert "does not fire then" in thief.refused(thief.tick(schedule, ms, ms + HOUR))
    accepted(thief.asker.enter("schedule.remove", {
        "schedule": schedule.fields["schedule"]}, house.admin))


def test_what_was_fired_is_not_fired_again_once_its_rows_are_gone(house, thief):
    """With their month, by hand here: the schedule alone remembers it."""
    hour = now_ms() // HOUR - 3
    schedule, _ = thief.set(cron=f"30 {hour % 24} * * *", at=None, catch_up="last")
    ms = hour * HOUR + 30 * MINUTE
    tick = thief.tick(schedule, ms)
    house.change("UPDATE schedules SET since = now() - interval '3 days', tick_id = %s,"
                 " tick_at = %s, tick_local = %s WHERE id = %s", tick.fields["id"],
                 moment(ms), ms, schedule.fields["schedule"])
    assert "decided before" in thief.aside(tick)
    assert runs(house, thief.name) == []
    assert "no longer kept" in done(house.submit("schedule", "list", thief.name)).stdout
    accepted(thief.asker.enter("schedule.remove", {
        "schedule": schedule.fields["schedule"]}, house.admin))


def test_to_pause_is_told_to_every_host(house, folder):
    """By the revocation log: with the authorizer's key, too, a thief has no host
    fire what was signed before. Who saves it then leaves it there, paused."""
    name = house.command("true", "#: schedule = 0 3 * * *")
    [row] = listed(house, name).values()
    log = reader(house.brokers, "errand.revocations")
    done(house.submit("schedule", "pause", name))

    def entry():
        for message in log.consume(500, 0.05):
            event = None if message.error() else Envelope.from_record(message)
            if event is not None and event.type == "errand.schedule.remove.v1":
                return event.fields["schedule"]
        return None
    assert until("it is in the log", entry) == row["schedule"]
    rewrite(house, folder, name, "#: schedule = 0 3 * * *", "#: timeout = 50s")
    [row] = listed(house, name).values()
    assert row["paused"] and row["version"] == 2
    assert house.rows("SELECT count(*) FROM requests WHERE verb = 'schedule.remove'"
                      " AND command = %s", name) == [(1,)]
    done(house.submit("command", "remove", name, "--yes"))


def test_a_tick_of_what_was_removed_is_refused(house, thief):
    schedule, ms = thief.set()
    accepted(thief.asker.enter("schedule.remove", {
        "schedule": schedule.fields["schedule"]}, house.admin))
    assert "removed" in thief.refused(thief.tick(schedule, ms))
    schedule, ms = thief.set(paused=True)
    assert "paused" in thief.refused(thief.tick(schedule, ms))
    assert runs(house, thief.name) == []
