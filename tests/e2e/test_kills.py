"""test_kills.py: kill -9 of either half of an executor, and of both, at each of
the instants between which its promises could be lost (P2, P3, P11).

The program is the one that is shipped; a preloaded library (stops_at.c) stops it
at the named instant, so that there is time to kill. Each killed life's successor
is stopped at the next instant. What came of it all is looked at in the end.
"""
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

import client
from client import Envelope
from lone import BIN, Lone, text_of, until

LIBRARY = BIN / "tests/stops_at.so"
pytestmark = pytest.mark.skipif(
    "asan" in str(BIN), reason="a preloaded library comes before the sanitizer's")
KAFKA_HALF, SPAWNER = "errand-executor", "errand-spawner"
# Where: the call, whose it is, and what its bytes hold.
POINTS = {
    "claim": ("sendmsg", KAFKA_HALF, "errand.claim.v1"),
    "START": ("pwrite", KAFKA_HALF, " START {execution}"),
    "fork": ("fork", SPAWNER, ""),
    "first output": ("pwrite", KAFKA_HALF, "errand.execution.output.v1"),
    "EXIT": ("pwrite", KAFKA_HALF, " EXIT {execution}"),
    "SENT": ("pwrite", KAFKA_HALF, " SENT {execution}"),
}
VICTIMS = {"the Kafka-facing half": (0,), "the spawner": (1,), "both": (0, 1)}
CASES = [(victim, when, point) for victim in VICTIMS for point in POINTS
         for when in ("before", "after")]
OUTPUT = b"one\ntwo\n"


