"""What is wrong is named, with the way out and the right status, and nothing is
half changed: files, configuration, keys, disks, topics, databases, brokers."""
import os
import pathlib
import subprocess
import sys

import psycopg
import pytest

import house as house_module
from host import Asked, Host
from house import REPOSITORY, until

sys.path.insert(0, str(REPOSITORY / "ops/dev"))
import home as stack_home  # noqa: E402 pylint: disable=wrong-import-position
import kafka as stack_kafka  # noqa: E402 pylint: disable=wrong-import-position

TEST_HOME = house_module.HOME
DAEMONS = "authorizer", "executor", "recorder", "scheduler"


# Commands

def commands(house):
    return house.rows("SELECT count(*) FROM command_versions")


@pytest.mark.parametrize("text, line, said", [
    (b"", 1, "the first line is not '#!'"),
    (b"echo hello\n", 1, "the first line is not '#!'"),
    (b"#!/bin/sh\n#: name = x\n#: timeuot = 5s\n", 3,
     "did you mean 'timeout'"),
    (b"#!/bin/sh\n#: name = x\n#: targets = dev\n#: timeout = soon\n", 4,
     "timeout"),
    (b"#!/bin/sh\n#: name = x\n#: name = y\n", 3, "given twice"),
    (b"#!/bin/sh\r\n#: name = x\r\n", 1, "CRLF"),
    (b"\xef\xbb\xbf#!/bin/sh\n#: name = x\n", 1, "byte order mark"),
    (b"#!/bin/sh\n#: name = x\n#: targets = dev\n#: [param a]\n"
     b"#: type = nmber\n", 5, "type"),
])
def test_a_bad_file_is_told_by_file_line_and_key(house, tmp_path, text, line,
                                                 said):
    before = commands(house)
    path = tmp_path / "file.sh"
    path.write_bytes(text)
    done = house.submit("command", "save", str(path))
    assert (done.returncode, done.stdout) == (65, "")
    assert f"{path}:{line}: " in done.stderr and said in done.stderr
    assert commands(house) == before


@pytest.mark.parametrize("make, said", [
    (lambda path: None, "No such file"),
    (lambda path: path.mkdir(), "Is a directory"),
])
def test_a_file_that_cannot_be_read_ends_with_66(house, tmp_path, make, said):
    make(tmp_path / "file.sh")
    done = house.submit("command", "save", str(tmp_path / "file.sh"))
    assert (done.returncode, done.stdout) == (66, "")
    assert str(tmp_path / "file.sh") in done.stderr and said in done.stderr


