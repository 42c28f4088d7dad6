"""What a hostile command may try, on a host where the executor is root's and the
command another user's: it reaches nothing but what is its own, nothing of it is
left, and whoever comes next finds all as it was (P1, P2, P3).
"""
import os
import pwd
import shutil
import subprocess

from besieged import OTHER, USER, Besieged, alive, open_to_all, processes_of
from lone import text_of, until


def uid(name):
    return pwd.getpwnam(name).pw_uid


def owned(path, user, mode=0o755):
    path.mkdir(mode=mode)
    path.chmod(mode)
    os.chown(path, uid(user), -1)
    return path


def keeper_of(pid):
    return int(subprocess.run(["ps", "-o", "ppid=", str(pid)], capture_output=True,
                              text=True, check=True).stdout)


def tried(w, execution):
    """How much an attack says that it tried, all of which failed."""
    results = w.finished(execution, 30)
    words = text_of(results).decode().split()
    assert words[:1] == ["tried"], text_of(results, "stderr").decode()
    return int(words[1])


def test_nothing_of_the_executor_is_within_a_child_s_reach(besieged):
    """Its processes, memory, descriptors, files, groups; nor another's child."""
    w, go = besieged, besieged.home / "go"
    other = w.ask(f"#!/bin/sh\necho mine > secret; echo $$\n"
                  f"until test -e {go}; do sleep 0.1; done\n", run_as=OTHER)
    until("the other one runs", lambda: text_of(w.results(other)).endswith(b"\n"))
    pid = int(text_of(w.results(other)))
    files = [w.state / "lock", w.state / "revocations", w.state / "started",
             w.state / "kafka/ledger", w.state / "kafka/ready", w.home / "ex-1.key",
             w.home_of(other) / "secret"]
    assert all(f.exists() for f in files)
    n = tried(w, w.attack(
        "reach", same="no", pids=f"{' '.join(map(str, w.pids))} {pid} {keeper_of(pid)}",
        files=" ".join(map(str, files)), directories=" ".join(map(str, (
            w.home, w.state, w.state / "children", w.state / "kafka",
            w.state / "kafka/spool", w.home_of(other))))))
    assert n > 800
    go.touch()
    assert w.outcome(other)["outcome"] == "succeeded"


def outlived(w, **arguments):
    """What such a child leaves has ended before its outcome is told."""
    pids, beats = open_to_all(w.home / "pids"), open_to_all(w.home / "beats")
    execution = w.attack("outlive", {"processes": 60}, pids=pids, beats=beats, many=10,
                         **arguments)
    results = w.finished(execution, 30)
    told = list(map(int, pids.read_text().split()))
    assert text_of(results) == b"told 10\n", text_of(results, "stderr").decode()
    assert results[-1].fields["outcome"] == "succeeded"
    assert len(told) == 10 and alive(told) == []
    size = beats.stat().st_size
    assert size > 10
    return beats, size


def test_nothing_outlives_a_child_however_it_got_away(besieged):
    beats, size = outlived(besieged)
    assert processes_of(uid(USER)) == []
    besieged.holds()
    assert beats.stat().st_size == size


def test_traps_in_its_directory_catch_nobody(besieged):
    """Only what is in it, and what its user could have removed, is removed."""
    w = besieged
    kept = owned(w.home / "kept", USER, 0o777)
    (kept / "file").write_text("kept")
    os.chown(kept / "file", uid(USER), -1)
    above = owned(w.home / "above", USER, 0o777)
    moved = owned(above / "moved", USER)
    roots = owned(moved / "roots", "root")
    (roots / "precious").write_text("precious")
    execution = w.attack("litter", kept=kept, moved=moved)
    results = w.finished(execution)
    assert results[-1].fields["outcome"] == "succeeded", text_of(results, "stderr").decode()
    assert (kept / "file").read_text() == "kept" and os.path.exists("/etc/passwd")
    left = w.home_of(execution)
    assert os.listdir(left) == ["moved"] and os.listdir(left / "moved") == ["roots"]
    assert (left / "moved/roots/precious").read_text() == "precious"
    shutil.rmtree(left)


def test_who_swaps_and_fills_while_it_is_removed_gains_nothing(besieged):
    """Another run of the same user, within the directory of the first one."""
    w = besieged
    meet, kept = (owned(w.home / n, USER, 0o777) for n in ("meet", "kept-2"))
    (kept / "file").write_text("kept")
    dispatch = w.order(w.command(f"""#!/bin/bash
for n in {{0..49}}; do mkdir -p d$n/e; echo > d$n/f; ln -s {kept} l$n; ln -s {kept} d$n/e/l; done
touch {meet}/ready; until test -e {meet}/in; do sleep 0.02; done
"""))
    execution = dispatch.fields["execution"]
    other = w.attack("swap", kept=kept, meet=meet, home=w.home_of(execution), seconds=1)
    w.send(dispatch)
    assert w.outcome(execution, 30)["outcome"] == "succeeded"
    results = w.finished(other)
    assert text_of(results) == b"in\n", text_of(results, "stderr").decode()
    assert (kept / "file").read_text() == "kept"


