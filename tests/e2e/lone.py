"""lone.py: an executor alone with a broker, and a hand-made authorizer.

The executor needs Kafka only; so its promises (P1, P2, P3, P11) are tested with
dispatches that are signed here, by PyNaCl, and read back by confluent-kafka. The
topics of the product are shared with the stack; the target is new each time.
"""
import base64
import json
import os
import pathlib
import pwd
import signal
import subprocess
import time

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

import client
from client import DAY, Envelope, Key, Root, b64, moment, now_ms, uuid7

BIN = pathlib.Path(os.environ.get(
    "ERRAND_BIN", pathlib.Path(__file__).resolve().parents[2] / "bin"))
CONFIG = """[kafka]
bootstrap.servers = {brokers}
[root]
keys = {home}/root.pub
[service]
name = {name}
key = {home}/{name}.key
enrolment = {home}/{name}.enrol.json
ready = {home}/{name}.ready
[executor]
target = {target}
state = {home}/{name}.state
slots = {slots}
heartbeat = 1s
drain = 1s
{who}"""
# Whoever the tests run as is both halves, and all that they start.
ME = pwd.getpwuid(os.geteuid()).pw_name
WHO = f"user = {ME}\n[run_as]\nallow = {ME}\ndefault = {ME}\n"


def until(what, condition, seconds=20):
    """Asks again and again, until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class Authority:
    """A root, its administrator, an authorizer's key, and a session."""

    def __init__(self):
        self.root = Root()
        self.admin = self.root.first_administrator("admin@example.org")
        self.authorizer = Key()
        self.enrol = Envelope.of("service.enrol", {
            **self.root.head(), "kind": "authorizer", "name": "authorizer-1",
            "key": b64(self.authorizer.public), "box": b64(self.authorizer.box),
            "until": moment(now_ms() + 90 * DAY)}, self.root.key)
        self.session = Key()
        self.opened = Envelope.of("session.open", {
            **self.request(self.admin.by), "key": b64(self.session.public),
            "box": b64(self.session.box), "until": moment(now_ms() + 3600000)},
            self.admin.key, self.session)

    def head(self, by):
        ms = now_ms()
        return {"root": self.root.id, "id": uuid7(ms), "issued": moment(ms), "by": by}

    def request(self, by):
        head = self.head(by)
        return {**head, "expires": moment(now_ms() + 300000),
                "reply": {"partition": 0, "box": b64(Key().box)}}

    def save(self, script, targets, key=None, **fields):
        return Envelope.of("command.save", {
            **self.request(self.admin.by), "command": uuid7(), "name": "command",
            "version": 1, "script": b64(os.fsencode(script)), "parameters": [],
            "targets": targets, "timeout": 20, "wait": 60, **fields},
            key or self.admin.key)

    def start(self, command, targets, **fields):
        return Envelope.of("run.start", {
            **self.request(self.opened.hash), "command": command.fields["command"],
            "arguments": {}, "targets": targets,
            "deadline": moment(now_ms() + 60000), "follow": False, **fields},
            self.session)

    def entry(self, kind, fields, after=None, key=None, by=None):
        """An entry of the revocation log behind another one, or as the first."""
        seq, prev = (after.fields["seq"], after.hash) if after else (0, self.root.init.hash)
        return Envelope.of(kind, {**self.request(by or self.admin.by), "seq": seq + 1,
                                  "prev": prev, **fields}, key or self.admin.key)

    def invited(self, email, role="runner"):
        """Somebody new, by this administrator: key, and the envelopes of it."""
        code, own = Key(), Key()
        user = client.user_id(self.root.id, code.public)
        invite = Envelope.of("user.invite", {
            **self.request(self.admin.by), "user": user,
            "invitation": b64(code.public), "email": email, "role": role,
            "until": moment(now_ms() + 3600000)}, self.admin.key)
        verify = Envelope.of("user.verify", {
            **self.request(invite.hash), "user": user, "invite": invite.hash,
            "key": b64(own.public), "generation": 1}, code, own)
        return client.Person(email, own, verify.hash, user, [invite, verify])

    def signed_in(self, person):
        """A session of theirs: its key and its envelope."""
        key = Key()
        return key, Envelope.of("session.open", {
            **self.request(person.by), "key": b64(key.public), "box": b64(key.box),
            "until": moment(now_ms() + 3600000)}, person.key, key)

    def dispatch(self, command, run, target, proof=None, key=None, **fields):
        proof = proof or [self.enrol, self.root.init, self.opened, command, run]
        attempt = fields.get("attempt", 1)
        return Envelope.of("dispatch", {
            **self.head(self.enrol.hash), "expires": moment(now_ms() + 50000),
            "execution": client.execution_id(run.fields["id"], run.hash, target,
                                             attempt),
            "run": run.hash, "command": command.hash, "target": target,
            "attempt": attempt, "seq": 0, "head": self.root.init.hash,
            "proof": [e.dsse() for e in proof], **fields}, key or self.authorizer)


