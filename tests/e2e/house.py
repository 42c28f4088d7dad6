"""house.py: the test stack as tests see it: submit as its people, its database,
its topics.

In: ops/dev/stack.py, which makes the stack. Everything is asked of the product
from outside; waiting is for something to become true, with a bound.
"""
import itertools
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

import confluent_kafka
import confluent_kafka.admin
import psycopg

import client
import post

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
STACK = REPOSITORY / "ops/dev/stack.py"
HOME = REPOSITORY / os.environ.get("ERRAND_TEST_HOME", "build/e2e")
BIN = REPOSITORY / os.environ.get("ERRAND_BIN", "bin")
PEOPLE = ("admin", "runner")


def until(what, condition, seconds=20):
    """Asks again and again, until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


def stack(*arguments):
    """Runs ops/dev/stack.py for the test stack; what it printed."""
    done = subprocess.run(
        [sys.executable, STACK, *arguments], text=True, capture_output=True,
        env={**os.environ, "ERRAND_HOME": str(HOME)}, check=False)
    assert done.returncode == 0, f"stack.py {arguments}: {done.stdout}" \
                                 f"{done.stderr}"
    return done.stdout


def exported(text):
    """{name: value} of lines `export NAME=VALUE` as a shell reads them."""
    words = (w for line in text.splitlines()
             for w in shlex.split(line, comments=True))
    pairs = dict(w.split("=", 1) for w in words if "=" in w)
    pairs.pop("PATH", None)
    return pairs


class House:
    def __init__(self):
        self.environment = {
            who: exported(stack("env", who)) for who in PEOPLE}
        self.brokers = self.env("admin")["ERRAND_BROKERS"]
        self.numbers = itertools.count(client.now_ms())
        self.folder = tempfile.TemporaryDirectory(prefix="errand-e2e-")
        admin = self.env("admin")
        self.admin = client.Person.read(
            admin["ERRAND_PROFILE"], self.email_of("admin"),
            self.password_of("admin"))
        self.runner_email = self.email_of("runner")
        self.post = post.Sink(HOME / "mail")
        self.superuser = self.connect()

    def close(self):
        self.superuser.close()
        self.folder.cleanup()

    # People

    def env(self, who):
        return self.environment[who]

    def password_of(self, who):
        profile = pathlib.Path(self.env(who)["ERRAND_PROFILE"])
        return (profile / "password").read_text().splitlines()[0]

    def email_of(self, who):
        done = self.submit("whoami", "-o", "name", who=who)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, *arguments, who="admin", **options):
        """submit as a process; its standard input is empty."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.Popen(
            [BIN / "submit", *arguments],
            env={**os.environ, **self.env(who)}, **options)

    def submit(self, *arguments, who="admin", timeout=60, **options):
        """submit, to its end."""
        with self.start(*arguments, who=who, **options) as process:
            try:
                out, said = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(arguments, process.returncode, out,
                                           said)

    # Commands

    def fresh(self, prefix):
        return f"{prefix}{next(self.numbers)}"

    @staticmethod
    def file(name, script, *header, target="dev"):
        """A command's file."""
        return "\n".join(["#!/bin/sh", f"#: name = {name}",
                          f"#: targets = {target}", *header, script]) + "\n"

    def command(self, script, *header, target="dev", runner=False):
        """Saves one, and gives it to the runner; its name."""
        name = self.fresh("c")
        path = pathlib.Path(self.folder.name) / name
        path.write_text(self.file(name, script, *header, target=target))
        given = ["--runner", self.runner_email] if runner else []
        done = self.submit("command", "save", str(path), *given)
        assert done.returncode == 0, done.stderr
        return name

    # PostgreSQL

    def connect(self):
        admin = self.env("admin")
        return psycopg.connect(
            host=admin["PGHOST"], port=admin.get("PGPORT"),
            dbname=admin["PGDATABASE"], user="postgres", autocommit=True)

    def reached(self):
        """A connection that works, or None: a test may have killed it."""
        try:
            self.superuser.execute("SELECT 1")
        except psycopg.OperationalError:
            try:
                self.superuser = self.connect()
            except psycopg.OperationalError:
                return None
        return self.superuser

    def rows(self, statement, *parameters):
        until("the database answers", self.reached, 30)
        return self.superuser.execute(statement, parameters).fetchall()

    def change(self, statement, *parameters):
        self.superuser.execute(statement, parameters)

    # Kafka

    def asker(self):
        return client.Asker(self.brokers, self.admin.init.fields["root"])

    def kafka(self):
        return confluent_kafka.admin.AdminClient(
            {"bootstrap.servers": self.brokers})

    def topic_config(self, topic):
        resource = confluent_kafka.admin.ConfigResource("topic", topic)
        kafka = self.kafka()  # kept: its answers end with it
        answer = kafka.describe_configs([resource])[resource]
        return {name: entry.value for name, entry in
                answer.result(timeout=10).items()}

    def partitions(self, topic):
        return self.kafka().list_topics(topic, timeout=10) \
            .topics[topic].partitions

    def ends(self, topic):
        """{partition: the offset after its last record}"""
        probe = confluent_kafka.Consumer({"bootstrap.servers": self.brokers,
                                          "group.id": "test"})
        found = {p: probe.get_watermark_offsets(
            confluent_kafka.TopicPartition(topic, p), timeout=10)[1]
                 for p in self.partitions(topic)}
        probe.close()
        return found

    # Daemons

    def pid(self, name):
        path = HOME / f"run/{name}.pid"
        until(f"{name} is there", path.exists)
        return int(path.read_text())
