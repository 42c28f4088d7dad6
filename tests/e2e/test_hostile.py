"""What could wedge an executor: its children, its topics, its limits (P2, P3)."""
import os
import resource
import time

import pytest

from lone import Lone


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
