"""test_ticks.py: when schedules fire, as other people reckon it. No stack is needed.

build/<variant>/tests/ticks says what common/model/tick.c says. Beside it stand
  - PyPI's cronsim, written after Debian's cron, over every change of every zone in
    ten years, and over schedules that chance draws;
  - the main loop of Debian's cron itself (3.0pl1-162, cron.c: DebiansLoop below),
    a minute at a time, which also says who is right where cronsim differs;
  - Python's zoneinfo, another reader of the same tzdata, for what clocks show;
  - systemd-analyze, where it is installed, for the calendar.
"""
import datetime
import functools
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import zoneinfo

import cronsim
import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ERRAND_BIN", TOP / "build/plain"))
TICKS = BUILD / "tests/ticks"
SEED = int(os.environ.get("ERRAND_TEST_SEED", 2026))
FIRST, LAST = 2019, 2029  # years
REACH = 27 * 60  # minutes, before and after a change
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1)
MINUTE, HOUR, DAY = (datetime.timedelta(minutes=n) for n in (1, 60, 1440))


def minutes(when):
    """Minutes since 1970 of a moment, or of what a clock shows (naive)."""
    naive = when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    return (naive - EPOCH) // MINUTE


def shown(minute):
    return f"{EPOCH + minute * MINUTE:%Y-%m-%dT%H:%M}"


def ticks(questions, most=1 << 40):
    """The answers to (from, until, zone, schedule): [(moment, local, fold)], all in
    minutes and at most so many; or the text of a refusal."""
    done = subprocess.run(
        [TICKS], text=True, check=True, stdout=subprocess.PIPE,
        input="".join(f"{start}\t{until}\t{most}\t{zone}\t{schedule}\n"
                      for start, until, zone, schedule in questions))
    said = done.stdout.split("\n")[:-1]
    assert len(said) == len(questions)
    return [line.removeprefix("bad\t") if line.startswith("bad\t") else
            [tuple(map(int, tick.split(","))) for tick in line.split()]
            for line in said]


# The zones and their changes

@functools.cache
def zones():
    """Names of zones, one for each content: the others are links."""
    names = {}
    for name in sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}):
        path = pathlib.Path("/usr/share/zoneinfo", name)
        if path.is_file():
            names.setdefault(path.read_bytes(), name)
    return sorted(names.values())


class Change:
    """A zone's clock is set at `at` from `before` to `after` (naive)."""

    def __init__(self, zone, at, before, after):
        self.zone, self.at, self.before, self.after = zone, at, before, after
        self.skipped = after - before  # less than 0: repeated

    def clock(self, reach):
        """Yields (moment, what the clock shows), in minutes, around the change."""
        at = minutes(self.at)
        for moment in range(at - reach, at + reach):
            local = self.after if moment >= at else self.before
            yield moment, minutes(local) + moment - at


def offset(zone, at):
    return at.astimezone(zone).utcoffset()


def changes_of(name):
    zone = zoneinfo.ZoneInfo(name)
    at = datetime.datetime(FIRST, 1, 1, tzinfo=UTC)
    while at.year < LAST:
        low, high = at, at + 7 * DAY
        at = high
        if offset(zone, low) == offset(zone, high):
            continue
        while high - low > MINUTE:
            middle = low + (high - low) // 2 // MINUTE * MINUTE
            if offset(zone, middle) == offset(zone, low):
                low = middle
            else:
                high = middle
        naive = high.replace(tzinfo=None)
        yield Change(name, high, naive + offset(zone, low),
                     naive + offset(zone, high))


@functools.cache
def changes():
    return [change for name in zones() for change in changes_of(name)]


@functools.cache
def kinds_of_changes():
    """One of each that look alike on the clock."""
    return list({(c.before, c.after): c for c in changes()}.values())


WILD = ["* * * * *", "*/7 * * * *", "@hourly", "30 * * * *", "*/20 1,2,3 * * *",
        "15 */2 * * *", "* 2 * * *", "5-50/15 */3 * * *", "0 * * * sun",
        "45 * 1-15 * 6"]
FIXED = ["0 3 * * *", "30 2 * * *", "0,30 0-4 * * *", "30 1-3 * * *", "15 1,2 * * *",
         "45 23 * * *", "@daily", "@weekly", "0 2 * * 7", "30 0-23/2 * * *",
         "59 1-2 * * sat,sun", "0-59 2 * * *"]


