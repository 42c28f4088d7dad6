"""As whom a command runs, under which limits, and what the two halves of an
executor may themselves: seen by witnesses that the kernel answers (P1).

The executor is started as root here, as on a host: its Kafka-facing half is
`nobody`, and commands run as www-data, or as daemon.
"""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from lone import BIN, Lone, text_of, until

HALF, USER, OTHER = "nobody", "www-data", "daemon"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes other users")
CONFIG = """[run_as]
allow = {allow}
[interpreters]
allow = /bin/sh, /usr/bin/python3
"""


@pytest.fixture(scope="module")
def folder():
    """Which others may go through, as pytest's own are not."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="errand-child-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def configured(executor, *lines):
    """Another user for this half, and who commands may run as."""
    text = executor.config.read_text().partition("user = ")[0]
    executor.ready = executor.lone.home / f"{executor.name}.state/kafka/ready"
    text = text.replace(f"{executor.lone.home}/{executor.name}.ready", str(executor.ready))
    executor.config.write_text(text + "\n".join(lines) + "\n" + CONFIG.format(
        allow=f"{USER}, {OTHER}"))
    return executor


@pytest.fixture(scope="module")
def lone(brokers, folder):
    here = Lone(brokers, folder)
    configured(here.executor(), f"user = {HALF}").start(extra_groups=[4, 27])
    yield here
    here.close()


def status(pid, *names):
    """Of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return [found[n].split() for n in names]


WITNESS = """#!/bin/sh
id -u; id -g; id -G; umask; pwd; stat -c '%U %G %a' .; echo $HOME $TMPDIR
grep -E '^(NoNewPrivs|CapEff|CapPrm|Seccomp|SigBlk|SigIgn):' /proc/self/status
ulimit -c; ulimit -t; ulimit -v; ulimit -n; ulimit -f; ulimit -p
echo own > file && stat -c '%U %a' file; ls -l /proc/self/fd/0 | sed 's/.*-> //'
"""


@needs_root
def test_a_command_runs_as_whom_it_says_and_with_nothing_of_the_executors(lone):
    execution = lone.ask(WITNESS, run_as=USER, cpu=7, memory=1 << 30, open_files=20,
                         file_size=1 << 20, processes=500)
    results = lone.finished(execution)
    said = text_of(results).decode().splitlines()
    user = pwd.getpwnam(USER)
    home = f"{lone.home}/ex-1.state/children/{execution}"
    assert said[:7] == [str(user.pw_uid), str(user.pw_gid), str(user.pw_gid), "0077", home,
                        f"{USER} {USER} 700", f"{home} {home}"], text_of(results, "stderr")
    kernel = dict(line.split(":\t") for line in said[7:13])
    assert kernel == {"NoNewPrivs": "1", "CapEff": "0" * 16, "CapPrm": "0" * 16,
                      "Seccomp": "0", "SigBlk": "0" * 16, "SigIgn": "0" * 16}
    assert said[13:] == ["0", "7", "1048576", "20", "2048", "500", f"{USER} 600", "/dev/null"]
    fields = results[-1].fields
    assert fields["outcome"] == "succeeded" and not os.path.exists(home)
    usage = fields["usage"]
    assert 0 < usage["memory"] < 1 << 28 and usage["user"] + usage["system"] < usage["wall"] * 8


@needs_root
@pytest.mark.parametrize("run_as, said", [
    ("root", "run_as = root is not allowed on this host"),
    (HALF, "run_as = nobody is not allowed on this host"),
    ("no-such-user", "run_as = no-such-user is not allowed on this host"),
    (None, "this host has no [run_as] default")])
def test_nobody_else_runs_here_whoever_signed_it(lone, run_as, said):
    witness = lone.home / "ran"
    fields = lone.outcome(lone.ask(f"#!/bin/sh\ntouch {witness}\n",
                                   **({"run_as": run_as} if run_as else {})))
    assert (fields["outcome"], fields["started"]) == ("interrupted", False)
    assert said in fields["reason"] and not witness.exists()


@needs_root
@pytest.mark.parametrize("line, ran", [
    ("#!/usr/bin/env python3", True), ("#!/usr/bin/perl", False),
    ("#!/usr/bin/env -S python3 -u", False), ("#!/bin/../bin/sh", False)])
def test_only_interpreters_that_are_allowed_run(lone, line, ran):
    fields = lone.outcome(lone.ask(f"{line}\nexit\n", run_as=USER))
    assert fields["started"] == ran
    assert ran or "is not allowed on this host" in fields["reason"]


@needs_root
def test_limits_hold_and_the_signal_is_told(lone):
    said = lone.outcome(lone.ask("#!/bin/sh\nwhile :; do :; done\n", run_as=USER, cpu=1))
    assert (said["outcome"], said["signal"]) == ("failed", signal.SIGXCPU)
    # The limit counts ticks, which on a busy machine are less than whole.
    assert said["core"] and said["usage"]["user"] + said["usage"]["system"] >= 300
    said = lone.outcome(lone.ask(
        "#!/bin/sh\nexec head -c 2M /dev/zero > file\n", run_as=USER, file_size=1 << 20))
    assert (said["outcome"], said["signal"]) == ("failed", signal.SIGXFSZ)
    said = lone.outcome(lone.ask(
        "#!/usr/bin/python3\nx = bytearray(1 << 29)\n", run_as=USER, memory=1 << 28))
    assert (said["outcome"], said["exit"]) == ("failed", 1)


