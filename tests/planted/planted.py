#!/usr/bin/python3
"""planted.py: tests that can't fail are worth nothing, so we break the product.

Each *.patch here breaks one promise. Its first lines say which, and which test
must notice:
    breaks: P2: a child is started on the delivery report
    test: unit proof          (make unit UNIT_TESTS=proof)
    test: e2e test_claims.py -k read_back
In one scratch copy of the working tree, each patch is applied, built, its test is
run and must fail; then it is taken back. First the same tests run unbroken, and
must pass: a test that fails anyway notices nothing. A test that has not ended after
LIMIT seconds is killed, and that is no notice: a third line `noticed: by time` says
of a patch that this very standstill is what it does.

usage: planted.py [--list] [NAME...]     (a part of a patch's name; none: all)
"""
import argparse
import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SCRATCH = TOP / "build" / "planted"
LIMIT = 300  # seconds for a test, beside what it takes to build it
PR_SET_CHILD_SUBREAPER = 36


def run(command, **more):
    return subprocess.run(command, cwd=SCRATCH, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


class Plant:
    """One patch: what it breaks, and the test that must notice."""

    def __init__(self, path):
        head = path.read_text(encoding="utf-8").split("\n--- ")[0]
        found = dict(re.findall(r"^(breaks|test|noticed): (.+)$", head, re.M))
        if set(found) - {"noticed"} != {"breaks", "test"}:
            sys.exit("%s: its head must say `breaks:` and `test:`" % path.name)
        if found.get("noticed", "by time") != "by time":
            sys.exit("%s: `noticed:` can only be `by time`" % path.name)
        self.path, self.name = path, path.stem
        self.breaks, self.test = found["breaks"], found["test"]
        self.by_time = "noticed" in found
        self.kind, *self.what = self.test.split()

    def command(self):
        if self.kind == "unit":
            return ["make", "-s", "unit", "UNIT_TESTS=" + self.what[0]]
        return ["make", "-s", "e2e", "TESTS=" + " ".join(self.what)]

    def build(self):
        """Of the product what its test needs; what went wrong."""
        unit = self.kind == "unit"
        done = run(["make", "-s", "-j2",
                    "build/plain/tests/test_" + self.what[0] if unit else "all"])
        return None if done.returncode == 0 else done.stdout

    def patch(self, *options):
        done = run(["git", "apply", *options, str(self.path)])
        if done.returncode != 0:
            sys.exit("%s: does not apply any more:\n%s" % (self.path.name, done.stdout))


def make_scratch():
    """The tracked and new files as they are now; build results are kept."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP,
                           text=True, stdout=subprocess.PIPE, check=True).stdout.split("\n")
    wanted = {n for n in names if n and (TOP / n).is_file()}
    for name in wanted:
        source, to = TOP / name, SCRATCH / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not to.exists() or to.read_bytes() != source.read_bytes():
            shutil.copy(source, to)
    if not (SCRATCH / ".git").exists():
        run(["git", "init", "-q"], check=True)


def children():
    """Pids of unit tests whose own parents are gone."""
    pids = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(p) for p in pids
            if b"tests/test_" in pathlib.Path(f"/proc/{p}/cmdline").read_bytes()]


def bury():
    """What is broken may leave somebody behind for ever: that is ours (adopt())."""
    with contextlib.suppress(FileNotFoundError):  # a kernel without that list
        while found := children():
            for pid in found:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def adopt():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def passes(plant):
    """(True, False or, where it does not end, None; and what it said)"""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        test = subprocess.Popen(
            plant.command(), cwd=SCRATCH, stdout=said, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, "ERRAND_HOME": "build/planted-home"})
        try:
            green = test.wait(LIMIT) == 0
        except subprocess.TimeoutExpired:
            green = None
            os.killpg(test.pid, signal.SIGKILL)
            test.wait()
        bury()
        said.seek(0)
        return green, said.read()


def reset():
    run(["make", "-s", "reset", "ERRAND_HOME=build/plain/home"])


def renew(plant):
    """A database keeps the schema that it was made with: such a plant needs a
    stack of its own, and so does what comes after it."""
    if "--- a/schema/" in plant.path.read_text(encoding="utf-8"):
        reset()


def judge(plant):
    """Why this plant was not noticed; None: it was."""
    plant.patch()
    renew(plant)
    try:
        trouble = plant.build()
        if trouble is not None:
            return "does not build:\n" + trouble
        green, _ = passes(plant)
        if green is None:
            return None if plant.by_time else "its test did not end within %d s" % LIMIT
        return "its test stays green" if green else None
    finally:
        plant.patch("-R")
        renew(plant)


def main():
    ask = argparse.ArgumentParser(description="break the product, expect its tests to notice")
    ask.add_argument("--list", action="store_true", help="only say what there is")
    ask.add_argument("names", nargs="*", help="a part of a patch's name")
    asked = ask.parse_args()
    plants = [Plant(p) for p in sorted(HERE.glob("*.patch"))]
    plants = [p for p in plants if not asked.names or any(n in p.name for n in asked.names)]
    if asked.list:
        for p in plants:
            print("%-36s %s" % (p.name, p.breaks))
        return 0
    make_scratch()
    reset()  # what stands there may be of an older tree
    adopt()
    failed, healthy = 0, {}
    for plant in plants:
        if plant.test not in healthy:
            trouble = plant.build()
            if trouble is not None:
                sys.exit("the tree does not build:\n" + trouble)
            healthy[plant.test] = passes(plant)
        green, said = healthy[plant.test]
        why = judge(plant) if green else "its test fails unbroken:\n" + said[-3000:]
        failed += why is not None
        print("%s %-36s %s%s" % ("ok  " if why is None else "FAIL", plant.name, plant.breaks,
                                 "" if why is None else "\n     " + why), flush=True)
    print("%d passed, %d failed" % (len(plants) - failed, failed))
    return 1 if failed or not plants else 0


if __name__ == "__main__":
    sys.exit(main())
