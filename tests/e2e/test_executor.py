"""What an executor starts, and what it tells of it (P1, P8, P11)."""
import hashlib
import os
import signal

import pytest

import client
from client import Envelope, Key, b64, moment, now_ms
from lone import Lone, text_of, until


@pytest.fixture(scope="module")
def lone(brokers, tmp_path_factory):
    here = Lone(brokers, tmp_path_factory.mktemp("lone"))
    executor = here.executor()
    with open(executor.config, "a", encoding="utf-8") as config:
        config.write("[interpreters]\nallow = /bin/sh, /usr/bin/python3,"
                     " /no/such/interpreter, /etc/passwd\n")
    executor.start()
    yield here
    here.close()


@pytest.mark.parametrize("script, outcome, exit_status, started", [
    ("#!/bin/sh\ntrue\n", "succeeded", 0, True),
    ("#!/bin/sh\nexit 3\n", "failed", 3, True),
    ("#!/bin/sh\nkill -9 $$\n", "failed", 137, True),
    ("#!/no/such/interpreter\n", "failed", 127, True),
    ("#!/etc/passwd\n", "failed", 126, True),
])
def test_the_exit_status_is_told_as_in_the_shell(lone, script, outcome, exit_status, started):
    fields = lone.outcome(lone.ask(script))
    assert (fields["outcome"], fields["exit"], fields["started"]) == (
        outcome, exit_status, started)


def test_a_timeout_ends_the_whole_tree(lone):
    witness = lone.home / "tree"
    script = f"""#!/bin/sh
trap '' TERM
(setsid sh -c 'trap "" TERM; while :; do echo x >> {witness}; sleep 0.1; done' &)
sleep 60
"""
    fields = lone.outcome(lone.ask(script, timeout=1), 30)
    assert (fields["outcome"], fields["exit"]) == ("timed_out", 124)
    size = witness.stat().st_size
    lone.outcome(lone.ask("#!/bin/sh\nsleep 0.5\n"))
    assert witness.stat().st_size == size, "something of it is alive"


def test_both_streams_arrive_in_order_and_chained(lone):
    execution = lone.ask("#!/bin/sh\necho one; sleep 0.2; echo two >&2; sleep 0.2; echo three\n")
    results = lone.finished(execution)
    assert [r.type.split(".")[2] for r in results] == [
        "started", "output", "output", "output", "finished"]
    assert [r.fields.get("stream") for r in results[1:4]] == ["stdout", "stderr", "stdout"]
    before = "0" * 64
    for number, result in enumerate(results):
        assert result.signed_by(lone.executors[0].key)
        assert (result.fields["number"], result.fields["previous"]) == (number, before)
        before = result.hash
    assert results[-1].fields["chunks"] == 3


def test_output_that_is_not_text_comes_through_unharmed(lone):
    execution = lone.ask("#!/bin/sh\nseq 1 60000 | gzip -nc | tee /dev/stderr\n")
    results = lone.finished(execution)
    out, error = text_of(results), text_of(results, "stderr")
    assert out == error and out[:2] == b"\x1f\x8b" and len(out) > 100000


def test_output_beyond_the_limit_is_counted_not_kept(lone):
    size = 9 << 20
    results = lone.finished(lone.ask(f"#!/bin/sh\nhead -c {size} /dev/zero\n"), 60)
    kept = text_of(results)
    assert len(kept) == 8 << 20
    last = results[-1].fields
    assert (last["dropped"], last["outcome"]) == (size - len(kept), "succeeded")
    assert last["reason"] == ("only the first 8388608 bytes of its output were kept,"
                              " 1048576 more were not")


def test_who_prints_without_end_delays_no_other(lone):
    """It is read all the while, far beyond its limit; others start, print and end."""
    witness = lone.home / "chatty"
    chatty = lone.ask(f"#!/bin/sh\necho $$ > {witness}; exec yes\n", output=1 << 16)
    until("it prints", lambda: lone.results(chatty))
    for _ in range(3):
        others = lone.finished(lone.ask("#!/bin/sh\necho one; sleep 0.1; echo two\n"))
        assert text_of(others) == b"one\ntwo\n"
    os.kill(int(witness.read_text()), signal.SIGKILL)
    last = lone.outcome(chatty)
    assert last["signal"] == signal.SIGKILL and last["dropped"] > 10 << 20


