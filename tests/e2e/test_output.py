"""test_output.py: much output (P11): through an executor that may have little memory,
past a broker that stands still, and beside other runs.
"""
import hashlib
import os
import pathlib
import resource
import time

import pytest

from host import Asked, Host, standing
from house import BIN, until

BLOCK, BLOCKS = 65536, 800  # 50 MiB
LIMIT = 64 << 20
AHEAD = 128  # blocks (8 MiB) between a child and what was delivered of it, at most
# Bytes that can't be guessed or pressed, and how far it has come.
SCRIPT = f"""#!/usr/bin/python3
import hashlib, os
digest, at = hashlib.sha256(), os.open("%s", os.O_WRONLY | os.O_CREAT)
for n in range({BLOCKS}):
    block = os.urandom({BLOCK})
    digest.update(block)
    for part in range(0, {BLOCK}, 4096):
        assert os.write(1, block[part:part + 4096]) == 4096
    os.pwrite(at, b"%%064d" %% (n + 1), 0)
os.pwrite(at, digest.hexdigest().encode(), 0)
"""


@pytest.fixture
def host(house, tmp_path):
    here = Host(house, tmp_path)
    yield here
    here.stop()


def within_little():
    """ASan's shadow alone is larger."""
    if "asan" not in str(BIN):
        resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10))  # of its threads
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def peak(pid):
    """The most memory that a process has had, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def recorded(house, execution):
    digest = hashlib.sha256()
    with house.connect() as connection, connection.transaction(), \
            connection.cursor(name="pieces") as pieces:
        pieces.itersize = 16
        pieces.execute("SELECT data FROM outputs WHERE execution_id = %s AND"
                       " stream = 'stdout' ORDER BY number", (execution,))
        for (data,) in pieces:
            digest.update(data)
    return digest.hexdigest()


def test_much_output_needs_little_memory_and_waits_for_the_broker(house, host, tmp_path):
    """One who follows it gets it all, too."""
    host.start(preexec_fn=within_little,
               env={**os.environ, "MALLOC_ARENA_MAX": "1"})
    witness, seen = tmp_path / "witness", tmp_path / "seen"
    path = tmp_path / "much"
    path.write_text((SCRIPT % witness).replace(
        "\n", f"\n#: name = {host.name}\n#: targets = {host.target}\n"
              "#: output = 64M\n", 1))
    saved = house.submit("command", "save", str(path))
    assert saved.returncode == 0, saved.stderr

    def far():
        return int(witness.read_bytes() or b"0") if witness.exists() else 0

    halves = host.halves()
    with open(seen, "wb") as out, house.start("run", host.name, stdout=out) as run:
        until("it has begun", lambda: far() > 20)
        before = far()
        with standing(house.pid("kafka")):
            stalled = until("it waits", lambda: still(far))
            assert stalled - before <= AHEAD and stalled < BLOCKS
        said = run.communicate(timeout=90)[1]
        assert run.returncode == 0, said
    whole = witness.read_text()
    assert hashlib.sha256(seen.read_bytes()).hexdigest() == whole, said
    assert all(peak(pid) < LIMIT for pid in halves)
    execution, chunks, dropped = house.rows(
        "SELECT s.id::text, r.chunks, r.dropped FROM execution_states s JOIN results r"
        " ON r.execution_id = s.id WHERE s.target = %s", host.target)[0]
    assert recorded(house, execution) == whole
    assert dropped == 0 and chunks <= BLOCKS * 1.3


def still(far):
    """Where it stands, once it has not moved for a while."""
    at = far()
    time.sleep(0.7)
    return at if far() == at else None
