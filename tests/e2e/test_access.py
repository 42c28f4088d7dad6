"""test_access.py: the access list, tests/tables/access.txt, asked cell by cell.

People, sessions, commands and runs are made once; then each cell is a request
signed by hand, all are sent at once, and each is answered, or put aside, as the
list says. Where it says n, the answer is to the byte the one about a thing that
is not there (P7).

A new verb: its rows in the list and, where it says what it is about, how to ask
it, in ASKS. What only asks (a list of all) needs its row and nothing else.
"""
import pathlib
import re
import subprocess
import time

import pytest

from client import (DAY, HOUR, ZERO, Envelope, Key, Person, Session, accepted,
                    advance_id, b64, id_of_hash, moment, now_ms, reader, schedule_id, sha256,
                    tick_id, uuid7)
from house import until as eventually
from test_schemas import VERDICT

TABLE = pathlib.Path(__file__).parents[1] / "tables/access.txt"
PEOPLE = "AURrBb"
COLUMNS = [("own", w) for w in PEOPLE] + [("session", w) for w in PEOPLE] + \
    [("other", w) for w in "IDLCSGX"]
SCRIPT = b"#!/bin/sh\necho hello\n"
VERDICTS = {"ok": "y", "accepted": "y", "not_found": "n", "denied": "-"}
BRIEF = 8000  # ms that what ends soon lasts: the world is made in less


# The list

def read_list():
    """[(verb, of, key, who, what the list says)], a cell each."""
    cells = []
    for line in TABLE.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        verb, of, *said = line.split()
        said = "".join(said)
        assert len(said) == len(COLUMNS) and not set(said) - set("ynd-x"), line
        cells += [(verb, of, key, who, verdict)
                  for (key, who), verdict in zip(COLUMNS, said)]
    return cells


CELLS = read_list()


def verbs_there_are():
    """As the product says: types that are requests."""
    done = subprocess.run([VERDICT, "--types"], text=True, check=True,
                          stdout=subprocess.PIPE)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {row[2] for row in rows if row[2] != "-"}


def test_every_verb_is_in_the_list_and_can_be_asked():
    listed = {verb for verb, *_ in CELLS}
    assert listed == verbs_there_are(), "tests/tables/access.txt"
    about = {verb for verb, of, *_ in CELLS if of != "-"}
    assert about <= ASKS.keys() <= listed, "how is it asked? ASKS says"
    for verb in about:
        named = {of for v, of, *_ in CELLS if v == verb}
        if verb == "run.tick":  # of none it is no tick: put aside
            named.add("none")
        assert {"none"} < named, f"{verb}: of what is not there, and what is"


# Who asks

class Asking:
    """A key, the envelope that gives it its right, and whose it is, if anybody's."""

    def __init__(self, key, by, person=None, invitation=None):
        self.key, self.by = key, by
        self.person, self.invitation = person, invitation

    @classmethod
    def in_session(cls, session):
        return cls(session.key, session.by, session.person)


