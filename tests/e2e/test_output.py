"""test_output.py: much output (P11): through an executor that may have little memory,
past a broker that stands still, and beside other runs.
"""
import hashlib
import os
import pathlib
import resource
import time

import pytest

from host import Host, standing
from house import BIN, until

BLOCK, MANY, FEW = 65536, 800, 160  # 50 MiB, 10 MiB
LIMIT = 64 << 20
AWAY = float(os.environ.get("ERRAND_AWAY", "0"))  # s, beyond what is needed: see tests/README.md
ASAN = "asan" in str(BIN)  # its shadow alone is larger, and what was freed stays a while
AHEAD = 128  # blocks (8 MiB) between a child and what was delivered of it, at most
# Bytes that can't be guessed or pressed; its witness has how far it has come, and
# in the end their digest.
SCRIPT = """#!/usr/bin/python3
#: name = {name}
#: targets = {name}
#: output = 64M
#: timeout = 1d
#: [param blocks]
#: type = int
#: [param witness]
#: type = path
import hashlib, os
count, witness = int(os.environ["ERRAND_PARAM_BLOCKS"]), os.environ["ERRAND_PARAM_WITNESS"]
digest, at = hashlib.sha256(), os.open(witness, os.O_WRONLY | os.O_CREAT)
for n in range(count):
    block = os.urandom(65536)
    digest.update(block)
    for part in range(0, 65536, 4096):
        assert os.write(1, block[part:part + 4096]) == 4096
    os.pwrite(at, b"%064d" % (n + 1), 0)
os.pwrite(at, digest.hexdigest().encode(), 0)
"""


@pytest.fixture
def host(house, tmp_path):
    here = Host(house, tmp_path)
    yield here
    here.stop()


def within_little():
    if not ASAN:
        resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10))  # of its threads
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def peak(pid):
    """The most memory that a process has had, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def digest(house, execution):
    whole = hashlib.sha256()
    with house.connect() as connection, connection.transaction(), \
            connection.cursor(name="pieces") as pieces:
        pieces.itersize = 16
        pieces.execute("SELECT data FROM outputs WHERE execution_id = %s AND"
                       " stream = 'stdout' ORDER BY number", (execution,))
        for (data,) in pieces:
            whole.update(data)
    return whole.hexdigest()


def recorded(house, target):
    """{bytes' digest: (chunks, dropped)} of what has ended there."""
    return {digest(house, execution): (chunks, dropped)
            for execution, chunks, dropped in house.rows(
                "SELECT s.id::text, r.chunks, r.dropped FROM execution_states s JOIN"
                " results r ON r.execution_id = s.id WHERE s.target = %s AND"
                " r.outcome = 'succeeded'", target)}


def test_much_output_needs_little_memory_and_waits_for_the_broker(house, host, tmp_path):
    """One run that nobody follows, and one that somebody does, at the same time."""
    host.start(preexec_fn=within_little, env={**os.environ, "MALLOC_ARENA_MAX": "1"})
    halves = host.halves()
    path, seen = tmp_path / "much", tmp_path / "seen"
    path.write_text(SCRIPT.format(name=host.target))
    saved = house.submit("command", "save", str(path))
    assert saved.returncode == 0, saved.stderr
    witnesses = tmp_path / "many", tmp_path / "few"
    many, few = (("run", host.target, f"blocks={n}", f"witness={w}")
                 for n, w in zip((MANY, FEW), witnesses))
    asked = house.submit(*many, "--detach")
    assert asked.returncode == 0, asked.stderr

    def far():
        return [int(w.read_bytes() or b"0") if w.exists() else 0 for w in witnesses]

    with open(seen, "wb") as out, house.start(*few, stdout=out) as run:
        until("both have begun", lambda: min(far()) > 10)
        before = far()
        with standing(house.pid("kafka")):
            stalled = until("both wait", lambda: still(far))
            time.sleep(AWAY)
            assert far() == stalled
        for at, then, of in zip(stalled, before, (MANY, FEW)):
            assert at - then <= AHEAD and at < of
        said = run.communicate(timeout=90)[1]
        # Who followed it may have been told by then that it goes on.
        assert run.returncode in ((0, 75) if AWAY else (0,)), said
    ended = until("both are recorded",
                  lambda: (lambda found: len(found) == 2 and found)(recorded(house, host.target)),
                  90)
    whole, followed = (w.read_text() for w in witnesses)
    assert set(ended) == {whole, followed}
    assert run.returncode != 0 or hashlib.sha256(
        seen.read_bytes()).hexdigest() == followed, said
    assert ASAN or all(peak(pid) < LIMIT for pid in halves)
    assert all(dropped == 0 for _, dropped in ended.values())


def still(far):
    """Where it stands, once it has not moved for a while."""
    at = far()
    time.sleep(0.7)
    return at if far() == at else None
