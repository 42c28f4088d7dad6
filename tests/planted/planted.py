#!/usr/bin/python3
"""planted.py: tests that can't fail are worth nothing, so we break the product.

Each *.patch here breaks one promise. Its first lines say which, and which test
must notice:
    breaks: P2: a child is started on the delivery report
    test: unit proof          (make unit UNIT_TESTS=proof)
    test: e2e test_claims.py -k read_back
In one scratch copy of the working tree, each patch is applied, built, its test is
run and must fail; then it is taken back. First the same tests run unbroken, and
must pass: a test that fails anyway notices nothing.

usage: planted.py [--list] [NAME...]     (a part of a patch's name; none: all)
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SCRATCH = TOP / "build" / "planted"


def run(command, **more):
    return subprocess.run(command, cwd=SCRATCH, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


class Plant:
    """One patch: what it breaks, and the test that must notice."""

    def __init__(self, path):
        head = path.read_text(encoding="utf-8").split("\n--- ")[0]
        found = dict(re.findall(r"^(breaks|test): (.+)$", head, re.M))
        if set(found) != {"breaks", "test"}:
            sys.exit("%s: its head must say `breaks:` and `test:`" % path.name)
        self.path, self.name = path, path.stem
        self.breaks, self.test = found["breaks"], found["test"]

    def command(self):
        kind, *rest = self.test.split()
        if kind == "unit":
            return ["make", "-s", "unit", "UNIT_TESTS=" + rest[0]]
        return ["make", "-s", "e2e", "TESTS=" + " ".join(rest)]

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


def build():
    done = run(["make", "-s", "-j2", "all"])
    return None if done.returncode == 0 else done.stdout


def passes(plant):
    done = run(plant.command(), env={**os.environ, "ERRAND_HOME": "build/planted-home"})
    return done.returncode == 0, done.stdout


def renew(plant):
    """A database keeps the schema that it was made with: such a plant needs a
    stack of its own, and so does what comes after it."""
    if "--- a/schema/" in plant.path.read_text(encoding="utf-8"):
        run(["make", "-s", "reset", "ERRAND_HOME=build/plain/home"])


def judge(plant):
    """Why this plant was not noticed; None: it was."""
    plant.patch()
    renew(plant)
    try:
        trouble = build()
        if trouble is not None:
            return "does not build:\n" + trouble
        green, _ = passes(plant)
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
    trouble = build()
    if trouble is not None:
        sys.exit("the tree does not build:\n" + trouble)
    failed, healthy = 0, {}
    for plant in plants:
        if plant.test not in healthy:
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
