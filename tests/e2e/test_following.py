"""What submit says while a run goes its way, and when something is away: it
learns each outcome, whoever tells it, and waits only for what may come (P3)."""
import contextlib
import json
import os
import re
import signal
import subprocess

import pytest

import lone
from host import Host, standing
from house import BIN, until

CONFIG = """[kafka]
bootstrap.servers = {brokers}
[root]
keys = {home}/root/root.pub
[service]
name = {name}
key = {folder}/key
enrolment = {folder}/enrol.json
ready = {folder}/ready
[executor]
target = {name}
state = {folder}/state
""" + lone.WHO


@pytest.fixture(scope="module")
def second(house, tmp_path_factory):
    """A second target with an executor of its own; its name."""
    folder = tmp_path_factory.mktemp("second")
    name = house.fresh("x")
    (folder / "state").mkdir(mode=0o700)
    config = folder / "conf"
    config.write_text(CONFIG.format(
        brokers=house.brokers, home=house.env("admin")["ERRAND_HOME"],
        name=name, folder=folder))
    program = [BIN / "errand-executor", "--config", config]
    line = subprocess.run([*program, "--make-key"], check=True, text=True,
                          capture_output=True).stdout.strip()
    for verb in (["target", "add", name],
                 ["service", "enrol", "executor", name, "--target", name,
                  "--key", line, "--out", str(folder / "enrol.json")]):
        done = house.submit(*verb)
        assert done.returncode == 0, done.stderr
    with open(folder / "log", "wb") as log:
        executor = subprocess.Popen(program, stdout=log, stderr=log)
    until("the second executor", (folder / "ready").exists)
    yield name
    executor.terminate()
    assert executor.wait(20) == 0


@contextlib.contextmanager
def stopped(house, name):
    """A daemon that does not move, for a while."""
    pid = house.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_lines_of_several_targets_bear_their_names(house, second):
    name = house.command('echo "a from $ERRAND_TARGET"; printf b',
                         target=f"dev, {second}", runner=True)
    done = house.submit("run", name, who="runner")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == sorted(
        line for t in ("dev", second)
        for line in (f"{t}: a from {t}", f"{t}: b"))
    for target in "dev", second:
        assert f"{name} on {target}: succeeded" in done.stderr
    assert sorted(house.submit("output", who="runner").stdout.splitlines()) \
        == sorted(done.stdout.splitlines())


def test_one_target_of_several_can_be_chosen(house, second):
    name = house.command('echo "$ERRAND_TARGET"', target=f"dev, {second}",
                         runner=True)
    done = house.submit("run", "-t", second, name, who="runner")
    assert (done.returncode, done.stdout) == (0, f"{second}\n")


def test_one_that_fails_among_several_makes_1(house, second):
    name = house.command(f'test "$ERRAND_TARGET" = {second}',
                         target=f"dev, {second}", runner=True)
    done = house.submit("run", name, who="runner")
    assert done.returncode == 1
    assert f"{name} on dev: failed (exit 1)" in done.stderr
    assert f"{name} on {second}: succeeded (exit 0)" in done.stderr
    told = json.loads(house.submit("result", "-o", "json",
                                   who="runner").stdout)
    assert told["run"]["outcome"] == "failed"


def test_a_run_that_nobody_starts_expires_and_that_is_learned(house):
    target = house.fresh("t")
    assert house.submit("target", "add", target).returncode == 0
    name = house.command("true", "#: wait = 1s", target=target, runner=True)
    done = house.submit("run", name, who="runner")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{target} is silent (last heard: never)" in done.stderr
    assert f"{name} on {target}: expired" in done.stderr


def test_a_killed_executor_makes_interrupted(house):
    name = house.command("echo begun; exec sleep 600", runner=True)
    with house.start("run", name, who="runner") as running:
        assert running.stdout.readline() == "begun\n"
        os.kill(house.pid("executor-1"), signal.SIGKILL)
        assert running.wait(60) == 1
        said = running.stderr.read()
    assert re.search(f"{name} on dev: interrupted", said), said


def test_result_waits_for_what_was_told_has_ended(house):
    name = house.command("echo done", runner=True)
    with stopped(house, "recorder-1"):
        done = house.submit("run", name, who="runner")
        assert (done.returncode, done.stdout) == (0, "done\n")
        waiting = house.start("result", "-o", "json", who="runner")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(1)
    out, said = waiting.communicate(timeout=20)
    assert waiting.returncode == 0, said
    assert json.loads(out)["run"]["outcome"] == "succeeded"