class World:
    """What the cells are about, made once."""

    def __init__(self, house):
        self.asker = house.asker()
        self.house = house
        self.boss = house.admin
        self.asker.ask("session.show", {}, self.boss)  # the log's place, too
        self.invitations = [self.invitation("x") for cell in CELLS
                            if cell[3] == "I"]
        self.send([i.envelope for i in self.invitations])
        self.people, self.doubles, suspended, removed = \
            [self.make_people() for _ in range(4)]
        self.waiting = self.verified([self.invitation("w", "administrator")])[0]
        self.spare = self.verified([self.invitation("v") for _ in range(8)])
        self.target = house.fresh("t")
        self.target_set = accepted(
            self.asker.add_target(self.boss, self.target)).answer["hash"]
        self.commands = self.make_commands()
        self.schedules = self.make_schedules()
        self.over = self.end_one()
        self.sessions = self.open_sessions()
        ends = self.assign()
        self.runs = self.make_runs()
        self.group, self.waiting_runs = self.make_waiting()
        self.brief, self.closed = self.make_over()
        self.daemon, self.other_daemon = self.enrol_daemon(), self.enrol_daemon()
        self.billing = self.boss_asks("billing.show", {}).answer
        self.wallets = {}  # user: (steps, the last one's hash, the card)
        self.give_billing()
        self.suspended = self.ended(suspended, "user.suspend")
        self.removed = self.ended(removed, "user.remove")
        self.resumable = self.spare.pop()
        self.enter("user.suspend", {"user": self.resumable.user})
        over = max(ends, *(s.until for s in self.brief.values()))
        time.sleep(max(0, over + 50 - now_ms()) / 1000)  # nothing tells of it

    def send(self, envelopes):
        return [accepted(r) for r in self.asker.exchange_all(envelopes)]

    def enter(self, kind, fields):
        """An entry of the revocation log, by the boss."""
        return accepted(self.asker.enter(kind, fields, self.boss))

    def ask(self, kind, fields, who, *more):
        return self.asker.request(kind, fields, who.by, who.key, *more)

    # People

    def invitation(self, prefix, role="runner"):
        return self.asker.invitation(
            self.boss, self.house.fresh(prefix) + "@x.example", role)

    def verified(self, invitations):
        self.send([i.envelope for i in invitations])
        keys = [Key() for _ in invitations]
        verify = [self.asker.verify_request(i, k)
                  for i, k in zip(invitations, keys)]
        self.send(verify)
        return [Person(i.email, k, v.hash, i.user)
                for i, k, v in zip(invitations, keys, verify)]

    def make_people(self):
        roles = {"A": "administrator", "U": "administrator", "R": "runner",
                 "r": "runner", "B": "runner_billing", "b": "runner_billing"}
        people = dict(zip(roles, self.verified(
            [self.invitation(who.lower(), role) for who, role in roles.items()])))
        self.send([self.ask("user.confirm", confirmation(people["A"]), self.boss)])
        return people

    def open_sessions(self, of=PEOPLE, people=None, **lasting):
        """{who: Session}, a new one each."""
        people = people or self.people
        keys = {who: Key() for who in of}
        asked = {who: self.asker.session_request(people[who], keys[who],
                                                 **lasting) for who in of}
        self.send(asked.values())
        return {who: Session(people[who], keys[who], asked[who]) for who in of}

    def ended(self, people, verb):
        """An administrator and a runner by their own keys and their sessions',
        whom the revocation log has ended."""
        sessions = self.open_sessions("AR", people)
        for who in "AR":
            self.enter(verb, {"user": people[who].user})
        return [Asking(people[who].key, people[who].by, people[who])
                for who in "AR"] + list(map(Asking.in_session, sessions.values()))

    def make_over(self):
        """Sessions that are soon over, and sessions that are closed."""
        brief, closed = self.open_sessions("AR", lasts=BRIEF), self.open_sessions("AR")
        for session in brief.values():
            session.until = now_ms() + BRIEF
        self.send([self.ask("session.close", {"session": s.by}, s)
                   for s in closed.values()])
        return brief, closed

    def enrol_daemon(self):
        key = Key()
        enrol = self.ask("service.enrol", {
            "kind": "scheduler", "name": self.house.fresh("s"),
            "key": b64(key.public), "box": b64(key.box)}, self.boss)
        self.send([enrol])
        return Asking(key, enrol.hash)

    # Cards

    def boss_asks(self, kind, fields):
        return accepted(self.asker.ask(kind, fields, self.boss))

    def give_billing(self):
        """A billing key, the next generation."""
        made = self.ask("billing.init", billing_key(self, None, "-"), self.boss)
        self.send([made])
        self.billing = {"hash": made.hash,
                        "generation": made.fields["generation"]}

    def wallet(self, who):
        return self.wallets.setdefault(who.key.id, (0, None, uuid7()))

    def step(self, verb, of, who):
        """Asked in its place, under the billing key of now."""
        self.billing = self.boss_asks("billing.show", {}).answer
        envelope = self.ask(verb, ASKS[verb](self, who, of), who)
        reply = self.asker.exchange(envelope)
        if reply.status == "accepted":
            self.stepped(verb, who, envelope)
        return reply

    def stepped(self, verb, who, envelope):
        """What a person signed of their cards, and was accepted."""
        number, _, card = self.wallet(who)
        if verb == "card.add":
            card = envelope.fields["id"]
        self.wallets[who.key.id] = (number + 1, envelope.hash, card)

    # Commands and runs

    def make_commands(self):
        saved = {of: self.asker.command_request(
            self.boss, self.house.fresh("c"), SCRIPT, [self.target])
            for of in ("given", "ended", "other", "spare")}
        self.send(saved.values())
        return saved

    def schedule_fields(self, of, when):
        """Of a cron line, or of a moment (ms)."""
        last = self.commands.get(of)
        command = last.fields["command"] if last else uuid7()
        text = when if isinstance(when, str) else moment(when)
        return {"schedule": schedule_id(command, text), "command": command,
                "saved": last.hash if last else sha256(b"none"), "arguments": {},
                "targets": [self.target], "zone": "UTC", "catch_up": "last",
                "cron" if when is text else "at": text, "paused": True}

    def make_schedules(self):
        """One to take away; and one whose time has come, as clocks may differ:
        it is paused, so that nobody else fires it."""
        self.tick_ms = now_ms() + 20000
        spare = self.ask("schedule.set", self.schedule_fields("other", "1 1 1 1 *"),
                         self.boss)
        due = self.ask("schedule.set", self.schedule_fields("other", self.tick_ms),
                       self.boss)
        self.send([spare, due])
        return {"other": spare, "given": due}

    def end_one(self):
        """A run that is over, and how it is."""
        run = self.house.submit("run", "-d", self.house.command("true")).stdout.strip()
        eventually("it is over", lambda: self.house.rows(
            "SELECT FROM run_outcomes WHERE id = %s", run))
        [(progress,)] = self.house.rows(
            "SELECT encode(run_progress(id, now()), 'hex') FROM runs WHERE id = %s", run)
        return run, progress

    def assign(self):
        until = now_ms() + BRIEF
        self.send([self.ask("assignment.add", {
            "user": self.people[who].user,
            "command": self.commands[of].fields["command"],
            "until": moment(until) if of == "ended" else None}, self.boss)
            for who in "RB" for of in ("given", "ended")] + [self.ask(
                "assignment.add", {"user": self.waiting.user,
                                   "command": self.command("given")}, self.boss)])
        return until

    def run(self, session, of):
        command = self.commands[of].fields["command"] if of != "none" else uuid7()
        return self.asker.run_request(session, command, [self.target])

    def make_runs(self):
        runs = {"given": self.run(self.sessions["R"], "given"),
                "ended": self.run(self.sessions["R"], "ended"),
                "other": self.run(self.sessions["A"], "other")}
        self.send(runs.values())
        return {of: run.fields["id"] for of, run in runs.items()}

    def make_waiting(self):
        """A group's newest entry, and runs that wait: {(verb, of): (run, save)}.
        One more vote is wanted than is cast, so that they wait on."""
        spare = self.spare[-1].user
        members = {"given": [self.people[who].user for who in "ARB"] + [spare],
                   "other": [spare]}
        boss, made = self.asker.open_session(self.boss), {}
        for of, users in members.items():
            group = {"name": self.house.fresh("g"), "members": users}
            entry = self.enter("group.set", group).answer["hash"]
            save = self.asker.command_request(
                self.boss, self.house.fresh("c"), SCRIPT, [self.target], approve={
                    "count": len(users), "group": group["name"], "within": 3600})
            self.send([save])
            for verb in ("run.approve", "run.reject"):
                run = self.asker.run_request(boss, save.fields["command"], [self.target])
                self.send([run])
                made[verb, of] = run, save
        return {**group, "previous": entry}, made

    def vote(self, verb, of):
        if of == "none":
            run, save = sha256(b"no run"), sha256(b"no command")
        else:
            run, save = (e.hash for e in self.waiting_runs[verb, of])
        return {"run": run, "command": save, "targets": [self.target]}

    def waiting_id(self, of):
        return self.run_id("none") if of == "none" else \
            self.waiting_runs["run.approve", of][0].fields["id"]

    # What a cell names

    def command(self, of):
        return uuid7() if of == "none" else self.commands[of].fields["command"]

    def command_name(self, of):
        return "c0-no-such" if of == "none" else self.commands[of].fields["name"]

    def run_id(self, of):
        return "0" * 8 + uuid7()[8:] if of == "none" else self.runs[of]

    def email(self, who, of):
        if of == "self" and who.person:
            return who.person.email
        return "nobody@x.example" if of == "none" else self.waiting.email

    def askers(self, verb, key, who):
        """The keys that a column stands for; a double's where it is changed."""
        if key == "own":
            person = (self.doubles if verb == "key.rotate" else self.people)[who]
            return [Asking(person.key, person.by, person)]
        if key == "session":
            return [Asking.in_session(self.sessions[who])]
        if who in "LC":
            over = self.brief if who == "L" else self.closed
            return [Asking.in_session(s) for s in over.values()]
        return {"I": self.invited, "D": lambda: [self.daemon],
                "S": lambda: self.suspended, "G": lambda: self.removed,
                "X": lambda: [Asking(Key(), sha256(b"nobody"))]}[who]()

    def invited(self):
        """Whoever follows an invitation, one that nobody else has."""
        invitation = self.invitations.pop()
        return [Asking(invitation.key, invitation.envelope.hash,
                       invitation=invitation)]


