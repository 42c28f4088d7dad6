"""What a hostile command may try where the executor is an ordinary user's, and the
command the same one's: it may signal it, and yet gets neither into it nor away,
and what it ended is told and goes on after a start (P2, P3)."""
import os
import pwd
from pathlib import Path

import pytest

from besieged import USER, Besieged, alive, open_to_all, processes_of
from lone import until
from test_hostile_children import outlived, tried, uid


@pytest.fixture(scope="module")
def stronghold(brokers, folder):
    home = folder / "ordinary"
    home.mkdir(mode=0o711)
    here = Besieged(brokers, home, as_user=USER)
    user = pwd.getpwnam(USER)
    for path in [home, *home.iterdir()]:
        os.chown(path, user.pw_uid, user.pw_gid)
    here.start()
    yield here
    here.close()


def test_it_gets_into_none_of_the_executor_s_processes(besieged):
    """Nor reads their environment, nor what they have open."""
    assert tried(besieged, besieged.attack(
        "reach", same="yes", pids=" ".join(map(str, besieged.pids)), files="",
        directories="")) > 300


def test_nothing_outlives_it_without_a_group_of_the_kernel_s(besieged):
    beats, size = outlived(besieged)
    left = set(processes_of(uid(USER))) - set(besieged.pids)
    assert left == set()
    besieged.holds()
    assert beats.stat().st_size == size


def test_a_keeper_that_it_stops_still_ends_it_in_time(besieged):
    execution = besieged.ask("#!/bin/sh\nkill -STOP $PPID; sleep 60\n", timeout=1)
    assert besieged.outcome(execution)["outcome"] == "timed_out"


def test_a_keeper_that_it_kills_takes_all_with_it(besieged):
    pids = open_to_all(besieged.home / "killed")
    execution = besieged.ask(f"""#!/bin/bash
(env -i setsid sh -c 'echo $$ >> {pids}; exec sleep 60' &)
until test -s {pids}; do :; done
echo $$ >> {pids}; kill -9 $PPID; sleep 60
""")
    fields = besieged.outcome(execution)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)
    assert alive(pids.read_text().split()) == []


def test_what_it_kills_with_all_else_is_told_and_goes_on_after_a_start(besieged):
    """kill -9 -1: both halves and its keeper die, and it does not; then its first
    thread ends, too, and another goes on."""
    w, pids = besieged, open_to_all(besieged.home / "all")
    execution = w.ask(f"""#!/usr/bin/python3
import ctypes, os, threading, time
if os.fork() == 0:
    os.setsid()
    with open("{pids}", "w") as told:
        told.write(str(os.getpid()))
    os.kill(-1, 9)
    threading.Thread(target=time.sleep, args=[60]).start()
    ctypes.CDLL(None).syscall(60, 0)
time.sleep(60)
""")
    until("the executor is gone", lambda: w.one.process.poll() is not None)
    (survivor,) = pids.read_text().split()
    until("its first thread has ended", lambda: "Z (zombie)" in Path(
        f"/proc/{survivor}/status").read_text())
    w.start()
    fields = w.outcome(execution)
    assert (fields["outcome"], fields["started"]) == ("interrupted", True)
    assert alive([survivor]) == []
