"""test_model.py: thousands of random requests get the decisions that a small model
says: who is invited, verified, confirmed; whose session is open; which command
is assigned to whom, and until when; and what each may ask and see then.

Many populations live side by side. Within one a request waits for the reply to
the one before, so what is decided is determined, whatever the partitions do; only
an assignment's end may fall between asking and answer: then both are right. With
which key and as what a verb may be asked says tests/tables/access.txt.

ERRAND_TEST_SEED=n plays another game (2026). What differs is told with the
changes that were accepted before it in that population, and nothing else of it:
what was refused or only read changed nothing.
"""
import os
import random

import pytest

from client import Key, Person, Session, b64, moment, now_ms, sha256, uuid7
from test_access import CELLS, SCRIPT, confirmation

SEED = int(os.environ.get("ERRAND_TEST_SEED", 2026))
POPULATIONS, STEPS = 50, 100
BRIEF = 400  # ms that some assignments last

DENIED = {(verb, key, who) for verb, _, key, who, said in CELLS if said == "-"}
WEIGHTS = {
    "user.invite": 8, "invitation.show": 2, "user.verify": 10,
    "user.confirm": 4, "user.list": 1, "user.show": 3,
    "session.open": 10, "session.close": 2, "session.show": 2,
    "command.save": 6, "command.list": 3, "command.show": 5,
    "command.versions": 2, "assignment.add": 12, "assignment.list": 2,
    "run.start": 14, "run.show": 6, "run.output": 3, "run.history": 2}
# An administrator sees everybody's: long answers, and not this model's.
OF_ALL = {"user.list", "command.list", "assignment.list", "run.history"}


class Ask:
    """A request by names: the verb, with which key of whom, and of what."""

    def __init__(self, verb, key, who, of):
        self.verb, self.key, self.who, self.of = verb, key, who, of

    def __str__(self):
        of = " ".join(f"{n}={v}" for n, v in self.of.items() if v is not None)
        return f"{self.verb} {of} by {self.key} {self.who}"


