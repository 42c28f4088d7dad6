"""chains.py: what fuzz_proof begins with: chains of envelopes as text, each up to a
dispatch that is allowed. The text, and what $… stands for in it, is forge.h's.

Letters: Root, Administrator with session B, Invitation of the rUnner with Session
S (and the New key), authoriZer, scheduler T; J, V, W: a second administrator's
invitation, key and session; E: a stranger's.
"""
import base64
import datetime
import hashlib
import json
import uuid

NOW = 1795140000000  # forge.h's, on a full minute
COMMAND = "019f0000-0000-7000-8000-000000000001"
TEXT = base64.b64encode(b"#!/bin/sh\ntrue\n").decode()
PLACES = "123456789abcdefghijklmnopqrstuvwxyz"


def moment(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def digest(*parts):
    return hashlib.sha256(b"".join(b"%d " % len(p) + p for p in parts)).digest()


def schedule_id(cron, zone):
    return str(uuid.UUID(bytes=digest(b"errand.schedule", uuid.UUID(COMMAND).bytes,
                                      cron.encode(), zone.encode())[:16]))


def tick_id(schedule, zone, ms):
    raw = bytearray(ms.to_bytes(6, "big") + digest(
        b"errand.tick", uuid.UUID(schedule).bytes, zone.encode(), b"%d" % ms,
        b"0")[6:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


class Chain:
    """Lines, each told by the place that it has; the administrator's first."""

    def __init__(self, mode="free", given=0):
        self.lines, self.given, self.mode = [], given, mode
        self.seq, self.head = 0, "$h1"
        if mode == "free":
            self.founded()

    def add(self, signers, kind, by, /, **fields):
        """Its hash, as it is written in others."""
        payload = {"root": "$r", "id": "$n", "issued": "$t", "by": by, **fields}
        self.lines.append(f"{signers} {kind} {json.dumps(payload, separators=(',', ':'))}")
        return "$h" + PLACES[self.given + len(self.lines) - 1]

    def ask(self, signers, kind, by, /, **fields):
        return self.add(signers, kind, by, **{
            "expires": "$l", "reply": {"partition": 0, "box": "$bE"}, **fields})

    def entry(self, kind, signer="A", by="$h1", **fields):
        self.seq += 1
        self.head = self.ask(signer, kind, by, seq=self.seq, prev=self.head, **fields)
        return self.head

    def founded(self):
        self.init = self.add("R", "root.init", "$r", email="a@example.org", user="$uA",
                             key="$kA")
        self.enrol = self.add("R", "service.enrol", "$r", kind="authorizer", name="z",
                              key="$kZ", box="$bZ", until="$l")

    def target(self, **fields):
        return self.entry("target.set", name="web-1", generation=1, max_wait=86400,
                          **fields)

    def invited(self, code, own, role="runner", **fields):
        """The envelope that names their key."""
        invite = self.ask("A", "user.invite", "$h1", user="$u" + code,
                          invitation="$k" + code, email="r@example.org", role=role,
                          until="$l", **fields)
        verify = self.ask(code + own, "user.verify", invite, user="$u" + code,
                          invite=invite, key="$k" + own, generation=1)
        if role == "administrator":
            self.ask("A", "user.confirm", "$h1", user="$u" + code, key="$k" + own,
                     verify=verify)
        return verify

    def session(self, own, session, by):
        return self.ask(own + session, "session.open", by, key="$k" + session,
                        box="$b" + session, until="$l")

    def save(self, **fields):
        return self.ask("A", "command.save", "$h1", **{
            "command": COMMAND, "name": "disk-report", "version": 1, "script": TEXT,
            "parameters": [{"name": "dir", "type": "path"}], "targets": ["web-1"],
            "timeout": 60, "wait": 60, **fields})

    def assign(self, **fields):
        return self.ask("A", "assignment.add", "$h1", user="$uI", command=COMMAND,
                        **fields)

    def start(self, session, letter="S", **fields):
        return self.ask(letter, "run.start", session, **{
            "command": COMMAND, "arguments": {"dir": "/var"}, "targets": ["web-1"],
            "deadline": "$l", "follow": False, **fields})

    def dispatched(self, run, save, attempt=1):
        """The text, with a dispatch at its end."""
        self.add("Z", "dispatch", "$h2", expires="$s", target="web-1", attempt=attempt,
                 execution=("$e" if attempt == 1 else "$f") + run[-1], run=run,
                 command=save, seq=self.seq, head=self.head, proof="$P")
        return "\n".join([self.mode, *self.lines, ""]).encode()


def by_runner():
    chain = Chain()
    chain.target()
    session = chain.session("U", "S", chain.invited("I", "U"))
    save = chain.save(wait=3600)
    chain.assign(seq=1, pin=1, until="$l")
    return chain.dispatched(chain.start(session, name="disk-report"), save)


def by_administrator():
    """With what a command may hold."""
    chain = Chain()
    session = chain.session("A", "B", "$h1")
    save = chain.save(
        wait=3600, description="what for", run_as="www-data", cpu=5, memory=1 << 20,
        open_files=10, processes=5, file_size=4096,
        args=["--dir", "{dir}"], files=[{"name": "a.txt", "data": "Zm9v"}],
        parameters=[{"name": "dir", "type": "path", "required": True},
                    {"name": "n", "type": "int", "min": "1", "max": "9", "default": "3"},
                    {"name": "how", "type": "choice", "choices": ["a", "b"]}])
    run = chain.start(session, "B", arguments={"dir": "/var", "n": "4", "how": "a"})
    return chain.dispatched(run, save)


def with_secret():
    chain = Chain()
    session = chain.session("A", "B", "$h1")
    save = chain.save(wait=3600, parameters=[
        {"name": "token", "type": "secret", "required": True}])
    run = chain.start(session, "B", arguments={}, boxes=[
        {"name": "token", "to": "$h1", "box": "Zm9v"}])
    return chain.dispatched(run, save)


def by_labels():
    chain = Chain()
    chain.target(labels={"os": "debian"})
    session = chain.session("A", "B", "$h1")
    save = chain.save(wait=3600, targets=["@os=debian", "@all"])
    return chain.dispatched(chain.start(session, "B"), save)


def by_clock():
    cron, zone = "* * * * *", "UTC"
    chain = Chain()
    chain.target()
    clock = chain.ask("A", "service.enrol", "$h1", kind="scheduler", name="t",
                      key="$kT", box="$bT")
    save = chain.save(wait=3600)
    schedule = schedule_id(cron, zone)
    given = {"command": COMMAND, "arguments": {"dir": "/var"}}
    set_ = chain.ask("A", "schedule.set", "$h1", schedule=schedule, saved=save,
                     targets=["web-1"], cron=cron, zone=zone, catch_up="last",
                     paused=False, seq=1, **given)
    run = chain.ask("T", "run.tick", clock, **{
        "id": tick_id(schedule, zone, NOW), "issued": moment(NOW), **given,
        "targets": ["web-1"], "deadline": "$l", "follow": False, "schedule": set_,
        "local": NOW, "fold": 0})
    return chain.dispatched(run, save)


def approved():
    """By two of a group: an administrator who was invited, and the first one."""
    chain = Chain()
    chain.target()
    second = chain.invited("J", "V", "administrator", name="Second")
    chain.entry("group.set", name="leads", members=["$uA", "$uJ"])
    session = chain.session("U", "S", chain.invited("I", "U"))
    save = chain.save(wait=3600, approve={"count": 2, "group": "leads", "within": 3600})
    chain.assign()
    run = chain.start(session)
    for own, letter, by in (("A", "B", "$h1"), ("V", "W", second)):
        chain.ask(letter, "run.approve", chain.session(own, letter, by), run=run,
                  command=save, targets=["web-1"], comment="as agreed")
    return chain.dispatched(run, save)


def tried_again():
    chain = Chain()
    session = chain.session("A", "B", "$h1")
    save = chain.save(wait=3600, pace={
        "max_parallel": "1", "max_errors": "50%", "retry": 2, "retry_on": ["failed"],
        "retry_backoff": 5, "idempotent": True, "concurrency": "queue"})
    return chain.dispatched(chain.start(session, "B"), save, 2)


def changed():
    """A key rotated, another's role, somebody suspended, resumed and removed."""
    chain = Chain()
    verify = chain.invited("I", "U")
    second = chain.invited("J", "V")
    rotated = chain.entry("key.rotate", "UN", verify, user="$uI", naming=verify, key="$kN",
                          generation=2)
    promoted = chain.entry("user.role", user="$uJ", naming=second, key="$kV",
                           role="administrator")
    chain.entry("user.suspend", user="$uI")
    chain.entry("user.resume", user="$uI")
    session = chain.session("N", "S", rotated)
    save = chain.ask("V", "command.save", promoted, command=COMMAND, name="disk-report",
                     version=1, script=TEXT, parameters=[], targets=["web-1"],
                     timeout=60, wait=3600)
    chain.assign()
    run = chain.start(session, arguments={})
    chain.entry("user.remove", user="$uJ", keep=[save])
    return chain.dispatched(run, save)


def invited_again():
    chain = Chain()
    chain.invited("I", "U")
    again = chain.entry("user.reinvite", user="$uI", invitation="$kJ",
                        email="r@example.org", role="runner", until="$l", generation=2)
    verify = chain.ask("JV", "user.verify", again, user="$uI", invite=again, key="$kV",
                       generation=2)
    session = chain.session("V", "S", verify)
    save = chain.save(wait=3600)
    chain.assign()
    chain.entry("assignment.remove", user="$uI", command=COMMAND)
    chain.assign(seq=2)
    return chain.dispatched(chain.start(session), save)


def honest():
    """Behind fuzz_proof.c's own lines 1 to 8."""
    chain = Chain("honest", 8)
    chain.seq, chain.head = 1, "$h7"
    verify = chain.ask("IU", "user.verify", "$h3", user="$uI", invite="$h3", key="$kU",
                       generation=1)
    run = chain.start(chain.session("U", "S", verify), deadline="$s")
    return chain.dispatched(run, "$h4")


def chains():
    for make in (by_runner, by_administrator, with_secret, by_labels, by_clock, approved,
                 tried_again, changed, invited_again, honest):
        yield make()
