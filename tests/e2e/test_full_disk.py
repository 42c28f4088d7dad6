"""test_full_disk.py: an executor whose disk is full, by itself or by others: what
runs waits, or ends and says what is missing (P2, P3, P11)."""
import errno
import hashlib
import os
import subprocess
import time

import pytest

import client
from client import Envelope
from host import standing
from lone import Lone, text_of, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a disk")
BLOCK, BLOCKS = 65536, 96  # 6 MiB: 11 in the spool
PAGE = 4096  # that such a disk is given out in
# Has to wait for `go`, then says as much; its witness has how far it has come, and
# in the end the digest of all.
TALKS = """#!/usr/bin/python3
import hashlib, os, time
digest, at = hashlib.sha256(), os.open({witness!r}, os.O_WRONLY | os.O_CREAT)
print("begun", flush=True)
while not os.path.exists({go!r}):
    time.sleep(0.05)
for n in range({blocks}):
    block = os.urandom({block})
    digest.update(block)
    assert os.write(1, block) == len(block)
    os.pwrite(at, b"%064d" % (n + 1), 0)
os.pwrite(at, digest.hexdigest().encode(), 0)
{after}
"""


class Talker:
    def __init__(self, lone, name, after=""):
        self.lone, self.witness = lone, lone.home / name
        self.execution = lone.ask(TALKS.format(
            witness=str(self.witness), go=str(lone.home / "go"), blocks=BLOCKS,
            block=BLOCK, after=after), timeout=300, output=64 << 20)

    def far(self):
        return int(self.witness.read_bytes() or b"0")

    def digest(self):
        return self.witness.read_text()


@pytest.fixture
def lone(brokers, tmp_path):
    here = Lone(brokers, tmp_path)
    yield here
    here.close()


@pytest.fixture
def small_disk(lone):
    """Of 40 MiB, as the state directory of ex-1."""
    state = lone.home / "ex-1.state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "errand-test", state], check=True)
    yield state
    lone.close()
    subprocess.run(["umount", "-l", state], check=True)


def fill(disk, leave=0):
    """With a stranger's file, but for so many bytes; to the last one. Its path."""
    path = disk / "filling"
    with open(path, "wb", buffering=0) as file:
        try:
            for size in (1 << 20, 4096, 1):
                while not leave or free(disk) >= leave + size:
                    if file.write(b"\0" * size) < size:
                        break
        except OSError as full:
            assert full.errno == errno.ENOSPC
    return path


def free(disk):
    about = os.statvfs(disk)
    return about.f_bavail * about.f_frsize


def lengths(ledger, what):
    return [len(line) + 1 for line in ledger.read_bytes().split(b"\n")
            if b" %s " % what in line]


def without_chance(lone, ledger, starts):
    """After so many STARTs an EXIT needs a page of the disk that the ledger does
    not have yet: not by chance."""
    for _ in range(20):
        assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"
        until("that is sent", lambda: len(lengths(ledger, b"SENT")) ==
              len(lengths(ledger, b"EXIT")))
        begun = ledger.stat().st_size + starts * lengths(ledger, b"START")[0]
        if -begun % PAGE < min(lengths(ledger, b"EXIT")):
            return
    raise AssertionError("an EXIT always fits")


def patient(executor, how_long):
    """With what has ended there."""
    executor.config.write_text(executor.config.read_text().replace(
        "drain = 1s", f"drain = 1s\ndisk_wait = {how_long}"))
    return executor


def running(lone, execution):
    until("it runs", lambda: text_of(lone.results(execution)))


def still(far):
    """Where it stands, once it has not moved for a while."""
    at = far()
    time.sleep(0.7)
    return at if far() == at else None


def in_order(results):
    """Each once, in its order: a later life says again what may not have arrived."""
    once = list({r.fields["number"]: r for r in results}.values())
    assert [r.fields["number"] for r in once] == list(range(len(once)))
    for before, after in zip(once, once[1:]):
        assert after.fields["previous"] == before.hash
    return once


def whole(talker):
    """All that it said was told."""
    results = in_order(talker.lone.finished(talker.execution, 60))
    told = text_of(results)
    assert told.startswith(b"begun\n")
    assert hashlib.sha256(told[6:]).hexdigest() == talker.digest()
    fields = results[-1].fields
    assert fields["chunks"] == len(results) - 2 and not fields.get("dropped")
    return fields


def test_what_runs_holds_no_more_of_a_disk_than_is_on_its_way(lone, small_disk, house):
    """Two of them, who say more than the disk holds, past a broker that stands
    still, and with little room beside what others have put there."""
    executor = lone.executor().start()
    talkers = [Talker(lone, name) for name in ("one", "other")]
    for talker in talkers:
        running(lone, talker.execution)
    empty = free(small_disk)
    with standing(house.pid("kafka")):
        (lone.home / "go").touch()
        ahead = until("both wait", lambda: still(lambda: [t.far() for t in talkers]))
        assert all(0 < at < BLOCKS for at in ahead)
        assert empty - free(small_disk) < 2 * (4 << 20)
        fill(small_disk, leave=3 << 20)
    assert whole(talkers[0])["outcome"] == whole(talkers[1])["outcome"] == "succeeded"
    assert executor.process.poll() is None