def about(change):
    """Schedules for the very minutes that a change skips, repeats or touches."""
    first, last = sorted((change.before, change.after))
    return [f"{when.minute} {when.hour} * * *" for when in
            (first, first + 5 * MINUTE, last, first - MINUTE, last - MINUTE)] + [
                f"{first.minute} {first.hour} {first.day} {first.month} *",
                f"*/10 {first.hour} * * *"]


# Who else says when

def spaced(schedule):
    """For cronsim, which knows no words."""
    words = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0"}
    return words.get(schedule, schedule)


@functools.cache
def parts(schedule):
    """(minutes, hours, days, months, weekdays, both, wild), by cronsim's reading."""
    text = spaced(schedule)
    read = cronsim.CronSim(text, EPOCH)
    wild = any(field.startswith("*") for field in text.split()[:2])
    return (read.minutes, read.hours, read.days, read.months,
            {day % 7 for day in read.weekdays}, read.day_and, wild)


class DebiansLoop:
    """The loop of cron.c: `virtual` is what the clock would show, had nobody set it;
    fixed jobs are looked up by it, those with a star by the clock."""

    def __init__(self, schedule, clock):
        (self.minutes, self.hours, self.days, self.months, self.weekdays, self.both,
         self.wild) = parts(schedule)
        self.fired = []
        self.virtual = None
        for self.moment, self.time in clock:
            self.wake()

    def wake(self):
        if self.virtual is None:
            self.virtual = self.time - 1
        ahead = self.time - self.virtual
        if ahead == 1 or ahead > 180 or ahead <= -180:
            self.virtual = self.time
            self.find(self.time, True, True)
        elif ahead > 5:
            self.find(self.time, True, False)
            while self.virtual < self.time:
                self.virtual += 1
                self.find(self.virtual, False, True)
        elif ahead > 0:
            while self.virtual < self.time:
                self.virtual += 1
                self.find(self.virtual, True, True)
        else:
            self.find(self.time, True, False)

    def find(self, local, wild, fixed):
        if not (wild if self.wild else fixed) or local % 60 not in self.minutes:
            return
        when = EPOCH + local * MINUTE
        of_month, of_week = (when.day in self.days,
                             when.isoweekday() % 7 in self.weekdays)
        if when.hour in self.hours and when.month in self.months and (
                of_month and of_week if self.both else of_month or of_week):
            self.fired.append((self.moment, local))


def cronsims(change, schedule):
    """The moments, in minutes, of cronsim's ticks within REACH of a change."""
    start = change.at - (REACH + 1) * MINUTE
    until = change.at + (REACH - 1) * MINUTE
    zone = zoneinfo.ZoneInfo(change.zone)
    fires = cronsim.CronSim(spaced(schedule), start.astimezone(zone))
    return [minutes(tick) for tick in itertools.takewhile(
        lambda tick: tick.astimezone(UTC) <= until, fires)]


# Tests

def near(cases, reach):
    """The ticks of (change, schedule) within so many minutes of the change."""
    return ticks([(minutes(c.at) - reach(c) - 1, minutes(c.at) + reach(c) - 1, c.zone,
                   schedule) for c, schedule in cases])


def test_every_kind_of_change_is_gone_through_as_by_debians_loop():
    reach = lambda change: abs(change.skipped) // MINUTE + 61
    cases = [(change, schedule) for change in kinds_of_changes()
             for schedule in WILD + FIXED + about(change)]
    assert len(cases) > 5000
    for (change, schedule), found in zip(cases, near(cases, reach)):
        expected = DebiansLoop(schedule, change.clock(reach(change))).fired
        assert [tick[:2] for tick in found] == expected, (
            change.zone, change.at, schedule)


def beyond_cronsim(change, schedule):
    """True for what cronsim is not asked: schedules with a star, where a change is
    not from one full hour to another. It goes through such hours 60 minutes at a
    time from their beginnings: so it oversteps 02:00 on Lord Howe, and in NZ-CHAT
    it comes back to 03:00 for ever. The loop above has said what is right."""
    return parts(schedule)[-1] and (change.before.minute or change.after.minute)


