"""What could wedge an executor: its children, its topics, its limits (P2, P3)."""
import os
import resource
import signal
import subprocess
import time

import confluent_kafka
import pytest

import client
from client import Envelope, Key, b64, moment, now_ms
from lone import BIN, Lone, until


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


def witness(lone):
    path = lone.home / "witness"
    return (f"#!/bin/sh\necho $ERRAND_EXECUTION_ID >> {path}\n",
            lambda: path.read_text().split() if path.exists() else [])


def test_an_authorizer_cannot_multiply_a_run_by_attempts(lone):
    """No command allows a retry yet: a second attempt is a second execution."""
    script, lines = witness(lone)
    lone.executor().start()
    command = lone.command(script)
    run = lone.authority.start(command, [lone.target])
    first, second = (lone.authority.dispatch(command, run, lone.target, attempt=n) for n in (1, 2))
    lone.send(first)
    assert lone.outcome(first.fields["execution"])["outcome"] == "succeeded"
    offset = lone.ends(lone.dispatches)[0]
    lone.send(second)
    assert "attempt" in lone.dead(offset)
    assert len(lines()) == 1


def test_too_few_descriptors_interrupt_an_execution_and_nothing_else(lone):
    executor = lone.executor(slots=60).start()
    resource.prlimit(executor.process.pid, resource.RLIMIT_NOFILE,
                     (len(os.listdir(f"/proc/{executor.process.pid}/fd")) + 12, 4096))
    ids = [lone.ask("#!/bin/sh\nsleep 2\n") for _ in range(20)]
    said = [lone.outcome(i, 15) for i in ids]
    assert {f["outcome"] for f in said} <= {"succeeded", "interrupted"}
    assert all(f["started"] == (f["outcome"] == "succeeded") for f in said)
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"
    assert executor.process.poll() is None


def test_a_full_queue_to_the_broker_loses_no_outcome(lone):
    """Room for four claims, but not for four results and as many replies."""
    executor = lone.executor()
    executor.config.write_text(executor.config.read_text().replace("heartbeat = 1s", "heartbeat = 30s")
                               .replace("[root]", "queue.buffering.max.ms = 300\n"
                                        "queue.buffering.max.messages = 5\n[root]"))
    executor.start()
    time.sleep(0.5)  # its hello is out of the way
    orders = [lone.order(lone.command("#!/bin/sh\ntrue\n"), follow=True) for _ in range(4)]
    for order in orders:
        lone.send(order)
    for order in orders:
        assert lone.outcome(order.fields["execution"])["outcome"] == "succeeded"


def test_what_had_ended_when_the_executor_was_stopped_is_told_as_it_ended(lone):
    path = lone.home / "pid"
    executor = lone.executor().start()
    execution = lone.ask(f"#!/bin/sh\necho $$ > {path}; sleep 0.5\n")
    child = until("it runs", lambda: path.exists() and path.read_text().strip())
    spawner = executor.halves()[1]
    os.kill(spawner, signal.SIGSTOP)
    until("it has ended", lambda: not os.path.exists(f"/proc/{child}"))
    executor.process.terminate()
    time.sleep(0.3)  # END waits for the spawner
    os.kill(spawner, signal.SIGCONT)
    fields = lone.outcome(execution)
    assert (fields["outcome"], fields["exit"]) == ("succeeded", 0)


def test_what_gets_away_is_ended_before_the_outcome_is_told(lone):
    """Without the execution's id, in sessions of their own, deaf, stopped, and
    writing faster than the executor reads."""
    pids = lone.home / "pids"
    executor = lone.executor().start()
    os.setpriority(os.PRIO_PROCESS, executor.process.pid, 19)
    writers = 6
    left = lone.ask(f"""#!/bin/sh
for n in $(seq {writers}); do
    (env -i setsid sh -c 'trap "" TERM HUP; echo $$ >> {pids}; exec yes' &)
done
env -i setsid sh -c 'echo $$ >> {pids}; kill -STOP $$' &
until test "$(wc -l < {pids})" -gt {writers}; do :; done
""")
    assert lone.outcome(left, 15)["outcome"] == "succeeded"
    assert not [p for p in pids.read_text().split() if os.path.exists(f"/proc/{p}")]
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"), 10)["outcome"] == "succeeded"
    assert executor.process.poll() is None


def test_gaps_in_the_claim_log_are_read_over(lone):
    script, lines = witness(lone)
    producer = confluent_kafka.Producer({"bootstrap.servers": lone.brokers,
                                         "transactional.id": lone.target})
    producer.init_transactions()

    def transaction(n, end):
        producer.begin_transaction()
        producer.produce(lone.claims, b"x", key=b"stranger %d" % n, partition=0)
        producer.flush()
        end()
    for n in range(40):
        transaction(n, producer.commit_transaction if n % 2 else producer.abort_transaction)
    start = time.monotonic()
    lone.executor().start()
    assert time.monotonic() - start < 6, "each gap is looked at by itself"
    ids = []
    for n in range(10):
        ids.append(lone.ask(script))
        transaction(n, producer.commit_transaction)
    for i in ids:
        assert lone.outcome(i)["outcome"] == "succeeded"
    assert sorted(lines()) == sorted(ids)