def test_a_child_inherits_nothing(lone):
    execution = lone.ask("""#!/bin/sh
env | cut -d= -f1 | sort; echo --; ls /proc/self/fd; echo --; umask; cat; pwd
""", parameters=[{"name": "log-dir", "type": "path", "default": "/var/log"}])
    names, fds, rest = text_of(lone.finished(execution)).decode().split("--\n")
    assert set(names.split()) <= {
        "ERRAND_ATTEMPT", "ERRAND_COMMAND", "ERRAND_EXECUTION_ID", "ERRAND_PARAM_LOG_DIR",
        "ERRAND_RUN_ID", "ERRAND_TARGET", "HOME", "LANG", "PATH", "PWD", "TMPDIR"}
    assert set(fds.split()) <= {"0", "1", "2", "3", "4"}
    umask, directory = rest.split()
    assert umask == "0077" and directory.endswith(execution)
    assert not (lone.home / "ex-1.state" / "children" / execution).exists()


@pytest.mark.parametrize("value", [
    "; touch {w}", "$(touch {w})", "`touch {w}`", "a\nb", "-rf", "'\"\\", "ünïcödé", ""])
def test_a_value_arrives_as_it_is_and_is_never_script(lone, value):
    witness = lone.home / "injected"
    value = value.format(w=witness)
    command = lone.command("#!/bin/sh\nprintf %s \"$ERRAND_PARAM_TEXT\"\n",
                           parameters=[{"name": "text", "type": "string"}])
    dispatch = lone.order(command, arguments={"text": value})
    lone.send(dispatch)
    assert text_of(lone.finished(dispatch.fields["execution"])).decode() == value
    assert not witness.exists()


def test_random_bytes_do_not_stop_the_partition(lone):
    for n in range(20):
        lone.producer.produce(lone.dispatches, hashlib.sha256(b"%d" % n).digest() * (n + 1),
                              key=b"\xff" * n, partition=0)
    assert lone.producer.flush(10) == 0
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"


@pytest.mark.parametrize("path", ["/" + "\u00e9" * 60, os.fsdecode(b"/caf\xe9")])
def test_a_script_that_is_refused_in_odd_letters_harms_no_other(lone, path):
    """Cut within a letter, and no UTF-8 at all."""
    runs = lone.ask("#!/bin/sh\nsleep 1\n")
    fields = lone.outcome(lone.ask(f"#!{path}\ntrue\n"))
    assert (fields["outcome"], fields["started"]) == ("interrupted", False)
    assert "is not allowed on this host" in fields["reason"]
    assert lone.outcome(runs)["outcome"] == "succeeded"


def test_an_expired_dispatch_is_left_alone(lone):
    command = lone.command("#!/bin/sh\ntrue\n")
    run = lone.authority.start(command, [lone.target])
    late = lone.authority.dispatch(command, run, lone.target, expires=moment(now_ms() - 1))
    lone.send(late)
    lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))
    assert lone.results(late.fields["execution"]) == []


def test_the_results_of_a_followed_run_reach_its_asker_sealed(lone):
    command = lone.command("#!/bin/sh\necho for you\n")
    asker = Key()
    start = lone.ends("errand.replies")
    run = lone.authority.start(command, [lone.target], follow=True,
                               reply={"partition": 0, "box": b64(asker.box)})
    dispatch = lone.authority.dispatch(command, run, lone.target)
    lone.send(dispatch)
    lone.outcome(dispatch.fields["execution"])
    mine = [m for m in lone.since("errand.replies", start)
            if m.key() == run.fields["id"].encode()]
    assert mine and b"for you" not in b"".join(m.value() for m in mine)
    opened = [Envelope.from_dsse(client.json.loads(asker.open(client.unb64(
        client.json.loads(m.value())["box"])))) for m in mine]
    for part, reply in enumerate(opened):
        assert reply.signed_by(lone.executors[0].key)
        assert reply.fields["part"] == part and reply.fields["request"] == run.hash
    assert opened[-1].fields["last"] and opened[0].fields["proof"]