def test_a_later_life_goes_on_behind_what_was_let_go_of(lone, small_disk):
    executor = lone.executor().start()
    talker = Talker(lone, "one", after="time.sleep(300)")
    (lone.home / "go").touch()
    until("all is told", lambda: len(text_of(lone.results(talker.execution))) == 6 + BLOCKS * BLOCK)
    spool = small_disk / "kafka/spool" / talker.execution
    until("it is let go of", lambda: spool.stat().st_blocks * 512 < 2 << 20 < spool.stat().st_size)
    executor.kill()
    executor.start()
    assert whole(talker)["outcome"] == "interrupted"


def test_a_full_disk_takes_nothing_new_and_keeps_what_runs_honest(lone, small_disk):
    go, copy = lone.home / "go", lone.home / "copy"
    first = patient(lone.executor("ex-1"), "300s").start()
    talks = lone.ask(f"#!/bin/sh\necho begun; while [ ! -e {go} ]; do sleep 0.05; done;"
                     f" seq 1 200000 | tee {copy}; echo ended\n", timeout=300)
    fails = lone.ask(f"#!/bin/sh\necho begun; while [ ! -e {go} ]; do sleep 0.05; done;"
                     " echo so; exit 3\n", timeout=300)
    running(lone, talks)
    running(lone, fails)
    filling = fill(small_disk)
    until("that is noticed", lambda: "the disk has no room" in first.log.read_text())
    go.touch()
    elsewhere = lone.ask("#!/bin/sh\necho elsewhere\n")
    second = lone.executor("ex-2").start()
    results = lone.finished(elsewhere)
    assert results[-1].fields["outcome"] == "succeeded"
    assert results[-1].signed_by(second.key)
    (claim,) = [m for m in client.read_all(lone.brokers, lone.claims)
                if m.key() == elsewhere.encode()]
    assert Envelope.from_record(claim).signed_by(second.key)
    second.stop()
    assert first.process.poll() is None
    assert lone.results(talks)[-1].type == "errand.execution.output.v1"

    filling.unlink()
    results = lone.finished(fails)
    assert (results[-1].fields["outcome"], results[-1].fields["exit"]) == ("failed", 3)
    assert text_of(results) == b"begun\nso\n"
    results = lone.finished(talks)
    assert results[-1].fields["outcome"] == "succeeded"
    assert text_of(results) == b"begun\n" + copy.read_bytes() + b"ended\n"
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"


def test_what_ends_on_a_disk_that_stays_full_is_told_with_what_it_lost(
        lone, small_disk, house):
    """It needs none of the room that others' ends make; nor does what was killed
    there, and is told by the next life."""
    executor = patient(lone.executor(), "1s").start()
    ledger = small_disk / "kafka/ledger"
    without_chance(lone, ledger, starts=3)
    go = lone.home / "go"
    waits = f"#!/bin/sh\necho begun; while [ ! -e {go} ]; do sleep 0.05; done;"
    much = lone.ask(waits + " seq 1 50000; exit 3\n", timeout=300)
    little = lone.ask(waits + " echo so\n", timeout=300)
    killed = lone.ask("#!/bin/sh\necho begun; sleep 300\n", timeout=600)
    for execution in (much, little, killed):
        running(lone, execution)
    before = len(lengths(ledger, b"EXIT"))
    filling = fill(small_disk)
    with standing(house.pid("kafka")):
        go.touch()
        until("both have ended", lambda: len(lengths(ledger, b"EXIT")) == before + 2)
    results = in_order(lone.finished(much))
    fields = results[-1].fields
    assert (fields["outcome"], fields["exit"], fields["chunks"]) == ("failed", 3, 1)
    assert text_of(results) == b"begun\n"
    assert fields["dropped"] == len("".join(f"{n}\n" for n in range(1, 50001)))
    assert fields["reason"] == (
        f"only the first 6 bytes of its output were kept, {fields['dropped']} more were"
        " not: this host's disk did not take them")
    results = in_order(lone.finished(little))  # this may fit where other lines were
    fields = results[-1].fields
    assert (fields["outcome"], len(text_of(results)) + fields["dropped"]) == ("succeeded", 9)
    executor.kill()
    executor.start()
    assert in_order(lone.finished(killed))[-1].fields["outcome"] == "interrupted"
    assert free(small_disk) < 1 << 20

    filling.unlink()
    assert lone.outcome(lone.ask("#!/bin/sh\ntrue\n"))["outcome"] == "succeeded"