@pytest.fixture(scope="module")
def world(house):
    return World(house)


# How each verb is asked: (world, who, of) -> fields, and a second key

def confirmation(person):
    return {"user": person.user, "key": b64(person.key.public),
            "verify": person.by}


def invite(world, _who, _of):
    made = world.invitation("i")
    return {n: made.envelope.fields[n]
            for n in ("user", "invitation", "email", "role", "until")}


def show_invitation(world, who, _of):
    return {"root": None, "root_half": id_of_hash(world.asker.root),
            "by": who.key.id}


def verify(_world, who, _of):
    key = Key()
    return {"user": who.invitation.user if who.invitation else uuid7(),
            "invite": who.by if who.invitation else ZERO,
            "key": b64(key.public), "generation": 1}, key


def confirm(world, _who, of):
    fields = confirmation(world.waiting)
    return fields if of == "other" else {**fields, "user": uuid7()}


def open_session(_world, _who, _of):
    key = Key()
    return {"key": b64(key.public), "box": b64(key.box),
            "until": moment(now_ms() + HOUR)}, key


def close_session(world, who, of):
    """A session that nobody else needs."""
    if of == "none":
        return {"session": sha256(b"no session")}
    whose = next((n for n, p in world.people.items() if p is who.person), "R")
    if of == "other":
        whose = "B" if whose == "R" else "R"
    return {"session": world.open_sessions(whose)[whose].by}


