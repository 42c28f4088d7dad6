"""A group of the kernel's for each execution, where an executor has one of its own to
make them in, as a systemd unit with Delegate= has."""
import os
import pathlib

import pytest

from lone import Lone, text_of

OWN = "errand-executor"


def mounted():
    """Where cgroup v2 is, and which group of it is the tests' own."""
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    own = [line[3:].strip("/") for line in
           pathlib.Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
    at = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    return pathlib.Path(at[0], own[0]) if at and own else None


@pytest.fixture
def unit():
    """A group as systemd makes one for a unit."""
    above = mounted()
    if above is None or not os.access(above, os.W_OK):
        pytest.skip("no cgroup v2 here that the tests may make groups in")
    made = above / f"errand-e2e-{os.urandom(4).hex()}"
    made.mkdir()
    yield made
    for path in (made / OWN, made):
        if path.exists():
            path.rmdir()


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


def test_each_execution_has_a_group_and_nothing_of_it_is_left(unit, lone):
    join = (unit / "cgroup.procs").write_text
    executor = lone.executor().start(preexec_fn=lambda: join("0"))
    pids = {int(p) for p in (unit / OWN / "cgroup.procs").read_text().split()}
    assert set(executor.halves()) <= pids and not (unit / "cgroup.procs").read_text()
    execution = lone.ask("#!/bin/sh\ngrep ^0:: /proc/self/cgroup\nsetsid sleep 60 &\n")
    results = lone.finished(execution)
    assert results[-1].fields["outcome"] == "succeeded"
    assert text_of(results).decode().endswith(f"/{unit.name}/errand-{execution}\n")
    assert [p.name for p in unit.iterdir() if p.is_dir()] == [OWN]
    executor.stop()
