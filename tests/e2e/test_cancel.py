"""submit cancel: what runs is ended with all that it started, what waits does not
begin, and what is said is true. The witnesses are files that the commands write,
and their processes."""
import os
import signal
import subprocess

from client import accepted
from host import Host, standing
from house import until
from test_joining import folder  # noqa: F401  pylint: disable=unused-import
from test_standing import Guest, done, outcomes, states

# It ignores TERM, and a child of it got away into a session of its own.
STUBBORN = """trap '' TERM
setsid sh -c 'trap "" TERM; echo $$ >> {0}; while :; do sleep 0.1; done' &
echo $$ >> {0}
while :; do sleep 0.1; done"""


def alive(path):
    """The processes that the command named, and that are still there."""
    pids = path.read_text().split() if path.exists() else []
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


def begun(house, who="admin", *, command, target=None):
    more = ["-t", target] if target else []
    return done(house.submit("run", "--detach", *more, command,
                             who=who)).stdout.strip()


def test_cancelled_is_said_when_nothing_of_it_is_alive(house, tmp_path):
    pids = tmp_path / "pids"
    command = house.command(STUBBORN.format(pids), runner=True)
    with house.start("run", command, who="runner") as follower:
        until("both run", lambda: len(alive(pids)) == 2)
        run = house.submit("history", "-o", "name", "-n", "1",
                           who="runner").stdout.strip()
        told = done(house.submit("cancel", run[-12:], who="runner"))
        assert alive(pids) == []
        assert f"{command} on dev: cancelled (signal 9)" in told.stderr, told.stderr
        _, said = follower.communicate(timeout=30)
    assert follower.returncode == 1 and "on dev: cancelled" in said, said
    shown = done(house.submit("result", run, who="runner")).stdout
    assert "cancelled (signal 9)" in shown


def test_what_waits_does_not_begin_any_more(house, tmp_path):
    mark = tmp_path / "mark"
    host = Host(house, tmp_path).start()
    try:
        command = house.command(f"touch {mark}", "#: wait = 1h", target=host.target)
        with standing(*host.halves()):
            run = begun(house, command=command)
            told = done(house.submit("cancel", run))
            assert "cancelled: it was cancelled before anybody claimed it" in \
                told.stderr, told.stderr
        done(house.submit("run", house.command("true", target=host.target)))
        assert not mark.exists()
        assert outcomes(house, run) == ["cancelled"]
    finally:
        host.stop()


def test_on_one_target_alone_the_others_go_on(house, tmp_path):
    host = Host(house, tmp_path).start()
    end = tmp_path / "end"
    try:
        command = house.command(f"while [ ! -e {end} ]; do sleep 0.05; done",
                                target=f"dev, {host.target}")
        run = begun(house, command=command)
        until("both run", lambda: states(house, run) == ["running", "running"])
        told = done(house.submit("cancel", run, "-t", host.target)).stderr
        assert f"on {host.target}: cancelled" in told and "on dev" not in told
        assert sorted(states(house, run)) == ["cancelled", "running"]
        other = house.submit("cancel", run, "-t", "nowhere")
        assert other.returncode == 65 and "is not for target nowhere" in other.stderr
        end.touch()
        until("dev ends", lambda: sorted(states(house, run)) ==
              ["cancelled", "succeeded"])
    finally:
        end.touch()
        host.stop()


def test_twice_and_too_late_say_so(house, tmp_path):
    pids = tmp_path / "pids"
    command = house.command(STUBBORN.format(pids))
    run = begun(house, command=command)
    until("both run", lambda: len(alive(pids)) == 2)
    first = done(house.submit("cancel", "--detach", run))
    assert "is being cancelled" in first.stderr
    until("it is told", lambda: "running, being cancelled" in done(
        house.submit("result", run)).stdout)  # its start is recorded just after
    second = done(house.submit("cancel", run))
    assert "is being cancelled already" in second.stderr
    assert "on dev: cancelled" in second.stderr and alive(pids) == []
    late = house.submit("cancel", run)
    assert late.returncode == 65 and "too late" in late.stderr, late.stderr
    assert house.rows("SELECT count(*) FROM requests WHERE verb = 'run.cancel'"
                      " AND status = 'accepted' AND command = %s", command) == [(2,)]


