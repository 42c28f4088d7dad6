"""test_calm.py: an executor that is asked to end, and that is told anew what it may
(P1, P2, P3, P11)."""
import os
import pathlib
import shutil
import signal
import tempfile

import pytest

from lone import Lone, text_of, until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")


@pytest.fixture
def lone(brokers):
    """In a folder that others may go through, as pytest's own are not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="errand-calm-"))
    folder.chmod(0o711)
    here = Lone(brokers, folder)
    yield here
    here.close()
    shutil.rmtree(folder, ignore_errors=True)


def configured(executor, *changes):
    """Its configuration, with texts put in the places of others."""
    text = executor.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    executor.config.write_text(text)
    return executor


def running(lone, execution):
    until("it runs", lambda: text_of(lone.results(execution)))


# SIGTERM

def test_who_is_asked_to_end_lets_finish_what_runs_and_takes_no_more(lone):
    first = configured(lone.executor("ex-1", slots=2), ("drain = 1s", "drain = 60s")).start()
    go = lone.home / "go"
    held = lone.ask(f"#!/bin/sh\necho begun; while [ ! -e {go} ]; do sleep 0.05; done;"
                    " echo done\n", timeout=300)
    running(lone, held)
    first.process.terminate()
    until("it drains", lambda: "msg=draining" in first.log.read_text())
    waiting = lone.ask("#!/bin/sh\necho elsewhere\n")  # first has a slot left
    second = lone.executor("ex-2").start()
    said = lone.finished(waiting)
    assert said[-1].fields["outcome"] == "succeeded" and said[-1].signed_by(second.key)
    assert first.process.poll() is None
    go.touch()
    said = lone.finished(held)
    assert said[-1].fields["outcome"] == "succeeded" and said[-1].signed_by(first.key)
    assert text_of(said) == b"begun\ndone\n"
    assert first.process.wait(5) == 0
    assert "not all was delivered" not in first.log.read_text()


def test_a_second_signal_hurries_and_what_is_ended_is_told(lone):
    """Even of a child that does not listen: that is 5 s of grace."""
    executor = configured(lone.executor(), ("drain = 1s", "drain = 60s")).start()
    deaf = lone.ask("#!/bin/sh\ntrap '' TERM\necho begun; while :; do sleep 0.1; done\n",
                    timeout=300)
    quick = lone.ask("#!/bin/sh\ntrap 'echo asked; exit' TERM\necho begun;"
                     " while :; do sleep 0.1; done\n", timeout=300)
    running(lone, deaf)
    running(lone, quick)
    executor.process.terminate()
    until("it drains", lambda: "msg=draining" in executor.log.read_text())
    assert "asked" not in text_of(lone.results(quick)).decode()
    executor.process.terminate()
    assert executor.process.wait(15) == 0
    said = {e: lone.finished(e, 1) for e in (deaf, quick)}
    for results in said.values():
        fields = results[-1].fields
        assert (fields["outcome"], fields["started"]) == ("interrupted", True)
    assert text_of(said[quick]) == b"begun\nasked\n"
    assert text_of(said[deaf]) == b"begun\n"


def test_a_third_signal_ends_it_at_once_and_the_next_life_tells(lone):
    executor = configured(lone.executor(), ("drain = 1s", "drain = 60s")).start()
    deaf = lone.ask("#!/bin/sh\ntrap '' TERM\necho begun; while :; do sleep 0.1; done\n",
                    timeout=300)
    running(lone, deaf)
    for _ in range(3):
        executor.process.send_signal(signal.SIGTERM)
        until("it was taken", lambda: not pending(executor.process.pid))
    assert executor.process.wait(3) == 1
    executor.start()
    fields = lone.outcome(deaf)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)


def pending(pid):
    """Signals for the whole process that nobody has taken yet; gone: none."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(dict(line.split(":", 1) for line in status)["ShdPnd"], 16)
    except OSError:
        return 0


# SIGHUP

def said(executor, line, times):
    until(f"{times} times: {line}", lambda: executor.log.read_text().count(line) == times)


@needs_root
def test_a_configuration_that_is_read_again_counts_in_both_halves_or_in_none(lone):
    """The file is root's alone: the Kafka-facing half, nobody, can't read it."""
    executor = lone.executor(slots=1)
    ready = executor.ready = lone.home / "ex-1.state/kafka/ready"
    text = executor.config.read_text().partition("user = ")[0].replace(
        f"{lone.home}/ex-1.ready", str(ready))
    good = text + ("user = nobody\n[run_as]\nallow = www-data\n"
                   "default = www-data\n[interpreters]\nallow = /bin/sh\n")
    executor.config.write_text(good)
    executor.config.chmod(0o600)
    executor.start()

    def reload(*changes):
        new = good
        for old, put in changes:
            assert old in new
            new = new.replace(old, put)
        executor.config.write_text(new)
        executor.process.send_signal(signal.SIGHUP)

    def asked(script="#!/bin/sh\nid -un\n", **fields):
        results = lone.finished(lone.ask(script, **fields))
        told = results[-1].fields
        return told.get("reason") or text_of(results).decode()

    python = "#!/usr/bin/python3\nprint(1)\n"
    wider = (("allow = www-data", "allow = www-data, daemon"),
             ("/bin/sh", "/bin/sh, /usr/bin/python3"), ("slots = 1", "slots = 2"))
    assert asked(run_as="daemon") == "run_as = daemon is not allowed on this host"
    assert "not allowed" in asked(python)
    held = lone.ask("#!/bin/sh\necho begun; sleep 600\n", timeout=900)
    running(lone, held)
    reload(*wider, ("target = lone", "target = other"), ("[root]", "linger.ms = 1\n[root]"))
    assert asked(run_as="daemon") == "daemon\n"  # beside what is held
    assert asked(python) == "1\n"
    log = executor.log.read_text()
    assert "from the next start on" in log
    assert "[executor] target, [kafka] linger.ms" in log

    kept = "the one before it stays in force"
    for times, fault in enumerate([("slots = 1", "slots = many"),
                                   ("allow = www-data", "allow = no-such-user"),
                                   ("/bin/sh", "bin/sh"), ("[run_as]", "[run-as]")], 1):
        reload(fault)
        said(executor, kept, times)
    assert asked(run_as="daemon") == "daemon\n"
    assert asked(python) == "1\n"

    reload(("slots = 1", "slots = 2"))
    said(executor, "configuration read again", 2)
    assert asked() == "www-data\n"
    assert asked(run_as="daemon") == "run_as = daemon is not allowed on this host"
    assert "not allowed" in asked(python)
    assert lone.results(held)[-1].type == "errand.execution.output.v1", "it still runs"
