"""test_recording.py: what the recorder writes and what the scheduler ends (P3,
P4, P8, P11), said by an executor whose key is ours: so it can tell the truth,
say it twice, lie, fall silent, and come back.
"""
import contextlib
import json
import os
import signal
import uuid

import pytest

import client
from client import ZERO, Envelope, Key, b64, moment, now_ms, unb64, uuid7
from host import Asked, standing
from house import until

DEAD = "errand.dead"


class Voice:
    """An executor of one target, as far as it is heard."""

    def __init__(self, house, folder, target, administrator=None):
        self.house, self.target, self.key = house, target, Key()
        self.name = house.fresh("v")
        self.incarnation = str(uuid.uuid4())
        out = folder / f"{self.name}.json"
        done = (administrator or house).submit("service", "enrol", "executor", self.name, "--target",
                            target, "--key", client.key_line_make(self.key), "--out", str(out))
        assert done.returncode == 0, done.stderr
        enrol = Envelope.from_dsse(json.loads(out.read_text())["envelopes"][0])
        self.by, self.root = enrol.hash, enrol.fields["root"]
        self.asker = house.asker()
        self.claims = f"errand.claims.{target}.1"

    def sign(self, kind, fields, key=None):
        ms = now_ms()
        head = {"root": self.root, "id": uuid7(ms), "issued": moment(ms), "by": self.by}
        return Envelope.of(kind, {**head, **fields}, key or self.key)

    def say(self, envelope, topic="errand.results", key=None, **where):
        self.asker.produce(envelope, topic, key or envelope.fields["execution"], **where)

    def claim(self, execution, **fields):
        """Claims, and the offset of it: nobody else writes to this log."""
        self.say(self.sign("claim", {"execution": execution,
                                     "incarnation": self.incarnation, **fields}),
                 self.claims, partition=0)
        return client.read_all(self.house.brokers, self.claims)[-1].offset()

    def result(self, kind, execution, number, previous, **fields):
        return self.sign(f"execution.{kind}", {
            "execution": execution, "incarnation": self.incarnation, "number": number,
            "previous": previous.hash if previous else ZERO, **fields})

    def started(self, execution, claim):
        return self.result("started", execution, 0, None, claim=claim)

    def output(self, execution, before, data, stream="stdout"):
        return self.result("output", execution, before.fields["number"] + 1, before,
                           stream=stream, data=b64(data))

    def finished(self, execution, claim, before=None, **fields):
        number = before.fields["number"] + 1 if before else 0
        return self.result("finished", execution, number, before, **{
            "claim": claim, "outcome": "succeeded", "started": True, "exit": 0,
            "signal": 0, "chunks": max(number - 1, 0), "dropped": 0, **fields})

    def story(self, execution):
        """A whole one: started, two chunks, finished."""
        claim = self.claim(execution)
        told = [self.started(execution, claim)]
        told.append(self.output(execution, told[-1], b"\0one\n"))
        told.append(self.output(execution, told[-1], b"\xfftwo\n", "stderr"))
        return told + [self.finished(execution, claim, told[-1])]

    def hello(self, running=(), incarnation=None):
        self.say(self.sign("executor.hello", {
            "name": self.name, "target": self.target, "slots": 4, "version": "test",
            "incarnation": incarnation or self.incarnation,
            "running": list(running)}), "errand.executors", self.name)


class Dead:
    """What has come to errand.dead since."""

    def __init__(self, house):
        self.house = house
        self.n = len(client.read_all(house.brokers, DEAD))

    def reasons(self):
        return [dict(m.headers())["errand-reason"].decode()
                for m in client.read_all(self.house.brokers, DEAD)[self.n:]]

    def has(self, text):
        return until(f"'{text}' in errand.dead", lambda: any(
            text in reason for reason in self.reasons()))


@pytest.fixture(name="target", scope="module")
def a_target(house):
    name = house.fresh("r")
    assert house.submit("target", "add", name).returncode == 0
    return name


@pytest.fixture(name="voice")
def a_voice(house, target, tmp_path):
    return Voice(house, tmp_path, target)


@pytest.fixture(name="asked", scope="module")
def what_is_asked(house, target):
    return Asked(house, "#!/bin/sh\ntrue\n", target=target)


def chunks_of(house, execution):
    return [(n, s, bytes(d)) for n, s, d in house.rows(
        "SELECT number, stream, data FROM outputs WHERE execution_id = %s"
        " ORDER BY number", execution)]