class Model:
    """A population: dictionaries, and what follows from them."""

    def __init__(self):
        self.roles = {"boss": "administrator"}
        self.states = {"boss": "active"}
        self.sessions = {}  # name -> whose
        self.closed = set()
        self.commands = {}  # name -> version
        self.assigned = {}  # (who, command) -> until; None: for good
        self.runs = {}      # name -> command

    def in_force(self, who):
        return self.roles[who] == "administrator" and self.states[who] == "active"

    def sees(self, who, command, now):
        if command not in self.commands:
            return False
        until = self.assigned.get((who, command), 0)
        return self.in_force(who) or until is None or until > now

    def column(self, who):
        """Theirs in the access list."""
        if self.roles[who] == "administrator":
            return "A" if self.in_force(who) else "U"
        return "R" if self.roles[who] == "runner" else "B"

    def decide(self, ask, now):
        """The status that this is answered with at that moment."""
        if ask.key == "invitation":
            return self.by_invitation(ask)
        who, key = ask.who, "own"
        if ask.key == "session":
            who, key = self.sessions[ask.who], "session"
            if ask.who in self.closed:
                return "denied"
        if (ask.verb, key, self.column(who)) in DENIED:
            return "denied"
        noun, verb = ask.verb.split(".")
        return getattr(self, f"{noun}_{verb}")(who, now, **ask.of)

    def by_invitation(self, ask):
        if self.states[ask.who] != "invited":
            return "conflict"
        return "accepted" if ask.verb == "user.verify" else "ok"

    def user_invite(self, _by, _now, who, role):
        return "conflict" if who in self.roles else "accepted"

    def user_confirm(self, _by, _now, who):
        if who not in self.roles:
            return "not_found"
        if self.roles[who] != "administrator":
            return "invalid"
        return "accepted" if self.states[who] == "verified" else "conflict"

    def user_list(self, _by, _now):
        return "ok"

    def user_show(self, by, _now, who):
        return "ok" if who == by or who in self.roles and self.in_force(by) \
            else "not_found"

    def session_open(self, _by, _now, name):
        return "accepted"

    def session_close(self, by, _now, session):
        theirs = self.sessions.get(session)
        return "accepted" if theirs and (theirs == by or self.in_force(by)) \
            else "not_found"

    def session_show(self, _by, _now):
        return "ok"

    def command_save(self, _by, _now, command, version):
        return "accepted" if version == self.commands.get(command, 0) + 1 \
            else "conflict"

    def command_list(self, _by, _now):
        return "ok"

    def command_show(self, by, now, command):
        return "ok" if self.sees(by, command, now) else "not_found"

    command_versions = command_show

    def assignment_add(self, _by, now, who, command, until, pin):
        if who not in self.roles or command not in self.commands:
            return "not_found"
        over = until is not None and until <= now
        return "invalid" if over or pin > self.commands[command] else "accepted"

    def assignment_list(self, _by, _now, command):
        return "ok" if command in self.commands else "not_found"

    def run_start(self, by, now, command, name):
        return "accepted" if self.sees(by, command, now) else "not_found"

    def run_show(self, by, now, run):
        return "ok" if self.sees(by, self.runs.get(run), now) else "not_found"

    run_output = run_show

    def run_history(self, _by, _now):
        return "ok"

    # What an accepted request changes

    def apply(self, ask):
        of = ask.of
        if ask.verb == "user.invite":
            self.roles[of["who"]], self.states[of["who"]] = of["role"], "invited"
        elif ask.verb == "user.verify":
            waits = self.roles[ask.who] == "administrator"
            self.states[ask.who] = "verified" if waits else "active"
        elif ask.verb == "user.confirm":
            self.states[of["who"]] = "active"
        elif ask.verb == "session.open":
            self.sessions[of["name"]] = ask.who
        elif ask.verb == "session.close":
            self.closed.add(of["session"])
        elif ask.verb == "command.save":
            self.commands[of["command"]] = of["version"]
        elif ask.verb == "assignment.add":
            self.assigned[of["who"], of["command"]] = of["until"]
        elif ask.verb == "run.start":
            self.runs[of["name"]] = of["command"]

    def shown(self, ask, now):
        """What an answer lists for who is no administrator; None: not judged."""
        who = self.sessions[ask.who] if ask.key == "session" else ask.who
        if self.column(who) in "AU":
            return None
        if ask.verb == "command.list":
            return {c for c in self.commands if self.sees(who, c, now)}
        if ask.verb == "run.history":
            return {r for r, c in self.runs.items() if self.sees(who, c, now)}
        return None


