#!/usr/bin/python3
"""pages.py: what a page of history costs among few runs and among many, as a ratio,
measured in one run (part of `make bench`).

In two databases of its own on the stack's PostgreSQL, made by schema/migrate, filled by
generate_series and dropped at the end; nothing of the stack's own is touched. What is
asked is asked by the authorizer's own code (pages.c), of both in turn; the best of the
rounds counts, since other work on the machine makes looks longer, never shorter.

usage: pages.py --pages PROGRAM [--few N] [--many N]
"""
import argparse
import os
import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
WANTED = 1.5  # times as much, at most
ROUNDS = 5

# Fifty commands, ten people; the first may run three of them. Rows are written as
# they are (no triggers, no references): the requests behind them are not there.
BARE = r"""
SET session_replication_role = replica;
\set hash 'decode(repeat(''78'', 32), ''hex'')'
"""
PEOPLE = BARE + """
INSERT INTO envelopes VALUES (:hash, 'errand.run.start.v1', 'x');
INSERT INTO users (id, email, role, state, invite_hash, invitation_key_id, invited_until,
                   invited_by, verify_hash, key_id, invited_at)
    SELECT md5('u' || n)::uuid, 'u' || n || '@example.org', 'runner', 'active', :hash,
           decode(md5('i' || n) || md5('i' || n), 'hex'), now(), md5('u1')::uuid, :hash,
           decode(md5('k' || n) || md5('k' || n), 'hex'), now()
      FROM generate_series(0, 9) n;
INSERT INTO commands SELECT md5('c' || n)::uuid, 'c' || n, 1, :hash
    FROM generate_series(0, 49) n;
INSERT INTO command_versions (command_id, version, hash, targets, saved_by, saved_at)
    SELECT md5('c' || n)::uuid, 1, decode(md5('c' || n) || md5('c' || n), 'hex'),
           '{dev}', md5('u1')::uuid, now() FROM generate_series(0, 49) n;
INSERT INTO assignments SELECT md5('u1')::uuid, md5('c' || n)::uuid, :hash, NULL, NULL,
    md5('u1')::uuid, now() FROM generate_series(1, 3) n;
"""
# One every ten seconds, backwards, each with an id of its time; of fifty turns through
# the commands one failed.
RUNS = BARE + """
CREATE TEMP TABLE made AS SELECT n, (lpad(to_hex(to_ms(at)), 12, '0') || '7'
    || substr(md5('r' || n), 14))::uuid AS id, md5('e' || n)::uuid AS e,
    md5('c' || n %% 50)::uuid AS c, md5('u' || n %% 10)::uuid AS u, at,
    CASE WHEN n / 50 %% 50 = 0 THEN 'failed' ELSE 'succeeded' END AS outcome
    FROM generate_series(1, %d) n,
         LATERAL (SELECT timestamptz '2026-11-01' - n * interval '10 s' AS at) t;
INSERT INTO runs SELECT id, sha256(uuid_send(id)), c, 1, :hash, u, at, at,
    json_build_object('n', n::text) FROM made;
INSERT INTO executions SELECT e, id, 'dev', 1, 1, 'x', at, at + interval '1 min', true
    FROM made;
INSERT INTO results (execution_id, service_hash, started_at, started_hash, finished_at,
    finished_hash, outcome, said_by)
    SELECT e, :hash, at, :hash, at, :hash, outcome, 'executor' FROM made;
INSERT INTO run_outcomes SELECT id, c, u, at, outcome FROM made;
"""


def conninfo(database):
    return "host=%s port=%s dbname=%s user=postgres" % (
        os.environ["PGHOST"], os.environ.get("PGPORT", "5432"), database)


def psql(sql, database):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d",
                           conninfo(database)], input=sql, text=True,
                          capture_output=True)
    if done.returncode != 0:
        sys.exit("%s: %s" % (database, done.stderr))


def forget(database):
    psql("DROP DATABASE IF EXISTS %s (FORCE)" % database, "postgres")


def make(database, runs):
    forget(database)
    psql("CREATE DATABASE %s" % database, "postgres")
    subprocess.run([REPOSITORY / "schema/migrate", "--conninfo", conninfo(database)],
                   check=True, stdout=subprocess.DEVNULL)
    psql(PEOPLE, database)
    psql(RUNS % runs, database)
    psql("VACUUM ANALYZE", database)


def measured(program, database):
    done = subprocess.run([program, conninfo(database)], text=True,
                          stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit("pages: %s failed" % program)
    return {name: int(took) for name, took in
            (line.split("\t") for line in done.stdout.splitlines())}


def best(rounds):
    """The shortest of each look."""
    return {name: min(took[name] for took in rounds) for name in rounds[0]}


def compare(program, sizes):
    """sizes: {database: runs}, the one with few of them first"""
    rounds = [[measured(program, database) for database in sizes]
              for _ in range(ROUNDS)]
    before, after = (best(column) for column in zip(*rounds))
    print("%-38s %12s %12s %7s" % ("us", *("%d runs" % n for n in sizes.values()),
                                   "ratio"))
    for name, took in before.items():
        print("%-38s %12d %12d %7.2f%s" % (
            name, took, after[name], after[name] / took,
            "" if after[name] <= WANTED * took else "  over %.1f" % WANTED))
    return all(after[name] <= WANTED * took for name, took in before.items())


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--pages", required=True, help="the program of pages.c")
    ask.add_argument("--few", type=int, default=1000)
    ask.add_argument("--many", type=int, default=1000000)
    asked = ask.parse_args()
    if "PGHOST" not in os.environ:
        sys.exit('pages: no stack: make up, then eval "$(make -s env)"')
    sizes = {"errand_bench_few": asked.few, "errand_bench_many": asked.many}
    try:
        for database, runs in sizes.items():
            make(database, runs)
        good = compare(asked.pages, sizes)
    finally:
        for database in sizes:
            forget(database)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