def enrol(world, _who, _of):
    key = Key()
    return {"kind": "scheduler", "name": world.house.fresh("s"),
            "key": b64(key.public), "box": b64(key.box),
            "until": moment(now_ms() + DAY)}


def set_target(world, _who, of):
    """A new one; one that is there is given a label."""
    name = world.target if of == "other" else world.house.fresh("t")
    previous = {"other": world.target_set, "none": sha256(b"no target")}.get(of)
    return {"name": name, "generation": 1, "max_wait": 86400,
            "previous": previous, "labels": {"role": "web"}}


def set_group(world, _who, of):
    """A new one; one that is there, as it is; the end of one that is not."""
    if of == "other":
        return world.group
    return {"name": world.house.fresh("g"),
            "members": [] if of == "none" else [world.boss.user]}


def victim(world, who, of):
    """Whom an entry is about: themselves, somebody whom nobody needs, nobody."""
    if of == "none":
        return Person("nobody@x.example", Key(), sha256(b"nobody"), uuid7())
    return who.person if of == "self" and who.person else world.spare[0]


def standing(world, who, of):
    """Suspended or removed: who it is must not be asked about twice."""
    whom = victim(world, who, of)
    if of == "other" and who.key is world.people["A"].key:
        world.spare.pop(0)
    return {"user": whom.user}


