"""bootstrap.py: design's first hour, played for a development stack.

A list of steps, in order, each of which does nothing where it was done: so `up`
goes through all of them every time, and goes on where it was interrupted. It
ends with an administrator and a runner, each with a profile that never prompts,
and with a target `dev` that one executor serves. The runner joins as people do:
by the mail.
"""
import email
import email.policy
import re
import secrets
import shutil
import subprocess
import sys
import time

import daemons
import kafka
import postgres
from home import REPOSITORY, Trouble, write

ADMINISTRATOR = "admin@example.org"
RUNNER = "runner@example.org"
MAIL_PATIENCE = 20.0  # seconds


def run(*argv):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble((done.stderr or done.stdout).strip())
    return done.stdout


def password(home, *where):
    """A file with a password of its own, made once."""
    path = home.path.joinpath(*where)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        write(path, secrets.token_urlsafe(18) + "\n", 0o600)
    return path


def profile_config(home, name):
    """The profile unlocks itself, by the file beside it."""
    path = home / f"profiles/{name}/config"
    text = path.read_text() if path.exists() else ""
    if "password_file" not in text:
        file = password(home, "profiles", name, "password")
        write(path, f"{text}[profile]\npassword_file = {file}\n")


def migrate(home, _up):
    postgres.make_database(home)
    run(sys.executable, REPOSITORY / "schema/migrate", "--conninfo",
        postgres.conninfo(home, postgres.SUPERUSER))


def topics(home, _up):
    run(sys.executable, REPOSITORY / "ops/kafka/topics.py", "--brokers",
        kafka.address(home))


def root(home, _up):
    """The root key, the first administrator, the authorizer's enrolment."""
    name = daemons.name_of("authorizer")
    enrolment = home / f"keys/{name}.enrol.json"
    if not enrolment.exists():
        for half_done in (home / "root", home / "profiles/admin"):
            shutil.rmtree(half_done, ignore_errors=True)
        daemons.submit(
            home, "admin", "init", ADMINISTRATOR,
            "--authorizer", daemons.key_line(home, "authorizer"),
            "--authorizer-name", name, "--out", str(home / "root"),
            "--password-file", str(password(home, "profiles/admin/password")),
            "--root-password-file", str(password(home, "keys/root.password")))
        made = home / f"root/{name}.enrol.json"
        write(enrolment, made.read_text(), 0o600)
    profile_config(home, "admin")


def started(*kinds):
    def start(home, up):
        up.start_all({daemons.name_of(kind): kind for kind in kinds})
    start.__doc__ = " and ".join(kinds)
    return start


def target(home, _up):
    there = daemons.submit(home, "admin", "target", "list", "-o", "name")
    if daemons.TARGET not in there.split():
        daemons.submit(home, "admin", "target", "add", daemons.TARGET)


def enrolled(kind, *options):
    def enrol(home, _up):
        name = daemons.name_of(kind)
        file = home / f"keys/{name}.enrol.json"
        if not file.exists():
            daemons.submit(home, "admin", "service", "enrol", kind, name,
                           *options, "--key", daemons.key_line(home, kind),
                           "--out", str(file))
    return enrol


def invitation(home, address):
    """The block to paste, of the newest mail to this address; or None."""
    for path in sorted((home / "mail").glob("*.eml"), reverse=True):
        mail = email.message_from_bytes(path.read_bytes(),
                                        policy=email.policy.default)
        if mail["X-Rcpt-To"] == address:
            text = mail.get_body(("plain",)).get_content()
            block = re.search("^-+BEGIN.*?^-+END.*?$", text, re.M | re.S)
            if block:
                return block.group(0) + "\n"
    return None


def awaited_invitation(home, address):
    end = time.monotonic() + MAIL_PATIENCE
    while not (block := invitation(home, address)):
        if time.monotonic() > end:
            raise Trouble(f"no invitation came to {address}:"
                          f" {home / 'log/notifier-1.log'} may say why")
        time.sleep(0.02)
    return block


def runner(home, _up):
    """Invited by the administrator, verified by what the mail says."""
    code_file = home / "keys/runner.code"
    if not (home / "profiles/runner/key.json").exists():
        there = daemons.submit(home, "admin", "user", "list", "-o", "name")
        if RUNNER not in there.split():
            daemons.submit(home, "admin", "user", "invite", RUNNER, "--role",
                           "runner", "--name", "Rita Runner")
        write(code_file, awaited_invitation(home, RUNNER), 0o600)
        daemons.submit(
            home, "runner", "verify", "--code-file", str(code_file),
            "--password-file", str(password(home, "profiles/runner/password")))
    profile_config(home, "runner")
    code_file.unlink(missing_ok=True)


STEPS = (
    ("tables", migrate),
    ("topics", topics),
    ("root key, administrator", root),
    ("authorizer, recorder", started("authorizer", "recorder")),
    (f"target {daemons.TARGET}", target),
    ("enrolments", enrolled("executor", "--target", daemons.TARGET)),
    ("enrolments", enrolled("scheduler")),
    ("enrolments", enrolled("notifier")),
    ("executor, scheduler, notifier",
     started("executor", "scheduler", "notifier")),
    ("runner", runner),
)
