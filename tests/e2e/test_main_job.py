"""The main job through submit: an administrator saves a command and gives it to
a runner; the runner runs it and sees its output; the result is in PostgreSQL;
what is not theirs does not exist for them."""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys

import pytest

from house import until

RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def hello(house):
    """A command that is the runner's."""
    return house.command("echo hello; echo trouble >&2", runner=True)


@pytest.fixture(scope="module")
def hidden(house):
    """One that is not."""
    return house.command("echo hidden")


def last_run(house, **who):
    """The id of the newest run that this person asked for."""
    done = house.submit("result", "-o", "name", **who)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Running

def test_a_runner_runs_what_is_theirs_and_the_result_is_in_the_record(
        house, hello):
    done = house.submit("run", hello, who="runner")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert "trouble\n" in done.stderr
    assert re.search(rf"{hello} on dev: succeeded \(exit 0\) "
                     r"(at once|in 0\.\d\d s); run [0-9a-f]{12}",
                     done.stderr), done.stderr
    run = last_run(house, who="runner")
    assert house.rows(
        "SELECT outcome, exit_status, said_by, chunks FROM results r"
        " JOIN executions e ON e.id = r.execution_id WHERE run_id = %s",
        run) == [("succeeded", 0, "executor", 2)]
    assert house.rows(
        "SELECT stream, data FROM outputs o JOIN executions e"
        " ON e.id = o.execution_id WHERE run_id = %s ORDER BY stream",
        run) == [("stderr", b"trouble\n"), ("stdout", b"hello\n")]


def test_what_ended_is_told_by_result_at_once(house, hello):
    assert house.submit("run", hello, who="runner").returncode == 0
    done = house.submit("result", "-o", "json", who="runner")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["run"]["outcome"] == "succeeded"
    assert told["run"]["command"] == hello
    assert [e["target"] for e in told["executions"]] == ["dev"]


@pytest.mark.parametrize("script, outcome", [
    ("exit 3", r"failed \(exit 3\)"),
    ("kill -9 $$", r"failed \(signal 9\)"),
])
def test_a_run_that_did_not_succeed_ends_with_1(house, script, outcome):
    name = house.command(script, runner=True)
    done = house.submit("run", name, who="runner")
    assert done.returncode == 1
    assert re.search(f"{name} on dev: {outcome}", done.stderr), done.stderr


def test_a_run_that_takes_too_long_is_ended(house):
    name = house.command("echo begun; exec sleep 600", "#: timeout = 1s",
                         runner=True)
    done = house.submit("run", name, who="runner")
    assert (done.returncode, done.stdout) == (1, "begun\n")
    assert f"{name} on dev: timed out" in done.stderr


