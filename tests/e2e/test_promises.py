"""test_promises.py: what the house promises, tried on a whole stack: each
execution ends (P3), each result is recorded once (P4), a request is decided once
(P5), a bad record stops nobody (P8), output is whole (P11).

Executors that are away for long are the test's own (host.py); what should be in
PostgreSQL is reckoned from the topics (record.py).
"""
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

import confluent_kafka
import pytest

import client
import record
from client import Envelope, Key, accepted, b64, moment, now_ms, unb64, uuid7
from host import Asked, Host, Witness, finished_events, standing
from house import BIN, HOME, until

RESULTS = "errand.results"
REPLAY = 100  # seconds: some 2,000 requests


@pytest.fixture
def host(house, tmp_path):
    """An executor of its own, not started yet."""
    here = Host(house, tmp_path)
    yield here
    here.stop()


def output(house, execution):
    return b"".join(r[0] for r in house.rows(
        "SELECT data FROM outputs WHERE execution_id = %s AND stream = 'stdout'"
        " ORDER BY number", execution))


def succeeded(asked, execution):
    found = asked.outcome(execution, "succeeded")
    assert (found.said_by, found.exit_status) == ("executor", 0)


# Everything ends (P3)

def test_what_nobody_claims_in_time_expires(house, host, tmp_path):
    witness = Witness(tmp_path)
    asked = Asked(house, witness.script, host.target, wait=2)
    execution = asked.accept()
    assert asked.outcome(execution, "expired").said_by == "scheduler"
    (closing,) = host.claimed(execution)
    assert Envelope.from_record(closing).fields["closing"] == "expired"
    host.start()
    asked.wait = 60
    later = asked.accept()
    succeeded(asked, later)
    assert witness.lines() == [later]


def test_who_is_silent_is_lost_until_it_tells_what_was(house, host):
    host.start()
    asked = Asked(house, "#!/bin/sh\necho begun; sleep 2; echo ended\n", host.target)
    execution = asked.accept()
    until("it began", lambda: output(house, execution) == b"begun\n")
    with standing(*host.halves()):
        found = asked.outcome(execution, "lost")
        assert (found.said_by, found.was_started) == ("scheduler", True)
    succeeded(asked, execution)
    until("its output is there", lambda: output(house, execution) == b"begun\nended\n")


def test_who_never_comes_back_leaves_lost_and_its_heir_knows_more(house, host):
    host.start()
    asked = Asked(house, "#!/bin/sh\necho begun; exec sleep 600\n", host.target)
    execution = asked.accept()
    until("it began", lambda: output(house, execution) == b"begun\n")
    host.kill()
    assert asked.outcome(execution, "lost").said_by == "scheduler"
    host.start()
    found = asked.outcome(execution, "interrupted")
    assert (found.said_by, found.was_started) == ("executor", True)


@pytest.mark.parametrize("forger", ["a stranger", "another target's executor",
                                    "nobody", "nothing"])
def test_a_forged_first_claim_ends_as_interrupted(house, host, tmp_path, forger):
    witness = Witness(tmp_path)
    asked = Asked(house, witness.script, host.target)
    host.start()
    execution, run = asked.request()
    asked.runs[execution] = run
    dead = client.reader(house.brokers, "errand.dead")
    value, headers = forged_claim(house, execution, forger)
    asked.asker.send(host.claims, value, headers, execution, partition=0)
    accepted(asked.asker.exchange(run))
    found = asked.outcome(execution, "interrupted")
    assert found.said_by == "scheduler" and not found.was_started
    assert dead_reason(dead, host.claims)
    succeeded(asked, asked.accept())
    assert execution not in witness.lines()


