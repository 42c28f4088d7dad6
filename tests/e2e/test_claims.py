"""At most once (P2), and always an outcome from who claimed (P3)."""
import random

import pytest
from confluent_kafka.admin import NewTopic

import client
from client import Envelope, Key, uuid7
from lone import Lone, until


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


def witness(lone):
    """A script that leaves one line for each start, and its lines."""
    path = lone.home / "witness"
    script = f"#!/bin/sh\necho $ERRAND_EXECUTION_ID >> {path}\nsleep 0.05\n"
    return script, lambda: path.read_text().split() if path.exists() else []


def claim(lone, execution, key, by, incarnation=None):
    return Envelope.of("claim", {**lone.authority.head(by), "execution": execution,
                                 "incarnation": incarnation or uuid7()}, key)


def claims_of(lone, execution):
    return [m for m in client.read_all(lone.brokers, lone.claims)
            if m.key() == execution.encode()]


def test_everything_produced_again_starts_nothing_again(lone):
    script, lines = witness(lone)
    executor = lone.executor().start()
    orders = [lone.order(lone.command(script)) for _ in range(12)]
    for order in orders:
        lone.send(order)
    for order in orders:
        assert lone.outcome(order.fields["execution"])["outcome"] == "succeeded"
    records = client.read_all(lone.brokers, lone.dispatches) + \
        client.read_all(lone.brokers, lone.claims)
    random.Random(7).shuffle(records)
    for m in records:
        lone.producer.produce(m.topic(), m.value(), key=m.key(), partition=0,
                              headers=m.headers())
    assert lone.producer.flush(10) == 0
    executor.kill()
    (lone.home / "ex-1.state" / "kafka" / "position").unlink(missing_ok=True)
    executor.start()
    assert lone.outcome(lone.ask(script))["outcome"] == "succeeded"
    assert len(lines()) == len(set(lines())) == len(orders) + 1


def test_of_two_executors_one_starts_each(lone):
    script, lines = witness(lone)
    executors = [lone.executor(n, slots=2).start() for n in ("ex-1", "ex-2")]
    ids = [lone.ask(script) for _ in range(30)]
    said = {i: lone.outcome(i) for i in ids}
    assert all(f["outcome"] == "succeeded" for f in said.values())
    assert sorted(lines()) == sorted(ids)
    assert len(executors) == 2


def test_a_claim_that_came_first_keeps_the_executor_from_starting(lone):
    """Whoever made it, and whether it can be read: the key alone counts."""
    script, lines = witness(lone)
    forged = [lone.order(lone.command(script)) for _ in range(3)]
    stranger = Key()
    key = [order.fields["execution"] for order in forged]
    lone.send(claim(lone, key[0], stranger, "0" * 64), lone.claims)
    lone.producer.produce(lone.claims, b"\x00not json", key=key[1], partition=0)
    lone.producer.produce(lone.claims, None, key=key[2], partition=0)
    assert lone.producer.flush(10) == 0
    lone.executor().start()
    for order in forged:
        lone.send(order)
    honest = lone.ask(script)
    assert lone.outcome(honest)["outcome"] == "succeeded"
    assert lines() == [honest]


def test_it_starts_on_reading_back_its_claim_not_on_sending_it(lone):
    """A claim of somebody else's gets in between: the log's order decides."""
    script, lines = witness(lone)
    executor = lone.executor().start()
    won = lost = 0
    for _ in range(40):
        order = lone.order(lone.command(script))
        key = order.fields["execution"]
        rival = claim(lone, key, Key(), "0" * 64)
        lone.producer.produce(lone.dispatches, order.payload, key=key, partition=0,
                              headers=order.headers())
        lone.producer.produce(lone.claims, rival.payload, key=key, partition=0,
                              headers=rival.headers())
        assert lone.producer.flush(10) == 0
        log = until("there are two claims", lambda k=key: (
            lambda found: found if len(found) == 2 or found[:1] and
            found[0].value() == rival.payload else None)(claims_of(lone, k)))
        if log[0].value() == rival.payload:
            lost += 1
        else:
            won += 1
            assert lone.outcome(key)["outcome"] == "succeeded"
    assert lone.outcome(lone.ask(script))["outcome"] == "succeeded"
    assert len(lines()) == len(set(lines())) == won + 1
    assert executor.process.poll() is None