def check_story(house, execution, story):
    """Everything that was told stands in the tables, byte for byte."""
    started, *output, finished = story
    assert house.rows(
        "SELECT started_hash, finished_hash, chain_head, chunks FROM results"
        " WHERE execution_id = %s", execution) == [
            (bytes.fromhex(started.hash), bytes.fromhex(finished.hash),
             bytes.fromhex(output[-1].hash), len(output))]
    assert chunks_of(house, execution) == [
        (e.fields["number"], e.fields["stream"], unb64(e.fields["data"]))
        for e in output]


def test_what_is_told_twice_is_recorded_once(house, voice, asked):
    dead = Dead(house)
    execution, last = asked.accept(), asked.accept()
    story = voice.story(execution)
    for envelope in story + story[::-1] + story:
        voice.say(envelope)
    voice.say(voice.finished(last, voice.claim(last)))
    asked.outcome(execution, "succeeded")
    asked.outcome(last, "succeeded")
    check_story(house, execution, story)
    assert dead.reasons() == []


def test_output_inside_finished_is_numbered(house, voice, asked):
    execution = asked.accept()
    voice.say(voice.finished(execution, voice.claim(execution), chunks=2, output=[
        {"stream": "stdout", "data": b64(b"a")}, {"stream": "stderr", "data": b64(b"b")}]))
    asked.outcome(execution, "succeeded")
    assert chunks_of(house, execution) == [(1, "stdout", b"a"), (2, "stderr", b"b")]


def test_missing_output_is_seen_in_the_record(house, voice, asked):
    execution = asked.accept()
    started, first, second, finished = voice.story(execution)
    for envelope in (started, second, finished):
        voice.say(envelope)
    asked.outcome(execution, "succeeded")
    assert [c[0] for c in chunks_of(house, execution)] == [2]
    voice.say(first)
    until("what came late is there", lambda: len(chunks_of(house, execution)) == 2)


def stranger(voice, execution, claim, **fields):
    return voice.sign("execution.finished", {
        **voice.finished(execution, claim).fields, **fields}, Key())


LIES = {
    "by a stranger's key": (stranger, "not signed by"),
    "by another incarnation": (
        lambda v, e, c: v.sign("execution.finished", {
            **v.finished(e, c).fields, "incarnation": str(uuid.uuid4())}),
        "another incarnation"),
    "of a claim that is not there yet": (
        lambda v, e, c: v.finished(e, c + 1000), "beyond the end"),
    "that it is lost": (
        lambda v, e, c: v.finished(e, c, outcome="lost"), "can't say"),
    "that only a scheduler may tell": (
        lambda v, e, c: v.sign("execution.finished", {
            k: x for k, x in v.finished(e, c, outcome="expired").fields.items()
            if k != "incarnation"}), "not as scheduler"),
}


@pytest.mark.parametrize("lie, reason", LIES.values(), ids=LIES)
def test_a_lie_is_put_aside_and_the_truth_behind_it_recorded(
        house, voice, asked, lie, reason):
    dead = Dead(house)
    execution = asked.accept()
    claim = voice.claim(execution)
    voice.say(lie(voice, execution, claim))
    truth = voice.finished(execution, claim, outcome="failed", exit=7)
    voice.say(truth)
    assert asked.outcome(execution, "failed").exit_status == 7
    dead.has(reason)


def test_another_executor_of_the_target_can_t_speak_for_the_winner(
        house, voice, asked, target, tmp_path):
    dead = Dead(house)
    other = Voice(house, tmp_path, target)
    other.incarnation = voice.incarnation
    execution = asked.accept()
    claim = voice.claim(execution)
    other.say(other.finished(execution, claim))
    voice.say(voice.finished(execution, claim, outcome="failed", exit=1))
    asked.outcome(execution, "failed")
    dead.has("another executor's key")


@pytest.mark.parametrize("topic", ["errand.results", "errand.executors", None])
def test_random_bytes_do_not_stop_a_recorder_s_partition(house, voice, asked, topic):
    dead = Dead(house)
    topic = topic or voice.claims
    values = [b"", b"{}", b"\0" * 100, os.urandom(3000), b"[" * 5000]
    for partition in house.partitions(topic):
        for value in values:
            voice.asker.send(topic, value, [("ce_type", b"errand.claim.v1")],
                             os.urandom(6), partition=partition)
    execution = asked.accept()
    voice.say(voice.finished(execution, voice.claim(execution)))
    asked.outcome(execution, "succeeded")
    until("all are put aside", lambda: len(dead.reasons()) >=
          len(values) * len(house.partitions(topic)))