def change_role(world, who, of):
    whom = victim(world, who, of)
    return {**standing(world, who, of), "naming": whom.by,
            "key": b64(whom.key.public), "role": "runner_billing"}


def reinvite(world, who, of):
    whom = victim(world, who, of)
    return {**standing(world, who, of), "invitation": b64(Key().public),
            "email": whom.email, "role": "runner", "generation": 2,
            "until": moment(now_ms() + HOUR)}


def unfactored(_world, _who, _of):
    """What no authorizer can open."""
    return {"secret": [], "code": [], "recovery": [
        sha256(b"recovery %d" % n) for n in range(10)]}


def set_policy(world, _who, _of):
    """As it is, once more."""
    now = world.boss_asks("policy.list", {}).answer
    return {"version": now.get("version", 0) + 1, "previous": now.get("hash"),
            "rules": now["rules"]}


def rotate(_world, who, _of):
    key = Key()
    return {"user": who.person.user if who.person else uuid7(), "naming": who.by,
            "key": b64(key.public), "generation": 2}, key


def retire(world, _who, of):
    return {"command": world.command("spare" if of == "other" else of)}


def show_command(world, _who, of):
    if of == "nover":
        return {"name": world.command_name("given"), "version": 1000}
    return {"name": world.command_name(of)}


def save(world, _who, of):
    last = world.commands.get(of)
    return {"command": last.fields["command"] if last else uuid7(),
            "name": last.fields["name"] if last else world.house.fresh("c"),
            "version": 2 if last else 1, "previous": last.hash if last else None,
            "script": b64(SCRIPT), "parameters": [], "targets": [world.target],
            "timeout": 60, "wait": 60}


def schedule(world, _who, of):
    return world.schedule_fields(of, "2 2 2 2 *")


def unschedule(world, _who, of):
    set_ = world.schedules.get(of)
    return {"schedule": set_.fields["schedule"] if set_ else uuid7()}


def tick(world, who, of):
    """Under its own id by the scheduler, by others each under another one."""
    set_, ms = world.schedules[of], world.tick_ms
    local = ms if who is world.daemon else next(world.house.numbers)
    return {"id": tick_id(set_.fields["schedule"], "UTC", ms, local),
            "command": set_.fields["command"], "arguments": {},
            "targets": [world.target], "deadline": moment(now_ms() + 60000),
            "follow": False, "schedule": set_.hash, "local": ms, "fold": 0}


def advance(world, who, _of):
    """Of a run that is over, by the scheduler; by others each as of another state."""
    run, progress = world.over
    if who is not world.daemon:
        progress = sha256(str(next(world.house.numbers)).encode())
    return {"id": advance_id(run, progress), "run": run, "progress": progress}


def billing_key(world, _who, _of):
    last = world.billing
    return {"box": b64(Key().box), "generation": last.get("generation", 0) + 1,
            "previous": last["hash"] if last.get("generation") else None}


def card_step(world, who, of):
    number, previous, card = world.wallet(who)
    return {"number": number + 1, "previous": previous,
            "card": uuid7() if of == "none" else card}


def card_add(world, who, of):
    fields = card_step(world, who, of)
    del fields["card"]
    return {**fields, "billing": world.billing["hash"], "box": b64(b"x" * 100),
            "brand": "visa", "last4": "4242", "expiry": "2099-12"}


def start(world, who, of):
    fields = world.run(who, of).fields
    return {n: fields[n] for n in ("command", "arguments", "targets", "deadline",
                                   "follow")}


