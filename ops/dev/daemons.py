"""daemons.py: Errand's own processes in a stack: configuration, and what runs.

In: the home and its ports. Out: conf/NAME.ini, rows for the supervisor. A row
bears a stamp of program and configuration: where one changed, `up` puts a new
process in the old one's place. ERRAND_BIN names another build than bin/.
"""
import hashlib
import os
import pathlib
import pwd
import signal
import subprocess

import kafka
import postgres
from home import REPOSITORY, Trouble, write

TARGET = "dev"
# Daemon -> what it needs beside [kafka], [root], [service] and [log].
DAEMONS = {
    "authorizer": {"postgres", "authorizer"},
    "recorder": {"postgres", "recorder"},
    "scheduler": {"postgres", "scheduler"},
    "executor": {"executor"},
    "notifier": {"smtp", "webhook", "invitation"},
}
COMMON = {"kafka", "root", "service", "log"}
PASSED_ON = ("ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",
             "ERRAND_TEST_LOCK_COST", "XDG_RUNTIME_DIR")


def name_of(kind):
    return f"{kind}-1"


def binary(name):
    directory = pathlib.Path(os.environ.get("ERRAND_BIN") or REPOSITORY / "bin")
    path = directory.absolute() / name
    if not os.access(path, os.X_OK):
        raise Trouble(f"{path} is not there: `make` builds it")
    return path


def environment():
    """What our programs get of ours: nothing that they don't need."""
    passed = {n: os.environ[n] for n in PASSED_ON if n in os.environ}
    return {"PATH": os.environ["PATH"], "HOME": os.path.expanduser("~"),
            "LANG": "C.UTF-8", "TZ": "UTC", **passed}


def overrides(kind):
    """ERRAND_CONF_<SECTION>_<KEY>, where the daemon has such a section."""
    starts = tuple(f"ERRAND_CONF_{section.upper()}_"
                   for section in COMMON | DAEMONS[kind])
    return {k: v for k, v in os.environ.items() if k.startswith(starts)}


def settings(home, kind):
    name = name_of(kind)
    sections = {
        "kafka": {"bootstrap.servers": kafka.address(home)},
        "root": {"keys": home / "root/root.pub"},
        "service": {"name": name, "ready": home / f"run/{name}.ready"},
    }
    if kind != "recorder":  # which signs nothing
        sections["service"].update(
            key=home / f"keys/{name}.key",
            enrolment=home / f"keys/{name}.enrol.json")
    if "postgres" in DAEMONS[kind]:
        sections["postgres"] = {
            "conninfo": postgres.conninfo(home, f"errand_{kind}")}
    if kind == "notifier":
        sections["smtp"] = {
            "url": f"smtp://127.0.0.1:{home.ports()['mail']}",
            "from": "errand@example.org", "tls": "none"}
        sections["webhook"] = {"folder": home / "webhooks"}
        sections["invitation"] = {"brokers": kafka.address(home)}
    if kind == "executor":
        # A stack is one person's: both halves are theirs, and all they start.
        me = pwd.getpwuid(os.geteuid()).pw_name
        sections["executor"] = {"target": TARGET, "slots": 4, "user": me,
                                "state": home / f"state/{name}"}
        sections["run_as"] = {"allow": me, "default": me}
    return sections


def configure(home, kind):
    """Writes the daemon's configuration; returns its file."""
    path = home / f"conf/{name_of(kind)}.ini"
    lines = []
    for section, values in settings(home, kind).items():
        lines += [f"[{section}]", *(f"{k} = {v}" for k, v in values.items())]
    write(path, "\n".join(lines) + "\n", 0o600)
    if kind == "executor":
        (home / f"state/{name_of(kind)}").mkdir(mode=0o700, exist_ok=True)
    if kind == "notifier":
        (home / "webhooks").mkdir(mode=0o700, exist_ok=True)
    return path


def key_line(home, kind):
    """The line to enrol it by; its key is made where there is none."""
    done = subprocess.run(
        [binary(f"errand-{kind}"), "--config", configure(home, kind),
         "--make-key"], env={**environment(), **overrides(kind)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"errand-{kind} --make-key: {done.stderr.strip()}")
    return done.stdout.strip()


def stamp(*paths):
    marks = []
    for path in paths:
        if path.exists():
            marks.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return hashlib.sha256(" ".join(marks).encode()).hexdigest()


def spec(home, kind):
    program, config = binary(f"errand-{kind}"), configure(home, kind)
    return {"argv": [str(program), "--config", str(config)],
            "env": {**environment(), **overrides(kind)},
            "stamp": stamp(program, config,
                           home / f"keys/{name_of(kind)}.enrol.json"),
            "signal": signal.SIGTERM, "patience": 10, "order": 2}


def is_ready(home, kind, pid):
    try:
        text = (home / f"run/{name_of(kind)}.ready").read_text()
    except OSError:
        return False
    return text.strip() == str(pid)


def submit(home, profile, *argv, given=None):
    """Runs submit as one of the stack's people; returns what it printed."""
    done = subprocess.run(
        [binary("submit"), *argv], input=given or "", capture_output=True,
        text=True, env={**environment(), "ERRAND_BROKERS": kafka.address(home),
                        "ERRAND_PROFILE": str(home / "profiles" / profile)})
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise Trouble(f"submit {argv[0]} failed ({done.returncode}): {said}")
    return done.stdout