def test_an_authorizer_that_is_away_is_said_and_waited_for(house):
    with stopped(house, "authorizer-1"):
        asking = house.start("list", "-o", "name", who="runner")
        assert "waiting for the authorizer's answer" in \
            asking.stderr.readline()
    out, _ = asking.communicate(timeout=20)
    assert (asking.returncode, out != "") == (0, True)


def test_ctrl_c_before_the_answer_says_what_may_be(house):
    name = house.command("true", runner=True)
    with stopped(house, "authorizer-1"):
        with house.start("run", name, who="runner") as asking:
            assert "waiting" in asking.stderr.readline()
            asking.send_signal(signal.SIGINT)
            assert asking.wait(20) == 75
            assert "if the run was accepted, it goes on" in \
                asking.stderr.read()


LINES = "for i in 1 2 3 4 5 6 7 8; do echo out $i; echo err $i >&2; sleep 0.2; done"


def test_watch_tells_the_same_before_during_and_after(house, tmp_path):
    host = Host(house, tmp_path).start()
    try:
        name = house.command(LINES + "; exit 3", "#: wait = 5m", target=host.target,
                             runner=True)
        with standing(*host.halves()):
            run = house.submit("run", "--detach", name).stdout.strip()
            before = house.start("watch", run, who="runner")
            until("it looks", lambda: house.rows(
                "SELECT count(*) > 2 FROM requests WHERE verb = 'run.show'"
                " AND reason IS NULL AND user_id = (SELECT id FROM users"
                " WHERE email = %s) AND decided_at > (SELECT asked_at FROM runs"
                " WHERE id = %s)", house.runner_email, run) == [(True,)])
        until("some of it came", lambda: house.rows(
            "SELECT count(*) > 3 FROM outputs o JOIN executions e"
            " ON e.id = o.execution_id WHERE e.run_id = %s", run) == [(True,)])
        during = house.start("watch", run[-12:])
        told = [p.communicate(timeout=60) + (p.returncode,) for p in (before, during)]
        after = house.submit("watch", run, who="runner")
        told.append((after.stdout, after.stderr, after.returncode))
    finally:
        host.stop()
    lines = "".join(f"out {i}\n" for i in range(1, 9))
    for out, said, status in told:
        assert (out, status) == (lines, 1), said
        errs = [line for line in said.splitlines() if line.startswith("err ")]
        assert errs == [f"err {i}" for i in range(1, 9)], said
        assert f"{name} on {host.target}: failed (exit 3)" in said


def test_watch_has_no_gap_where_the_record_is_late(house, tmp_path):
    end = tmp_path / "end"
    name = house.command(f"{LINES}; touch {end}")
    run = house.submit("run", "--detach", name).stdout.strip()
    with house.start("watch", run) as watch:
        with stopped(house, "recorder-1"):
            until("it runs to its end", end.exists)
        out, said = watch.communicate(timeout=60)
    assert watch.returncode == 0, said
    assert out == "".join(f"out {i}\n" for i in range(1, 9))


def test_ctrl_c_stops_watching_and_nothing_else(house):
    name = house.command("echo begun; sleep 2; echo done")
    run = house.submit("run", "--detach", name).stdout.strip()
    with house.start("watch", run) as watch:
        assert watch.stdout.readline() == "begun\n"
        watch.send_signal(signal.SIGINT)
        _, said = watch.communicate(timeout=20)
    assert watch.returncode == 75 and "the run goes on" in said
    done = house.submit("watch", run)
    assert (done.returncode, done.stdout) == (0, "begun\ndone\n")


def test_of_the_output_one_target_or_one_stream(house, second):
    name = house.command('echo "out $ERRAND_TARGET"; echo "err $ERRAND_TARGET" >&2',
                         target=f"dev, {second}")
    run = house.submit("run", "--detach", name).stdout.strip()
    assert house.submit("watch", run).returncode == 0
    one = house.submit("output", run, "-t", second)
    assert one.stdout == f"{second}: out {second}\n"
    assert one.stderr == f"{second}: err {second}\n"
    errors = house.submit("output", run, "-t", "dev", "--stderr")
    assert (errors.stdout, errors.stderr) == ("", "dev: err dev\n")
    wrong = house.submit("output", run, "-t", "nowhere")
    assert wrong.returncode == 65 and "not for target nowhere" in wrong.stderr
