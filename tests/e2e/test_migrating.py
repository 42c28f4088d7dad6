"""test_migrating.py: a database of before months (0016), filled, becomes just what
this build would have written itself.

What the stack's own runs left is put back into tables of that age, as it was kept
then; schema/migrate brings it forward again, and each row has to be as it was.
"""
import pathlib
import shutil
import subprocess
import sys

import psycopg
import pytest

from client import execution_id, id_of_hash, tuple_hash
from house import until

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "schema"
BEFORE = 16
DATABASE = "errand_before"
GOES = "decision = 'accepted' AND (verb LIKE 'run.%' OR verb = 'session.close')"
COLUMNS = """SELECT table_name, array_agg(quote_ident(column_name) ORDER BY column_name)
    FROM information_schema.columns JOIN pg_tables ON tablename = table_name
    WHERE table_schema = 'public' AND table_name <> 'schema_migrations' GROUP BY 1"""


def info(house, database):
    admin = house.env("admin")
    return f"host={admin['PGHOST']} port={admin.get('PGPORT')} dbname={database}" \
        " user=postgres"


def migrate(schema, conninfo):
    done = subprocess.run([sys.executable, schema / "migrate", "--conninfo", conninfo],
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def old_id(run_hash, target, attempt):
    """An execution's, as it was derived then."""
    return id_of_hash(tuple_hash(b"errand.execution", run_hash, target.encode(),
                                 str(attempt).encode()))


def digests(database, columns):
    """{table: (rows, a digest of all of them)}, in whatever order they lie."""
    return {table: database.execute(
        "SELECT count(*), md5(string_agg(r, '' ORDER BY r COLLATE \"C\")) FROM (SELECT"
        f" md5(t::text) AS r FROM (SELECT {', '.join(names)} FROM {table}) t) s"
    ).fetchone() for table, names in columns.items()}


def fill(now, before, columns):
    """Rows as they are, but for what is kept or named otherwise since."""
    before.execute("SET session_replication_role = replica")
    for table, names in columns.items():
        listed, source = ", ".join(names), table
        if table == "requests":
            listed_now = listed.replace(
                "envelope", f"CASE WHEN {GOES} THEN NULL ELSE envelope END")
            source = f"(SELECT {listed_now} FROM requests)"
        elif table == "envelopes":
            source = "(SELECT envelope, hash, type FROM envelopes UNION ALL" \
                f" SELECT envelope, hash, type FROM requests WHERE {GOES})"
        else:
            source = f"(SELECT {listed} FROM {table})"
        with now.cursor().copy(f"COPY {source} TO STDOUT") as rows, \
                before.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as to:
            for block in rows:
                to.write(block)
    before.execute("CREATE TEMP TABLE old (now uuid, before uuid)")
    with before.cursor().copy("COPY old FROM STDIN") as to:
        for run, digest, target, attempt, execution in now.execute(
                "SELECT r.id, r.hash, e.target, e.attempt, e.id FROM executions e"
                " JOIN runs r ON r.id = e.run_id"):
            if execution_id(str(run), digest.hex(), target, attempt) == str(execution):
                to.write_row((execution, old_id(digest, target, attempt)))
    for table, key in (("executions", "id"), ("claims", "execution_id"),
                       ("results", "execution_id"), ("outputs", "execution_id"),
                       ("cancellations", "execution_id")):
        before.execute(f"UPDATE {table} t SET {key} = old.before FROM old"
                       f" WHERE t.{key} = old.now")


@pytest.fixture
def before(house, tmp_path):
    """An empty database of that age."""
    drop = f"DROP DATABASE IF EXISTS {DATABASE} (FORCE)"
    house.change(drop)
    house.change(f"CREATE DATABASE {DATABASE}")
    shutil.copytree(SCHEMA, tmp_path / "schema")
    for file in (tmp_path / "schema/sql").glob("[0-9]*.sql"):
        if int(file.name[:4]) > BEFORE:
            file.unlink()
    migrate(tmp_path / "schema", info(house, DATABASE))
    with psycopg.connect(info(house, DATABASE)) as connection:
        yield connection
    house.change(drop)


def test_what_was_there_before_months_is_there_after(house, before):
    command = house.command("echo 1; echo 2")
    done = house.submit("run", "-d", command)
    assert done.returncode == 0, done.stderr
    until("it is recorded", lambda: house.rows(
        "SELECT FROM run_outcomes WHERE id::text LIKE '%%' || %s", done.stdout.strip()))
    columns = dict(before.execute(COLUMNS).fetchall())
    before.commit()
    with house.connect() as now:
        now.autocommit = False
        now.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        fill(now, before, columns)
        before.commit()
        wanted = digests(now, columns)
    assert all(wanted[table][0] for table in ("requests", "executions", "outputs"))
    migrate(SCHEMA, info(house, DATABASE))
    assert digests(before, columns) == wanted
    assert before.execute("SELECT count(*) FROM outputs_other").fetchone() == (0,)
    before.rollback()