class Player:
    """Draws the next request: mostly one that could be right."""

    def __init__(self, chance, model):
        self.chance, self.model = chance, model
        self.drawn = 0

    def new(self, prefix):
        self.drawn += 1
        return f"{prefix}{self.drawn}"

    def one_of(self, names, prefix):
        """One that there is, or now and then none that there is."""
        names = list(names)
        absent = not names or self.chance.random() < 0.08
        return self.new("no-" + prefix) if absent else self.chance.choice(names)

    def next(self):
        while True:
            verb = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            signer = self.signer(verb)
            if signer is not None:
                noun, name = verb.split(".")
                draw = getattr(self, f"{noun}_{name}", dict)
                return Ask(verb, *signer, draw())

    def signer(self, verb):
        """The key that fits, most of the time, and whose; None: there is none."""
        model, chance = self.model, self.chance
        if verb in ("invitation.show", "user.verify"):
            invited = [w for w in model.roles if w != "boss" and
                       (model.states[w] == "invited" or chance.random() < 0.1)]
            return ("invitation", chance.choice(invited)) if invited else None
        there = [w for w, state in model.states.items() if state != "invited"]
        if verb in OF_ALL and chance.random() < 0.8:
            there = [w for w in there if model.column(w) not in "A"]
        elif (verb, "own", "R") in DENIED and chance.random() < 0.8:
            there = [w for w in there if model.in_force(w)]
        fits = (verb, "session", "A") not in DENIED
        if verb == "session.open" or chance.random() < (0.1 if fits else 0.9):
            return ("own", chance.choice(there)) if there else None
        sessions = [s for s, w in model.sessions.items() if w in there]
        return ("session", chance.choice(sessions)) if sessions else None

    # Of what

    def user_invite(self):
        again = self.chance.random() < 0.1
        return {"who": self.chance.choice(list(self.model.roles)) if again
                else self.new("u"), "role": self.chance.choice(
                    ["administrator", "runner", "runner", "runner_billing"])}

    def user_confirm(self):
        return {"who": self.one_of([w for w in self.model.roles if w != "boss" and (
            self.model.states[w] == "verified" or self.chance.random() < 0.3)], "u")}

    def user_show(self):
        return {"who": self.one_of(self.model.roles, "u")}

    def session_open(self):
        return {"name": self.new("s")}

    def session_close(self):
        return {"session": self.one_of(self.model.sessions, "s")}

    def command_save(self):
        known = self.model.commands
        if not known or self.chance.random() < 0.5:
            return {"command": self.new("c"), "version": 1}
        command = self.chance.choice(list(known))
        skew = self.chance.choice([1, 1, 1, 0, 2])
        return {"command": command, "version": known[command] + skew}

    def command_show(self):
        return {"command": self.one_of(self.model.commands, "c")}

    command_versions = assignment_list = command_show

    def assignment_add(self):
        until = self.chance.choice([None, None, BRIEF, 3_600_000, -1])
        return {"who": self.one_of(self.model.roles, "u"),
                "command": self.one_of(self.model.commands, "c"),
                "until": until if until is None else now_ms() + until,
                "pin": self.chance.choice([0, 0, 0, 1, 2])}

    def run_start(self):
        return {"command": self.one_of(self.model.commands, "c"),
                "name": self.new("r")}

    def run_show(self):
        return {"run": self.one_of(self.model.runs, "r")}

    run_output = run_show