def forged_claim(house, execution, forger):
    if forger == "nobody":
        return os.urandom(100), []
    if forger == "nothing":
        return b"", []
    ms, key, by = now_ms(), Key(), client.sha256(b"nobody")
    if forger == "another target's executor":
        key = Key.read(HOME / "keys/executor-1.key")
        by = house.rows("SELECT encode(hash, 'hex') FROM services WHERE key_id ="
                        " decode(%s, 'hex')", key.id)[0][0]
    claim = Envelope.of("claim", {
        "root": house.admin.init.fields["root"], "id": uuid7(ms),
        "issued": moment(ms), "by": by, "execution": execution,
        "incarnation": uuid7()}, key)
    return claim.payload, claim.headers()


def dead_reason(consumer, topic, seconds=20):
    """Why the next record of a topic went to errand.dead."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = consumer.poll(0.1)
        if message is None or message.error():
            continue
        headers = dict(message.headers())
        if headers["errand-topic"] == topic.encode():
            return headers["errand-reason"].decode()
    raise AssertionError(f"nothing of {topic} came to errand.dead")


# Stopped, and away

@pytest.mark.parametrize("which", [(0, 1), (1,)], ids=["both halves", "spawner"])
def test_what_was_claimed_long_ago_is_not_started(house, host, tmp_path, which):
    """Longer than the 10 s that lie between a claim and its start at most."""
    witness = Witness(tmp_path, "sleep 0.02")
    host.start()
    asked = Asked(house, witness.script, host.target)
    asked.ask(20)
    until("some began", lambda: len(witness.lines()) > 3)
    pids = host.halves()
    with standing(*[pids[n] for n in which]):
        time.sleep(0.5)  # half of it goes on claiming for a moment
        claimed = {m.key().decode() for m in client.read_all(house.brokers, host.claims)}
        time.sleep(5)  # children that were there are not stopped, and write
        before = set(witness.lines())
        time.sleep(6)  # it is time itself that is tried here
    said = asked.ended()
    lines = witness.lines()
    assert len(lines) == len(set(lines))
    for execution in set(asked.runs) - set(lines):
        found = said[execution]
        assert found.outcome == "interrupted" and not found.was_started, found
        assert execution in claimed
    late = claimed & set(lines) - before
    assert not late, "claimed before, and started after it"
    assert all(len(h) == 1 for h in finished_events(house, said).values())


IMPATIENT = """[kafka]
socket.timeout.ms = 5000
socket.connection.setup.timeout.ms = 1000
request.timeout.ms = 5000
metadata.max.age.ms = 2000
topic.metadata.refresh.interval.ms = 1000
connections.max.idle.ms = 3000
"""


def test_a_broker_that_is_away_costs_no_output(house, host, tmp_path):
    """For longer than every time-out that there is: those of a client are
    shortened, a claim's start is the longest (10 s). Then it is killed, too."""
    host.config.write_text(host.config.read_text().replace("[kafka]\n", IMPATIENT))
    host.start()
    copy = tmp_path / "copy"
    slow = ("for i in $(seq 1 70); do echo $i $ERRAND_EXECUTION_ID;"
            " seq $i $((i + 400)); sleep 0.1; done")  # ends while it is away
    much = (f"echo begun; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done;"
            " seq 1 1000000")  # 6.9 MB: more than may wait
    asked = [Asked(house, f"#!/bin/sh\n({what}) | tee {copy}-$ERRAND_EXECUTION_ID\n",
                   host.target, timeout=600) for what in (slow, slow, much)]
    executions = [a.accept() for a in asked]
    until("all have begun", lambda: all(output(house, e) for e in executions))
    copies = [pathlib.Path(f"{copy}-{e}") for e in executions]
    broker = house.pid("kafka")
    with standing(broker):
        away = time.monotonic()
        (tmp_path / "go").touch()
        until("it has to wait", lambda: copies[2].stat().st_size > 1 << 20)
        until("the others have ended", lambda: all(
            c.read_bytes().endswith(b"\n470\n") for c in copies[:2]), 40)
        time.sleep(max(0, away + 14 - time.monotonic()))  # it is time itself
        assert copies[2].stat().st_size < 6 << 20, "a child that writes must wait"
        spool = sum(f.stat().st_size for f in (
            host.home / f"{host.name}.state/kafka/spool").iterdir())
        assert 1 << 20 < spool < 24 << 20, "on disk, within a bound"
        assert host.process.poll() is None
        os.kill(broker, signal.SIGKILL)
    for one, execution in zip(asked, executions):
        assert one.ended(150)[execution].outcome == "succeeded"
    record.settled(house)
    for execution, whole in zip(executions, copies):
        assert hashlib.sha256(output(house, execution)).hexdigest() == \
            hashlib.sha256(whole.read_bytes()).hexdigest()
        chunks, dropped, rows = house.rows(
            "SELECT chunks, dropped, (SELECT count(*) FROM outputs o WHERE"
            " o.execution_id = r.execution_id) FROM results r WHERE"
            " execution_id = %s", execution)[0]
        assert (chunks, dropped) == (rows, 0)