ASKS = {
    "user.invite": invite,
    "invitation.show": show_invitation,
    "user.verify": verify,
    "user.confirm": confirm,
    "user.show": lambda w, who, of: {"email": w.email(who, of)},
    "user.signed": lambda w, who, of: {"email": w.email(who, of)},
    "user.suspend": standing,
    "user.remove": standing,
    "user.resume": lambda w, _, of: {"user": w.resumable.user if of == "other"
                                     else uuid7()},
    "user.role": change_role,
    "user.reinvite": reinvite,
    "key.rotate": rotate,
    "mfa.set": unfactored,
    "mfa.reset": standing,
    "policy.set": set_policy,
    "session.open": open_session,
    "session.close": close_session,
    "service.enrol": enrol,
    "service.revoke": lambda w, _, of: {"service": w.other_daemon.by if of == "other"
                                        else sha256(b"no service")},
    "target.set": set_target,
    "target.show": lambda w, _, of: {"name": w.target if of == "other"
                                     else "t0-no-such"},
    "group.set": set_group,
    "command.save": save,
    "command.show": show_command,
    "command.versions": lambda w, _, of: {"name": w.command_name(of)},
    "command.retire": retire,
    "schedule.set": schedule,
    "schedule.remove": unschedule,
    "schedule.list": lambda w, _, of: {"command": w.command_name(of)},
    "run.tick": tick,
    "assignment.remove": lambda w, _, of: {"user": w.waiting.user,
                                           "command": w.command(of)},
    "assignment.explain": lambda w, _, of: {"command": w.command_name(of),
                                            "email": w.waiting.email},
    "assignment.add": lambda w, _, of: {"user": w.resumable.user,
                                        "command": w.command(of)},
    "assignment.list": lambda w, _, of: {"command": w.command_name(of)},
    "audit.list": lambda *_: {"limit": 10},
    "audit.rows": lambda *_: {"partition": 0, "after": 0},
    "run.start": start,
    "run.advance": advance,
    "run.cancel": lambda w, _, of: {"run": w.run_id(of)},
    "run.approve": lambda w, _, of: w.vote("run.approve", of),
    "run.reject": lambda w, _, of: w.vote("run.reject", of),
    "pending.show": lambda w, _, of: {"run": w.waiting_id(of)},
    "run.show": lambda w, _, of: {"run": w.run_id(of)},
    "run.output": lambda w, _, of: {"run": w.run_id(of), "after": 0},
    "run.history": lambda *_: {"limit": 10},
    "billing.init": billing_key,
    "card.add": card_add,
    "card.default": card_step,
    "card.remove": card_step,
    "card.list": lambda w, who, of: {"email": w.email(who, of)},
    "card.export": lambda *_: {},
}
STEPS = {"card.add", "card.default", "card.remove"}  # of a person's cards


# What a handler says of a request that is allowed, and asked as far as is of use:
# a secret that nobody can open, a second factor that is not there, a run that has
# ended since (another cell's asker ended it, or said no).
ASKED_AS_FAR = {"mfa.set": ("invalid", "code_wanted"),
                "mfa.reset": ("conflict",), "run.cancel": ("conflict",),
                "run.reject": ("conflict",),
                "run.advance": ("conflict",),
                "run.tick": ("conflict",)}
ENTRIES = {"user.suspend", "user.resume", "user.remove", "user.role",
           "user.reinvite", "key.rotate", "service.revoke", "command.retire",
           "assignment.remove", "schedule.remove", "target.set",
           "group.set"}  # of the revocation log


def request(world, verb, of, who):
    """The envelope, and how to sign it again in another place of the log."""
    asked = ASKS.get(verb, lambda *_: {})(world, who, of)
    fields, *keys = asked if isinstance(asked, tuple) else (asked,)
    if verb in STEPS:  # each follows the one before: some are asked again
        return world.ask(verb, fields, who), lambda: world.step(verb, of, who)
    if verb not in ENTRIES:
        return world.ask(verb, fields, who, *keys), None
    return world.asker.entry_request(verb, fields, who, *keys), \
        lambda: world.asker.enter(verb, fields, who, *keys)