def test_junk_on_the_dispatch_topic_does_not_silence_what_runs(lone):
    lone.executor().start()
    execution = lone.ask("#!/bin/sh\nsleep 1; echo done\n")
    until("it runs", lambda: lone.results(execution))
    for n in range(20000):
        lone.producer.produce(lone.dispatches, b"junk", key=b"%d" % n, partition=0)
        lone.producer.poll(0)
    assert lone.producer.flush(10) == 0
    start = time.monotonic()
    assert lone.outcome(execution, 10)["outcome"] == "succeeded"
    assert time.monotonic() - start < 4


def test_a_signal_ends_it_while_the_broker_is_away(lone):
    executor = lone.executor()
    executor.config.write_text(executor.config.read_text().replace(lone.brokers, "127.0.0.1:9"))
    with open(executor.log, "ab") as log:
        executor.process = subprocess.Popen(
            [BIN / "errand-executor", "--config", executor.config], stderr=log)
    until("it waits", lambda: "waiting" in executor.log.read_text())
    time.sleep(0.8)  # and asks again
    executor.process.terminate()
    start = time.monotonic()
    assert executor.process.wait(10) == 0
    assert time.monotonic() - start < 2.5



def test_a_large_spool_is_told_again(lone):
    executor = lone.executor().start()
    execution = lone.ask("#!/bin/sh\nhead -c 7000000 /dev/urandom; sleep 60\n")
    until("it is told", lambda: len(lone.results(execution)) > 100)
    executor.kill()
    spool = lone.home / "ex-1.state" / "kafka" / "spool" / execution
    line = spool.read_bytes()
    with open(spool, "ab") as f:
        while spool.stat().st_size < 70 << 20:
            f.write(line)
            f.flush()
    executor.start()
    fields = lone.outcome(execution, 60)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)


def test_what_is_delivered_at_the_very_end_does_no_harm(lone):
    """The result is on its way for longer than the executor waits for it."""
    path = lone.home / "ran"
    executor = lone.executor()
    executor.config.write_text(executor.config.read_text().replace(
        "[root]", "queue.buffering.max.ms = 3500\n[root]"))
    executor.start()
    execution = lone.ask(f"#!/bin/sh\ntouch {path}\n")
    until("it ran", path.exists)
    time.sleep(0.2)
    executor.process.terminate()
    assert executor.process.wait(10) == 0
    assert lone.outcome(execution)["outcome"] == "succeeded"


def test_a_claim_that_is_still_on_its_way_is_not_sent_again(lone):
    """Else a broker that is away for long would be owed thousands of them."""
    path = lone.home / "ran"
    executor = lone.executor()
    executor.config.write_text(executor.config.read_text().replace(
        "[root]", "queue.buffering.max.ms = 6500\n[root]"))
    executor.start()
    execution = lone.ask(f"#!/bin/sh\ntouch {path}\n")
    until("it ran", path.exists)
    assert len([m for m in client.read_all(lone.brokers, lone.claims)
                if m.key() == execution.encode()]) == 1


def administrators_in_a_row(lone, n):
    """Each invited and confirmed by the one before, and falsely confirmed, too:
    their envelopes, and the last one's key and its envelope's hash."""
    a, stranger, envelopes = lone.authority, Key(), []
    by, key = a.admin.by, a.admin.key
    for i in range(n):
        code, own = Key(), Key()
        user = client.user_id(a.root.id, code.public)
        invite = Envelope.of("user.invite", {
            **a.request(by), "user": user, "invitation": b64(code.public),
            "email": f"a{i}@example.org", "role": "administrator",
            "until": moment(now_ms() + 3600000)}, key)
        verify = Envelope.of("user.verify", {
            **a.request(invite.hash), "user": user, "invite": invite.hash,
            "key": b64(own.public), "generation": 1}, code, own)
        confirms = [Envelope.of("user.confirm", {
            **a.request(by), "user": user, "key": b64(own.public),
            "verify": verify.hash}, signer) for signer in (stranger, key)]
        envelopes += [invite, verify, *confirms]
        by, key = verify.hash, own
    return envelopes, key, by


def test_a_long_chain_of_administrators_does_not_hold_it_up(lone):
    lone.executor().start()
    a = lone.authority
    chain, key, by = administrators_in_a_row(lone, 14)
    command = Envelope.of("command.save", {
        **lone.command("#!/bin/sh\ntrue\n").fields, **a.request(by)}, key)
    run = a.start(command, [lone.target])
    dispatch = a.dispatch(command, run, lone.target, proof=[
        a.enrol, a.root.init, a.opened, command, run, *chain])
    lone.send(dispatch)
    assert lone.outcome(dispatch.fields["execution"], 10)["outcome"] == "succeeded"