def test_a_command_that_is_too_large_is_told_with_size_and_bound(
        house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "file.sh"
    path.write_text(house.file(name, "#" * (500 << 10)))
    done = house.submit("command", "save", str(path))
    assert (done.returncode, done.stdout) == (65, "")
    assert str(path) in done.stderr and "bytes" in done.stderr
    assert house.submit("show", name).returncode == 67


def test_a_save_for_nobody_saves_nothing(house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "file.sh"
    path.write_text(house.file(name, "true"))
    done = house.submit("command", "save", str(path), "--runner",
                        house.runner_email, "--runner", "no@body.example")
    assert (done.returncode, done.stdout) == (67, "")
    assert "there is no user no@body.example" in done.stderr
    assert house.submit("show", name).returncode == 67


def test_a_target_that_is_not_there_is_named(house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "file.sh"
    path.write_text(house.file(name, "true", target="nowhere"))
    done = house.submit("command", "save", str(path))
    assert (done.returncode, done.stdout) == (65, "")
    assert "nowhere" in done.stderr
    assert house.submit("show", name).returncode == 67


# Where output goes

@pytest.mark.parametrize("words", [
    ["whoami"], ["help"], ["user", "list"], ["target", "list", "-o", "json"]])
def test_a_full_disk_behind_stdout_ends_with_74(house, words):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = house.submit(*words, stdout=full)
    assert done.returncode == 74
    assert "No space left on device" in done.stderr


def test_a_full_disk_behind_a_run_leaves_it_alone(house):
    name = house.command("echo hello")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = house.submit("run", name, stdout=full)
    assert done.returncode == 74
    assert "the run goes on" in done.stderr
    assert "No space left on device" in done.stderr
    until("its outcome", lambda: house.rows(
        "SELECT 1 FROM run_states r JOIN commands c ON c.id = r.command_id"
        " WHERE c.name = %s AND outcome = 'succeeded'", name))


@pytest.mark.parametrize("words", [["whoami"], ["run"]])
def test_a_closed_stdout_is_no_other_file(house, words):
    if words == ["run"]:
        words = ["run", house.command("echo hello")]
    done = house.submit(*words, stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 74
    assert "Bad file descriptor" in done.stderr


def test_a_reader_who_has_enough_is_no_error_of_ours(house):
    with house.start("user", "list", "-o", "jsonl") as process:
        process.stdout.close()
        process.stdout = None
        status = process.wait(20)
        assert (status, process.stderr.read()) in [(0, ""), (74, "")]


# Profiles

def profile_copy(house, folder, config):
    """The administrator's, with another configuration; its environment."""
    theirs = pathlib.Path(house.env("admin")["ERRAND_PROFILE"])
    folder.mkdir(mode=0o700)
    for name in "key.json", "enrolment.json", "root.pub", "password":
        (folder / name).write_bytes((theirs / name).read_bytes())
        (folder / name).chmod(0o600)
    (folder / "config").write_text(config)
    return {**os.environ, "ERRAND_PROFILE": str(folder),
            "ERRAND_BROKERS": house.brokers, "XDG_RUNTIME_DIR": ""}


def at(environment, *words):
    return subprocess.run(
        [house_module.BIN / "submit", *words], env=environment, text=True,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)


CONFIG = "[root]\nkeys = root.pub\n[profile]\npassword_file = password\n"


@pytest.mark.parametrize("more, said", [
    ("[profil]\nx = 1\n", "config:5: unknown section [profil]"),
    ("colour = 1\n", "config:5: unknown key 'colour' in [profile]"),
    ("nonsense\n", "config:5: neither [section] nor key = value"),
    ("password_file = b\n", "config:5: "),
    ("[kafka]\nbootstrap.servers =\n", "config:6: "),
    ("[kafka]\nbootstrap.servrs = x:1\n", "bootstrap.servrs"),
])
def test_a_profile_with_a_bad_line_says_which(house, tmp_path, more, said):
    done = at(profile_copy(house, tmp_path / "p", CONFIG + more), "whoami")
    assert (done.returncode, done.stdout) == (78, "")
    assert said in done.stderr


@pytest.mark.parametrize("name, data, status, said", [
    ("password", None, 66, "password"),
    ("password", b"wrong\n", 77, "is not, or no longer, that of your key"),
    ("password", b"\n", 65, "first line must hold the secret"),
    ("key.json", b"{}", 65, "key.json"),
    ("key.json", b"\xff\x00", 65, "key.json"),
    ("enrolment.json", b"[]", 78, "enrolment.json"),
    ("root.pub", b"AAAA\n", 78, "root.pub"),
    ("root.pub", None, 78, "root.pub"),
])
def test_a_profile_with_a_bad_file_says_which(house, tmp_path, name, data,
                                              status, said):
    env = profile_copy(house, tmp_path / "p", CONFIG)
    (tmp_path / "p" / name).unlink()
    if data is not None:
        (tmp_path / "p" / name).write_bytes(data)
        (tmp_path / "p" / name).chmod(0o600)
    done = at(env, "whoami")
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert said in done.stderr


def test_a_secret_that_others_may_read_is_refused(house, tmp_path):
    env = profile_copy(house, tmp_path / "p", CONFIG)
    for name in "password", "key.json":
        (tmp_path / "p" / name).chmod(0o644)
        done = at(env, "whoami")
        assert (done.returncode, done.stdout) == (66, "")
        assert f"chmod 600 {tmp_path / 'p' / name}" in done.stderr
        (tmp_path / "p" / name).chmod(0o600)
    assert at(env, "whoami").returncode == 0


def test_a_broker_that_is_away_is_named_and_nothing_was_sent(house, tmp_path):
    env = profile_copy(house, tmp_path / "p", CONFIG)
    assert at(env, "whoami").returncode == 0
    env["ERRAND_BROKERS"] = "127.0.0.1:1"
    done = at(env, "whoami")
    assert (done.returncode, done.stdout) == (69, "")
    first, last = done.stderr.splitlines()
    assert first == "waiting for the broker at 127.0.0.1:1"
    assert "no broker can be reached at 127.0.0.1:1" in last
    assert "Connection refused" in last and "nothing was sent" in last


# Daemons: configuration and keys

class Daemon:
    """A daemon of the stack with a configuration that a test changes."""

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, folder
        self.config = folder / f"{kind}.ini"
        (folder / "state").mkdir(exist_ok=True)
        theirs = (TEST_HOME / f"conf/{kind}-1.ini").read_text()
        self.text = theirs.replace(f"{TEST_HOME}/run/", f"{folder}/") \
            .replace(f"{TEST_HOME}/state/{kind}-1", f"{folder}/state")
        self.config.write_text(self.text)

    def change(self, old, new):
        """Puts another line in a line's place; both may be parts of one."""
        lines = [new if line.startswith(old) else line
                 for line in self.text.splitlines()]
        assert "\n".join(lines) != self.text
        self.text = "\n".join(lines) + "\n"
        self.config.write_text(self.text)
        return self

    def run(self, *words, **env):
        return subprocess.run(
            [house_module.BIN / f"errand-{self.kind}", "--config", self.config,
             *words], env={**os.environ, **env}, text=True, timeout=25,
            stdin=subprocess.DEVNULL, capture_output=True, check=False)


@pytest.fixture
def executor(house, tmp_path):
    assert house
    return Daemon("executor", tmp_path)


@pytest.mark.parametrize("kind", DAEMONS)
def test_the_stacks_own_configurations_are_good(house, tmp_path, kind):
    assert house
    done = Daemon(kind, tmp_path).run("--check-config")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("old, new, said", [
    ("slots", "slots = 0", "ini:12: 'slots': not within 1 to 256"),
    ("slots", "slots = four", "ini:12: 'slots': not a whole number"),
    ("slots", "slotz = 4", "ini:12: unknown key 'slotz' in [executor]"),
    ("slots", "slots = 4\nslots = 4", "ini:13: 'slots' in [executor] is here"
     " for the second time"),
    ("slots", "slots", "ini:12: "),
    ("[executor]", "[exekutor]", "ini:10: unknown section [exekutor]"),
    ("target", "", "[executor] target is missing"),
    ("target", "target = Web 1", "ini:11: 'target': not a name"),
    ("name", "", "[service] name is missing"),
    ("bootstrap", "", "[kafka] bootstrap.servers is missing"),
    ("keys", "keys = /nonexistent", "/nonexistent: No such file"),
    ("keys", "keys = /dev/null", "/dev/null"),
    ("key =", "key = /nonexistent", "make it with --make-key"),
    ("enrolment", "enrolment = /nonexistent", "/nonexistent: No such file"),
    ("enrolment", "enrolment = /etc/passwd", "/etc/passwd: "),
])
def test_a_bad_configuration_is_told_before_anything_starts(
        executor, old, new, said):
    executor.change(old, new)
    for words in ["--check-config"], []:
        done = executor.run(*words)
        assert (done.returncode, done.stdout) == (78, "")
        assert said in done.stderr
    assert not list((executor.folder / "state").iterdir())


@pytest.mark.parametrize("name, value, said", [
    ("EXECUTOR_SLOTZ", "3", "ERRAND_CONF_EXECUTOR_SLOTZ: no such key"),
    ("EXECUTOR_SLOTS", "x", "ERRAND_CONF_EXECUTOR_SLOTS: not a whole number"),
    ("LOG_LEVEL", "loud", "'loud' is not debug, info, warning or error"),
])
def test_a_bad_override_is_told_by_its_name(executor, name, value, said):
    done = executor.run("--check-config", **{f"ERRAND_CONF_{name}": value})
    assert (done.returncode, done.stdout) == (78, "")
    assert said in done.stderr


def test_keys_that_cannot_serve_say_why_and_the_way_out(house, executor):
    key = executor.folder / "executor.key"
    mine = (TEST_HOME / "keys/executor-1.key").read_bytes()
    admin = pathlib.Path(house.env("admin")["ERRAND_PROFILE"])
    executor.change("key =", f"key = {key}")
    for data, mode, said in [
            (mine, 0o644, f"chmod 600 {key}"),
            (mine[:40], 0o600, str(key)),
            (b"", 0o600, str(key)),
            ((admin / "key.json").read_bytes(), 0o600, "locked by a password"),
            ((TEST_HOME / "keys/scheduler-1.key").read_bytes(), 0o600,
             "enrol again with the line that --make-key prints")]:
        key.write_bytes(data)
        key.chmod(mode)
        done = executor.run("--check-config")
        assert (done.returncode, done.stdout) == (78, ""), said
        assert said in done.stderr
        assert key.read_bytes() == data
    key.write_bytes(mine)
    assert executor.run("--check-config").returncode == 0


def test_an_enrolment_of_another_kind_is_told(executor):
    executor.change("enrolment",
                    f"enrolment = {TEST_HOME}/keys/scheduler-1.enrol.json")
    done = executor.run("--check-config")
    assert done.returncode == 78
    assert "enrolled as scheduler, not as executor" in done.stderr


@pytest.mark.parametrize("words, status", [
    (["--confg", "x"], 64), ([], 64), (["--config", "/nonexistent"], 78),
    (["--config", "/dev/null", "more"], 64)])
def test_a_bad_command_line_of_a_daemon_is_told(words, status):
    done = subprocess.run(
        [house_module.BIN / "errand-executor", *words], text=True, timeout=20,
        stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert "errand-executor: " in done.stderr


# Databases

@pytest.fixture
def database(house):
    """An empty one, beside the stack's."""
    name = house.fresh("d")
    house.change(f'CREATE DATABASE "{name}"')
    yield name
    house.change(f'DROP DATABASE "{name}" WITH (FORCE)')


def tables_of(house, database):
    admin = house.env("admin")
    with psycopg.connect(host=admin["PGHOST"], port=admin["PGPORT"],
                         dbname=database, user="postgres") as connection:
        return connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()[0]


@pytest.mark.parametrize("kind", ["authorizer", "recorder", "scheduler"])
def test_a_database_that_is_not_migrated_is_told_with_the_way_out(
        house, tmp_path, database, kind):
    daemon = Daemon(kind, tmp_path)
    line = next(row for row in daemon.text.splitlines()
                if row.startswith("conninfo"))
    daemon.change("conninfo", line.replace("dbname=errand",
                                           f"dbname={database}"))
    done = daemon.run()
    assert done.returncode == 1
    assert f"database {database} is at schema 0" in done.stderr
    assert "run schema/migrate --conninfo" in done.stderr
    assert tables_of(house, database) == 0
    assert not list(tmp_path.glob("*.ready"))


def migrations(schema):
    return sorted((schema / "sql").glob("[0-9]*.sql"))


def test_a_migration_that_has_changed_since_refuses_everything(
        house, tmp_path, database):
    admin = house.env("admin")
    schema = tmp_path / "schema"
    subprocess.run(["cp", "-r", REPOSITORY / "schema", schema], check=True)

    def migrate():
        return subprocess.run(
            [sys.executable, schema / "migrate", "--conninfo",
             f"host={admin['PGHOST']} port={admin['PGPORT']}"
             f" dbname={database} user=postgres"],
            text=True, capture_output=True, check=False)
    assert migrate().returncode == 0
    before = tables_of(house, database)
    first = migrations(schema)[0]
    first.write_text(first.read_text() + "-- later\n")
    (schema / f"sql/{len(migrations(schema)) + 1:04}_more.sql").write_text("CREATE TABLE more (id int);\n")
    done = migrate()
    assert done.returncode != 0
    assert first.name in done.stderr
    assert tables_of(house, database) == before


# Brokers

@pytest.fixture(scope="module")
def elsewhere(house, tmp_path_factory):
    """Another Kafka, with no topics: its address."""
    assert house
    home = stack_home.Home(tmp_path_factory.mktemp("elsewhere") / "stack")
    home.prepare()
    stack_kafka.prepare(home)
    with open(home / "log/kafka.log", "ab") as log, subprocess.Popen(
            stack_kafka.spec(home)["argv"], cwd=home.path, stdout=log,
            stdin=subprocess.DEVNULL, stderr=log) as process:
        until("another Kafka", lambda: stack_kafka.is_ready(home, 0), 60)
        yield stack_kafka.address(home)
        process.kill()  # a broker that is alone may not come to its end


def conninfo_of(house, database, user):
    admin = house.env("admin")
    return f"host={admin['PGHOST']} port={admin['PGPORT']}" \
           f" dbname={database} user={user}"


def migrate(house, database):
    subprocess.run(
        [sys.executable, REPOSITORY / "schema/migrate", "--conninfo",
         conninfo_of(house, database, "postgres")],
        check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["authorizer", "executor", "recorder"])
def test_topics_that_are_missing_are_named_with_the_way_out(
        house, tmp_path, elsewhere, database, kind):
    migrate(house, database)
    daemon = Daemon(kind, tmp_path)
    daemon.change("bootstrap", f"bootstrap.servers = {elsewhere}")
    if kind != "executor":
        daemon.change("conninfo", "conninfo = " + conninfo_of(
            house, database, f"errand_{kind}"))
    done = daemon.run()
    assert done.returncode == 1
    assert "topic errand.re" in done.stderr
    assert "the broker has none of that name" in done.stderr
    assert "schema/topics.def" in done.stderr
    assert not list(tmp_path.glob("*.ready"))


def test_submit_names_a_topic_that_is_missing(house, tmp_path, elsewhere):
    env = profile_copy(house, tmp_path / "p", CONFIG)
    env["ERRAND_BROKERS"] = elsewhere
    done = at(env, "whoami")
    assert (done.returncode, done.stdout) == (78, "")
    assert "topic errand.re" in done.stderr
    assert "the broker has none of that name" in done.stderr


def test_a_recorder_at_another_cluster_stops_with_the_runbooks_line(
        house, tmp_path, elsewhere, database):
    migrate(house, database)
    subprocess.run(
        [sys.executable, REPOSITORY / "ops/kafka/topics.py", "--brokers",
         elsewhere], check=True, capture_output=True)
    owner = conninfo_of(house, database, "postgres")
    rows = house.rows("SELECT reader, topic, partition, next, cluster_id FROM"
                      " positions WHERE topic = 'errand.results'")
    with psycopg.connect(owner) as connection:
        connection.cursor().executemany(
            "INSERT INTO positions (reader, topic, partition, next,"
            " cluster_id) VALUES (%s, %s, %s, %s, %s)", rows)
    recorder = Daemon("recorder", tmp_path)
    recorder.change("bootstrap", f"bootstrap.servers = {elsewhere}")
    recorder.change("conninfo", "conninfo = " + conninfo_of(
        house, database, "errand_recorder"))
    done = recorder.run()
    assert done.returncode == 1
    assert f"was read from cluster {rows[0][4]}, and this is cluster" \
        in done.stderr
    assert "ops/README.md" in done.stderr
    with psycopg.connect(owner) as connection:
        assert sorted(connection.execute(
            "SELECT reader, topic, partition, next, cluster_id FROM positions"
            " WHERE topic = 'errand.results'")) == sorted(rows)


# Disks

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB: room for the revocation log, and for no run."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700",
                           "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("mount is not to be had here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_an_executor_whose_disk_is_full_says_so_and_goes_on_when_it_is_not(
        house, tmp_path, small_disk):
    host = Host(house, tmp_path)
    host.config.write_text(host.config.read_text().replace(
        f"state = {tmp_path}/{host.name}.state", f"state = {small_disk}"))
    assert str(small_disk) in host.config.read_text()
    host.start()
    asked = Asked(house, "#!/bin/sh\nhead -c 3000000 /dev/zero\n", host.target)
    execution = asked.accept()
    until("it says so", lambda: "the disk has no room" in host.log.read_text())
    assert str(small_disk) in host.log.read_text()
    assert host.process.poll() is None
    assert not host.claimed(execution)  # another of its target could take it
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    asked.outcome(execution, "succeeded")
    assert len(host.claimed(execution)) == 1
    assert house.rows(
        "SELECT sum(length(data)) FROM outputs WHERE execution_id = %s",
        execution) == [(3000000,)]
    host.stop()