# Asking all of them

class Dead:
    """The payloads that came to errand.dead since it was made."""

    def __init__(self, house):
        self.consumer = reader(house.brokers, "errand.dead")
        self.values = set()

    def read(self):
        for message in self.consumer.consume(500, 0.02):
            if not message.error():
                self.values.add(message.value())
        return self.values


class Asked:
    """One request of a cell, and what came of it."""

    def __init__(self, world, cell, who, nth):
        self.verb, self.of, self.key, self.column, self.listed = cell
        self.same = (self.verb, self.key, self.column, nth)  # but for what it names
        self.world, self.who = world, who
        self.envelope, self.again = request(world, self.verb, self.of, who)
        self.id = self.envelope.fields["id"]
        self.reply, self.came = None, "nothing at all"

    def judge(self, reply, dead):
        early = {"behind", "conflict"}  # another cell's was first, or comes first
        if self.verb in STEPS and self.of == "self":
            early.add("not_found")
        if reply is not None and self.again and reply.status in early:
            reply = self.again()
        elif reply is not None and reply.status == "accepted" and \
                self.verb in STEPS:
            self.world.stepped(self.verb, self.who, self.envelope)
        self.reply = reply
        if reply is not None:
            self.came = VERDICTS.get(reply.status, reply.status)
            if reply.status in ASKED_AS_FAR.get(self.verb, ()):
                self.came = "y"
            if self.came == "-" and self.listed == "d":
                self.came = "d"
        elif self.envelope.payload in dead:
            self.came = "x"

    def __str__(self):
        told = f": {self.reply.text}" if self.reply is not None else ""
        return f"{self.verb} of {self.of}, by {self.column} with the key " \
               f"{self.key}: {self.came} instead of {self.listed}{told}"


@pytest.fixture(scope="module")
def answered(house, world):
    """Every cell, asked."""
    dead = Dead(house)
    asked = [Asked(world, cell, who, n) for cell in CELLS
             for n, who in enumerate(world.askers(cell[0], *cell[2:4]))]
    payloads = {a.id: a.envelope.payload for a in asked}
    world.asker.send_all([a.envelope for a in asked])
    replies = world.asker.gather(
        [a.envelope for a in asked], 120,
        until=lambda missing: dead.read() >= {payloads[m] for m in missing})
    for each in asked:
        each.judge(replies.get(each.id), dead.values)
    return asked


def test_each_gets_what_the_list_says(answered):
    wrong = [str(a) for a in answered if a.came != a.listed]
    assert not wrong, "\n".join(wrong)


def told(reply):
    """All that an asker can see of a reply, but for its own ids and moments."""
    return reply.status, reply.text, reply.body, len(reply.parts)


def same(one, other):
    """To the byte, and as long: but for the digits of how many rows there are."""
    return told(one) == told(other) and all(
        abs(a - b) <= 16 for a, b in zip(one.sizes, other.sizes))


def test_what_one_may_not_see_is_as_if_absent(answered):
    absent = {a.same: a for a in answered if a.of == "none"}
    hidden = [a for a in answered if a.came in "n-" and a.same in absent]
    assert len(hidden) > 200
    wrong = [str(a) for a in hidden if absent[a.same].came == a.came and
             not same(a.reply, absent[a.same].reply)]
    assert not wrong, "\n".join(wrong)


def test_a_refusal_is_told_in_one_line_for_people(answered):
    for text in {a.reply.text for a in answered if a.came in ("n", "-")}:
        assert re.fullmatch(r"[^\n]{10,200}", text), text


def test_what_was_refused_changed_nothing(house, answered):
    """Only what the list says is accepted has its envelope kept."""
    hashes = [a.envelope.hash for a in answered if a.reply is not None and
              a.reply.status != "accepted" and a.again is None]
    kept = house.rows("SELECT encode(hash, 'hex') FROM envelopes"
                      " WHERE encode(hash, 'hex') = ANY (%s)", hashes)
    assert not kept