class Executor:
    """One errand-executor of a target, that can be killed and started again."""

    def __init__(self, lone, name, slots):
        self.lone, self.name, self.slots = lone, name, slots
        self.config = lone.home / f"{name}.conf"
        self.ready = lone.home / f"{name}.ready"
        self.config.write_text(CONFIG.format(
            brokers=lone.brokers, home=lone.home, name=name, target=lone.target, slots=slots,
            who=WHO))
        line = self.run("--make-key").stdout.strip()
        self.key, self.box = client.key_line_read(line)
        authority = lone.authority
        self.enrol = Envelope.of("service.enrol", {
            **authority.request(authority.admin.by), "kind": "executor", "name": name,
            "target": lone.target, "key": b64(self.key), "box": b64(self.box)},
            authority.admin.key)
        (lone.home / f"{name}.enrol.json").write_text(json.dumps(
            {"envelopes": [e.dsse() for e in (self.enrol, authority.root.init)]}))
        self.log = lone.home / f"{name}.log"
        self.process = None

    def run(self, *arguments, **how):
        return subprocess.run([BIN / "errand-executor", "--config", self.config, *arguments],
                              capture_output=True, text=True, timeout=20, **how)

    def start(self, **how):
        ready = self.ready
        ready.unlink(missing_ok=True)
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([BIN / "errand-executor", "--config", self.config],
                                            stderr=log, **how)
        until(f"{self.name} is ready", lambda: ready.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def halves(self):
        """The pids of the Kafka-facing half and of the spawner."""
        out = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return [self.process.pid, *map(int, out.stdout.split())]

    def kill(self, *which):
        """kill -9 of the halves with these numbers; waits for the first's end."""
        halves = self.halves()
        for n in which or (0, 1):
            os.kill(halves[n], signal.SIGKILL)
        self.process.wait(20)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()


class Lone:
    """A target of its own, and who is there."""

    def __init__(self, brokers, home, slots=4):
        self.brokers, self.home, self.slots = brokers, home, slots
        self.target = "lone-" + os.urandom(4).hex()
        self.authority = Authority()
        (home / "root.pub").write_text(b64(self.authority.root.key.public) + "\n")
        self.dispatches = f"errand.dispatch.{self.target}.1"
        self.claims = f"errand.claims.{self.target}.1"
        self.admin = AdminClient({"bootstrap.servers": brokers})
        made = self.admin.create_topics(
            [NewTopic(t, 1, 1, config={"message.timestamp.type": "LogAppendTime"})
             for t in (self.dispatches, self.claims)])
        for done in made.values():
            done.result()
        self.producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "linger.ms": 0})
        self.executors = []
        self.heard = {}
        self.from_here = self.ends("errand.results"), self.ends("errand.dead")

    def executor(self, name="ex-1", slots=None):
        self.executors.append(Executor(self, name, slots or self.slots))
        return self.executors[-1]

    def close(self):
        for executor in self.executors:
            executor.stop()
        for follower, _ in self.heard.values():
            follower.close()

    def ends(self, topic):
        probe = confluent_kafka.Consumer({"bootstrap.servers": self.brokers, "group.id": "test"})
        partitions = probe.list_topics(topic, timeout=10).topics[topic].partitions
        found = {p: probe.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p),
                                                timeout=10)[1] for p in partitions}
        probe.close()
        return found

    # Saying

    def send(self, envelope, topic=None, key=None):
        self.producer.produce(topic or self.dispatches, envelope.payload,
                              key=key or envelope.fields["execution"], partition=0,
                              headers=envelope.headers())
        assert self.producer.flush(10) == 0

    def enter(self, entry, *proof):
        """Puts an entry onto the revocation log, with its signer's chain."""
        chain = json.dumps({"envelopes": [
            e.dsse() for e in (self.authority.root.init, *proof)]})
        self.producer.produce("errand.revocations", entry.payload,
                              key=entry.signatures[0][0], partition=0,
                              headers=entry.headers() + [("errand-proof", chain.encode())])
        assert self.producer.flush(10) == 0
        return entry

    def command(self, script, **fields):
        return self.authority.save(script, [self.target], **fields)

    def order(self, command, **fields):
        """A run of its own, and the dispatch for this target."""
        run = self.authority.start(command, [self.target], **fields)
        return self.authority.dispatch(command, run, self.target)

    def ask(self, script, **fields):
        dispatch = self.order(self.command(script, **fields))
        self.send(dispatch)
        return dispatch.fields["execution"]

    # Hearing

    def since(self, topic, starts):
        """What has come to a topic from these offsets on; each is read once."""
        if topic not in self.heard:
            self.heard[topic] = client.Follower(self.brokers, topic, starts), []
        follower, heard = self.heard[topic]
        heard += follower.read()
        return [m for m in heard if m.offset() >= starts.get(m.partition(), 0)]

    def results(self, execution):
        return [Envelope.from_record(m) for m in self.since("errand.results", self.from_here[0])
                if m.key() == execution.encode()]

    def finished(self, execution, seconds=20):
        def last():
            found = self.results(execution)
            return found if found and found[-1].type == "errand.execution.finished.v1" else None
        return until(f"{execution} is finished", last, seconds)

    def outcome(self, execution, seconds=20):
        return self.finished(execution, seconds)[-1].fields

    def dead(self, offset):
        """The reason for which the dispatch at that offset went to errand.dead."""
        def reason():
            for m in self.since("errand.dead", self.from_here[1]):
                headers = dict(reversed(m.headers()))  # ours first; a stranger's behind
                if (headers.get("errand-topic"), headers.get("errand-offset")) == (
                        self.dispatches.encode(), b"%d" % offset):
                    return headers["errand-reason"].decode()
            return None
        return until(f"dispatch {offset} is in errand.dead", reason)


def text_of(results, stream="stdout"):
    """What an execution wrote, from all of its results."""
    out = b""
    for envelope in results:
        fields = envelope.fields
        chunks = fields.get("output", []) if envelope.type.endswith("finished.v1") else [fields]
        out += b"".join(base64.b64decode(c["data"]) for c in chunks if c.get("stream") == stream)
    return out
