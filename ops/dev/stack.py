#!/usr/bin/python3
"""stack.py: the development stack: up, down, status, reset, env.

All of it lives in ERRAND_HOME (default .errand): Kafka, PostgreSQL, a mail sink
and Errand's daemons, under one supervisor in the background. `up` may be said
again at any time: it starts what does not run, replaces what was built or
configured anew, and goes on where it was interrupted. It waits for each part's
own word that it is ready.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

import bootstrap
import daemons
import kafka
import postgres
import supervisor
from home import Home, REPOSITORY, Trouble, is_free, write

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60.0   # seconds until who is not ready is given up
GLANCE = 0.02     # seconds between two looks
FAILURES = 8      # starts in vain, in so many seconds at least, until it is
VAIN = 3.0        # given up
MISCONFIGURED = "status 78"
PROFILES = ("admin", "runner")


def wait_for(what, holds, patience):
    """Until holds() is true; what it raises ends the wait, too."""
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            raise Trouble(f"{what} did not come about within {patience:.0f} s")
        time.sleep(GLANCE)


def log_tail(home, name, offset, lines=8):
    try:
        with open(home / f"log/{name}.log", "rb") as log:
            log.seek(offset)
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in text.splitlines()[-lines:])


def supervisor_pid(home):
    """Its pid, where one works; the lock says so, the file only who."""
    if not (home / "run").is_dir():
        return None
    held = supervisor.lock(home)
    if held is not None:
        held.close()
        return None
    text = (home / "run/supervisor.pid").read_text().strip()
    return int(text) if text else None


class Up:
    """One `up`: hands rows to the supervisor and waits until they serve."""

    def __init__(self, home):
        self.home = home

    def supervise(self):
        if supervisor_pid(self.home) is not None:
            return
        with open(self.home / "log/supervisor.log", "ab") as log:
            subprocess.Popen(
                [sys.executable, str(HERE / "stack.py"), "supervise"],
                env={**daemons.environment(), "ERRAND_HOME": str(self.home.path)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True)
        wait_for("the supervisor", lambda: supervisor_pid(self.home), 10.0)

    def start(self, name, spec, is_ready):
        """Hands over a row; returns when that very process is ready."""
        spec.setdefault("env", daemons.environment())
        spec["signal"] = int(spec["signal"])
        write(self.home / f"run/{name}.spec", supervisor.dump(spec), 0o600)
        os.kill(supervisor_pid(self.home), signal.SIGHUP)
        began = time.monotonic()
        wait_for(f"{name}'s readiness (log/{name}.log)",
                 lambda: self.serves(name, spec, is_ready, began), PATIENCE)

    def serves(self, name, spec, is_ready, began):
        state = supervisor.read_state(self.home, name)
        if state.get("spec") == spec and supervisor.running(self.home, name):
            return is_ready(state)
        enough = 2 if state.get("ended") == MISCONFIGURED else FAILURES
        if (state.get("failures", 0) >= enough
                and time.monotonic() - began > VAIN):
            raise Trouble(f"{name} ends again and again, last with"
                          f" {state['ended']}; log/{name}.log says:"
                          + log_tail(self.home, name, state["log"]))
        return False

    def start_all(self, kinds):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            rows = [pool.submit(
                self.start, name, daemons.spec(self.home, kind),
                lambda state, kind=kind: daemons.is_ready(
                    self.home, kind, state["pid"]))
                for name, kind in kinds.items()]
            for row in rows:
                row.result()


def check_ports(home):
    for name, port in home.ports().items():
        server = "kafka" if name == "controller" else name
        if not supervisor.running(home, server) and not is_free(port):
            raise Trouble(f"port {port}, which this stack keeps for {name}, is"
                          " taken by another program: end that, or `make reset`")


def start_kafka(up):
    home = up.home
    kafka.prepare(home)
    spec = kafka.spec(home)
    spec["stamp"] = daemons.stamp(home / "conf/kafka.properties")
    up.start("kafka", spec, lambda state: kafka.is_ready(home, state["log"]))


def start_postgres(up):
    home = up.home
    postgres.prepare(home)
    up.start("postgres", postgres.spec(home),
             lambda state: postgres.is_ready(home, state["pid"]))


def start_mail(up):
    home, port = up.home, up.home.ports()["mail"]
    spec = {"argv": [sys.executable, str(HERE / "mail.py"), str(home / "mail"),
                     str(port)], "signal": signal.SIGTERM, "patience": 5,
            "order": 1}
    up.start("mail", spec, lambda _state: not is_free(port))


def up(home, _args):
    home.prepare()
    held = home.lock()
    began = time.monotonic()
    check_ports(home)
    this = Up(home)
    this.supervise()
    print("Kafka, PostgreSQL, mail", flush=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for part in [pool.submit(start, this) for start in
                     (start_kafka, start_postgres, start_mail)]:
            part.result()
    write(home / "kcat.conf", f"bootstrap.servers={kafka.address(home)}\n")
    said = None
    for text, step in bootstrap.STEPS:
        if text != said:
            print(text, flush=True)
        said = text
        step(home, this)
    print(f"up in {time.monotonic() - began:.1f} s, in {home.path}")
    held.close()


def end_executions(home):
    """What a killed executor left running below its state directory."""
    mark = b"\0HOME=" + os.fsencode(home / "state") + b"/"
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            environ = b"\0" + path.read_bytes()
            if b"\0ERRAND_EXECUTION_ID=" in environ and mark in environ:
                os.kill(int(path.parent.name), signal.SIGKILL)
        except OSError:
            continue


def end_all(home):
    """Ends the supervisor and its processes, also where it was killed."""
    pid = supervisor_pid(home)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        wait_for("the supervisor's end", lambda: supervisor_pid(home) is None,
                 PATIENCE)
    if (home / "run").is_dir():
        supervisor.Supervisor(home).end_all()
    end_executions(home)


def down(home, _args):
    if not home.exists():
        print(f"there is no stack in {home.path}")
        return
    with home.lock():
        end_all(home)
    print("down")


def reset(home, _args):
    if not home.exists() and not home.path.exists():
        print(f"there is no stack in {home.path}")
        return
    home.need()
    with home.lock():
        end_all(home)
        postgres.forget(home)
        home.remove()
    print(f"removed {home.path}")


def status(home, _args):
    """A line for each process; fails where one does not run."""
    home.need()
    print(f"{'supervisor':14}{supervisor_pid(home) or 'not running'}")
    all_run = True
    for path in sorted((home / "run").glob("*.state")):
        pid = supervisor.running(home, path.stem)
        state = supervisor.read_state(home, path.stem)
        word = pid or f"not running (ended with {state.get('ended')})"
        print(f"{path.stem:14}{word}")
        all_run = all_run and pid is not None
    print(f"brokers {kafka.address(home)}, PostgreSQL in"
          f" {postgres.socket_directory(home)}, mail to 127.0.0.1:"
          f"{home.ports()['mail']} into {home / 'mail'}")
    return 0 if all_run and supervisor_pid(home) else 1


def env(home, args):
    home.need()
    bin_directory = os.environ.get("ERRAND_BIN") or REPOSITORY / "bin"
    values = {
        "ERRAND_HOME": home.path,
        "ERRAND_PROFILE": home / "profiles" / args.profile,
        "ERRAND_BROKERS": kafka.address(home),
        "KCAT_CONFIG": home / "kcat.conf",
        "PGHOST": postgres.socket_directory(home),
        "PGPORT": postgres.PORT,
        "PGDATABASE": postgres.DATABASE,
        "PGUSER": postgres.SUPERUSER if args.profile == "admin"
        else "errand_reader",
    }
    print(f"export PATH={shlex.quote(os.path.abspath(bin_directory))}:\"$PATH\"")
    for name, value in values.items():
        print(f"export {name}={shlex.quote(str(value))}")


def supervise(home, _args):
    supervisor.serve(home)


VERBS = {"up": up, "down": down, "status": status, "reset": reset, "env": env,
         "supervise": supervise}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("profile", nargs="?", default="admin", choices=PROFILES,
                        help="whose environment `env` prints")
    args = parser.parse_args()
    if args.verb in ("env", "status"):  # which may be piped into head
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.umask(0o077)
    home = Home(os.environ.get("ERRAND_HOME") or REPOSITORY / ".errand")
    try:
        return VERBS[args.verb](home, args) or 0
    except (Trouble, OSError) as trouble:
        print(f"{args.verb}: {trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
