#!/usr/bin/python3
"""bench.py: what Errand costs, measured on a stack that is up (`make bench`).

Machines differ and are noisy, so each figure stands beside a yardstick that is
measured in turn with it, A B A B …, in the same run: a bare produce-and-consume
over the same broker, as a whole process too. Figures are medians of whole
processes, with their minimum and maximum.

usage: bench.py --hop PROGRAM [-n RUNS]      as the stack's administrator (`make env`)
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

COMMAND = """#!/bin/sh
#: name = bench-true
#: description = Does nothing, for measuring
#: targets = {target}
true
"""
# design.md asks for these, on the machines that it was written on, in ms.
WANTED = {"submit run": 60, "submit list": 40}


def whole(command):
    """ms from start to end of a process that must succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    took = (time.perf_counter() - began) * 1000
    if done.returncode != 0:
        sys.exit("%s: exit %d\n%s" % (" ".join(map(str, command)), done.returncode,
                                      done.stderr.decode()))
    return took


def in_turn(commands, runs):
    took = {name: [] for name in commands}
    for name, command in commands.items():
        whole(command)  # warm
    for _ in range(runs):
        for name, command in commands.items():
            took[name].append(whole(command))
    return took


def print_rows(took, yardstick):
    base = statistics.median(took[yardstick])
    print("%-28s %8s %8s %8s %10s %8s" % ("ms", "min", "median", "max", "x yardstick", "wanted"))
    for name, values in took.items():
        median = statistics.median(values)
        print("%-28s %8.1f %8.1f %8.1f %10.2f %8s" % (
            name, min(values), median, max(values), median / base,
            "< %d" % WANTED[name] if name in WANTED else ""))


def save_command(target):
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(COMMAND.format(target=target))
        script.flush()
        subprocess.run(["submit", "command", "save", script.name], check=True,
                       stdout=subprocess.DEVNULL)


def many(runs, slots):
    """Runs accepted and finished a second, asked by so many at a time."""
    began = time.perf_counter()
    running, left, done = [], runs, 0
    while left or running:
        while left and len(running) < slots:
            running.append(subprocess.Popen(["submit", "run", "bench-true"],
                                            stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL))
            left -= 1
        finished = running.pop(0)
        done += finished.wait() == 0
    took = time.perf_counter() - began
    print("%d of %d runs succeeded, %d at a time: %.1f a second" % (
        done, runs, slots, done / took))
    return done == runs


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("-n", type=int, default=15, help="runs of each (15)")
    ask.add_argument("--target", default="dev")
    ask.add_argument("--hop", required=True, help="the yardstick's program")
    asked = ask.parse_args()
    if "ERRAND_BROKERS" not in os.environ:
        sys.exit('bench: no stack: make up, then eval "$(make -s env)"')
    save_command(asked.target)
    commands = {"bare hop": [asked.hop, os.environ["ERRAND_BROKERS"]],
                "submit --version": ["submit", "--version"],
                "submit list": ["submit", "list"],
                "submit run": ["submit", "run", "bench-true"]}
    print_rows(in_turn(commands, asked.n), "bare hop")
    return 0 if many(40, 4) else 1


if __name__ == "__main__":
    sys.exit(main())