# Every result, once (P4)

def test_a_recorder_that_stood_still_and_died_misses_nothing(house, tmp_path):
    asked = Asked(house, Witness(tmp_path, "echo $$; sleep 0.02").script)
    pid = None
    for _ in range(2):
        pid = until("there is a new recorder",
                    lambda old=pid: working(house, old))
        with standing(pid):
            asked.ask(10)
            asked.flush()
            time.sleep(0.5)  # let it miss some
            os.kill(pid, signal.SIGKILL)
    assert {r.outcome for r in asked.ended().values()} == {"succeeded"}
    assert record.compare(house) >= 20


def working(house, old):
    """The recorder's pid, once another one than the old one works."""
    with contextlib.suppress(OSError, ValueError):
        pid = house.pid("recorder-1")
        ready = (HOME / "run/recorder-1.ready").read_text().strip()
        return pid if pid != old and ready == str(pid) else None
    return None


def waiting(house, kind):
    """The sessions of such daemons that wait for a lock."""
    return house.rows(
        "SELECT DISTINCT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE NOT l.granted AND a.usename = %s", f"errand_{kind}")


def test_rows_and_offsets_are_written_together(house, tmp_path):
    """Killed while it waits to write: nothing is passed over, nothing is twice."""
    asked = Asked(house, Witness(tmp_path, "echo $$; sleep 0.02").script)
    with house.connect() as lock:
        lock.autocommit = False
        lock.execute("LOCK TABLE outputs IN EXCLUSIVE MODE")
        asked.ask(10)
        asked.flush()
        until("the recorder waits for the lock", lambda: waiting(house, "recorder"))
        until("the results are told", lambda: set(asked.runs) <= set(
            finished_events(house, asked.runs)))
        os.kill(house.pid("recorder-1"), signal.SIGKILL)
        # its session waits for the lock as well, and must not have it
        lock.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE usename = 'errand_recorder'")
        lock.rollback()
    assert {r.outcome for r in asked.ended().values()} == {"succeeded"}
    record.compare(house)


def test_a_second_recorder_stands_by_and_takes_over(house, tmp_path):
    asked = Asked(house, Witness(tmp_path, "echo $$").script)
    with beside(house, "recorder", tmp_path) as (second, log):
        until("it stands by", lambda: "another recorder works" in log.read_text())
        asked.ask(5)
        asked.flush()
        asked.ended()
        assert "msg=recording" not in log.read_text()
        with standing(house.pid("recorder-1")):
            asked.ask(5)  # who stands still holds the lock, and is waited for
            asked.flush()
        asked.ended()
        end_of(house, "recorder-1", lambda: "msg=recording" in log.read_text())
        asked.ask(5)
        asked.flush()
        asked.ended()
        assert second.poll() is None
    record.compare(house)


def end_of(house, name, done):
    """Kills a daemon whenever it is there, until something is true: its
    supervisor is fast."""
    def again():
        if not done():
            with contextlib.suppress(OSError, ValueError):
                os.kill(house.pid(name), signal.SIGKILL)
            time.sleep(0.2)
        return done()
    until(f"another one does {name}'s work", again, 40)