def stands(pid):
    """Each thread of it has stopped."""
    try:
        return all((t / "stat").read_text().rpartition(")")[2].split()[0] == "T"
                   for t in pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return False


def bearing(execution):
    """Processes that were started for it."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"ERRAND_EXECUTION_ID={execution}".encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


class Life:
    """An executor that is killed and started again, all along the points."""

    def __init__(self, brokers, home, victim):
        home.mkdir()
        self.lone, self.victim = Lone(brokers, home), victim
        self.witness, self.point = home / "witness", home / "point"
        self.script = (f"#!/bin/sh\necho $ERRAND_EXECUTION_ID >> {self.witness}\n"
                       "echo one; sleep 0.3; echo two\n")
        self.executor = self.lone.executor()
        self.orders = {}   # (when, point): execution
        self.left = {}     # what of it was alive in the next life
        self.start()

    def start(self):
        self.executor.start(env={**os.environ, "LD_PRELOAD": str(LIBRARY),
                                 "ERRAND_STOPS_AT": str(self.point)})

    def kill_at(self, when, point):
        call, process, text = POINTS[point]
        order = self.lone.order(self.lone.command(self.script))
        execution = self.orders[when, point] = order.fields["execution"]
        line = f"{call} {when} {process} {text.format(execution=execution)}\n"
        self.point.with_suffix(".new").write_text(line)
        self.point.with_suffix(".new").rename(self.point)
        pids = self.executor.halves()
        self.lone.send(order)
        until(f"it stands {when} {point}", lambda: any(map(stands, pids)))
        self.point.unlink()
        for n in VICTIMS[self.victim]:
            os.kill(pids[n], signal.SIGKILL)
        for n in {0, 1} - set(VICTIMS[self.victim]):
            os.kill(pids[n], signal.SIGCONT)
        self.executor.process.wait(20)
        self.start()
        if point != "claim":  # what was not claimed before the next life may begin
            self.left[when, point] = bearing(execution)
        self.listen([execution])  # the next kill is not to be this one's, too
        self.left.setdefault((when, point), bearing(execution))

    def play(self):
        try:
            for point in POINTS:
                for when in ("before", "after"):
                    self.kill_at(when, point)
            last = self.lone.ask(self.script)
            self.told = self.listen([*self.orders.values(), last])
            self.lines = self.witness.read_text().split()
            assert self.told[last][-1].fields["outcome"] == "succeeded"
        finally:
            self.lone.close()
        return self

    def listen(self, executions):
        """{execution: its results, each once}, when each has come to an end."""
        def all_told():
            found = {e: {} for e in executions}
            for m in self.lone.since("errand.results", self.lone.from_here[0]):
                of = found.get(m.key().decode()) if m.key() else None
                if of is not None:
                    event = Envelope.from_record(m)
                    of.setdefault(event.hash, event)
            ends = [any(r.type.endswith("finished.v1") for r in of.values())
                    for of in found.values()]
            return {e: list(of.values()) for e, of in found.items()} if all(ends) else None
        return until("each has come to an end", all_told, 30)


@pytest.fixture(scope="module")
def lives(brokers, tmp_path_factory):
    """{victim: its Life, or why there is none}: all at the same time."""
    home = tmp_path_factory.mktemp("kills")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        going = {v: pool.submit(lambda v, n: Life(brokers, home / str(n), v).play(), v, n)
                 for n, v in enumerate(VICTIMS)}
    return going


@pytest.mark.parametrize("victim, when, point", CASES,
                         ids=[f"{v} {w} {p}" for v, w, p in CASES])
def test_killed_there_it_ran_at_most_once_and_ends_once(lives, victim, when, point):
    life = lives[victim].result()
    execution = life.orders[when, point]
    results = life.told[execution]
    starts = life.lines.count(execution)
    (last,) = [r for r in results if r.type.endswith("finished.v1")]
    fields = last.fields
    assert starts <= 1
    assert starts == 0 or fields["started"], "said not started, and was"
    assert fields["outcome"] in ("succeeded", "interrupted")
    assert not life.left[when, point], "of it something is alive"
    chunks = [r for r in results if r.type.endswith("output.v1")]
    assert fields["chunks"] == len(chunks) + len(fields.get("output", []))
    output = text_of(results)
    if fields["outcome"] == "succeeded":
        assert (starts, output) == (1, OUTPUT)
    else:
        assert OUTPUT.startswith(output) and fields["reason"]
    what_is_known_there(victim, when, point, fields, starts)


def what_is_known_there(victim, when, point, fields, starts):
    """Where only one ending is true. (The half that is not killed goes on for a
    moment: until it sees that the other is gone.)"""
    kafka_half, spawner = (n in VICTIMS[victim] for n in (0, 1))
    if (when, point) == ("before", "claim") and kafka_half:
        # Nobody had claimed it; who does then may be too slow on a busy machine.
        assert fields["outcome"] == "succeeded" or "too long" in fields["reason"], fields
    if (when, point) == ("after", "claim") and kafka_half:
        # Sent by a thread of its own: the others may read it back before they stand.
        assert fields["outcome"] == "interrupted"
    if (when, point) == ("before", "START") and kafka_half:
        assert (fields["outcome"], fields["started"]) == ("interrupted", False)
    if (when, point) == ("before", "fork") and spawner:
        assert (fields["outcome"], starts) == ("interrupted", 0)
    if (when, point) == ("after", "EXIT") or point == "SENT":
        assert fields["outcome"] == "succeeded", "it had ended, and the disk knew"


def test_nothing_is_claimed_before_the_spawner_can_start_it(brokers, tmp_path):
    """It ends first what an earlier life left, which may take long; and there is one."""
    lone, point = Lone(brokers, tmp_path), tmp_path / "point"
    executor = lone.executor()
    alone = shutil.copy(BIN / "errand-executor", tmp_path)
    said = subprocess.run([alone, "--config", executor.config, "--check-config"],
                          capture_output=True, text=True, timeout=20)
    assert said.returncode == 78 and "installed beside errand-executor" in said.stderr
    point.write_text(f"sendmsg before {SPAWNER} \n")  # its first word, READY
    environment = {**os.environ, "LD_PRELOAD": str(LIBRARY), "ERRAND_STOPS_AT": str(point)}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        started = pool.submit(executor.start, env=environment)
        until("the spawner stands", lambda: executor.process is not None and any(
            map(stands, executor.halves()[1:])))
        threads = os.listdir(f"/proc/{executor.process.pid}/task")
        assert len(threads) == 1, "Kafka's run already"
        point.unlink()
        os.kill(executor.halves()[1], signal.SIGCONT)
        started.result()
    assert lone.outcome(lone.ask("#!/bin/sh\n"))["outcome"] == "succeeded"
    lone.close()
