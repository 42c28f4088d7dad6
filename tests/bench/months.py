#!/usr/bin/python3
"""months.py: what a run costs PostgreSQL with few months and with many, as a ratio,
measured in one run on a stack that is up (part of `make bench`).

Runs are asked for with submit, decided, executed and recorded as ever; what they cost
is the time that PostgreSQL spent on statements of that database meanwhile, whoever
sent them. Few and many take turns. The months that are made for it are empty, of the
past, and dropped again.

usage: months.py [--months N] [-n RUNS]      as the stack's administrator (`make env`)
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

from bench import save_command, whole
from pages import psql

WANTED = 1.5  # times as much, at most
ROUNDS = 3
DATABASE = os.environ.get("PGDATABASE", "errand")
PAST = "date_trunc('month', now() - n * interval '1 month')::date"


def ask(sql):
    done = subprocess.run(["psql", "-XqAt", "-c", sql], text=True, check=True,
                          capture_output=True)
    return done.stdout.strip()


def make(months):
    psql("SET ROLE errand_owner; SELECT retention_make(%s) FROM generate_series(1, %d) n"
         % (PAST, months), DATABASE)


def drop(months):
    psql("SET ROLE errand_owner; DO $$ DECLARE m date; BEGIN"
         " FOR m IN SELECT %s FROM generate_series(1, %d) n LOOP"
         "  EXECUTE format('DROP TABLE %%I, %%I', month_table('requests', m),"
         "                 month_table('outputs', m));"
         "  DELETE FROM months WHERE month = m;"
         " END LOOP; END $$" % (PAST, months), DATABASE)


def spent():
    """ms; sessions tell it within a second or so."""
    time.sleep(1.5)
    return float(ask("SELECT active_time FROM pg_stat_database"
                     " WHERE datname = current_database()"))


def cost(runs):
    """(ms of PostgreSQL, ms of the asker) a run."""
    before = spent()
    took = sum(whole(["submit", "run", "bench-true"]) for _ in range(runs))
    return (spent() - before) / runs, took / runs


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--months", type=int, default=62)
    asked.add_argument("-n", type=int, default=30, help="runs in each turn (30)")
    asked.add_argument("--target", default="dev")
    asked = asked.parse_args()
    if "PGHOST" not in os.environ:
        sys.exit('months: no stack: make up, then eval "$(make -s env)"')
    save_command(asked.target)
    few, many = [], []
    for _ in range(ROUNDS):
        few.append(cost(asked.n))
        make(asked.months)
        try:
            cost(8)  # sessions plan anew
            many.append(cost(asked.n))
        finally:
            drop(asked.months)
        cost(8)
    good = True
    for i, name in enumerate(("ms of PostgreSQL a run", "ms of submit run")):
        one, other = (statistics.median(c[i] for c in costs) for costs in (few, many))
        bad = i == 0 and other > WANTED * one
        good = good and not bad
        print("%-28s %8.2f  with %d months more %8.2f  ratio %.2f%s" % (
            name, one, asked.months, other, other / one,
            "  over %.1f" % WANTED if bad else ""))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