def told_apart(change, schedule, ours):
    """The accepted difference that this is, Debian's loop being with us."""
    if DebiansLoop(schedule, change.clock(REACH)).fired != ours:
        return None
    if change.skipped >= 3 * HOUR and not parts(schedule)[-1]:
        return "a correction"  # cronsim moves up what any change skips
    return None


def test_every_change_of_every_zone_is_gone_through_as_by_cronsim():
    cases = [(c, schedule) for c in changes() for schedule in about(c)[:2]]
    cases += [(c, schedule) for c in kinds_of_changes()
              for schedule in WILD[2:] + FIXED[:-1] + about(c)[2:]]
    cases = [case for case in cases if not beyond_cronsim(*case)]
    assert len(changes()) > 2000 and len(cases) > 10000
    apart = {}
    for (change, schedule), found in zip(cases, near(cases, lambda _: REACH)):
        theirs = cronsims(change, schedule)
        # Of what is moved to one moment cronsim tells one.
        if sorted({tick[0] for tick in found}) != theirs:
            why = told_apart(change, schedule, [tick[:2] for tick in found])
            assert why, (change.zone, change.at, schedule,
                         [shown(tick[0]) for tick in found], list(map(shown, theirs)))
            apart.setdefault(why, set()).add(change.zone)
    assert apart == {"a correction": {"Antarctica/Casey"}}


# Schedules that chance draws, where no clock is changed

FIELDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NAMES = {3: "jan feb mar apr may jun jul aug sep oct nov dec".split(),
         4: "sun mon tue wed thu fri sat".split()}
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)


def draw_field(r, i):
    first, last = FIELDS[i]
    number = lambda: str(r.randint(first, last))
    span = lambda: "-".join(map(str, sorted(r.randint(first, last) for _ in "ab")))
    return r.choice([
        lambda: "*", lambda: "*", number,
        lambda: f"*/{r.randint(1, (last - first) // 2)}",
        lambda: f"{span()}/{r.randint(1, 4)}",
        lambda: r.choice(NAMES.get(i, ["*"])),
        lambda: ",".join(r.choice([number, span])() for _ in range(r.randint(2, 4)))])()


def draw(r):
    return " ".join(draw_field(r, i) for i in range(len(FIELDS)))


def test_schedules_that_chance_draws_are_read_as_by_cronsim():
    r = random.Random(SEED)
    schedules = [draw(r) for _ in range(1500)]
    start, taken = minutes(START), 0
    said = ticks([(start, start + 3650 * 1440, "UTC", s) for s in schedules], most=25)
    for schedule, found in zip(schedules, said):
        if isinstance(found, list):
            taken += 1
            theirs = itertools.islice(cronsim.CronSim(schedule, START), len(found))
            assert [tick[0] for tick in found] == list(map(minutes, theirs)), schedule
        else:
            # Stricter than others, with reason.
            assert re.search("has a step that is not|has nothing to step through|"
                             "never comes in the months", found), (schedule, found)
    assert taken > len(schedules) / 2


def test_what_cronsim_refuses_is_refused():
    r = random.Random(SEED)
    refused = 0
    for schedule, found in asked_broken(r):
        try:
            cronsim.CronSim(schedule, EPOCH)
        except (cronsim.CronSimError, ValueError, AssertionError):
            refused += 1
            assert isinstance(found, str), schedule
    assert refused > 300


def asked_broken(r):
    """Schedules with one character put in, taken out or replaced, and answers."""
    schedules = []
    for _ in range(1000):
        text = draw(r)
        at = r.randrange(len(text))
        schedules.append(text[:at] + r.choice("0123456789*/-,LW#? an")
                         + text[at + r.choice([0, 0, 1, 2]):])
    start = minutes(START)
    return zip(schedules, ticks([(start, start, "UTC", s) for s in schedules]))


def listed(values):
    return ",".join(map(str, sorted(values)))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd")