class Population:
    """The names' real people, keys, commands; and what happened so far."""

    def __init__(self, house, asker, target, chance):
        self.house, self.asker, self.target = house, asker, target
        self.model = Model()
        self.player = Player(chance, self.model)
        self.mark = house.fresh("m")
        self.people = {"boss": house.admin}
        self.invitations, self.sessions = {}, {}
        self.commands, self.runs = {}, {}
        self.changes = []

    def signer(self, ask):
        if ask.key == "session":
            return self.sessions[ask.who]
        if ask.key == "own":
            return self.people[ask.who]
        invitation = self.invitations[ask.who]
        return Session(None, invitation.key, invitation.envelope)

    def email(self, who):
        return self.people[who].email if who == "boss" else \
            f"{who}.{self.mark}@x.example"

    def user(self, who):
        return self.invitations[who].user if who in self.invitations else \
            self.people[who].user if who in self.people else uuid7()

    def command(self, name):
        return self.commands[name].fields["command"] if name in self.commands \
            else uuid7()

    def step(self):
        self.ask, self.asked = self.player.next(), now_ms()
        noun, verb = self.ask.verb.split(".")
        make = getattr(self, f"{noun}_{verb}", None)
        signer = self.signer(self.ask)
        self.made = make(signer, **self.ask.of) if make else {}
        if isinstance(self.made, dict):
            self.made = self.asker.request(self.ask.verb, self.made, signer.by,
                                           signer.key)
        return self.made

    # How each verb's request is made: its fields, or the whole envelope

    def user_invite(self, signer, who, role):
        self.invited = self.asker.invitation(signer, self.email(who), role)
        return self.invited.envelope

    def invitation_show(self, signer):
        half = self.asker.root[:32]
        return self.asker.request("invitation.show", {
            "root": None, "root_half": f"{half[:8]}-{half[8:12]}-{half[12:16]}-"
            f"{half[16:20]}-{half[20:]}"}, signer.key.id, signer.key)

    def user_verify(self, _signer):
        self.key = Key()
        return self.asker.verify_request(self.invitations[self.ask.who], self.key)

    def user_confirm(self, _signer, who):
        if who in self.people:
            return confirmation(self.people[who])
        return {"user": self.user(who), "key": b64(Key().public),
                "verify": sha256(b"no verify")}

    def user_show(self, _signer, who):
        return {"email": self.email(who)}

    def session_open(self, signer, name):
        self.key = Key()
        return self.asker.session_request(signer, self.key)

    def session_close(self, _signer, session):
        known = self.sessions.get(session)
        return {"session": known.by if known else sha256(b"no session")}

    def command_save(self, signer, command, version):
        last = self.commands.get(command)
        return self.asker.command_request(
            signer, f"{command}-{self.mark}", SCRIPT, [self.target], version,
            last.fields["command"] if last else None, last.hash if last else None)

    def command_show(self, _signer, command):
        return {"name": f"{command}-{self.mark}"}

    command_versions = command_show

    def assignment_list(self, _signer, command):
        return {"command": f"{command}-{self.mark}"}

    def assignment_add(self, _signer, who, command, until, pin):
        return {"user": self.user(who), "command": self.command(command),
                "until": moment(until) if until else None, "pin": pin or None}

    def run_start(self, signer, command, name):
        return self.asker.run_request(signer, self.command(command), [self.target])

    def run_show(self, _signer, run):
        return {"run": self.runs.get(run) or "0" * 8 + uuid7()[8:]}

    def run_output(self, signer, run):
        return {**self.run_show(signer, run), "after": 0}

    def run_history(self, _signer):
        return {"limit": 100}

    # What came of it

    def judge(self, reply):
        """What differs from the model, in words; None: nothing."""
        moments = self.asked, now_ms()
        right = {self.model.decide(self.ask, at) for at in moments}
        if reply.status not in right:
            return self.story(f"{reply!r} instead of {' or '.join(right)}")
        if reply.status == "ok" and self.ask.verb in OF_ALL:
            listed = [self.model.shown(self.ask, at) for at in moments]
            if None not in listed and self.listed(reply.answer) not in listed:
                return self.story(f"{reply!r} lists other than {listed}")
        if reply.status == "accepted":
            self.learn()
            self.model.apply(self.ask)
            self.changes.append(self.ask)
        return None

    def learn(self):
        ask, of = self.ask, self.ask.of
        if ask.verb == "user.invite":
            self.invitations[of["who"]] = self.invited
        elif ask.verb == "user.verify":
            self.people[ask.who] = Person(self.email(ask.who), self.key,
                                          self.made.hash, self.user(ask.who))
        elif ask.verb == "session.open":
            self.sessions[of["name"]] = Session(self.people[ask.who], self.key,
                                                self.made)
        elif ask.verb == "command.save":
            self.commands[of["command"]] = self.made
        elif ask.verb == "run.start":
            self.runs[of["name"]] = self.made.fields["id"]

    def listed(self, answer):
        if self.ask.verb == "command.list":
            return {c["name"].split("-")[0] for c in answer["commands"]}
        names = {run: name for name, run in self.runs.items()}
        return {names[r["run"]] for r in answer["runs"]}

    def story(self, end):
        steps = [*map(str, self.changes), f"{self.ask}: {end}"]
        return f"after {len(self.changes)} accepted changes:\n  " + \
            "\n  ".join(steps)


@pytest.fixture(scope="module")
def target(house):
    asker, name = house.asker(), house.fresh("t")
    asker.add_target(house.admin, name)
    return name


def test_random_requests_are_decided_as_the_model_decides(house, target):
    print(f"ERRAND_TEST_SEED={SEED}")
    asker = house.asker()
    populations = [Population(house, asker, target, random.Random(f"{SEED}/{n}"))
                   for n in range(POPULATIONS)]
    differ, seen = [], set()
    for _ in range(STEPS):
        asked = [p.step() for p in populations]
        replies = asker.exchange_all(asked)
        differ += filter(None, (p.judge(r) for p, r in zip(populations, replies)))
        seen |= {(p.ask.verb, r.status) for p, r in zip(populations, replies)}
        if differ:
            break
    assert not differ, f"ERRAND_TEST_SEED={SEED}: {len(differ)} differ; the " \
                       f"shortest, {min(differ, key=len)}"
    assert {verb for verb, _ in seen} == WEIGHTS.keys()
    assert {("run.start", s) for s in ("accepted", "not_found", "denied")} <= seen