def test_a_ledger_outlives_the_logs(lone):
    """The claim log made anew: what this host has started stays started."""
    script, lines = witness(lone)
    executor = lone.executor().start()
    order = lone.order(lone.command(script))
    lone.send(order)
    assert lone.outcome(order.fields["execution"])["outcome"] == "succeeded"
    executor.stop()
    admin = lone.admin
    topics = [lone.claims, lone.dispatches]
    for done in admin.delete_topics(topics).values():
        done.result()
    until("they are gone", lambda: not set(topics) & set(admin.list_topics(timeout=10).topics))
    for done in admin.create_topics(
            [NewTopic(t, 1, 1) for t in topics]).values():
        done.result()
    until("they are there", lambda: all(
        t in found and found[t].partitions and found[t].partitions[0].leader >= 0
        for found in [admin.list_topics(timeout=10).topics] for t in topics))
    (lone.home / "ex-1.state" / "kafka" / "position").unlink(missing_ok=True)
    executor.start()
    lone.send(order)
    honest = lone.ask(script)
    assert lone.outcome(honest)["outcome"] == "succeeded"
    assert lines() == [order.fields["execution"], honest]


@pytest.mark.parametrize("halves", [(0,), (1,), (0, 1)],
                         ids=["kafka-facing half", "spawner", "both"])
def test_killed_in_the_middle_nothing_runs_twice_and_everything_ends(lone, halves):
    script, lines = witness(lone)
    executor = lone.executor().start()
    ids, rng = [], random.Random(len(halves) + halves[0])
    for kill in range(3):
        ids += [lone.ask(script) for _ in range(10)]
        until("some began", lambda n=kill: len(lines()) > n * 10 + rng.randrange(6))
        executor.kill(*halves)
        executor.start()
    said = {i: lone.finished(i, 40) for i in ids}
    assert len(lines()) == len(set(lines()))
    for i, results in said.items():
        finished = {r.hash for r in results if r.type == "errand.execution.finished.v1"}
        assert len(finished) == 1, "two endings of one execution"
        fields = results[-1].fields
        assert fields["outcome"] in ("succeeded", "interrupted")
        assert fields["started"] or i not in lines(), "said not started, and was"
    interrupted = [i for i in ids if said[i][-1].fields["outcome"] == "interrupted"]
    assert len(interrupted) <= 3 * lone.slots
    assert {i for i in ids if i not in lines()} <= set(interrupted)


def test_what_a_killed_life_left_running_is_ended_first(lone):
    path = lone.home / "ticks"
    executor = lone.executor().start()
    execution = lone.ask(
        f"#!/bin/sh\nsetsid sh -c 'while :; do echo x >> {path}; sleep 0.05; done'\n")
    until("it runs", lambda: path.exists() and path.stat().st_size > 4)
    executor.kill(0, 1)
    executor.start()
    fields = lone.outcome(execution)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)
    size = path.stat().st_size
    assert lone.outcome(lone.ask("#!/bin/sh\nsleep 0.3\n"))["outcome"] == "succeeded"
    assert path.stat().st_size == size, "it is still alive"


def test_an_earlier_lifes_claim_that_never_began_is_told(lone):
    """Its claim is first in the log; its ledger knows of no start."""
    executor = lone.executor().start()
    life = until("it said hello", lambda: [
        Envelope.from_record(m).fields["incarnation"]
        for m in client.read_all(lone.brokers, "errand.executors")
        if m.key() == b"ex-1" and Envelope.from_record(m).signed_by(executor.key)])[-1]
    executor.kill()
    order = lone.order(lone.command("#!/bin/sh\ntrue\n"))
    own = Key.read(lone.home / "ex-1.key")
    lone.send(claim(lone, order.fields["execution"], own, executor.enrol.hash, life), lone.claims)
    executor.start()
    fields = lone.outcome(order.fields["execution"])
    assert (fields["outcome"], fields["started"]) == ("interrupted", False)
    assert fields["incarnation"] == life


def test_a_stopped_executor_says_what_it_interrupted(lone):
    executor = lone.executor().start()
    execution = lone.ask("#!/bin/sh\necho begun; sleep 60\n")
    until("it runs", lambda: len(lone.results(execution)) >= 2)
    executor.stop()
    assert executor.process.returncode == 0
    fields = lone.outcome(execution)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)


def test_a_second_executor_on_the_same_state_refuses_to_start(lone):
    lone.executor().start()
    again = lone.executors[0].run()
    assert again.returncode == 1
    assert "another executor lives on this state directory" in again.stderr