def test_the_calendar_is_systemds():
    """But for days of month and of week together, which it takes for both."""
    r = random.Random(SEED)
    drawn = [[draw_field(r, i) for i in range(len(FIELDS))] for _ in range(150)]
    for fields in drawn:
        fields[r.choice([2, 4])] = "*"
    start = minutes(START)
    asked = [(" ".join(fields), found) for fields, found in zip(drawn, ticks(
        [(start, start + 4000 * 1440, "UTC", " ".join(f)) for f in drawn], most=5))
        if isinstance(found, list)]
    assert len(asked) > 50
    calendars = []
    for schedule, _ in asked:
        of_minute, of_hour, days, months, weekdays, *_ = parts(schedule)
        names = ",".join(NAMES[4][day] for day in sorted(weekdays))
        calendars.append(f"{names} *-{listed(months)}-{listed(days)} "
                         f"{listed(of_hour)}:{listed(of_minute)}:00 UTC")
    said = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=5",
         f"--base-time={START:%Y-%m-%d %H:%M:%S} UTC", *calendars],
        check=True, text=True, stdout=subprocess.PIPE).stdout
    blocks = said.strip().split("\n\n")
    assert len(blocks) == len(asked)
    for (schedule, found), block in zip(asked, blocks):
        theirs = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+) (\S+):00 UTC", block)
        ours = [shown(tick[0]) for tick in found]
        assert ours == ["T".join(words) for words in theirs][:len(ours)], schedule


def test_every_zones_clock_shows_what_zoneinfo_says():
    """From 1973 on (before it, one was set by seconds)."""
    first, last = (minutes(datetime.datetime(year, 1, 1)) for year in (1973, 2100))
    said = ticks([(first, last, name, "0 */12 1 */2 *") for name in zones()])
    for name, found in zip(zones(), said):
        zone = zoneinfo.ZoneInfo(name)
        assert len(found) > 127 * 6 * 2 * .95
        for moment, local, fold in found[::3]:
            at = (EPOCH + moment * MINUTE).replace(tzinfo=UTC).astimezone(zone)
            assert (minutes(at.replace(tzinfo=None)), at.fold) == (local, fold), name


# What a person sees of it

def next_ones(*words):
    """submit schedule next, without a profile or a broker."""
    return subprocess.run([BUILD / "submit", "schedule", "next", *words], text=True,
                          capture_output=True, env={"HOME": "/nonexistent"})


def test_submit_shows_local_time_and_utc_and_what_a_change_does():
    shows = next_ones("30 2 * * *", "--zone", "Europe/Berlin", "-n", "3",
                      "--after", "2026-03-27T12:00")
    assert [re.split("  +", line) for line in shows.stdout.splitlines()] == [
        ["LOCAL", "UTC", "NOTE"],
        ["2026-03-28 02:30", "2026-03-28 01:30", "-"],
        ["2026-03-29 02:30", "2026-03-29 01:00",
         "skipped by the clock: right after the change"],
        ["2026-03-30 02:30", "2026-03-30 00:30", "-"]], shows.stderr
    shows = next_ones("30 * * * *", "--zone", "Europe/Berlin", "-n", "2", "-o", "json",
                      "--after", "2026-10-25T02:00+02:00")
    assert [(tick["local"], tick["moment"], tick["again"])
            for tick in json.loads(shows.stdout)] == [
        ("2026-10-25T02:30", "2026-10-25T00:30:00.000Z", False),
        ("2026-10-25T02:30", "2026-10-25T01:30:00.000Z", True)]
    assert len(next_ones("@hourly").stdout.splitlines()) == 6


@pytest.mark.parametrize("words, status, said", [
    (["61 * * * *"], 65, "minute: '61' is not one; here can stand 0 to 59"),
    (["@daily", "--zone", "Berlin"], 65, "'Berlin' is no time zone that is known here"),
    (["@daily", "-n", "0"], 64, "--limit wants a number from 1 to 1000, not '0'"),
    (["@daily", "--after", "soon"], 64, "--after soon: not a time such as"),
    (["@daily", "--zone", "Europe/Berlin", "--after", "2026-10-25T02:30"], 64,
     "shows this twice: say which by how far it is ahead of UTC, +02:00 the first time"),
    (["0", "3", "*", "*", "*"], 64, "'3' is too much"),
])
def test_submit_says_what_is_wrong_with_a_schedule(words, status, said):
    shows = next_ones(*words)
    assert (shows.returncode, shows.stdout) == (status, "")
    assert said in shows.stderr and shows.stderr.count("\n") == 1