@needs_root
def test_the_kafka_facing_half_has_no_privilege(lone):
    executor = lone.executors[0]
    kafka, spawner = executor.halves()
    nobody = str(pwd.getpwnam(HALF).pw_uid)
    uids, eff, prm, bounding, ambient, nnp, seccomp, groups = status(
        kafka, "Uid", "CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Groups")
    assert uids == [nobody] * 4 and {eff[0], prm[0], bounding[0], ambient[0]} == {"0" * 16}
    assert (nnp, seccomp) == (["1"], ["2"]) and not {"4", "27", "0"} & set(groups)
    assert status(spawner, "Uid", "Seccomp") == [["0"] * 4, ["0"]]
    for pid in kafka, spawner:  # neither is dumped, nor traced by its user
        assert pathlib.Path(f"/proc/{pid}/limits").read_text().split("core file size")[1] \
            .split()[:2] == ["1", "1"]
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    # Its own program: what the other half knows of its own memory is not true of this one's.
    assert os.readlink(f"/proc/{spawner}/exe") == str(BIN / "errand-spawner")
    mapped = pathlib.Path(f"/proc/{spawner}/maps").read_text()
    assert not [name for name in ("rdkafka", "libssl", "sasl", "libcurl") if name in mapped]
    sockets = [os.readlink(f"/proc/{spawner}/fd/{fd}") for fd in os.listdir(f"/proc/{spawner}/fd")]
    assert sum(s.startswith("socket:") for s in sockets) <= 1, "its link, and no more"


@needs_root
def test_a_spawner_without_its_state_s_lock_ends_and_touches_nothing(lone, tmp_path):
    """Two on one state directory would each end what the other runs."""
    executor = lone.executors[0]
    state = lone.home / f"{executor.name}.state"
    link, its = socket.socketpair()
    with open(tmp_path / "lock", "w") as other, open(state / "lock") as same, link, its:
        for held in other, same:  # of this very file, which the executor has locked
            said = subprocess.run(
                [BIN / "errand-spawner", executor.config], stdin=its, stderr=subprocess.PIPE,
                preexec_fn=lambda: os.dup2(held.fileno(), 3), pass_fds=(3,), text=True,
                timeout=20)
            assert said.returncode == 78 and "not the lock" in said.stderr
        link.setblocking(False)
        with pytest.raises(BlockingIOError):
            link.recv(1)  # and it never was ready
    assert lone.outcome(lone.ask("#!/bin/sh\n", run_as=USER))["outcome"] == "succeeded"


@needs_root
def test_killed_halves_leave_nothing_of_another_user_alive(brokers, folder):
    (folder / "killed").mkdir(mode=0o711)
    here = Lone(brokers, folder / "killed")
    executor = configured(here.executor(), f"user = {HALF}").start()
    pids = here.home / "pids"
    pids.touch()
    pids.chmod(0o666)
    execution = here.ask(f"""#!/bin/sh
(env -i setsid sh -c 'trap "" TERM; echo $$ >> {pids}; while :; do sleep 1; done' &)
echo $$ >> {pids}; sleep 60
""", run_as=USER)
    until("both run", lambda: len(pids.read_text().split()) == 2)
    executor.kill()
    executor.start()
    fields = here.outcome(execution)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)
    assert not [p for p in pids.read_text().split() if os.path.exists(f"/proc/{p}")]
    assert not os.listdir(executor.lone.home / "ex-1.state/children")
    here.close()


@needs_root
@pytest.mark.parametrize("lines, said", [
    ([], "[executor] user: started as root"),
    (["user = no-such-user"], "[executor] user: user 'no-such-user': there is none"),
    (["user = nobody", "[run_as]", "allow = no-such-user"],
     "[run_as] allow: user 'no-such-user': there is none"),
    (["user = nobody", "[interpreters]", "allow = /usr/bin/env"],
     "[interpreters] allow: /usr/bin/env would let anything in")])
def test_what_is_wrong_with_a_host_is_told_before_it_starts(lone, tmp_path, lines, said):
    executor = lone.executors[0]
    config = tmp_path / "conf"
    config.write_text(executor.config.read_text().partition("user = ")[0] + "\n".join(lines) + "\n")
    done = subprocess.run([BIN / "errand-executor", "--config", config, "--check-config"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 78 and said in done.stderr


@needs_root
def test_an_ordinary_user_serves_itself_alone_and_says_so(brokers, folder):
    (folder / "ordinary").mkdir(mode=0o711)
    here = Lone(brokers, folder / "ordinary")
    user = pwd.getpwnam(USER)
    executor = here.executor()
    text = executor.config.read_text().partition("user = ")[0]
    executor.config.write_text(text)
    for path in [here.home, *here.home.iterdir()]:
        os.chown(path, user.pw_uid, user.pw_gid)
    told = executor.run("--check-host", user=USER, group=USER, extra_groups=[])
    assert "an ordinary user: for that one alone" in told.stdout
    assert "a child could kill it" in told.stdout
    executor.config.write_text(text + "[run_as]\nallow = root\n")
    done = executor.run("--check-config", user=USER, group=USER, extra_groups=[])
    assert done.returncode == 78
    assert "root: this executor runs as www-data, and works for that user alone" in done.stderr
    executor.config.write_text(text)
    executor.start(user=USER, group=USER, extra_groups=[])
    pids = here.home / "pids"
    execution = here.ask(
        f"#!/bin/sh\nid -un\n(env -i setsid sh -c 'echo $$ >> {pids}; sleep 60' &)\n"
        f"until test -s {pids}; do :; done\n")
    assert text_of(here.finished(execution)) == b"www-data\n"
    assert not os.path.exists(f"/proc/{pids.read_text().strip()}")
    refused = here.outcome(here.ask("#!/bin/sh\nid\n", run_as="root"))
    assert (refused["started"], refused["reason"]) == (
        False, "run_as = root is not allowed on this host")
    here.close()