def test_output_comes_while_the_run_goes_on(house, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    tmp_path.chmod(0o755)
    for above in tmp_path.parents:
        if above.stat().st_uid == os.geteuid() and len(above.parts) > 2:
            above.chmod(0o755)
    name = house.command(f"echo one; cat < {gate}; echo three", runner=True)
    with house.start("run", name, who="runner") as running:
        assert running.stdout.readline() == "one\n"
        assert running.poll() is None
        gate.write_text("two\n")
        assert running.stdout.read() == "two\nthree\n"
        assert running.wait(20) == 0


def test_large_output_is_whole_live_and_in_the_record(house):
    name = house.command("seq 1 200000", runner=True)
    expected = "".join(f"{i}\n" for i in range(1, 200001))
    done = house.submit("run", name, who="runner")
    assert (done.returncode, done.stdout == expected) == (0, True)
    again = house.submit("output", who="runner")
    assert (again.returncode, again.stdout == expected) == (0, True)


def test_output_beyond_the_limit_is_counted(house):
    name = house.command("head -c 9000000 /dev/zero", runner=True)
    done = house.submit("run", name, who="runner")
    limit = 8 << 20
    assert (done.returncode, len(done.stdout)) == (0, limit)
    said = f"first {limit} bytes of its output were kept, {9000000 - limit} more were not"
    assert said in done.stderr
    told = json.loads(house.submit("result", "-o", "json",
                                   who="runner").stdout)
    assert told["executions"][0]["dropped"] == 9000000 - limit


def test_a_reader_who_goes_leaves_the_run_alone(house):
    name = house.command("echo one; sleep 1; echo two; echo three",
                         runner=True)
    with house.start("run", name, who="runner") as running:
        assert running.stdout.readline() == "one\n"
        running.stdout.close()
        running.stdout = None
        assert running.wait(20) == 74
        assert "the run goes on" in running.stderr.read()
    run = last_run(house, who="runner")
    until("the outcome", lambda: house.rows(
        "SELECT 1 FROM run_states WHERE id = %s AND outcome = 'succeeded'",
        run))


def test_bytes_pass_as_they_are_where_there_is_no_terminal(house):
    name = house.command(r"printf 'a\033[31mb\000\377\r\n'", runner=True)
    done = house.submit("run", name, who="runner", text=False)
    assert (done.returncode, done.stdout) == (0, b"a\033[31mb\0\xff\r\n")


def test_control_sequences_do_nothing_on_a_terminal(house):
    name = house.command(r"printf 'a\033]0;title\007b\302\233\n'", runner=True)
    ours, theirs = pty.openpty()
    with house.start("run", name, who="runner", stdout=theirs,
                     stderr=theirs) as running:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert running.wait(20) == 0
    os.close(ours)
    assert rb"a\x1b]0;title\x07b\x9b" in shown
    assert b"\033]0;" not in shown and b"\xc2\x9b" not in shown


def test_arguments_arrive_as_they_were_given(house):
    name = house.command(
        'printf "%s|" "$ERRAND_PARAM_TEXT" "$ERRAND_PARAM_LOG_DIR"'
        ' "${ERRAND_PARAM_NONE-unset}"',
        "#: [param text]", "#: type = string",
        "#: [param log-dir]", "#: type = path", "#: default = /var/log",
        "#: [param none]", "#: type = string", runner=True)
    text = "a; b = 'c' # $(id) \"é\""
    done = house.submit("run", name, f"text={text}", who="runner")
    assert (done.returncode, done.stdout) == (0, f"{text}|/var/log|unset|")


@pytest.mark.parametrize("arguments, status, said", [
    (["what"], 64, "NAME=VALUE"),
    (["lines=1", "lines=2"], 64, "twice"),
    (["lines=many"], 65, "lines"),
    (["line=1", "must=x"], 65, "line"),
    ([], 65, "must"),
    (["must=x", "-t", "elsewhere"], 65, "elsewhere"),
])
def test_what_is_asked_wrong_is_told_and_not_run(house, arguments, status,
                                                 said):
    name = house.command("true", "#: [param lines]", "#: type = int",
                         "#: [param must]", "#: type = string",
                         "#: required = true", runner=True)
    done = house.submit("run", name, *arguments, who="runner")
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert house.rows("SELECT 1 FROM runs r JOIN commands c ON"
                      " c.id = r.command_id WHERE c.name = %s", name) == []


# Not theirs

@pytest.mark.parametrize("verb", [["run"], ["show"], ["run", "--detach"]])
def test_what_is_not_theirs_is_told_in_the_same_bytes_as_what_is_not(
        house, hello, hidden, verb):
    """And with one of their own for what was meant, whichever: both are near."""
    none = hidden[:-1] + "x"
    assert house.submit("show", hello, who="runner").returncode == 0
    theirs = house.submit(*verb, hidden, who="runner")
    nobodys = house.submit(*verb, none, who="runner")
    assert (theirs.returncode, theirs.stdout) == (67, "")
    assert (nobodys.returncode, nobodys.stdout) == (67, "")
    said, nothing = (re.sub(r"did you mean c\d+\?", "did you mean OWN?", text) for text in (
        theirs.stderr.replace(hidden, "NAME"), nobodys.stderr.replace(none, "NAME")))
    assert said == nothing


def test_a_runner_sees_their_commands_only(house, hello, hidden):
    told = house.submit("list", "-o", "name", who="runner").stdout.split()
    assert hello in told and hidden not in told


def test_a_run_of_what_is_not_theirs_is_not_there_either(house, hidden):
    run = house.submit("run", hidden, "--detach").stdout.strip()
    none = "00000000-0000-7000-8000-000000000000"
    for verb in "result", "output":
        theirs = house.submit(verb, run, who="runner")
        nobodys = house.submit(verb, none, who="runner")
        assert (theirs.returncode, theirs.stdout) == (67, "")
        assert (theirs.returncode, theirs.stderr) == \
            (nobodys.returncode, nobodys.stderr)
    told = house.submit("history", "--limit", "1000", "-o", "name",
                        who="runner")
    assert run not in told.stdout


@pytest.mark.parametrize("verb", [
    ["target", "list"], ["assign", "list"], ["user", "list"],
    ["command", "versions", "hello"]])
def test_a_runner_has_no_verbs_of_administrators(house, verb):
    done = house.submit(*verb, who="runner")
    assert (done.returncode, done.stdout) == (77, "")


# Later

def test_detach_prints_the_id_alone_and_the_run_goes_on(house, hello):
    done = house.submit("run", hello, "--detach", who="runner")
    assert done.returncode == 0 and RUN.fullmatch(done.stdout.strip())
    run = done.stdout.strip()
    until("the outcome", lambda: house.rows(
        "SELECT 1 FROM run_states WHERE id = %s AND outcome = 'succeeded'",
        run))
    told = house.submit("output", run, who="runner")
    assert (told.stdout, told.stderr) == ("hello\n", "trouble\n")
    ending = house.submit("result", run[-12:], "-o", "name", who="runner")
    assert ending.stdout.strip() == run
    assert house.submit("result", run[-3:], who="runner").returncode == 65


def test_ctrl_c_detaches_and_says_how_to_go_on(house, tmp_path):
    name = house.command("echo begun; exec sleep 2", runner=True)
    with house.start("run", name, who="runner") as running:
        assert running.stdout.readline() == "begun\n"
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 75
        said = running.stderr.read()
    assert "detached; the run goes on" in said
    short = re.search(r"submit watch ([0-9a-f]{12})", said).group(1)
    until("the outcome", lambda: house.rows(
        "SELECT 1 FROM run_states WHERE right(id::text, 12) = %s"
        " AND outcome = 'succeeded'", short))
    told = house.submit("result", short, "-o", "json", who="runner")
    assert json.loads(told.stdout)["run"]["outcome"] == "succeeded"


def test_a_silent_target_is_said_at_once(house):
    target = house.fresh("t")
    assert house.submit("target", "add", target).returncode == 0
    name = house.command("true", target=target, runner=True)
    with house.start("run", name, who="runner") as running:
        said = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 75
    assert f"{target} is silent" in said and "until 20" in said


def test_history_has_the_newest_first(house, hello):
    runs = [house.submit("run", hello, "--detach",
                         who="runner").stdout.strip() for _ in range(3)]
    told = house.submit("history", "--limit", "3", "-o", "json", who="runner")
    assert [r["run"] for r in json.loads(told.stdout)] == runs[::-1]
    lines = house.submit("history", "--limit", "2", "-o", "jsonl",
                         who="runner").stdout.splitlines()
    assert [json.loads(line)["run"] for line in lines] == runs[:0:-1]
    assert house.submit("history", "--limit", "0",
                        who="runner").returncode == 64


# What administrators prepare

def test_the_same_bytes_are_no_new_version(house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "file"
    path.write_text(house.file(name, "echo 1"))
    first = house.submit("command", "save", str(path))
    assert (first.returncode, first.stdout) == (0, f"{name} version 1 saved\n")
    again = house.submit("command", "save", str(path))
    assert (again.returncode, again.stdout) == \
        (0, f"{name} version 1 unchanged\n")
    path.write_text(house.file(name, "echo 2"))
    newer = house.submit("command", "save", str(path))
    assert (newer.returncode, newer.stdout) == (0, f"{name} version 2 saved\n")
    told = json.loads(house.submit("command", "versions", name, "-o",
                                   "json").stdout)
    assert [v["version"] for v in told] == [2, 1]


def test_a_script_comes_back_byte_for_byte(house, tmp_path):
    script = house.file(house.fresh("c"), "").encode() + \
        b"\xff\x00 \xc3\xa9 ; # =\t \r\n\n  no newline at the end"
    path = tmp_path / "file"
    path.write_bytes(script)
    done = house.submit("command", "save", str(path), text=False)
    assert done.returncode == 0, done.stderr
    name = done.stdout.split()[0].decode()
    done = house.submit("command", "show", name, "--script", text=False)
    assert (done.returncode, done.stdout) == (0, script)


def test_the_examples_can_be_saved(house):
    folder = pathlib.Path(__file__).resolve().parents[2] / "ops/examples"
    for path in sorted(filter(pathlib.Path.is_file, folder.iterdir())):
        done = house.submit("command", "save", str(path))
        assert done.returncode == 0, done.stderr


def test_a_machine_may_speak_to_the_queue_itself(house):
    """The example, with what is documented alone: a service's run is accepted, and
    one that is not theirs is refused."""
    trigger = pathlib.Path(__file__).resolve().parents[2] / "ops/examples/machine/trigger.py"
    name = house.command('echo "$ERRAND_PARAM_WHO"', "#: [param who]", "#: type = string",
                         runner=True)
    hidden = house.command("true")
    house.submit("list", who="runner")  # a session is open

    def triggers(command, *words):
        shown = json.loads(house.submit("show", command, "-o", "json").stdout)
        return subprocess.run(
            [sys.executable, trigger, shown["command"]["command"], *words],
            env={**os.environ, **house.env("runner")}, capture_output=True, text=True,
            timeout=60, check=False)

    asked = triggers(name, "dev", "who=a machine; rm -rf /")
    assert asked.returncode == 0, asked.stderr
    run = asked.stdout.strip()
    watched = house.submit("watch", run, who="runner")
    assert (watched.returncode, watched.stdout) == (0, "a machine; rm -rf /\n")
    refused = triggers(hidden, "dev")
    assert refused.returncode == 1 and "not_found" in refused.stderr, refused.stderr
    assert "is not for target" in triggers(name, "nowhere").stderr


@pytest.mark.parametrize("text, line", [
    ("#!/bin/sh\n#: name = Bad\n#: targets = dev\n", "2"),
    ("#!/bin/sh\n#: name = c\n#: targets = dev\n#: tiemout = 3s\n", "4"),
    ("#!/bin/sh\n#: name = c\n#: targets = dev\n#: name = d\n", "4"),
])
def test_a_bad_file_is_told_with_its_line(house, tmp_path, text, line):
    path = tmp_path / "file"
    path.write_text(text)
    done = house.submit("command", "save", str(path))
    assert done.returncode == 65
    assert f"{path}:{line}: " in done.stderr


def test_a_file_that_is_not_there_is_told(house, tmp_path):
    done = house.submit("command", "save", str(tmp_path / "none"))
    assert done.returncode == 66 and "none" in done.stderr


def test_a_target_that_is_not_there_is_told(house, tmp_path):
    path = tmp_path / "file"
    path.write_text(house.file(house.fresh("c"), "true", target="nowhere"))
    done = house.submit("command", "save", str(path))
    assert done.returncode in (65, 67) and "nowhere" in done.stderr


def test_saving_for_somebody_unknown_saves_nothing(house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "file"
    path.write_text(house.file(name, "true"))
    done = house.submit("command", "save", str(path), "--runner",
                        "nobody@x.example")
    assert done.returncode == 67 and "nobody@x.example" in done.stderr
    assert house.submit("command", "show", name).returncode == 67


def test_of_two_who_save_at_once_one_is_told_what_came_between(house,
                                                               tmp_path):
    name = house.fresh("c")
    told = []
    for version in range(1, 9):  # until they meet
        saving = []
        for i in "ab":
            path = tmp_path / f"{i}{version}"
            path.write_text(house.file(name, f"echo {i}{version}"))
            saving.append(house.start("command", "save", str(path)))
        told = [(s.communicate(timeout=20)[1], s.returncode) for s in saving]
        if sorted(code for _, code in told) == [0, 65]:
            break
    said = next(text for text, code in told if code == 65)
    assert re.search(rf"version \d+ of {name} was saved by admin@", said), said


def test_assigning_is_for_all_or_for_none(house):
    name = house.command("true")
    done = house.submit("assign", "add", name, house.runner_email,
                        "nobody@x.example")
    assert done.returncode == 67 and "nobody@x.example" in done.stderr
    listed = house.submit("assign", "list", "--command", name, "-o", "json")
    assert json.loads(listed.stdout) == []


def test_one_can_be_assigned_before_the_invitation_was_followed(house):
    name = house.command("true")
    email = house.fresh("r") + "@x.example"
    assert house.submit("user", "invite", email, "--no-mfa", "--role",
                        "runner").returncode == 0
    done = house.submit("assign", "add", name, email)
    assert done.returncode == 0, done.stderr
    listed = json.loads(house.submit("assign", "list", "--user", email, "-o",
                                     "json").stdout)
    assert [(a["command"], a["state"]) for a in listed] == [(name, "invited")]


def test_what_is_written_to_a_full_disk_is_told(house, hello):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = house.start("list", who="runner", stdout=full)
        assert done.wait(20) == 74
        done.communicate()


def test_kcat_shows_the_way_of_a_run_as_readable_json(house, hello):
    """Payload as the value, the rest in CloudEvents headers, without our tools."""
    run = house.submit("run", "--detach", hello, who="runner").stdout.strip()
    told = house.submit("result", run, "-o", "json", who="runner")
    assert told.returncode == 0, told.stderr
    execution = json.loads(told.stdout)["executions"][0]["execution"]
    env = house.env("admin")
    for topic, kind, of in (
            ("errand.requests", "errand.run.start.v1", run),
            ("errand.dispatch.dev.1", "errand.dispatch.v1", execution),
            ("errand.claims.dev.1", "errand.claim.v1", execution),
            ("errand.results", "errand.execution.finished.v1", execution),
            ("errand.events", "errand.run.accepted.v1", run)):
        shown = subprocess.run(
            ["kcat", "-b", env["ERRAND_BROKERS"], "-C", "-t", topic, "-e", "-q",
             "-f", "%h\t%s\n"], env={**os.environ, **env},
            capture_output=True, text=True, errors="replace",
            timeout=30, check=True).stdout
        # Other tests' records stand there too, some of them forged.
        ours = [line for line in shown.splitlines()
                if f"ce_type={kind}" in line and of in line]
        assert ours, topic
        headers, payload = ours[0].split("\t", 1)
        fields = json.loads(payload)
        assert of in (fields["id"], fields.get("execution"), fields.get("run"))
        assert f"ce_id={fields['id']}" in headers and "errand-sig=" in headers