def test_a_cancel_that_was_lost_is_asked_again(house, tmp_path):
    """A row that says so, and no claim: as where the broker would not have it."""
    pids = tmp_path / "pids"
    run = begun(house, command=house.command(STUBBORN.format(pids)))
    until("both run", lambda: len(alive(pids)) == 2)
    house.change("INSERT INTO cancellations SELECT id, run_id, now() FROM executions"
                 " WHERE run_id = %s", run)
    told = done(house.submit("cancel", run))
    assert "is being cancelled already" in told.stderr
    assert "on dev: cancelled" in told.stderr and alive(pids) == []


def test_what_had_ended_before_does_not_count(house, tmp_path):
    host = Host(house, tmp_path).start()
    pids = tmp_path / "pids"
    try:
        command = house.command(f'[ "$ERRAND_TARGET" = dev ] && exit 0\n'
                                + STUBBORN.format(pids), target=f"dev, {host.target}")
        run = begun(house, command=command)
        until("one ended", lambda: sorted(states(house, run)) ==
              ["running", "succeeded"])
        told = done(house.submit("cancel", run))
        assert f"on {host.target}: cancelled" in told.stderr
        assert "on dev" not in told.stderr
    finally:
        host.stop()


def test_ctrl_c_while_it_waits_does_not_take_the_cancel_back(house, tmp_path):
    pids = tmp_path / "pids"
    run = begun(house, command=house.command(STUBBORN.format(pids)))
    until("both run", lambda: len(alive(pids)) == 2)
    with house.start("cancel", run) as waiting:
        until("it is asked", lambda: house.rows(
            "SELECT 1 FROM cancellations JOIN executions e ON e.id = execution_id"
            " WHERE e.run_id = %s", run) == [(1,)])
        waiting.send_signal(signal.SIGINT)
        try:
            _, said = waiting.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            waiting.kill()
            raise
    assert waiting.returncode in (75, 0), said
    until("it ends", lambda: outcomes(house, run) == ["cancelled"])


def test_another_s_run_stays(house, folder, tmp_path):  # noqa: F811
    end = tmp_path / "end"
    command = house.command(f"while [ ! -e {end} ]; do sleep 0.05; done", runner=True)
    guest = Guest(house, folder, "guest").settled()
    run = begun(house, who="runner", command=command)
    hidden = guest.submit("cancel", run)
    assert hidden.returncode == 67, hidden.stderr
    done(house.submit("assign", "add", command, guest.email))
    refused = guest.submit("cancel", run)
    assert refused.returncode == 77 and "only they and administrators" in \
        refused.stderr, refused.stderr
    assert states(house, run) == ["running"]
    end.touch()
    until("it ends", lambda: outcomes(house, run) == ["succeeded"])


def test_a_command_says_whether_its_runners_may_cancel(house, tmp_path):
    end = tmp_path / "end"
    command = house.command(f"while [ ! -e {end} ]; do sleep 0.05; done",
                            "#: runner_may = see_script", runner=True)
    run = begun(house, who="runner", command=command)
    refused = house.submit("cancel", run, who="runner")
    assert refused.returncode == 77 and "by administrators alone" in refused.stderr
    assert "#: runner_may = see_script" in done(
        house.submit("show", command, "--script", who="runner")).stdout
    done(house.submit("cancel", run))
    hidden = house.submit("show", house.command("true", runner=True), "--script",
                          who="runner")
    assert hidden.returncode == 77 and "not shown to its runners" in hidden.stderr
    assert hidden.stdout == ""


def test_the_same_cancel_twice_is_decided_once(house, tmp_path):
    pids = tmp_path / "pids"
    run = begun(house, command=house.command(STUBBORN.format(pids)))
    until("both run", lambda: len(alive(pids)) == 2)
    asker = house.asker()
    session = asker.open_session(house.admin)
    cancel = asker.request("run.cancel", {"run": run}, session.by, session.key)
    replies = []
    for _ in range(2):
        asker.produce(cancel)
        replies.append(accepted(asker.wait(cancel)).fields)
    assert replies[0]["body"] == replies[1]["body"]
    until("it ends", lambda: outcomes(house, run) == ["cancelled"])
    assert house.rows("SELECT count(*) FROM cancellations c JOIN executions e"
                      " ON e.id = c.execution_id WHERE e.run_id = %s", run) == [(1,)]
