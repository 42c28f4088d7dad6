"""host.py: a target of the stack's own with an executor that a test may stop,
kill and start again; and what the whole house knows of executions.

The stack's supervisor starts again what dies within 50 ms; who shall be away
for longer is an executor of the test's own, enrolled through submit as any
other. Its processes are ours, so their ids can't be another's.
"""
import contextlib
import os
import pathlib
import signal
import time

import client
import lone
from client import Envelope, accepted, execution_id
from house import until


def stopped(pids):
    """Until each thread of them has stopped."""
    def all_stand():
        tasks = (t for p in pids for t in pathlib.Path(f"/proc/{p}/task").iterdir())
        return all((t / "stat").read_text().rpartition(")")[2].split()[0] == "T"
                   for t in tasks)
    until("they stand still", all_stand)


@contextlib.contextmanager
def standing(*pids):
    """SIGSTOP for the time of a block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    stopped(pids)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Host(lone.Executor):
    """An enrolled executor of a target that nobody else serves, or others of the
    same test do."""

    def __init__(self, house, home, slots=4, beside=None):  # pylint: disable=super-init-not-called
        self.house, self.home, self.slots = house, home, slots
        self.lone = self  # whose home is ours
        self.target = beside.target if beside else house.fresh("h")
        self.name = house.fresh(f"{self.target}-") if beside else f"{self.target}-1"
        self.process = None
        self.log = home / f"{self.name}.log"
        self.config = home / f"{self.name}.conf"
        self.ready = home / f"{self.name}.ready"
        (home / "root.pub").write_text(root_pub(house).read_text())
        self.config.write_text(lone.CONFIG.format(
            brokers=house.brokers, home=home, name=self.name,
            target=self.target, slots=slots, who=lone.WHO))
        line = self.run("--make-key").stdout.strip()
        if not beside:
            done = house.submit("target", "add", self.target)
            assert done.returncode == 0, done.stderr
        done = house.submit(
            "service", "enrol", "executor", self.name, "--target", self.target,
            "--key", line, "--out", str(home / f"{self.name}.enrol.json"))
        assert done.returncode == 0, done.stderr

    @property
    def claims(self):
        return f"errand.claims.{self.target}.1"

    def claimed(self, execution):
        """The records of its claim log with that key."""
        return [m for m in client.read_all(self.house.brokers, self.claims)
                if m.key() == execution.encode()]


def root_pub(house):
    """The file of the public key that the stack's daemons pin."""
    return pathlib.Path(house.env("admin")["ERRAND_PROFILE"]) / "root.pub"


class Asked:
    """Runs that were asked for by hand, of one command at one target."""

    def __init__(self, house, script, target="dev", wait=120, timeout=60):
        self.house, self.target, self.wait = house, target, wait
        self.asker = house.asker()
        self.session = self.asker.open_session(house.admin)
        self.command = self.asker.save_command(
            house.admin, house.fresh("c"), script.encode(), [target],
            wait=wait, timeout=timeout)
        self.runs = {}  # execution id -> run.start

    def request(self):
        run = self.asker.run_request(self.session, self.command, [self.target],
                                     wait=self.wait)
        return execution_id(run.fields["id"], run.hash, self.target), run

    def ask(self, n=1):
        """Puts n requests on the topic, not waiting for their delivery; the
        last one's execution."""
        for _ in range(n):
            execution, run = self.request()
            self.runs[execution] = run
            self.asker.producer.produce(
                "errand.requests", run.payload, headers=run.headers(),
                key=run.signatures[0][0])
            self.asker.producer.poll(0)
        return execution

    def accept(self):
        """Asks once and waits for the answer."""
        execution, run = self.request()
        self.runs[execution] = run
        accepted(self.asker.exchange(run, 30))
        return execution

    def flush(self):
        assert self.asker.producer.flush(60) == 0

    def results(self):
        """{execution: row of results} of all that has one."""
        rows = self.house.rows(
            "SELECT execution_id::text, outcome::text, said_by, was_started,"
            " exit_status, reason FROM results WHERE outcome IS NOT NULL"
            " AND execution_id = ANY(%s::uuid[])", list(self.runs))
        return {r[0]: Result(*r[1:]) for r in rows}

    def ended_or_lost(self, seconds=60):
        """All have an outcome; that of who is lost may give way."""
        def all_told():
            found = self.results()
            return found if len(found) == len(self.runs) else None
        return until("each has an outcome", all_told, seconds)

    def ended(self, seconds=60):
        """All have an outcome that stays."""
        def all_ended():
            found = self.results()
            return found if len(found) == len(self.runs) and all(
                r.outcome != "lost" for r in found.values()) else None
        try:
            return until("each has its outcome", all_ended, seconds)
        except AssertionError as late:
            found = self.results()
            states = self.house.rows(
                "SELECT id::text, state, claim, expires::text FROM"
                " execution_states WHERE id = ANY(%s::uuid[]) AND"
                " outcome IS DISTINCT FROM 'succeeded'", list(self.runs))
            raise AssertionError(
                f"{late}: {len(found)} of {len(self.runs)}; not succeeded:"
                f" {states}") from None

    def outcome(self, execution, wanted, seconds=60):
        """Until an execution has this outcome; its row."""
        def has():
            found = self.results().get(execution)
            return found if found and found.outcome == wanted else None
        try:
            return until(f"{execution} is {wanted}", has, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.results().get(execution)}") from None


class Result:
    def __init__(self, outcome, said_by, was_started, exit_status, reason):
        self.outcome, self.said_by, self.was_started = outcome, said_by, was_started
        self.exit_status, self.reason = exit_status, reason

    def __repr__(self):
        return (f"<{self.outcome} by {self.said_by}, started"
                f" {self.was_started}: {self.reason}>")


class Witness:
    """A file to which a script appends its execution's id."""

    def __init__(self, folder, more="sleep 0.05"):
        self.path = pathlib.Path(folder) / f"witness-{time.monotonic_ns()}"
        self.script = f"#!/bin/sh\necho $ERRAND_EXECUTION_ID >> {self.path}\n{more}\n"

    def lines(self):
        return self.path.read_text().split() if self.path.exists() else []


def finished_events(house, executions):
    """{execution: hashes of its executors' `finished` on errand.results}."""
    found = {}
    for message in client.read_all(house.brokers, "errand.results"):
        if (message.key() or b"").decode(errors="replace") not in executions:
            continue
        event = Envelope.from_record(message)
        if event.type == "errand.execution.finished.v1" and \
                event.fields["outcome"] != "lost":
            found.setdefault(event.fields["execution"], set()).add(event.hash)
    return found
