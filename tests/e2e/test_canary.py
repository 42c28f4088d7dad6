"""No secret of the whole test session is anywhere that others read (P9).

Runs after all other tests. Each place gets a secret of each form planted, which
the scan must find: so it is known to see what it looks at.
"""
import json
import os
import pathlib
import shutil
import subprocess

import confluent_kafka
import confluent_kafka.admin
import pytest

import canary
import overheard
from client import Envelope, Key, b64
from house import HOME, until

pytestmark = pytest.mark.last

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
KINDS = {"key", "password", "invitation code", "invitation seed", "secret parameter"}


class Planted:
    """A new secret for each place, and for each form of it."""

    def __init__(self, place):
        self.place = place
        self.secret = os.urandom(32)
        canary.keep(f"planted in {place}", self.secret)

    def lines(self):
        """As they could stand somewhere by a slip: bare, and in an envelope."""
        return [*canary.forms(self.secret).values(), in_envelope(self.secret)]

    def expected(self, *forms):
        forms = forms or canary.forms(self.secret)
        return {(f"planted in {self.place}", form) for form in forms}

    def seen_in(self, found):
        """Every form was, the envelope's at whatever place it came to stand."""
        return self.expected() <= found and any(
            kind == f"planted in {self.place}" and "base64 at 0, in an" in form
            for kind, form in found)


def in_envelope(secret):
    """A member of a payload, of an envelope at rest."""
    payload = {"id": "", "issued": "", "value": b64(secret)}
    return json.dumps(Envelope.of("x", payload, Key()).dsse()).encode()


# Where others read

def ran_with_secret(house):
    """It lives long enough to be seen, and says it."""
    name = house.command('sleep 0.3; echo "$ERRAND_PARAM_TOKEN"',
                         "#: [param token]", "#: type = secret")
    token = canary.keep("secret parameter", os.urandom(16).hex())
    path = pathlib.Path(house.folder.name) / "token"
    path.write_text(token)
    done = house.submit("run", name, f"token=@{path}")
    assert (done.returncode, done.stdout) == (0, "***\n"), done


def stack_secrets(house):
    """What the stack was made with, and an invitation and a secret in any case."""
    ran_with_secret(house)
    email = house.fresh("i") + "@example.org"
    assert house.submit("user", "invite", email, "-o", "name").returncode == 0
    house.post.block(email)
    for path in HOME.glob("profiles/*/password"):
        overheard.keep_password(path)
    overheard.keep_password(HOME / "keys/root.password")
    for path in [*HOME.glob("keys/*.key"), *HOME.glob("profiles/*/session.json")]:
        overheard.keep_seeds(path)


def every_record(house):
    """Keys, headers and values of all topics, from their beginning."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": house.brokers, "group.id": "canary",
        "enable.auto.commit": False, "auto.offset.reset": "error",
        "enable.partition.eof": True, "fetch.wait.max.ms": 10,
        "isolation.level": "read_uncommitted"})
    places = [confluent_kafka.TopicPartition(name, n) for name, topic in
              house.kafka().list_topics(timeout=10).topics.items()
              for n in topic.partitions if not name.startswith("__")]
    for at in places:
        at.offset = consumer.get_watermark_offsets(at, timeout=10)[0]
    consumer.assign(places)
    unread = {(at.topic, at.partition) for at in places}
    while unread:
        for message in consumer.consume(5000, 1):
            if message.error():  # its end, for now
                unread.discard((message.topic(), message.partition()))
                continue
            headers = [value for _name, value in message.headers() or ()]
            yield b"\n".join(part or b"" for part in [
                message.key(), message.value(), *headers, b""])
    consumer.close()


def dumped(house):
    """The database as SQL."""
    program = POSTGRES / "pg_dump"
    with subprocess.Popen(
            [program if program.exists() else shutil.which("pg_dump")],
            env={**os.environ, **house.env("admin")},
            stdout=subprocess.PIPE) as dump:
        yield from iter(lambda: dump.stdout.read(1 << 20), b"")
    assert dump.returncode == 0


def files(*folders, but=()):
    return [p for folder in folders for p in pathlib.Path(folder).rglob("*")
            if p.is_file() and not p.is_symlink() and p.suffix not in but]


# Planting

def plant_record(house, planted):
    topic = house.fresh("errand.scratch.")
    kafka = house.kafka()
    kafka.create_topics([confluent_kafka.admin.NewTopic(topic, 1, 1)])[topic] \
        .result(10)
    producer = confluent_kafka.Producer({"bootstrap.servers": house.brokers})
    for line in planted.lines():
        producer.produce(topic, line)
    assert producer.flush(10) == 0
    return lambda: kafka.delete_topics([topic])[topic].result(10)


def plant_row(house, planted):
    table = house.fresh("scratch")
    house.change(f"CREATE TABLE {table} (line bytea)")
    for line in planted.lines() * 3:  # the WAL's pages cut some in two
        house.change(f"INSERT INTO {table} VALUES (%s)", line)
    house.change("CHECKPOINT")
    return lambda: house.change(f"DROP TABLE {table}")


def plant_log(planted):
    path = HOME / "log/scratch.log"
    path.write_bytes(b"\n".join(planted.lines()))
    return path.unlink


def plant_process(planted, watch):
    """It is nobody's argument but the second shell's, and in nobody else's
    environment; that one lives until it was seen."""
    secret = planted.secret.hex().encode()
    with subprocess.Popen(
            ["sh", "-c", 'read -r secret; C="$secret" sh -c "read -r _; :" "$secret"'],
            stdin=subprocess.PIPE) as shell:
        shell.stdin.write(secret + b"\n")
        shell.stdin.flush()
        until("it was seen", lambda: watch.failed or any(
            b"C=" + secret in seen for seen in list(watch.seen)))


def search_all(house, watch):
    """{place: what was found there}"""
    wanted = canary.patterns(canary.kept)
    with canary.Search(wanted) as look, \
            canary.Search({**wanted, **canary.in_hex(wanted)}) as look_at_hex:
        return {
            "the topics": look.in_stream(every_record(house)),
            "the topics' files": look.in_files(
                files(HOME / "kafka", but={".index", ".timeindex", ".txnindex"})),
            "the dump": look_at_hex.in_stream(dumped(house)),
            "the database's files": look.in_files(files(HOME / "pg/data/base")),
            "the WAL": look.in_files(files(HOME / "pg/data/pg_wal")),
            "the logs": look.in_files(files(HOME / "log")),
            "what daemons keep": look.in_files(
                files(HOME / "state", HOME / "conf", HOME / "run")),
            "the processes": look.in_stream(b + b"\n" for b in watch.seen),
        }


def test_no_secret_of_this_session_can_be_read(house, watch):
    stack_secrets(house)
    assert KINDS <= set(canary.kept.values())
    topics, database, logs, processes = planted = [
        Planted(p) for p in ("the topics", "the database", "the logs", "a process")]
    plant_process(processes, watch)
    watch.stop()
    take_back = [plant_record(house, topics), plant_row(house, database),
                 plant_log(logs)]
    try:
        found = search_all(house, watch)
    finally:
        for back in take_back:
            back()
    for place, plant in {"the topics": topics, "the topics' files": topics,
                         "the dump": database, "the database's files": database,
                         "the WAL": database, "the logs": logs}.items():
        assert plant.seen_in(found[place]), f"the scan of {place} is blind"
    assert found["the processes"] >= processes.expected("hex")
    names = {f"planted in {p.place}" for p in planted}
    hits = [f"{kind}, {form}, in {place}" for place, all_found in found.items()
            for kind, form in all_found if kind not in names]
    assert not hits, "\n".join(hits)