@contextlib.contextmanager
def beside(house, kind, folder):
    """A second daemon of a kind, beside the stack's; (process, its log)."""
    ready = folder / f"{kind}.ready"
    config = folder / f"{kind}.ini"
    text = (HOME / f"conf/{kind}-1.ini").read_text()
    config.write_text(text.replace(str(HOME / f"run/{kind}-1.ready"), str(ready)))
    log = folder / f"{kind}.log"
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen([BIN / f"errand-{kind}", "--config", config], stderr=file)
    try:
        until(f"the second {kind} is ready", lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process, log
    finally:
        process.terminate()
        process.wait(20)


# Decided once (P5)

def decisions(house, before=None):
    """What stands, but for reads, whose answers are made anew; since `before` the
    scheduler may have asked how runs are, as it does at any time."""
    known = None if before is None else [row[0] for row in before["requests"]]
    return {table: house.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in (
        "runs", "assignments", "commands", "users", "targets", "sessions",
        "services")} | {
            "requests": house.rows(
                "SELECT * FROM requests WHERE %s::uuid[] IS NULL"
                " OR verb <> 'run.advance' OR id = ANY (%s) ORDER BY 1, 2", known, known),
            "executions": house.rows(
                "SELECT id, run_id, dispatch, issued, expires FROM executions ORDER BY 1")}


def test_a_run_asked_again_runs_once_and_its_id_tells_others_nothing(house, tmp_path):
    witness = Witness(tmp_path)
    asked = Asked(house, witness.script)
    execution, run = asked.request()
    asked.runs[execution] = run
    first = accepted(asked.asker.exchange(run))
    for _ in range(3):
        again = asked.asker.exchange(run)
        assert (again.status, again.body) == (first.status, first.body)
    succeeded(asked, execution)
    assert asked.asker.exchange(run).body == first.body
    other = asked.asker.run_request(asked.session, asked.command, ["dev"],
                                    request_id=run.fields["id"])
    reply = asked.asker.exchange(other)
    assert (reply.status, reply.text, reply.body) == ("id_in_use", None, b"")
    succeeded(asked, asked.accept())
    assert witness.lines() == list(asked.runs)


def lag(house, group="errand-authorizer"):
    """How many records a group has still to read."""
    probe = confluent_kafka.Consumer({"bootstrap.servers": house.brokers, "group.id": group})
    ends = house.ends("errand.requests")
    found = probe.committed([confluent_kafka.TopicPartition("errand.requests", p)
                             for p in ends], timeout=10)
    probe.close()
    return sum(ends[at.partition] - max(at.offset, 0) for at in found)


def forget_offsets(house, group="errand-authorizer"):
    """A group that has no member any more begins again well before its end: some 2,000
    requests of all who asked last. (All that there are: test_deciding.py.)"""
    probe = confluent_kafka.Consumer({"bootstrap.servers": house.brokers, "group.id": group})
    ends = house.ends("errand.requests")
    earliest = [confluent_kafka.TopicPartition("errand.requests", p,
                                               max(0, end - 2000 // len(ends)))
                for p, end in ends.items()]

    def forgotten():
        with contextlib.suppress(confluent_kafka.KafkaException):
            probe.commit(offsets=earliest, asynchronous=False)
            return True
        time.sleep(0.3)
        return False
    until("the group is empty", forgotten, 30)
    probe.close()


def test_requests_decided_again_are_answered_the_same(house, tmp_path):
    witness = Witness(tmp_path)
    asked = Asked(house, witness.script)
    answers = {}
    for _ in range(10):
        execution, run = asked.request()
        asked.runs[execution] = run
        answers[execution] = accepted(asked.asker.exchange(run)).body
    asked.ended()
    before = decisions(house)
    results = house.rows("SELECT * FROM results ORDER BY 1")
    pid = house.pid("authorizer-1")
    with standing(pid):
        forget_offsets(house)
        assert lag(house) > 10
        os.kill(pid, signal.SIGKILL)
    again = bodies(asked)
    until("it has read them all", lambda: lag(house) == 0, REPLAY)
    assert again == answers
    assert decisions(house, before) == before
    honest = asked.accept()
    succeeded(asked, honest)
    assert sorted(witness.lines()) == sorted(asked.runs)
    assert [r for r in house.rows("SELECT * FROM results ORDER BY 1")
            if str(r[0]) != honest] == results


def bodies(asked, seconds=REPLAY):
    """{execution: the body of the next reply to it}, in whichever order."""
    ids = {run.fields["id"].encode(): e for e, run in asked.runs.items()}
    found, end = {}, time.monotonic() + seconds
    while len(found) < len(ids) and time.monotonic() < end:
        message = asked.asker.consumer.poll(0.1)
        if message is None or message.error() or message.key() not in ids:
            continue
        box = unb64(json.loads(message.value())["box"])
        part = Envelope.from_dsse(json.loads(asked.asker.box.open(box))).fields
        found[ids[message.key()]] = unb64(part.get("body", ""))
    return found


def test_two_authorizers_decide_each_request_once(house, tmp_path):
    """The same bytes on all partitions; both have looked, and find nothing, when
    both are let to write: one row, and the other one's answer."""
    witness = Witness(tmp_path, "true")
    asked = Asked(house, witness.script)
    with beside(house, "authorizer", tmp_path):
        until("they share the partitions", lambda: shared(house), 30)
        for _ in range(20):
            execution, run = asked.request()
            asked.runs[execution] = run
        reads = [asked.asker.request("session.show", {}, asked.session.by,
                                     asked.session.key) for _ in range(40)]
        for requests in reads, list(asked.runs.values()):
            both_decide(house, asked, requests)
        asked.ended()
    requests = [*asked.runs.values(), *reads]
    stored = house.rows("SELECT id::text FROM requests WHERE id = ANY(%s::uuid[])",
                        [r.fields["id"] for r in requests])
    assert sorted(r[0] for r in stored) == sorted(r.fields["id"] for r in requests)
    assert sorted(witness.lines()) == sorted(asked.runs)
    payloads = {r.payload for r in requests}
    assert not [m for m in client.read_all(house.brokers, "errand.dead")
                if m.value() in payloads], "an honest request was put aside"


def both_decide(house, asked, requests):
    """Each of them on each partition, until all are read by both."""
    with house.connect() as lock:
        lock.autocommit = False
        lock.execute("LOCK TABLE requests IN EXCLUSIVE MODE")
        for request in requests:
            for partition in range(8):
                asked.asker.producer.produce(
                    "errand.requests", request.payload, partition=partition,
                    headers=request.headers(), key=request.signatures[0][0])
        asked.flush()
        until("both want to write", lambda: len(waiting(house, "authorizer")) == 2)
        lock.rollback()
    until("all are read", lambda: lag(house) == 0, 60)


def shared(house):
    """Both members of the group have partitions."""
    groups = house.kafka().list_groups("errand-authorizer", timeout=10)
    return groups and groups[0].state == "Stable" and len(groups[0].members) == 2


# Replies that others make

@pytest.mark.parametrize("proof", ["none", "the honest one's", "a stranger's own root"])
def test_a_forged_reply_is_not_believed(house, proof):
    """It is there first, sealed to the right key, with all that can be known."""
    command = house.command("echo honest", runner=True)
    honest = house.asker()
    session = honest.open_session(house.admin)
    chain = accepted(honest.ask("session.show", {}, session)).fields["proof"]
    requests = [client.reader(house.brokers, "errand.requests", p) for p in
                house.partitions("errand.requests")]
    authorizer = house.pid("authorizer-1")
    for arguments, out in ((["run", command], "honest\n"), (["list", "-o", "name"], None)):
        with standing(authorizer):
            asking = house.start(*arguments, who="runner")
            request = Envelope.from_record(next_of(requests))
            forge(honest, request, proof, chain)
        told, said = asking.communicate(timeout=60)
        assert asking.returncode == 0, said
        assert told == out if out else command in told.split()
        assert "forged" not in told + said


def next_of(consumers):
    """The first record that comes to one of them."""
    def poll():
        for consumer in consumers:
            message = consumer.poll(0.01)
            if message is not None and not message.error():
                return message
        return None
    return until("a request", poll)


def forge(asker, request, proof, chain):
    """Replies in the authorizer's name: no, yes, and nonsense."""
    fields, key = request.fields, Key()
    by = next(Envelope.from_dsse(e).hash for e in chain
              if e["payloadType"] == "errand.service.enrol.v1")
    given = {"none": None, "the honest one's": chain, "a stranger's own root": []}[proof]
    if given == []:
        root = client.Root()
        init = root.first_administrator("forged@x.example").init
        enrol = Envelope.of("service.enrol", {
            **root.head(), "kind": "authorizer", "name": "authorizer-1",
            "key": b64(key.public), "box": b64(key.box),
            "until": moment(now_ms() + client.DAY)}, root.key)
        given, by = [enrol.dsse(), init.dsse()], enrol.hash
    for status in "not_found", "ok", "accepted":
        ms = now_ms()
        reply = {"root": fields["root"], "id": uuid7(ms), "issued": moment(ms),
                 "by": by, "to": fields["id"], "request": request.hash, "part": 0,
                 "last": True, "seq": 0, "head": client.sha256(b"x"),
                 "status": status, "text": "forged", "body": b64(b"{}"),
                 "proof": given}
        envelope = Envelope.of("reply", {k: v for k, v in reply.items()
                                         if v is not None}, key)
        box = client.nacl.public.SealedBox(client.nacl.public.PublicKey(
            unb64(fields["reply"]["box"]))).encrypt(json.dumps(envelope.dsse()).encode())
        for value in json.dumps({"box": b64(box)}).encode(), os.urandom(200), b"":
            asker.send("errand.replies", value, [], fields["id"],
                       partition=fields["reply"]["partition"])


# Bytes of no sense (P8)

NONSENSE = [b"", b"{}", b"\0" * 100, os.urandom(2000), b"[" * 5000, b'{"root":1,"root":2}',
            b'{"box":"AAAA"}']


def spoil(asker, topic, partitions):
    """Nonsense to each partition, under headers that fit and that don't."""
    for partition in partitions:
        for n, value in enumerate(NONSENSE):
            headers = [[("ce_type", b"errand.execution.finished.v1")], [],
                       [("ce_type", b"\xff\0"), ("errand-key", b"x"), ("errand-sig", b"=")]][n % 3]
            asker.send(topic, value, headers, os.urandom(n), partition=partition)


@pytest.mark.parametrize("topic", [
    "errand.requests", "errand.results", "errand.executors", "errand.claims",
    "errand.dispatch", "errand.replies", "errand.events", "errand.revocations"])
def test_bytes_of_no_sense_stop_nobody(house, host, tmp_path, topic):
    witness = Witness(tmp_path)
    host.start()
    asked = Asked(house, witness.script, host.target)
    heard = topic in ("errand.requests", "errand.results", "errand.executors",
                      "errand.claims", "errand.dispatch")
    if topic in ("errand.claims", "errand.dispatch"):
        topic = f"{topic}.{host.target}.1"
    dead = client.reader(house.brokers, "errand.dead")
    before = len(list(house.partitions(topic))) * len(NONSENSE)
    spoil(asked.asker, topic, house.partitions(topic))
    for _ in range(3):
        succeeded(asked, asked.accept())
    assert sorted(witness.lines()) == sorted(asked.runs)
    for _ in range(before if heard else 0):
        assert dead_reason(dead, topic)
    name = house.command("echo heard", target=host.target, runner=True)
    done = house.submit("run", name, who="runner")
    assert (done.returncode, done.stdout) == (0, "heard\n")
