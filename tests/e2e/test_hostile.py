"""What could wedge an executor: its children, its topics, its limits (P2, P3)."""
import contextlib
import os
import resource
import signal
import time

import pytest

from lone import Lone, until


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
    until("it has ended", lambda: ") Z" in open(f"/proc/{child}/stat", encoding="utf-8").read())
    executor.process.terminate()
    time.sleep(0.3)  # END waits for the spawner
    os.kill(spawner, signal.SIGCONT)
    fields = lone.outcome(execution)
    assert (fields["outcome"], fields["exit"]) == ("succeeded", 0)


def test_a_process_that_got_away_and_writes_on_does_not_hold_the_executor(lone):
    pids = lone.home / "pids"
    executor = lone.executor().start()
    os.setpriority(os.PRIO_PROCESS, executor.process.pid, 19)  # they are faster
    writers = 6
    try:
        left = lone.ask(f"""#!/bin/sh
for n in $(seq {writers}); do env -i setsid sh -c 'echo $$ >> {pids}; exec yes' & done
until test "$(wc -l < {pids})" -ge {writers}; do :; done
""")
        assert lone.outcome(left, 15)["outcome"] == "succeeded"
        assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"), 10)["outcome"] == "succeeded"
        assert executor.process.poll() is None
    finally:
        for pid in pids.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
