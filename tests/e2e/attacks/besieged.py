"""besieged.py: an executor as a host has it, alone with a broker, and under
attack: started as root, its Kafka-facing half `nobody`, and commands as users
that nothing else of this machine runs as.

Two witnesses stand outside of the system: `ran`, to which honest scripts write,
and `broken`, to which an attack writes that came through. What the executor says
is read once, as it comes.
"""
import pathlib
import zlib

import confluent_kafka

from client import Envelope
from house import HOME
from lone import Lone, until

CHILDREN = pathlib.Path(__file__).resolve().parent / "children"
HALF = "nobody"
# An attack on all processes of a user hits no other stack on this machine: not that
# of the tests beside these (HOME-2), either.
USERS = [("games", "news"), ("uucp", "irc"), ("list", "backup"), ("proxy", "lp")]
AT, _, BESIDE = str(HOME).rpartition("home")
USER, OTHER = USERS[(zlib.crc32(AT.encode()) + len(BESIDE)) % len(USERS)]
CONFIG = f"""user = {HALF}
[run_as]
allow = {USER}, {OTHER}
default = {USER}
[interpreters]
allow = /bin/sh, /bin/bash, /usr/bin/python3
"""


def open_to_all(path):
    path.touch()
    path.chmod(0o666)
    return path


class Ear:
    """What comes to errand.results and errand.dead, each record once."""

    def __init__(self, lone):
        self.results, self.dead = {}, {}
        self.dispatches = lone.dispatches
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": lone.brokers, "group.id": "test",
            "enable.auto.commit": False, "auto.offset.reset": "error",
            "fetch.wait.max.ms": 20})
        topics = zip(("errand.results", "errand.dead"), lone.from_here)
        self.consumer.assign([confluent_kafka.TopicPartition(topic, p, offset)
                              for topic, ends in topics for p, offset in ends.items()])

    def listen(self):
        for message in self.consumer.consume(500, 0.02):
            if message.error():
                raise RuntimeError(str(message.error()))
            if message.topic() == "errand.results":
                self.results.setdefault(message.key(), []).append(message)
            else:
                headers = {k: v.decode(errors="replace") for k, v in message.headers()}
                if headers.get("errand-topic") == self.dispatches:
                    self.dead[int(headers["errand-offset"])] = headers["errand-reason"]


class Besieged(Lone):
    """The executor's user is ours to choose: with `as_user` it is no root's."""

    def __init__(self, brokers, home, as_user=None, slots=8):
        super().__init__(brokers, home, slots)
        self.ran = open_to_all(home / "ran")
        self.broken = open_to_all(home / "broken")
        self.ear = Ear(self)
        self.how = {"user": as_user, "group": as_user, "extra_groups": []} if as_user else {}
        self.one = self.executor()
        self.state = home / "ex-1.state"
        self.configure("" if as_user else CONFIG)

    def configure(self, lines):
        text = self.one.config.read_text().partition("user = ")[0]
        self.one.ready = self.state / "kafka/ready"
        self.one.config.write_text(
            text.replace(f"{self.home}/ex-1.ready", str(self.one.ready)) + lines)

    def start(self, **how):
        # As a supervisor does it: its process group is not pytest's, and that of others.
        self.one.start(start_new_session=True, **self.how, **how)
        self.pids = self.one.halves()
        return self

    def close(self):
        super().close()
        self.ear.consumer.close()

    # Hearing

    def results(self, execution):
        self.ear.listen()
        return [Envelope.from_record(m) for m in self.ear.results.get(execution.encode(), [])]

    def reasons(self, offsets):
        """{offset: why that dispatch was refused}"""
        def all_there():
            self.ear.listen()
            return offsets <= self.ear.dead.keys()
        try:
            until("all are in errand.dead", all_there, 30)
        except AssertionError as late:
            raise AssertionError(f"{late}: {sorted(offsets - self.ear.dead.keys())}") from None
        return {o: self.ear.dead[o] for o in offsets}

    # Attacking

    def attack(self, name, fields=None, **arguments):
        """Asks for a script of children/, whose parameters are these; its
        execution."""
        script = "".join((CHILDREN / f"{n}.py").read_text() for n in ("attempt", name))
        arguments = {"broken": self.broken, **arguments}
        command = self.command(script, **{"timeout": 20, **(fields or {})}, parameters=[
            {"name": n, "type": "string"} for n in arguments])
        dispatch = self.order(command, arguments={n: str(v) for n, v in arguments.items()})
        self.send(dispatch)
        return dispatch.fields["execution"]

    def home_of(self, execution):
        return self.state / "children" / execution

    # What must hold, whatever was tried

    def honest(self, **fields):
        """Asks for a run that has a right to be, which the witness will tell."""
        return self.order(self.command(
            f"#!/bin/sh\necho $ERRAND_EXECUTION_ID >> {self.ran}\n", **fields))

    def holds(self):
        """Nothing came through, both halves live, and the next honest run works."""
        came = self.broken.read_text()
        assert came == "", came
        honest = self.honest()
        self.send(honest)
        execution = honest.fields["execution"]
        assert self.outcome(execution)["outcome"] == "succeeded"
        assert self.ran.read_text().split().count(execution) == 1
        assert self.one.process.poll() is None and self.one.halves() == self.pids


def processes_of(user):
    """The pids of all of a user's processes that are alive."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            lines = (entry / "status").read_text().splitlines()
        except OSError:
            continue
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if entry.name.isdigit() and status["State"][0] not in "ZX" and \
                status["Uid"].split()[0] == str(user):
            found.append(int(entry.name))
    return found


def alive(pids):
    """Of which any thread lives: what has ended may wait to be seen by its parent."""
    def state(task):
        try:
            return (task / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "X"
    return [p for p in pids if any(
        state(t) not in "ZX" for t in pathlib.Path(f"/proc/{p}").glob("task/*"))]
