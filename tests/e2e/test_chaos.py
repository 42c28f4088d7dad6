"""test_chaos.py: kill -9 of everything in the middle of many short runs (P2, P3,
P4, P10). Each run's script leaves its execution's id in a file: none may be
there twice, and none is missing but what a killed executor had claimed.

The stack's supervisor starts again what was killed. Two kills to a victim, and
so many runs that together there are some 200.
"""
import os
import signal
import time

import pytest

import client
from host import Asked, Host, Witness, finished_events
from house import until

SLOTS = 4     # of the stack's executor
RUNS = 28     # for each victim
KILLS = 2
VICTIMS = ["authorizer-1", "recorder-1", "scheduler-1", "kafka", "postgres"]
HALVES = {"both halves": (0, 1), "Kafka-facing half": (0,), "spawner": (1,)}


def halves(pid):
    """An executor's pids: the Kafka-facing half and the spawner."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [pid, *map(int, file.read().split())][:2]


def kill(house, name, which=(0,)):
    """kill -9, and until the supervisor has brought another one."""
    pid = house.pid(name)
    pids = [pid] if which == (0,) else halves(pid)
    for n in which:
        os.kill(pids[n], signal.SIGKILL)

    def back():
        try:
            return house.pid(name) != pid
        except (FileNotFoundError, ValueError):
            return False
    until(f"{name} is back", back, 30)


class Round:
    """Many runs, and what is killed among them."""

    def __init__(self, house, folder):
        self.house = house
        self.witness = Witness(folder, "sleep 0.1")
        self.asked = Asked(house, self.witness.script)

    def play(self, name, which=(0,)):
        for n in range(KILLS):
            before = len(self.witness.lines())
            self.asked.ask(RUNS // KILLS)
            self.asked.flush()
            until("some began",
                  lambda b=before: len(self.witness.lines()) > b + 2, 60)
            assert len(self.witness.lines()) < len(self.asked.runs), "too late"
            kill(self.house, name, which)
        self.asked.flush()
        return self.asked.ended()

    def check_once(self, said):
        """No start twice, one ending each: for the topic, the table, the file."""
        lines = self.witness.lines()
        assert len(lines) == len(set(lines)), "started twice"
        assert set(lines) <= set(said)
        endings = finished_events(self.house, said)
        assert {len(h) for h in endings.values()} == {1}
        return set(said) - set(lines)


@pytest.mark.parametrize("name", VICTIMS)
def test_a_kill_of_what_executes_nothing_costs_no_run(house, tmp_path, name):
    here = Round(house, tmp_path)
    said = here.play(name)
    missing = here.check_once(said)
    assert not missing
    assert {(r.outcome, r.said_by) for r in said.values()} == {("succeeded", "executor")}
    assert house.rows(
        "SELECT count(*), count(DISTINCT run_id) FROM executions"
        " WHERE id = ANY(%s::uuid[])", list(said)) == [(RUNS, RUNS)]


@pytest.mark.parametrize("which", HALVES.values(), ids=HALVES)
def test_a_killed_executor_costs_what_it_had_claimed(house, tmp_path, which):
    here = Round(house, tmp_path)
    said = here.play("executor-1", which)
    missing = here.check_once(said)
    others = {e for e, r in said.items() if r.outcome != "succeeded"}
    assert {said[e].outcome for e in others} <= {"interrupted"}
    assert {said[e].said_by for e in others} <= {"executor"}
    assert missing <= others
    assert len(others) <= KILLS * SLOTS
    assert not [e for e in set(here.witness.lines()) & others
                if said[e].was_started is False], "said not started, and was"


# A pool

POOL = {"small": 1, "middle": 2, "large": 3}  # slots


@pytest.fixture
def pool(house, tmp_path):
    """Three executors of one target, with different numbers of slots."""
    hosts = []
    for name, slots in POOL.items():
        (tmp_path / name).mkdir()
        hosts.append(Host(house, tmp_path / name, slots, *hosts[:1]))
    yield [host.start() for host in hosts]
    for host in hosts:
        host.stop()


def ran_by(house, hosts, executions):
    """How many of them each of these executors ended."""
    by = dict(house.rows("SELECT encode(hash, 'hex'), name FROM services"))
    counts = dict.fromkeys((host.name for host in hosts), 0)
    for message in client.read_all(house.brokers, "errand.results"):
        if (message.key() or b"").decode(errors="replace") in executions:
            event = client.Envelope.from_record(message)
            if event.type == "errand.execution.finished.v1":
                counts[by[event.fields["by"]]] += 1
    return counts


def test_one_of_a_pool_is_killed_under_load_and_the_rest_goes_on(house, pool, tmp_path):
    witness = Witness(tmp_path, "sleep 0.3")
    asked = Asked(house, witness.script, pool[0].target)
    asked.ask(24)
    asked.flush()
    asked.ended()
    counts = ran_by(house, pool, asked.runs)
    spread = [counts[host.name] for host in pool]
    assert sum(spread) == 24 and min(spread) >= 1 and spread[0] < spread[2], counts

    asked.ask(36)
    asked.flush()
    until("they are at it", lambda: len(witness.lines()) > 30, 30)
    pool[2].kill()
    at, killed = len(witness.lines()), time.monotonic()
    until("the rest goes on", lambda: len(witness.lines()) > at + 3, 5)
    said = asked.ended_or_lost(60)
    assert time.monotonic() - killed < 30
    lost = [e for e, r in said.items() if r.outcome != "succeeded"]
    assert {said[e].outcome for e in lost} <= {"lost"} and len(lost) <= POOL["large"]
    pool[2].start()
    said = asked.ended()
    assert {said[e].outcome for e in lost} <= {"interrupted"}
    lines = witness.lines()
    assert len(lines) == len(set(lines)), "started twice"
    assert all(len(h) == 1 for h in finished_events(house, said).values())