@contextlib.contextmanager
def locked(house, table):
    """The recorder can't write to it, and waits within its transaction."""
    house.superuser.autocommit = False
    try:
        house.change(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield
    finally:
        house.superuser.rollback()
        house.superuser.autocommit = True


def test_killed_between_a_row_and_its_offset_it_loses_nothing(house, voice, asked):
    execution = asked.accept()
    story = voice.story(execution)
    with locked(house, "outputs"):
        for envelope in story:
            voice.say(envelope)
        until("it waits for the lock", lambda: house.rows(
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'outputs'::regclass"))
        os.kill(house.pid("recorder-1"), signal.SIGKILL)
    asked.outcome(execution, "succeeded")
    check_story(house, execution, story)


def test_a_claim_by_nobody_ends_as_interrupted_and_not_started(house, voice, asked):
    dead = Dead(house)
    execution = asked.accept()
    voice.say(voice.sign("claim", {"execution": execution,
                                   "incarnation": voice.incarnation}, Key()),
              voice.claims, partition=0)
    claim = voice.claim(execution)
    voice.say(voice.started(execution, claim))
    said = asked.outcome(execution, "interrupted")
    assert (said.said_by, said.was_started) == ("scheduler", False)
    dead.has("nobody may start")


def test_nobody_s_claim_makes_it_expire(house, target):
    short = Asked(house, "#!/bin/sh\ntrue\n", target=target, wait=1)
    said = short.outcome(short.accept(), "expired")
    assert (said.said_by, said.was_started) == ("scheduler", False)


def test_who_falls_silent_loses_it_until_the_truth_comes(house, voice, asked):
    execution = asked.accept()
    claim = voice.claim(execution)
    started = voice.started(execution, claim)
    voice.hello([execution])
    voice.say(started)
    said = asked.outcome(execution, "lost")
    assert (said.said_by, said.was_started) == ("scheduler", True)
    voice.say(voice.finished(execution, claim, started, outcome="failed", exit=3))
    assert asked.outcome(execution, "failed").said_by == "executor"
    dead = Dead(house)
    voice.say(voice.finished(execution, claim, started))
    dead.has("has its outcome")
    assert asked.results()[execution].outcome == "failed"


def test_who_is_held_is_not_lost(house, voice, asked):
    held, dropped = asked.accept(), asked.accept()
    claim = voice.claim(held)
    voice.claim(dropped)

    def only_one_is_lost():
        voice.hello([held])
        return asked.results().get(dropped)
    assert until("the dropped one ends", only_one_is_lost, 30).outcome == "lost"
    assert held not in asked.results()
    voice.hello([held], str(uuid.uuid4()))  # its heir, who holds it
    voice.hello([])                         # an old hello, written again
    voice.say(voice.finished(held, claim))
    asked.outcome(held, "succeeded")


def test_a_recorder_that_lags_makes_nobody_lost_or_expired(house, voice, asked, target):
    short = Asked(house, "#!/bin/sh\ntrue\n", target=target, wait=2)
    execution = short.accept()
    voice.hello()
    with standing(house.pid("recorder-1")):
        story = voice.story(execution)
        for envelope in story:
            voice.say(envelope)
        sent = now_ms()
        until("its patience is over", lambda: now_ms() > sent + 8000)
        assert not short.results()
    assert short.outcome(execution, "succeeded").said_by == "executor"
    check_story(house, execution, story)


def test_watch_comes_to_its_end_where_the_record_has_a_gap(house, asked, voice):
    """A piece that never came, and more than a page behind it."""
    execution = asked.accept()
    claim = voice.claim(execution)
    started = voice.started(execution, claim)
    voice.say(started)
    last = voice.output(execution, started, b"lost\n")
    for _ in range(520):
        last = voice.output(execution, last, b"x\n")
        voice.say(last)
    (run,), = house.rows("SELECT run_id FROM executions WHERE id = %s", execution)
    with house.start("watch", str(run)) as watch:
        until("it looks", lambda: house.rows(
            "SELECT count(*) > 1 FROM requests WHERE verb = 'run.output' AND"
            " decided_at > (SELECT asked_at FROM runs WHERE id = %s)", run) == [(True,)])
        voice.say(voice.finished(execution, claim, last))
        out, said = watch.communicate(timeout=60)
    assert watch.returncode == 0 and out == "", said
    assert "pieces of" in said and "are not there yet" in said, said
    (asked_for,), = house.rows(
        "SELECT count(*) FROM requests WHERE verb = 'run.output' AND decided_at >"
        " (SELECT asked_at FROM runs WHERE id = %s)", run)
    assert asked_for < 100, "it asks without a pause"
