"""What an executor starts, and what it tells of it (P1, P8, P11)."""
import hashlib

import pytest

import client
from client import Envelope, Key, b64, moment, now_ms, uuid7
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
    assert results[-1].fields["dropped"] == size - len(kept)
    assert results[-1].fields["outcome"] == "succeeded"


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


# What a thief of the authorizer's key, of the broker, or of a runner's session
# could make up. Each must be refused by its name; and the next honest one runs.

def another_script(lone, command, run):
    """signed by the thief: the administrator's key is not his"""
    thief = lone.authority.authorizer
    forged = lone.authority.save("#!/bin/sh\nid\n", [lone.target], key=thief,
                                 command=command.fields["command"])
    return lone.authority.dispatch(forged, run, lone.target)


def other_arguments(lone, command, run):
    thief = lone.authority.authorizer
    forged = Envelope.of("run.start", {**run.fields, "arguments": {"x": "y"}}, thief)
    return lone.authority.dispatch(command, forged, lone.target)


def another_execution_of_the_run(lone, command, run):
    return lone.authority.dispatch(command, run, lone.target, execution=uuid7())


def another_target(lone, command, run):
    return lone.authority.dispatch(command, run, "elsewhere")


def a_key_that_nobody_enrolled(lone, command, run):
    return lone.authority.dispatch(command, run, lone.target, key=Key())


def a_missing_link(lone, command, run):
    a = lone.authority
    return a.dispatch(command, run, lone.target, proof=[a.enrol, a.root.init, command, run])


def an_expiry_beyond_the_deadline(lone, command, run):
    return lone.authority.dispatch(command, run, lone.target,
                                   expires=moment(now_ms() + 3600000))


def an_unknown_field(lone, command, run):
    return lone.authority.dispatch(command, run, lone.target, uid=0)


def another_installation(lone, command, run):
    return lone.authority.dispatch(command, run, lone.target, root=Key().id)


def arguments_beyond_their_limits(lone, _command, _run):
    """signed by the runner, and no authorizer would have let it pass"""
    limited = lone.command("#!/bin/sh\ntrue\n", parameters=[
        {"name": "n", "type": "int", "max": "5"}])
    return lone.order(limited, arguments={"n": "6"})


def an_argument_that_is_fixed(lone, _command, _run):
    fixed = lone.command("#!/bin/sh\ntrue\n", parameters=[
        {"name": "how", "type": "string", "fixed": "gently"}])
    return lone.order(fixed, arguments={"how": "roughly"})


FORGED = [arguments_beyond_their_limits, an_argument_that_is_fixed, another_script, other_arguments, another_execution_of_the_run, another_target,
          a_key_that_nobody_enrolled, a_missing_link, an_expiry_beyond_the_deadline,
          an_unknown_field, another_installation]


@pytest.mark.parametrize("forge", FORGED, ids=lambda f: f.__name__)
def test_a_forged_dispatch_is_refused_and_the_next_honest_one_runs(lone, forge):
    command = lone.command("#!/bin/sh\ntrue\n")
    run = lone.authority.start(command, [lone.target])
    forged = forge(lone, command, run)
    offset = lone.ends(lone.dispatches)[0]
    lone.send(forged)
    assert lone.dead(offset)
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"
    assert lone.results(forged.fields["execution"]) == []


def test_a_flipped_byte_anywhere_in_a_dispatch_is_refused(lone):
    honest = lone.order(lone.command("#!/bin/sh\necho ran\n"))
    payload, key = honest.payload, honest.fields["execution"]
    step = max(1, len(payload) // 60)
    starts = []
    for at in range(7, len(payload), step):
        bad = bytearray(payload)
        bad[at] ^= 0x01
        starts.append(lone.ends(lone.dispatches)[0])
        lone.producer.produce(lone.dispatches, bytes(bad), key=key, partition=0,
                              headers=honest.headers())
        assert lone.producer.flush(10) == 0
    until("all are in errand.dead", lambda: sum(
        dict(m.headers())["errand-topic"] == lone.dispatches.encode()
        for m in lone.since("errand.dead", lone.from_here[1])) >= len(starts))
    assert lone.results(key) == []
    lone.send(honest)
    assert lone.outcome(key)["outcome"] == "succeeded"


def test_random_bytes_do_not_stop_the_partition(lone):
    for n in range(20):
        lone.producer.produce(lone.dispatches, hashlib.sha256(b"%d" % n).digest() * (n + 1),
                              key=b"\xff" * n, partition=0)
    assert lone.producer.flush(10) == 0
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"


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