NAMES = ["path", "ld-preload", "bash-env", "env", "ifs", "ps4", "shellopts", "home", "tmpdir",
         "errand-run-id", "python-path"]


def test_parameters_that_are_named_as_what_steers_a_shell_steer_nothing(besieged):
    w = besieged
    evil = owned(w.home / "evil", "root")
    for name in ("id", "env", "ls"):
        (evil / name).write_text(f"#!/bin/sh\necho {name} >> {w.broken}\n")
        (evil / name).chmod(0o755)
    command = w.command(
        "#!/bin/bash\nid > /dev/null; x=a/b; set -- $x; echo $#; env | cut -d= -f1\n",
        parameters=[{"name": n, "type": "string"} for n in NAMES])
    values = {n: f"{evil}/id" for n in NAMES} | {"path": str(evil), "ifs": "/",
                                                 "ld-preload": "/lib/no-such.so"}
    dispatch = w.order(command, arguments=values)
    w.send(dispatch)
    results = w.finished(dispatch.fields["execution"])
    words = text_of(results).decode().split()
    assert words[0] == "1" and text_of(results, "stderr") == b""
    assert {n for n in words[1:] if not n.startswith("ERRAND_")} <= {
        "HOME", "LANG", "PATH", "PWD", "TMPDIR", "SHLVL", "_"}
    assert {n for n in words if n.startswith("ERRAND_PARAM_")} == {
        f"ERRAND_PARAM_{n.upper().replace('-', '_')}" for n in NAMES}


def test_a_disk_that_a_child_filled_costs_nothing_but_time(brokers, folder):
    """Its state is on 24 MiB: what it told arrives, and the next one runs."""
    home = owned(folder / "full", "root", 0o711)
    w = Besieged(brokers, home)
    state = owned(w.state, "root", 0o711)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0711", "none", state], check=True)
    try:
        w.start()
        full = open_to_all(home / "full")
        execution = w.ask(f"""#!/bin/bash
head -c 100M /dev/zero > fill; for n in {{1..2000}}; do echo {"x" * 60}; done
echo > {full}; until test -e {home}/go; do sleep 0.05; done; exit 3
""")
        until("it is full", lambda: full.read_text())
        refused = w.ask(f"#!/bin/sh\necho >> {w.ran}\n")
        (home / "go").touch()
        results = w.finished(execution)
        assert (results[-1].fields["outcome"], results[-1].fields["exit"]) == ("failed", 3)
        assert len(text_of(results)) == 2000 * 61
        assert w.outcome(refused)["outcome"] in ("interrupted", "succeeded")
        w.holds()
    finally:
        w.close()
        subprocess.run(["umount", "-l", state], check=True)


# Output

LINES = (b'{"outcome":"succeeded","exit":0,"started":true,"chunks":0}\n'
         b"errand.execution.finished.v1\n\0\0\0\0ce_type: errand.execution.finished.v1\n"
         b'level=error service=executor-1 msg="owned"\n'
         b'{"box":"AAAA"}\n{"payloadType":"errand.execution.finished.v1","payload":""}\n'
         b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\r\x08\xff\xfe\xe2\x80\xae\n")


def test_output_that_looks_like_our_own_events_is_output(besieged):
    w = besieged
    odd = "".join(f"\\{b:03o}" for b in LINES)
    execution = w.ask(f"#!/bin/sh\nprintf '{odd}'; printf '{odd}' >&2; sleep 0.1\n"
                      f"printf '{odd}'; exit 7\n")
    results = w.finished(execution)
    assert (results[-1].fields["outcome"], results[-1].fields["exit"]) == ("failed", 7)
    assert text_of(results) == LINES * 2 and text_of(results, "stderr") == LINES
    assert all(r.signed_by(w.one.key) for r in results)
    assert [r.type for r in results].count("errand.execution.finished.v1") == 1
    assert b"owned" not in w.one.log.read_bytes()


def most_memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def test_a_gigabyte_of_output_is_cut_counted_and_holds_nobody_up(besieged):
    w, size = besieged, 1 << 30
    execution = w.ask(f"#!/bin/sh\nexec head -c {size} /dev/zero\n", timeout=60)
    tiny = w.ask("#!/usr/bin/python3\nimport os\nfor n in range(100000):\n"
                 "    os.write(1, b'o')\n    os.write(2, b'e')\n")
    until("it writes", lambda: w.results(execution))
    w.holds()
    results = w.finished(execution, 60)
    assert results[-1].fields["outcome"] == "succeeded"
    assert len(text_of(results)) == 8 << 20
    assert results[-1].fields["dropped"] == size - (8 << 20)
    results = w.finished(tiny, 60)
    told = len(text_of(results)) + len(text_of(results, "stderr"))
    assert told + results[-1].fields["dropped"] == 200000
    assert most_memory(w.pids[0]) < 150_000, "KiB"
